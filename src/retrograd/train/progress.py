"""What a run tells while it runs: events, given to a callback; printing them is the command line's business."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

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
