"""What the members of a family of ops share: type rules, batching and samples, written once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Bad, Op, Sample, bind, constant, context, make_tensor
from ..types import DType, TensorType, bool_, float32


def fill(like: Any, value: Any = 0.0) -> Any:
    """A constant of the shape and dtype of ``like`` (a tensor or a TensorType), stored as one number."""
    from .shape import Broadcast

    shape, dtype = tuple(like.shape), like.dtype
    number = scalar(value, dtype)
    if context.tracer is None:  # the same as the op below, without the detour: scalars are everywhere
        repeated = np.ndarray(shape, dtype.numpy, number, 0, (0,) * len(shape))  # type: ignore[arg-type]
        return make_tensor(repeated, TensorType(shape, dtype))
    return bind(Broadcast, constant(number), shape=shape)


def scalar(value: Any, dtype: DType) -> Any:
    """A number in ``dtype``.  Whole numbers wrap around, and large ones become infinite, as in PyTorch."""
    try:
        if dtype is float32 and not -3e38 < value < 3e38:
            with np.errstate(over="ignore"):
                return np.array(value, np.float32)
        return np.array(value, dtype.numpy)
    except OverflowError:
        if not -(2**63) <= value < 2**63:
            raise DTypeError(f"{value} is beyond int64", hint=f"use a floating number: {value:g}") from None
        return np.array(value, np.int64).astype(dtype.numpy)


def lead(x: Any, batched: bool, size: int) -> Any:
    """``x`` with a leading batch axis: as it is, or repeated without copying."""
    from .shape import Broadcast

    return x if batched else bind(Broadcast, x, shape=(size, *x.shape))


def batch_size(batched: tuple[bool, ...], inputs: Iterable[Any]) -> int:
    """Length of the batch axis, from the first input that has one."""
    return next(x.shape[0] for x, b in zip(inputs, batched, strict=True) if b)


def require_floating(op: type[Op], x: TensorType) -> None:
    if not x.dtype.is_floating_point:
        raise DTypeError(
            f"{op.name} needs a floating tensor, not {x.dtype!r}",
            hint="convert it with .float() (float32) or .double()",
        )


class Elementwise(Op, abstract=True):
    """Result element i depends on element i of each input: equal shapes and dtypes in, the same shape out."""

    floating_only: ClassVar[bool] = True
    result: ClassVar[DType | None] = None
    """Dtype of the result; None: that of the inputs."""
    instead: ClassVar[str] = ""
    """For what is not defined on bools: what to write instead."""

    @classmethod
    def type(cls, *types: TensorType) -> TensorType:
        first = types[0]
        for other in types[1:]:
            if other.shape != first.shape:
                raise ShapeError(
                    f"{cls.name} takes equal shapes, got {tuple(first.shape)} and {tuple(other.shape)}",
                    hint="use the function of the same name in retrograd, which broadcasts",
                )
            if other.dtype is not first.dtype:
                raise DTypeError(
                    f"{cls.name} takes equal dtypes, got {first.dtype!r} and {other.dtype!r}",
                    hint="use the function of the same name in retrograd, which promotes",
                )
        if cls.floating_only and not first.dtype.is_floating_point:
            require_floating(cls, first)
        if cls.instead and first.dtype is bool_:
            raise DTypeError(f"{cls.name} is not defined for bool tensors", hint=cls.instead)
        return first if cls.result is None else TensorType(first.shape, cls.result)

    @classmethod
    def batch(cls, batched: tuple[bool, ...], *inputs: Any, **params: Any) -> Any:
        n = batch_size(batched, inputs)
        return bind(cls, *(lead(x, b, n) for x, b in zip(inputs, batched, strict=True)), **params)


class Unary(Elementwise, abstract=True):
    """One input.  ``domain``: where samples are drawn; ``special``: points with a stated convention (no finite
    differences there); ``exact``: further points that are differentiable and worth trying."""

    domain: ClassVar[tuple[float, float]] = (-2.0, 2.0)
    special: ClassVar[tuple[float, ...]] = ()
    exact: ClassVar[tuple[float, ...]] = ()

    @classmethod
    def samples(cls, r: np.random.Generator) -> Iterable[Sample]:
        low, high = cls.domain
        yield Sample(r.uniform(low, high, (3, 4)))
        yield Sample(r.uniform(low, high, ()))
        yield Sample(np.zeros((0, 2)))
        yield Sample(r.uniform(low, high, (2, 3)).astype("float32"))
        if cls.exact:
            yield Sample(np.array(cls.exact))
        if cls.special:
            yield Sample(np.array(cls.special), kink=True)

    @classmethod
    def errors(cls, r: np.random.Generator) -> Iterable[Bad]:
        if cls.floating_only:
            yield Bad(np.array([1, 2]), message="needs a floating tensor")
        if cls.instead:
            yield Bad(np.array([True]), message="not defined for bool")


class Binary(Elementwise, abstract=True):
    """Two inputs of one shape and dtype.  ``domains``: where the samples of each are drawn."""

    domains: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-2.0, 2.0), (-2.0, 2.0))
    floating_only = False

    @classmethod
    def samples(cls, r: np.random.Generator) -> Iterable[Sample]:
        (a, b), (c, d) = cls.domains
        for shape in ((3, 4), (), (0,), (2, 1, 3)):
            yield Sample(r.uniform(a, b, shape), r.uniform(c, d, shape))
        yield Sample(r.uniform(a, b, (4,)).astype("float32"), r.uniform(c, d, (4,)).astype("float32"))
        if not cls.floating_only:
            yield Sample(r.integers(1, 9, (5,)), r.integers(1, 4, (5,)))

    @classmethod
    def errors(cls, r: np.random.Generator) -> Iterable[Bad]:
        yield Bad(r.uniform(size=(2, 3)), r.uniform(size=(3,)), message="takes equal shapes")
        yield Bad(r.uniform(size=3), r.uniform(size=3).astype("float32"), message="takes equal dtypes")
        if cls.instead:
            yield Bad(np.array([True]), np.array([True]), message="not defined for bool")


class Comparison(Binary, abstract=True):
    """A yes or no per element: no derivative."""

    result = bool_
    differentiable = False
    why_not = "a comparison is constant almost everywhere"


class PiecewiseConstant(Unary, abstract=True):
    """Steps: the derivative is 0 wherever it exists, and by convention 0 at the jumps."""

    def vjp(g: Any, _y: Any, _x: Any) -> tuple[Any, ...]:  # type: ignore[misc]
        return (fill(g),)
