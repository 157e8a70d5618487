"""Seeded random functions on a counter-based generator: the same seed gives the same numbers on every backend.

PyTorch's generator is another one: the same seed gives other numbers there.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import bind, constant, context
from ..ops.random import Uniform, blocks
from ..types import Shape, dtype_of, float64, get_default_dtype, int64
from . import elementwise as e
from . import reduce as r
from ._arguments import cast, expand, shape_of
from .scan import cumsum
from .sort import argsort, topk

__all__ = [
    "Generator", "bernoulli", "default_generator", "get_rng_state", "initial_seed", "manual_seed",
    "multinomial", "normal", "rand", "rand_like", "randint", "randn", "randn_like", "randperm", "seed",
    "set_rng_state",
]  # fmt: skip


class Generator:
    """A stream of random numbers: a seed and a counter, nothing else.

    >>> import retrograd as rg
    >>> g = rg.Generator().manual_seed(1)
    >>> bool((rg.rand(3, generator=g) == rg.rand(3, generator=rg.Generator().manual_seed(1))).all())
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        self._seed = 0
        self.counter = 0

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream of ``seed``."""
        self._seed, self.counter = int(seed) % 2**63, 0
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
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default stream unforeseeably; returns the seed"""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default stream"""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """State of the default stream"""
    return default_generator.get_state()


def set_rng_state(state: Any) -> None:
    """Continue the default stream from a saved state"""
    default_generator.set_state(state)


def _uniform(shape: Shape, dtype: Any, generator: Generator | None) -> Any:
    chosen = get_default_dtype() if dtype is None else dtype_of(dtype)
    if not chosen.is_floating_point:
        raise DTypeError(f"random numbers of {chosen!r}", hint="use randint for integers")
    state = (generator or default_generator).take(blocks(shape, chosen))
    return bind(Uniform, state, shape=shape, dtype=chosen)


def _finish(x: Any, requires_grad: bool) -> Any:
    return x.requires_grad_() if requires_grad else x


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Uniform on [0, 1)"""
    return _finish(_uniform(shape_of(size), dtype, generator), requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Standard normal: √(-2 ln(1 - u)) cos(2πv) (Box and Muller, 1958)"""
    shape = shape_of(size)
    u, v = _uniform(shape, dtype, generator), _uniform(shape, dtype, generator)
    radius = e.sqrt(e.mul(e.log1p(e.neg(u)), -2.0))
    return _finish(e.mul(radius, e.cos(e.mul(v, 2 * math.pi))), requires_grad)


def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = int64
) -> Any:
    """Integers in [low, high), all equally likely up to 2⁻⁵³·(high - low)"""
    if size is None:
        low, high, size = 0, low, high
    if high <= low:
        raise ShapeError(f"randint needs low < high, got {low} and {high}", hint="randint(low, high, size)")
    u = _uniform(shape_of((size,)), float64, generator)
    return cast(e.add(e.floor(e.mul(u, high - low)), low), dtype_of(dtype))


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = int64) -> Any:
    """The numbers 0..n-1 in random order"""
    return cast(argsort(_uniform((n,), float64, generator)), dtype_of(dtype))


def bernoulli(input: Any, *, generator: Generator | None = None) -> Any:
    """1 with the probability that ``input`` says, else 0"""
    return cast(e.lt(_uniform(tuple(input.shape), input.dtype, generator), input), input.dtype)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
) -> Any:
    """Normal with a mean and a standard deviation (numbers or tensors)"""
    if size is None:
        from ..types import broadcast_shapes

        shapes = [tuple(v.shape) for v in (mean, std) if hasattr(v, "_type")]
        size = broadcast_shapes(*shapes)
    return e.add(e.mul(randn(size, generator=generator, dtype=dtype), std), mean)


def rand_like(input: Any, *, dtype: Any = None) -> Any:
    """`rand` of the shape and dtype of ``input``"""
    return rand(input.shape, dtype=dtype or input.dtype)


def randn_like(input: Any, *, dtype: Any = None) -> Any:
    """`randn` of the shape and dtype of ``input``"""
    return randn(input.shape, dtype=dtype or input.dtype)


def multinomial(
    input: Any, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Any:
    """Indices drawn with probabilities in proportion to ``input``, along the last dimension"""
    n = input.shape[-1]
    if not replacement:
        if num_samples > n:
            raise ShapeError(
                f"multinomial: {num_samples} of {n} without replacement", hint="pass replacement=True"
            )
        # The smallest of exponential waiting times with these rates come in the right order (Efraimidis, Spirakis 2006).
        wait = e.neg(e.log1p(e.neg(_uniform(tuple(input.shape), float64, generator))))
        return topk(e.div(wait, cast(input, float64)), num_samples, largest=False).indices
    total = cumsum(cast(input, float64), -1)
    from .shape import narrow, unsqueeze

    u = e.mul(_uniform((*input.shape[:-1], num_samples), float64, generator), narrow(total, -1, n - 1, 1))
    steps = e.le(expand(unsqueeze(total, -2), (*input.shape[:-1], num_samples, n)), unsqueeze(u, -1))
    return r.sum(steps, -1)
