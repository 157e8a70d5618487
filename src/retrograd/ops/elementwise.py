"""Elementwise primitives: y_i = f(x_i), and their local derivatives.

x̄ is the cotangent dLoss/dx, ȳ (written ``g``) the one that arrives.  Samples lie where the function is smooth; points
where a derivative is a convention are listed as ``special`` with the convention in the docstring.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind
from ..types import DType, TensorType, bool_, dtype_of
from ._family import Binary, Comparison, Elementwise, PiecewiseConstant, Unary, batch_size, fill, lead
from ._special import erf as _erf


class Neg(Unary):
    """y = -x.   x̄ = -ȳ"""

    floating_only = False
    ufunc = np.negative

    def eval(x):
        return np.negative(x)

    def vjp(g, _y, _x):
        return (-g,)

    def type(x):
        if x.dtype is bool_:
            raise DTypeError("neg is not defined for bool tensors", hint="use ~x or x.logical_not()")
        return x

    def errors(r):
        yield Bad(np.array([True]), message="not defined for bool")


class Abs(Unary):
    """y = |x|.   x̄ = ȳ·sign(x), and 0 at x = 0"""

    floating_only = False
    special = (0.0,)
    ufunc = np.absolute

    def eval(x):
        return np.absolute(x)

    def vjp(g, _y, x):
        return (g * bind(Sign, x),)


class Sign(PiecewiseConstant):
    """y = -1, 0 or 1.   x̄ = 0"""

    floating_only = False
    special = (0.0,)

    def eval(x):
        return x.copy() if x.dtype == np.bool_ else np.sign(x)


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
    """y = max(0, x).   x̄ = ȳ where x > 0, else 0; at x = 0 the derivative is 0, as in PyTorch.  NaN stays NaN."""

    floating_only = False
    special = (0.0,)

    def eval(x):
        return np.maximum(x, 0)

    # The result shows which side of the kink each element was on: nothing is recomputed, and the input can be freed.
    def vjp(g, y, _x):
        return (bind(MaskedBy, g, y),)


class MaskedBy(Binary):
    """y = a where b > 0, else 0: the reverse of relu.   ā = ȳ where b > 0; b only selects"""

    floating_only = False

    def eval(a, b):
        return a * (b > 0)

    def vjp(g, _y, _a, b):
        return (bind(MaskedBy, g, b), None)

    def samples(r):
        for shape in ((3, 4), (), (0,)):
            yield Sample(r.normal(size=shape), r.normal(size=shape), grad=(0,))
        yield Sample(r.integers(-3, 3, (5,)), r.integers(-3, 3, (5,)))


class Add(Binary):
    """y = a + b.   ā = ȳ,  b̄ = ȳ"""

    ufunc = np.add

    def eval(a, b):
        return np.add(a, b)

    def vjp(g, _y, _a, _b):
        return g, g


class Sub(Binary):
    """y = a - b.   ā = ȳ,  b̄ = -ȳ"""

    ufunc = np.subtract

    def eval(a, b):
        return np.subtract(a, b)

    def vjp(g, _y, _a, _b):
        return g, lambda: -g

    @classmethod
    def type(cls, *types):
        if types[0].dtype is bool_:
            raise DTypeError(
                "subtraction is not defined for bool tensors", hint="use a ^ b or a.logical_xor(b)"
            )
        return super().type(*types)


class Mul(Binary):
    """y = a·b.   ā = ȳ·b,  b̄ = ȳ·a"""

    ufunc = np.multiply

    def eval(a, b):
        return np.multiply(a, b)

    def vjp(g, _y, a, b):
        return lambda: g * b, lambda: g * a


class Div(Binary):
    """y = a / b.   ā = ȳ / b,  b̄ = -ȳ·y / b"""

    domains = ((-2.0, 2.0), (0.5, 2.0))
    floating_only = True
    ufunc = np.divide

    def eval(a, b):
        return np.divide(a, b)

    def vjp(g, y, _a, b):
        return lambda: g / b, lambda: -(g * y / b)


class Pow(Binary):
    """y = aᵇ.   ā = ȳ·b·a^(b-1), 0 where b = 0;  b̄ = ȳ·y·ln a, 0 where a = 0 and b ≥ 0 (PyTorch's conventions)"""

    domains = ((0.3, 2.0), (-2.0, 2.0))

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
    """1 where the first is larger, one half where equal, else 0."""
    dtype = larger.dtype
    more, same = bind(Gt, larger, smaller), bind(Eq, larger, smaller)
    return bind(Cast, more, dtype=dtype) + bind(Cast, same, dtype=dtype) * 0.5


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


class FloorDivide(Quotient):
    """y = ⌊a / b⌋.   ā = b̄ = 0, as for every step function"""

    ufunc = np.floor_divide

    def eval(a, b):
        return np.floor_divide(a, b)

    def vjp(g, _y, _a, _b):
        return lambda: fill(g), lambda: fill(g)


class Remainder(Quotient):
    """y = a - b·⌊a / b⌋, with the sign of b (Python's %).   ā = ȳ,  b̄ = -ȳ·⌊a / b⌋"""

    ufunc = np.remainder

    def eval(a, b):
        return np.remainder(a, b)

    def vjp(g, _y, a, b):
        return g, lambda: -(g * bind(FloorDivide, a, b))


class Eq(Comparison):
    """y = (a == b)"""

    def eval(a, b):
        return np.equal(a, b)


class Ne(Comparison):
    """y = (a != b)"""

    def eval(a, b):
        return np.not_equal(a, b)


class Lt(Comparison):
    """y = (a < b)"""

    def eval(a, b):
        return np.less(a, b)


class Le(Comparison):
    """y = (a <= b)"""

    def eval(a, b):
        return np.less_equal(a, b)


class Gt(Comparison):
    """y = (a > b)"""

    def eval(a, b):
        return np.greater(a, b)


class Ge(Comparison):
    """y = (a >= b)"""

    def eval(a, b):
        return np.greater_equal(a, b)


class Bitwise(Elementwise, abstract=True):
    """Bit by bit on integers; on bool it is logic."""

    floating_only = False
    differentiable = False
    why_not = "it acts on bits"
    arity = 2

    @classmethod
    def type(cls, *types: TensorType) -> TensorType:
        out = super().type(*types)
        if out.dtype.is_floating_point:
            raise DTypeError(
                f"{cls.name} takes integers or bools, not {out.dtype!r}", hint="compare first, e.g. (x > 0)"
            )
        return out

    @classmethod
    def samples(cls, r: np.random.Generator) -> Iterable[Sample]:
        for shape in ((3, 2), (), (0,)):
            yield Sample(*(r.integers(0, 2, shape).astype(bool) for _ in range(cls.arity)))
            yield Sample(*(r.integers(-9, 9, shape) for _ in range(cls.arity)))

    @classmethod
    def errors(cls, r: np.random.Generator) -> Iterable[Bad]:
        yield Bad(*(r.uniform(size=3) for _ in range(cls.arity)), message="takes integers or bools")


class BitAnd(Bitwise):
    """y = a & b"""

    ufunc = np.bitwise_and

    def eval(a, b):
        return np.bitwise_and(a, b)


class BitOr(Bitwise):
    """y = a | b"""

    ufunc = np.bitwise_or

    def eval(a, b):
        return np.bitwise_or(a, b)


class BitXor(Bitwise):
    """y = a ^ b"""

    ufunc = np.bitwise_xor

    def eval(a, b):
        return np.bitwise_xor(a, b)


class BitNot(Bitwise):
    """y = ~a"""

    arity = 1
    ufunc = np.bitwise_not

    def eval(a):
        return np.bitwise_not(a)


class Where(Op):
    """y = a where c, else b.   ā = ȳ where c;  b̄ = ȳ where not c.  The branch not taken gets an exact 0."""

    def type(c: TensorType, a: TensorType, b: TensorType) -> TensorType:
        if c.dtype is not bool_:
            raise DTypeError(
                f"where needs a bool condition, not {c.dtype!r}",
                hint="write the comparison, e.g. where(x > 0, ...)",
            )
        if not (c.shape == a.shape == b.shape):
            raise ShapeError(
                f"where takes equal shapes, got {c.shape}, {a.shape} and {b.shape}",
                hint="use retrograd.where, which broadcasts",
            )
        if a.dtype is not b.dtype:
            raise DTypeError(
                f"where takes equal dtypes, got {a.dtype!r} and {b.dtype!r}", hint="use retrograd.where"
            )
        return a

    def eval(c, a, b):
        return np.where(c, a, b)

    def vjp(g, _y, c, _a, _b):
        return None, lambda: bind(Where, c, g, fill(g)), lambda: bind(Where, c, fill(g), g)

    def batch(batched, *inputs):
        n = batch_size(batched, inputs)
        return bind(Where, *(lead(x, b, n) for x, b in zip(inputs, batched, strict=True)))

    def samples(r):
        for shape in ((3, 4), (), (0, 2)):
            yield Sample(r.integers(0, 2, shape).astype(bool), r.normal(size=shape), r.normal(size=shape))

    def errors(r):
        yield Bad(r.normal(size=3), r.normal(size=3), r.normal(size=3), message="bool condition")
        yield Bad(np.array([True]), r.normal(size=3), r.normal(size=3), message="equal shapes")
        yield Bad(np.array([True]), np.zeros(1), np.zeros(1, "float32"), message="equal dtypes")


class Cast(Op):
    """y = x in another dtype (towards integers: towards zero).   x̄ = ȳ in the dtype of x; none through integers"""

    def type(x: TensorType, *, dtype: DType) -> TensorType:
        return TensorType(x.shape, dtype_of(dtype))

    def eval(x: Array, *, dtype: DType) -> Array:
        with np.errstate(
            invalid="ignore"
        ):  # NaN to integer has no right answer; NumPy's is kept, silently as PyTorch does
            return x.astype(dtype_of(dtype).numpy)

    def vjp(g, _y, _x, *, dtype):
        return (
            bind(Cast, g, dtype=_x.dtype)
            if _x.dtype.is_floating_point and dtype_of(dtype).is_floating_point
            else None,
        )

    def batch(batched, x, *, dtype):
        return bind(Cast, x, dtype=dtype)

    def samples(r):
        from ..types import float32, float64, int64

        yield Sample(r.normal(size=(3, 4)), dtype=float64)
        yield Sample(r.normal(size=(2,)).astype("float32"), dtype=float64)
        yield Sample(r.normal(size=(3,)) * 5, grad=(), dtype=int64)
        yield Sample(r.normal(size=(2, 2)) * 5, dtype=float32, order=0)
        yield Sample(np.array([0, 3]), dtype=bool_)

    def errors(r):
        return ()
