"""What a run tells while it runs: events, given to a callback; printing them is the command line's business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from retrograd.train.history import EpochSums, History

Kind = Literal["note", "decision", "finding", "cost", "start", "batch", "epoch", "stage", "done"]


@dataclass(frozen=True)
class Event:
    """Something happened.

    ``kind``: "note" (a sentence), "decision" (what was decided and why), "finding" (about the data), "cost" (the
    estimate, before training), "start" (``epochs``, ``rows``), "batch" (``epoch``, ``rows_done``, ``rows``, ``loss``),
    "epoch" (one line of metrics.jsonl and ``seconds_left``), "stage" (a later part of the work begins), "done".
    ``message`` is for people, ``values`` for programs.
    """

    kind: Kind
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)


class Progress(Protocol):
    """Anything that can be called with an `Event`."""

    def __call__(self, event: Event, /) -> None: ...


def silent(event: Event, /) -> None:
    """The default: tell nobody."""


def batch_event(epoch: int, loss: float, sums: EpochSums, rows: int) -> Event:
    """One batch of ``epoch`` is done; ``rows`` are those of a whole epoch."""
    values = {
        "epoch": epoch,
        "rows_done": sums.rows,
        "rows": rows,
        "loss": loss,
        "rows_per_second": sums.rows / max(sums.seconds, 1e-9),
    }
    return Event("batch", f"epoch {epoch}", values)


def epoch_event(history: History, done: int, epochs: int, time_limit: float | None) -> Event:
    """The last epoch of the history is done, and how many seconds are left if the others take as long."""
    record = history.records[-1]
    left = history.seconds / max(1, done) * (epochs - done)
    if time_limit is not None:
        left = min(left, max(0.0, time_limit - history.seconds))
    values = {**record, "epochs": epochs, "seconds_left": left, "best_epoch": history.best_epoch}
    text = ", ".join(f"{key.replace('_', ' ')} {record[key]:.4g}" for key in record if key.endswith("_loss"))
    return Event("epoch", f"epoch {record['epoch']}: {text}", values)
