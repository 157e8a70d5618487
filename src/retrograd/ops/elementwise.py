"""Elementwise primitives: powers, the exponential family, trigonometry, and what networks bend their sums with.

x̄ is the cotangent dLoss/dx, ȳ (written ``g``) the one that arrives.  Samples lie where the function is smooth; points
where a derivative is a convention are listed as ``special`` with the convention in the docstring.
"""

from __future__ import annotations

import math

import numpy as np

from ..op import Sample, bind
from ._family import Binary, Unary, fill
from ._pieces import in_float64
from .arithmetic import Abs
from .logic import BitAnd, Eq, Ge, Where

_LN2, _LN10 = math.log(2.0), math.log(10.0)


class Exp(Unary):
    """y = eˣ.   x̄ = ȳ·y"""

    ufunc = np.exp
    exact = (-700.0, 0.0, 80.0)

    def eval(x):
        return np.exp(x)

    def vjp(g, y, _x):
        return (g * y,)


class Expm1(Unary):
    """y = eˣ - 1, accurate near 0.   x̄ = ȳ·eˣ, which y + 1 would round away far left"""

    ufunc = np.expm1
    exact = (1e-9, 0.0, -20.0)

    def eval(x):
        return np.expm1(x)

    def vjp(g, _y, x):
        return (g * bind(Exp, x),)


class Log(Unary):
    """y = ln x.   x̄ = ȳ / x"""

    domain = (0.2, 3.0)
    ufunc = np.log

    def eval(x):
        return np.log(x)

    def vjp(g, _y, x):
        return (g / x,)


class Log2(Unary):
    """y = log₂ x.   x̄ = ȳ / (x·ln 2).  A quotient of logarithms misses the whole numbers at powers of 2."""

    domain = (0.2, 3.0)
    ufunc = np.log2

    def eval(x):
        return np.log2(x)

    def vjp(g, _y, x):
        return (g / (x * _LN2),)


class Log10(Unary):
    """y = log₁₀ x.   x̄ = ȳ / (x·ln 10).  A quotient of logarithms misses the whole numbers at powers of 10."""

    domain = (0.2, 3.0)

    def eval(x):
        return in_float64(np.log10, x)  # NumPy's own for float32 is not exact, either

    def vjp(g, _y, x):
        return (g / (x * _LN10),)


class Log1p(Unary):
    """y = ln(1 + x), accurate near 0.   x̄ = ȳ / (1 + x)"""

    domain = (-0.7, 2.0)
    ufunc = np.log1p
    exact = (1e-9, 0.0)

    def eval(x):
        return np.log1p(x)

    def vjp(g, _y, x):
        return (g / (x + 1),)


class Sqrt(Unary):
    """y = √x.   x̄ = ȳ / (2y), infinite at x = 0"""

    domain = (0.2, 3.0)
    ufunc = np.sqrt

    def eval(x):
        return np.sqrt(x)

    def vjp(g, y, _x):
        return (g / (y * 2),)


class Sin(Unary):
    """y = sin x.   x̄ = ȳ·cos x"""

    ufunc = np.sin

    def eval(x):
        return np.sin(x)

    def vjp(g, _y, x):
        return (g * bind(Cos, x),)


class Cos(Unary):
    """y = cos x.   x̄ = -ȳ·sin x"""

    ufunc = np.cos

    def eval(x):
        return np.cos(x)

    def vjp(g, _y, x):
        return (-(g * bind(Sin, x)),)


class Asin(Unary):
    """y = arcsin x, NaN beyond ±1.   x̄ = ȳ / √(1 - x²), infinite at ±1.  As an angle of a root the ends' slope is NaN."""

    domain = (-0.9, 0.9)
    ufunc = np.arcsin

    def eval(x):
        return np.arcsin(x)

    def vjp(g, _y, x):
        return (g / _below_one(x),)


def _below_one(x):
    """√(1 - x²) without cancellation; at ±1 so written that the next derivatives are infinite, not 0·∞."""
    square = x * x
    end = bind(Eq, square, fill(x, 1.0))  # no other float has the square 1
    near, far = bind(Where, end, 1 - square, 1 - x), bind(Where, end, fill(x, 1.0), 1 + x)
    return bind(Sqrt, near * far)


class Acos(Unary):
    """y = arccos x, NaN beyond ±1.   x̄ = -ȳ / √(1 - x²).  π/2 - arcsin x loses the digits of small angles."""

    domain = (-0.9, 0.9)
    ufunc = np.arccos

    def eval(x):
        return np.arccos(x)

    def vjp(g, _y, x):
        return (-(g / _below_one(x)),)


class Sinh(Unary):
    """y = (eˣ - e^(-x))/2.   x̄ = ȳ·cosh x.  The difference cancels near 0."""

    exact = (1e-9, 0.0, -9.0)
    ufunc = np.sinh

    def eval(x):
        return np.sinh(x)

    def vjp(g, _y, x):
        return (g * bind(Cosh, x),)


class Cosh(Unary):
    """y = (eˣ + e^(-x))/2.   x̄ = ȳ·sinh x, which of a composition would cancel near 0"""

    exact = (1e-9, 0.0, -9.0)
    ufunc = np.cosh

    def eval(x):
        return np.cosh(x)

    def vjp(g, _y, x):
        return (g * bind(Sinh, x),)


class Asinh(Unary):
    """y = ln(x + √(x² + 1)).   x̄ = ȳ / √(x² + 1).  The formula cancels left of 0 and overflows at 1e154."""

    exact = (1e-9, 0.0, -1e9)
    ufunc = np.arcsinh

    def eval(x):
        return np.arcsinh(x)

    def vjp(g, _y, x):
        return (g / bind(Hypot, x, fill(x, 1.0)),)


class Acosh(Unary):
    """y = ln(x + √(x² - 1)), NaN below 1.   x̄ = ȳ / √(x² - 1), infinite at ±1, a number below -1 as in PyTorch.  The
    formula cancels at 1, overflows at 1e154."""

    domain = (1.2, 4.0)
    ufunc = np.arccosh

    def eval(x):
        return np.arccosh(x)

    def vjp(g, _y, x):
        a = bind(Abs, x)
        end = bind(Eq, a, fill(a, 1.0))  # there so written that the next derivatives are infinite, not 0·∞
        near = bind(Where, end, x * x - 1, a - 1)
        return (g / (bind(Sqrt, near) * bind(Sqrt, bind(Where, end, fill(a, 1.0), a + 1))),)


class Atan2(Binary):
    """y = the angle of the point (b, a), in (-π, π].   ā = ȳ·b/(a² + b²),  b̄ = -ȳ·a/(a² + b²), 0 at the origin"""

    domains = ((0.2, 2.0), (-2.0, 2.0))
    floating_only = True
    ufunc = np.arctan2

    def eval(a, b):
        return np.arctan2(a, b)

    def vjp(g, _y, a, b):
        length = bind(Hypot, a, b)  # a² + b² would overflow
        safe = bind(Where, bind(Eq, length, fill(length)), fill(length, 1.0), length)
        return lambda: g * (b / safe / safe), lambda: -(g * (a / safe / safe))

    @classmethod
    def samples(cls, r):
        yield from super().samples(r)
        yield Sample(np.array([0.0, -1.0, 0.5]), np.array([0.0, -1.0, 0.0]), kink=True)


class Hypot(Binary):
    """y = √(a² + b²), whose squares may overflow.   ā = ȳ·a/y,  b̄ = ȳ·b/y, 0 at the origin"""

    domains = ((0.2, 2.0), (-2.0, 2.0))
    floating_only = True
    ufunc = np.hypot

    def eval(a, b):
        return np.hypot(a, b)

    def vjp(g, y, a, b):
        safe = bind(Where, bind(Eq, y, fill(y)), fill(y, 1.0), y)
        return lambda: g * (a / safe), lambda: g * (b / safe)

    @classmethod
    def samples(cls, r):
        yield from super().samples(r)
        yield Sample(np.array([0.0, -3.0]), np.array([0.0, 4.0]), kink=True)


class Tanh(Unary):
    """y = tanh x.   x̄ = ȳ·(1 - y²)"""

    ufunc = np.tanh
    exact = (-20.0, 0.0, 20.0)

    def eval(x):
        return np.tanh(x)

    def vjp(g, y, _x):
        return (g * (1 - y * y),)


class Sigmoid(Unary):
    """y = 1 / (1 + e^(-x)), without overflow at either end.   x̄ = ȳ·y·(1 - y)"""

    exact = (-30.0, 0.0, 30.0)

    def eval(x):
        decay = np.exp(-np.absolute(x))  # never above 1, so nothing overflows
        return np.where(x >= 0, 1, decay).astype(x.dtype, copy=False) / (1 + decay)

    def vjp(g, y, _x):
        return (g * (y * (1 - y)),)


class Softplus(Unary):
    """y = ln(1 + eˣ), without overflow.   x̄ = ȳ·sigmoid(x)"""

    exact = (-30.0, 0.0, 30.0)

    def eval(x):
        return np.maximum(x, 0) + np.log1p(np.exp(-np.absolute(x)))

    def vjp(g, _y, x):
        return (g * bind(Sigmoid, x),)


class Relu(Unary):
    """y = max(0, x).   x̄ = ȳ, and 0 where x ≤ 0, as in PyTorch; NaN stays NaN and lets ȳ through."""

    floating_only = False
    special = (0.0,)
    instead = "a bool is not negative"

    def eval(x):
        return np.maximum(x, 0)

    # The result shows which side of the kink each element was on: nothing is recomputed, and the input can be freed.
    def vjp(g, y, _x):
        return (bind(MaskedBy, g, y),)


class MaskedBy(Binary):
    """y = a, and 0 where b ≤ 0: the reverse of relu.   ā = ȳ, and 0 where b ≤ 0; b only selects"""

    floating_only = False

    def eval(a, b):
        return a * ~(b <= 0)  # three times quicker than where(); NaN in b selects, as in PyTorch

    def vjp(g, _y, _a, b):
        return (bind(MaskedBy, g, b), None)

    def samples(r):
        for shape in ((3, 4), (), (0,)):
            yield Sample(r.normal(size=shape), r.normal(size=shape), grad=(0,))
        yield Sample(r.integers(-3, 3, (5,)), r.integers(-3, 3, (5,)))


class Pow(Binary):
    """y = aᵇ.   ā = ȳ·b·a^(b-1), 0 where b = 0;  b̄ = ȳ·y·ln a, 0 where a = 0 and b ≥ 0 (PyTorch's conventions)"""

    domains = ((0.3, 2.0), (-2.0, 2.0))
    instead = "convert them with .int()"
    reads = ("a b", "y a b")

    def eval(a, b):
        if a.dtype.kind == "i" and (b < 0).any():
            # 1/aⁿ rounded towards 0, as PyTorch has it: 0, or ±1 of ±1
            unit = np.where((a == -1) & (b % 2 != 0), -1, np.absolute(a) == 1).astype(a.dtype)
            return np.where(b < 0, unit, np.power(a, np.maximum(b, 0)))
        return np.power(a, b)

    def vjp(g, y, a, b):
        def base():
            # where b = 0 the factor b is the 0, of 1^(-1): of 0^(-1) the next derivatives would be 0·∞
            safe = bind(Where, bind(Eq, b, fill(b)), fill(a, 1.0), a)
            return g * (b * bind(Pow, safe, b - 1))

        def exponent():
            flat = bind(BitAnd, bind(Eq, a, fill(a)), bind(Ge, b, fill(b)))
            safe = bind(
                Where, flat, fill(a, 1.0), a
            )  # ln is never taken at the masked points: no 0·∞ in any order
            return g * bind(Where, flat, fill(y), y * bind(Log, safe))

        return base, exponent

    @classmethod
    def samples(cls, r):
        yield from super().samples(r)
        yield Sample(r.uniform(-2, 2, (4,)), np.array([2.0, 3.0, 1.0, 0.0]), grad=(0,))
        yield Sample(np.array([0.0, 0.0, 0.0]), np.array([2.0, 1.0, 3.0]), grad=(0,), order=1)
        yield Sample(np.array([0.0, 2.0]), np.array([0.0, 0.0]), kink=True)
        yield Sample(np.array([1, -1, -1, 2, 0]), np.array([-3, -3, -2, -1, 3]))
