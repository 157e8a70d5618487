"""One epoch of a loader: batch after batch, made here or by workers, always in the same order."""

from __future__ import annotations

import itertools
import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import StateError
from ...functions.random import default_generator
from .fetch import EndOfStream, Fetcher, RowError, seeded
from .pool import Pool, WorkerError, WorkerTimeout, raise_here
from .position import Position, numbers, restore_generators, set_numbers
from .sampler import draw_seed

if TYPE_CHECKING:
    from .loader import DataLoader


_NO_MORE = object()


class Iteration(Iterator[Any]):
    """What ``iter(loader)`` gives.

    The order of an epoch follows from the generators as they are when it begins.  A loader that goes on from a saved
    state begins the epoch again with the generators as they were, and leaves out the batches that were given already.
    """

    def __init__(self, loader: DataLoader, resumed: Mapping[str, Any] | None) -> None:
        self.loader = loader
        again = resumed if resumed is not None and resumed["batch"] is not None else None
        elsewhere = numbers(default_generator)
        if again is not None:
            restore_generators(loader, again)
            set_numbers(default_generator, again["default_generator"])
        try:
            self.position = Position(loader)
            self.indices = iter(loader._index_sampler)
            self.base_seed = draw_seed(loader.generator)
        finally:
            if again is not None:
                set_numbers(default_generator, elsewhere)
        self._begin()
        if again is not None:
            self._skip(again["batch"])
        self._look_ahead()

    def _begin(self) -> None:
        raise NotImplementedError

    def _look_ahead(self) -> None:
        """Start to make batches before anybody asks for them."""

    def _skip(self, count: int) -> None:
        """Leave out batches that were given in an earlier life of this epoch."""
        if self.loader._is_stream:
            for _ in range(count):
                try:
                    self._next()
                except EndOfStream:
                    break
        else:
            for _ in itertools.islice(self.indices, count):
                pass
        self.position.batch = count

    def _next(self) -> Any:
        """The next batch, or EndOfStream."""
        raise NotImplementedError

    def __next__(self) -> Any:
        if self.position.over:
            raise StopIteration
        if self.loader._iteration_position is not self.position and self._shares_workers():
            raise StateError(
                "this iterator's workers have begun another epoch",
                hint="finish one epoch before the next, or persistent_workers=False",
            )
        try:
            batch = self._next()
        except EndOfStream:
            self.position.over = True
            self.close()
            raise StopIteration from None
        except WorkerError:  # nothing is wrong with the batch
            raise
        except Exception:
            self.position.batch += 1
            raise
        self.position.batch += 1
        self._compare_with_length()
        return batch

    def _shares_workers(self) -> bool:
        return False

    def _compare_with_length(self) -> None:
        said = self.loader._length_said
        if self.loader._is_stream and said is not None and self.position.batch > said:
            warnings.warn(
                f"the stream was said to have {said} batches, when len(loader) was asked, and has given "
                f"{self.position.batch}"
                + (
                    "; does every worker read all of it? see get_worker_info"
                    if self.loader.num_workers
                    else ""
                ),
                UserWarning,
                stacklevel=3,
            )

    def __len__(self) -> int:
        return len(self.loader)

    def close(self) -> None:
        """Give back what the epoch needed."""

    def __getstate__(self) -> Any:
        raise StateError("an iterator over a loader cannot be copied or saved", hint="loader.state_dict()")


class Here(Iteration):
    """Batches made in this process."""

    def _begin(self) -> None:
        loader = self.loader
        self.fetcher: Fetcher | None = None
        self.made = 0
        self.arguments = (loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last)

    def _skip(self, count: int) -> None:
        super()._skip(count)
        self.made = count

    def _next(self) -> Any:
        try:
            indices = next(self.indices)
        except StopIteration:
            raise EndOfStream from None
        number, self.made = self.made, self.made + 1
        try:
            with seeded(self.base_seed + number):
                if self.fetcher is None:
                    self.fetcher = Fetcher(*self.arguments)
                return self.fetcher.fetch(indices)
        except RowError as wrong:
            wrong.error.add_note(f"in DataLoader, batch {number}: {wrong.what}")
            raise wrong.error from None


class InWorkers(Iteration):
    """Batches made by worker processes, asked for ahead, taken in order."""

    def _begin(self) -> None:
        loader = self.loader
        self.pool: Pool = loader._pool(self.base_seed)
        self.epoch = loader._epochs_of_pool
        self.asked: deque[tuple[int, int]] = deque()
        """(batch, worker) for what was asked for and not yet taken."""
        self.active = deque(range(loader.num_workers))
        """Workers whose stream has not ended, the next one to be asked first."""
        self.number = 0
        self.lost: WorkerError | None = None

    def _skip(self, count: int) -> None:
        super()._skip(count)
        if not self.loader._is_stream:
            self.number = count
            self.active.rotate(-count)

    def _look_ahead(self) -> None:
        ahead = max(1, self.loader.prefetch_factor or 0) * self.loader.num_workers
        while len(self.asked) < ahead and self.active:
            indices = next(self.indices, _NO_MORE)
            if indices is _NO_MORE:
                return
            worker = self.active[0]
            self.active.rotate(-1)
            self.pool.tell(worker, "batch", self.epoch, self.number, indices)
            self.asked.append((self.number, worker))
            self.number += 1

    def _next_in_order(self) -> Any:
        if self.lost is not None:
            raise self.lost
        while True:
            self._look_ahead()
            if not self.asked:
                raise EndOfStream
            number, worker = self.asked[0]
            kind, content = self._hear(number, worker)
            self.asked.popleft()
            if kind == "end":
                self.active.remove(worker)
                self.asked = deque(entry for entry in self.asked if entry[1] != worker)
                continue
            self._look_ahead()
            if kind == "error":
                raise_here(content, worker, number)
            return content

    def _hear(self, number: int, worker: int) -> tuple[str, Any]:
        while True:
            epoch, found, kind, content = self.pool.hear(worker, self.loader.timeout)
            if (epoch, found) == (self.epoch, number):
                return kind, content

    def _next(self) -> Any:
        try:
            return self._next_in_order()
        except WorkerTimeout:
            raise
        except WorkerError as error:
            self.lost = error
            self.loader._kept_pool = None
            self.pool.close()
            raise

    def _shares_workers(self) -> bool:
        return self.loader.persistent_workers

    def close(self) -> None:
        if not self.loader.persistent_workers:
            self.pool.close()
