"""Kernels of one expression: arrays in, registers, an array out, with whole vectors first and a masked tail."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.lower.native import jit
from retrograd.lower.native.emit import Value, vector
from retrograd.lower.native.expressions import EXPRESSIONS
from retrograd.lower.native.kernel import Kernel, KernelFunction
from retrograd.lower.native.level import Level, current
from retrograd.lower.native.scalars import in_memory, read, write
from retrograd.op import Op
from retrograd.types import DType, TensorType, dtype_of

Array = np.ndarray[Any, Any]
Body = Callable[..., Value]
"""``(f, *values) -> Value``"""

CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_addresses: dict[Any, int] = {}


def kernel(title: str, body: Body, given: tuple[DType, ...], result: DType, lanes: int) -> Kernel:
    """Words: the number of elements, the result's address, those of the inputs."""
    f = KernelFunction(title)
    n = f.word(0)
    out, *pointers = (f.pointer(k + 1) for k in range(len(given) + 1))

    def step(at: Value, mask: Value | None) -> None:
        values = [
            read(f, f.element(p, at, in_memory(dtype)), dtype, lanes, mask)
            for p, dtype in zip(pointers, given, strict=True)
        ]
        write(f, body(f, *values), f.element(out, at, in_memory(result)), result, mask)

    whole = f.mul(f.div(n, lanes), lanes)
    with f.loop(0, whole, lanes) as at:
        step(at, None)
    if lanes > 1:
        rest = f.sub(n, whole)
        kind = vector("i64", lanes)
        with f.when(f.compare("gt", rest, 0)):
            step(whole, f.compare("lt", f.iota(kind), f.like(rest, kind)))
    return f.finish()


def apply(
    body: Body,
    *arrays: Array,
    lanes: int = 0,
    result: DType | None = None,
    level: Level | None = None,
    key: Any = None,
) -> Array:
    """``body`` on every element; ``lanes`` 0: as many as fill a register."""
    level = level or current()
    given = tuple(dtype_of(a.dtype) for a in arrays)
    result = result or given[0]
    lanes = lanes or level.lanes({"float32": "float"}.get(given[0].name, "double"))
    name = key or body
    place = (name, given, result, lanes, level.name)
    if place not in _addresses:
        made = kernel(str(name), body, given, result, lanes)
        _addresses[place] = jit.compile_kernels([made], level)[made.symbol]
    flat = [np.ascontiguousarray(a).reshape(-1) for a in arrays]
    out = np.empty(flat[0].shape, result.numpy)
    words = np.array([out.size, out.ctypes.data, *(a.ctypes.data for a in flat)], np.int64)
    CALL(_addresses[place])(words.ctypes.data, 0, 1)
    return out.reshape(arrays[0].shape)


def body_of(
    op: type[Op], arrays: list[Array], params: dict[str, Any]
) -> tuple[Body, tuple[DType, ...], DType]:
    """The op's expression for such inputs, their types, and that of the result."""
    given = tuple(dtype_of(a.dtype) for a in arrays)
    result = op.type(*(TensorType(a.shape, d) for a, d in zip(arrays, given, strict=True)), **params).dtype

    def body(f: Any, *values: Value) -> Value:
        return EXPRESSIONS[op.name](f, given, result, params, *values)

    return body, given, result


def run_op(
    op: type[Op], arrays: list[Array], params: dict[str, Any], lanes: int, level: Level | None = None
) -> Array:
    """The op's expression on every element."""
    body, _, result = body_of(op, arrays, params)
    key = (op.name, tuple(sorted((k, repr(v)) for k, v in params.items())))
    return apply(body, *arrays, lanes=lanes, result=result, level=level, key=key)


def kernel_of(op: type[Op], arrays: list[Array], params: dict[str, Any], lanes: int) -> Kernel:
    """A kernel of nothing but that op."""
    body, given, result = body_of(op, arrays, params)
    return kernel(op.name, body, given, result, lanes)


def units(y: Array, exact: Array) -> Array:
    """|y - exact| in units of the last place of y's dtype; ``exact`` has a wider dtype.  0 where both are NaN, or both are
    the same infinity after rounding; infinite where only one is."""
    digits, least = (24, -149) if y.dtype == np.float32 else (53, -1074)
    with np.errstate(all="ignore"):
        unit = np.ldexp(exact.dtype.type(1), np.maximum(np.frexp(np.abs(exact))[1] - digits, least))
        off = np.abs(y.astype(exact.dtype) - exact) / unit
        rounded = exact.astype(y.dtype)
    agree = (y == rounded) | (np.isnan(y) & np.isnan(rounded))
    off = np.where(agree & ~np.isfinite(rounded), 0, off)
    return np.where(np.isnan(off), np.inf, off)
