"""Functions that make tensors, with PyTorch's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..device import device as Device
from ..errors import DTypeError, ShapeError
from ..op import context, make_tensor
from ..types import (
    DType,
    Shape,
    TensorType,
    bool_,
    dtype_of,
    get_default_dtype,
    int64,
    promote,
    scalar_dtype,
    uint8,
)
from ._arguments import require_tensor
from .shape import given, integer

__all__ = [
    "as_tensor", "asarray", "empty", "empty_like", "eye", "from_numpy", "full", "full_like", "ones",
    "ones_like", "scalar_tensor", "tensor", "zeros", "zeros_like",
]  # fmt: skip


def from_array(array: np.ndarray[Any, Any], requires_grad: bool = False) -> Any:
    """A tensor on the memory of ``array``."""
    out = make_tensor(array, TensorType(array.shape, dtype_of(array.dtype)))
    if context.tracer is not None:
        context.tracer.born(out)  # type: ignore[attr-defined]
    return out.requires_grad_() if requires_grad else out


def check_device(device: Any) -> None:
    """Only the CPU exists here."""
    if device is not None:
        Device(device)


def tensor(data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """A new tensor with a copy of ``data`` (numbers, nested lists, arrays, tensors); floats become the default dtype

    >>> import retrograd as rg
    >>> rg.tensor([[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 2)
    """
    check_device(device)
    return from_array(array_of(data, dtype, copy=True), requires_grad)


def _first_leaf_is_array(data: Any) -> bool:
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return isinstance(data, np.ndarray | np.generic)


def array_of(data: Any, dtype: Any, copy: bool) -> np.ndarray[Any, Any]:
    """The NumPy array of numbers, nested lists, an array or a tensor."""
    wanted: DType | None = None if dtype is None else dtype_of(dtype)
    if hasattr(data, "_type"):
        data = data.numpy() if not data.requires_grad else data.detach().numpy()
    if isinstance(data, np.ndarray | np.generic):
        return _of_array(np.asarray(data), wanted, copy)
    if isinstance(data, bool | int | float):
        return _number(data, wanted or scalar_dtype(data))
    if isinstance(data, list | tuple) and _holds_tensors(data):
        data, found = _untensored(data)
        wanted = wanted or found
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
    if wanted is None and _first_leaf_is_array(data) and array.size:
        return _of_array(array, None, copy)  # arrays in a list keep their dtype, as in PyTorch
    if wanted is None:
        kinds = {"f": get_default_dtype(), "i": int64, "u": int64, "b": bool_}
        wanted = get_default_dtype() if array.size == 0 else kinds[array.dtype.kind]
    _check_range(array, wanted)
    return array.astype(wanted.numpy)


def _of_array(array: np.ndarray[Any, Any], wanted: DType | None, copy: bool) -> np.ndarray[Any, Any]:
    if wanted is None:
        other = array.dtype.kind in "iu" and array.dtype.name not in ("uint8", "int32", "int64")
        wanted = int64 if other else dtype_of(array.dtype)
    return np.array(array, dtype=wanted.numpy, copy=True) if copy else np.asarray(array, dtype=wanted.numpy)


def _number(value: Any, dtype: DType, endless: bool = True) -> np.ndarray[Any, Any]:
    """One number as an array; ``endless``: a float that is too large becomes infinite.  Bytes count from 256 down."""
    try:
        if dtype is uint8 and isinstance(value, int) and -256 < value < 0:
            value += 256
        out = np.array(value, dtype=dtype.numpy)
        whole = dtype.category == 1 and isinstance(value, float | np.floating)
        if (whole and not np.iinfo(dtype.numpy).min <= value <= np.iinfo(dtype.numpy).max) or (
            not endless and np.isinf(out) and not np.isinf(value)
        ):
            raise OverflowError
        return out
    except (OverflowError, ValueError):
        raise DTypeError(f"{value} does not fit into {dtype!r}", hint="choose a wider dtype") from None


def _check_range(array: np.ndarray[Any, Any], dtype: DType) -> None:
    """Numbers in a list must fit; arrays are converted as NumPy does it."""
    if dtype.category == 1 and array.dtype.kind in "iuf" and array.size and array.dtype != dtype.numpy:
        limits = np.iinfo(dtype.numpy)
        low, high = array.min().item(), array.max().item()
        if (
            low != low
            or low < (limits.min or (-limits.max if array.dtype.kind == "i" else 0))
            or high > limits.max
        ):  # bytes count from 256 down, as in PyTorch
            raise DTypeError(
                f"{high if limits.min <= low else low} does not fit into {dtype!r}",
                hint="choose a wider dtype",
            )


def _holds_tensors(data: Any) -> bool:
    first = data
    while isinstance(first, list | tuple) and first:
        if any(hasattr(x, "_type") for x in first):
            return True
        first = first[0]
    return False


def _untensored(data: Any) -> tuple[Any, DType | None]:
    """Nested lists with tensors as plain lists, and the dtype of the tensors."""
    if hasattr(data, "_type"):
        return data.tolist(), data.dtype
    if isinstance(data, list | tuple):
        plain, dtypes = zip(*map(_untensored, data), strict=True) if data else ((), ())
        return list(plain), promote(*filter(None, dtypes)) if any(dtypes) else None
    return data, None


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """``data`` as a tensor, sharing memory where it can"""
    check_device(device)
    if hasattr(data, "_type"):
        return data if dtype is None or data.dtype is dtype_of(dtype) else data.to(dtype)
    return from_array(array_of(data, dtype, copy=False))


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Any:
    """``obj`` as a tensor; ``copy``: always (True), never (False), or where it must be (None)"""
    out = as_tensor(obj, dtype, device)
    shares = out is obj or (isinstance(obj, np.ndarray) and np.may_share_memory(out.numpy(), obj))
    if copy is False and not shares:
        raise DTypeError(f"asarray of {type(obj).__name__} must copy", hint="leave copy=False out")
    if copy and shares:
        out = out.clone()
    return out.requires_grad_() if requires_grad and not out.requires_grad else out


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Any:
    """A tensor that shares the memory of a NumPy array"""
    if not isinstance(ndarray, np.ndarray):
        raise DTypeError(
            f"from_numpy takes a NumPy array, got {type(ndarray).__name__}", hint="use retrograd.tensor(...)"
        )
    return from_array(ndarray)


def floating_or(dtype: Any) -> DType:
    """``dtype``, or the default for floating numbers."""
    return get_default_dtype() if dtype is None else dtype_of(dtype)


def shape_from(name: str, args: tuple[Any, ...], size: Any) -> Shape:
    """A shape given as ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``."""
    shape = given(args, size)
    if any(n < 0 for n in shape):
        raise ShapeError(f"{name} of shape {shape}", hint="sizes are at least 0")
    return shape


def zeros(
    *args: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Zeros of a shape"""
    check_device(device)
    return from_array(np.zeros(shape_from("zeros", args, size), floating_or(dtype).numpy), requires_grad)


def ones(
    *args: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Ones of a shape"""
    check_device(device)
    return from_array(np.ones(shape_from("ones", args, size), floating_or(dtype).numpy), requires_grad)


def empty(
    *args: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor to be filled; it holds zeros, so that a forgotten fill is the same every time"""
    return zeros(*args, size=size, dtype=dtype, device=device, requires_grad=requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """One number in every place"""
    check_device(device)
    value = fill_value.item() if hasattr(fill_value, "_type") else fill_value
    if np.ndim(value):
        raise DTypeError(
            f"one number is needed, got {value!r}", hint="full(shape, 0.5); values: tensor([...])"
        )
    chosen = scalar_dtype(value) if dtype is None else dtype_of(dtype)
    if not isinstance(size, tuple | list):
        raise DTypeError(f"full takes its sizes in a tuple, got {size!r}", hint="full((2, 3), 0.5)")
    shape = shape_from("full", () if size == () else (size,), None)
    return from_array(np.full(shape, _number(value, chosen, endless=False), chosen.numpy), requires_grad)


def scalar_tensor(s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    """One number, without dimensions, of the default dtype"""
    return full((), s, dtype=floating_or(dtype), device=device, requires_grad=requires_grad)


def zeros_like(
    input: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Zeros of the shape and dtype of ``input``"""
    kind = require_tensor("zeros_like", input)._type
    return zeros(size=kind.shape, dtype=dtype or kind.dtype, device=device, requires_grad=requires_grad)


def ones_like(
    input: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """Ones of the shape and dtype of ``input``"""
    kind = require_tensor("ones_like", input)._type
    return ones(size=kind.shape, dtype=dtype or kind.dtype, device=device, requires_grad=requires_grad)


def empty_like(
    input: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """`empty` of the shape and dtype of ``input``"""
    return zeros_like(input, dtype=dtype, device=device, requires_grad=requires_grad)


def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """One number in every place of the shape of ``input``"""
    kind = dtype or require_tensor("full_like", input).dtype
    return full(input.shape, fill_value, dtype=kind, device=device, requires_grad=requires_grad)


def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """Ones on the diagonal, zeros elsewhere"""
    check_device(device)
    rows, columns = (integer("a size", k) for k in (n, n if m is None else m))
    if rows < 0 or columns < 0:
        raise ShapeError(f"eye of {rows} x {columns}", hint="sizes are at least 0")
    return from_array(np.eye(rows, columns, dtype=floating_or(dtype).numpy), requires_grad)
