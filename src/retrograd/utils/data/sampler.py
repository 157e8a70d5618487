"""Samplers: in which order the rows of a dataset come, and how they are put together into batches.

A random sampler draws one number from its generator when an iteration begins, and the whole order follows from that
number: so every epoch moves the generator by the same amount, whether it is gone through to its end or not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from ...errors import UsageError
from ...functions.random import Generator, default_generator, multinomial, rand, randint, randperm
from ...types import float64

__all__ = [
    "BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler",
]  # fmt: skip

Index = TypeVar("Index", covariant=True)
_AT_ONCE = 4096
"""How many numbers are drawn at a time where rows may come again: there may be very many to come."""


def draw_seed(generator: Generator | None) -> int:
    """A seed of 53 bits from a stream."""
    return int(randint(0, 2**53, (), generator=generator or default_generator).item())


def private(generator: Generator | None) -> Generator:
    """A stream of its own for one iteration, whose seed comes from ``generator``."""
    return Generator().manual_seed(draw_seed(generator))


class Sampler(Generic[Index]):
    """An order of row numbers: subclasses define ``__iter__``, and ``__len__`` where it is known."""

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __iter__(self) -> Iterator[Index]:
        raise UsageError(
            f"{type(self).__name__} does not say in which order rows come",
            hint="define def __iter__(self): ... in it",
        )


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ...

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """All rows in random order; or ``num_samples`` of them, or rows that may come again with ``replacement``.

    More samples than rows without replacement: one order after the other.

    >>> import retrograd as rg
    >>> sorted(RandomSampler("abc", generator=rg.Generator().manual_seed(0)))
    [0, 1, 2]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = _require_bool("RandomSampler", "replacement", replacement)
        self._num_samples = num_samples
        self.generator = generator
        if num_samples is None and len(data_source) == 0:
            raise UsageError(
                "RandomSampler: the dataset has no rows", hint="a dataset with rows, or shuffle=False"
            )
        _require_positive("RandomSampler", "num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many rows come."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        return self._from(private(self.generator))

    def _from(self, stream: Generator) -> Iterator[int]:
        n, wanted = len(self.data_source), self.num_samples
        while wanted > 0:
            if self.replacement:
                drawn = randint(0, n, (min(wanted, _AT_ONCE),), generator=stream)
            else:
                drawn = randperm(n, generator=stream)[:wanted]
            yield from drawn.tolist()
            wanted -= len(drawn)

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[Any]):
    """The given row numbers in random order."""

    def __init__(self, indices: Sequence[Any], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[Any]:
        order = randperm(len(self.indices), generator=private(self.generator))
        return (self.indices[i] for i in order.tolist())

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Row i with a probability in proportion to ``weights[i]``, ``num_samples`` times.

    >>> import retrograd as rg
    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], 4))
    [1, 1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float] | Any,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        from ...functions.create import as_tensor

        _require_positive("WeightedRandomSampler", "num_samples", num_samples)
        self.replacement = _require_bool("WeightedRandomSampler", "replacement", replacement)
        self.weights = as_tensor(weights, dtype=float64).detach()
        self.num_samples = num_samples
        self.generator = generator
        given = self.weights.numpy()
        if given.ndim != 1:
            raise UsageError(
                f"WeightedRandomSampler: weights are one row of numbers, got shape {given.shape}",
                hint="weights=[0.1, 0.9]",
            )
        if not (np.isfinite(given).all() and (given >= 0).all() and given.sum() > 0):
            raise UsageError(
                "WeightedRandomSampler: weights are finite, none negative, and not all 0",
                hint="weights=[0.1, 0.9]",
            )
        if not replacement and num_samples > np.count_nonzero(given):
            raise UsageError(
                f"WeightedRandomSampler: {num_samples} different rows of {np.count_nonzero(given)} with a weight above 0",
                hint="replacement=True",
            )

    def __iter__(self) -> Iterator[int]:
        return self._from(private(self.generator))

    def _from(self, stream: Generator) -> Iterator[int]:
        if not self.replacement:
            yield from multinomial(self.weights, self.num_samples, generator=stream).tolist()
            return
        steps = np.cumsum(self.weights.numpy())
        last = int(np.flatnonzero(self.weights.numpy())[-1])  # where rounding would lead beyond the end
        for start in range(0, self.num_samples, _AT_ONCE):
            count = min(_AT_ONCE, self.num_samples - start)
            places = rand(count, generator=stream, dtype=float64).numpy() * steps[-1]
            yield from np.minimum(np.searchsorted(steps, places, side="right"), last).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[Any]]):
    """The row numbers of ``sampler`` in lists of ``batch_size``; a shorter last one is left out with ``drop_last``.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[Any], batch_size: int, drop_last: bool) -> None:
        self.sampler = sampler
        self.batch_size = _require_positive("BatchSampler", "batch_size", batch_size)
        self.drop_last = _require_bool("BatchSampler", "drop_last", drop_last)

    def __iter__(self) -> Iterator[list[Any]]:
        return self._from(iter(self.sampler))

    def _from(self, rows: Iterator[Any]) -> Iterator[list[Any]]:
        while batch := list(itertools.islice(rows, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield batch

    def __len__(self) -> int:
        rows = len(self.sampler)  # type: ignore[arg-type]
        return rows // self.batch_size if self.drop_last else -(-rows // self.batch_size)


def _require_positive(who: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{who}: {name} is a positive whole number, got {name}={value!r}", hint=f"{name}=32")
    return value


def _require_bool(who: str, name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{who}: {name} is True or False, got {name}={value!r}", hint=f"{name}=True")
    return value
