"""Common subexpressions: what is computed twice from the same variables is computed once.

Values are numbered by op, inputs and parameters.  Literals with the same bytes are one literal; constants that are the state
of a tensor outside are never merged, however equal they are now.  A random op is a function of its state and parameters
like any other: the same state gives the same numbers, and another state is another variable.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from ..graph import Graph, Var
from ..op import registry
from ..ops.arithmetic import Add, Mul
from ..ops.logic import BitAnd, BitOr, BitXor, Eq, Ne
from ._draft import SMALL, Draft

# Not Maximum and Minimum: of 0.0 and -0.0 they give the one that stands at a certain place.
COMMUTATIVE = frozenset((Add, Mul, Eq, Ne, BitAnd, BitOr, BitXor))


def cse(graph: Graph) -> Graph:
    """The graph with equal literals merged, and with each value computed once."""
    draft = Draft(graph)
    instead = draft.instead
    _merge_literals(draft)
    known: dict[Hashable, tuple[Var, ...]] = {}
    number: dict[Var, int] = {}
    for eq in graph.equations:
        eq = draft.reading(eq)
        inputs = eq.inputs
        if eq.op in COMMUTATIVE and number.setdefault(inputs[0], len(number)) > number.setdefault(
            inputs[1], len(number)
        ):
            inputs = inputs[::-1]
        key = (eq.op, inputs, encoded(eq.params)) if eq.params else (eq.op, inputs)
        outputs = known.setdefault(key, eq.outputs) if registry.get(eq.op.name) is eq.op else eq.outputs
        if outputs is eq.outputs:
            draft.equations.append(eq)
        else:
            instead.update(zip(eq.outputs, outputs, strict=True))
            draft.changed = True
    return draft.finished()


def _merge_literals(draft: Draft) -> None:
    known: dict[Hashable, Var] = {}
    for v, array in draft.literals.items():
        if array.size <= SMALL:
            first = known.setdefault((v.type, array.tobytes()), v)
            if first is not v:
                draft.replace(v, first)
                del draft.captured[v]


def encoded(p: Any) -> Hashable:
    """A parameter as something to compare: equal only if no op can tell the difference (1 from 1.0, 0.0 from -0.0)."""
    kind = type(p)
    if kind is int or kind is str or p is None:
        return p
    if kind is tuple or kind is list:
        return (kind, *map(encoded, p))
    if kind is dict:
        return tuple((k, encoded(x)) for k, x in p.items())
    if kind is float:
        return (kind, p.hex())
    if kind is bool:
        return (kind, p)
    if isinstance(p, np.ndarray | np.generic):
        return (kind, p.dtype, p.shape, p.tobytes())
    return p if isinstance(p, Hashable) else _Unlike(p)


class _Unlike:
    """A parameter that nobody can compare: equal to no other."""

    def __init__(self, held: Any) -> None:
        self.held = held
