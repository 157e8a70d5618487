"""What must hold of factors, solutions and functions of matrices; SciPy as a second opinion; conventions; errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from retrograd import linalg as la
from retrograd.autograd import gradgradcheck
from retrograd.errors import LinAlgError, RetrogradError, ShapeError, UsageError

pytestmark = pytest.mark.row("ENG-01")

SIZES = st.integers(0, 6)
BATCH = st.sampled_from([(), (1,), (3,), (0,), (2, 2)])
SEEDS = st.integers(0, 999)
QUICK = settings(max_examples=25, deadline=None)


def near(a: Any, b: Any, precise: float = 1e-10) -> None:
    a, b = (x.detach().numpy() if isinstance(x, rg.Tensor) else np.asarray(x) for x in (a, b))
    assert a.shape == b.shape
    assert np.max(np.abs(a - b), initial=0.0) <= precise * max(np.max(np.abs(b), initial=0.0), 1.0)


def eye(n: int, batch: tuple[int, ...]) -> Any:
    return np.broadcast_to(np.eye(n), (*batch, n, n))


# -- factors multiply to what they are factors of -------------------------------------------------------------------------
@given(BATCH, SIZES, SIZES, SEEDS)
@QUICK
def test_qr(batch: tuple[int, ...], m: int, n: int, seed: int) -> None:
    a = np.random.default_rng(seed).normal(size=(*batch, m, n))
    for mode in ("reduced", "complete"):
        q, r = la.qr(rg.tensor(a), mode)
        near(q @ r, a)
        near(q.mT @ q, eye(q.shape[-1], batch))
        near(r.triu(), r)


@given(BATCH, SIZES, SIZES, SEEDS)
@QUICK
def test_svd(batch: tuple[int, ...], m: int, n: int, seed: int) -> None:
    a, k = np.random.default_rng(seed).normal(size=(*batch, m, n)), min(m, n)
    for full in (False, True):
        u, s, vh = la.svd(rg.tensor(a), full)
        near(u[..., :k] @ rg.diag_embed(s) @ vh[..., :k, :], a)
        near(u.mT @ u, eye(u.shape[-1], batch))
        near(vh @ vh.mT, eye(vh.shape[-2], batch))
        assert (np.diff(s.numpy(), axis=-1) <= 0).all()
        near(la.svdvals(rg.tensor(a)), s)


@given(BATCH, SIZES, SEEDS)
@QUICK
def test_symmetric_factors(batch: tuple[int, ...], n: int, seed: int) -> None:
    g = np.random.default_rng(seed).normal(size=(*batch, n, n))
    a = g @ g.swapaxes(-1, -2) + np.eye(n)
    w, v = la.eigh(rg.tensor(a))
    near(v @ rg.diag_embed(w) @ v.mT, a)
    near(v.mT @ v, eye(n, batch))
    low, up = la.cholesky(rg.tensor(a)), la.cholesky(rg.tensor(a), upper=True)
    near(low @ low.mT, a)
    near(up.mT @ up, a)
    near(rg.cholesky_inverse(low) @ rg.tensor(a), eye(n, batch), 1e-8)


@given(BATCH, SIZES, SIZES, SEEDS)
@QUICK
def test_lu(batch: tuple[int, ...], m: int, n: int, seed: int) -> None:
    a = np.random.default_rng(seed).normal(size=(*batch, m, n))
    p, low, up = la.lu(rg.tensor(a))
    near(p @ low @ up, a)
    near(p.mT @ p, eye(m, batch))
    assert np.max(np.abs(low.numpy()), initial=0.0) <= 1 + 1e-12, "pivots are the largest of their columns"


@given(BATCH, SIZES, st.integers(0, 3), SEEDS, st.booleans(), st.booleans())
@QUICK
def test_solutions(batch: tuple[int, ...], n: int, k: int, seed: int, upper: bool, left: bool) -> None:
    r = np.random.default_rng(seed)
    a = r.normal(size=(*batch, n, n)) + 4 * np.eye(n)
    b = r.normal(size=(*(1 for _ in batch), *((n, k) if left else (k, n))))
    x = la.solve(rg.tensor(a), rg.tensor(b), left=left)
    near(rg.tensor(a) @ x if left else x @ rg.tensor(a), np.broadcast_to(b, x.shape))
    t = rg.tensor(np.triu(a) if upper else np.tril(a))
    y = la.solve_triangular(rg.tensor(a), rg.tensor(b), upper=upper, left=left)
    near(t @ y if left else y @ t, np.broadcast_to(b, y.shape))


# -- a second opinion -----------------------------------------------------------------------------------------------------
def test_large_triangles_and_lu_against_scipy() -> None:
    """Sizes at which the work is cut in halves."""
    scipy = pytest.importorskip("scipy.linalg")
    r = np.random.default_rng(0)
    a, b = r.normal(size=(130, 130)) + 12 * np.eye(130), r.normal(size=(130, 3))
    for upper in (False, True):
        for unit in (False, True):
            x = la.solve_triangular(rg.tensor(a), rg.tensor(b), upper=upper, unitriangular=unit)
            near(x, scipy.solve_triangular(a, b, lower=not upper, unit_diagonal=unit), 1e-9)
    for shape in ((130, 130), (90, 140), (140, 90)):
        a = r.normal(size=shape)
        for found, expected in zip(la.lu(rg.tensor(a)), scipy.lu(a), strict=True):
            near(found, expected, 1e-9)
    _, pivots = la.lu_factor(rg.tensor(r.normal(size=(2, 80, 80))))
    assert tuple(pivots.shape) == (2, 80)
    assert int(pivots.min()) >= 1


def test_substitution_is_accurate_where_an_inverse_is_not() -> None:
    """A random triangle has a huge condition number, yet the residual of substitution stays at rounding."""
    r = np.random.default_rng(1)
    t, b = np.tril(r.normal(size=(100, 100))), r.normal(size=(100, 1))
    x = la.solve_triangular(rg.tensor(t), rg.tensor(b), upper=False).numpy()
    residual = np.abs(t @ x - b)
    assert (residual <= 1e-13 * (np.abs(t) @ np.abs(x) + np.abs(b))).all()


@pytest.mark.parametrize("scale", [0.0, 1e-8, 0.3, 3.0, 40.0])
def test_matrix_exp_against_scipy(scale: float) -> None:
    scipy = pytest.importorskip("scipy.linalg")
    a = scale * np.random.default_rng(2).normal(size=(4, 5, 5)) / 3
    near(la.matrix_exp(rg.tensor(a)), scipy.expm(a), 1e-11)
    single = la.matrix_exp(rg.tensor((a / 8).astype("float32")))
    near(single, scipy.expm(a / 8), 1e-4)


def test_matrix_exp_of_known_ones() -> None:
    near(la.matrix_exp(rg.tensor([[0.0, 7.0], [0.0, 0.0]]).double()), [[1.0, 7.0], [0.0, 1.0]], 1e-15)
    turn = rg.tensor([[0.0, -np.pi / 2], [np.pi / 2, 0.0]]).double()
    near(la.matrix_exp(turn), [[0.0, -1.0], [1.0, 0.0]], 1e-7)
    batch = la.matrix_exp(rg.tensor(np.stack([np.zeros((2, 2)), 30 * np.eye(2)])))
    near(batch[1] * np.exp(-30.0), np.eye(2), 1e-13)


# -- conventions where a derivative is not unique, or a formula divides by zero --------------------------------------------
def leaf(a: Any) -> Any:
    return rg.tensor(np.array(a, dtype=float)).requires_grad_()


def adjugate(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    n = len(a)
    minors = [[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)]
    return np.array(minors) * (-1.0) ** np.add.outer(np.arange(n), np.arange(n))


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_gradient_of_det_is_the_cofactors_also_where_a_matrix_is_singular(rank: int) -> None:
    """PyTorch gives 0 for a singular matrix; the determinant is a polynomial, and this is its derivative."""
    r = np.random.default_rng(rank)
    a = r.integers(-3, 4, (4, rank)) @ r.integers(-3, 4, (rank, 4))
    x = leaf(a)
    rg.det(x).backward()
    near(x.grad, adjugate(a.astype(float)))


def test_values_that_coincide_have_finite_gradients() -> None:
    """The norm of the unit matrix's singular values is smooth; only the vectors are not unique."""
    x = leaf(np.eye(3))
    la.matrix_norm(x, "nuc").backward()
    near(x.grad, np.eye(3))
    x = leaf(np.eye(3))
    (la.eigvalsh(x) ** 2).sum().backward()
    near(x.grad, 2 * np.eye(3))
    x = leaf(np.zeros((2, 3)))
    la.svd(x, False).U.sum().backward()
    assert rg.isfinite(x.grad).all()


def test_a_symmetric_parameter_keeps_a_symmetric_gradient() -> None:
    a = np.array([[4.0, 1.0], [1.0, 3.0]])
    for f in (la.cholesky, la.eigvalsh):
        x = leaf(a)
        (f(x) * rg.arange(1.0, f(x).numel() + 1).reshape(f(x).shape)).sum().backward()
        near(x.grad, x.grad.mT)


def test_the_other_triangle_may_hold_anything() -> None:
    x = leaf([[4.0, np.nan], [1.0, 3.0]])
    la.cholesky(x).sum().backward()
    assert np.isfinite(la.cholesky(x).detach().numpy()).all()
    assert np.isfinite(x.grad.numpy()[np.tril_indices(2)]).all()


# -- readings: traced, vectorised, differentiated twice --------------------------------------------------------------------
def positive(x: Any) -> Any:
    return x @ x.mT + rg.eye(3).double()


READINGS: dict[str, Callable[[Any], Any]] = {
    "cholesky": lambda x: la.cholesky(positive(x)),
    "solve": lambda x: la.solve(x, x.mT),
    "solve for one right-hand side": lambda x: la.solve(x, rg.arange(3.0).double()),
    "one matrix for all": lambda x: la.solve(2 * rg.eye(3).double(), x),
    "inv": la.inv,
    "solve_triangular": lambda x: la.solve_triangular(x, x, upper=True, left=False),
    "slogdet": lambda x: la.slogdet(x).logabsdet,
    "det": la.det,
    "qr": lambda x: la.qr(x[:, :2]).Q,
    "qr, wide": lambda x: la.qr(x[:2]).R,
    "eigvalsh": lambda x: la.eigvalsh(positive(x)),
    "eigh": lambda x: la.eigh(positive(x)).eigenvectors ** 2,
    "svd": lambda x: (lambda s: s.U[:, :2] @ s.Vh[:2])(la.svd(x)),
    "pinv": lambda x: la.pinv(x[:, :2]),
    "lstsq": lambda x: la.lstsq(x[:, :2], x[:, 2:]).solution,
    "lstsq, gels": lambda x: la.lstsq(x[:2], x[:2, :1], driver="gels").solution,
    "lu": lambda x: la.lu(x).U,
    "lu_solve": lambda x: la.lu_solve(*la.lu_factor(x), x.mT, adjoint=True),
    "matrix_exp": lambda x: la.matrix_exp(x / 3),
    "matrix_power": lambda x: la.matrix_power(x, -2),
    "householder_product": lambda x: la.householder_product(x / 4, x[0, :2] / 4),
    "nuclear norm": lambda x: la.norm(x, "nuc"),
    "cond": lambda x: la.cond(x, "fro"),
    "einsum": lambda x: rg.einsum("ij,jk,ki->i", x, x, x),
    "tensordot": lambda x: rg.tensordot(x, x, ([0], [1])),
    "kron": lambda x: rg.kron(x, x[:1]),
    "cdist": lambda x: rg.cdist(x, 2 * x),
    "pdist": lambda x: rg.pdist(x, 3.0),
    "cosine_similarity": lambda x: rg.cosine_similarity(x, x.mT, 0),
    "multi_dot": lambda x: la.multi_dot([x, x, x[0]]),
}
POINTS = np.random.default_rng(7).normal(size=(3, 3, 3)) * 0.4 + 2 * np.eye(3) + np.diag([0.0, 0.5, 1.2])


@pytest.mark.parametrize("name", READINGS)
def test_readings(name: str) -> None:
    f = READINGS[name]
    each = [f(rg.tensor(x)).numpy() for x in POINTS]
    near(rg.vmap(f)(rg.tensor(POINTS)), np.stack(each), 1e-9)
    graph = rg.trace(f)(rg.tensor(POINTS[0]))
    near(graph.evaluate(POINTS[1])[0], each[1], 1e-9)
    assert gradgradcheck(f, leaf(POINTS[0]))


# -- refusals -----------------------------------------------------------------------------------------------------------
SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])
REFUSED: dict[str, tuple[Callable[[], Any], type[RetrogradError], str]] = {
    "inv": (lambda: la.inv(rg.tensor(SINGULAR)), LinAlgError, "singular: pivot 2 of 2 is zero"),
    "solve in a stack": (
        lambda: la.solve(rg.tensor(np.stack([np.eye(2), SINGULAR])), rg.ones(2, 1).double()),
        LinAlgError,
        r"the matrix at \[1\] is singular",
    ),
    "cholesky": (
        lambda: la.cholesky(rg.tensor(np.diag([1.0, 2.0, -1.0, 3.0]))),
        LinAlgError,
        "not positive definite: its leading block of size 3",
    ),
    "lu_factor": (lambda: la.lu_factor(rg.tensor(SINGULAR)), LinAlgError, "pivot 2 of the matrix is zero"),
    "svd of infinities": (lambda: la.svd(rg.full((2, 2), np.inf)), LinAlgError, "NaN or infinite entries"),
    "not square": (lambda: la.inv(rg.ones(2, 3)), ShapeError, "2 rows and 3 columns"),
    "solve": (lambda: la.solve(rg.eye(2), rg.ones(3)), ShapeError, "does not fit"),
    "qr": (lambda: la.qr(rg.eye(2), "both"), UsageError, "mode='both'"),
    "a threshold": (lambda: la.pinv(rg.eye(2), rtol="small"), UsageError, "tolerance 'small'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_say_what_is_wrong(name: str) -> None:
    call, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message) as caught:
        call()
    assert caught.value.hint
    assert caught.value.where or kind is UsageError


def test_complete_factors_of_a_tall_matrix_have_no_gradient() -> None:
    x = leaf(np.random.default_rng(0).normal(size=(4, 2)))
    q, _ = la.qr(x, "complete")
    with pytest.raises(RetrogradError, match="no derivative") as caught:
        q.sum().backward()
    assert "reduced" in str(caught.value.hint)


def test_what_failed_is_told_for_each_matrix() -> None:
    stack = rg.tensor(np.stack([np.eye(2), SINGULAR, np.diag([1.0, -1.0])]))
    inverse, info = la.inv_ex(stack)
    assert info.tolist() == [0, 2, 0]
    near(inverse[0], np.eye(2))
    assert rg.isnan(inverse[1]).all()
    factor, info = la.cholesky_ex(stack)
    assert info.tolist() == [0, 2, 2]
    near(factor[0], np.eye(2))
    assert la.lu_factor_ex(stack).info.tolist() == [0, 2, 0]
    assert issubclass(la.LinAlgError, RuntimeError)
