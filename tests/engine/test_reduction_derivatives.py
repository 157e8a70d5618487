"""First and second derivatives of reductions, scans and order statistics, at ties, zeros and infinities: PyTorch's.

Also: traced and vectorised they are the same functions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch

Function = Callable[[Any, Any], Any]
POINTS = [0.0, 1.0, 3.0, 4.0]


def halves(x: Any) -> Any:
    """The numbers as two rows."""
    return x.reshape(2, -1)


FUNCTIONS: dict[str, tuple[Function, list[list[float]]]] = {
    "prod": (lambda m, x: m.prod(x), [[2, 1, 3, 4], [2, 0, 3, 4], [2, 0, 0, 4], [0, 0, 0, 4]]),
    "prod along": (lambda m, x: m.prod(halves(x), 1), [[2, 0, 3, 4, 5, 6]]),
    "cumprod": (lambda m, x: m.cumprod(x, 0), [[2, 1, 3, 4], [2, 0, 3, 4], [0, 2, 0, 3]]),
    "cumprod along": (lambda m, x: m.cumprod(halves(x), 1), [[2, 0, 3, 0, 0, 4]]),
    "logcumsumexp": (
        lambda m, x: m.logcumsumexp(x, 0),
        [[2, -1, 3, 4], [2000, -1000, 2001, 4], [1, -inf, 3, 4], [-inf, -inf, 3, 4]],
    ),
    "logsumexp": (lambda m, x: m.logsumexp(x, 0), [[1, 2, 3], [1, -inf, 3], [-inf, -inf]]),
    "var": (lambda m, x: m.var(x), [[1, 2, 4], [2, 2]]),
    "std": (lambda m, x: m.std(x), [[1, 2, 4], [2, 2, 2], [2]]),
    "std_mean": (lambda m, x: m.std_mean(x)[0] * m.std_mean(x)[1], [[1, 2, 4]]),
    "median": (lambda m, x: m.median(x), [[3, 3, 1], [3, nan, 1, nan]]),
    "median along": (lambda m, x: m.median(x, 0)[0], [[3, 3, 1, 2], [3, nan, 1, nan]]),
    "nanmedian": (lambda m, x: m.nanmedian(x), [[3, nan, 1, 1]]),
    "nanmedian along": (lambda m, x: m.nanmedian(x, 0)[0], [[3, nan, 1, 4]]),
    "mode": (lambda m, x: m.mode(x)[0], [[3, 3, 1, 1, 2]]),
    "kthvalue": (lambda m, x: m.kthvalue(x, 2)[0], [[3, 4, 1]]),
    "cummax": (lambda m, x: m.cummax(x, 0)[0], [[3, 3, 1, 5, 5]]),
    "cummin": (lambda m, x: m.cummin(x, 0)[0], [[3, 3, 1, 1, 5]]),
    "quantile": (lambda m, x: m.quantile(x, 0.4), [[3, 4, 1, 7], [3, nan, 1, 7]]),
    "midpoint": (lambda m, x: m.quantile(x, 0.4, interpolation="midpoint"), [[3, 4, 1, 7]]),
    "nanquantile": (lambda m, x: m.nanquantile(x, 0.4), [[3, nan, 1, 7]]),
    "amax": (lambda m, x: m.amax(x), [[3, 3, 1]]),
    "aminmax": (lambda m, x: m.aminmax(x)[0] * m.aminmax(x)[1], [[3, 3, 1, 1]]),
    "aminmax along": (lambda m, x: m.aminmax(halves(x), dim=1)[1], [[3, 3, 1, 2]]),
    "max": (lambda m, x: m.max(x), [[3, 3, 1], [3, nan, nan]]),
    "max along": (lambda m, x: m.max(x, 0)[0], [[3, 3, 1]]),
    "max of two": (lambda m, x: m.max(x, m.tensor([3.0, 2, 1], dtype=m.float64)), [[3, 3, 1]]),
    "nansum": (lambda m, x: m.nansum(x), [[3, nan, 1]]),
    "nanmean": (lambda m, x: m.nanmean(x), [[3, nan, 1]]),
    "norm along": (lambda m, x: m.norm(halves(x), 2, 1), [[1, 2, 3, 4]]),
    "nuclear norm": (lambda m, x: m.norm(halves(x), "nuc"), [[1, 2, 3, 5, 2, 1]]),
    "dist": (lambda m, x: m.dist(x, x.detach() * 2 + 1, 3), [[1, 2]]),
    "renorm": (lambda m, x: m.renorm(halves(x), 2, 0, 3.0), [[1, 2, 3, 4]]),
    "renorm 1": (lambda m, x: m.renorm(halves(x), 1, 1, 3.0), [[1, 2, 3, 4]]),
    "sort": (lambda m, x: m.sort(x, stable=True)[0], [[3, 1, 3, 2]]),
    "topk": (lambda m, x: m.topk(x, 2)[0], [[3, 1, 4, 2]]),
    "cov": (lambda m, x: m.cov(halves(x)), [[3, 1, 4, 2, 7, 2]]),
    "corrcoef": (lambda m, x: m.corrcoef(halves(x)), [[3, 1, 4, 2, 7, 2]]),
    "softmax": (lambda m, x: m.softmax(x, 0), [[3, 1, 4]]),
    "gradient": (lambda m, x: m.gradient(x)[0], [[3, 1, 4, 4]]),
    "gradient at points": (
        lambda m, x: m.gradient(x, spacing=(m.tensor(POINTS, dtype=m.float64),), edge_order=2)[0],
        [[3, 1, 4, 4]],
    ),
    "trapezoid": (lambda m, x: m.trapezoid(x, x * x), [[3, 1, 4, 4]]),
    "cumulative_trapezoid": (lambda m, x: m.cumulative_trapezoid(x, dx=0.5), [[3, 1, 4]]),
    "diff": (lambda m, x: m.diff(x, n=2), [[3, 1, 4, 4]]),
}
NORMS: dict[str, tuple[Function, list[list[float]]]] = {
    f"norm {p}": (
        lambda m, x, p=p: m.norm(x, p),
        [[3, -4, 1], [2, -2, 1], [3, 0, -1], [0, 0, 0], [nan, 1, 2], [inf, 1, 2]],
    )
    for p in (0.5, 1, 1.5, 2, 2.5, 3, inf, -inf, -1, -2)
}


def derivatives(m: Any, fn: Function, at: list[float], second: bool) -> list[np.ndarray[Any, Any]]:
    """The value, the gradient of a random weighting of it, and the gradient of a random weighting of that."""
    r = np.random.default_rng(0)
    x = m.tensor(np.array(at, "float64"))
    x.requires_grad_()
    y = fn(m, x)
    w = m.tensor(np.asarray(r.normal(size=tuple(y.shape))))
    (g,) = m.autograd.grad((y * w).sum(), [x], create_graph=True)
    out = [y.detach().numpy(), g.detach().resolve_neg().numpy() if m is torch else g.detach().numpy()]
    if second:
        h = None
        if g.requires_grad:
            u = m.tensor(r.normal(size=len(at)))
            (h,) = m.autograd.grad((g * u).sum(), [x], allow_unused=True)
        out.append(np.zeros(len(at)) if h is None else h.detach().numpy())
    return out


def compare(fn: Function, at: list[float], second: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of degrees of freedom
        theirs = derivatives(torch, fn, at, second)
    ours = derivatives(rg, fn, at, second)
    for order, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10, err_msg=f"derivative {order} at {at}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_those_of_pytorch(name: str) -> None:
    fn, points = FUNCTIONS[name]
    for at in points:
        compare(fn, at, second=True)


@pytest.mark.parametrize("name", NORMS)
def test_gradients_of_norms_are_those_of_pytorch(name: str) -> None:
    """Also at 0 and at infinity.  (PyTorch's second derivatives are NaN at 0; ours are 0 there.)"""
    fn, points = NORMS[name]
    for at in points:
        if name in ("norm 1", "norm inf", "norm -inf"):
            with_own_gradient(fn, at)
        else:
            compare(fn, at, second=all(at) and np.isfinite(at).all())


def with_own_gradient(fn: Function, at: list[float]) -> None:
    """The gradient alone: PyTorch's graph of it cannot be turned into an array there."""
    x, t = rg.tensor(np.array(at, "float64")), torch.tensor(at, dtype=torch.float64)
    fn(rg, x.requires_grad_()).backward()
    fn(torch, t.requires_grad_()).backward()
    np.testing.assert_array_equal(x.grad.numpy(), t.grad.numpy())


def test_a_norm_at_zero_has_no_second_derivative_but_zero() -> None:
    for p in (0.5, 1.5, 2, 2.5):
        assert not derivatives(rg, lambda m, x, p=p: m.norm(x, p), [0.0, 0.0], True)[2].any()


@pytest.mark.parametrize("name", [*FUNCTIONS, *NORMS])
def test_traced_and_vectorised_they_are_the_same(name: str) -> None:
    fn, points = (FUNCTIONS | NORMS)[name]
    at = np.array(points[0], "float64")
    alone = fn(rg, rg.tensor(at))
    traced = rg.trace(lambda x: fn(rg, x))(rg.tensor(at))(at)
    assert traced[0].tobytes() == alone.numpy().tobytes()
    rows = np.stack([at, at[::-1], np.roll(at, 1) + 0.25])
    many = rg.vmap(lambda x: fn(rg, x))(rg.tensor(rows))
    single = np.stack([fn(rg, rg.tensor(row.copy())).numpy() for row in rows])
    np.testing.assert_allclose(many.numpy(), single, rtol=1e-13)


@pytest.mark.parametrize("name", ["unique", "unique_consecutive", "bincount"])
def test_what_depends_on_values_says_that_it_cannot_be_traced(name: str) -> None:
    x = rg.tensor([1, 2, 2])
    with pytest.raises(rg.errors.TraceError, match=f"{name} cannot be traced") as error:
        rg.trace(getattr(rg, name))(x)
    assert "outside" in (error.value.hint or "")
