"""A graph that is being written anew, equation by equation, from an old one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Equation, Graph, Var
from ..op import Array, Op
from ..ops.shape import Broadcast
from ..types import TensorType, dtype_of, size

SMALL = 4096
"""Largest number of elements that a pass computes, or compares."""


class Draft:
    """What was written so far: `instead` says what stands for a variable that is no longer made."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.captured: dict[Var, Any] = dict(graph.captured)
        self.equations: list[Equation] = []
        self.maker: dict[Var, Equation] = {}
        """Which equation with one result makes a variable."""
        self.instead: dict[Var, Var] = {}
        self.literals: dict[Var, Array] = {
            v: a for v, a in graph.captured.items() if v not in graph.sources and isinstance(a, np.ndarray)
        }
        """Constants that are numbers of the program, and not the state of a tensor outside."""
        self.changed = False
        self._repeated: dict[Var, Any] = {}
        self._names: set[str] | None = None
        self._count = 0

    def reading(self, eq: Equation) -> Equation:
        """The equation with what stands for its inputs now."""
        instead = self.instead
        for v in eq.inputs:
            if v in instead:
                return eq._replace(inputs=tuple(instead.get(v, v) for v in eq.inputs))
        return eq

    def append(self, eq: Equation) -> None:
        """Write an equation down as it is."""
        self.equations.append(eq)
        if len(eq.outputs) == 1:
            self.maker[eq.outputs[0]] = eq

    def replace(self, old: Var, new: Var) -> None:
        """From here on ``new`` is read where ``old`` was."""
        self.instead[old] = new
        self.changed = True

    def hold(self, v: Var, array: Array) -> None:
        """Make a variable a literal."""
        self.captured[v] = self.literals[v] = array
        self.changed = True

    def fresh(self, kind: TensorType) -> Var:
        """A variable with a name that the graph does not have."""
        if self._names is None:
            g = self.graph
            self._names = {v.name for v in (*g.inputs, *g.captured)}
            self._names.update(v.name for eq in g.equations for v in eq.outputs)
        while (name := f"s{self._count}") in self._names:
            self._count += 1
        self._names.add(name)
        return Var(name, kind)

    def literal(self, array: Array) -> Var:
        """A new literal."""
        v = self.fresh(TensorType(array.shape, dtype_of(array.dtype)))
        self.hold(v, array)
        return v

    def made_by(self, v: Var, op: type[Op]) -> Equation | None:
        """The equation that makes ``v``, if it is of that op."""
        eq = self.maker.get(v)
        return eq if eq is not None and eq.op is op else None

    def repeated(self, v: Var) -> Array | None:
        """The literal number that every element of ``v`` is, as an array without dimensions; None if there is none."""
        eq = self.maker.get(v)
        if eq is not None:
            if eq.op is not Broadcast:
                return None
            v = eq.inputs[0]
        array = self.literals.get(v)
        if array is None:
            return None
        if array.size == 1:
            return array.reshape(())
        if v not in self._repeated:
            found = None
            if 1 < array.size <= SMALL:
                first = array.reshape(-1)[0]
                if (
                    array.tobytes() == first.tobytes() * array.size
                ):  # bytes: 0.0 is not -0.0, and NaN is itself
                    found = np.array(first)
            self._repeated[v] = found
        return self._repeated[v]

    def finished(self) -> Graph:
        """The new graph; the old one itself where nothing changed."""
        old = self.graph
        if not self.changed:
            return old
        instead = self.instead
        new = Graph(old.inputs, self.captured, self.equations, [instead.get(v, v) for v in old.outputs])
        new.sources = dict(old.sources)
        new.states = [(kind, t, instead.get(v, v)) for kind, t, v in old.states]
        return new


def single(v: Var) -> bool:
    """True for one element."""
    return size(v.type.shape) == 1
