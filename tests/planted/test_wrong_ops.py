"""Wrong ops, written as somebody might write them: each one is rejected, by the law that is meant to catch it.

A checker that has never failed proves nothing, so every mistake of this list was planted on purpose.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from laws import checks
from laws.derivatives import first_derivative
from planted.wrong_derivatives import (
    AsymmetricMatmul,
    ClippedCotangent,
    ForgetsOneUse,
    MissingTerm,
    MissingTranspose,
    MissingUnbroadcast,
    NonlinearInG,
    NoReason,
    NotANumberAtTheKink,
    NumpyInTheRule,
    ReadsWhatItDoesNotSave,
    SavesWhatItDoesNotRead,
    WrongAtSecondOrder,
    WrongFactor,
    WrongSign,
    ZerosThroughIntegers,
)
from planted.wrong_values import (
    AcceptsBadInput,
    BatchForgetsAFlag,
    ChangesItsInput,
    HiddenView,
    RandomEvaluation,
    SilentRefusal,
    WrongBatch,
    WrongInFloat32,
    WrongMessage,
    WrongShape,
    WrongType,
)
from retrograd.op import Op, bind
from retrograd.ops._family import Unary
from retrograd.ops.elementwise import Cos

# mypy: ignore-errors


class Right(Unary, register=False):
    """y = sin x, without a mistake: the control."""

    def eval(x):
        return np.sin(x)

    def vjp(g, _y, x):
        return (g * bind(Cos, x),)


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
    found = list(checks.violations(op))
    assert any(re.search(PLANTED[op], message) for message in found), found


@pytest.mark.row("ENG-01")
def test_rules_right_at_first_order_pass_first_order() -> None:
    """What is planted at second order is invisible at first order: it takes the second derivative to find it."""
    for op in (WrongAtSecondOrder, NumpyInTheRule):
        for sample in checks.samples(op):
            first_derivative(op, sample)


@pytest.mark.row("ENG-01")
def test_a_sound_op_is_not_accused() -> None:
    """The control: no false alarm."""
    checks.check(Right)
