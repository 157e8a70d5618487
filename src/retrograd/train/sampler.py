"""The order of the rows: one seeded permutation per epoch, cut into batches.

An *iteration* is one update; an *epoch* is every training row exactly once; so an epoch of n rows has ceil(n / batch)
iterations and the last batch may be short.  The order is a function of (seed, epoch) alone: nothing has to be
remembered to continue in the middle of an epoch but the number of the next batch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from retrograd.errors import UsageError


class RowSampler:
    """Batches of row numbers: ``batches(epoch)`` yields int64 arrays that together hold each of n rows once.

    >>> sampler = RowSampler(5, batch_size=2, seed=0)
    >>> [batch.tolist() for batch in sampler.batches(0)]
    [[4, 1], [2, 0], [3]]
    >>> [batch.tolist() for batch in sampler.batches(0, start=2)]     # continue at the third batch
    [[3]]
    """

    def __init__(self, rows: int, *, batch_size: int, seed: int = 0, shuffle: bool = True) -> None:
        if rows < 1:
            raise UsageError(
                "there are no rows to train on", hint="check the filter or the split that made them"
            )
        if batch_size < 1:
            raise UsageError(f"batch size {batch_size} is not a positive number", hint="--batch-size 64")
        self.rows = rows
        self.batch_size = min(batch_size, rows)
        self.seed = seed
        self.shuffle = shuffle

    @property
    def batches_per_epoch(self) -> int:
        """ceil(n / batch)."""
        return -(-self.rows // self.batch_size)

    def permutation(self, epoch: int) -> np.ndarray:
        """Order of all rows in `epoch`, from a counter-based generator keyed with (seed, epoch)."""
        if not self.shuffle:
            return np.arange(self.rows)
        key = np.array([self.seed % 2**64, epoch], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key)).permutation(self.rows)

    def batches(self, epoch: int, start: int = 0) -> Iterator[np.ndarray]:
        """Batches of `epoch` from number `start` on."""
        order = self.permutation(epoch)
        for index in range(start, self.batches_per_epoch):
            yield order[index * self.batch_size : (index + 1) * self.batch_size]
