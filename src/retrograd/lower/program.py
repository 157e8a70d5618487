"""A graph bound to the tensors that it reads and changes: what a compiled function calls."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, is_
from typing import Any, Protocol

import numpy as np

from ..capture import play
from ..graph import Graph, Var
from ..op import Array, make_tensor
from ..passes import standard
from ..tensor import Tensor
from .reference import Reference

_value = attrgetter("_value")


class Executor(Protocol):
    """What computes a graph.

    ``bind`` gets the memory of the variables that stand for state, and of the results of state, by variable; two variables
    with the same memory are the old and the new value of one state.  ``run`` gets the inputs, writes the state, and returns
    fresh arrays.
    """

    def bind(self, state: dict[Var, Array], changed: dict[Var, list[Array]]) -> None: ...

    def run(self, inputs: Sequence[Array]) -> list[Array]: ...

    def plan(self) -> str: ...

    def texts(self) -> dict[str, str]: ...


class Program:
    """A graph, its state, and the executor that computes it; a call does what the traced function did."""

    def __init__(
        self,
        graph: Graph,
        slots: Sequence[tuple[Tensor, Tensor | None]],
        cleared: Sequence[Tensor],
        events: Sequence[tuple[str, Any, Any]],
        kept: dict[int, tuple[Tensor, Tensor]],
        executor: Executor,
    ) -> None:
        self.graph = graph
        self._events = list(events)
        self._cleared = list(cleared)
        self._executor = executor
        of_gradient = {id(before): t for t, before in slots if before is not None}
        self._cells: list[tuple[Var, Tensor]] = []
        self._slots: list[tuple[Var, Tensor]] = []
        for v, t in graph.sources.items():
            if v in graph.captured:
                owner = of_gradient.get(id(t))
                (self._cells if owner is None else self._slots).append((v, t if owner is None else owner))
        self._changed: list[tuple[Var, Tensor]] = []
        self._gradients: list[tuple[Var, Tensor, Tensor]] = []
        self._added: list[tuple[Var, Tensor]] = []
        taken: set[int] = set()
        in_slots = {id(t) for _, t in self._slots}
        for kind, t, v in graph.states:
            if kind == "value" and id(t._value) not in taken:
                taken.add(id(t._value))
                self._changed.append((v, t))
            elif kind == "grad" and id(t) in in_slots:
                self._added.append((v, t))
            elif kind == "grad":
                if id(t) not in kept:
                    kept[id(t)] = (t, make_tensor(np.zeros(t.shape, t.dtype.numpy), t._type))
                self._gradients.append((v, t, kept[id(t)][1]))
        self._tensors = [t for _, t in (*self._cells, *self._changed)]
        self._versions = [t._version for _, t in self._changed]
        self._bound: list[Array] | None = None

    def __call__(self, arrays: Sequence[Array]) -> list[Array]:
        play(self._events)
        if self._slots or self._bound is None:
            self._bind()
        outs = self._executor.run(arrays)
        self._leave()
        return outs

    def look(self) -> None:
        """Some tensor may have other memory now."""
        if self._bound is not None and not self._slots:
            self._bind()

    def _bind(self) -> None:
        """Tell the executor where the state lies, if that has changed."""
        now = list(map(_value, self._tensors))
        if self._slots or self._added:
            now += [t._gradient._value for _, t in (*self._slots, *self._added)]  # type: ignore[union-attr]
        if self._bound is not None and all(map(is_, now, self._bound)):
            return
        state = {v: t._value for v, t in self._cells}
        state |= {v: t._gradient._value for v, t in self._slots}  # type: ignore[union-attr]
        changed: dict[Var, list[Array]] = {}
        for v, t in self._changed:
            changed.setdefault(v, []).append(t._value)
        for v, t in self._added:
            changed.setdefault(v, []).append(t._gradient._value)  # type: ignore[union-attr]
        for v, _, g in self._gradients:
            changed.setdefault(v, []).append(g._value)
        self._executor.bind(state, changed)
        self._bound = now

    def _leave(self) -> None:
        for version in self._versions:
            version[0] += 1
        for _, t, g in self._gradients:
            t._gradient = g
        for t in self._cleared:
            t._gradient = None

    def plan(self) -> str:
        """What the program consists of, as text."""
        return self._executor.plan()

    def texts(self) -> dict[str, str]:
        """What the executor made of the graph, by stage."""
        return self._executor.texts()


def make_program(
    traced: Graph,
    slots: Sequence[tuple[Tensor, Tensor | None]],
    cleared: Sequence[Tensor],
    events: Sequence[tuple[str, Any, Any]],
    kept: dict[int, tuple[Tensor, Tensor]],
    backend: str | None,
) -> Program:
    """The program of a traced graph, with the best executor that there is, or the one asked for."""
    graph = standard(traced)
    return Program(graph, slots, cleared, events, kept, executor_for(graph, backend))


def executor_for(graph: Graph, backend: str | None) -> Executor:
    """The executor named ``backend``; None: native where LLVM is installed, else the reference."""
    if backend == "reference":
        return Reference(graph)
    from .native.executor import native_executor

    return native_executor(graph, backend == "native", Reference)
