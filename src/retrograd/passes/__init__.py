"""Passes: pure functions from a graph to a graph that computes the same, bit for bit.

They read their argument and write a new graph (or hand the same one back where there is nothing to do).  Inputs and
outputs, the state that a graph reads and changes, and the source line and layer of each equation are kept; so are the values
of `recorded`, but a derivative is to be taken before: what is merged or dropped keeps the value, and not always the mark of
what `no_grad` had cut off.
"""

from __future__ import annotations

from ..graph import Graph
from .cse import cse
from .dce import dce
from .fold import fold
from .simplify import simplify

ROUNDS = 8


def standard(graph: Graph) -> Graph:
    """All passes, again and again until none finds anything: two or three rounds in practice."""
    for _ in range(ROUNDS):
        before = graph
        for change in (fold, simplify, cse, dce):
            graph = change(graph)
        if graph is before:
            break
    return graph


__all__ = ["cse", "dce", "fold", "simplify", "standard"]
