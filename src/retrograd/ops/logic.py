"""Elementwise primitives that compare, choose, combine bits and change the dtype."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind
from ..types import DType, TensorType, bool_, dtype_of
from ._family import Comparison, Elementwise, batch_size, fill, lead


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


class Whole(Bitwise, abstract=True):
    """Two whole numbers, bools not among them."""

    why_not = "it acts on whole numbers"

    @classmethod
    def type(cls, *types: TensorType) -> TensorType:
        out = super().type(*types)
        if out.dtype is bool_:
            raise DTypeError(f"{cls.name} takes integers, not bools", hint="convert them with .int()")
        return out

    @classmethod
    def samples(cls, r: np.random.Generator) -> Iterable[Sample]:
        for shape in ((3, 2), (), (0,)):
            yield Sample(*(r.integers(-9, 9, shape) for _ in range(cls.arity)))
            yield Sample(*(r.integers(0, 9, shape).astype(np.uint8) for _ in range(cls.arity)))

    @classmethod
    def errors(cls, r: np.random.Generator) -> Iterable[Bad]:
        yield from super().errors(r)
        yield Bad(np.array([True]), np.array([True]), message="not bools")


class ShiftLeft(Whole):
    """y = a·2ᵇ without the bits that fall out; 0 for b < 0, where 2ᵇ is not whole"""

    def eval(a, b):
        return np.where((b < 0) | (b >= a.itemsize * 8), 0, np.left_shift(a, np.maximum(b, 0))).astype(
            a.dtype
        )


class ShiftRight(Whole):
    """y = ⌊a/2ᵇ⌋, also where 2ᵇ is beyond the dtype (a negative b counts as that)"""

    def eval(a, b):
        most = a.itemsize * 8 - 1
        return np.right_shift(
            a, np.where((b < 0) | (b > most), most + (a.dtype.kind == "u"), b).astype(a.dtype)
        )


class Gcd(Whole):
    """y = the largest number that divides a and b: a loop whose length depends on the values"""

    ufunc = np.gcd

    def eval(a, b):
        return np.gcd(a, b)


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
