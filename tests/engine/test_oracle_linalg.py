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
R = np.random.default_rng(5).normal(size=(5, 2, 4))
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
    "vdot": ([A[0], B[:, 0]], lambda m, a, b: m.vdot(a, b)),
    "inner": ([A, B.T], lambda m, a, b: m.inner(a, b)),
    "inner of stacks": ([S, B.T], lambda m, a, b: m.inner(a, b)),
    "inner with a number": ([A, np.array(2.0)], lambda m, a, b: m.inner(a, b)),
    "ger": ([A[0], B[0]], lambda m, a, b: m.ger(a, b)),
    "addmm without the input": ([np.full((2, 4), np.nan), A, B], lambda m, c, a, b: m.addmm(c, a, b, beta=0)),
    "addmm of integers": ([np.eye(2, dtype=int)] * 3, lambda m, c, a, b: m.addmm(c, a, b, beta=2.9, alpha=2)),
    "addmv": ([A[:, 0], A, B[:, 0]], lambda m, c, a, b: m.addmv(c, a, b, beta=0.5, alpha=2)),
    "addr": ([A, A[:, 0], B[:, 0]], lambda m, c, a, b: m.addr(c, a, b, beta=0.5, alpha=2)),
    "addr of bools": ([np.eye(2) > 0, np.ones(2) > 0, np.eye(2)[0] > 0], lambda m, c, a, b: m.addr(c, a, b)),
    "baddbmm": ([B[0], S, T], lambda m, c, a, b: m.baddbmm(c, a, b, beta=0.5, alpha=2)),
    "addbmm": ([B[0], S, T], lambda m, c, a, b: m.addbmm(c, a, b, beta=0.5, alpha=2)),
    "addmm_": ([B[:2], A, B], lambda m, c, a, b: c.clone().addmm_(a, b, beta=0.5, alpha=2)),
    "addmv_": ([A[:, 0], A, B[:, 0]], lambda m, c, a, b: c.clone().addmv_(a, b, alpha=2)),
    "addr_": ([A, A[:, 0], B[:, 0]], lambda m, c, a, b: c.clone().addr_(a, b, beta=0.5)),
    "baddbmm_": ([R, S, T], lambda m, c, a, b: c.clone().baddbmm_(a, b, beta=0.5, alpha=2)),
    "addbmm_": ([B[:2], S, T], lambda m, c, a, b: c.clone().addbmm_(a, b, beta=0.5, alpha=2)),
    "tensordot": ([S, T], lambda m, a, b: m.tensordot(a, b, dims=([0, 2], [0, 1]))),
    "tensordot of all": ([S, S], lambda m, a, b: m.tensordot(a, b, 3)),
    "tensordot of none": ([A, B], lambda m, a, b: m.tensordot(a, b, 0)),
    "tensordot stretched": ([A[:, :1], B], lambda m, a, b: m.tensordot(a, b, ([1], [0]))),
    "tensordot, dims a tensor": ([A, B], lambda m, a, b: m.tensordot(a, b, m.tensor([[1], [0]]))),
    "kron": ([A, B], lambda m, a, b: m.kron(a, b)),
    "kron of ranks": ([S, A[0]], lambda m, a, b: m.kron(a, b)),
    "kron promotes": ([A, np.arange(4).reshape(2, 2)], lambda m, a, b: m.kron(a, b)),
    "multi_dot": ([A[0], B, B.T, B, B[0]], lambda m, *x: m.linalg.multi_dot(x)),
    "chain_matmul": ([A, B, B.T], lambda m, a, b, c: m.chain_matmul(a, b, c)),
    "chain_matmul of one": ([A], lambda m, a: m.chain_matmul(a)),
    "vecdot": ([S, A], lambda m, a, b: m.linalg.vecdot(a, b)),
    "vecdot along 0": ([A, A[:1]], lambda m, a, b: m.linalg.vecdot(a, b, dim=0)),
    "cross": ([A, A[:1]], lambda m, a, b: m.cross(a, b, dim=-1)),
    "cross of a stack": ([S, S[::-1]], lambda m, a, b: m.linalg.cross(a, b)),
    "cross along the first 3": ([B, B[::-1]], lambda m, a, b: m.cross(a, b)),
    "vander": ([A], lambda m, a: m.linalg.vander(a, N=4)),
    "vander at 0": ([np.array([0.0, 2.0, 0.0])], lambda m, a: m.linalg.vander(a)),
    "old vander": ([np.arange(3)], lambda m, a: m.vander(a, 2)),
    "old vander, increasing": ([np.arange(3)], lambda m, a: m.vander(a, 4, True)),
    "linalg.diagonal": ([S], lambda m, a: m.linalg.diagonal(a, offset=1)),
    "linalg.matmul": ([S, B], lambda m, a, b: m.linalg.matmul(a, b)),
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
    "bools": ([A > 0, B > 0], lambda m, a, b: a @ b),
    "bmm of bools": ([S > 0, T > 0], lambda m, a, b: m.bmm(a, b)),
    "mv of matrices": ([A, B], lambda m, a, b: m.mv(a, b)),
    "outer of matrices": ([A, B], lambda m, a, b: m.outer(a, b)),
    "inner of lengths": ([A, B], lambda m, a, b: m.inner(a, b)),
    "addmm of dtypes": ([B[0], A, B], lambda m, c, a, b: m.addmm(c.float(), a, b)),
    "addmm that does not expand": ([A, A, B], lambda m, c, a, b: m.addmm(c, a, b)),
    "addmm of a larger rank": ([B[None, :2], A, B], lambda m, c, a, b: m.addmm(c, a, b)),
    "addmm_ that would grow": ([B[:1], A, B], lambda m, c, a, b: c.clone().addmm_(a, b)),
    "addbmm of lengths": ([B[0], S[:2], T], lambda m, c, a, b: m.addbmm(c, a, b)),
    "addr of integers by halves": ([np.eye(2, dtype=int), *np.eye(2, dtype=int)], lambda m, *x: m.addr(*x, beta=0.5)),
    "trace of a vector": ([A[0]], lambda m, a: a.trace()),
    "trace of bools": ([A > 0], lambda m, a: a.trace()),
    "tensordot of sizes": ([A, B], lambda m, a, b: m.tensordot(a, b, ([0], [0]))),
    "tensordot of too many": ([A, B], lambda m, a, b: m.tensordot(a, b, 3)),
    "tensordot of fewer than none": ([A, B], lambda m, a, b: m.tensordot(a, b, -1)),
    "tensordot of uneven lists": ([A, B], lambda m, a, b: m.tensordot(a, b, ([0, 1], [0]))),
    "tensordot with a dimension twice": ([A, A], lambda m, a, b: m.tensordot(a, b, ([0, 0], [0, 0]))),
    "multi_dot of one": ([A], lambda m, a: m.linalg.multi_dot([a])),
    "multi_dot with a vector inside": ([A, A[0], A], lambda m, *x: m.linalg.multi_dot(x)),
    "multi_dot of dtypes": ([A, B], lambda m, a, b: m.linalg.multi_dot([a, b.float()])),
    "chain_matmul of a vector": ([A[0], B], lambda m, a, b: m.chain_matmul(a, b)),
    "vecdot of integers": ([np.arange(3)], lambda m, a: m.linalg.vecdot(a, a)),
    "cross of 4": ([B, B], lambda m, a, b: m.linalg.cross(a, b)),
    "cross of ranks": ([A, A[0]], lambda m, a, b: m.linalg.cross(a, b)),
    "cross without a 3": ([B[:2], B[:2]], lambda m, a, b: m.cross(a, b)),
    "cross of bools": ([A > 0, A > 0], lambda m, a, b: m.linalg.cross(a, b)),
    "vander of bools": ([A[0] > 0], lambda m, a: m.linalg.vander(a)),
    "vander of one power": ([A[0]], lambda m, a: m.linalg.vander(a, N=1)),
    "old vander of a matrix": ([A], lambda m, a: m.vander(a)),
}  # fmt: skip


@pytest.mark.row("ENG-01")
@pytest.mark.filterwarnings("ignore:.*torch")  # PyTorch's own remarks on its older functions
@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    arrays, fn = CASES[name]
    both(fn, *arrays)


W = np.random.default_rng(6).normal(size=(4, 3))
LINEAR = [(2, 4), (3, 2, 4), (5,), (1,), (), (4,)]


@pytest.mark.parametrize("bias", LINEAR, ids=str)
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_linear_takes_a_bias_that_fits(rank: int, bias: tuple[int, ...]) -> None:
    """The result never grows to the shape of the bias."""
    x = np.ones((5, 2, 3)[3 - rank :])
    both(lambda m, x, w, b: m.nn.functional.linear(x, w, b), x, W, np.ones(bias))


@pytest.mark.parametrize("weight", [(), (2, 4, 3), (3,)], ids=str)
def test_linear_takes_a_matrix_or_a_vector(weight: tuple[int, ...]) -> None:
    both(lambda m, x, w: m.nn.functional.linear(x, w), A, np.ones(weight))


def test_linear_takes_one_dtype() -> None:
    both(lambda m, x, w, b: m.nn.functional.linear(x, w, b.float()), A, W, W[:, 0])
