"""What a run folder must hold so that its report can be built and every number of it re-derived.

`train/` writes four plain files; `retrograd.report.write_report(run)` reads them and writes ``report.json`` and
``report.html``::

    run.json         the *facts*: what was asked, decided, counted and timed (:class:`Facts`)
    metrics.jsonl    the *history*: one JSON object per epoch (:class:`Epoch`)
    evidence.npz     the *evidence*: plain arrays, ``allow_pickle=False`` (names below)
    predictions.csv  test rows: ``row,actual,prediction[,probability_<class>...]``

No metric, interval or verdict is written by `train/`: they are computed from the evidence by `build_report`, and a
second time, independently, by ``tests/report/check_numbers.py``.

Evidence arrays
---------------
``n`` is the number of rows of the split, ``K`` the number of classes.  *Values* are float64 in the target's own units
(dollars) for regression, and int64 class codes ``0..K-1`` (index into ``facts["task"]["classes"]``) otherwise.

for each SPLIT of ``train``, ``validation``, ``test`` (all three required, every row of the split):

==========================  =================  ==================================================================
``SPLIT_rows``              int64 (n,)         row number in the data file, counted from 0
``SPLIT_actual``            (n,) values        the true target
``SPLIT_prediction``        (n,) values        the network's prediction; for classes the most probable class
``SPLIT_probabilities``     float64 (n, K)     classification only; rows add up to 1
``SPLIT_baseline``          (n,) or (n, K)     `fit_simple_baseline`: values, or probabilities; not for ``train``
``SPLIT_linear``            (n,) or (n, K)     `fit_linear_baseline`: values, or probabilities; not for ``train``
==========================  =================  ==================================================================

``test_rows`` counts rows of the test file where an own one was given (``facts["split"]["test_source"]`` names it).

optional, each group wholly present or wholly absent:

==========================  =================  ==================================================================
``importance_columns``      str (c,)           original input columns, in the order of the table
``importance_rows``         int64 (m,)         the test rows used (a subset of ``test_rows``, in any order)
``importance_base``         float64 ()         headline metric on those rows, nothing shuffled
``importance_scores``       float64 (c, r)     headline metric with column i shuffled, repeat j
``curve_rows``              int64 (k,)         training rows used, k >= 4, increasing
``curve_scores``            float64 (k, r)     headline metric on the validation rows after training on that many
==========================  =================  ==================================================================

The *headline metric* is ``rmse`` for regression and ``log_loss`` for classification (`retrograd.metrics.headline`).
`retrograd.metrics.permutation_importance` returns its arrays under exactly these names.

A report can be built when ``run.json`` has the required keys of :class:`Facts`; anything left out is left out of the
report.  Numbers may be int or float; NaN and infinity are written as null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np

from retrograd.errors import DataError

SPLITS = ("train", "validation", "test")
VERSION = 1


class TaskFacts(TypedDict):
    """``kind`` is "regression", "binary" or "multiclass"; ``classes`` names the codes 0..K-1 (None for regression)."""

    kind: str
    reason: str
    classes: Sequence[str] | None


class TargetFacts(TypedDict):
    """The column to predict, why it was taken, and the unit its numbers are shown in ("$" goes in front)."""

    name: str
    reason: str
    unit: NotRequired[str | None]


class ColumnFacts(TypedDict):
    """One column of the data as read; the statistics are over all rows and are for the reader, not for the network.

    ``use`` is "input", "target" or "left out".  Numbers (and dates, as text) have minimum .. maximum; categories have
    ``n_distinct``, ``most_common`` and ``most_common_count``.
    """

    name: str
    kind: str
    use: str
    reason: str
    n_missing: int
    n_distinct: NotRequired[int | None]
    minimum: NotRequired[float | str | None]
    median: NotRequired[float | str | None]
    mean: NotRequired[float | None]
    maximum: NotRequired[float | str | None]
    most_common: NotRequired[str | None]
    most_common_count: NotRequired[int | None]


class DataFacts(TypedDict):
    """The table as read: where from, how many rows, which were dropped (in ``notes``), and its columns."""

    source: str
    fingerprint: str
    n_rows: int
    notes: Sequence[str]
    columns: Sequence[ColumnFacts]


class SplitFacts(TypedDict):
    """How rows were divided, in words; the counts come from the evidence."""

    how: str
    notes: Sequence[str]
    test_source: NotRequired[str | None]


class Decision(TypedDict):
    """One decision: ``what`` ("hidden layers"), ``choice`` ("256, 256"), ``why``, and who took it.

    ``by`` is "you" (given on the command line) or "retrograd".
    """

    what: str
    choice: str
    why: str
    by: NotRequired[str]


class FindingFacts(TypedDict):
    """What `retrograd.data.examine` found; ``severity`` is "note", "warning" or "problem"."""

    code: str
    severity: str
    message: str
    columns: Sequence[str]
    rows: Sequence[int]
    hint: str


class ModelFacts(TypedDict):
    """The network in one line and its size; ``operations_per_row`` are multiply-adds of one forward pass."""

    description: str
    parameters: int
    operations_per_row: NotRequired[int | None]


class CostFacts(TypedDict, total=False):
    """Resources, estimated before the start or measured after the end."""

    seconds: float | None
    epochs: int | None
    memory_bytes: int | None
    operations: float | None
    rows_per_second: float | None


class CostPair(TypedDict):
    """What was said before training, and what it turned out to be."""

    estimate: CostFacts
    actual: CostFacts


class TrainingFacts(TypedDict):
    """When training stopped and why, in words; ``best_epoch`` is the epoch (from 1) whose weights were kept."""

    epochs: int
    best_epoch: int
    stopped_because: str
    seconds: NotRequired[float | None]


class OverfittingFacts(TypedDict):
    """The verdict of `train.overfitting`: "overfitting", "none" or "unknown", and the sentence that explains it."""

    verdict: str
    sentence: str


class BaselineFacts(TypedDict, total=False):
    """Words about the two baselines, e.g. "ridge regression, penalty 0.01 chosen on validation rows"."""

    baseline: str
    linear: str


class Facts(TypedDict):
    """The content of ``run.json``.  Further keys are allowed and ignored by the report."""

    name: str
    task: TaskFacts
    target: TargetFacts
    data: DataFacts
    split: SplitFacts
    decisions: Sequence[Decision]
    findings: Sequence[FindingFacts]
    model: ModelFacts
    training: TrainingFacts
    cost: CostPair
    seed: int
    versions: Mapping[str, str]
    baselines: NotRequired[BaselineFacts]
    overfitting: NotRequired[OverfittingFacts]
    settings: NotRequired[Mapping[str, Any]]
    threads: NotRequired[int | None]
    cpu: NotRequired[str | None]
    command: NotRequired[str | None]
    next_command: NotRequired[str | None]


class Epoch(TypedDict):
    """One line of ``metrics.jsonl``; every further numeric key is kept in the report's history."""

    epoch: int
    train_loss: float
    validation_loss: float


# Written out, because annotations are text here and TypedDict cannot see NotRequired in text.
_KEYS = (
    "name", "task", "target", "data", "split", "decisions", "findings", "model", "training", "cost", "seed", "versions",
)  # fmt: skip
_REQUIRED: dict[str, tuple[str, ...]] = {
    "task": ("kind", "reason", "classes"),
    "target": ("name", "reason"),
    "data": ("source", "fingerprint", "n_rows", "notes", "columns"),
    "split": ("how", "notes"),
    "model": ("description", "parameters"),
    "training": ("epochs", "best_epoch", "stopped_because"),
    "cost": ("estimate", "actual"),
}
_GROUPS = (
    ("importance_columns", "importance_rows", "importance_base", "importance_scores"),
    ("curve_rows", "curve_scores"),
)


def check_schema(facts: Mapping[str, Any], evidence: Mapping[str, np.ndarray]) -> None:
    """Raise `DataError` naming the first key or array that is missing or has the wrong shape."""
    for key in _KEYS:
        if key not in facts:
            raise DataError(f"run.json has no {key!r}", hint="see retrograd.report.schema.Facts")
    for key, parts in _REQUIRED.items():
        for part in parts:
            if part not in facts[key]:
                raise DataError(
                    f"run.json: {key!r} has no {part!r}", hint="see retrograd.report.schema.Facts"
                )
    kind = facts["task"]["kind"]
    if kind not in ("regression", "binary", "multiclass"):
        raise DataError(f"run.json: unknown task kind {kind!r}", hint="regression, binary or multiclass")
    classes = None if kind == "regression" else len(facts["task"]["classes"])
    for split in SPLITS:
        _check_split(split, classes, evidence)
    for group in _GROUPS:
        present = [name for name in group if name in evidence]
        if present and len(present) < len(group):
            missing = [name for name in group if name not in evidence]
            raise DataError(
                f"evidence.npz has {present[0]} but not {missing[0]}", hint=f"write all of {group}"
            )


def _check_split(split: str, classes: int | None, evidence: Mapping[str, np.ndarray]) -> None:
    names = ["rows", "actual", "prediction"]
    if classes is not None:
        names.append("probabilities")
    if split != "train":
        names += ["baseline", "linear"]
    for name in names:
        full = f"{split}_{name}"
        if full not in evidence:
            raise DataError(
                f"evidence.npz has no {full!r}", hint="see retrograd.report.schema, Evidence arrays"
            )
        n = len(evidence[f"{split}_rows"])
        wide = classes is not None and name in ("probabilities", "baseline", "linear")
        expected = (n, classes) if wide else (n,)
        if evidence[full].shape != expected:
            raise DataError(
                f"evidence.npz: {full} has shape {evidence[full].shape}, expected {expected}",
                hint="one entry per row of the split, one column per class",
            )
