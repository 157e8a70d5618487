"""Functions that make tensors, with PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import DTypeError
from ..op import context, make_tensor
from ..types import DType, TensorType, dtype_of, get_default_dtype, int64, scalar_dtype
from ._arguments import shape_of

__all__ = [
    "arange", "as_tensor", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "linspace",
    "logspace", "ones", "ones_like", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def from_array(array: np.ndarray[Any, Any], requires_grad: bool = False) -> Any:
    """A tensor on the memory of ``array``."""
    out = make_tensor(array, TensorType(array.shape, dtype_of(array.dtype)))
    if context.tracer is not None:
        context.tracer.born(out)  # type: ignore[attr-defined]
    return out.requires_grad_() if requires_grad else out


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A new tensor with a copy of ``data`` (numbers, nested lists, arrays, tensors); floats become the default dtype

    >>> import retrograd as rg
    >>> rg.tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    check_device(device)
    return from_array(array_of(data, dtype, copy=True), requires_grad)


def array_of(data: Any, dtype: Any, copy: bool) -> np.ndarray[Any, Any]:
    wanted: DType | None = None if dtype is None else dtype_of(dtype)
    if hasattr(data, "_type"):
        data = data.numpy() if not data.requires_grad else data.detach().numpy()
    if isinstance(data, np.ndarray | np.generic):
        array = np.asarray(data)
        if (
            wanted is None
            and array.dtype.kind in "iu"
            and array.dtype.name not in ("uint8", "int32", "int64")
        ):
            wanted = int64
        if wanted is None:
            wanted = dtype_of(array.dtype)
        return (
            np.array(array, dtype=wanted.numpy, copy=True) if copy else np.asarray(array, dtype=wanted.numpy)
        )
    if isinstance(data, bool | int | float):
        return np.array(data, dtype=(wanted or scalar_dtype(data)).numpy)
    if isinstance(data, list | tuple) and any(hasattr(x, "_type") for x in data):
        data = [x.tolist() if hasattr(x, "_type") else x for x in data]
    try:
        array = np.array(data)
    except ValueError as error:
        raise DTypeError(
            f"cannot make a tensor of nested lists of unequal length: {error}", hint="pad the rows first"
        ) from None
    if array.dtype.kind not in "biuf":
        raise DTypeError(
            f"cannot make a tensor of {type(data).__name__} ({array.dtype})",
            hint="pass numbers or an array of numbers",
        )
    if wanted is None:
        kinds = {"f": get_default_dtype(), "i": int64, "u": int64, "b": dtype_of("bool")}
        wanted = get_default_dtype() if array.size == 0 else kinds[array.dtype.kind]
    return array.astype(wanted.numpy)


def as_tensor(data: Any, dtype: Any = None) -> Any:
    """``data`` as a tensor, sharing memory where it can"""
    if hasattr(data, "_type") and (dtype is None or data.dtype is dtype_of(dtype)):
        return data
    if hasattr(data, "_type"):
        return data.to(dtype)
    return from_array(array_of(data, dtype, copy=False))


def from_numpy(array: np.ndarray[Any, Any]) -> Any:
    """A tensor that shares the memory of a NumPy array"""
    if not isinstance(array, np.ndarray):
        raise DTypeError(
            f"from_numpy takes a NumPy array, got {type(array).__name__}", hint="use retrograd.tensor(...)"
        )
    return from_array(array)


def check_device(device: Any) -> None:
    """Only the CPU exists here."""
    if device is not None and str(device) not in ("cpu", "cpu:0"):
        raise DTypeError(
            f"device {str(device)!r} is not supported: Retrograd runs on the CPU", hint="use device='cpu'"
        )


def _floating(dtype: Any) -> DType:
    return get_default_dtype() if dtype is None else dtype_of(dtype)


def zeros(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Zeros of a shape"""
    check_device(device)
    return from_array(np.zeros(shape_of(size), _floating(dtype).numpy), requires_grad)


def ones(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """Ones of a shape"""
    check_device(device)
    return from_array(np.ones(shape_of(size), _floating(dtype).numpy), requires_grad)


def empty(*size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A tensor to be filled; it holds zeros, so that a forgotten fill is the same every time"""
    return zeros(*size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """One number in every place"""
    check_device(device)
    chosen = scalar_dtype(fill_value) if dtype is None else dtype_of(dtype)
    return from_array(np.full(shape_of((size,)), fill_value, chosen.numpy), requires_grad)


def zeros_like(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Zeros of the shape and dtype of ``input``"""
    return zeros(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def ones_like(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Ones of the shape and dtype of ``input``"""
    return ones(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad)


def empty_like(input: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """`empty` of the shape and dtype of ``input``"""
    return zeros_like(input, dtype=dtype, requires_grad=requires_grad)


def full_like(input: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """One number in every place of the shape of ``input``"""
    return full(input.shape, fill_value, dtype=dtype or input.dtype, requires_grad=requires_grad)


def arange(
    start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, requires_grad: bool = False
) -> Any:
    """start, start + step, ... below end"""
    if end is None:
        start, end = 0, start
    if dtype is None:
        dtype = get_default_dtype() if any(isinstance(v, float) for v in (start, end, step)) else int64
    count = max(0, math.ceil((end - start) / step))
    return from_array((start + step * np.arange(count)).astype(dtype_of(dtype).numpy), requires_grad)


def linspace(start: float, end: float, steps: int, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """``steps`` numbers from start to end, both included, evenly spaced"""
    return from_array(np.linspace(start, end, steps).astype(_floating(dtype).numpy), requires_grad)


def logspace(start: float, end: float, steps: int, base: float = 10.0, *, dtype: Any = None) -> Any:
    """base to the power of `linspace`"""
    return from_array(np.logspace(start, end, steps, base=base).astype(_floating(dtype).numpy))


def eye(n: int, m: int | None = None, *, dtype: Any = None, requires_grad: bool = False) -> Any:
    """Ones on the diagonal, zeros elsewhere"""
    return from_array(np.eye(n, m, dtype=_floating(dtype).numpy), requires_grad)
