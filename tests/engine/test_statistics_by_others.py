"""Scans, order statistics and counts against NumPy and SciPy, on generated arrays; and what must hold of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import retrograd as rg

Array = np.ndarray
FEW = settings(max_examples=60, deadline=None)
NUMBERS = st.floats(-1e3, 1e3, allow_nan=False, width=64)
SMALL = st.integers(-4, 4)


def shapes(low: int = 1, least: int = 1) -> st.SearchStrategy[tuple[int, ...]]:
    return hnp.array_shapes(min_dims=low, max_dims=3, min_side=least, max_side=5)


FLOATS = hnp.arrays("float64", shapes(), elements=NUMBERS)
WHOLE = hnp.arrays("int64", shapes(), elements=SMALL)
ROWS = hnp.arrays("float64", st.integers(1, 12), elements=st.integers(-5, 5).map(float))


def close(mine: rg.Tensor, other: Array, rtol: float = 1e-12) -> None:
    other = np.asarray(other)
    assert mine.shape == other.shape
    np.testing.assert_allclose(mine.numpy(), other, rtol=rtol, atol=1e-9)


@FEW
@given(FLOATS, st.data())
def test_scans(x: Array, data: st.DataObject) -> None:
    d = data.draw(st.integers(-x.ndim, x.ndim - 1))
    t = rg.tensor(x)
    close(rg.cumsum(t, d), np.cumsum(x, d))
    close(rg.cumprod(t, d), np.cumprod(x, d))
    close(rg.logcumsumexp(t, d), np.logaddexp.accumulate(x, d))
    close(rg.cummax(t, d).values, np.maximum.accumulate(x, d))
    close(rg.cummin(t, d).values, np.minimum.accumulate(x, d))
    close(rg.diff(t, dim=d), np.diff(x, axis=d))


@FEW
@given(FLOATS, st.data())
def test_spread_and_quantiles(x: Array, data: st.DataObject) -> None:
    d = data.draw(st.integers(-x.ndim, x.ndim - 1))
    t = rg.tensor(x)
    close(rg.var(t, d, correction=0), np.var(x, d))
    close(rg.std(t, d, correction=0), np.std(x, d), 1e-9)
    q = data.draw(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0]), min_size=1, max_size=3))
    for how in ("linear", "lower", "higher", "midpoint"):
        close(
            rg.quantile(t, rg.tensor(q, dtype=rg.float64), d, interpolation=how),
            np.quantile(x, q, d, method=how),
        )
    holes = np.where(data.draw(hnp.arrays(bool, x.shape)), np.nan, x)
    holes[(0,) * x.ndim] = 1.0
    close(rg.nanquantile(rg.tensor(holes), 0.3), np.nanquantile(holes, 0.3))
    close(rg.nanmean(rg.tensor(holes)), np.nanmean(holes))
    close(rg.nansum(rg.tensor(holes), d), np.nansum(holes, d))


@FEW
@given(WHOLE, st.data())
def test_sorting_and_choosing(x: Array, data: st.DataObject) -> None:
    d = data.draw(st.integers(-x.ndim, x.ndim - 1))
    t, n = rg.tensor(x), x.shape[d]
    k = data.draw(st.integers(1, n))
    ordered = np.sort(x, d)
    close(rg.sort(t, d).values, ordered)
    np.testing.assert_array_equal(rg.argsort(t, d).numpy(), np.argsort(x, d, kind="stable"))
    close(rg.topk(t, k, d, largest=False).values, np.take(ordered, range(k), d))
    close(rg.topk(t, k, d).values, np.take(np.flip(ordered, d), range(k), d))
    for found, at in ((rg.kthvalue(t, k, d), k - 1), (rg.median(t, d), (n - 1) // 2)):
        close(found.values, np.take(ordered, at, d))
        chosen = np.take_along_axis(x, np.expand_dims(found.indices.numpy(), d), d)
        close(found.values, np.squeeze(chosen, d))


@FEW
@given(WHOLE, st.data())
def test_most_frequent(x: Array, data: st.DataObject) -> None:
    stats = pytest.importorskip("scipy.stats")
    d = data.draw(st.integers(-x.ndim, x.ndim - 1))
    found = rg.mode(rg.tensor(x), d)
    close(found.values, stats.mode(x, axis=d).mode)
    at = np.take_along_axis(x, np.expand_dims(found.indices.numpy(), d), d)
    close(found.values, np.squeeze(at, d))


@FEW
@given(WHOLE, st.data())
def test_telling_apart(x: Array, data: st.DataObject) -> None:
    d = data.draw(st.none() | st.integers(0, x.ndim - 1))
    values, inverse, counts = rg.unique(rg.tensor(x), return_inverse=True, return_counts=True, dim=d)
    other, back, many = np.unique(x, return_inverse=True, return_counts=True, axis=d)
    np.testing.assert_array_equal(values.numpy(), other)
    np.testing.assert_array_equal(inverse.numpy(), back.reshape(inverse.shape))
    np.testing.assert_array_equal(counts.numpy(), many)
    # Neighbours: what was taken apart can be put together again.
    runs, group, lengths = rg.unique_consecutive(rg.tensor(x), return_inverse=True, return_counts=True, dim=d)
    flat = x.ravel() if d is None else x
    np.testing.assert_array_equal(np.take(runs.numpy(), group.numpy(), d or 0).reshape(x.shape), x)
    np.testing.assert_array_equal(np.repeat(runs.numpy(), lengths.numpy(), d or 0), flat)


@FEW
@given(ROWS, ROWS, st.booleans())
def test_looking_up(s: Array, x: Array, right: bool) -> None:
    s = np.sort(s)
    found = rg.searchsorted(rg.tensor(s), rg.tensor(x), right=right)
    np.testing.assert_array_equal(found.numpy(), np.searchsorted(s, x, "right" if right else "left"))
    np.testing.assert_array_equal(rg.isin(rg.tensor(x), rg.tensor(s)).numpy(), np.isin(x, s))
    shuffled = np.roll(s, 1)
    sorter = rg.argsort(rg.tensor(shuffled))
    again = rg.searchsorted(rg.tensor(shuffled), rg.tensor(x), right=right, sorter=sorter)
    assert (again == found).all()


@FEW
@given(ROWS, st.integers(1, 6))
def test_counting(x: Array, bins: int) -> None:
    hist, edges = rg.histogram(rg.tensor(x), bins, range=(-3.0, 4.0))
    other, its = np.histogram(x, bins, (-3.0, 4.0))
    np.testing.assert_array_equal(hist.numpy(), other)
    close(edges, its)
    assert rg.histc(rg.tensor(x), bins, -5, 5).sum() == len(x)
    whole = (x + 5).astype(int)
    np.testing.assert_array_equal(
        rg.bincount(rg.tensor(whole), minlength=bins).numpy(), np.bincount(whole, None, bins)
    )
    weights = x * 0.5
    close(rg.bincount(rg.tensor(whole), rg.tensor(weights)), np.bincount(whole, weights))


@FEW
@given(hnp.arrays("float64", shapes(1, 3), elements=NUMBERS), st.integers(1, 2), st.data())
def test_slopes_and_areas(x: Array, edge: int, data: st.DataObject) -> None:
    integrate = pytest.importorskip("scipy.integrate")
    d = data.draw(st.integers(0, x.ndim - 1))
    points = np.cumsum(data.draw(hnp.arrays("float64", x.shape[d], elements=st.floats(0.1, 3))))
    t, p = rg.tensor(x), rg.tensor(points)
    close(
        rg.gradient(t, dim=d, edge_order=edge, spacing=0.5)[0], np.gradient(x, 0.5, axis=d, edge_order=edge)
    )
    close(
        rg.gradient(t, dim=d, edge_order=edge, spacing=(p,))[0],
        np.gradient(x, points, axis=d, edge_order=edge),
        1e-9,
    )
    close(rg.trapezoid(t, p, dim=d), integrate.trapezoid(x, points, axis=d), 1e-9)
    close(rg.cumulative_trapezoid(t, p, dim=d), integrate.cumulative_trapezoid(x, points, axis=d), 1e-9)


@FEW
@given(st.integers(1, 4), st.integers(2, 6), st.integers(0, 1), st.integers(0, 9))
def test_covariance(variables: int, n: int, correction: int, seed: int) -> None:
    r = np.random.default_rng(seed)
    x, often, heavy = r.normal(size=(variables, n)), r.integers(1, 4, n), r.uniform(0.1, 2, n)
    for f, a in ((None, None), (often, None), (None, heavy), (often, heavy)):
        if correction and n < 3 and a is not None:
            continue
        mine = rg.cov(
            rg.tensor(x),
            correction=correction,
            fweights=None if f is None else rg.tensor(f),
            aweights=None if a is None else rg.tensor(a),
        )
        close(mine, np.cov(x, ddof=correction, fweights=f, aweights=a), 1e-9)
    close(rg.corrcoef(rg.tensor(x)), np.corrcoef(x), 1e-9)


@FEW
@given(hnp.arrays("float64", (3, 4), elements=NUMBERS), st.sampled_from([0.5, 1.0, 2.0, 3.0, np.inf]))
def test_shortened_slices_are_no_longer_than_allowed(x: Array, p: float) -> None:
    short = rg.renorm(rg.tensor(x), p, 0, 2.0)
    lengths = rg.norm(short, p, 1)
    assert (lengths <= 2.0 * (1 + 1e-9)).all()
    close(rg.norm(rg.tensor(x), p, 1), np.linalg.norm(x, p, 1), 1e-9)


def test_results_have_names_and_can_be_unpacked() -> None:
    x = rg.tensor([[3.0, 1.0], [2.0, 5.0]])
    for pair in (
        x.max(0),
        x.min(0),
        x.median(0),
        x.mode(0),
        x.kthvalue(1, 0),
        x.cummax(0),
        x.sort(0),
        x.topk(1, 0),
    ):
        values, indices = pair
        assert values is pair.values
        assert indices is pair.indices
        assert indices.dtype is rg.int64
    low, high = x.aminmax()
    assert (low.item(), high.item()) == (1.0, 5.0)
    assert x.aminmax().min == 1
    assert rg.histogram(x, 2).bin_edges.shape == (3,)


def test_a_long_product_has_a_gradient_in_linear_memory() -> None:
    """A hundred thousand factors: a grid of each with each would need 80 GB."""
    x = rg.full((100_000,), 1.0, dtype=rg.float64)
    x[7] = 0.0
    x.requires_grad_()
    x.prod().backward()
    assert x.grad is not None
    assert x.grad[7] == 1.0
    assert x.grad.count_nonzero() == 1


def test_spread_of_too_few_values_is_nan_without_a_warning() -> None:
    assert rg.tensor([2.0]).var().isnan()
    assert rg.tensor([]).std().isnan()
    assert rg.zeros(0, 3).var(0).isnan().all()
    assert rg.cov(rg.tensor([1.0])).isnan()


def test_a_mean_of_equal_numbers_is_that_number() -> None:
    for n in range(1, 200):
        assert rg.ones(n).mean() == 1.0
