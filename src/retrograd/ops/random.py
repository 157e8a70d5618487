"""Randomness: numbers as a pure function of (seed, counter), so that every backend draws the same ones."""

from __future__ import annotations

import numpy as np

from ..errors import DTypeError, ShapeError
from ..op import Array, Bad, Op, Sample, bind
from ..types import DType, Shape, TensorType, dtype_of, float32, float64, int64, size

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
