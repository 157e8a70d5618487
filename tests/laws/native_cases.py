"""Inputs on which native code is held against NumPy: every sample of every op, and what is made from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from laws.basis import samples
from retrograd.op import Array, Op, Sample, type_of
from retrograd.ops._family import Elementwise, Unary
from retrograd.ops.reduce import AlongDim, Arg, Reduction
from retrograd.ops.scan import RunningArg
from retrograd.types import TensorType, dtype_of

DTYPES = ("float32", "float64", "int64", "int32", "uint8", "bool")
FLOATS = ("float32", "float64")
SHAPES = ((), (1,), (0,), (17,), (33,), (130,), (3, 17), (2, 0, 3), (5, 1, 9))
WIDE = ((17,), (130,), (33, 17), (3, 130), (2, 5, 7), (1, 33), (40, 1), (9, 20, 3))
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0)


def drawn(
    r: np.random.Generator, shape: tuple[int, ...], dtype: str, low: float = -3, high: float = 3
) -> Array:
    """Numbers of any dtype; whole ones are small, so that some are equal."""
    if dtype == "bool":
        return r.integers(0, 2, shape).astype(bool)
    if dtype in FLOATS:
        return r.uniform(low, high, shape).astype(dtype)
    return r.integers(0 if dtype == "uint8" else -5, 6, shape).astype(dtype)


def with_special(a: Array, r: np.random.Generator) -> Array:
    """With NaN, infinities and zeros of both signs at some places."""
    out = a.copy()
    if a.dtype.kind == "f" and a.size:
        places = r.integers(0, a.size, min(a.size, len(SPECIAL)))
        out.reshape(-1)[places] = SPECIAL[: len(places)]
    return out


def taken(op: type[Op], inputs: list[Array], params: dict[str, Any]) -> bool:
    """Does the op take these?  A refusal by `eval` of certain values is no answer for native code either."""
    try:
        type_of(op, [TensorType(a.shape, dtype_of(a.dtype)) for a in inputs], params)
        with np.errstate(all="ignore"):
            op.eval(*(a.copy() for a in inputs), **params)
    except Exception:
        return False
    return True


def cases(op: type[Op]) -> Iterator[Sample]:
    """Every sample, then the generated ones that the op takes."""
    found = samples(op)
    yield from found
    r = np.random.default_rng(7)
    for inputs, params in _generated(op, found, r):
        if taken(op, inputs, params):
            yield Sample(*inputs, **params)


def _generated(
    op: type[Op], found: list[Sample], r: np.random.Generator
) -> Iterator[tuple[list[Array], Any]]:
    if issubclass(op, Elementwise) or op.name in ("where", "cast"):
        yield from _elementwise(op, found, r)
    elif issubclass(op, Reduction):
        yield from _folded(r)
    elif issubclass(op, AlongDim | Arg | RunningArg) or op.name in ("sort", "recurrence"):
        yield from _along(op, found, r)
    else:
        yield from OTHERS.get(op.name, lambda r: iter(()))(r)
    for sample in found:  # the same in every dtype that is taken
        for dtype in DTYPES:
            floating = [a.dtype.kind == "f" for a in sample.inputs]
            if any(floating):
                with np.errstate(all="ignore"):
                    pairs = zip(sample.inputs, floating, strict=True)
                    inputs = [a.astype(dtype) if f else a for a, f in pairs]
                yield inputs, sample.params


def _elementwise(op: type[Op], found: list[Sample], r: np.random.Generator) -> Iterator[Any]:
    params = found[0].params
    count = len(found[0].inputs)
    low, high = getattr(op, "domain", (-2, 2)) if issubclass(op, Unary) else (-2, 2)
    bounds = getattr(op, "domains", ((low, high),) * count)
    for dtype in DTYPES:
        for shape in SHAPES:
            ranges = bounds if len(bounds) == count else ((low, high),) * count
            inputs = [drawn(r, shape, dtype, a, b) for a, b in ranges]
            if op.name == "where":
                inputs[0] = drawn(r, shape, "bool")
            yield inputs, params
            if dtype in FLOATS and shape == (33,):
                yield [with_special(a, r) if a.dtype.kind == "f" else a for a in inputs], params
    if op.name == "cast":
        for to in DTYPES:
            for dtype in DTYPES:
                yield [drawn(r, (33,), dtype, 0, 9)], {"dtype": dtype_of(np.dtype(to))}


def _folded(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        for shape in (*WIDE, (0, 3), (3, 0), (70000,), (300, 300), (9000, 5)):
            for dims in _dims(len(shape)):
                a = drawn(r, shape, dtype, 0.97, 1.03)
                yield [a], {"dim": dims, "keepdim": len(shape) == 2}
        yield [with_special(drawn(r, (9, 40), dtype), r)], {"dim": (1,), "keepdim": False}
        yield [with_special(drawn(r, (9, 40), dtype), r)], {"dim": (0,), "keepdim": False}
        yield [np.full((5,), -0.0).astype(dtype)], {"dim": (0,), "keepdim": False}
        yield [drawn(r, (3, 4), dtype)], {"dim": (), "keepdim": False}


def _dims(n: int) -> list[tuple[int, ...]]:
    return [d for k in range(1, 2**n) if (d := tuple(i for i in range(n) if k >> i & 1))]


def _along(op: type[Op], found: list[Sample], r: np.random.Generator) -> Iterator[Any]:
    rest = [{k: v for k, v in s.params.items() if k != "dim"} for s in found]
    rest = [p for k, p in enumerate(rest) if p not in rest[:k]]
    count = len(found[0].inputs)
    for dtype in DTYPES:
        for shape in WIDE:
            for dim in range(len(shape)):
                for params in rest:
                    yield [drawn(r, shape, dtype, -1, 1) for _ in range(count)], {**params, "dim": dim}
        for dim in (0, 1):
            for params in rest:
                a = [with_special(drawn(r, (20, 30), dtype), r) for _ in range(count)]
                yield a, {**params, "dim": dim}


def _gathers(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        yield [drawn(r, (33, 17), dtype), r.integers(0, 33, (50, 17))], {"dim": 0}
        yield [drawn(r, (5, 33, 17), dtype), r.integers(0, 33, (4, 40, 9))], {"dim": 1}
        yield [drawn(r, (5, 130), dtype), r.integers(0, 130, (3, 17))], {"dim": 1}
        yield [drawn(r, (5, 3), dtype), r.integers(0, 3, (0, 17))], {"dim": 1}


def _scatters(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        for x, to, dim in (
            ((50, 17), (33, 17), 0),
            ((4, 40, 9), (5, 33, 17), 1),
            ((3, 17), (5, 130), 1),
            ((0, 2), (3, 2), 0),
        ):
            yield [drawn(r, x, dtype), r.integers(0, to[dim], x)], {"shape": to, "dim": dim}
        yield [np.ones((200,), dtype), np.zeros(200, np.int64)], {"shape": (2,), "dim": 0}


def _indexed(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        yield [drawn(r, (130, 33), dtype), r.integers(0, 130, (17, 3))], {}
        yield [drawn(r, (17,), dtype), r.integers(0, 17, (33,))], {}
        yield [drawn(r, (9, 7, 5), dtype), r.integers(0, 9, (33,)), r.integers(0, 7, (33,))], {}
        yield [drawn(r, (4, 3, 2), dtype), *(r.integers(0, 2, (2, 3)) for _ in range(3))], {}
        yield [drawn(r, (4, 3), dtype), np.zeros((0,), np.int64)], {}


def _added(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        yield [drawn(r, (130, 33), dtype), r.integers(0, 9, (130,))], {"shape": (9, 33)}
        yield [drawn(r, (33,), dtype), r.integers(0, 17, (33,))], {"shape": (17,)}
        yield (
            [drawn(r, (33, 5), dtype), r.integers(0, 9, (33,)), r.integers(0, 7, (33,))],
            {"shape": (9, 7, 5)},
        )
        yield [drawn(r, (0, 5), dtype), np.zeros((0,), np.int64)], {"shape": (9, 5)}


def _segments(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        a = drawn(r, (130,), dtype)
        yield [a, r.integers(0, 40, 130)], {"size": 41}
        yield [with_special(a, r), r.integers(0, 40, 130)], {"size": 41}


def _cats(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        yield [drawn(r, (3, n), dtype) for n in (17, 0, 33, 1)], {"dim": 1}
        yield [drawn(r, (n, 5, 7), dtype) for n in (2, 9)], {"dim": 0}
        yield [drawn(r, (2, n, 7), dtype) for n in (2, 9)], {"dim": 1}


def _places(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        yield [drawn(r, (17,), dtype)], {"shape": (40,), "index": ((3, 37, 2),)}
        yield [drawn(r, (5, 17), dtype)], {"shape": (9, 130), "index": ((2, 7, 1), (100, 117, 1))}
        yield [drawn(r, (3, 2, 4), dtype)], {"shape": (3, 5, 4), "index": ((0, 3, 1), (1, 5, 3), (0, 4, 1))}
        yield [drawn(r, (0, 4), dtype)], {"shape": (3, 4), "index": ((1, 1, 1), (0, 4, 1))}


def _uniforms(r: np.random.Generator) -> Iterator[Any]:
    for dtype in (dtype_of(np.dtype(d)) for d in FLOATS):
        for state in ([1, -3], [-5, 2**62], [2**63 - 1, 2**63 - 1], [0, -(2**63)], [9, 4]):
            for shape in ((17,), (130, 33), (8,), (1,), (4096 * 5 + 3,)):
                yield [np.array(state)], {"shape": shape, "dtype": dtype}
        yield [r.integers(0, 99, (3, 2, 2))], {"shape": (5, 3), "dtype": dtype}


def _searched(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        for n, m in ((17, 33), (130, 17), (1, 5), (0, 3), (64, 64)):
            s = np.sort(with_special(drawn(r, (3, n), dtype), r))
            for right in (False, True):
                yield [s, with_special(drawn(r, (3, m), dtype), r)], {"right": right}


def _products(r: np.random.Generator) -> Iterator[Any]:
    for dtype in DTYPES:
        for m, k, n in ((17, 33, 9), (1, 130, 1), (33, 1, 17), (2, 0, 3)):
            yield [drawn(r, (m, k), dtype), drawn(r, (k, n), dtype)], {"ta": False, "tb": False}
            yield [drawn(r, (3, k, m), dtype), drawn(r, (3, n, k), dtype)], {"ta": True, "tb": True}


def _good(r: np.random.Generator, *shape: int) -> Array:
    return r.uniform(-0.5, 0.5, shape) + 0.5 * shape[-1] * np.eye(*shape[-2:])


def _definite(r: np.random.Generator) -> Iterator[Any]:
    for n in (1, 17, 33, 65):
        a = _good(r, 2, n, n)
        for dtype in FLOATS:
            yield [(a @ a.swapaxes(1, 2)).astype(dtype)], {"check": n == 17}
    bad = np.stack([np.eye(5), np.diag([1.0, 1, 1, -1, 1]), np.diag([0.0, 1, 1, 1, 1])])
    yield [bad], {"check": False}


def _square(r: np.random.Generator) -> Iterator[Any]:
    for n in (1, 2, 17, 33, 65):
        for dtype in FLOATS:
            yield [_good(r, 2, n, n)[:, ::-1].astype(dtype)], {}
    yield [np.zeros((3, 3))], {}


def _factored(r: np.random.Generator) -> Iterator[Any]:
    yield from _square(r)
    for shape in ((17, 33), (33, 17), (2, 1, 5), (5, 1)):
        yield [_good(r, *shape)], {}


def _orthogonal(r: np.random.Generator) -> Iterator[Any]:
    for complete in (False, True):
        for shape in ((17, 17), (33, 9), (9, 33), (2, 1, 5), (5, 1), (2, 40, 33)):
            for dtype in FLOATS:
                yield [_good(r, *shape).astype(dtype)], {"complete": complete}


def _systems(r: np.random.Generator) -> Iterator[Any]:
    for ta in (False, True):
        for n, k in ((1, 1), (17, 1), (33, 17), (65, 3), (5, 0)):
            for dtype in FLOATS:
                yield (
                    [_good(r, 2, n, n).astype(dtype), drawn(r, (2, n, k), dtype)],
                    {"ta": ta, "check": n == 17},
                )
    yield [np.stack([np.zeros((3, 3)), np.eye(3)]), np.ones((2, 3, 1))], {"ta": False, "check": False}


def _triangular(r: np.random.Generator) -> Iterator[Any]:
    for case in range(8):
        flags = {"upper": bool(case & 1), "trans": bool(case & 2), "unit": bool(case & 4)}
        for n, k in ((1, 1), (17, 1), (33, 17), (65, 40), (5, 0)):
            for dtype in FLOATS:
                a = (_good(r, 2, n, n) / (n if flags["unit"] else 1)).astype(dtype)
                yield [a, drawn(r, (2, n, k), dtype)], flags


def _orders(r: np.random.Generator) -> Iterator[Any]:
    yield [r.integers(1, 18, (3, 17)).astype("int32")], {"size": 17}
    yield [np.zeros((2, 0), "int32")], {"size": 3}


OTHERS: dict[str, Any] = {
    "gather": _gathers, "scatter_add": _scatters, "index": _indexed, "index_add": _added, "segment_max": _segments,
    "cat": _cats, "place": _places, "uniform": _uniforms, "search_sorted": _searched, "matmul": _products,
    "cholesky": _definite, "det": _square, "slogdet": _square, "lu": _factored, "qr": _orthogonal, "solve": _systems,
    "solve_triangular": _triangular, "row_order": _orders,
}  # fmt: skip
