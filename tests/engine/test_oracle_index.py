"""Picking and placing by position against PyTorch: named cases, and random keys of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
import retrograd as rg  # noqa: E402
from engine.both import both  # noqa: E402
from oracle.compare import close  # noqa: E402

Expression = Callable[..., Any]
R = np.random.default_rng(0)
X = R.normal(size=(4, 5))
V = R.normal(size=(3, 2))
ROWS = np.array([2, 0, 2])
GRID = R.integers(0, 4, (3, 2))

CASES: dict[str, tuple[list[Any], Expression]] = {
    "gather 0": ([X, GRID], lambda m, x, i: m.gather(x, 0, i)),
    "gather 1": ([X, GRID], lambda m, x, i: x.gather(1, i)),
    "gather -1": ([X, GRID], lambda m, x, i: x.gather(-1, i)),
    "take_along_dim": ([X, GRID[:, :1]], lambda m, x, i: m.take_along_dim(x[:3], i, 1)),
    "take_along_dim flat": ([X, ROWS], lambda m, x, i: m.take_along_dim(x, i)),
    "take": ([X, ROWS], lambda m, x, i: m.take(x, i - 2)),
    "index_select": ([X, ROWS], lambda m, x, i: m.index_select(x, 1, i)),
    "scatter": ([X, np.array([[0, 1], [2, 3]]), V], lambda m, x, i, v: m.scatter(x, 1, i, v[:2])),
    "scatter number": ([X, GRID], lambda m, x, i: m.scatter(x, 0, i, 7.0)),
    "scatter_add": ([X, GRID, V], lambda m, x, i, v: m.scatter_add(x, 1, i, v)),
    "scatter_add 0": ([X, GRID, V], lambda m, x, i, v: x.scatter_add(0, i, v)),
    "index_add": ([X, ROWS, R.normal(size=(3, 5))], lambda m, x, i, v: m.index_add(x, 0, i, v)),
    "index_add 1": ([X, ROWS, R.normal(size=(4, 3))], lambda m, x, i, v: m.index_add(x, 1, i, v, alpha=2)),
    "index_put": ([X, np.array([0, 3]), R.normal(size=2)], lambda m, x, i, v: m.index_put(x, (i, i), v)),
    "index_put row": ([X, np.array([0, 3]), R.normal(size=5)], lambda m, x, i, v: m.index_put(x, (i,), v)),
    "index_put add": ([X, ROWS, R.normal(size=3)], lambda m, x, i, v: m.index_put(x, (i, i), v, accumulate=True)),
    "masked_select": ([X], lambda m, x: m.masked_select(x, x > 0)),
    "masked_select row": ([X], lambda m, x: m.masked_select(x, x[0] > 0)),
    "mask": ([X], lambda m, x: x[x > 0]),
    "mask of rows": ([X], lambda m, x: x[x[:, 0] > 0]),
    "mask of nothing": ([X], lambda m, x: x[x > 99]),
    "mask without dimensions": ([X], lambda m, x: [x[x[0, 0] > -99], x[x[0, 0] > 99], x[0, 0][x[0, 0] > 99]]),
    "nonzero": ([X], lambda m, x: m.nonzero(x > 0)),
    "nonzero tuple": ([X], lambda m, x: m.nonzero(x > 0, as_tuple=True)),
    "where alone": ([X], lambda m, x: m.where(x > 0)),
    "argwhere": ([X], lambda m, x: m.argwhere(x > 0)),
    "tril": ([X], lambda m, x: m.tril(x)),
    "triu -1": ([X], lambda m, x: m.triu(x, -1)),
    "diagonal": ([X], lambda m, x: m.diagonal(x)),
    "diagonal 2": ([X], lambda m, x: m.diagonal(x, 2)),
    "diagonal -9": ([X], lambda m, x: m.diagonal(x, -9)),
    "embedding": ([X, GRID], lambda m, x, i: m.nn.functional.embedding(i, x)),
    "embedding padding": ([X, GRID], lambda m, x, i: m.nn.functional.embedding(i, x, padding_idx=2)),
    "one_hot": ([GRID], lambda m, i: m.nn.functional.one_hot(i, 5)),
    "one_hot counted": ([GRID], lambda m, i: m.nn.functional.one_hot(i)),
    "list": ([X], lambda m, x: x[[0, 2, 0]]),
    "two lists": ([X], lambda m, x: x[[0, 2], [1, -1]]),
    "list of bools": ([X], lambda m, x: x[[True, False, True, True]]),
    "array": ([X], lambda m, x: x[np.array([1, 3])]),
    "range": ([X], lambda m, x: x[:, range(1, 3)]),
    "scalar tensor": ([X, np.array(2)], lambda m, x, i: x[i]),
    "scalar tensors": ([X, np.array(2)], lambda m, x, i: x[i, i]),
    "int32 index": ([X, ROWS.astype("int32")], lambda m, x, i: x[i]),
    # refused by both
    "gather too far": ([X, GRID + 4], lambda m, x, i: m.gather(x, 0, i)),
    "gather rank": ([X, ROWS], lambda m, x, i: m.gather(x, 0, i)),
    "gather float index": ([X, X], lambda m, x, i: m.gather(x, 0, i)),
    "index too far": ([X], lambda m, x: x[4]),
    "index too far below": ([X], lambda m, x: x[-5]),
    "list too far": ([X], lambda m, x: x[[0, 4]]),
    "too many": ([X], lambda m, x: x[0, 0, 0]),
    "float index": ([X], lambda m, x: x[1.0]),
    "float tensor index": ([X], lambda m, x: x[m.tensor([1.0])]),
    "step 0": ([X], lambda m, x: x[::0]),
    "step -1": ([X], lambda m, x: x[::-1]),
    "mask of another shape": ([X], lambda m, x: x[m.tensor([True, False])]),
    "text": ([X], lambda m, x: x["a"]),
    "index_select too far": ([X, ROWS + 9], lambda m, x, i: m.index_select(x, 0, i)),
    "shapes that do not broadcast": ([X], lambda m, x: x[[0, 1, 2], [0, 1]]),
    "scatter too far": ([X, GRID + 9, V], lambda m, x, i, v: m.scatter_add(x, 1, i, v)),
    "embedding too far": ([X, GRID + 9], lambda m, x, i: m.nn.functional.embedding(i, x)),
}  # fmt: skip


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    arrays, fn = CASES[name]
    both(fn, *arrays)


def indexing(seed: int) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """A random shape, and a key for it: integers, slices, None, ..., index arrays and at most one mask."""
    r = np.random.default_rng(seed)
    shape = tuple(int(n) for n in r.integers(0, 5, r.integers(1, 5)))
    out: list[Any] = []
    length = int(r.integers(1, 4))
    used = set()
    for n in shape:
        if r.random() < 0.15:
            out.append(None)
        kind = str(r.choice(["int", "slice", "slice", "array", "mask", "stop"]))
        if kind == "int" and n:
            out.append(int(r.integers(-n, n)))
        elif kind == "array" and n:
            out.append(r.integers(-n, n, length))
        elif kind == "mask" and not used & {"mask", "array"}:
            out.append(r.random(n) < 0.5)
            length = int(out[-1].sum())
        elif kind == "stop":
            break
        else:
            start, stop = (None if r.random() < 0.4 else int(r.integers(-n - 1, n + 2)) for _ in range(2))
            out.append(slice(start, stop, None if r.random() < 0.5 else int(r.integers(1, 4))))
        used.add(kind)
    if r.random() < 0.3:
        out.append(...)
    if r.random() < 0.05:
        out.append(int(r.integers(-9, 9)))  # often one too many, or too far
    return shape, tuple(out)


SEEDS = st.integers(0, 10**6)


def as_key(m: Any, key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(m.tensor(k) if isinstance(k, np.ndarray) else k for k in key)


@settings(max_examples=300)
@given(SEEDS)
def test_random_keys(seed: int) -> None:
    """x[key]: values, gradients, or both refuse."""
    shape, key = indexing(seed)
    both(lambda m, x: x[as_key(m, key)], np.random.default_rng(0).normal(size=shape))


@settings(max_examples=300)
@given(SEEDS, st.booleans())
def test_random_assignments(seed: int, number: bool) -> None:
    """y[key] = value: values, and gradients to what was there before and to the value."""
    shape, key = indexing(seed)
    r = np.random.default_rng(1)
    x = r.normal(size=shape)
    try:
        target = x[key]
        if np.unique(np.arange(x.size).reshape(shape)[key]).size != target.size:
            return  # one place written twice: the order is not promised
    except IndexError:
        return
    value = np.array(3.5) if number else r.normal(size=target.shape)

    def assign(m: Any, x: Any, v: Any) -> Any:
        y = x * 2
        y[as_key(m, key)] = v
        return y * y

    both(assign, x, value)


@settings(max_examples=150)
@given(SEEDS)
def test_random_assignments_without_gradients(seed: int) -> None:
    """The way straight into the memory gives what the recorded way gives."""
    shape, key = indexing(seed)
    a = np.arange(int(np.prod(shape)), dtype="float64").reshape(shape)
    mine, other = rg.tensor(a), torch.tensor(a)
    try:
        other[as_key(torch, key)] = -1.0
    except (RuntimeError, IndexError):
        with pytest.raises(rg.errors.RetrogradError):
            mine[as_key(rg, key)] = -1.0
        return
    mine[as_key(rg, key)] = -1.0
    close(mine, other, "float64", str(key))
