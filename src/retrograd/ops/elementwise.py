"""Elementwise primitives: powers, the exponential family, trigonometry, and what networks bend their sums with.

x̄ is the cotangent dLoss/dx, ȳ (written ``g``) the one that arrives.  Samples lie where the function is smooth; points
where a derivative is a convention are listed as ``special`` with the convention in the docstring.
"""

from __future__ import annotations

import numpy as np

from ..errors import DTypeError
from ..op import Bad, Sample, bind
from ._family import Binary, Unary, fill
from ._special import erf as _erf
from .logic import BitAnd, Eq, Ge, Where


class Exp(Unary):
    """y = eˣ.   x̄ = ȳ·y"""

    ufunc = np.exp
    exact = (-700.0, 0.0, 80.0)

    def eval(x):
        return np.exp(x)

    def vjp(g, y, _x):
        return (g * y,)


class Expm1(Unary):
    """y = eˣ - 1, accurate near 0.   x̄ = ȳ·(y + 1)"""

    ufunc = np.expm1
    exact = (1e-9, 0.0)

    def eval(x):
        return np.expm1(x)

    def vjp(g, y, _x):
        return (g * (y + 1),)


class Log(Unary):
    """y = ln x.   x̄ = ȳ / x"""

    domain = (0.2, 3.0)
    ufunc = np.log

    def eval(x):
        return np.log(x)

    def vjp(g, _y, x):
        return (g / x,)


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


class Tanh(Unary):
    """y = tanh x.   x̄ = ȳ·(1 - y²)"""

    ufunc = np.tanh
    exact = (-20.0, 0.0, 20.0)

    def eval(x):
        return np.tanh(x)

    def vjp(g, y, _x):
        return (g * (1 - y * y),)


class Erf(Unary):
    """y = 2/√π ∫₀ˣ e^(-t²) dt.   x̄ = ȳ·2/√π·e^(-x²)"""

    exact = (-3.0, 0.3, 0.6, 4.5)

    def eval(x):
        return _erf(x)

    def vjp(g, _y, x):
        return (g * (bind(Exp, -(x * x)) * 1.1283791670955126),)


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
    reads = ("a b", "y a b")

    def eval(a, b):
        if a.dtype.kind in "iu" and (b < 0).any():
            raise DTypeError(
                "negative powers of integers are not integers", hint="convert the base with .float()"
            )
        return np.power(a, b)

    def vjp(g, y, a, b):
        def base():
            slope = b * bind(Pow, a, b - 1)
            return g * bind(Where, bind(Eq, b, fill(b)), fill(b), slope)

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

    @classmethod
    def errors(cls, r):
        yield from super().errors(r)
        yield Bad(np.array([2, 3]), np.array([-1, 2]), message="negative powers")
