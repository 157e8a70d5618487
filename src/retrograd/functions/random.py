"""Seeded random functions on a counter-based generator: the same seed gives the same numbers on every backend.

PyTorch's generator is another one: the same seed gives other numbers there.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from ..device import device as Device
from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind, constant, context
from ..ops.random import Binomial, Poisson, Uniform, blocks
from ..types import DType, Shape, broadcast_shapes, dtype_of, float64, get_default_dtype, int64
from . import elementwise as e
from ._arguments import cast, common_dtype, is_tensor, require_tensor, together
from .create import check_device, shape_from
from .scan import cumsum
from .shape import integer, piece
from .sort import argsort, searchsorted, topk

__all__ = [
    "Generator", "bernoulli", "binomial", "default_generator", "get_rng_state", "initial_seed", "manual_seed",
    "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
    "randperm", "seed", "set_rng_state",
]  # fmt: skip


def _within(seed: int) -> int:
    if not -(2**63) <= seed < 2**64:
        raise UsageError(f"a seed has 64 bits, got {seed}", hint=f"manual_seed({seed % 2**63})")
    return seed


class Generator:
    """A stream of random numbers: a seed and a counter, nothing else.

    >>> import retrograd as rg
    >>> g = rg.Generator().manual_seed(1)
    >>> bool((rg.rand(3, generator=g) == rg.rand(3, generator=rg.Generator().manual_seed(1))).all())
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = Device(device)
        self._seed = 0
        self.counter = 0

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of ``seed``."""
        self._seed, self.counter = _within(integer("a seed", seed)) % 2**63, 0
        return self

    def seed(self) -> int:
        """Start a stream that nobody can foretell; returns its seed."""
        self.manual_seed(int.from_bytes(os.urandom(7), "little"))
        return self._seed

    def initial_seed(self) -> int:
        return self._seed

    def get_state(self) -> Any:
        """The state as an int64 tensor [seed, counter]."""
        return constant(np.array([self._seed, self.counter], np.int64))

    def set_state(self, state: Any) -> Generator:
        """Continue from a state that `get_state` gave."""
        self._seed, self.counter = (int(v) for v in np.asarray(state.numpy()))
        return self

    def take(self, n: int) -> Any:
        """The state now, as the input of an op; the counter moves on by ``n`` blocks."""
        if context.tracer is not None:
            return context.tracer.random_state(self, n)  # type: ignore[attr-defined]
        state = self.get_state()
        self.counter += n
        return state


default_generator = Generator().manual_seed(0)


def manual_seed(seed: int) -> Generator:
    """Seed the default stream"""
    try:
        whole = int(seed)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"a seed is a whole number, got {seed!r}", hint="retrograd.manual_seed(0)") from None
    return default_generator.manual_seed(whole)


def seed() -> int:
    """Seed the default stream unforeseeably; returns the seed"""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default stream"""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """State of the default stream"""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Continue the default stream from a saved state"""
    default_generator.set_state(new_state)


def _uniform(shape: Shape, dtype: Any, generator: Generator | None) -> Any:
    chosen = get_default_dtype() if dtype is None else dtype_of(dtype)
    if not chosen.is_floating_point:
        raise DTypeError(f"random numbers of {chosen!r}", hint="use randint for integers")
    state = (generator or default_generator).take(blocks(shape, chosen))
    return bind(Uniform, state, shape=shape, dtype=chosen)


def _normal(shape: Shape, dtype: Any, generator: Generator | None) -> Any:
    if 0 in shape and dtype is not None:  # nothing to draw: any dtype will do, as in PyTorch
        return constant(np.zeros(shape, dtype_of(dtype).numpy))
    u, v = _uniform(shape, dtype, generator), _uniform(shape, dtype, generator)
    radius = e.sqrt(e.mul(e.log1p(e.neg(u)), -2.0))
    return e.mul(radius, e.cos(e.mul(v, 2 * math.pi)))


def _finish(x: Any, device: Any, requires_grad: bool) -> Any:
    check_device(device)
    return x.requires_grad_() if requires_grad else x


def _demand(x: Any, holds: Any, message: str, hint: str) -> None:
    """Refuse inputs of the wrong range, where their values are known."""
    if isinstance(getattr(x, "_value", None), np.ndarray) and not bool(np.all(holds(x._value))):
        raise UsageError(message, hint=hint)


def rand(
    *args: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Uniform on [0, 1)"""
    return _finish(_uniform(shape_from("rand", args, size), dtype, generator), device, requires_grad)


def randn(
    *args: Any,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Standard normal: √(-2 ln(1 - u)) cos(2πv) (Box and Muller, 1958)"""
    return _finish(_normal(shape_from("randn", args, size), dtype, generator), device, requires_grad)


def rand_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """`rand` of the shape and dtype of ``input``"""
    drawn = _uniform(tuple(input.shape), dtype or input.dtype, generator)
    return _finish(drawn, device, requires_grad)


def randn_like(
    input: Any,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """`randn` of the shape and dtype of ``input``"""
    return _finish(_normal(tuple(input.shape), dtype or input.dtype, generator), device, requires_grad)


_LIMITS = {
    "bool": (0, 1),
    "uint8": (0, 2**8 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}


def _integers(low: int, high: int, shape: Shape, dtype: DType, generator: Generator | None) -> Any:
    n = high - low
    lowest, highest = _LIMITS.get(dtype.name, (-math.inf, math.inf))
    if n < 1 or n > 2**63 or low < lowest or high - 1 > highest:
        raise UsageError(
            f"randint from {low} to {high} in {dtype!r}", hint="low < high, and both within the dtype"
        )
    # 53 random bits choose among that many; beyond, they choose a block, and others a number in it.
    width = max(1, -(-n >> 53))
    drawn = cast(e.floor(e.mul(_uniform(shape, float64, generator), -(-n // width))), int64)
    if width > 1:
        inside = cast(e.floor(e.mul(_uniform(shape, float64, generator), width)), int64)
        drawn = e.remainder(e.add(e.mul(drawn, width), inside), n if n < 2**63 else 2**63 - 1)
    return cast(e.add(drawn, low), dtype)


def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Integers in [low, high), all equally likely up to 2⁻⁵³·(high - low): ``randint(high, size)``, ``randint(low, high, size)``"""
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if size is None:
        raise UsageError("randint without a size", hint="randint(low, high, (3,))")
    shape = shape_from("randint", (), tuple(size))
    kind = int64 if dtype is None else dtype_of(dtype)
    drawn = _integers(integer("low", low), integer("high", high), shape, kind, generator)
    return _finish(drawn, device, requires_grad)


def randint_like(
    input: Any,
    low: Any = 0,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """`randint` of the shape and dtype of ``input``: ``randint_like(x, high)``, ``randint_like(x, low, high)``"""
    if high is None:
        low, high = 0, low
    kind = input.dtype if dtype is None else dtype_of(dtype)
    first, last = integer("low", low), integer("high", high)
    return _finish(_integers(first, last, tuple(input.shape), kind, generator), device, requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """The numbers 0..n-1 in random order (int64)"""
    count = integer("n", n)
    if count < 0:
        raise ShapeError(f"randperm of {count}", hint="n is at least 0")
    order = argsort(_uniform((count,), float64, generator))
    return _finish(cast(order, int64 if dtype is None else dtype_of(dtype)), device, requires_grad)


def bernoulli(input: Any, p: float | None = None, *, generator: Generator | None = None) -> Any:
    """1 with the probability that ``input`` says (or ``p`` everywhere), else 0"""
    x = require_tensor("bernoulli", input)
    chance = x if p is None else constant(p)
    _demand(
        chance, lambda v: (v >= 0) & (v <= 1), "bernoulli of a chance outside [0, 1]", "give probabilities"
    )
    kind = x.dtype if p is None else float64
    return cast(e.lt(_uniform(tuple(x.shape), kind, generator), x if p is None else p), x.dtype)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Normal with a mean and a standard deviation: two numbers and a size, or tensors (of one number of elements)"""
    given = [v for v in (mean, std) if is_tensor(v)]
    _demand(
        std if is_tensor(std) else constant(std),
        lambda v: v >= 0,
        f"normal with std={std}",
        "std is at least 0",
    )
    if size is None:
        if not given:
            raise UsageError("normal of two numbers without a size", hint="normal(0.0, 1.0, (3,))")
        size = broadcast_shapes(*(tuple(v.shape) for v in given))
        dtype = common_dtype(*given)
    drawn = _normal(shape_from("normal", (), tuple(size)), dtype, generator)
    if 0 in drawn.shape:
        return _finish(drawn, device, requires_grad)
    return _finish(e.add(e.mul(drawn, std), mean), device, requires_grad)


def poisson(input: Any, generator: Generator | None = None) -> Any:
    """Counts of random events with the rates in ``input``, in its dtype: P(k) = input^k·e^-input / k!"""
    return bind(Poisson, (generator or default_generator).take(1), require_tensor("poisson", input).detach())


def binomial(count: Any, prob: Any, generator: Generator | None = None) -> Any:
    """Successes in ``count`` trials of chance ``prob`` each, in the dtype of ``count``"""
    pair = together(require_tensor("binomial", count).detach(), require_tensor("binomial", prob).detach())
    return bind(Binomial, (generator or default_generator).take(1), *pair)


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Any:
    """Indices drawn with probabilities in proportion to ``input``, along the last dimension"""
    x = require_tensor("multinomial", input)
    count = integer("num_samples", num_samples)
    if x.ndim not in (1, 2) or not x.dtype.is_floating_point:
        raise ShapeError(
            f"multinomial of {x._type!r}", hint="a floating vector, or a matrix with one in each row"
        )
    n = x.shape[-1]
    if count < 1 or n > 2**24 or (count > n and not replacement):
        raise ShapeError(
            f"multinomial: {count} of {n}", hint="at least 1, and no more than there are, or replacement=True"
        )
    fine = lambda v: np.isfinite(v).all() and (v >= 0).all() and (v.sum(-1) > 0).all()  # noqa: E731
    _demand(
        x,
        fine,
        "multinomial: weights that are negative, infinite, NaN, or all 0",
        "finite weights, not all 0",
    )
    if not replacement:  # those of weight 0 come last, as in PyTorch
        # The smallest of exponential waiting times with these rates come in the right order (Efraimidis, Spirakis 2006).
        wait = e.neg(e.log1p(e.neg(_uniform(tuple(x.shape), float64, generator))))
        return topk(e.div(wait, cast(x, float64)), count, largest=False).indices
    total = cumsum(cast(x, float64), -1)
    u = e.mul(_uniform((*x.shape[:-1], count), float64, generator), piece(total, x.ndim - 1, n - 1, n))
    return e.clamp(searchsorted(total, u, right=True), max=n - 1)
