"""The number alpha by which functions multiply an operand."""

from __future__ import annotations

import builtins
from typing import Any

from ...errors import DTypeError, UsageError
from ...ops import arithmetic as ops
from ...types import bool_
from .._arguments import binary, common_dtype, in_dtype, is_tensor


def is_one(alpha: Any) -> builtins.bool:
    """True for the number 1; a tensor is never asked for its value, for it may be traced."""
    return isinstance(alpha, int | float) and alpha == 1


def no_bool_factor(name: str, factor: Any, dtype: Any) -> None:
    """An error for True or False as the factor of numbers, as in PyTorch."""
    is_bool = factor.dtype is bool_ if is_tensor(factor) else isinstance(factor, builtins.bool)
    if is_bool and dtype is not bool_:
        number = f"{name}.int()" if is_tensor(factor) else int(factor)
        raise DTypeError(f"{name}={factor} for a result of {dtype!r}", hint=f"{name}={number}")


def scaled(other: Any, alpha: Any, beside: Any) -> Any:
    """alpha·other with the digits that it needs beside ``beside``: in the dtype of both, or as a Python number."""
    if is_one(alpha) and type(alpha) is int:
        return other
    dtype = common_dtype(beside, other)
    fraction = alpha.dtype.is_floating_point if is_tensor(alpha) else isinstance(alpha, builtins.float)
    if fraction and not dtype.is_floating_point:
        raise DTypeError(
            f"alpha={alpha} for a result of {dtype!r}", hint="alpha must be a whole number, or x.float()"
        )
    no_bool_factor("alpha", alpha, dtype)
    if is_tensor(alpha):
        return binary(ops.Mul, other, alpha)
    if is_one(alpha):
        return other
    if not is_tensor(other):
        return builtins.bool(other and alpha) if dtype is bool_ else other * alpha
    return binary(ops.Mul, in_dtype(other, dtype), builtins.bool(alpha) if dtype is bool_ else alpha)


def third(name: str, other: Any, alpha: Any, *more: Any) -> Any:
    """The alpha that stands third, where ``other`` is a number: only PyTorch's `subtract` takes it there."""
    if more or (is_tensor(other) and other.ndim):
        raise UsageError(
            f"{name} with an alpha that is not named, after a tensor", hint=f"{name}(..., other, alpha=...)"
        )
    return alpha
