"""Distances, angles and bilinear forms against PyTorch and SciPy; zero distances; refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import DTypeError, RetrogradError, ShapeError, UsageError

torch = pytest.importorskip("torch")
from engine.both import both  # noqa: E402

pytestmark = pytest.mark.row("ENG-01")

R = np.random.default_rng(11)
A, B = R.normal(size=(4, 3)), R.normal(size=(5, 3))
S, T = R.normal(size=(2, 1, 4, 3)), R.normal(size=(3, 5, 3))
MANY = R.normal(size=(30, 4))
ORDERS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, math.inf)
CASES: dict[str, tuple[list[Any], Any]] = {
    **{f"cdist, {p}": ([A, B], lambda m, a, b, p=p: m.cdist(a, b, p)) for p in ORDERS},
    **{f"cdist of rows that coincide, {p}": ([A], lambda m, a, p=p: m.cdist(a, a.detach(), p)) for p in ORDERS},
    **{f"pdist, {p}": ([B], lambda m, a, p=p: m.nn.functional.pdist(a, p)) for p in ORDERS},
    "cdist of stacks": ([S, T], lambda m, a, b: m.cdist(a, b)),
    "cdist by products": ([A, B], lambda m, a, b: m.cdist(a, b, compute_mode="use_mm_for_euclid_dist")),
    "cdist of many": ([MANY, A @ np.ones((3, 4))], lambda m, a, b: m.cdist(a, b)),
    "cdist of none": ([np.zeros((0, 3)), B], lambda m, a, b: m.cdist(a, b)),
    "cdist of nothing": ([np.zeros((2, 0)), np.zeros((3, 0))], lambda m, a, b: m.cdist(a, b)),
    "pdist of one": ([A[:1]], lambda m, a: m.pdist(a)),
    "pdist of nothing": ([np.zeros((3, 0))], lambda m, a: m.pdist(a)),
    "pdist of equal rows": ([np.ones((3, 2))], lambda m, a: m.pdist(a)),
    "pairwise_distance": ([A, B[:4]], lambda m, a, b: m.nn.functional.pairwise_distance(a, b)),
    "pairwise_distance, 1": ([A, B[:1]], lambda m, a, b: m.pairwise_distance(a, b, p=1.0, keepdim=True)),
    "pairwise_distance of vectors": ([A[0], B[0]], lambda m, a, b: m.pairwise_distance(a, b, eps=0.5)),
    "cosine_similarity": ([A, B[:4]], lambda m, a, b: m.cosine_similarity(a, b)),
    "cosine_similarity, broadcast": ([S, T[:, :4]], lambda m, a, b: m.nn.functional.cosine_similarity(a, b, dim=-1)),
    "cosine_similarity, eps": ([A, B[:4]], lambda m, a, b: m.cosine_similarity(a, b, 0, 3.0)),
    "normalize": ([A], lambda m, a: m.nn.functional.normalize(a)),
    "normalize, 1": ([A], lambda m, a: m.nn.functional.normalize(a, p=1.0, dim=0)),
    "normalize over two": ([S], lambda m, a: m.nn.functional.normalize(a, dim=(-1, -2))),
    "normalize zeros": ([np.zeros((2, 3))], lambda m, a: m.nn.functional.normalize(a.detach())),
    "bilinear": ([A, B[:4, :2], R.normal(size=(5, 3, 2)), R.normal(size=5)], lambda m, *x: m.nn.functional.bilinear(*x)),
    "bilinear of vectors": ([A[0], B[0], R.normal(size=(2, 3, 3))], lambda m, *x: m.bilinear(*x)),
    "bilinear of none": ([A[:0], B[:0], R.normal(size=(2, 3, 3))], lambda m, *x: m.bilinear(*x)),
    # refused by both
    "cdist of columns": ([A, B[:, :2]], lambda m, a, b: m.cdist(a, b)),
    "cdist of vectors": ([A[0], B[0]], lambda m, a, b: m.cdist(a, b)),
    "cdist of integers": ([np.eye(2, dtype=int)] * 2, lambda m, a, b: m.cdist(a, b)),
    "cdist of dtypes": ([A, B], lambda m, a, b: m.cdist(a, b.float())),
    "cdist, negative p": ([A, B], lambda m, a, b: m.cdist(a, b, -1.0)),
    "cdist, mode": ([A, B], lambda m, a, b: m.cdist(a, b, compute_mode="mm")),
    "pdist of a stack": ([S], lambda m, a: m.pdist(a)),
    "pdist, negative p": ([A], lambda m, a: m.pdist(a, -1.0)),
    "pairwise_distance of sizes": ([A, B], lambda m, a, b: m.pairwise_distance(a, b)),
    "cosine_similarity of integers": ([np.eye(2, dtype=int)] * 2, lambda m, a, b: m.cosine_similarity(a, b)),
    "cosine_similarity, dim": ([A, A], lambda m, a, b: m.cosine_similarity(a, b, dim=2)),
    "normalize integers": ([np.eye(2, dtype=int)], lambda m, a: m.nn.functional.normalize(a)),
    "bilinear, features": ([A, B[:4], R.normal(size=(2, 3, 2))], lambda m, *x: m.bilinear(*x)),
    "bilinear, rows": ([A, B, R.normal(size=(2, 3, 3))], lambda m, *x: m.bilinear(*x)),
    "bilinear, bias": ([A, B[:4], R.normal(size=(2, 3, 3)), A[0]], lambda m, *x: m.bilinear(*x)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    arrays, fn = CASES[name]
    both(fn, *arrays)


@pytest.mark.parametrize(("p", "metric"), [(1.0, "cityblock"), (2.0, "euclidean"), (math.inf, "chebyshev")])
def test_against_scipy(p: float, metric: str) -> None:
    scipy = pytest.importorskip("scipy.spatial.distance")
    np.testing.assert_allclose(rg.cdist(rg.tensor(A), rg.tensor(B), p).numpy(), scipy.cdist(A, B, metric))
    np.testing.assert_allclose(rg.pdist(rg.tensor(A), p).numpy(), scipy.pdist(A, metric))


@pytest.mark.parametrize("p", ORDERS)
def test_a_distance_of_zero_has_gradient_zero(p: float) -> None:
    x = rg.tensor([[1.0, 2.0], [1.0, 2.0]], requires_grad=True)
    (rg.cdist(x, x, p).sum() + rg.pdist(x, p).sum()).backward()
    assert x.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_products_and_differences_agree() -> None:
    """The quick way loses digits only where a distance is far smaller than the norms."""
    x = rg.tensor(MANY)
    quick = rg.cdist(x, x)
    slow = rg.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")
    np.testing.assert_allclose(quick.numpy(), slow.numpy(), atol=1e-6)
    assert float(slow.diagonal().abs().max()) == 0.0


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda a: rg.cdist(a, rg.ones(2, 2)), ShapeError, "rows of equal length|cdist of shapes"),
        (lambda a: rg.cdist(a, a, -1), UsageError, "p=-1"),
        (lambda a: rg.cdist(a, a.double()), DTypeError, "float32 and .*float64"),
        (lambda a: rg.bilinear(a, a, rg.ones(2, 3, 4)), ShapeError, "3 and 3 features"),
    ],
)
def test_refusals_say_what_is_wrong(call: Any, kind: type[RetrogradError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        call(rg.ones(2, 3))
    assert caught.value.hint
