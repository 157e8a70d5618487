"""What was asked of a run: the arguments of `fit`, checked, and kept in run.json so that `resume` can ask the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retrograd.errors import UsageError

THREADS = 1
"""Threads of a run that asks for none: its matrix products are too small to repay handing work to a thread, and
its results do not depend on the number of cores."""


@dataclass(frozen=True)
class Options:
    """The arguments of `retrograd.train.fit`, by the same names; ``data`` and ``test`` only where they are paths."""

    target: str | int | None = None
    seed: int = 0
    epochs: int | None = None
    time_limit: float | None = None
    threads: int | None = None
    hidden: Sequence[int] | None = None
    activation: str | None = None
    dropout: float | None = None
    optimizer: str | None = None
    lr: float | None = None
    batch_size: int | None = None
    loss: str | None = None
    group: str | None = None
    time: str | None = None
    header: bool | None = None
    exclude: Sequence[str] = field(default_factory=tuple)
    data: str | None = None
    test: str | None = None
    unit: str | None = None
    compile: bool | None = None

    def __post_init__(self) -> None:
        if self.time_limit is not None and not self.time_limit > 0:
            raise UsageError(f"a time limit of {self.time_limit} s", hint="--time-limit 5m")
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"{self.threads} threads", hint="--threads 2")
        if self.unit is not None and not 1 <= len(self.unit) <= 20:
            raise UsageError(f"the unit {self.unit!r}", hint="--unit '$', --unit kg; at most 20 characters")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed}", hint="--seed 0; any whole number that is not negative")

    def to_json(self) -> dict[str, Any]:
        """As a plain dict."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Options:
        """From `to_json`."""
        hidden, exclude = content.get("hidden"), content.get("exclude") or ()
        return cls(
            **{**content, "hidden": None if hidden is None else tuple(hidden), "exclude": tuple(exclude)}
        )

    def recipe(self) -> dict[str, Any]:
        """Those that `choose_recipe` takes."""
        names = (
            "epochs",
            "hidden",
            "activation",
            "dropout",
            "optimizer",
            "lr",
            "batch_size",
            "loss",
            "compile",
        )
        return {name: getattr(self, name) for name in names}

    def reading(self) -> dict[str, Any]:
        """Those that `read_problem` takes."""
        names = ("group", "time", "header", "exclude", "seed")
        return {name: getattr(self, name) for name in names}


def path_of(data: Any) -> str | None:
    """The absolute path where ``data`` is one, else None."""
    return str(Path(data).resolve()) if isinstance(data, (str, os.PathLike)) else None


def name_of(data: Any) -> str:
    """A name for the run: the file's, without its endings.

    >>> name_of("data/houses.csv.gz"), name_of({"x": [1]})
    ('houses', 'table')
    """
    if not isinstance(data, (str, os.PathLike)):
        return "table"
    name = Path(data).name
    return name.split(".")[0] or "table"
