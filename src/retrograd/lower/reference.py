"""The executor without machine code: each op's `eval`, one after the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph import Graph, Var
from ..op import Array


class Reference:
    """Computes a graph with NumPy: slow, and right by definition."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._state: dict[Var, Array] = {}
        self._changed: list[tuple[Var, Array]] = []
        last = {v: k for k, eq in enumerate(graph.equations) for v in eq.inputs}
        needed = {*graph.outputs, *(v for _, _, v in graph.states)}
        self._free: list[list[Var]] = [[] for _ in graph.equations]
        for v, k in last.items():
            if v not in needed:
                self._free[k].append(v)

    def bind(self, state: dict[Var, Array], changed: dict[Var, list[Array]]) -> None:
        self._state = {**self._graph.captured, **state}
        self._changed = [(v, to) for v, arrays in changed.items() for to in arrays]

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        env = {**self._state, **dict(zip(self._graph.inputs, inputs, strict=True))}
        with np.errstate(all="ignore"):
            for eq, free in zip(self._graph.equations, self._free, strict=True):
                values = eq.op.eval(*(env[v] for v in eq.inputs), **eq.params)
                for v, value in zip(eq.outputs, (values,) if eq.op.n_outputs == 1 else values, strict=True):
                    env[v] = np.asarray(value)
                for v in free:
                    env.pop(v, None)
        outs = [np.array(env[v]) for v in self._graph.outputs]
        held = {id(array) for array in (*self._state.values(), *inputs)}
        new = []  # a result that looks into memory that is written below is copied first
        for v, to in self._changed:
            value = env[v]
            new.append((to, np.array(value) if value.base is not None or id(value) in held else value))
        for to, value in new:
            np.copyto(to, value)
        return outs

    def plan(self) -> str:
        return f"reference: {len(self._graph.equations)} ops, each by NumPy"

    def texts(self) -> dict[str, str]:
        return {}
