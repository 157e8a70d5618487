"""What functions of networks check about their inputs before they compute."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, GradError, ShapeError, UsageError, describe, user_place
from ..op import context
from ..types import bool_
from ._arguments import require_tensor

if TYPE_CHECKING:
    from ..tensor import Tensor

REDUCTIONS = ("mean", "sum", "none")


def floats(name: str, *tensors: Any) -> None:
    """Refuse what is not a floating tensor."""
    for x in tensors:
        if not require_tensor(name, x).dtype.is_floating_point:
            raise DTypeError(f"{name} takes floating tensors, got {x.dtype!r}", hint="convert it: x.float()")


def some_float(name: str, *tensors: Any) -> None:
    """Refuse tensors none of which is floating."""
    if not any(require_tensor(name, x).dtype.is_floating_point for x in tensors):
        floats(name, *tensors)


def one_dtype(name: str, *tensors: Any) -> None:
    """Refuse floating tensors of several dtypes where PyTorch does not promote."""
    floats(name, *tensors)
    kinds = {x.dtype for x in tensors}
    if len(kinds) > 1:
        listed = " and ".join(sorted(repr(k) for k in kinds))
        raise DTypeError(
            f"{name} takes tensors of one dtype, got {listed}", hint="convert one: x.to(y.dtype)"
        )


def no_bool(name: str, x: Any) -> None:
    """Refuse bool tensors."""
    if require_tensor(name, x).dtype is bool_:
        raise DTypeError(f"{name} is not defined for bool tensors", hint="convert it: x.float()")


def no_gradient(name: str, what: str, x: Any) -> None:
    """Refuse a weight that requires a gradient: the least loss would be that of weight 0."""
    if x is not None and x.requires_grad and context.grad_enabled:
        raise GradError(
            f"{name} has no derivative in {what}, which requires a gradient", hint=f"{what}={what}.detach()"
        )


def at_least(name: str, x: Tensor, least: int, what: str) -> None:
    """Refuse a tensor with fewer dimensions."""
    if require_tensor(name, x).ndim < least:
        raise ShapeError(
            f"{name} takes {what}, got shape {tuple(x.shape)}",
            hint="add dimensions with x.unsqueeze(0)",
            where=describe(user_place()),
        )


def reduction_of(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The reduction's name; the two old flags, where given, outrank it, as in PyTorch."""
    if size_average is None and reduce is None:
        if reduction not in REDUCTIONS:
            raise UsageError(
                f"reduction {reduction!r} is not known; there are 'mean', 'sum' and 'none'",
                hint="reduction='mean'",
            )
        return reduction
    name = "none" if reduce is False else ("sum" if size_average is False else "mean")
    warnings.warn(
        f"size_average and reduce are deprecated; hint: use reduction={name!r} instead",
        UserWarning,
        stacklevel=3,
    )
    return name
