"""Randomness: numbers as a pure function of (seed, counter), so that every backend draws the same ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UsageError
from ..op import Array, Bad, Op, Sample, bind
from ..types import DType, Shape, TensorType, dtype_of, float32, float64, int64, size
from ._family import batch_size, lead

WORDS_PER_BLOCK = 4
"""Philox gives four 64-bit words for each value of its counter."""


def blocks(shape: Shape, dtype: DType) -> int:
    """How far drawing ``shape`` moves the counter: two float32 or one float64 per 64-bit word."""
    per_block = WORDS_PER_BLOCK * (2 if dtype is float32 else 1)
    return -(-size(shape) // per_block)


class Uniform(Op):
    """y ~ U[0, 1): Philox4x64-10 (Salmon et al., SC 2011) keyed by the seed, at a counter; 24 or 53 random bits each.

    ``state`` is int64 [seed, counter], or a batch of such rows, each with numbers of its own.  Element i depends on seed,
    counter + i // block and nothing else.
    """

    differentiable = False
    why_not = "random numbers depend on no parameter"

    def type(state: TensorType, *, shape: Shape, dtype: DType) -> TensorType:
        dtype = dtype_of(dtype)
        if state.shape[-1:] != (2,) or state.dtype is not int64:
            raise ShapeError(
                f"uniform needs an int64 state [seed, counter], got {state!r}", hint="use retrograd.rand(...)"
            )
        if not dtype.is_floating_point:
            raise DTypeError(
                f"uniform draws floating numbers, not {dtype!r}", hint="use retrograd.randint for integers"
            )
        return TensorType((*state.shape[:-1], *shape), dtype)

    def eval(state: Array, *, shape: Shape, dtype: DType) -> Array:
        if state.ndim > 1:
            rows = [Uniform.eval(row, shape=shape, dtype=dtype) for row in state.reshape(-1, 2)]
            drawn = np.array(rows, dtype_of(dtype).numpy)
            return drawn.reshape(*state.shape[:-1], *shape)
        dtype = dtype_of(dtype)
        seed, counter = int(state[0]), int(state[1])
        # NumPy steps the counter before the first block, so it starts one below.
        start = (counter - 1) % 2**256
        generator = np.random.Philox(key=seed % 2**64, counter=start)
        words = generator.random_raw(WORDS_PER_BLOCK * blocks(shape, dtype))
        if dtype is float64:
            values = (words >> np.uint64(11)) * 2.0**-53
        else:
            values = (words.view(np.uint32) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)
        return values[: size(shape)].reshape(shape)

    def batch(batched, state, *, shape, dtype):
        return bind(Uniform, state, shape=shape, dtype=dtype)

    def samples(r):
        yield Sample(np.array([3, 0]), shape=(3, 5), dtype=float32)
        yield Sample(np.array([7, 12]), shape=(4,), dtype=float64)
        yield Sample(np.array([7, 12]), shape=(0,), dtype=float64)
        yield Sample(np.array([[7, 12], [7, 13]]), shape=(4,), dtype=float32)

    def errors(r):
        yield Bad(np.array([3.0, 0.0]), shape=(2,), dtype=float32, message="int64 state")
        yield Bad(np.array([3, 0]), shape=(2,), dtype=int64, message="floating")


def _check_state(op: type[Op], state: TensorType, shape: Shape) -> None:
    n = len(state.shape) - 1
    if n < 0 or state.shape[n] != 2 or state.dtype is not int64 or state.shape[:n] != shape[:n]:
        raise ShapeError(
            f"{op.name} needs an int64 state [seed, counter] for each example, got {state!r}",
            hint=f"use retrograd.{op.name}(...)",
        )


def _each(draw: Callable[..., Array], state: Array, *inputs: Array) -> Array:
    """``draw`` in float64 for each state of a batch, with its part of the inputs."""
    states = state.reshape(-1, 2)
    parts = [x.astype(np.float64).reshape(len(states), x.size // max(len(states), 1)) for x in inputs]
    rows = [draw(_stream(s), *(p[k] for p in parts)) for k, s in enumerate(states)]
    return np.reshape(rows, inputs[0].shape).astype(inputs[0].dtype)


def _stream(state: Array) -> Callable[[int], Array]:
    """Numbers in [0, 1), as many as are asked for each time: a stream apart from the one of `Uniform`.

    How many a rejection takes depends on chance, so the counter of the state counts whole streams here.
    """
    seed, counter = int(state[0]) % 2**64, int(state[1]) % 2**64
    generator = np.random.Philox(key=seed + (1 << 64), counter=((counter << 64) - 1) % 2**256)
    return lambda n: (generator.random_raw(n) >> np.uint64(11)) * 2.0**-53


def _reject(draw: Callable[[int], Array], n: int, attempt: Callable[[Array, Array, Array], Any]) -> Array:
    """``attempt(u, v, which)`` proposes a value for each element that has none yet, until all have one."""
    out, left = np.zeros(n), np.arange(n)
    while left.size:
        uv = draw(2 * left.size)
        value, good = attempt(uv[: left.size], uv[left.size :], left)
        out[left[good]] = value[good]
        left = left[~good]
    return out


_SMALL = np.array([np.sum(np.log(np.arange(1.0, k + 1))) for k in range(10)])


def log_factorial(k: Array) -> Array:
    """ln k! by Stirling's series (from 10 on, to 1e-13)."""
    m = np.maximum(k, 10.0)
    series = 1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * m * m)) / (m * m)) / (m * m)
    long = m * np.log(m) - m + 0.5 * np.log(2 * np.pi * m) + series / m
    return np.where(k < 10, _SMALL[np.clip(k, 0, 9).astype(int)], long)


def _poisson(draw: Callable[[int], Array], rate: Array) -> Array:
    out = np.where(np.isfinite(rate), 0.0, rate)
    few = np.flatnonzero((rate > 0) & (rate < 10))
    if few.size:  # the distribution function is searched from 0
        u, term = draw(few.size), np.exp(-rate[few])
        total, k = term.copy(), 0
        while k < 100 and (more := u >= total).any():
            k += 1
            out[few] += more
            term = term * rate[few] / k
            total += term
    many = np.flatnonzero((rate >= 10) & np.isfinite(rate))
    mean = rate[many]
    b = 0.931 + 2.53 * np.sqrt(mean)
    a = -0.059 + 0.02483 * b

    def attempt(u: Array, v: Array, at: Array) -> Any:  # PTRS of Hörmann, 1993
        u, m, aa, bb = u - 0.5, mean[at], a[at], b[at]
        us = 0.5 - np.abs(u)
        k = np.floor((2 * aa / us + bb) * u + m + 0.43)
        quick = (us >= 0.07) & (v <= 0.9277 - 3.6224 / (bb - 2))
        height = np.log(v * (1.1239 + 1.1328 / (bb - 3.4)) / (aa / (us * us) + bb))
        slow = height <= k * np.log(m) - m - log_factorial(k)
        return k, (k >= 0) & (quick | (slow & ~((us < 0.013) & (v > us))))

    out[many] = _reject(draw, many.size, attempt)
    return out


class Poisson(Op):
    """y ~ Poisson(rate): P(y = k) = rate^k·e^-rate / k!, as floating numbers

    By search below a rate of 10, by transformed rejection above (Hörmann, 1993).  A primitive because the number of
    draws depends on chance.
    """

    differentiable = False
    why_not = "the number of random events does not change smoothly"

    def type(state: TensorType, rate: TensorType) -> TensorType:
        _check_state(Poisson, state, rate.shape)
        if not rate.dtype.is_floating_point:
            raise DTypeError(f"poisson needs floating rates, not {rate.dtype!r}", hint="rate.float()")
        return rate

    def eval(state: Array, rate: Array) -> Array:
        if (rate < 0).any():
            raise UsageError(f"poisson of the rate {rate.min()}", hint="rates are at least 0")
        return _each(_poisson, state, rate)

    def batch(batched, *inputs):
        n = batch_size(batched, inputs)
        return bind(Poisson, *(lead(x, b, n) for x, b in zip(inputs, batched, strict=True)))

    def samples(r):
        yield Sample(np.array([3, 0]), r.uniform(0, 40, (3, 4)))
        yield Sample(np.array([[3, 5], [4, 5]]), np.array([[0.0, 9.9], [10.0, 1e6]]))
        yield Sample(np.array([7, 1]), np.zeros((0, 2), "float32"))

    def errors(r):
        yield Bad(np.array([3, 0]), np.array([-1.0]), message="rate")
        yield Bad(np.array([3, 0]), np.array([1]), message="floating")
        yield Bad(np.array([3.0, 0.0]), np.array([1.0]), message="int64 state")


def _binomial(draw: Callable[[int], Array], count: Array, chance: Array) -> Array:
    turned = chance > 0.5
    p = np.where(turned, 1 - chance, chance)
    out = np.zeros(count.size)
    few = np.flatnonzero((count * p < 10) & (p > 0) & (count > 0))
    if few.size:
        n, odds = count[few], p[few] / (1 - p[few])
        u, term = draw(few.size), np.exp(n * np.log1p(-p[few]))
        total, k = term.copy(), 0
        while k < 100 and (more := (u >= total) & (k < n)).any():
            k += 1
            out[few] += more
            term = term * odds * (n - k + 1) / k
            total += term
    many = np.flatnonzero(count * p >= 10)
    n, q = count[many], p[many]
    spread = np.sqrt(n * q * (1 - q))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * q
    mode = np.floor((n + 1) * q)

    def attempt(u: Array, v: Array, at: Array) -> Any:  # BTRS of Hörmann, 1993
        u, nn, qq, aa, bb, m = u - 0.5, n[at], q[at], a[at], b[at], mode[at]
        us = 0.5 - np.abs(u)
        k = np.floor((2 * aa / us + bb) * u + nn * qq + 0.5)
        inside = (k >= 0) & (k <= nn)
        k = np.clip(k, 0, nn)
        quick = (us >= 0.07) & (v <= 0.92 - 4.2 / bb)
        height = np.log(v * (2.83 + 5.1 / bb) * spread[at] / (aa / (us * us) + bb))
        level = log_factorial(m) + log_factorial(nn - m) - log_factorial(k) - log_factorial(nn - k)
        slow = height <= level + (k - m) * np.log(qq / (1 - qq))
        return k, inside & (quick | slow)

    out[many] = _reject(draw, many.size, attempt)
    return np.where(turned, count - out, out)


class Binomial(Op):
    """y ~ Binomial(count, chance): P(y = k) = (count over k)·chance^k·(1 - chance)^(count - k), as floating numbers

    By search where fewer than 10 successes are expected, by transformed rejection elsewhere (Hörmann, 1993).  A primitive
    because the number of draws depends on chance.
    """

    differentiable = False
    why_not = "the number of successes does not change smoothly"

    def type(state: TensorType, count: TensorType, chance: TensorType) -> TensorType:
        _check_state(Binomial, state, count.shape)
        if count != chance or not count.dtype.is_floating_point:
            raise DTypeError(
                f"binomial of {count!r} and {chance!r}", hint="floating tensors of one shape and dtype"
            )
        return count

    def eval(state: Array, count: Array, chance: Array) -> Array:
        if not ((count >= 0) & (chance >= 0) & (chance <= 1)).all():
            raise UsageError("binomial: a count below 0 or a chance outside [0, 1]", hint="check the inputs")
        return _each(_binomial, state, np.floor(count), chance)

    def batch(batched, *inputs):
        n = batch_size(batched, inputs)
        return bind(Binomial, *(lead(x, b, n) for x, b in zip(inputs, batched, strict=True)))

    def samples(r):
        yield Sample(np.array([3, 0]), r.integers(0, 200, (3, 4)).astype(float), r.uniform(0, 1, (3, 4)))
        yield Sample(np.array([3, 5]), np.array([0.0, 5.0, 1e6]), np.array([0.5, 1.0, 0.3]))
        yield Sample(np.array([7, 1]), np.zeros((0, 2), "float32"), np.zeros((0, 2), "float32"))

    def errors(r):
        yield Bad(np.array([3, 0]), np.array([4.0]), np.array([1.5]), message="chance")
        yield Bad(np.array([3, 0]), np.array([4]), np.array([1]), message="floating|binomial of")
        yield Bad(np.array([3.0, 0.0]), np.array([4.0]), np.array([1.0]), message="int64 state")
