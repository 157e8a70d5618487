"""One op, or a graph, by native code and by NumPy: how the two are run, and when they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.graph import Equation, Graph, Var
from retrograd.lower.native import level
from retrograd.lower.native.executor import Native
from retrograd.op import Op, registry, type_of
from retrograd.types import TensorType, dtype_of

Array = np.ndarray[Any, Any]

FLOAT64 = 1e-12
FLOAT32: dict[str, float] = {
    "add": 0, "sub": 0, "mul": 0, "div": 0, "sqrt": 0, "relu": 0, "masked_by": 0, "where": 0, "cast": 0,
    "neg": 0, "abs": 0, "sign": 0, "floor": 0, "ceil": 0, "round": 0, "trunc": 0, "maximum": 0, "minimum": 0,
    "remainder": 0, "floor_divide": 0, "next_after": 0, "exponent": 0, "side": 0,
    "broadcast": 0, "permute": 0, "slice": 0, "flip": 0, "strided": 0, "reshape": 0, "detach": 0,
    "cat": 0, "place": 0, "gather": 0, "index": 0, "sort": 0, "amax": 0, "amin": 0, "segment_max": 0,
    "uniform": 0, "cumsum": 0, "recurrence": 0,
    "sum": 2e-6, "prod": 1e-4, "matmul": 2e-6, "scatter_add": 2e-6, "index_add": 2e-6,
    "cholesky": 2e-5, "lu": 2e-5, "qr": 2e-5, "solve": 1e-4, "solve_triangular": 2e-5, "det": 2e-5,
    "slogdet": 2e-5, "eigh": 0, "svd": 0, "matrix_exp": 0, "pinv": 0, "poisson": 0, "binomial": 0,
}  # fmt: skip
"""By op: how far a float32 result may lie from NumPy's, relative to the larger of the number and, for sums, of the scale
of what is added; 0 is equal.  Of all others: `OTHERS`.  Products have up to 70,000 factors, in another order: the error grows
like the root of their number, and the order is the level's."""
OTHERS = 2e-6
SCALED = {"sum", "matmul", "scatter_add", "index_add", "cumsum", "recurrence", "cholesky", "lu", "qr", "solve",
          "solve_triangular", "det", "slogdet", "softmax", "log_softmax"}  # fmt: skip
"""Ops whose error is measured by the largest entry of inputs and results."""
EXACT64 = {name for name, bound in FLOAT32.items() if bound == 0}


def one(op: type[Op], inputs: Sequence[Array], params: dict[str, Any]) -> Graph:
    """The graph of one op."""
    given = [Var(f"x{k}", TensorType(a.shape, dtype_of(a.dtype))) for k, a in enumerate(inputs)]
    outs = [Var(f"y{k}", t) for k, t in enumerate(type_of(op, [v.type for v in given], params))]
    return Graph(given, {}, [Equation(op, tuple(given), params, tuple(outs))], outs)


def seen_through(op: type[Op], inputs: Sequence[Array], params: dict[str, Any]) -> tuple[Graph, list[Array]]:
    """One op of views: each input is every second entry, from the second one on, of a transposed larger array."""
    wide = []
    given, between, equations = [], [], []
    for k, a in enumerate(inputs):
        order = tuple(reversed(range(a.ndim)))
        shape = tuple(2 * a.shape[d] + 1 for d in order)
        big = np.zeros(shape, a.dtype)
        big[tuple(slice(1, 2 * a.shape[d] + 1, 2) for d in order)] = a.transpose(order)
        wide.append(big)
        v = Var(f"x{k}", TensorType(shape, dtype_of(a.dtype)))
        turned = Var(f"t{k}", TensorType(tuple(2 * n + 1 for n in a.shape), v.type.dtype))
        cut = Var(f"c{k}", TensorType(a.shape, v.type.dtype))
        equations.append(Equation(registry["permute"], (v,), {"dims": order}, (turned,)))
        index = tuple((1, 2 * n + 1, 2) if n else (1, 1, 2) for n in a.shape)
        equations.append(Equation(registry["slice"], (turned,), {"index": index}, (cut,)))
        given.append(v)
        between.append(cut)
    outs = [Var(f"y{k}", t) for k, t in enumerate(type_of(op, [v.type for v in between], params))]
    return Graph(given, {}, [*equations, Equation(op, tuple(between), params, tuple(outs))], outs), wide


def native(graph: Graph, inputs: Sequence[Array]) -> tuple[list[Array], Native]:
    """Results of native code."""
    executor = Native(graph, level.current())
    executor.bind({}, {})
    return executor.run(list(inputs)), executor


def of_states(graph: Graph, arrays: Sequence[Array]) -> list[Array]:
    """Results of native code where the inputs are states that lie where they lie."""
    held = Graph([], dict(zip(graph.inputs, arrays, strict=True)), graph.equations, graph.outputs)
    executor = Native(held, level.current())
    executor.bind(dict(zip(graph.inputs, arrays, strict=True)), {})
    return executor.run([])


def odd_memory(a: Array, how: str) -> Array:
    """The same array, lying otherwise: "transposed", "stepped" or "unaligned"."""
    if how == "transposed":
        return np.array(a.T, order="C").T
    if how == "stepped":
        big = np.zeros(tuple(2 * n + 1 for n in a.shape), a.dtype)
        view = big[(*(slice(1, 2 * n + 1, 2) for n in a.shape), ...)]
        view[...] = a
        return view
    raw = np.zeros(a.nbytes + 1, np.uint8)[1:]
    view = raw.view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def disagreement(op: str, got: Sequence[Array], want: Sequence[Array], inputs: Sequence[Array]) -> str:
    """Where native code is too far from NumPy, in words; empty if it is not."""
    for k, (a, b) in enumerate(zip(got, want, strict=True)):
        b = np.asarray(b)
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"result {k}: {a.dtype}{list(a.shape)}, expected {b.dtype}{list(b.shape)}"
        if a.dtype.kind != "f":
            wrong = a != b
        else:
            bound = FLOAT32.get(op, OTHERS) if a.dtype == np.float32 else (0 if op in EXACT64 else FLOAT64)
            wrong = _apart(a, b, bound, _scale(op, inputs, b) if bound else 0.0)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0])
            return f"result {k} at {at}: {a[at]!r}, expected {b[at]!r} ({int(wrong.sum())} of {a.size})"
    return ""


def _apart(a: Array, b: Array, bound: float, scale: float) -> Array:
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        x, y = a.astype(np.float64), b.astype(np.float64)
        return ~(same | (np.abs(x - y) <= bound * np.maximum(np.abs(y), scale)))


def _scale(op: str, inputs: Sequence[Array], want: Array) -> float:
    if op not in SCALED:
        return 0.0
    numbers = [np.abs(x[np.isfinite(x)]).max(initial=0.0) for x in (*inputs, want) if x.dtype.kind == "f"]
    return float(max(numbers, default=0.0)) * (4.0 if op != "softmax" else 1.0)
