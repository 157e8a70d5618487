"""Datasets, samplers, collating and loaders against ``torch.utils.data``: shapes, dtypes, structure, lengths, refusals."""

from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict, UserDict, defaultdict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch
from retrograd.errors import RetrogradError
from retrograd.utils import data as ours

theirs = torch.utils.data
Pair = namedtuple("Pair", ["x", "y"])
Pair.__module__ = __name__


class Attributed(dict):
    """A dict that carries something else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.note = "kept"


class Frozen(Mapping):
    """A mapping that cannot be changed, nor made of a dict alone."""

    def __init__(self, first: Any, *more: Any) -> None:
        self.entries = dict(first, **(more[0] if more else {}))

    def __getitem__(self, key: Any) -> Any:
        return self.entries[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


class Strange(Frozen):
    """And needs an argument that nobody gives."""

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__(first)


def same(mine: Any, other: Any, where: str = "") -> None:
    """The same structure, of the same kinds, with tensors of the same dtype, shape and values."""
    if isinstance(mine, rg.Tensor):
        assert isinstance(other, torch.Tensor), where
        assert repr(mine.dtype).split(".")[1] == str(other.dtype).split(".")[1], where
        assert tuple(mine.shape) == tuple(other.shape), where
        np.testing.assert_array_equal(mine.numpy(), other.numpy(), err_msg=where)
        return
    assert type(mine) is type(other), f"{where}: {type(mine)}, PyTorch {type(other)}"
    if isinstance(mine, Mapping):
        assert list(mine) == list(other), where
        assert getattr(mine, "note", None) == getattr(other, "note", None)
        for key in mine:
            same(mine[key], other[key], f"{where}[{key!r}]")
    elif isinstance(mine, list | tuple):
        assert len(mine) == len(other), where
        for i, (a, b) in enumerate(zip(mine, other, strict=True)):
            same(a, b, f"{where}[{i}]")
    elif isinstance(mine, np.ndarray):
        np.testing.assert_array_equal(mine, other)
    else:
        assert mine == other, where


Lib = Any
KINDS = ("f4", "f8", "i4", "i8", "u1", "?")
BATCHES: list[tuple[str, Callable[[Lib], Any]]] = [
    ("tensors", lambda lib: [lib.ones(2, 3), lib.zeros(2, 3)]),
    ("scalars", lambda lib: [lib.tensor(1.0), lib.tensor(2.0)]),
    ("integer tensors", lambda lib: [lib.tensor([1, 2]), lib.tensor([3, 4])]),
    ("no elements", lambda lib: [lib.zeros(0, 2), lib.zeros(0, 2)]),
    ("floats", lambda lib: [1.5, 2.5]),
    ("integers", lambda lib: [1, 2, 3]),
    ("bools", lambda lib: [True, False]),
    ("an integer first", lambda lib: [1, 2.5]),
    ("texts", lambda lib: ["a", "bc"]),
    ("bytes", lambda lib: [b"a", b"bc"]),
    *[(f"arrays of {k}", lambda lib, k=k: [np.arange(3).astype(k), np.ones(3).astype(k)]) for k in KINDS],
    *[(f"numbers of {k}", lambda lib, k=k: [np.dtype(k).type(1), np.dtype(k).type(0)]) for k in KINDS],
    ("arrays of one", lambda lib: [np.array(3), np.array(4)]),
    ("numpy texts", lambda lib: [np.str_("a"), np.str_("b")]),
    ("tuples", lambda lib: [(1, 2.0, "a"), (3, 4.0, "b")]),
    ("lists", lambda lib: [[1, [2.0, 3.0]], [4, [5.0, 6.0]]]),
    ("dicts", lambda lib: [{"a": 1, "b": lib.ones(2)}, {"a": 2, "b": lib.zeros(2)}]),
    ("dicts, other order", lambda lib: [{"a": 1, "b": 2}, {"b": 4, "a": 3, "c": 5}]),
    ("ordered dicts", lambda lib: [OrderedDict(a=1), OrderedDict(a=2)]),
    ("default dicts", lambda lib: [defaultdict(list, a=1), defaultdict(list, a=2)]),
    ("dicts with more", lambda lib: [Attributed(a=1), Attributed(a=2)]),
    ("user dicts", lambda lib: [UserDict(a=1), UserDict(a=2)]),
    ("frozen mappings", lambda lib: [Frozen({"a": 1}), Frozen({"a": 2})]),
    ("strange mappings", lambda lib: [Strange({"a": 1}, 0), Strange({"a": 2}, 0)]),
    ("named tuples", lambda lib: [Pair(1, lib.ones(2)), Pair(2, lib.zeros(2))]),
    ("nested", lambda lib: [{"a": (Pair(1, [2.0]), "t")}, {"a": (Pair(3, [4.0]), "u")}]),
    ("one row", lambda lib: [(lib.ones(3), 1)]),
    ("ranges", lambda lib: [range(2), range(2)]),
    ("empty tuples", lambda lib: [(), ()]),
]  # fmt: skip


@pytest.mark.parametrize("make", [m for _, m in BATCHES], ids=[n for n, _ in BATCHES])
def test_collate_and_convert(make: Callable[[Lib], Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = theirs.default_collate(make(torch))
    same(ours.default_collate(make(rg)), expected)
    same(ours.default_convert(make(rg)), theirs.default_convert(make(torch)))
    for a, b in zip(make(rg), make(torch), strict=True):
        same(ours.default_convert(a), theirs.default_convert(b))


@pytest.mark.parametrize(
    "value",
    [None, 3, "a", np.array(["a"]), np.array([object()]), np.float32(2), {1, 2}, [None, (1, np.ones(2))]],
)
def test_convert(value: Any) -> None:
    same(ours.default_convert(value), theirs.default_convert(value))


NOT_COLLATED: list[Callable[[Lib], Any]] = [
    lambda lib: [None, None],
    lambda lib: [object()],
    lambda lib: [{1}, {2}],
    lambda lib: [np.array(["a"]), np.array(["b"])],
    lambda lib: [np.array([None]), np.array([None])],
    lambda lib: [[1, 2], [3]],
    lambda lib: [lib.ones(2), lib.ones(3)],
    lambda lib: [np.ones(2), np.ones(3)],
    lambda lib: [],
    lambda lib: [{"a": 1}, {"b": 2}],
    lambda lib: [1, "a"],
]


@pytest.mark.parametrize("make", NOT_COLLATED)
def test_what_cannot_be_collated(make: Callable[[Lib], Any]) -> None:
    with pytest.raises(Exception):  # noqa: B017 - of whatever kind
        theirs.default_collate(make(torch))
    with pytest.raises((RetrogradError, KeyError)) as refused:
        ours.default_collate(make(rg))
    assert isinstance(refused.value, KeyError) or refused.value.hint


@pytest.mark.parametrize("rows", [0, 1, 7, 12])
@pytest.mark.parametrize("size", [1, 3, 4, 20, None])
@pytest.mark.parametrize("drop", [False, True])
def test_lengths_and_batches(rows: int, size: int | None, drop: bool) -> None:
    if size is None and drop:
        return
    loaders = [lib.DataLoader(range(rows), size, drop_last=drop) for lib in (ours, theirs)]
    assert len(loaders[0]) == len(loaders[1])
    found, expected = map(list, loaders)
    same(found, expected)
    assert len(iter(loaders[0])) == len(loaders[1])  # type: ignore[arg-type]


def test_loaders_of_tensors() -> None:
    x, y = np.random.default_rng(0).normal(size=(10, 3)).astype("f4"), np.arange(10)
    for workers in (0, 2):
        made = []
        for lib, tensors in ((ours, rg), (theirs, torch)):
            dataset = lib.TensorDataset(tensors.tensor(x), tensors.tensor(y))
            made.append(
                [
                    list(lib.DataLoader(dataset, 4, num_workers=workers)),
                    list(lib.DataLoader(dataset, None)),
                    list(lib.DataLoader(lib.Subset(dataset, [3, 1, 4]), 2, drop_last=True)),
                    list(lib.DataLoader(lib.ConcatDataset([dataset, dataset]), 7)),
                    list(lib.DataLoader(dataset, 4, collate_fn=len)),
                    list(lib.DataLoader(dataset, batch_sampler=[[0, 1], [9, 9, 9]])),
                    list(lib.DataLoader(dataset, sampler=[5, 5], batch_size=1)),
                    list(lib.DataLoader(dataset, sampler=[[1, 2], [3]], batch_size=None)),
                ]
            )
        same(*made)


def test_datasets() -> None:
    results = []
    for lib, tensors in ((ours, rg), (theirs, torch)):
        t = tensors.arange(6).reshape(3, 2)
        table = lib.TensorDataset(t, t[:, 0])
        both = lib.ConcatDataset([[1, 2], [3], [], [4, 5]])
        stacked = lib.StackDataset(table, ["a", "b", "c"])
        named = lib.StackDataset(x=table, y="abc")
        part = lib.Subset(stacked, [2, 0])
        results.append(
            [
                len(table), table[1], table[0:2], table[-1],
                len(both), [both[i] for i in range(-5, 5)], both.cumulative_sizes,
                len(stacked), stacked[1], stacked.__getitems__([2, 0]), named[1], named.__getitems__([2, 0]),
                len(part), part[0], part.__getitems__([1, 0]), list(lib.DataLoader(part, 2)),
                len(table + table), (table + table)[4],
            ]
        )  # fmt: skip
    same(*results)


def stream(lib: Lib, n: int, length: int | None = None) -> Any:
    class Stream(lib.IterableDataset):  # type: ignore[name-defined]
        def __iter__(self) -> Iterator[int]:
            return iter(range(n))

    if length is not None:
        Stream.__len__ = lambda self: length  # type: ignore[attr-defined]
    return Stream()


def test_streams() -> None:
    for n, size, drop, workers in itertools.product((0, 5, 6), (None, 1, 3), (False, True), (0, 2)):
        if size is None and drop:
            continue
        options = {"batch_size": size, "drop_last": drop, "num_workers": workers}
        same(*(list(lib.DataLoader(stream(lib, n), **options)) for lib in (ours, theirs)))
        lengths = [len(lib.DataLoader(stream(lib, n, n), size, drop_last=drop)) for lib in (ours, theirs)]
        assert lengths[0] == lengths[1]
    for lib in (ours, theirs):
        chain = stream(lib, 2, 2) + stream(lib, 3, 3)
        assert isinstance(chain, lib.ChainDataset)
        assert list(chain) == [0, 1, 0, 1, 2]
        assert len(chain) == 5
        loader = lib.DataLoader(stream(lib, 5, 2), 1)
        assert len(loader) == 2
        with pytest.warns(UserWarning, match="said to have 2 batches|reported to be 2"):
            list(loader)
        with pytest.raises(TypeError):
            len(lib.DataLoader(stream(lib, 5)))


def test_random_split() -> None:
    for lengths in ([3, 7], [10], [0.3, 0.7], [0.33, 0.33, 0.34], [0.5, 0.5], [0, 10], [1 / 3] * 3):
        sizes = []
        for lib, tensors in ((ours, rg), (theirs, torch)):
            parts = lib.random_split(range(10), lengths, generator=tensors.Generator().manual_seed(1))
            assert sorted(row for part in parts for row in part) == list(range(10))
            sizes.append([len(part) for part in parts])
        assert sizes[0] == sizes[1], lengths
    for lib in (ours, theirs):
        with pytest.warns(UserWarning, match="index 1"):
            lib.random_split(range(3), [0.99, 0.01])
        for wrong in ([1, 2], [0.5, 0.2], [1.5, -0.5], [20]):
            with pytest.raises(ValueError):
                lib.random_split(range(10), wrong)


def test_samplers() -> None:
    """Lengths and which rows come; the order is another one, for the random streams are."""
    for lib, tensors in ((ours, rg), (theirs, torch)):
        tensors.manual_seed(0)
        assert list(lib.SequentialSampler("abc")) == [0, 1, 2]
        for options, count in [
            ({}, 10),
            ({"num_samples": 4}, 4),
            ({"num_samples": 25}, 25),
            ({"replacement": True}, 10),
        ]:
            made = lib.RandomSampler(range(10), **options)
            rows = list(made)
            assert len(made) == len(rows) == count
            if "replacement" not in options:
                for k in range(0, count, 10):  # no row twice before all have come
                    assert len(set(rows[k : k + 10])) == len(rows[k : k + 10])
        subset = lib.SubsetRandomSampler([3, 5, 8])
        assert sorted(subset) == [3, 5, 8]
        assert len(subset) == 3
        weighted = lib.WeightedRandomSampler([0, 1, 0, 3], 4000)
        rows = list(weighted)
        assert len(weighted) == len(rows) == 4000
        assert set(rows) == {1, 3}
        assert 2900 < rows.count(3) < 3100
        assert sorted(lib.WeightedRandomSampler([1, 0, 1, 1], 3, replacement=False)) == [0, 2, 3]
        for size, drop, expected in [
            (3, False, [[0, 1, 2], [3, 4]]),
            (3, True, [[0, 1, 2]]),
            (5, True, [[0, 1, 2, 3, 4]]),
        ]:
            batches = lib.BatchSampler(lib.SequentialSampler(range(5)), size, drop)
            assert list(batches) == expected
            assert len(batches) == len(expected)


def test_orders_are_fair() -> None:
    """All 24 orders of four rows come about equally often; each place of a drawn row is uniform."""
    g = rg.Generator().manual_seed(0)
    orders = [tuple(ours.RandomSampler(range(4), generator=g)) for _ in range(2400)]
    counts = [orders.count(p) for p in itertools.permutations(range(4))]
    assert (
        sum((c - 100) ** 2 / 100 for c in counts) < 50
    )  # chi-squared, 23 degrees of freedom: 50 is p = 0.001
    rows = list(ours.RandomSampler(range(10), replacement=True, num_samples=20000, generator=g))
    assert sum((rows.count(k) - 2000) ** 2 / 2000 for k in range(10)) < 28


REFUSED: list[tuple[str, Callable[[Lib, Lib], Any]]] = [
    ("workers", lambda d, t: d.DataLoader([1], num_workers=-1)),
    ("timeout", lambda d, t: d.DataLoader([1], timeout=-1)),
    ("prefetch", lambda d, t: d.DataLoader([1], prefetch_factor=2)),
    ("prefetch", lambda d, t: d.DataLoader([1], num_workers=1, prefetch_factor=-2)),
    ("persistent", lambda d, t: d.DataLoader([1], persistent_workers=True)),
    ("stream", lambda d, t: d.DataLoader(stream(d, 3), shuffle=True)),
    ("stream", lambda d, t: d.DataLoader(stream(d, 3), sampler=[1])),
    ("stream", lambda d, t: d.DataLoader(stream(d, 3), batch_sampler=[[1]])),
    ("sampler and shuffle", lambda d, t: d.DataLoader([1], sampler=[0], shuffle=True)),
    ("batch_sampler", lambda d, t: d.DataLoader([1], batch_sampler=[[0]], batch_size=2)),
    ("batch_sampler", lambda d, t: d.DataLoader([1], batch_sampler=[[0]], shuffle=True)),
    ("batch_sampler", lambda d, t: d.DataLoader([1], batch_sampler=[[0]], sampler=[0])),
    ("batch_sampler", lambda d, t: d.DataLoader([1], batch_sampler=[[0]], drop_last=True)),
    ("drop_last", lambda d, t: d.DataLoader([1], batch_size=None, drop_last=True)),
    ("batch_size", lambda d, t: d.DataLoader([1], batch_size=0)),
    ("batch_size", lambda d, t: d.DataLoader([1], batch_size=1.5)),
    ("batch_size", lambda d, t: d.DataLoader([1], batch_size=True)),
    ("drop_last", lambda d, t: d.DataLoader([1], drop_last=1)),
    ("context", lambda d, t: d.DataLoader([1], multiprocessing_context="fork")),
    ("context", lambda d, t: d.DataLoader([1], num_workers=1, multiprocessing_context="clone")),
    ("context", lambda d, t: d.DataLoader([1], num_workers=1, multiprocessing_context=3)),
    ("empty", lambda d, t: d.DataLoader([], shuffle=True)),
    ("changed", lambda d, t: setattr(d.DataLoader([1]), "batch_size", 3)),
    ("changed", lambda d, t: setattr(d.DataLoader([1]), "dataset", [3])),
    ("changed", lambda d, t: setattr(d.DataLoader([1]), "drop_last", True)),
    ("replacement", lambda d, t: d.RandomSampler([1], replacement=1)),
    ("num_samples", lambda d, t: d.RandomSampler([1], num_samples=0)),
    ("num_samples", lambda d, t: d.RandomSampler([1], num_samples=1.5)),
    ("weights", lambda d, t: d.WeightedRandomSampler([1.0], 0)),
    ("weights", lambda d, t: d.WeightedRandomSampler([1.0], True)),
    ("weights", lambda d, t: d.WeightedRandomSampler([1.0], 2, replacement=1)),
    ("weights", lambda d, t: d.WeightedRandomSampler([[1.0]], 2)),
    ("weights", lambda d, t: list(d.WeightedRandomSampler([0.0, 0.0], 2))),
    ("weights", lambda d, t: list(d.WeightedRandomSampler([1.0, -1.0], 2))),
    ("weights", lambda d, t: list(d.WeightedRandomSampler([1.0, float("nan")], 2))),
    ("weights", lambda d, t: list(d.WeightedRandomSampler([1.0, 1.0], 3, replacement=False))),
    ("table", lambda d, t: d.TensorDataset(t.ones(2), t.ones(3))),
    ("stack", lambda d, t: d.StackDataset()),
    ("stack", lambda d, t: d.StackDataset([1], x=[1])),
    ("stack", lambda d, t: d.StackDataset([1], [1, 2])),
    ("stack", lambda d, t: d.StackDataset(a=[1], b=[1, 2])),
    ("concat", lambda d, t: d.ConcatDataset([])),
    ("concat", lambda d, t: d.ConcatDataset([stream(d, 3)])),
    ("concat", lambda d, t: d.ConcatDataset([[1]])[-2]),
    ("chain", lambda d, t: list(d.ChainDataset([[1]]))),
    ("chain", lambda d, t: len(d.ChainDataset([[1]]))),
    ("dataset", lambda d, t: d.Dataset()[0]),
    ("sampler", lambda d, t: iter(d.Sampler())),
    ("subset", lambda d, t: type("Odd", (d.Subset,), {"__getitem__": lambda self, i: i})([1], [0])),
]  # fmt: skip


@pytest.mark.parametrize("make", [m for _, m in REFUSED], ids=[n for n, _ in REFUSED])
def test_what_pytorch_refuses(make: Callable[[Lib, Lib], Any]) -> None:
    with pytest.raises(Exception):  # noqa: B017 - of whatever kind
        make(theirs, torch)
    with pytest.raises(RetrogradError) as refused:
        make(ours, rg)
    assert refused.value.hint


def test_iterators_cannot_be_pickled() -> None:
    import pickle

    for lib in (ours, theirs):
        with pytest.raises((NotImplementedError, RetrogradError)):
            pickle.dumps(iter(lib.DataLoader([1])))
