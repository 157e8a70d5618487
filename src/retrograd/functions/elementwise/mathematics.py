"""The exponential and logarithmic families, trigonometry, special functions."""

from __future__ import annotations

import math
from typing import Any

from ...op import bind
from ...ops import elementwise as ops
from ...ops import special
from ...ops._family import fill
from .._arguments import as_tensor, floating, together
from .arithmetic import add, div, mul, neg, rsub, sub
from .comparison import clamp, eq, maximum, minimum, where

__all__ = [
    "cos", "erf", "erfc", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "logaddexp", "logit",
    "relu", "sigmoid", "sin", "tan", "tanh",
]  # fmt: skip


_LN2 = math.log(2.0)

_LN10 = math.log(10.0)


def exp(input: Any) -> Any:
    """e^input"""
    return bind(ops.Exp, floating(input))


def exp2(input: Any) -> Any:
    """2^input"""
    return exp(mul(floating(input), _LN2))


def expm1(input: Any) -> Any:
    """e^input - 1, accurate near 0"""
    return bind(ops.Expm1, floating(input))


def log(input: Any) -> Any:
    """ln input"""
    return bind(ops.Log, floating(input))


def log2(input: Any) -> Any:
    """log₂ input"""
    return div(log(input), _LN2)


def log10(input: Any) -> Any:
    """log₁₀ input"""
    return div(log(input), _LN10)


def log1p(input: Any) -> Any:
    """ln(1 + input), accurate near 0"""
    return bind(ops.Log1p, floating(input))


def logaddexp(input: Any, other: Any) -> Any:
    """ln(e^input + e^other), without overflow"""
    a, b = together(input, other)
    larger, smaller = maximum(a, b), minimum(a, b)
    # Equal infinities differ by NaN; there the larger one alone is the answer.
    same = eq(a, b)
    gap = where(same, fill(a), sub(smaller, larger))
    return add(larger, log1p(exp(gap)))


def sin(input: Any) -> Any:
    """sine of radians"""
    return bind(ops.Sin, floating(input))


def cos(input: Any) -> Any:
    """cosine of radians"""
    return bind(ops.Cos, floating(input))


def tan(input: Any) -> Any:
    """tangent of radians"""
    return div(sin(input), cos(input))


def tanh(input: Any) -> Any:
    """hyperbolic tangent"""
    return bind(ops.Tanh, floating(input))


def erf(input: Any) -> Any:
    """2/√π ∫₀^input e^(-t²) dt"""
    return bind(special.Erf, floating(input))


def erfc(input: Any) -> Any:
    """1 - erf(input)"""
    return rsub(erf(input), 1)


def sigmoid(input: Any) -> Any:
    """1 / (1 + e^-input)"""
    return bind(ops.Sigmoid, floating(input))


def logit(input: Any, eps: float | None = None) -> Any:
    """ln(p / (1 - p)), the inverse of sigmoid; ``eps`` keeps p inside [eps, 1 - eps]"""
    p = floating(input) if eps is None else clamp(floating(input), eps, 1 - eps)
    return sub(log(p), log1p(neg(p)))


def softplus_raw(input: Any) -> Any:
    """ln(1 + e^input), without overflow"""
    return bind(ops.Softplus, floating(input))


def relu(input: Any) -> Any:
    """max(0, input); derivative 0 at 0"""
    return bind(ops.Relu, as_tensor(input))
