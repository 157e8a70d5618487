"""Arithmetic primitives: sums, products, quotients, limits and rounding, element by element.

x̄ is the cotangent dLoss/dx, ȳ (written ``g``) the one that arrives.  Samples lie where the function is smooth; points
where a derivative is a convention are listed as ``special`` with the convention in the docstring.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UsageError
from ..op import Array, Bad, Sample, bind
from ..types import int32
from ._family import Binary, PiecewiseConstant, Unary, fill
from .logic import Cast, Eq, Lt, Where


class Neg(Unary):
    """y = -x.   x̄ = -ȳ"""

    floating_only = False
    instead = "use ~x or x.logical_not()"
    ufunc = np.negative

    def eval(x):
        return np.negative(x)

    def vjp(g, _y, _x):
        return (-g,)


class Abs(Unary):
    """y = |x|.   x̄ = ȳ·sign(x), and 0 at x = 0"""

    floating_only = False
    special = (0.0,)
    instead = "a bool is not negative"
    ufunc = np.absolute

    def eval(x):
        return np.absolute(x)

    def vjp(g, _y, x):
        return (g * bind(Sign, x),)


class Sign(PiecewiseConstant):
    """y = -1, 0 or 1, and 0 for NaN as in PyTorch.   x̄ = 0"""

    floating_only = False
    special = (0.0,)

    def eval(x):
        return x.copy() if x.dtype == np.bool_ else np.subtract(x > 0, x < 0, dtype=x.dtype)


class Side(PiecewiseConstant):
    """y = -1 where the sign bit is set, else 1: it tells -0 from 0, which no comparison does.   x̄ = 0"""

    floating_only = False
    special = (0.0, -0.0)

    def eval(x):
        return np.where(np.signbit(x), -1, 1).astype(x.dtype) if x.dtype.kind in "fi" else np.ones_like(x)


class Exponent(Unary):
    """y = the n with x = m·2ⁿ, 1/2 ≤ |m| < 1; int32.  A rounded logarithm is off by one beside powers of 2."""

    result = int32
    differentiable = False
    why_not = "it is a whole number"

    def eval(x):
        return np.frexp(x)[1]


class Floor(PiecewiseConstant):
    """y = the largest integer not above x.   x̄ = 0"""

    special = (1.0,)
    ufunc = np.floor

    def eval(x):
        return np.floor(x)


class Ceil(PiecewiseConstant):
    """y = the smallest integer not below x.   x̄ = 0"""

    special = (1.0,)
    ufunc = np.ceil

    def eval(x):
        return np.ceil(x)


class Trunc(PiecewiseConstant):
    """y = x without its fraction.   x̄ = 0"""

    special = (1.0,)
    ufunc = np.trunc

    def eval(x):
        return np.trunc(x)


class Round(PiecewiseConstant):
    """y = the nearest integer, halves to the even one.   x̄ = 0"""

    special = (0.5, 1.5)
    ufunc = np.rint

    def eval(x):
        return np.rint(x)


class Add(Binary):
    """y = a + b.   ā = ȳ,  b̄ = ȳ"""

    ufunc = np.add

    def eval(a, b):
        return np.add(a, b)

    def vjp(g, _y, _a, _b):
        return g, g


class Sub(Binary):
    """y = a - b.   ā = ȳ,  b̄ = -ȳ"""

    instead = "use a ^ b or a.logical_xor(b)"
    ufunc = np.subtract

    def eval(a, b):
        return np.subtract(a, b)

    def vjp(g, _y, _a, _b):
        return g, lambda: -g


class Mul(Binary):
    """y = a·b.   ā = ȳ·b,  b̄ = ȳ·a"""

    ufunc = np.multiply
    reads = ("b", "a")

    def eval(a, b):
        return np.multiply(a, b)

    def vjp(g, _y, a, b):
        return lambda: g * b, lambda: g * a


class Div(Binary):
    """y = a / b.   ā = ȳ / b,  b̄ = -ȳ·(a / b) / b, without y, which a program may go on to change in place"""

    domains = ((-2.0, 2.0), (0.5, 2.0))
    floating_only = True
    ufunc = np.divide
    reads = ("b", "a b")

    def eval(a, b):
        return np.divide(a, b)

    def vjp(g, _y, a, b):
        return lambda: g / b, lambda: -(g * (a / b) / b)


class Maximum(Binary):
    """y = max(a, b); NaN wins.   ȳ goes to the larger; where equal, half to each (as PyTorch)"""

    ufunc = np.maximum

    def eval(a, b):
        return np.maximum(a, b)

    def vjp(g, _y, a, b):
        return lambda: g * _share(a, b), lambda: g * _share(b, a)

    @classmethod
    def samples(cls, r):
        yield from super().samples(r)
        yield Sample(np.array([1.0, 2.0]), np.array([1.0, 2.0]), kink=True)


class Minimum(Binary):
    """y = min(a, b); NaN wins.   ȳ goes to the smaller; where equal, half to each (as PyTorch)"""

    ufunc = np.minimum

    def eval(a, b):
        return np.minimum(a, b)

    def vjp(g, _y, a, b):
        return lambda: g * _share(b, a), lambda: g * _share(a, b)

    @classmethod
    def samples(cls, r):
        yield from super().samples(r)
        yield Sample(np.array([1.0, 2.0]), np.array([1.0, 2.0]), kink=True)


def _share(larger: Any, smaller: Any) -> Any:
    """1 where the first is larger, one half where equal, else 0; 1 beside NaN, as in PyTorch."""
    dtype = larger.dtype
    less, same = bind(Lt, larger, smaller), bind(Eq, larger, smaller)
    return 1 - bind(Cast, less, dtype=dtype) - bind(Cast, same, dtype=dtype) * 0.5


class Quotient(Binary, abstract=True):
    """Jumps where a / b is a whole number: samples lie between the jumps, so that finite differences apply."""

    @classmethod
    def samples(cls, r):
        for shape, dtype in (((3, 4), "float64"), ((), "float64"), ((0,), "float64"), ((4,), "float32")):
            b = r.uniform(0.7, 2.0, shape) * r.choice((-1, 1), shape)
            yield Sample(
                (b * (r.integers(-4, 4, shape) + r.uniform(0.1, 0.9, shape))).astype(dtype), b.astype(dtype)
            )
        yield Sample(r.integers(-9, 9, (5,)), r.integers(1, 4, (5,)))

    @classmethod
    def errors(cls, r):
        yield from super().errors(r)
        yield Bad(np.array([1, 2]), np.array([1, 0]), message="divided by zero")


def refuse_zero(b: Array) -> None:
    """Whole numbers have no infinity to divide by zero with."""
    if b.dtype.kind in "iu" and not b.all():
        raise UsageError("whole numbers are divided by zero", hint="x.float(), or where(b == 0, 1, b)")


class FloorDivide(Quotient):
    """y = ⌊a / b⌋.   ā = b̄ = 0, as for every step function"""

    instead = "convert them with .int()"
    ufunc = np.floor_divide

    def eval(a, b):
        refuse_zero(b)
        return np.floor_divide(a, b)

    def vjp(g, _y, _a, _b):
        return lambda: fill(g), lambda: fill(g)


class Remainder(Quotient):
    """y = a - b·⌊a / b⌋, with the sign of b (Python's %).   ā = ȳ,  b̄ = -ȳ·⌊a / b⌋"""

    instead = "convert them with .int()"
    ufunc = np.remainder

    def eval(a, b):
        refuse_zero(b)
        return np.remainder(a, b)

    def vjp(g, _y, a, b):
        return g, lambda: -(g * bind(FloorDivide, a, b))


class NextAfter(Binary):
    """y = the floating number next to a, towards b; b itself if a is there.   ā = ȳ, and 0 where a is b;  b̄ = 0"""

    floating_only = True
    ufunc = np.nextafter

    def eval(a, b):
        return np.nextafter(a, b)

    def vjp(g, _y, a, b):
        return lambda: bind(Where, bind(Eq, a, b), fill(g), g), lambda: fill(g)

    @classmethod
    def samples(cls, r):
        for sample in super().samples(r):
            yield Sample(*sample.inputs, grad=(0,))  # for b the slope is 0 almost everywhere
        yield Sample(np.array([1.0, 2.0]), np.array([1.0, 3.0]), kink=True)
