"""Dead code: what neither an output nor a new state reads is not computed, and constants that nothing reads are dropped."""

from __future__ import annotations

from ..graph import Equation, Graph, Var


def dce(graph: Graph) -> Graph:
    """The graph without the equations and constants that nothing reads; all inputs stay."""
    needed: set[Var] = {*graph.outputs, *(v for _, _, v in graph.states)}
    kept: list[Equation] = []
    for eq in reversed(graph.equations):
        if not needed.isdisjoint(eq.outputs):
            needed.update(eq.inputs)
            kept.append(eq)
    captured = {v: a for v, a in graph.captured.items() if v in needed}
    if len(kept) == len(graph.equations) and len(captured) == len(graph.captured):
        return graph
    new = Graph(graph.inputs, captured, kept[::-1], graph.outputs)
    new.sources = {v: t for v, t in graph.sources.items() if v in captured}
    new.states = list(graph.states)
    return new
