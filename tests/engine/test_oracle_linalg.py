"""Matrix products against PyTorch: every pair of ranks, values and gradients."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from engine.both import DTYPES, both  # noqa: E402

LEFT = [(), (3,), (2, 3), (5, 2, 3), (1, 2, 3), (4, 1, 2, 3), (0, 3), (2, 0)]
RIGHT = [(), (3,), (3, 4), (5, 3, 4), (1, 3, 4), (4, 5, 3, 4), (3, 0), (0, 4), (2, 4)]


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", list(itertools.product(LEFT, RIGHT)), ids=str)
def test_matmul(shapes: tuple[Any, Any], dtype: str) -> None:
    """All rank rules: vectors, matrices, stacks that broadcast, empty ones; what does not fit is refused by both."""
    r = np.random.default_rng(0)
    both(lambda m, a, b: m.matmul(a, b), r.normal(size=shapes[0]), r.normal(size=shapes[1]), dtype=dtype)


A, B = np.random.default_rng(1).normal(size=(2, 3)), np.random.default_rng(2).normal(size=(3, 4))
S, T = np.random.default_rng(3).normal(size=(5, 2, 3)), np.random.default_rng(4).normal(size=(5, 3, 4))
CASES: dict[str, tuple[list[Any], Any]] = {
    "@": ([A, B], lambda m, a, b: a @ b),
    "transposed": ([A, B], lambda m, a, b: b.t() @ a.t()),
    "strided": ([A, B], lambda m, a, b: a[:, ::2] @ b[::2, 1:]),
    "mm": ([A, B], lambda m, a, b: m.mm(a, b)),
    "bmm": ([S, T], lambda m, a, b: m.bmm(a, b)),
    "mv": ([A, B[:, 0]], lambda m, a, b: m.mv(a, b)),
    "dot": ([A[0], B[:, 0]], lambda m, a, b: m.dot(a, b)),
    "outer": ([A[0], B[0]], lambda m, a, b: m.outer(a, b)),
    "addmm": ([B[:2], A, B], lambda m, c, a, b: m.addmm(c, a, b)),
    "addmm scaled": ([B[0], A, B], lambda m, c, a, b: m.addmm(c, a, b, beta=0.5, alpha=2)),
    "trace": ([A], lambda m, a: a.trace()),
    "linear": ([A, B.T], lambda m, a, w: m.nn.functional.linear(a, w)),
    "linear bias": ([S, B.T, B[0]], lambda m, a, w, b: m.nn.functional.linear(a, w, b)),
    "linear of a vector": ([A[0], B.T, B[0]], lambda m, a, w, b: m.nn.functional.linear(a, w, b)),
    "linear, weight a vector": ([A, A[0]], lambda m, a, w: m.nn.functional.linear(a, w)),
    "integers": ([np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)], lambda m, a, b: a @ b),
    "chain": ([A, B], lambda m, a, b: ((a @ b).tanh() @ b.t()).sum(0)),
    "itself": ([A], lambda m, a: a @ a.t() @ a),
    # refused by both
    "mm of ranks": ([S, T], lambda m, a, b: m.mm(a, b)),
    "mm of sizes": ([A, A], lambda m, a, b: m.mm(a, b)),
    "bmm of ranks": ([A, B], lambda m, a, b: m.bmm(a, b)),
    "bmm of batches": ([S[:3], T], lambda m, a, b: m.bmm(a, b)),
    "dot of matrices": ([A, A], lambda m, a, b: m.dot(a, b)),
    "dot of lengths": ([A[0], B[0]], lambda m, a, b: m.dot(a, b)),
    "mixed dtypes": ([A, B], lambda m, a, b: a @ b.float()),
    "float and integer": ([A, B], lambda m, a, b: a @ b.long()),
    "linear wrong": ([A, B], lambda m, a, w: m.nn.functional.linear(a, w)),
    "a number": ([A], lambda m, a: a @ 3),
}  # fmt: skip


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    arrays, fn = CASES[name]
    both(fn, *arrays)
