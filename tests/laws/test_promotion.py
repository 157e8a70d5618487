"""PyTorch's own promotion: the dtype of every binary function over all pairs of dtypes, with 0-dim tensors and numbers."""

from __future__ import annotations

import inspect
import itertools
import operator
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import retrograd as rg
from laws.test_against_numpy import ALSO, BINARY
from retrograd.errors import RetrogradError

torch = pytest.importorskip("torch")

DTYPES = ["bool", "uint8", "int32", "int64", "float32", "float64"]
NUMBERS = [True, 3, 2.5]
SHAPES: list[tuple[int, ...]] = [(2,), (1, 1), (), (0,)]
FUNCTIONS = sorted(name for name in {*BINARY, *ALSO, "where"} if hasattr(rg, name))
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    name: getattr(operator, name)
    for name in (
        "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "eq", "ne", "lt", "le", "gt", "ge", "and_", "or_", "xor",
        "lshift", "rshift",
    )
}  # fmt: skip
IN_PLACE = sorted(
    name
    for name in dir(rg.Tensor)
    if name.endswith("_") and not name.startswith("_") and name[:-1] in {*BINARY, *ALSO}
)

ANSWERED = (
    "Subtraction, the `-` operator",
    "not implemented for",
    "derivative for",
    "ZeroDivisionError",
    "found dtype",
)
"""What PyTorch refuses for the lack of a kernel; an answer of ours there must only have a dtype of its own inputs."""


def tensor(m: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    return m.ones(shape, dtype=getattr(m, dtype))


def kind(function: Callable[[], Any]) -> str | Exception:
    """The name of the result's dtype, or the refusal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(function().dtype).split(".")[1]
    except (RuntimeError, TypeError, ZeroDivisionError, RetrogradError) as error:
        return error


def compare(told: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> str | None:
    """In words where the two differ."""
    expected, found = kind(theirs), kind(ours)
    if isinstance(expected, Exception):
        if isinstance(found, Exception) or any(part in str(expected) for part in ANSWERED):
            return None
        return f"{told}: {found}, PyTorch refuses: {expected!s:.100}"
    return None if found == expected else f"{told}: {found}, PyTorch {expected}"


def apply(m: Any, name: str, a: Any, b: Any) -> Any:
    return m.where(m.tensor(True), a, b) if name == "where" else getattr(m, name)(a, b)


def wrong_pairs(
    apply: Callable[[Any, Any, Any], Any], pairs: list[tuple[tuple[int, ...], tuple[int, ...]]]
) -> list[str]:
    found = []
    for (first, second), (s, t) in itertools.product(itertools.product(DTYPES, repeat=2), pairs):
        told = compare(
            f"{first}{list(s)}, {second}{list(t)}",
            *(
                lambda m=m: apply(m, tensor(m, first, s), tensor(m, second, t))  # noqa: B023
                for m in (rg, torch)
            ),
        )
        found += [told] if told else []
    return found


PAIRS = [((2,), (2,)), ((2,), ()), ((), (2,)), ((), ()), ((0,), ()), ((1, 1), (2,))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_tensors(name: str) -> None:
    wrong = wrong_pairs(lambda m, a, b: apply(m, name, a, b), PAIRS[:4])
    assert not wrong, f"{name}\n" + "\n".join(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_two_tensors_in_every_shape(name: str) -> None:
    wrong = wrong_pairs(lambda m, a, b: apply(m, name, a, b), list(itertools.product(SHAPES, repeat=2)))
    assert not wrong, f"{name}\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_number_on_either_side(name: str) -> None:
    wrong = []
    for dtype, shape, number in itertools.product(DTYPES, SHAPES[:3:2], NUMBERS):
        for order in (1, -1):
            told = compare(
                f"{dtype}{list(shape)} and {number}, order {order}",
                *(
                    lambda m=m: apply(m, name, *[tensor(m, dtype, shape), number][::order])  # noqa: B023
                    for m in (rg, torch)
                ),
            )
            wrong += [told] if told else []
    assert not wrong, f"{name}\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str) -> None:
    f = OPERATORS[name]
    wrong = wrong_pairs(lambda m, a, b: f(a, b), PAIRS[:3])
    for dtype, shape, number, order in itertools.product(DTYPES, SHAPES[:3:2], NUMBERS, (1, -1)):
        told = compare(
            f"{dtype}{list(shape)} and {number}, order {order}",
            *(lambda m=m: f(*[tensor(m, dtype, shape), number][::order]) for m in (rg, torch)),  # noqa: B023
        )
        wrong += [told] if told else []
    assert not wrong, f"{name}\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name: str) -> None:
    """The dtype stays, or the change is refused."""
    wrong = wrong_pairs(lambda m, a, b: getattr(a, name)(b), PAIRS[:2])
    assert not wrong, f"{name}\n" + "\n".join(wrong)


def test_result_type() -> None:
    for first, second in itertools.product(DTYPES, repeat=2):
        for s, t in PAIRS:
            ours, theirs = (
                str(m.result_type(tensor(m, first, s), tensor(m, second, t))).split(".")[1]
                for m in (rg, torch)
            )
            assert ours == theirs, (first, s, second, t)


def test_every_binary_function_is_asked() -> None:
    named = {
        name
        for name in rg.__all__
        if inspect.isfunction(f := getattr(rg, name))
        and list(inspect.signature(f).parameters)[:2] == ["input", "other"]
    }
    assert len(FUNCTIONS) > 30
    assert len(IN_PLACE) > 15
    assert named - set(FUNCTIONS) <= {
        "allclose", "equal", "dist", "matmul", "kron", "inner", "dot", "cross", "outer", "igamma", "igammac",
    }  # fmt: skip
