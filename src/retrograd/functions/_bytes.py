"""The bytes of a tensor, read as another dtype."""

from __future__ import annotations

from typing import Any

from ..errors import GradError, ShapeError
from ..op import make_tensor
from ..types import DType, TensorType


def bytes_as(input: Any, dtype: DType) -> Any:
    """The same memory as ``dtype``; the last dimension grows or shrinks where its numbers are shorter or longer."""
    if dtype is input.dtype:
        return input._alias()
    if input.requires_grad and dtype.is_floating_point:
        raise GradError(
            f"the bytes of {input.dtype!r} read as {dtype!r} have no derivative",
            hint="x.detach().view(dtype)",
        )
    array = input._concrete("view(dtype)")
    if input.dtype.itemsize != dtype.itemsize and not input.ndim:
        raise ShapeError(f"a single {input.dtype!r} is no {dtype!r}", hint="x.reshape(1).view(dtype)")
    try:
        seen = array.view(dtype.numpy)
    except ValueError:
        raise ShapeError(
            f"the rows of shape {tuple(input.shape)} in {input.dtype!r} are no whole numbers of {dtype!r}",
            hint="x.contiguous(), and a last dimension that fits",
        ) from None
    out = make_tensor(seen, TensorType(seen.shape, dtype))
    out._version = input._version
    return out
