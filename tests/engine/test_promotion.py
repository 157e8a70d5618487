"""Result dtypes equal PyTorch's, for every pair of dtypes, with and without dimensions, and for Python numbers.

PyTorch refuses a few things that have an obvious answer (subtracting a bool, the absolute value of a bool); there we
may answer.  Where it answers, we give the same dtype.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import retrograd as rg

torch = pytest.importorskip("torch")

NAMES = ["bool", "uint8", "int32", "int64", "float32", "float64"]
SHAPES = [(), (2,)]
OPS = [
    "add",
    "mul",
    "div",
    "maximum",
    "eq",
    "lt",
    "floor_divide",
    "remainder",
    "pow",
    "sub",
    "where",
    "cat",
    "bitwise_and",
]
NUMBERS = [True, 2, 2.5]


def make(m: Any, name: str, shape: tuple[int, ...]) -> Any:
    return m.ones(shape, dtype=getattr(m, name))


def result(m: Any, op: str, a: Any, b: Any) -> str | None:
    """The dtype of op(a, b) by name; None where it is refused."""
    try:
        if op == "where":
            out = m.where(m.tensor(True), a, b)
        elif op == "cat":
            out = m.cat([a.reshape(-1), b.reshape(-1)])
        else:
            out = getattr(m, op)(a, b)
    except (RuntimeError, TypeError, rg.errors.RetrogradError):
        return None
    return str(out.dtype).split(".")[1]


@pytest.mark.parametrize("op", OPS)
def test_two_tensors(op: str) -> None:
    wrong = []
    for (n, s), (m, t) in itertools.product(itertools.product(NAMES, SHAPES), repeat=2):
        if op in ("floor_divide", "remainder", "pow") and n == m == "bool":
            continue  # PyTorch refuses some of these, by accident of its kernels
        ours = result(rg, op, make(rg, n, s), make(rg, m, t))
        theirs = result(torch, op, make(torch, n, s), make(torch, m, t))
        if ours != theirs and not (theirs is None and "bool" in (n, m)):
            wrong.append(f"{n}{list(s)} and {m}{list(t)}: {ours}, PyTorch {theirs}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("op", [o for o in OPS if o not in ("where", "cat", "maximum")])
@pytest.mark.parametrize("number", NUMBERS)
def test_tensor_and_number(op: str, number: Any) -> None:
    wrong = []
    for name, shape in itertools.product(NAMES, SHAPES):
        if op in ("floor_divide", "remainder", "pow") and name == "bool" and number is True:
            continue
        ours = result(rg, op, make(rg, name, shape), number)
        theirs = result(torch, op, make(torch, name, shape), number)
        if ours != theirs and not (theirs is None and (name == "bool" or number is True)):
            wrong.append(f"{name}{list(shape)} and {number}: {ours}, PyTorch {theirs}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "//", "%", "**", "<", "=="])
def test_operators_from_both_sides(sign: str, number: Any) -> None:
    for name, shape in itertools.product(NAMES[1:], SHAPES):
        for form in (f"x {sign} n", f"n {sign} x"):
            found = []
            for m in (rg, torch):
                try:
                    out = eval(form, {"x": make(m, name, shape), "n": number})
                    found.append(str(out.dtype).split(".")[1])
                except (RuntimeError, TypeError, rg.errors.RetrogradError):
                    found.append(None)
            if found[1] is None and number is True:
                continue
            assert found[0] == found[1], (
                f"{form} with {name}{list(shape)}, {number}: {found[0]}, PyTorch {found[1]}"
            )


def test_in_place_keeps_the_dtype_or_refuses() -> None:
    for n, m, op in itertools.product(NAMES, NAMES, ("add_", "mul_", "div_", "copy_")):
        found = []
        for lib in (rg, torch):
            x = make(lib, n, (2,))
            try:
                getattr(x, op)(make(lib, m, (2,)))
                found.append(str(x.dtype).split(".")[1])
            except (RuntimeError, TypeError, rg.errors.RetrogradError):
                found.append(None)
        assert found[0] == found[1], f"{n}.{op}({m}): {found[0]}, PyTorch {found[1]}"


@pytest.mark.parametrize(
    "op",
    ["sqrt", "exp", "sigmoid", "sum", "mean", "cumsum", "abs", "neg", "relu", "softmax", "floor", "sign"],
)
def test_one_tensor(op: str) -> None:
    arguments = {"cumsum": (0,), "softmax": (0,)}.get(op, ())
    for name in NAMES:
        found = []
        for lib in (rg, torch):
            try:
                found.append(str(getattr(lib, op)(make(lib, name, (2,)), *arguments).dtype).split(".")[1])
            except (RuntimeError, TypeError, rg.errors.RetrogradError):
                found.append(None)
        if found[1] is None and (op == "softmax" or name == "bool"):
            continue  # softmax of integers, and |bool|, are refused there
        assert found[0] == found[1], f"{op} of {name}: {found[0]}, PyTorch {found[1]}"


def test_promote_types() -> None:
    for n, m in itertools.product(NAMES, NAMES):
        ours = rg.promote_types(getattr(rg, n), getattr(rg, m))
        assert (
            str(ours).split(".")[1]
            == str(torch.promote_types(getattr(torch, n), getattr(torch, m))).split(".")[1]
        )


def test_default_dtype() -> None:
    try:
        for m in (rg, torch):
            m.set_default_dtype(m.float64)
        for m in (rg, torch):
            assert str(m.tensor([1.5]).dtype).endswith("float64")
            assert str((m.ones(2, dtype=m.int64) / 2).dtype).endswith("float64")
            assert str(m.zeros(1).dtype).endswith("float64")
    finally:
        for m in (rg, torch):
            m.set_default_dtype(m.float32)
