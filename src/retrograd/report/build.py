"""From facts, evidence and history to ``report.json``: every metric, interval and verdict, each one re-derivable.

Only this file and `retrograd.report.judgement` turn arrays into numbers; the page shows what they say and computes
nothing.  Sentences in ``report.json`` hold no digits: their numbers stand beside them as leaves of their own, where
a checker can reach them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.metrics import (
    LOWER_IS_BETTER,
    METRICS,
    bootstrap_scores,
    calibration_table,
    compare,
    confusion_matrix,
    expected_calibration_error,
    fit_learning_curve,
    headline,
    interval,
    metrics_for,
    regression_calibration_table,
)
from retrograd.report.judgement import judge_comparison, judge_more_rows, next_steps
from retrograd.report.schema import SPLITS, VERSION, check_schema

Evidence = Mapping[str, np.ndarray]

_COPIED = (
    "name", "task", "target", "data", "decisions", "findings", "model", "training", "cost", "seed", "versions",
    "settings", "threads", "cpu", "command", "next_command", "baselines", "overfitting",
)  # fmt: skip
_LARGEST = 5
_RESAMPLES = 1000
_RESAMPLED_ROWS = 40_000_000


def build_report(
    facts: Mapping[str, Any], evidence: Evidence, history: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The content of ``report.json`` as plain Python values (NaN and infinity become None).

    ``facts`` is ``run.json``, ``evidence`` the arrays of ``evidence.npz``, ``history`` the lines of ``metrics.jsonl``;
    `retrograd.report.schema` describes all three.  Raises `DataError` naming what is missing.
    """
    check_schema(facts, evidence)
    # float32 predictions are exact in float64; sums of them are not exact in float32.
    evidence = {
        name: values.astype(np.float64) if values.dtype.kind == "f" else values
        for name, values in evidence.items()
    }
    kind = facts["task"]["kind"]
    report: dict[str, Any] = {"report_version": VERSION}
    report.update({key: facts[key] for key in _COPIED if key in facts})
    report["split"] = {
        "how": facts["split"]["how"],
        "notes": list(facts["split"]["notes"]),
        "test_source": facts["split"].get("test_source"),
        **{split: len(evidence[f"{split}_rows"]) for split in SPLITS},
    }
    report["target_summary"] = {
        split: _target_summary(facts, evidence[f"{split}_actual"]) for split in SPLITS
    }
    report["history"] = [_numbers(epoch) for epoch in history]
    report["metrics"], report["comparison"] = _metrics(kind, int(facts["seed"]), evidence)
    report["comparison"]["description"] = {
        "baseline": "the mean of the training rows"
        if kind == "regression"
        else "the shares of the classes in the training rows, so always the most common class",
        "linear": "ridge regression" if kind == "regression" else "logistic regression",
        **facts.get("baselines", {}),
    }
    report["calibration"] = _calibration(kind, evidence)
    report["confusion"] = _confusion(facts, evidence)
    report["largest_errors"] = _largest_errors(facts, evidence)
    report["importance"] = _importance(kind, evidence)
    report["learning_curve"] = _learning_curve(
        kind, evidence, report["metrics"]["validation"][headline(kind)]["value"]
    )
    report["next_steps"] = next_steps(report)
    return _plain(report)


def resamples_for(n: int) -> int:
    """1000 resamples, fewer beyond 40,000 rows, where the interval is narrow and its own error does not matter.

    >>> resamples_for(4000), resamples_for(200_000), resamples_for(10**7)
    (1000, 200, 100)
    """
    return max(100, min(_RESAMPLES, _RESAMPLED_ROWS // n))


def _model_output(kind: str, evidence: Evidence, split: str, model: str) -> np.ndarray:
    if model == "network":
        return evidence[f"{split}_prediction" if kind == "regression" else f"{split}_probabilities"]
    return evidence[f"{split}_{model}"]


def _metrics(kind: str, seed: int, evidence: Evidence) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metrics of the network with intervals, and of both baselines with paired differences on the test rows."""
    main = headline(kind)
    metrics: dict[str, Any] = {"headline": main, "level": 0.95, "resamples": {}}
    comparison: dict[str, Any] = {"metric": main}
    for split in SPLITS:
        actual = evidence[f"{split}_actual"]
        names = ("network", "baseline", "linear") if split == "test" else ("network",)
        outputs = {name: _model_output(kind, evidence, split, name) for name in names}
        points = {name: metrics_for(kind, actual, output) for name, output in outputs.items()}
        if split == "train":
            metrics["train"] = {metric: {"value": value} for metric, value in points["network"].items()}
            continue
        resamples = resamples_for(len(actual))
        metrics["resamples"][split] = resamples
        scores = bootstrap_scores(kind, actual, outputs, seed=seed, resamples=resamples)
        tables = {
            name: {
                metric: _with_interval(points[name][metric], scores[name][metric]) for metric in METRICS[kind]
            }
            for name in names
        }
        metrics[split] = tables["network"]
        for name in names[1:]:
            differences = {}
            for metric in METRICS[kind]:
                pair = (points["network"][metric], points[name][metric])
                result = compare(metric, *pair, scores["network"][metric], scores[name][metric])
                differences[metric] = {key: result[key] for key in ("difference", "low", "high", "verdict")}
            comparison[name] = {"metrics": tables[name], "difference": differences}
    comparison.update(judge_comparison(comparison))
    return metrics, comparison


def _with_interval(value: float | None, scores: np.ndarray) -> dict[str, float | None]:
    span = None if value is None else interval(scores)
    low, high = span if span else (None, None)
    return {"value": value, "low": low, "high": high}


def _target_summary(facts: Mapping[str, Any], actual: np.ndarray) -> dict[str, Any]:
    if facts["task"]["kind"] == "regression":
        return {
            "minimum": float(np.min(actual)),
            "median": float(np.median(actual)),
            "mean": float(np.mean(actual)),
            "maximum": float(np.max(actual)),
        }
    counts = np.bincount(actual.astype(np.int64), minlength=len(facts["task"]["classes"]))
    return {"counts": [int(count) for count in counts]}


def _calibration(kind: str, evidence: Evidence) -> dict[str, Any]:
    actual = evidence["test_actual"]
    if kind == "regression":
        return {"kind": "value", "table": regression_calibration_table(actual, evidence["test_prediction"])}
    table = calibration_table(actual, evidence["test_probabilities"])
    return {
        "kind": "class 1" if kind == "binary" else "most probable class",
        "table": table,
        "expected_calibration_error": expected_calibration_error(table),
    }


def _confusion(facts: Mapping[str, Any], evidence: Evidence) -> list[list[int]] | None:
    if facts["task"]["kind"] == "regression":
        return None
    guess = np.argmax(evidence["test_probabilities"], axis=1)
    return confusion_matrix(evidence["test_actual"], guess, len(facts["task"]["classes"])).tolist()


def _largest_errors(facts: Mapping[str, Any], evidence: Evidence) -> list[dict[str, Any]]:
    """The test rows the network got most wrong: by size of error, or by certainty of the wrong class."""
    actual, rows = evidence["test_actual"], evidence["test_rows"]
    if facts["task"]["kind"] == "regression":
        error = evidence["test_prediction"] - actual
        order = np.argsort(-np.abs(error), kind="stable")[:_LARGEST]
        return [
            {
                "row": int(rows[i]),
                "actual": float(actual[i]),
                "prediction": float(evidence["test_prediction"][i]),
                "error": float(error[i]),
            }
            for i in order
        ]
    share = evidence["test_probabilities"]
    guess = np.argmax(share, axis=1)
    wrong = np.flatnonzero(guess != actual)
    order = wrong[np.argsort(-share[wrong, guess[wrong]], kind="stable")][:_LARGEST]
    names = facts["task"]["classes"]
    return [
        {
            "row": int(rows[i]),
            "actual": str(names[int(actual[i])]),
            "prediction": str(names[int(guess[i])]),
            "probability": float(share[i, guess[i]]),
        }
        for i in order
    ]


def _importance(kind: str, evidence: Evidence) -> dict[str, Any] | None:
    """How much worse the headline metric gets with each column shuffled: mean, least and most over the repeats."""
    if "importance_columns" not in evidence:
        return None
    base = float(evidence["importance_base"])
    sign = 1 if headline(kind) in LOWER_IS_BETTER else -1
    worse = sign * (evidence["importance_scores"] - base)
    order = np.argsort(-worse.mean(axis=1), kind="stable")
    return {
        "metric": headline(kind),
        "rows": len(evidence["importance_rows"]),
        "repeats": worse.shape[1],
        "base": base,
        "columns": [
            {
                "name": str(evidence["importance_columns"][i]),
                "mean": float(worse[i].mean()),
                "low": float(worse[i].min()),
                "high": float(worse[i].max()),
            }
            for i in order
        ],
    }


def _learning_curve(kind: str, evidence: Evidence, present: float | None) -> dict[str, Any] | None:
    """The measured points, the fitted law, and what twice the rows would give."""
    if "curve_rows" not in evidence:
        return None
    n = evidence["curve_rows"]
    scores = np.asarray(evidence["curve_scores"], dtype=np.float64).reshape(len(n), -1)
    curve = fit_learning_curve(n, scores)
    now = len(evidence["train_rows"])

    def at(rows: int) -> dict[str, Any]:
        value, low, high = curve.predict(rows)
        return {"rows": rows, "value": value, "low": low, "high": high}

    gain = dict(zip(("value", "low", "high"), curve.difference(now, 2 * now)))
    result = {
        "metric": headline(kind),
        "points": [
            {"rows": int(rows), "mean": float(row.mean()), "low": float(row.min()), "high": float(row.max())}
            for rows, row in zip(n, scores)
        ],
        "a": curve.a,
        "b": curve.b,
        "c": curve.c,
        "now": at(now),
        "double": at(2 * now),
        "change": gain,
    }
    return {**result, **judge_more_rows(result, present)}


def _numbers(epoch: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in epoch.items() if isinstance(value, (int, float)) and value is not True
    }


def _plain(value: Any) -> Any:
    """Only dict, list, str, int, float, bool and None; NaN and infinity become None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
