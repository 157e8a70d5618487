"""Algebra that keeps every bit, for NaN, infinities and the sign of zero too: each rule says why it does.

One walk from the first equation to the last.  A rule sees an equation whose inputs are simple already, and gives a variable
that has the value, or another equation for it, to which the rules are applied again; each rule makes the expression smaller
or moves it towards one form, so that this ends.
"""

from __future__ import annotations

import functools

from ..graph import Graph
from ..op import Op
from . import _algebra, _arrangement
from ._rules import Rewriting, Rule


def simplify(graph: Graph) -> Graph:
    """The graph in a simpler form."""
    draft = Rewriting(graph, rules_of)
    for eq in graph.equations:
        draft.place(draft.reading(eq))
    return draft.finished()


@functools.cache
def rules_of(op: type[Op]) -> tuple[Rule, ...]:
    """The rules for an op, in the order in which they are tried."""
    return tuple(rule for rules in (_algebra.RULES, _arrangement.RULES) for rule in rules.get(op, ()))
