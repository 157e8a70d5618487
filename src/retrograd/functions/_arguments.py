"""How functions take their arguments: numbers become tensors, dtypes are promoted, shapes are broadcast.

This is the only place that promotes and broadcasts; ops below take equal shapes and dtypes.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ..errors import DTypeError
from ..op import Op, bind, constant
from ..ops._family import fill
from ..ops.logic import Cast
from ..ops.shape import Broadcast
from ..types import (
    DType,
    Shape,
    TensorType,
    broadcast_shapes,
    get_default_dtype,
    int64,
    promote,
    result_dtype,
    scalar_dtype,
)


def is_tensor(x: Any) -> bool:
    return hasattr(x, "_type")


def as_tensor(x: Any) -> Any:
    """``x`` itself if it is a tensor, a constant if it is an array of NumPy; numbers and lists are refused, as in PyTorch."""
    if hasattr(x, "_type"):
        return x
    return constant(x) if isinstance(x, np.ndarray | np.generic) else _refuse(x)


def _refuse(x: Any) -> Any:
    """The error for what should be a tensor; it names the function that took it."""
    frame = sys._getframe(1)
    while frame.f_back and (frame.f_code.co_name in _TAKERS or frame.f_code.co_name.startswith(("_", "<"))):
        frame = frame.f_back
    require_tensor(frame.f_code.co_name, x)


_TAKERS = ("as_tensor", "binary", "cast", "floating", "index_dtype", "together", "together_floating")


def _operand(x: Any) -> Any:
    """A tensor or a number: what may stand on either side of an operator."""
    return x if hasattr(x, "_type") or isinstance(x, bool | int | float) else as_tensor(x)


def cast(x: Any, dtype: DType) -> Any:
    """``x`` in ``dtype``; the same tensor if it has it already."""
    return x if x._type.dtype is dtype else bind(Cast, x, dtype=dtype)


def in_dtype(x: Any, dtype: DType) -> Any:
    """``x`` (a tensor, number or list) as a tensor of ``dtype``; numbers are rounded once only."""
    return cast(x, dtype) if hasattr(x, "_type") else constant(x, dtype)


def expand(x: Any, shape: Shape) -> Any:
    """``x`` broadcast to ``shape``; the same tensor if it has it already."""
    return x if x._type.shape == shape else bind(Broadcast, x, shape=shape)


def _priority(x: Any) -> tuple[DType, int]:
    kind = getattr(x, "_type", None)
    if kind is None:
        return scalar_dtype(x), 0
    return kind.dtype, 2 if kind.shape else 1


def common_dtype(*operands: Any) -> DType:
    """The dtype of the result of an arithmetic operation on tensors and numbers."""
    return result_dtype([_priority(x) for x in operands])


def together(*operands: Any, dtype: DType | None = None) -> tuple[Any, ...]:
    """Operands promoted to one dtype and broadcast to one shape; numbers become constants."""
    operands = tuple(map(_operand, operands))
    dtype = dtype or common_dtype(*operands)
    shapes = [x._type.shape for x in operands if hasattr(x, "_type")]
    shape = shapes[0] if len(shapes) == 1 else broadcast_shapes(*shapes)
    kind = TensorType(shape, dtype)
    return tuple(expand(cast(x, dtype), shape) if hasattr(x, "_type") else fill(kind, x) for x in operands)


def binary(op: type[Op], a: Any, b: Any, *, floating: bool = False) -> Any:
    """Apply an op of two operands with promotion and broadcasting; ``floating``: integers become floating first."""
    ka, kb = getattr(a, "_type", None), getattr(b, "_type", None)
    if ka is not None and ka == kb and (not floating or ka.dtype.is_floating_point):
        return bind(op, a, b)
    if ka is not None and kb is None and isinstance(b, float | int) and ka.dtype.is_floating_point:
        return bind(op, a, fill(ka, b))
    return bind(op, *(together_floating(a, b) if floating else together(a, b)))


def floating(x: Any) -> Any:
    """``x`` as a floating tensor: integers and bools become the default floating dtype, as in PyTorch."""
    x = as_tensor(x)
    return x if x._type.dtype.is_floating_point else bind(Cast, x, dtype=get_default_dtype())


def require_tensor(name: str, x: Any) -> Any:
    """``x``, or an error that says that a tensor was expected."""
    if not hasattr(x, "_type"):
        raise DTypeError(
            f"{name} takes a tensor, got {type(x).__name__}", hint="wrap it: retrograd.tensor(...)"
        )
    return x


def require_tensors(name: str, *operands: Any) -> None:
    """An error unless all operands are tensors."""
    for x in operands:
        require_tensor(name, x)


def require_one_tensor(name: str, *operands: Any) -> None:
    """An error if no operand is a tensor: PyTorch does not compute with numbers alone."""
    if not any(hasattr(x, "_type") for x in operands):
        require_tensor(name, operands[0])


def together_floating(*operands: Any) -> tuple[Any, ...]:
    """Operands promoted to one floating dtype (the default one for integers) and broadcast."""
    operands = tuple(map(_operand, operands))
    common = common_dtype(*operands)
    return together(*operands, dtype=common if common.is_floating_point else get_default_dtype())


def index_dtype(x: Any) -> Any:
    """Indices as int64."""
    x = as_tensor(x)
    if x._type.dtype.is_floating_point:
        raise DTypeError(f"indices must be integers, not {x._type.dtype!r}", hint="convert them with .long()")
    return cast(x, int64)


def shape_of(sizes: tuple[Any, ...]) -> Shape:
    """A shape from ``f(2, 3)`` or ``f((2, 3))``."""
    if len(sizes) == 1 and not isinstance(sizes[0], int | np.integer):
        sizes = tuple(sizes[0])
    return tuple(int(n) for n in sizes)


__all__ = [
    "as_tensor", "binary", "cast", "common_dtype", "expand", "floating", "in_dtype", "index_dtype", "is_tensor",
    "promote", "require_tensor", "shape_of", "together", "together_floating",
]  # fmt: skip
