"""Solutions, factorisations and functions of matrices against PyTorch: batches, broadcasting, options, refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from engine.both import DTYPES, both  # noqa: E402

pytestmark = [
    pytest.mark.row("ENG-01"),
    pytest.mark.filterwarnings("ignore:.*torch"),  # PyTorch's own remarks on its older functions
]

R = np.random.default_rng(0)
M = R.normal(size=(3, 3)) + 3 * np.eye(3)
STACK = R.normal(size=(2, 3, 3)) + 3 * np.eye(3)
WIDE, TALL = R.normal(size=(2, 4)), R.normal(size=(4, 2))
B, V, W = R.normal(size=(3, 2)), R.normal(size=3), R.normal(size=(2, 3))
P = M @ M.T + np.eye(3)
LOW = np.linalg.cholesky(P)
RANK1 = np.outer(TALL[:, 0], WIDE[0])
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
E0, NONE = np.zeros((0, 0)), np.zeros((0, 3, 3))
ORDERS = (2, -2, 1, -1, math.inf, -math.inf, "fro", "nuc")
HALF = R.normal(size=(4, 2)) * 0.5


def symmetric(x: Any) -> Any:
    return x + x.mT


def packed(m: Any, x: Any) -> Any:
    """Factors that want a gradient, and pivots."""
    return m.linalg.lu_factor(x)


CASES: dict[str, tuple[list[Any], Any]] = {
    # solutions and inverses
    "solve": ([M, B], lambda m, a, b: m.linalg.solve(a, b)),
    "solve for a vector": ([M, V], lambda m, a, b: m.linalg.solve(a, b)),
    "solve for a stack of vectors": ([STACK, W], lambda m, a, b: m.linalg.solve(a, b)),
    "solve, broadcast": ([STACK, B], lambda m, a, b: m.linalg.solve(a, b)),
    "solve, one matrix for a stack": ([M, R.normal(size=(4, 3, 1))], lambda m, a, b: m.linalg.solve(a, b)),
    "solve from the right": ([M, W], lambda m, a, b: m.linalg.solve(a, b, left=False)),
    "solve, empty": ([E0, np.zeros((0, 2))], lambda m, a, b: m.linalg.solve(a, b)),
    "solve, no matrices": ([NONE, B], lambda m, a, b: m.linalg.solve(a, b)),
    "solve_ex": ([M, B], lambda m, a, b: m.linalg.solve_ex(a, b)),
    "inv": ([STACK], lambda m, a: m.linalg.inv(a)),
    "inv_ex": ([STACK], lambda m, a: m.linalg.inv_ex(a)),
    "inverse": ([M], lambda m, a: a.inverse()),
    "inverse, empty": ([E0], lambda m, a: m.inverse(a)),
    "solve_triangular": ([M, B], lambda m, a, b: m.linalg.solve_triangular(a, b, upper=True)),
    "solve_triangular, lower": ([STACK, B], lambda m, a, b: m.linalg.solve_triangular(a, b, upper=False)),
    "solve_triangular from the right": ([M, W], lambda m, a, b: m.linalg.solve_triangular(a, b, upper=False, left=False)),
    "solve_triangular, unit": ([M, B], lambda m, a, b: m.linalg.solve_triangular(a, b, upper=True, unitriangular=True)),
    "triangular_solve": ([B, M], lambda m, b, a: m.triangular_solve(b, a, transpose=True).solution),
    "triangular_solve, lower": ([B, M], lambda m, b, a: b.triangular_solve(a, upper=False, unitriangular=True)[0]),
    "cholesky_solve": ([B, LOW], lambda m, b, a: m.cholesky_solve(b, a.tril())),
    "cholesky_solve, upper": ([B, LOW.T], lambda m, b, a: b.cholesky_solve(a.triu(), upper=True)),
    "cholesky_inverse": ([LOW], lambda m, a: m.cholesky_inverse(a.tril())),
    "cholesky_inverse, upper": ([LOW.T], lambda m, a: a.triu().cholesky_inverse(True)),
    "tensorsolve": ([R.normal(size=(2, 3, 6)), W], lambda m, a, b: m.linalg.tensorsolve(a, b)),
    "tensorsolve, dims": ([R.normal(size=(6, 2, 3)), W], lambda m, a, b: m.linalg.tensorsolve(a, b, dims=(0,))),
    "tensorinv": ([R.normal(size=(6, 2, 3))], lambda m, a: m.linalg.tensorinv(a, ind=1)),
    "lu": ([STACK], lambda m, a: m.linalg.lu(a)),
    "lu, wide": ([WIDE], lambda m, a: m.linalg.lu(a)),
    "lu, tall": ([TALL], lambda m, a: m.linalg.lu(a)),
    "lu of a singular matrix": ([SINGULAR], lambda m, a: m.linalg.lu(a.detach())),
    "lu_factor": ([STACK], lambda m, a: m.linalg.lu_factor(a)),
    "lu_factor_ex": ([SINGULAR], lambda m, a: m.linalg.lu_factor_ex(a.detach())),
    "old lu": ([M], lambda m, a: a.lu(get_infos=True)),
    "lu_unpack": ([TALL], lambda m, a: m.lu_unpack(*packed(m, a))),
    "lu_unpack, pivots alone": ([TALL], lambda m, a: m.lu_unpack(*packed(m, a.detach()), unpack_data=False)),
    "lu_unpack, data alone": ([TALL], lambda m, a: m.lu_unpack(*packed(m, a), unpack_pivots=False)),
    "lu_solve": ([M, B], lambda m, a, b: m.lu_solve(b, *packed(m, a))),
    "lu_solve, adjoint, left": ([STACK, B], lambda m, a, b: m.linalg.lu_solve(*packed(m, a), b, adjoint=True)),
    "lu_solve, right": ([M, W], lambda m, a, b: m.linalg.lu_solve(*packed(m, a), b, left=False)),
    "lu_solve, adjoint, right": ([M, W], lambda m, a, b: m.linalg.lu_solve(*packed(m, a), b, left=False, adjoint=True)),
    # least squares
    "pinv": ([TALL], lambda m, a: m.linalg.pinv(a)),
    "pinv of equal singular values": ([np.eye(3)], lambda m, a: m.linalg.pinv(a)),
    "pinv of rank 1": ([TALL[:, :1], WIDE[:1]], lambda m, a, b: m.linalg.pinv(a @ b)),
    "pinv, tolerances": ([np.diag([5.0, 1.0])], lambda m, a: m.linalg.pinv(a, atol=2.0)),
    "pinv, old rcond": ([np.diag([5.0, 1.0])], lambda m, a: m.pinverse(a, 0.5)),
    "pinv, a tolerance for each": ([STACK], lambda m, a: m.linalg.pinv(a, rtol=m.tensor([0.5, 0.1]).double())),
    "pinv, hermitian": ([P], lambda m, a: m.linalg.pinv(symmetric(a), hermitian=True)),
    "pinv, empty": ([np.zeros((0, 3))], lambda m, a: m.linalg.pinv(a)),
    "matrix_rank": ([RANK1], lambda m, a: m.linalg.matrix_rank(a)),
    "matrix_rank, tolerances": ([STACK], lambda m, a: m.linalg.matrix_rank(a, rtol=0.9)),
    "matrix_rank, old tol": ([M], lambda m, a: m.linalg.matrix_rank(a, 4.0)),
    "matrix_rank, hermitian": ([P], lambda m, a: m.linalg.matrix_rank(a, hermitian=True)),
    "matrix_rank of nothing": ([np.zeros((2, 0, 3))], lambda m, a: m.linalg.matrix_rank(a)),
    "lstsq": ([TALL, R.normal(size=(4, 3))], lambda m, a, b: m.linalg.lstsq(a, b)),
    "lstsq, wide": ([WIDE, R.normal(size=(2, 3))], lambda m, a, b: m.linalg.lstsq(a, b)),
    "lstsq, gels": ([TALL, R.normal(size=(4, 3))], lambda m, a, b: m.linalg.lstsq(a, b, driver="gels")),
    "lstsq, gels, wide": ([WIDE, R.normal(size=(2, 3))], lambda m, a, b: m.linalg.lstsq(a, b, driver="gels")[0]),
    "lstsq, gelsd": ([TALL, R.normal(size=(4, 3))], lambda m, a, b: m.linalg.lstsq(a, b, driver="gelsd")),
    "lstsq, gelss of rank 1": ([TALL[:, :1], WIDE[:1, :2], R.normal(size=(4, 1))],
                               lambda m, a, c, b: m.linalg.lstsq(a @ c, b, rcond=1e-10, driver="gelss")[::2]),
    "lstsq for a vector": ([TALL, R.normal(size=4)], lambda m, a, b: m.linalg.lstsq(a, b, driver="gels")),
    # factorisations
    "cholesky": ([P], lambda m, a: m.linalg.cholesky(a)),
    "cholesky, upper": ([P], lambda m, a: m.linalg.cholesky(a, upper=True)),
    "cholesky reads one triangle": ([np.tril(P) + np.triu(np.full((3, 3), 7.0), 1)], lambda m, a: m.linalg.cholesky(a.detach())),
    "cholesky_ex": ([P], lambda m, a: m.linalg.cholesky_ex(a)),
    "old cholesky": ([P], lambda m, a: a.cholesky(upper=True)),
    "cholesky, empty": ([E0], lambda m, a: m.linalg.cholesky(a)),
    "qr": ([TALL], lambda m, a: m.linalg.qr(a)),
    "qr, wide": ([WIDE], lambda m, a: m.linalg.qr(a)),
    "qr, complete and square": ([M], lambda m, a: m.linalg.qr(a, mode="complete")),
    "qr, complete and wide": ([WIDE], lambda m, a: m.linalg.qr(a, mode="complete")),
    "qr, r": ([TALL], lambda m, a: m.linalg.qr(a.detach(), mode="r")),
    "old qr": ([STACK], lambda m, a: a.qr()),
    "eigvalsh": ([P], lambda m, a: m.linalg.eigvalsh(a)),
    "eigvalsh of equal ones": ([np.eye(3)], lambda m, a: m.linalg.eigvalsh(a)),
    "eigh": ([STACK], lambda m, a: [w if w.ndim == 2 else w.abs() for w in m.linalg.eigh(symmetric(a))]),
    "eigh, upper": ([M], lambda m, a: m.linalg.eigh(symmetric(a), UPLO="U").eigenvectors.abs()),
    "svd": ([TALL], lambda m, a: [x.abs() for x in m.linalg.svd(a, full_matrices=False)]),
    "svd, U Vh": ([M], lambda m, a: (lambda s: s.U @ s.Vh)(m.linalg.svd(a))),
    "svd, full": ([WIDE], lambda m, a: [x.abs() for x in m.linalg.svd(a)[:2]]),
    "old svd": ([STACK], lambda m, a: (lambda s: s.U @ m.diag_embed(s.S) @ s.V.mT)(a.svd())),
    "old svd, no vectors": ([TALL], lambda m, a: m.svd(a.detach(), compute_uv=False)),
    "svdvals": ([STACK], lambda m, a: m.linalg.svdvals(a)),
    "svdvals of equal ones": ([np.eye(3)], lambda m, a: m.linalg.svdvals(a)),
    "householder_product": ([HALF, np.array([1.2, 0.7])], lambda m, a, t: m.linalg.householder_product(a, t)),
    "ormqr": ([HALF, np.array([1.2, 0.7]), TALL], lambda m, a, t, c: m.ormqr(a, t, c)),
    "ormqr, transposed": ([HALF, np.array([1.2, 0.7]), TALL], lambda m, a, t, c: m.ormqr(a, t, c, transpose=True)),
    "ormqr from the right": ([HALF, np.array([1.2, 0.7]), WIDE], lambda m, a, t, c: m.ormqr(a, t, c, left=False)),
    # functions of matrices
    "det": ([STACK], lambda m, a: m.linalg.det(a)),
    "det of nothing": ([E0], lambda m, a: m.det(a)),
    "slogdet": ([STACK], lambda m, a: m.linalg.slogdet(a)),
    "slogdet, negative": ([-M], lambda m, a: m.slogdet(a)),
    "slogdet of a singular matrix": ([SINGULAR], lambda m, a: a.detach().slogdet()),
    "slogdet, beyond all numbers": ([1e200 * M], lambda m, a: m.slogdet(a)),
    "logdet": ([M], lambda m, a: a.logdet()),
    "logdet of a negative one": ([-M], lambda m, a: m.logdet(a.detach())),
    "matrix_exp": ([STACK], lambda m, a: m.linalg.matrix_exp(a)),
    "matrix_exp of zeros": ([np.zeros((2, 2))], lambda m, a: a.matrix_exp()),
    "matrix_power": ([STACK], lambda m, a: m.linalg.matrix_power(a, 5)),
    "matrix_power, negative": ([M], lambda m, a: a.matrix_power(-3)),
    "matrix_power of integers": ([np.arange(9).reshape(3, 3)], lambda m, a: m.matrix_power(a, 3)),
    "cond": ([STACK], lambda m, a: m.linalg.cond(a)),
    "cond of a singular matrix": ([SINGULAR], lambda m, a: m.linalg.cond(a.detach(), 1)),
    **{f"cond, {p}": ([M], lambda m, a, p=p: m.linalg.cond(a.detach(), p)) for p in ORDERS},
    **{f"matrix_norm, {p}": ([STACK], lambda m, a, p=p: m.linalg.matrix_norm(a, p, dim=(0, 2))) for p in ORDERS},
    **{f"norm, {p}": ([M], lambda m, a, p=p: m.linalg.norm(a, p)) for p in (None, 2, 1, math.inf, "fro", "nuc")},
    **{f"norm of a vector, {p}": ([V], lambda m, a, p=p: m.linalg.norm(a, p)) for p in (None, 2, 0, -1, 3.5, -math.inf)},
    "norm along one": ([STACK], lambda m, a: m.linalg.norm(a, 1, dim=1, keepdim=True)),
    "norm in another dtype": ([M], lambda m, a: m.linalg.norm(a.float(), "nuc", dtype=m.float64)),
    "vector_norm at 0": ([np.zeros(3)], lambda m, a: m.linalg.vector_norm(a, 3)),
    # refused by both
    "solve, singular": ([SINGULAR, V[:2]], lambda m, a, b: m.linalg.solve(a, b)),
    "solve, not square": ([TALL, V], lambda m, a, b: m.linalg.solve(a, b)),
    "solve, sizes": ([M, V[:2]], lambda m, a, b: m.linalg.solve(a, b)),
    "solve, dtypes": ([M, B], lambda m, a, b: m.linalg.solve(a, b.float())),
    "solve, integers": ([np.eye(2, dtype=int)] * 2, lambda m, a, b: m.linalg.solve(a, b)),
    "solve, vectors from the right": ([M, V], lambda m, a, b: m.linalg.solve(a, b, left=False)),
    "inv, singular": ([np.stack([np.eye(2), SINGULAR])], lambda m, a: m.linalg.inv(a)),
    "inv, not square": ([TALL], lambda m, a: m.linalg.inv(a)),
    "inv of a vector": ([V], lambda m, a: m.linalg.inv(a)),
    "solve_triangular, sizes": ([M, V[:, None][:2]], lambda m, a, b: m.linalg.solve_triangular(a, b, upper=True)),
    "lu_factor, singular": ([SINGULAR], lambda m, a: m.linalg.lu_factor(a)),
    "lu without pivots": ([M], lambda m, a: m.linalg.lu_factor(a, pivot=False)),
    "lu_solve, other pivots": ([M, B], lambda m, a, b: m.lu_solve(b, packed(m, a)[0], packed(m, a)[1][:2])),
    "lu_unpack, pivots of int64": ([M], lambda m, a: m.lu_unpack(packed(m, a)[0], packed(m, a)[1].long())),
    "lstsq, numbers": ([np.array(1.0)] * 2, lambda m, a, b: m.linalg.lstsq(a, b)),
    "lstsq, sizes": ([TALL, B], lambda m, a, b: m.linalg.lstsq(a, b)),
    "lstsq, driver": ([TALL, TALL], lambda m, a, b: m.linalg.lstsq(a, b, driver="gelsx")),
    "cholesky, not positive": ([-P], lambda m, a: m.linalg.cholesky(a)),
    "cholesky, not square": ([TALL], lambda m, a: m.linalg.cholesky(a)),
    "qr, mode": ([M], lambda m, a: m.linalg.qr(a, mode="full")),
    "eigh, UPLO": ([M], lambda m, a: m.linalg.eigh(a, UPLO="X")),
    "eigh of integers": ([np.eye(2, dtype=int)], lambda m, a: m.linalg.eigh(a)),
    "svd of a vector": ([V], lambda m, a: m.linalg.svd(a)),
    "svd, driver": ([M], lambda m, a: m.linalg.svd(a, driver="gesvd")),
    "svd of NaN": ([np.full((2, 2), np.nan)], lambda m, a: m.linalg.svd(a)),
    "det, not square": ([TALL], lambda m, a: m.det(a)),
    "matrix_power by halves": ([M], lambda m, a: m.linalg.matrix_power(a, 0.5)),
    "matrix_power of a singular matrix": ([SINGULAR], lambda m, a: m.linalg.matrix_power(a, -1)),
    "matrix_exp, not square": ([TALL], lambda m, a: m.linalg.matrix_exp(a)),
    "cond, not square": ([TALL], lambda m, a: m.linalg.cond(a, 1)),
    "cond, order": ([M], lambda m, a: m.linalg.cond(a, 3)),
    "matrix_norm, order": ([M], lambda m, a: m.linalg.matrix_norm(a, 3)),
    "matrix_norm of a vector": ([V], lambda m, a: m.linalg.matrix_norm(a)),
    "matrix_norm, one dimension twice": ([M], lambda m, a: m.linalg.matrix_norm(a, dim=(0, 0))),
    "norm of integers": ([np.eye(2, dtype=int)], lambda m, a: m.linalg.norm(a)),
    "norm of a cube": ([STACK], lambda m, a: m.linalg.norm(a, 2)),
    "vector norm by name": ([V], lambda m, a: m.linalg.norm(a, "fro")),
    "householder_product, wide": ([WIDE, V[:2]], lambda m, a, t: m.linalg.householder_product(a, t)),
    "ormqr, sizes": ([HALF, V[:2], WIDE], lambda m, a, t, c: m.ormqr(a, t, c)),
    "tensorinv, sizes": ([W], lambda m, a: m.linalg.tensorinv(a, 1)),
    "tensorsolve, sizes": ([W, W], lambda m, a, b: m.linalg.tensorsolve(a, b)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    arrays, fn = CASES[name]
    both(fn, *arrays)


SINGLE = [
    "solve", "inv", "solve_triangular", "cholesky", "qr", "eigvalsh", "svdvals", "det", "slogdet", "matrix_exp", "pinv", "lu",
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SINGLE)
def test_results_keep_the_dtype(name: str, dtype: str) -> None:
    import retrograd as rg

    arrays, fn = CASES[name]
    out = fn(rg, *(rg.tensor(a.astype(dtype)) for a in arrays))
    assert {str(x.dtype).split(".")[1] for x in (out if isinstance(out, tuple) else (out,))} == {dtype}
