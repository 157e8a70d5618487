"""Ops with a wrong value or type, a wrong batching rule, or an input that they should refuse."""

from __future__ import annotations

import numpy as np

from retrograd.errors import ShapeError
from retrograd.op import Bad, bind
from retrograd.ops._family import Unary
from retrograd.ops.elementwise import Binary
from retrograd.ops.reduce import Reduction, Sum
from retrograd.ops.shape import Broadcast, Permute
from retrograd.types import TensorType, float32

# mypy: ignore-errors


class WrongType(Unary, register=False):
    """y = eˣ, which claims to be float32"""

    result = float32

    def eval(x):
        return np.exp(x)

    def vjp(g, y, _x):
        return (g * y,)


class WrongShape(Reduction, register=False):
    """y = Σ x, which forgets keepdim in its type"""

    def type(x: TensorType, *, dim, keepdim):
        return TensorType(tuple(n for i, n in enumerate(x.shape) if i not in dim), x.dtype)

    def eval(x, *, dim, keepdim):
        return np.sum(x, axis=dim, keepdims=keepdim)

    def vjp(g, _y, _x, *, dim, keepdim):
        return Sum.vjp(g, _y, _x, dim=dim, keepdim=keepdim)


class WrongBatch(Reduction, register=False):
    """y = Σ x, whose batching does not move the dimensions on"""

    def type(x, *, dim, keepdim):
        return Sum.type(x, dim=dim, keepdim=keepdim)

    def eval(x, *, dim, keepdim):
        return np.sum(x, axis=dim, keepdims=keepdim)

    def vjp(g, _y, _x, *, dim, keepdim):
        return Sum.vjp(g, _y, _x, dim=dim, keepdim=keepdim)

    def batch(batched, x, *, dim, keepdim):
        return bind(WrongBatch, x, dim=dim, keepdim=keepdim)


class BatchForgetsAFlag(Binary, register=False):
    """y = a·b, whose batching takes every input for batched"""

    floating_only = True

    def eval(a, b):
        return a * b

    def vjp(g, _y, a, b):
        return g * b, g * a

    def batch(batched, a, b):
        return bind(BatchForgetsAFlag, a, bind(Broadcast, b, shape=a.shape))


class WrongInFloat32(Unary, register=False):
    """y = ln(1 + x) with the digits lost that log1p keeps, and noise to show it"""

    exact = (1e-5,)

    def eval(x):
        return np.log(1 + x * (1 if x.dtype == np.float64 else np.float32(1.00001)))

    def vjp(g, _y, x):
        return (g / (1 + x),)

    domain = (-0.5, 1.0)


class ChangesItsInput(Unary, register=False):
    """y = 2x, computed in the memory of x"""

    def eval(x):
        x *= 2
        return x

    def vjp(g, _y, _x):
        return (g * 2,)


class HiddenView(Permute, register=False):
    """y = xᵀ sharing memory with x without saying so"""

    view = False


class AcceptsBadInput(Unary, register=False):
    """y = x, which says that it refuses vectors and does not"""

    def eval(x):
        return x.copy()

    def vjp(g, _y, _x):
        return (g,)

    def errors(r):
        yield Bad(np.zeros(3), message="no vectors")


class SilentRefusal(Unary, register=False):
    """y = x, whose refusal has no hint"""

    def type(x):
        if x.shape == (5,):
            raise ShapeError("five is refused")
        return x

    def eval(x):
        return x.copy()

    def vjp(g, _y, _x):
        return (g,)

    def errors(r):
        yield Bad(np.zeros(5), message="five is refused")


class WrongMessage(SilentRefusal, register=False):
    """y = x, whose refusal says something else than promised"""

    def errors(r):
        yield Bad(np.zeros(5), message="six")


class RandomEvaluation(Unary, register=False):
    """y = x + noise"""

    def eval(x):
        return x + np.random.normal(size=x.shape) * 1e-12

    def vjp(g, _y, _x):
        return (g,)
