"""The exponential and logarithmic families, trigonometry, hyperbolic functions."""

from __future__ import annotations

import math
from typing import Any

from ...errors import DTypeError
from ...op import bind
from ...ops import elementwise as ops
from ...ops import special
from ...ops._family import fill
from .._arguments import as_tensor, binary, floating, in_dtype, require_tensors, together
from .arithmetic import add, div, mul, neg, pow, sign, sub
from .comparison import clamp, eq, ge, isinf, isnan, le, logical_and, lt, where

__all__ = [
    "acos", "acosh", "angle", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1",
    "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2", "logit", "relu", "sigmoid", "sin", "sinh", "tan",
    "tanh",
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
]  # fmt: skip

_LN2 = math.log(2.0)


def exp(input: Any) -> Any:
    """e^input"""
    return bind(ops.Exp, floating(input))


def exp2(input: Any) -> Any:
    """2^input, exact for whole numbers"""
    return pow(2.0, floating(input))


def expm1(input: Any) -> Any:
    """e^input - 1, accurate near 0"""
    return bind(ops.Expm1, floating(input))


def log(input: Any) -> Any:
    """ln input"""
    return bind(ops.Log, floating(input))


def log2(input: Any) -> Any:
    """log₂ input, exact for powers of 2"""
    return bind(ops.Log2, floating(input))


def log10(input: Any) -> Any:
    """log₁₀ input, exact for powers of 10"""
    return bind(ops.Log10, floating(input))


def log1p(input: Any) -> Any:
    """ln(1 + input), accurate near 0"""
    return bind(ops.Log1p, floating(input))


def _ordered(name: str, input: Any, other: Any) -> tuple[Any, Any]:
    """The larger, and smaller - larger.  Chosen, not compared: where equal, derivatives of every order stay right."""
    require_tensors(name, input, other)
    a, b = together(input, other)
    if not a.dtype.is_floating_point:
        raise DTypeError(f"{name} takes floating tensors, got {a.dtype!r}", hint="convert one: x.float()")
    first = ge(a, b)
    larger, smaller = where(first, a, b), where(first, b, a)
    same = logical_and(eq(a, b), isinf(a))  # equal infinities differ by NaN
    return larger, where(same, fill(a), sub(smaller, larger))


def logaddexp(input: Any, other: Any) -> Any:
    """ln(e^input + e^other), without overflow"""
    larger, gap = _ordered("logaddexp", input, other)
    return add(larger, log1p(exp(gap)))


def logaddexp2(input: Any, other: Any) -> Any:
    """log₂(2^input + 2^other), without overflow"""
    larger, gap = _ordered("logaddexp2", input, other)
    return add(larger, mul(log1p(exp2(gap)), 1 / _LN2))


def sin(input: Any) -> Any:
    """sine of radians"""
    return bind(ops.Sin, floating(input))


def cos(input: Any) -> Any:
    """cosine of radians"""
    return bind(ops.Cos, floating(input))


def tan(input: Any) -> Any:
    """tangent of radians"""
    return div(sin(input), cos(input))


def asin(input: Any) -> Any:
    """The angle in [-π/2, π/2] whose sine is input; NaN beyond ±1"""
    return bind(ops.Asin, floating(input))


def acos(input: Any) -> Any:
    """The angle in [0, π] whose cosine is input; NaN beyond ±1"""
    return bind(ops.Acos, floating(input))


def atan(input: Any) -> Any:
    """The angle in [-π/2, π/2] whose tangent is input"""
    x = floating(input)
    return bind(ops.Atan2, x, fill(x, 1.0))


def atan2(input: Any, other: Any) -> Any:
    """The angle of the point (other, input), in (-π, π]"""
    require_tensors("atan2", input, other)
    return binary(ops.Atan2, input, other, floating=True)


def angle(input: Any) -> Any:
    """π for negative numbers, else 0; NaN for NaN; derivative 0"""
    x = floating(input)
    return where(isnan(x), math.nan, mul(relu(neg(sign(x))), math.pi))


def sinh(input: Any) -> Any:
    """(e^input - e^-input)/2"""
    return bind(ops.Sinh, floating(input))


def cosh(input: Any) -> Any:
    """(e^input + e^-input)/2"""
    return bind(ops.Cosh, floating(input))


def tanh(input: Any) -> Any:
    """hyperbolic tangent"""
    return bind(ops.Tanh, floating(input))


def asinh(input: Any) -> Any:
    """The inverse of sinh"""
    return bind(ops.Asinh, floating(input))


def acosh(input: Any) -> Any:
    """The inverse of cosh; NaN below 1"""
    return bind(ops.Acosh, floating(input))


def atanh(input: Any) -> Any:
    """The inverse of tanh; NaN beyond ±1"""
    x = floating(input)
    return mul(sub(log1p(x), log1p(neg(x))), 0.5)


def erf(input: Any) -> Any:
    """2/√π ∫₀^input e^(-t²) dt"""
    return bind(special.Erf, floating(input))


def erfc(input: Any) -> Any:
    """1 - erf(input), accurate where that is small"""
    return bind(special.Erfc, floating(input))


def sigmoid(input: Any) -> Any:
    """1 / (1 + e^-input)"""
    return bind(ops.Sigmoid, floating(input))


def logit(input: Any, eps: float | None = None) -> Any:
    """ln(p / (1 - p)), the inverse of sigmoid; ``eps`` keeps p inside [eps, 1 - eps]"""
    p = floating(input)
    if eps is None:
        # NaN beyond 0 and 1, in the derivatives, too: those of the logarithms alone are numbers there.
        p = mul(p, where(logical_and(ge(p, 0), le(p, 1)), in_dtype(1, p.dtype), math.nan))
    elif eps <= 0.5:
        p = clamp(p, eps, 1 - eps)
    else:
        p = where(lt(p, eps), eps, clamp(p, max=1 - eps))  # PyTorch asks for the lower limit first
    return sub(log(p), log1p(neg(p)))


def softplus_raw(input: Any) -> Any:
    """ln(1 + e^input), without overflow"""
    return bind(ops.Softplus, floating(input))


def relu(input: Any) -> Any:
    """max(0, input); derivative 0 at 0"""
    return bind(ops.Relu, as_tensor(input))


arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh = acos, acosh, asin, asinh, atan, atan2, atanh
