"""What a rule of `simplify` is, and how rules are applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..graph import Equation, Graph, Var
from ..op import Op, type_of
from ._draft import Draft

Rule = Callable[["Rewriting", Equation], "Var | Equation | None"]
"""Gives a variable with the value of the equation's result, another equation for that result, or None."""


class Rewriting(Draft):
    """A draft whose equations go through rules before they are written down."""

    def __init__(self, graph: Graph, rules_of: Callable[[type[Op]], Sequence[Rule]]) -> None:
        super().__init__(graph)
        self._rules_of = rules_of

    def place(self, eq: Equation) -> None:
        """Write an equation down in the simplest form that the rules lead to."""
        rules = self._rules_of(eq.op)
        k = 0
        while k < len(rules):
            found = rules[k](self, eq)
            if found is None:
                k += 1
                continue
            self.changed = True
            if isinstance(found, Var):
                self.replace(eq.outputs[0], found)
                return
            eq, k = found, 0
            rules = self._rules_of(eq.op)
        self.append(eq)

    def put(self, like: Equation, op: type[Op], *inputs: Var, **params: Any) -> Var:
        """A further equation, on the way to the one that ``like`` becomes; the variable that has its value."""
        v = self.fresh(type_of(op, (x.type for x in inputs), params)[0])
        self.place(like._replace(op=op, inputs=inputs, params=params, outputs=(v,)))
        return self.instead.get(v, v)


def changed(eq: Equation, op: type[Op], *inputs: Var, **params: Any) -> Equation:
    """Another way to make the same result."""
    return eq._replace(op=op, inputs=inputs, params=params)
