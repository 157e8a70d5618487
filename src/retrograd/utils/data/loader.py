"""DataLoader: batches of a dataset, in an order that can be taken up again at any batch."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

from ...errors import UsageError
from ...functions.random import Generator
from .collate import default_collate, default_convert
from .dataset import IterableDataset
from .fetch import require_rows
from .iteration import Here, InWorkers, Iteration
from .pool import Pool, default_context
from .position import Position, check, restore_generators, save
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler
from .worker import Job

Batch = TypeVar("Batch", covariant=True)
_FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class _Endless(Sampler[None]):
    """For streams: there are no row numbers."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[Batch]):
    """Batches of ``dataset``: ``batch_size`` rows each, collated; in random order with ``shuffle``.

    ``sampler`` gives the order of the rows, ``batch_sampler`` the rows of every batch.  ``batch_size=None`` gives rows
    one by one.  ``num_workers`` processes load ahead, ``prefetch_factor`` batches each (default 2); the batches and their
    order are the same for any number of them.  What a dataset draws from `retrograd`'s default generator (in workers also
    from NumPy's and Python's) is seeded anew for every batch, so it does not depend on the workers either.

    ``state_dict()`` says where the order is, in numbers; after ``load_state_dict`` the next ``for`` loop continues with the
    very next batch.  With a ``generator`` all later epochs are the same, too; without one the order comes from the default
    generator, whose state is `retrograd.get_rng_state`.  A stream (`IterableDataset`) is read again up to its place.

    ``pin_memory`` changes nothing on a CPU, and ``in_order=False`` is not taken up: the order is always kept.

    >>> import retrograd as rg
    >>> loader = DataLoader(range(5), batch_size=2, shuffle=True, generator=rg.Generator().manual_seed(1))
    >>> batches = iter(loader); first = next(batches)
    >>> state = loader.state_dict(); rest = [b.tolist() for b in batches]
    >>> loader.load_state_dict(state); [b.tolist() for b in loader] == rest
    True
    """

    _ready = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        require_rows(dataset)
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self._is_stream = isinstance(dataset, IterableDataset)
        _check_order(self._is_stream, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if generator is not None and not isinstance(generator, Generator):
            raise UsageError(
                f"DataLoader: generator is a Generator, got {type(generator).__name__}",
                hint="generator=retrograd.Generator().manual_seed(0)",
            )
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            if self._is_stream:
                sampler = _Endless()
            else:
                sampler = (
                    RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
                )
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.collate_fn = collate_fn or (default_collate if self._auto_collation else default_convert)
        self.persistent_workers = persistent_workers
        self._length_said: int | None = None
        self._iteration_position: Position | None = None
        self._pending: Mapping[str, Any] | None = None
        self._kept_pool: Pool | None = None
        self._epochs_of_pool = 0
        self._ready = True
        self.check_worker_number_rationality()

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready and name in _FIXED:
            raise UsageError(
                f"{name} of a DataLoader cannot be changed: its order follows from it",
                hint="make another loader",
            )
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        """How worker processes are started: a context of `multiprocessing`, or None for the system's way."""
        return self._context

    @multiprocessing_context.setter
    def multiprocessing_context(self, given: Any) -> None:
        ways = multiprocessing.get_all_start_methods()
        if given is not None and self.num_workers == 0:
            raise UsageError(
                f"multiprocessing_context={given!r} without workers", hint="num_workers=2, or leave it out"
            )
        if isinstance(given, str):
            if given not in ways:
                raise UsageError(
                    f"multiprocessing_context is one of {', '.join(ways)}, not {given!r}",
                    hint=f"multiprocessing_context={ways[0]!r}",
                )
            given = multiprocessing.get_context(given)
        if given is not None and not isinstance(given, BaseContext):
            raise UsageError(
                f"multiprocessing_context is a context or its name, got {given!r}",
                hint=f"multiprocessing_context={ways[0]!r}",
            )
        self._context = given

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __iter__(self) -> Iterator[Batch]:
        resumed, self._pending = self._pending, None
        kind = InWorkers if self.num_workers else Here
        iteration: Iteration = kind(self, resumed)
        self._iteration_position = iteration.position
        return iteration

    def __len__(self) -> int:
        """Number of batches in an epoch; of a stream, what its ``__len__`` would give, which need not be so."""
        if not self._is_stream:
            return len(self._index_sampler)
        rows = len(self.dataset)
        if self.batch_size is not None:
            rows = rows // self.batch_size if self.drop_last else -(-rows // self.batch_size)
        self._length_said = rows
        return rows

    def _pool(self, base_seed: int) -> Pool:
        """The worker processes for an epoch that begins."""
        if self._kept_pool is not None:
            self._epochs_of_pool += 1
            for worker in range(self.num_workers):
                self._kept_pool.tell(worker, "epoch", base_seed)
            return self._kept_pool
        job = Job(
            0, self.num_workers, self.dataset, self._auto_collation, self.collate_fn, self.drop_last,
            self._is_stream, self.worker_init_fn, base_seed,
        )  # fmt: skip
        pool = Pool(default_context(self._context), job)
        if self.persistent_workers:
            self._kept_pool = pool
        return pool

    def check_worker_number_rationality(self) -> None:
        """Warn of more workers than processors."""
        there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if self.num_workers and there is not None and self.num_workers > there:
            warnings.warn(
                f"DataLoader: {self.num_workers} worker processes on {there} processors will get in each other's way",
                UserWarning,
                stacklevel=3,
            )

    # -- where the order is ---------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """The place in the order, as numbers and None: after the batch that was given last."""
        if self._pending is not None:
            return dict(self._pending)
        return save(self, self._iteration_position)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from a saved place in the next ``for`` loop, with any number of workers."""
        check(self, state_dict)
        restore_generators(self, state_dict)
        self._iteration_position = None
        self._pending = dict(state_dict) if state_dict["batch"] is not None else None


def _check_workers(workers: Any, timeout: float, prefetch: int | None, persistent: bool) -> None:
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
        raise UsageError(
            f"DataLoader: num_workers is a number of processes from 0, got {workers!r}",
            hint="num_workers=0 loads in this process",
        )
    if timeout < 0:
        raise UsageError(
            f"DataLoader: timeout is a time in seconds, got {timeout}", hint="timeout=0: no limit"
        )
    if workers == 0 and prefetch is not None:
        raise UsageError("DataLoader: prefetch_factor without workers", hint="num_workers=2, or leave it out")
    if prefetch is not None and prefetch < 0:
        raise UsageError(
            f"DataLoader: prefetch_factor is a number of batches for each worker, got {prefetch}",
            hint="prefetch_factor=2",
        )
    if persistent and workers == 0:
        raise UsageError(
            "DataLoader: persistent_workers without workers", hint="num_workers=2, or leave it out"
        )


def _check_order(
    stream: bool, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    def refuse(what: str, hint: str) -> None:
        raise UsageError(f"DataLoader: {what}", hint=hint)

    if stream and (shuffle or sampler is not None or batch_sampler is not None):
        refuse(
            "a stream (IterableDataset) comes in its own order: no shuffle, sampler or batch_sampler",
            "leave them out, and shuffle in __iter__",
        )
    if sampler is not None and shuffle:
        refuse("sampler and shuffle both say the order", "one of them")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            refuse(
                "batch_sampler says all that batch_size, shuffle, sampler and drop_last say", "leave them out"
            )
    elif batch_size is None and drop_last:
        refuse("batch_size=None gives rows one by one: there is no last batch to drop", "drop_last=False")
