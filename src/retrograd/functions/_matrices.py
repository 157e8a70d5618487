"""How functions of matrices take their arguments: floating, of enough dimensions, square, of one dtype and batch shape."""

from __future__ import annotations

from typing import Any

from ..errors import DTypeError, ShapeError
from ..types import broadcast_shapes
from ._arguments import expand, require_tensor


def floats(name: str, x: Any) -> Any:
    """``x``, a floating tensor."""
    if not require_tensor(name, x).dtype.is_floating_point:
        raise DTypeError(
            f"{name} needs a floating tensor, not {x.dtype!r}", hint="convert it: x.float() or x.double()"
        )
    return x


def matrices(name: str, x: Any) -> Any:
    """``x``, a floating matrix or stack of matrices."""
    if floats(name, x).ndim < 2:
        raise ShapeError(
            f"{name} needs a matrix or a stack of matrices, got shape {tuple(x.shape)}",
            hint="give it at least two dimensions, e.g. with .unsqueeze(-1)",
        )
    return x


def squares(name: str, x: Any) -> Any:
    """``x``, a floating square matrix or stack of them."""
    if matrices(name, x).shape[-1] != x.shape[-2]:
        raise ShapeError(
            f"{name} needs square matrices, got {x.shape[-2]} rows and {x.shape[-1]} columns (shape {tuple(x.shape)})",
            hint="for other shapes there are retrograd.linalg.lstsq, pinv, qr and svd",
        )
    return x


def last_sizes(x: Any) -> tuple[int, int]:
    """Rows and columns."""
    return x.shape[-2], x.shape[-1]


def one_dtype(name: str, a: Any, b: Any) -> None:
    """Refuse operands of two dtypes."""
    if require_tensor(name, a).dtype is not require_tensor(name, b).dtype:
        raise DTypeError(
            f"{name} of {a.dtype!r} and {b.dtype!r}", hint="make both one dtype, e.g. b.to(a.dtype)"
        )


def together(*xs: Any) -> tuple[Any, ...]:
    """Stacks of matrices whose leading sizes are broadcast."""
    lead = broadcast_shapes(*(tuple(x.shape[:-2]) for x in xs))
    return tuple(expand(x, (*lead, *x.shape[-2:])) for x in xs)
