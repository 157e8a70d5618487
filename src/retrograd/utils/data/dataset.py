"""Datasets: rows by number, or rows in a stream."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from ...errors import UsageError
from ...functions.random import Generator, default_generator, randperm
from ...tensor import Tensor

__all__ = [
    "ChainDataset", "ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset", "TensorDataset", "random_split",
]  # fmt: skip

Row = TypeVar("Row", covariant=True)


class Dataset(Generic[Row]):
    """Rows by number: subclasses define ``__getitem__``, and ``__len__`` where they know it.

    ``__getitems__(indices)``, where defined, gives a list of rows at once, which a `DataLoader` then asks for.
    ``a + b`` is one dataset after the other.
    """

    def __getitem__(self, index: Any) -> Row:
        raise UsageError(
            f"{type(self).__name__} does not say how to get a row",
            hint="define def __getitem__(self, index): ... in it",
        )

    def __add__(self, other: Any) -> Any:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Row], Iterable[Row]):
    """Rows in a stream: subclasses define ``__iter__``.

    With several workers each one reads the whole stream, unless ``__iter__`` asks `get_worker_info` for its share.
    ``a + b`` is one stream after the other.
    """

    def __iter__(self) -> Iterator[Row]:
        raise UsageError(
            f"{type(self).__name__} does not say how to go through its rows",
            hint="define def __iter__(self): ... in it",
        )

    def __add__(self, other: Any) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Row i is the tuple of the i-th rows of some tensors.

    >>> import retrograd as rg
    >>> TensorDataset(rg.tensor([[1, 2], [3, 4]]), rg.tensor([5, 6]))[1]
    (tensor([3, 4]), tensor(6))
    """

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors or not all(isinstance(t, Tensor) and t.ndim for t in tensors):
            raise UsageError(
                f"TensorDataset takes tensors with rows, got {', '.join(map(_shown, tensors)) or 'none'}",
                hint="TensorDataset(inputs, targets)",
            )
        if len({len(t) for t in tensors}) > 1:
            raise UsageError(
                f"TensorDataset: the tensors have {', '.join(str(len(t)) for t in tensors)} rows",
                hint="tensors of the same number of rows",
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


def _shown(x: Any) -> str:
    return f"a tensor of shape {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__


class StackDataset(Dataset[Any]):
    """Row i is the tuple of the i-th rows of some datasets, or the dict of them where they are given by name.

    >>> StackDataset(image=[10, 20], label=["a", "b"])[1]
    {'image': 20, 'label': 'b'}
    """

    datasets: tuple[Any, ...] | dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise UsageError(
                "StackDataset takes datasets in order or by name" + (", not both" if args else ""),
                hint="StackDataset(images, labels), or StackDataset(image=images, label=labels)",
            )
        self.datasets = args or kwargs
        lengths = [len(d) for d in args or kwargs.values()]
        if len(set(lengths)) > 1:
            raise UsageError(
                f"StackDataset: the datasets have {', '.join(map(str, lengths))} rows",
                hint="datasets of the same length",
            )
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: d[index] for name, d in self.datasets.items()}
        return tuple(d[index] for d in self.datasets)

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        """Several rows; inner datasets that can do so are asked for all at once."""
        members = list(self.datasets.values()) if isinstance(self.datasets, dict) else list(self.datasets)
        columns = [rows_of(d, indices) for d in members]
        for column in columns:
            if len(column) != len(indices):
                raise UsageError(
                    f"StackDataset asked a dataset for {len(indices)} rows and got {len(column)}",
                    hint="__getitems__ gives one row for each index",
                )
        rows = list(zip(*columns, strict=True))
        if isinstance(self.datasets, dict):
            return [dict(zip(self.datasets, row, strict=True)) for row in rows]
        return rows

    def __len__(self) -> int:
        return self._length


def rows_of(dataset: Any, indices: Sequence[Any]) -> list[Any]:
    """Several rows of any dataset."""
    if callable(getattr(dataset, "__getitems__", None)):
        return dataset.__getitems__(indices)
    return [dataset[i] for i in indices]


class ConcatDataset(Dataset[Any]):
    """One dataset after the other.

    >>> ConcatDataset([[1, 2], [3]])[2]
    3
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise UsageError("ConcatDataset got no dataset", hint="ConcatDataset([first, second])")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise UsageError(
                "ConcatDataset takes no streams: they have no row numbers",
                hint="ChainDataset([first, second])",
            )
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        if idx < 0:
            if -idx > len(self):
                raise UsageError(
                    f"row {idx} of a dataset of {len(self)} rows",
                    hint=f"from {-len(self)} to {len(self) - 1}",
                )
            idx += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, idx)
        return self.datasets[which][idx - (self.cumulative_sizes[which - 1] if which else 0)]


class ChainDataset(IterableDataset[Any]):
    """One stream after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for d in self.datasets:
            if not isinstance(d, IterableDataset):
                raise UsageError(
                    f"ChainDataset takes streams (IterableDataset), got {type(d).__name__}",
                    hint="ConcatDataset([first, second])",
                )
            yield d

    def __iter__(self) -> Iterator[Any]:
        for d in self._streams():
            yield from d

    def __len__(self) -> int:
        return sum(len(d) for d in self._streams())


class Subset(Dataset[Any]):
    """The rows of a dataset at ``indices``, in that order.

    >>> Subset(["a", "b", "c"], [2, 0])[0]
    'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise UsageError(
                f"{kind.__name__} defines __getitem__ without __getitems__, which a DataLoader asks first",
                hint="def __getitems__(self, indices): return [self[i] for i in indices]",
            )
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        """Several rows."""
        return rows_of(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Generator | None = default_generator
) -> list[Subset]:
    """The rows dealt out at random to parts of the given lengths, or of the given fractions, which add up to 1.

    Rows left over by fractions go to the first parts, one each.

    >>> import retrograd as rg
    >>> [len(part) for part in random_split(range(10), [0.7, 0.3], rg.Generator().manual_seed(0))]
    [7, 3]
    """
    total, sizes = len(dataset), list(lengths)
    if math.isclose(sum(sizes), 1) and sum(sizes) <= 1:
        for i, part in enumerate(sizes):
            if not 0 <= part <= 1:
                raise UsageError(f"random_split: fraction {part} at index {i}", hint="fractions from 0 to 1")
        sizes = [math.floor(total * part) for part in sizes]
        for i in range(total - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(f"random_split: the part at index {i} has no rows", UserWarning, stacklevel=2)
    if sum(sizes) != total:
        raise UsageError(
            f"random_split: {' + '.join(map(str, sizes))} rows of {total}",
            hint="lengths that add up to the dataset's, or fractions that add up to 1",
        )
    order = randperm(total, generator=generator).tolist()
    ends = itertools.accumulate(int(size) for size in sizes)
    return [Subset(dataset, order[end - int(size) : end]) for end, size in zip(ends, sizes, strict=True)]
