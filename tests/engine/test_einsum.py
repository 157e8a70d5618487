"""einsum against NumPy and PyTorch: random equations, its whole notation, and what it refuses."""

from __future__ import annotations

import string
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from retrograd.errors import DTypeError, RetrogradError, ShapeError, UsageError

torch = pytest.importorskip("torch")
from engine.both import both  # noqa: E402


@st.composite
def equations(draw: Any) -> tuple[str, list[tuple[int, ...]]]:
    """An equation of one to four operands over at most five letters, with repeated letters, and its shapes."""
    letters = "abcde"
    sizes = {c: draw(st.integers(1, 3)) for c in letters}
    terms = draw(st.lists(st.text(letters, max_size=4), min_size=1, max_size=4))
    used = sorted({*"".join(terms)})
    output = draw(st.permutations(draw(st.lists(st.sampled_from(used), unique=True)) if used else []))
    equation = ",".join(terms)
    if draw(st.booleans()):
        equation += "->" + "".join(output)
    return equation, [tuple(sizes[c] for c in term) for term in terms]


@given(equations(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_random_equations_as_numpy(case: tuple[str, list[tuple[int, ...]]], seed: int) -> None:
    equation, shapes = case
    r = np.random.default_rng(seed)
    arrays = [r.normal(size=shape) for shape in shapes]
    found = rg.einsum(equation, *map(rg.tensor, arrays)).numpy()
    np.testing.assert_allclose(found, np.einsum(equation, *arrays), rtol=1e-10, atol=1e-12)


@given(equations(), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_random_equations_and_gradients_as_pytorch(
    case: tuple[str, list[tuple[int, ...]]], seed: int
) -> None:
    equation, shapes = case
    r = np.random.default_rng(seed)
    both(lambda m, *xs: m.einsum(equation, *xs), *[r.normal(size=shape) for shape in shapes])


R = np.random.default_rng(3)
A, B, C = R.normal(size=(2, 3)), R.normal(size=(3, 4)), R.normal(size=(4, 5))
S, T, ONE = R.normal(size=(5, 2, 3)), R.normal(size=(5, 3, 4)), R.normal(size=(1, 3))
Q = R.normal(size=(3, 3))
CASES: dict[str, tuple[list[Any], Any]] = {
    "spaces": ([A, B], lambda m, a, b: m.einsum(" i j , j k -> k i ", a, b)),
    "a list of operands": ([A, B], lambda m, a, b: m.einsum("ij,jk", [a, b])),
    "capitals come first": ([A, B], lambda m, a, b: m.einsum("aB,Bc", a, b)),
    "implicit order": ([S], lambda m, x: m.einsum("cab", x)),
    "a batch": ([S, T], lambda m, a, b: m.einsum("bij,bjk->bik", a, b)),
    "dots": ([S, T], lambda m, a, b: m.einsum("...ij,...jk->...ik", a, b)),
    "dots implicit": ([S, B], lambda m, a, b: m.einsum("...ij,jk", a, b)),
    "dots in the middle": ([S, B], lambda m, a, b: m.einsum("b...j,jk->...kb", a, b)),
    "dots summed": ([S], lambda m, x: m.einsum("i...->i", x)),
    "dots broadcast": ([S, A], lambda m, a, b: m.einsum("...,...", a, b)),
    "dots that stand for nothing": ([A], lambda m, a: m.einsum("ij...->ji...", a)),
    "one stretches": ([ONE, A], lambda m, a, b: m.einsum("ij,ij->ij", a, b)),
    "one stretches and is summed": ([ONE, A], lambda m, a, b: m.einsum("ij,ij->", a, b)),
    "trace": ([Q], lambda m, a: m.einsum("ii", a)),
    "diagonal": ([Q], lambda m, a: m.einsum("ii->i", a)),
    "diagonals of a stack": ([R.normal(size=(3, 2, 3))], lambda m, a: m.einsum("iji->ij", a)),
    "diagonal in a product": ([Q, B], lambda m, a, b: m.einsum("ii,ik->k", a, b)),
    "three times": ([R.normal(size=(2, 2, 2))], lambda m, a: m.einsum("iii->i", a)),
    "bilinear": ([A, R.normal(size=(4, 3, 3)), A], lambda m, a, w, b: m.einsum("bn,anm,bm->ba", a, w, b)),
    "a chain": ([A, B, C], lambda m, a, b, c: m.einsum("ij,jk,kl->il", a, b, c)),
    "outer": ([A[0], B[0]], lambda m, a, b: m.einsum("i,j->ji", a, b)),
    "a number": ([A, np.array(2.0)], lambda m, a, b: m.einsum("ij,->ij", a, b)),
    "nothing summed": ([A, A], lambda m, a, b: m.einsum("ij,ij->ij", a, b)),
    "sublists": ([A, B], lambda m, a, b: m.einsum(a, [0, 1], b, [1, 2], [2, 0])),
    "sublists implicit": ([A, B], lambda m, a, b: m.einsum(a, [51, 1], b, [1, 2])),
    "sublists with dots": ([S, B], lambda m, a, b: m.einsum(a, [..., 0], b, [0, 1], [1, ...])),
    "empty": ([np.zeros((0, 3)), B], lambda m, a, b: m.einsum("ij,jk->ik", a, b)),
    "a sum over nothing": ([np.zeros((2, 0)), np.zeros((0, 4))], lambda m, a, b: m.einsum("ij,jk->ik", a, b)),
    "integers": ([np.arange(6).reshape(2, 3), np.arange(3)], lambda m, a, b: m.einsum("ij,j->i", a, b)),
    # refused by both
    "too few operands": ([A], lambda m, a: m.einsum("ij,jk", a)),
    "too few letters": ([A], lambda m, a: m.einsum("i", a)),
    "too many letters": ([A], lambda m, a: m.einsum("ijk", a)),
    "a digit": ([A], lambda m, a: m.einsum("i1", a)),
    "two dots": ([A], lambda m, a: m.einsum("ij..", a)),
    "dots twice": ([A], lambda m, a: m.einsum("......", a)),
    "two arrows": ([A], lambda m, a: m.einsum("ij->i->j", a)),
    "unknown letter": ([A], lambda m, a: m.einsum("ij->k", a)),
    "a letter twice in the result": ([A], lambda m, a: m.einsum("ij->ii", a)),
    "sizes": ([A, A], lambda m, a, b: m.einsum("ij,jk", a, b)),
    "no diagonal": ([A], lambda m, a: m.einsum("ii", a)),
    "a number out of range": ([A], lambda m, a: m.einsum(a, [0, 52])),
    "dtypes": ([A, B], lambda m, a, b: m.einsum("ij,jk", a, b.float())),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    arrays, fn = CASES[name]
    both(fn, *arrays)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda a: rg.einsum(), UsageError, "nothing"),
        (lambda a: rg.einsum("ij,jk->ik", a), UsageError, "2 term.* for 1 operand"),
        (lambda a: rg.einsum("ij,ik->jk", a, a.t()), ShapeError, "'i' has size 2 .* and 3"),
        (lambda a: rg.einsum("ij->ik", a), UsageError, "names 'k' but no operand"),
        (lambda a: rg.einsum("ii", a), ShapeError, "stands twice, for sizes 2 and 3"),
        (lambda a: rg.einsum("ij,ij", a, a.double()), DTypeError, "float32 and .*float64"),
    ],
)
def test_refusals_say_what_is_wrong(call: Any, kind: type[RetrogradError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        call(rg.ones(2, 3))
    assert caught.value.hint


def test_order_of_contraction_keeps_intermediates_small() -> None:
    """ab,bc,cd,de with a small end: from left to right the largest intermediate would be 1000 by 1000."""
    sizes = {"a": 1000, "b": 1000, "c": 1000, "d": 2}
    xs = [rg.zeros(sizes[i], sizes[j]) for i, j in ("ab", "bc", "cd")]
    graph = rg.trace(lambda *ts: rg.einsum("ab,bc,cd->ad", *ts))(*xs)
    assert max(v.type.shape[-1] for eq in graph.equations if eq.op.name == "matmul" for v in eq.outputs) == 2


def test_the_whole_alphabet() -> None:
    """52 letters, one operand each."""
    xs = [rg.tensor([2.0]) for _ in string.ascii_letters]
    assert rg.einsum(",".join(string.ascii_letters) + "->", *xs).item() == 2.0**52
