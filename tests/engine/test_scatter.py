"""Writing, adding and reducing by position: repeated places against NumPy and PyTorch, derivatives, tracing, vmap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from retrograd.errors import RetrogradError, TraceError

torch = pytest.importorskip("torch")
from engine.both import both  # noqa: E402
from oracle.compare import close, theirs  # noqa: E402

SEEDS = st.integers(0, 10**6)
REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def case(seed: int) -> tuple[np.ndarray[Any, Any], int, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(input, dim, index with many repeats, src that is larger than the index)"""
    r = np.random.default_rng(seed)
    shape = tuple(int(n) for n in r.integers(1, 5, r.integers(1, 4)))
    dim = int(r.integers(len(shape)))
    grid = tuple(int(r.integers(0, n + 1 + 4 * (i == dim))) for i, n in enumerate(shape))
    src = tuple(n + int(r.integers(0, 2)) for n in grid)
    # a few numbers only, so that ties and zeros are common
    return r.integers(-2, 3, shape) / 2, dim, r.integers(0, shape[dim], grid), r.integers(-2, 3, src) / 2


@settings(max_examples=80, deadline=None)
@given(SEEDS, st.sampled_from(REDUCTIONS), st.booleans())
def test_scatter_reduce(seed: int, reduce: str, include_self: bool) -> None:
    """Values and gradients, with ties and zeros among the values that meet."""
    x, dim, index, src = case(seed)
    src = src[tuple(map(slice, index.shape))]  # PyTorch cannot differentiate where src is larger than index
    # With include_self=False PyTorch still takes what is there for one of the equal extremes, and loses its share.
    alike = include_self or reduce not in ("amax", "amin")
    both(
        lambda m, x, i, s: m.scatter_reduce(x, dim, i, s, reduce, include_self=include_self),
        x,
        index,
        src,
        grad=alike,
    )


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(REDUCTIONS), st.booleans(), st.sampled_from(["int64", "int32", "uint8"]))
def test_scatter_reduce_of_integers(seed: int, reduce: str, include_self: bool, dtype: str) -> None:
    x, dim, index, src = case(seed)
    x, src = (np.abs(2 * a).astype(dtype) if dtype == "uint8" else (2 * a).astype(dtype) for a in (x, src))
    both(lambda m, x, i, s: m.scatter_reduce(x, dim, i, s, reduce, include_self=include_self), x, index, src)


@pytest.mark.filterwarnings("ignore:index_reduce:UserWarning")  # it is in beta there
@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(REDUCTIONS[1:]), st.booleans())
def test_index_reduce_is_scatter_reduce_of_slices(seed: int, reduce: str, include_self: bool) -> None:
    r = np.random.default_rng(seed)
    x, source = r.normal(size=(3, 4, 2)), r.normal(size=(3, 6, 2))
    index = r.integers(0, 4, 6)
    both(lambda m, x, i, s: m.index_reduce(x, 1, i, s, reduce, include_self=include_self), x, index, source)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_last_write_stays(seed: int) -> None:
    """Where places repeat, scatter, index_copy, index_put and put keep the last write, as NumPy's assignment does."""
    x, dim, index, src = case(seed)
    src = np.arange(1.0, src.size + 1).reshape(src.shape)
    used = src[tuple(map(slice, index.shape))]
    expected = x.copy()
    places = np.ix_(*map(np.arange, index.shape))
    expected[(*places[:dim], index, *places[dim + 1 :])] = used
    t, i, s = rg.tensor(x), rg.tensor(index), rg.tensor(src)
    assert np.array_equal(t.scatter(dim, i, s).numpy(), expected)
    flat = x.reshape(-1).copy()
    where = np.random.default_rng(seed).integers(0, flat.size, 7)
    flat[where] = np.arange(7.0)
    numbers = rg.arange(7.0, dtype=rg.float64)
    for out in (
        rg.tensor(x).put(rg.tensor(where), numbers).ravel(),
        rg.tensor(x).ravel().index_copy(0, rg.tensor(where), numbers),
        rg.tensor(x).ravel().index_put((rg.tensor(where),), numbers),
    ):
        assert np.array_equal(out.numpy(), flat)


def test_only_the_write_that_stays_has_a_gradient() -> None:
    """PyTorch gives the gradient of the place to every write, also to those that were overwritten."""
    x, src = rg.zeros(3, requires_grad=True), rg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    out = x.scatter(0, rg.tensor([1, 1, 0]), src)
    assert out.tolist() == [3.0, 2.0, 0.0]
    out.sum().backward()
    assert src.grad.tolist() == [0.0, 1.0, 1.0]
    assert x.grad.tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("include_self", [True, False])
def test_second_derivatives(reduce: str, include_self: bool) -> None:
    """Finite differences of the gradient, also where a factor is 0 (of prod)."""
    r = np.random.default_rng(1)
    x, src = r.normal(size=(3, 4)), r.normal(size=(2, 6))
    if reduce == "prod":
        x[0, 1] = src[0, 2] = 0.0
    index = rg.tensor(r.integers(0, 4, (2, 6)))
    leaves = [rg.tensor(a, requires_grad=True) for a in (x, src)]

    def f(x: Any, s: Any) -> Any:
        return x.scatter_reduce(1, index, s, reduce, include_self=include_self)

    assert rg.autograd.gradcheck(f, leaves)
    assert rg.autograd.gradgradcheck(f, leaves)


R = np.random.default_rng(2)
X, S, ROWS = R.normal(size=(4, 3)), R.normal(size=(5, 3)), R.integers(0, 4, 5)
GRID, MASK = R.integers(0, 4, (5, 3)), R.random((4, 3)) < 0.5
STAGED: dict[str, tuple[list[Any], Callable[..., Any]]] = {
    "scatter": ([X, GRID, S], lambda x, i, s: x.scatter(0, i, s)),
    "scatter number": ([X, GRID], lambda x, i: x.scatter(0, i, 2.5)),
    "scatter_reduce prod": ([X, GRID, S], lambda x, i, s: x.scatter_reduce(0, i, s, "prod")),
    "scatter_reduce amax": ([X, GRID, S], lambda x, i, s: x.scatter_reduce(0, i, s, "amax")),
    "index_copy": ([X, ROWS, S], lambda x, i, s: x.index_copy(0, i, s)),
    "index_fill": ([X, ROWS], lambda x, i: x.index_fill(0, i, -1.0)),
    "index_put": ([X, ROWS, S], lambda x, i, s: x.index_put((i,), s)),
    "put": ([X, ROWS, S[:, 0]], lambda x, i, s: x.put(i, s)),
    "masked_scatter": ([X, MASK, S], lambda x, m, s: x.masked_scatter(m, s)),
    "nonzero_static": ([MASK], lambda m: rg.nonzero_static(m, size=4)),
    "repeat_interleave": ([X, ROWS[:4]], lambda x, i: x.repeat_interleave(i, 0, output_size=int(ROWS[:4].sum()))),
    "x[i] =": ([X, ROWS, S], lambda x, i, s: assigned(x, i, s)),
    "x[mask] = number": ([X, MASK], lambda x, m: assigned(x, m, 7.0)),
    "x[mask of rows] = number": ([X, MASK[:, 0]], lambda x, m: assigned(x, m, 7.0)),
    "x[number]": ([X, np.array(2)], lambda x, i: x[i]),
    "x[:, number]": ([X, np.array(-1)], lambda x, i: x[:, i]),
    "narrow": ([X, np.array(1)], lambda x, i: x.narrow(0, i, 2)),
}  # fmt: skip


def assigned(x: Any, key: Any, value: Any) -> Any:
    y = x * 1
    y[key] = value
    return y


@pytest.mark.parametrize("name", STAGED)
def test_traced_and_vectorised(name: str) -> None:
    """A traced graph, fed with other values, and vmap give what the function gives: no position is baked in."""
    arrays, fn = STAGED[name]
    traced = rg.trace(fn)(*map(rg.tensor, arrays))
    others = [a[::-1].copy() if a.ndim else a // 2 for a in arrays]
    if name == "repeat_interleave":
        others = [arrays[0], arrays[1][::-1].copy()]
    expected = [fn(*map(rg.tensor, a)) for a in (arrays, others)]
    for fed, wanted in zip((arrays, others), expected, strict=True):
        assert np.array_equal(traced.apply(*map(rg.tensor, fed))[0].numpy(), wanted.numpy())
    both_at_once = rg.vmap(fn)(*(rg.tensor(np.stack(pair)) for pair in zip(arrays, others, strict=True)))
    assert np.array_equal(both_at_once.numpy(), np.stack([e.numpy() for e in expected]))


def test_what_depends_on_values_says_so_under_tracing() -> None:
    x = rg.arange(4.0)
    for fn in (
        lambda x: rg.nonzero(x),
        lambda x: x[x > 1],
        lambda x: x.masked_select(x > 1),
        lambda x: x.repeat_interleave(x.long()),
    ):
        with pytest.raises(TraceError) as caught:
            rg.trace(fn)(x)
        assert caught.value.hint


# --- keys ------------------------------------------------------------------------------------------------------------

K = R.normal(size=(3, 4, 5))
KEYS: dict[str, Callable[[Any], Any]] = {
    "True": lambda m: True,
    "False": lambda m: False,
    "True first": lambda m: (True, 1),
    "True last": lambda m: (1, True),
    "True and an index": lambda m: (True, m.tensor([0, 2, 1])),
    "two ...": lambda m: (..., 1, ...),
    "None and a mask": lambda m: (None, m.tensor([True, False, True])),
    "tuple inside": lambda m: ((0, 2), slice(None), 1),
    "list inside": lambda m: ([0, 2], [1, 3]),
    "lists broadcast": lambda m: ([[0], [2]], [1, 3, 0]),
    "number and index apart": lambda m: (0, slice(None), m.tensor([1, 2])),
    "scalar and index apart": lambda m: (m.tensor(0), slice(None), m.tensor([1, 2])),
    "index apart": lambda m: (m.tensor([0, 1]), slice(None), m.tensor([1, 2])),
    "index after None": lambda m: (None, m.tensor([0, 1]), None, m.tensor([1, 2])),
    "empty list": lambda m: [],
    "empty tuple": lambda m: (),
    "range": lambda m: range(2),
    "slice by tensors": lambda m: slice(m.tensor(1), m.tensor(3)),
    "mask of two dimensions": lambda m: m.tensor(K[:, :, 0] > 0),
    "mask behind a slice": lambda m: (slice(1, 3), m.tensor([True, False, True, True])),
    # refused
    "two masks too large": lambda m: (m.tensor([True, False]),),
    "text": lambda m: "row",
    "slice by a float": lambda m: slice(0.0, 2),
    "step -1": lambda m: slice(None, None, -1),
    "too many": lambda m: (0, 0, 0, 0),
}


@pytest.mark.parametrize("name", KEYS)
def test_key(name: str) -> None:
    both(lambda m, x: x[KEYS[name](m)], K)


@pytest.mark.parametrize("name", KEYS)
def test_assignment(name: str) -> None:
    def assign(m: Any, x: Any) -> Any:
        y = x * 2
        y[KEYS[name](m)] = 1.5
        return y * x

    both(assign, K)


def test_keys_that_pytorch_is_changing() -> None:
    """Bytes are a mask; a list with a list, slice, None or tensor in it is a tuple; lists of other things are refused."""
    x = rg.arange(12.0).reshape(3, 4)
    assert x[rg.tensor([1, 0, 1]).byte()].tolist() == x[[0, 2]].tolist()
    assert x[[rg.tensor(0), rg.tensor(2)]].tolist() == x[0, 2].tolist()
    assert x[[[0, 1], [2, 0]]].tolist() == x[[0, 1], [2, 0]].tolist()
    for key in ([0.0, 1.0], [[0, 1], [0, 1, 2]], {"a": 1}, 1.0):
        with pytest.raises(RetrogradError) as caught:
            x[key]
        assert caught.value.hint


def test_index_dtypes() -> None:
    """int32 counts places as int64 does; bytes and bools are masks and are refused where places are meant."""
    x = rg.arange(6.0).reshape(3, 2)
    for call in (
        lambda i: x.gather(0, i.reshape(1, 2)),
        lambda i: x.index_select(0, i),
        lambda i: x.index_add(0, i, rg.ones(2, 2)),
        lambda i: x.scatter(0, i.reshape(1, 2), 1.0),
    ):
        assert np.array_equal(call(rg.tensor([0, 1])).numpy(), call(rg.tensor([0, 1]).int()).numpy())
        for wrong in (rg.tensor([0, 1]).byte(), rg.tensor([True, False]), rg.tensor([0.0, 1.0])):
            with pytest.raises(RetrogradError) as caught:
                call(wrong)
            assert "long" in str(caught.value.hint)


def test_large_scatter_matches_numpy() -> None:
    """A hundred thousand writes to a thousand places."""
    r = np.random.default_rng(5)
    places, values = r.integers(0, 1000, 100_000), r.normal(size=100_000)
    x = rg.zeros(1000, dtype=rg.float64)
    i, v = rg.tensor(places), rg.tensor(values)
    expected = {"sum": np.zeros(1000), "amax": np.full(1000, -np.inf), "amin": np.full(1000, np.inf)}
    for name, ufunc in (("sum", np.add), ("amax", np.maximum), ("amin", np.minimum)):
        ufunc.at(expected[name], places, values)
        out = x.scatter_reduce(0, i, v, name, include_self=False)
        np.testing.assert_allclose(out.numpy(), expected[name], rtol=1e-9, atol=1e-9)
    small = 1 + values / 1000
    product = np.ones(1000)
    np.multiply.at(product, places, small)
    out = x.scatter_reduce(0, i, rg.tensor(small), "prod", include_self=False)
    np.testing.assert_allclose(out.numpy(), product, rtol=1e-9)


def test_values_that_are_not_numbers_stay_where_they_are() -> None:
    """NaN and infinities reach their own place only, forwards and backwards."""
    src = np.array([np.nan, 1.0, np.inf, 2.0, 3.0])
    index = np.array([0, 1, 2, 1, 3])
    for reduce in REDUCTIONS:

        def f(m: Any, x: Any, s: Any, i: Any, reduce: str = reduce) -> Any:
            return m.scatter_reduce(x, 0, i, s, reduce)

        x, s = rg.ones(4, dtype=rg.float64, requires_grad=True), rg.tensor(src, requires_grad=True)
        out = f(rg, x, s, rg.tensor(index))
        close(
            out, f(torch, torch.ones(4, dtype=torch.float64), theirs(src), theirs(index)), "float64", reduce
        )
        out[rg.tensor([1, 3])].sum().backward()
        assert np.isfinite(s.grad.numpy()[[1, 3, 4]]).all()
        assert not s.grad.numpy()[[0, 2]].any()
