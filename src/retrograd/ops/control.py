"""Primitives that steer the derivative and leave the value alone."""

from __future__ import annotations

import numpy as np

from ..op import Array, Op, Sample, bind
from ..types import TensorType


class Detach(Op):
    """y = x, with no derivative.  Staged by `Tensor.detach` while a function is traced, so that a derivative that is taken
    of the finished graph stops where one taken inside would have stopped."""

    differentiable = False
    why_not = "it was detached"

    def type(x: TensorType) -> TensorType:
        return x

    def eval(x: Array) -> Array:
        return np.array(x)

    def batch(batched, x):
        return bind(Detach, x)

    def samples(r):
        yield Sample(r.normal(size=(2, 3)))
        yield Sample(r.integers(0, 9, (2,)))

    def errors(r):
        return ()
