"""Preparing a table for a network: what is learnt from the training rows, applied to any rows, and saved in the model."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd.data.encoders import (
    CategoryEncoder,
    DateEncoder,
    Encoder,
    NumberEncoder,
    damaged,
    encoder_from_json,
    encoder_to_json,
)
from retrograd.data.readings import numbers_of
from retrograd.data.table import Column, Table
from retrograd.data.task import Task, nearest
from retrograd.errors import DataError, ModelFileError

FORMAT = 1
SKEWED = 1.0
"""Positive targets with a skewness above this are learnt as logarithms, if that makes them less skewed."""
RARE_CLASS = 0.1
"""Below this share of the rarest class, classes are weighted by the square root of their rarity."""


@dataclass(frozen=True)
class Inputs:
    """What the network gets: number features (n, k) float32 and category codes (n, c) int64."""

    numbers: np.ndarray
    categories: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class TargetScale:
    """z = (f(y) - mean) / std with f the identity or ln; ``low`` and ``high`` are the extremes of z in training."""

    log: bool
    mean: float
    std: float
    low: float
    high: float

    @staticmethod
    def fit(values: np.ndarray) -> TargetScale:
        """From the target of the training rows."""
        log = bool(values.min() > 0) and _skewness(values) > max(SKEWED, abs(_skewness(np.log(values))))
        levels = np.log(values) if log else values
        std = float(levels.std()) or 1.0
        z = (levels - levels.mean()) / std
        return TargetScale(log, float(levels.mean()), std, float(z.min()), float(z.max()))

    def encode(self, values: np.ndarray) -> np.ndarray:
        """From the target's own units to (n,) float32; a logarithm of what is not positive is that of the smallest seen."""
        if not self.log:
            return ((values - self.mean) / self.std).astype(np.float32)
        smallest = math.exp(self.mean + self.std * self.low)
        with np.errstate(invalid="ignore"):
            return ((np.log(np.where(values > 0, values, smallest)) - self.mean) / self.std).astype(
                np.float32
            )

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Back to the target's own units, float64."""
        levels = np.asarray(z, dtype=np.float64) * self.std + self.mean
        return np.exp(np.clip(levels, -700, 700)) if self.log else levels


def _skewness(values: np.ndarray) -> float:
    gap = values - values.mean()
    spread = float(np.sqrt(np.mean(gap**2)))
    return float(np.mean(gap**3)) / spread**3 if spread > 0 else 0.0


@dataclass(frozen=True)
class Preparation:
    """How the columns of a table become inputs, and its target a number to learn; made by `fit`, saved with the model.

    >>> from retrograd.data import infer_task, read_table
    >>> table = read_table({"size": [50, 80, 65, 120], "town": ["Ulm", "Bonn", "Ulm", "Bonn"], "rent": [500.5, 900, 610, 1400]})
    >>> prepared = Preparation.fit(table, np.arange(4), target="rent", task=infer_task(table.columns["rent"]))
    >>> prepared.number_names, prepared.transform(table).numbers.shape
    (['size', 'town = Bonn', 'town = Ulm'], (4, 3))
    """

    encoders: list[Encoder]
    target: str
    task: Task
    scale: TargetScale | None = None
    class_weights: np.ndarray | None = None
    unused: dict[str, str] = field(default_factory=dict)
    """Columns that are not used, with the reason."""

    @staticmethod
    def fit(
        table: Table, rows: np.ndarray, *, target: str, task: Task, exclude: Iterable[str] = ()
    ) -> Preparation:
        """Learn from ``rows`` (the training rows) of ``table``, and from no others."""
        train = table.select(np.asarray(rows))
        encoders: list[Encoder] = []
        unused: dict[str, str] = {}
        left_out = set(exclude)
        for name, column in train.columns.items():
            if name == target:
                continue
            if name in left_out:
                unused[name] = "left out, as asked"
            elif column.kind in ("id", "text", "constant"):
                unused[name] = column.reason
            elif (encoder := _encoder(column)) is None:
                unused[name] = "the same value in every training row"
            else:
                encoders.append(encoder)
        if not encoders:  # a counter is the only input: it is what there is to learn from
            for name, column in train.columns.items():
                counts = column.kind == "id" and column.values.dtype.kind == "f"
                if counts and name != target and name not in left_out:
                    encoder = NumberEncoder.fit(column)
                    if encoder is not None:
                        encoders.append(encoder)
                        del unused[name]
        if not encoders:
            reasons = (
                "; ".join(f"{name}: {why}" for name, why in list(unused.items())[:5])
                or "there is none beside it"
            )
            raise DataError(
                f"no column is left to predict {target!r} from ({reasons})",
                hint="give a table with more columns, or leave --exclude away"
                if left_out
                else "give a table with more columns",
            )
        scale, weights = None, None
        if task.kind == "regression":
            values = numbers_of(train.columns[target])
            scale = TargetScale.fit(values[np.isfinite(values)])
        else:
            weights = _class_weights(
                _codes(train.columns[target], task.classes or []), len(task.classes or [])
            )
        return Preparation(encoders, target, task, scale, weights, unused)

    @property
    def input_names(self) -> list[str]:
        """The columns of the table that are used."""
        return [encoder.name for encoder in self.encoders]

    @property
    def number_names(self) -> list[str]:
        """Names of the number features, in order."""
        return [name for encoder in self.encoders for name in encoder.features]

    @property
    def _coded(self) -> list[CategoryEncoder]:
        return [e for e in self.encoders if isinstance(e, CategoryEncoder) and not e.one_hot]

    @property
    def category_names(self) -> list[str]:
        """The columns that become codes, in order."""
        return [encoder.name for encoder in self._coded]

    @property
    def category_sizes(self) -> list[int]:
        """Number of codes of each; code 0 is for rare, missing and unseen values."""
        return [encoder.size for encoder in self._coded]

    @property
    def classes(self) -> list[str] | None:
        """Class names in the order of their codes; None for regression."""
        return self.task.classes

    def transform(self, table: Table) -> Inputs:
        """The inputs for the rows of ``table``, in order; columns may stand in any order, and the target may be absent."""
        missing = [name for name in self.input_names if name not in table.columns]
        if missing:
            raise DataError(
                f"column{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing[:5]))} that the model was trained with "
                f"{'are' if len(missing) > 1 else 'is'} not there",
                where=table.source,
                hint=_as_in_training(missing, list(table.columns)),
            )
        n = table.n_rows
        coded = {encoder.name for encoder in self._coded}
        numbers = [e.encode(table.columns[e.name]) for e in self.encoders if e.name not in coded]
        codes = [encoder.codes(table.columns[encoder.name]) for encoder in self._coded]
        return Inputs(
            np.concatenate(numbers, axis=1) if numbers else np.zeros((n, 0), np.float32),
            np.stack(codes, axis=1) if codes else np.zeros((n, 0), np.int64),
        )

    def notes(self, table: Table) -> list[str]:
        """Sentences about cells that this preparation cannot use as they stand: no numbers or dates, or values never seen."""
        return [
            note
            for encoder in self.encoders
            if encoder.name in table.columns
            for note in encoder.notes(table.columns[encoder.name])
        ]

    def encode_target(self, table: Table) -> np.ndarray:
        """The target as the network learns it: (n,) float32 scaled, or int64 class codes (-1 where missing)."""
        if self.target not in table.columns:
            raise DataError(
                f"the target {self.target!r} is not there",
                where=table.source,
                hint=nearest(self.target, list(table.columns)),
            )
        column = table.columns[self.target]
        if self.scale is not None:
            return self.scale.encode(numbers_of(column))
        return _codes(column, self.task.classes or [])

    def decode_target(self, values: np.ndarray) -> np.ndarray:
        """Predictions in the target's own units; for classes, their names from codes (n,) or probabilities (n, K)."""
        if self.scale is not None:
            return self.scale.decode(values)
        array = np.asarray(values)
        codes = array.argmax(axis=1) if array.ndim == 2 else array.astype(np.int64)
        return np.array(self.task.classes, dtype=object)[codes]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "format": FORMAT,
            "columns": [encoder_to_json(encoder) for encoder in self.encoders],
            "target": self.target,
            "task": {"kind": self.task.kind, "classes": self.task.classes, "reason": self.task.reason},
            "scale": None if self.scale is None else dict(vars(self.scale)),
            "class_weights": None if self.class_weights is None else [float(w) for w in self.class_weights],
            "unused": dict(self.unused),
        }

    @staticmethod
    def from_json(data: Any) -> Preparation:
        """A preparation from `to_json`; anything else raises `ModelFileError`, and nothing is ever executed."""
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise damaged("its format is unknown")
        try:
            task = _task(data["task"])
            scale = None if data["scale"] is None else _scale(data["scale"])
            weights = data["class_weights"]
            if (scale is None) == (task.kind == "regression"):
                raise damaged("task and target scale contradict each other")
            if weights is not None and (
                not _all(weights, (int, float))
                or len(weights) != len(task.classes or [])
                or min(weights) <= 0
            ):
                raise damaged("class weights")
            columns = data["columns"]
            if not isinstance(columns, list) or not columns or not isinstance(data["target"], str):
                raise damaged("columns or target")
            unused = data["unused"]
            if not isinstance(unused, dict) or not _all([*unused, *unused.values()], (str,)):
                raise damaged("unused columns")
            encoders = [encoder_from_json(column) for column in columns]
            if len({encoder.name for encoder in encoders}) < len(encoders):
                raise damaged("a column stands there twice")
            array = None if weights is None else np.asarray(weights, dtype=np.float64)
            return Preparation(encoders, data["target"], task, scale, array, unused)
        except KeyError as error:
            raise damaged(f"{error.args[0]!r} is missing") from None
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, ModelFileError):
                raise
            raise damaged("a value of the wrong kind") from None


def _all(values: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(values, list) and all(isinstance(v, kinds) and not isinstance(v, bool) for v in values)


def _as_in_training(missing: list[str], there: list[str]) -> str:
    """A hint that mends a table whose columns are not called as they were in training."""
    spelt = {name.strip().lower(): name for name in there}
    pairs = [(spelt[name.strip().lower()], name) for name in missing if name.strip().lower() in spelt]
    if pairs:
        renamed = ", ".join(f"{old!r} to {new!r}" for old, new in pairs[:8])
        return f"names count with their case: rename {renamed}{', ...' if len(pairs) > 8 else ''}"
    if not there:
        return "give the columns of the training data"
    close = nearest(missing[0], there)
    if close.startswith("did you mean"):
        return close
    return f"add {', '.join(map(repr, missing[:8]))}; leave its cells empty where nothing is known"


def _task(data: Any) -> Task:
    kind, classes, reason = data["kind"], data["classes"], data["reason"]
    known = kind in ("regression", "binary", "multiclass") and isinstance(reason, str)
    if not known or (classes is None) != (kind == "regression"):
        raise damaged("the task")
    if classes is not None and (not _all(classes, (str,)) or len(set(classes)) < max(2, len(classes))):
        raise damaged("the classes")
    return Task(kind, classes, reason)


def _scale(data: Any) -> TargetScale:
    numbers = [data[name] for name in ("mean", "std", "low", "high")]
    if not _all(numbers, (int, float)) or not all(map(math.isfinite, numbers)) or data["std"] <= 0:
        raise damaged("the target scale")
    if not isinstance(data["log"], bool):
        raise damaged("the target scale")
    return TargetScale(data["log"], *map(float, numbers))


def _encoder(column: Column) -> Encoder | None:
    if column.kind == "date":
        return DateEncoder.fit(column)
    if column.values.dtype == object or column.kind == "category":
        return CategoryEncoder.fit(column)
    return NumberEncoder.fit(column)


def _codes(column: Column, classes: list[str]) -> np.ndarray:
    """Class codes (n,) int64, -1 where missing; a class that training did not see raises `DataError` with its name."""
    known = {name: i for i, name in enumerate(classes)}
    own, names = column.codes
    unseen = [name for name in names if name not in known]
    if unseen:
        raise DataError(
            f"the target {column.name!r} has the value {unseen[0]!r}, which is none of the classes "
            f"{', '.join(classes[:8])}{', ...' if len(classes) > 8 else ''}",
            hint="leave these rows out, or train again with rows of that class",
        )
    return np.array([*(known[name] for name in names), -1], dtype=np.int64)[own]


def _class_weights(codes: np.ndarray, n_classes: int) -> np.ndarray | None:
    """Weights with mean 1 over the training rows where a class is rare; None where all are frequent enough.

    The square root goes half of the way: whole weights would make predicted probabilities far too large for rare classes.
    """
    counts = np.bincount(codes[codes >= 0], minlength=n_classes).astype(np.float64)
    if counts.min() == 0 or counts.min() / counts.sum() >= RARE_CLASS / max(1, n_classes - 1):
        return None
    weights = np.sqrt(counts.sum() / counts)
    return weights * counts.sum() / float(weights @ counts)
