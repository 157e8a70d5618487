"""What happened in training: one record per epoch, and the sums of the epoch under way."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass
class History:
    """What happened: one record per epoch, which epoch was best (from 1; 0: none), and why training ended.

    ``best_loss`` is the validation loss of the best epoch, ``judged_loss`` the smoothed one it was chosen by.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = math.inf
    judged_loss: float = math.inf
    stopped_because: str = ""
    interrupted: bool = False
    steps: int = 0
    seconds: float = 0.0

    def column(self, name: str) -> list[Any]:
        """One value per epoch: ``history.column("validation_loss")``."""
        return [record.get(name) for record in self.records]


@dataclass
class EpochSums:
    """Totals of the epoch under way; part of the state, so that an epoch cut in two logs what a whole one logs."""

    loss: float = 0.0
    rows: int = 0
    norm: float = 0.0
    largest_norm: float = 0.0
    batches: int = 0
    seconds: float = 0.0

    def add(self, loss: float, norm: float, rows: int) -> None:
        """One batch more."""
        self.loss += loss * rows
        self.rows += rows
        self.norm += norm
        self.largest_norm = max(self.largest_norm, norm)
        self.batches += 1
