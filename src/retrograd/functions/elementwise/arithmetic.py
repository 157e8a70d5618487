"""Arithmetic, powers, rounding."""

from __future__ import annotations

import builtins
from typing import Any

from ...op import Op, bind
from ...ops import arithmetic as ops
from ...ops import elementwise
from ...ops._family import fill
from .._arguments import as_tensor, binary, cast, common_dtype, floating, is_tensor, require_tensor

__all__ = [
    "abs", "add", "addcdiv", "addcmul", "ceil", "div", "floor", "floor_divide", "frac", "lerp", "mul",
    "neg", "positive", "pow", "reciprocal", "remainder", "round", "rsqrt", "rsub", "sign", "sqrt",
    "square", "sub", "trunc",
    "subtract", "multiply", "divide", "true_divide", "negative", "absolute", "fix",
]  # fmt: skip


def _numeric(op: type[Op], x: Any) -> Any:
    return bind(op, as_tensor(x))


def is_one(alpha: Any) -> builtins.bool:
    """True for the number 1; a tensor is never asked for its value, for it may be traced."""
    return isinstance(alpha, int | float) and alpha == 1


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha·other"""
    return binary(ops.Add, input, other if is_one(alpha) else mul(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input - alpha·other"""
    return binary(ops.Sub, input, other if is_one(alpha) else mul(other, alpha))


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other - alpha·input"""
    return sub(other, input, alpha=alpha)


def mul(input: Any, other: Any) -> Any:
    """input · other"""
    return binary(ops.Mul, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other; ``rounding_mode`` "floor" or "trunc" rounds the quotient"""
    if rounding_mode == "floor":
        return floor_divide(input, other)
    quotient = binary(ops.Div, input, other, floating=True)
    if rounding_mode == "trunc":
        return cast(trunc(quotient), common_dtype(input, other))
    return quotient


def floor_divide(input: Any, other: Any) -> Any:
    """⌊input / other⌋"""
    return binary(ops.FloorDivide, input, other)


def remainder(input: Any, other: Any) -> Any:
    """input - other·⌊input / other⌋: the sign is that of ``other``, as Python's %"""
    return binary(ops.Remainder, input, other)


def neg(input: Any) -> Any:
    """-input"""
    return _numeric(ops.Neg, input)


def positive(input: Any) -> Any:
    """input, unchanged"""
    return require_tensor("positive", input)


def abs(input: Any) -> Any:
    """|input|; derivative 0 at 0"""
    return _numeric(ops.Abs, input)


def sign(input: Any) -> Any:
    """-1, 0 or 1"""
    return _numeric(ops.Sign, input)


def _rounding(op: type[Op], x: Any) -> Any:
    x = as_tensor(x)
    return bind(op, x) if x.dtype.is_floating_point else x


def floor(input: Any) -> Any:
    """The largest integer not above input; derivative 0"""
    return _rounding(ops.Floor, input)


def ceil(input: Any) -> Any:
    """The smallest integer not below input; derivative 0"""
    return _rounding(ops.Ceil, input)


def trunc(input: Any) -> Any:
    """input without its fraction; derivative 0"""
    return _rounding(ops.Trunc, input)


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest integer (halves to even), or the nearest multiple of 10^-decimals; derivative 0"""
    if decimals:
        scale = 10.0**decimals
        return div(round(mul(input, scale)), scale)
    return _rounding(ops.Round, input)


def frac(input: Any) -> Any:
    """input - trunc(input)"""
    return sub(input, trunc(input))


def sqrt(input: Any) -> Any:
    """√input"""
    return bind(elementwise.Sqrt, floating(input))


def rsqrt(input: Any) -> Any:
    """1 / √input"""
    return reciprocal(sqrt(input))


def square(input: Any) -> Any:
    """input²"""
    return mul(input, input)


def reciprocal(input: Any) -> Any:
    """1 / input"""
    x = floating(input)
    return bind(ops.Div, fill(x, 1.0), x)


def pow(input: Any, exponent: Any) -> Any:
    """input^exponent"""
    if isinstance(exponent, int | float) and is_tensor(input) and input.dtype.is_floating_point:
        if exponent == 2:
            return mul(input, input)
        if exponent == 0.5:
            return sqrt(input)
        if exponent == 1:
            return mul(input, 1)
    return binary(elementwise.Pow, input, exponent)


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight·(end - input)"""
    return add(input, mul(sub(end, input), weight))


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value·tensor1·tensor2"""
    return add(input, mul(mul(tensor1, tensor2), value))


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value·tensor1/tensor2"""
    return add(input, mul(div(tensor1, tensor2), value))


subtract, multiply, divide, true_divide, negative, absolute, fix = sub, mul, div, div, neg, abs, trunc
