"""Folding: what depends on the numbers of the program alone is computed once, before the program runs.

A number repeated over a shape stays an equation (`Broadcast` of one element), because a kernel reads it as a scalar; what is
computed from such ones is computed for one element and repeated again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import RetrogradError
from ..graph import Equation, Graph, Var
from ..op import Array, registry
from ..ops import random
from ..ops._family import Elementwise
from ..ops.control import Detach
from ..ops.logic import Cast, Where
from ..ops.shape import Broadcast, broadcast_array
from ..types import size
from ._draft import SMALL, Draft

RANDOM = frozenset(op for op in registry.values() if op.__module__ == random.__name__)
MOST_READ = 16 * SMALL
"""Largest number of elements that are read to compute a small result."""


def fold(graph: Graph) -> Graph:
    """The graph with everything computed that is small and depends on literals alone; never a random op."""
    draft = Draft(graph)
    literals = draft.literals
    spread: dict[Var, Array] = {}  # results of broadcasts of literals, as views: they stay equations
    for eq in graph.equations:
        eq = draft.reading(eq)
        if all(v in literals or v in spread for v in eq.inputs) and _foldable(eq):
            given = [spread[v] if v in spread else literals[v] for v in eq.inputs]
            if eq.op is Broadcast and size(eq.params["shape"]) != given[0].size:
                spread[eq.outputs[0]] = broadcast_array(given[0], tuple(eq.params["shape"]))
            elif _fold(draft, eq, given, spread):
                continue
        draft.append(eq)
    return draft.finished()


def _foldable(eq: Equation) -> bool:
    op = eq.op
    return bool(eq.inputs) and registry.get(op.name) is op and op not in RANDOM and not op.eager_only


def elementwise(eq: Equation) -> bool:
    """True if each element of the result depends on the same element of the inputs."""
    return issubclass(eq.op, Elementwise) or eq.op in (Where, Cast, Detach)


def _fold(draft: Draft, eq: Equation, given: list[Array], spread: dict[Var, Array]) -> bool:
    """Replace an equation by its value; False if that is large, or refused."""
    n = size(eq.outputs[0].type.shape)
    if n > 1 and len(eq.outputs) == 1 and elementwise(eq):
        numbers = [draft.repeated(v) for v in eq.inputs]
        if all(x is not None for x in numbers):
            # two elements in one place: the same loop of NumPy as for any number of repeated ones
            values = _values(eq, [broadcast_array(x, (2,)) for x in numbers if x is not None])
            if values is None:
                return False
            _repeat(draft, eq, values[0][0], spread)
            return True
    if sum(a.size for a in given) > MOST_READ or any(size(v.type.shape) > SMALL for v in eq.outputs):
        return False
    # in memory as a program has them: the order of a sum depends on that
    values = _values(eq, [np.array(a, order="C") for a in given])
    if values is None:
        return False
    if len(values) == 1 and n > 1 and any(v in spread for v in eq.inputs):
        flat = values[0].reshape(-1)
        if values[0].tobytes() == flat[0].tobytes() * n:
            _repeat(draft, eq, flat[0], spread)
            return True
    for v, value in zip(eq.outputs, values, strict=True):
        draft.hold(v, np.array(value, order="C"))
    return True


def _values(eq: Equation, given: list[Array]) -> list[Array] | None:
    """What the op gives; None where it refuses these values (the program shall say so when it runs), or has no right answer."""
    op = eq.op
    if op is Cast and not _castable(given[0], eq.outputs[0].type.dtype.numpy):
        return None
    try:
        with np.errstate(all="ignore"):
            values = registry[op.name].eval(*given, **eq.params)
    except (RetrogradError, ArithmeticError, ValueError):
        return None
    return [np.asarray(x) for x in ((values,) if op.n_outputs == 1 else values)]


def _castable(x: Array, to: np.dtype[Any]) -> bool:
    """True if each number has its place among the whole ones; where not, the answer is the machine's."""
    if x.dtype.kind != "f" or to.kind not in "iu":
        return True
    least, most = np.iinfo(to).min, np.iinfo(to).max
    return bool(np.all((x >= least) & (x < most)))


def _repeat(draft: Draft, eq: Equation, number: Any, spread: dict[Var, Array]) -> None:
    """The result is one number everywhere: write it as that."""
    out = eq.outputs[0]
    held = np.array(number, out.type.dtype.numpy)
    v = draft.literal(held)
    draft.append(eq._replace(op=Broadcast, inputs=(v,), params={"shape": out.type.shape}))
    spread[out] = broadcast_array(held, out.type.shape)
