"""Wrong ops, written as somebody might write them: each one is rejected, by the law that is meant to catch it.

A checker that has never failed proves nothing, so every mistake of this list was planted on purpose.
"""

from __future__ import annotations

import numpy as np
import pytest

from laws import checks
from retrograd.errors import ShapeError
from retrograd.op import Bad, Op, Sample, bind
from retrograd.ops._family import Unary, fill
from retrograd.ops.elementwise import Add, Binary, Cos, Exp, Mul, Sin, Tanh
from retrograd.ops.matmul import Matmul
from retrograd.ops.reduce import Reduction, Sum
from retrograd.ops.shape import Broadcast, Permute, Reshape
from retrograd.types import TensorType, float32

# mypy: ignore-errors


class Right(Unary, register=False):
    """y = sin x, without a mistake: the control."""

    def eval(x):
        return np.sin(x)

    def vjp(g, _y, x):
        return (g * bind(Cos, x),)


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


PLANTED: dict[type[Op], str] = {
    WrongSign: "first derivative",
    WrongFactor: "first derivative",
    MissingTerm: "first derivative",
    MissingTranspose: "first derivative",
    AsymmetricMatmul: "first derivative|raises|cotangent types",
    ForgetsOneUse: "first derivative",
    WrongAtSecondOrder: "second derivative",
    NumpyInTheRule: "second derivative",
    NonlinearInG: "linear in g",
    ClippedCotangent: "linear in g",
    MissingUnbroadcast: "cotangent types",
    ZerosThroughIntegers: "cotangent types",
    WrongType: "type == eval",
    WrongShape: "type == eval",
    WrongBatch: "batch",
    BatchForgetsAFlag: "batch",
    WrongInFloat32: "float32",
    ChangesItsInput: "pure",
    HiddenView: "pure",
    RandomEvaluation: "pure",
    ReadsWhatItDoesNotSave: "raises",
    SavesWhatItDoesNotRead: "saved values",
    AcceptsBadInput: "errors",
    SilentRefusal: "errors",
    WrongMessage: "errors",
    NoReason: "why not",
    NotANumberAtTheKink: "kinks",
}


@pytest.mark.row("ENG-01", "ADV-02")
@pytest.mark.parametrize("op", PLANTED, ids=lambda op: op.__name__)
def test_planted_error_is_found(op: type[Op]) -> None:
    import re

    found = list(checks.violations(op))
    assert any(re.search(PLANTED[op], message) for message in found), found


@pytest.mark.row("ENG-01")
def test_rules_right_at_first_order_pass_first_order() -> None:
    """What is planted at second order is invisible at first order: it takes the second derivative to find it."""
    for op in (WrongAtSecondOrder, NumpyInTheRule):
        for sample in checks.samples(op):
            checks.first_derivative(op, sample)


@pytest.mark.row("ENG-01")
def test_a_sound_op_is_not_accused() -> None:
    """The control: no false alarm."""
    checks.check(Right)
