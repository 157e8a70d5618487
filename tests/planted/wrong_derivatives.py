"""Ops with a wrong reverse rule: wrong value, cut off from the graph, not linear, of another type, saving the wrong things."""

from __future__ import annotations

import numpy as np

from retrograd.op import Op, Sample, bind
from retrograd.ops._family import Unary, fill
from retrograd.ops.arithmetic import Add, Binary, Mul
from retrograd.ops.elementwise import Cos, Exp, Sin, Tanh
from retrograd.ops.matmul import Matmul
from retrograd.ops.shape import Reshape
from retrograd.types import TensorType

# mypy: ignore-errors


class WrongSign(Unary, register=False):
    """y = cos x with x̄ = +ȳ·sin x"""

    def eval(x):
        return np.cos(x)

    def vjp(g, _y, x):
        return (g * bind(Sin, x),)


class WrongFactor(Unary, register=False):
    """y = x² with x̄ = 2.001·ȳ·x"""

    def eval(x):
        return x * x

    def vjp(g, _y, x):
        return (g * x * 2.001,)


class MissingTerm(Unary, register=False):
    """y = x·eˣ without the first term of its derivative"""

    def eval(x):
        return x * np.exp(x)

    def vjp(g, y, _x):
        return (g * y,)


class MissingTranspose(Matmul, register=False):
    """y = a @ b with b̄ = a @ ȳ, tried on square matrices only, where the shapes do not give it away"""

    def vjp(g, _y, a, b, *, ta, tb):
        return bind(Matmul, g, b, ta=False, tb=True), bind(Matmul, a, g, ta=False, tb=False)

    def samples(r):
        yield Sample(r.normal(size=(3, 3)), r.normal(size=(3, 3)), ta=False, tb=False)


class WrongAtSecondOrder(Unary, register=False):
    """y = sin x; the value of x̄ is right, but its second factor was cut off from the graph"""

    def eval(x):
        return np.sin(x)

    def vjp(g, _y, x):
        return (g * bind(Cos, x).detach(),)


class NumpyInTheRule(Unary, register=False):
    """y = eˣ; the rule computes with NumPy and loses g's own derivative"""

    def eval(x):
        return np.exp(x)

    def vjp(g, y, _x):
        return (fill(y, 0.0) + type(g)(g.detach().numpy() * y.detach().numpy()),)


class NonlinearInG(Unary, register=False):
    """y = x; x̄ = tanh ȳ, nearly right for small cotangents"""

    def eval(x):
        return x.copy()

    def vjp(g, _y, _x):
        return (bind(Tanh, g),)


class ClippedCotangent(Unary, register=False):
    """y = 3x; x̄ = 3·ȳ + 1e-7, nearly right for large cotangents"""

    def eval(x):
        return 3 * x

    def vjp(g, _y, _x):
        return (g * 3 + 1e-7,)


class MissingUnbroadcast(Op, register=False):
    """y = a + b where b may be smaller; b̄ = ȳ was not summed over the repeats"""

    def type(a, b):
        return a

    def eval(a, b):
        return a + b

    def vjp(g, _y, _a, _b):
        return g, g

    def batch(batched, a, b):
        return bind(MissingUnbroadcast, a, bind(Reshape, b, shape=(b.shape[0], 1, *b.shape[1:])))

    def samples(r):
        yield Sample(r.normal(size=(2, 3)), r.normal(size=(3,)))

    def errors(r):
        return ()


class ReadsWhatItDoesNotSave(Unary, register=False):
    """y = eˣ; the argument says that the value is not needed, and the rule reads it"""

    def eval(x):
        return np.exp(x)

    def vjp(g, _y, _x):
        return (g * bind(Exp, _x),)


class SavesWhatItDoesNotRead(Unary, register=False):
    """y = eˣ; the input is kept in memory for nothing"""

    def eval(x):
        return np.exp(x)

    def vjp(g, y, x):
        return (g * y,)


class ZerosThroughIntegers(Op, register=False):
    """y = x[i]; the index gets a cotangent of zeros instead of None"""

    def type(x, i):
        return TensorType(i.shape, x.dtype)

    def eval(x, i):
        return x[i]

    def vjp(g, _y, _x, i):
        from retrograd.ops.index import IndexAdd

        return bind(IndexAdd, g, i, shape=_x.shape), fill(i)

    def batch(batched, x, i):
        from retrograd.ops.index import Index

        return Index.batch(batched, x, i)

    def samples(r):
        yield Sample(r.normal(size=(5,)), r.integers(0, 5, (3,)))

    def errors(r):
        return ()


class NoReason(Unary, register=False):
    """y = ⌊x⌋ without a derivative, and without a word about it"""

    differentiable = False

    def eval(x):
        return np.floor(x)


class NotANumberAtTheKink(Unary, register=False):
    """y = |x| with x̄ = ȳ·x/|x|: not a number at 0"""

    special = (0.0,)

    def eval(x):
        return np.abs(x)

    def vjp(g, y, x):
        return (g * x / y,)


class AsymmetricMatmul(Matmul, register=False):
    """y = a @ b, whose left cotangent ignores the flag ``tb``"""

    def vjp(g, _y, a, b, *, ta, tb):
        left, right = Matmul.vjp(g, _y, a, b, ta=ta, tb=tb)
        return (
            left
            if not tb or ta
            else lambda: bind(Matmul, g, b, ta=False, tb=tb) if g.shape[-1] == b.shape[-2] else g
        ), right

    def samples(r):
        yield Sample(r.normal(size=(2, 3)), r.normal(size=(2, 3)), ta=False, tb=True)


class ForgetsOneUse(Binary, register=False):
    """y = (a + b)·a, whose derivative forgets that a is used twice"""

    floating_only = True

    def eval(a, b):
        return (a + b) * a

    def vjp(g, _y, a, b):
        return bind(Mul, g, bind(Add, a, b)), g * a
