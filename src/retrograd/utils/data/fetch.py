"""From row numbers to a batch, in whichever process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...errors import UsageError
from ...functions.random import default_generator
from ...tensor import Tensor
from .collate import default_collate
from .dataset import IterableDataset, Subset, TensorDataset


class EndOfStream(Exception):
    """An IterableDataset has no more rows."""


class RowError(Exception):
    """Carries an error out of the dataset, together with what was being loaded."""

    def __init__(self, error: BaseException, what: str) -> None:
        self.error = error
        self.what = what


class Fetcher:
    """Makes batches of a dataset: ``fetch(indices)``; of a stream, the next ``len(indices)`` rows."""

    def __init__(self, dataset: Any, auto: bool, collate: Callable[[Any], Any], drop_last: bool) -> None:
        self.dataset = dataset
        self.auto = auto
        self.collate = collate
        self.drop_last = drop_last
        self.stream = iter(dataset) if isinstance(dataset, IterableDataset) else None

    def fetch(self, indices: Any) -> Any:
        """A batch; raises `EndOfStream`, or `RowError` around whatever went wrong."""
        if self.stream is not None:
            rows = self._read(len(indices) if self.auto else None)
        elif self.auto and self.collate is default_collate and _is_table(self.dataset):
            return self._guard(lambda: _batch_of_table(self.dataset, indices), f"rows {_few(indices)}")
        else:
            rows = self._rows(indices) if self.auto else self._row(indices)
        what = "a batch of the stream" if self.stream is not None else f"rows {_few(indices)}"
        return self._guard(lambda: self.collate(rows), f"collate_fn got {what}")

    def _row(self, index: Any) -> Any:
        return self._guard(lambda: self.dataset[index], f"row {_few(index)}")

    def _rows(self, indices: Any) -> list[Any]:
        if callable(getattr(self.dataset, "__getitems__", None)):
            return self._guard(lambda: self.dataset.__getitems__(indices), f"rows {_few(indices)}")
        return [self._row(i) for i in indices]

    def _read(self, count: int | None) -> Any:
        assert self.stream is not None
        rows: list[Any] = []
        try:
            while len(rows) < (1 if count is None else count):
                rows.append(next(self.stream))
        except StopIteration:
            if not rows or self.drop_last:
                raise EndOfStream from None
        except Exception as error:
            raise RowError(error, "the next row of the stream") from None
        return rows[0] if count is None else rows

    @staticmethod
    def _guard(make: Callable[[], Any], what: str) -> Any:
        try:
            return make()
        except StopIteration as error:  # which would end the loop over the loader without a word
            wrong = RuntimeError(f"StopIteration was raised: {error}")
            wrong.__traceback__ = error.__traceback__
            raise RowError(wrong, what) from None
        except Exception as error:
            raise RowError(error, what) from None


def _few(indices: Any) -> str:
    """Row numbers, not too many of them."""
    if isinstance(indices, list) and len(indices) > 16:
        return f"[{', '.join(map(str, indices[:12]))}, ... {len(indices) - 12} more]"
    return str(indices)


def _is_table(dataset: Any) -> bool:
    """True for a `TensorDataset` and plain subsets of one: a batch is then one look-up in each tensor."""
    while type(dataset) is Subset:
        dataset = dataset.dataset
    return type(dataset) is TensorDataset


def _batch_of_table(dataset: Any, indices: list[Any]) -> list[Any]:
    """What collating the rows one by one would give."""
    while type(dataset) is Subset:
        dataset, indices = dataset.dataset, [dataset.indices[i] for i in indices]
    places = np.asarray(indices)
    if places.dtype.kind not in "iu" or places.ndim != 1:
        return default_collate([dataset[i] for i in indices])
    picked = Tensor(places.astype(np.int64))
    return [t[picked] for t in dataset.tensors]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The default stream of random numbers starts at ``seed`` inside, and goes on as before afterwards.

    What a dataset draws for a batch then depends on the epoch and the batch alone: not on the number of workers, and
    not on what the network draws in between.
    """
    before = default_generator.get_state()
    default_generator.manual_seed(seed)
    try:
        yield
    finally:
        default_generator.set_state(before)


def require_rows(dataset: Any) -> None:
    """A dataset has row numbers or is a stream."""
    if not isinstance(dataset, IterableDataset) and not hasattr(dataset, "__getitem__"):
        raise UsageError(
            f"DataLoader takes a dataset, got {type(dataset).__name__}, which has no __getitem__",
            hint="TensorDataset(inputs, targets), a list, or a subclass of Dataset or IterableDataset",
        )
