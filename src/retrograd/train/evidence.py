"""The evidence of a run: every prediction that a number of the report rests on, as plain arrays.

The test rows are prepared and predicted here for the first time, after everything was decided.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from retrograd.metrics import (
    fit_linear_baseline,
    fit_simple_baseline,
    headline,
    metrics_for,
    permutation_importance,
)
from retrograd.train.outputs import Outputs, predict
from retrograd.train.overfitting import row_losses
from retrograd.train.predict import decode_outputs
from retrograd.train.problem import Part, Problem
from retrograd.train.programs import NEVER, Policy

_IMPORTANCE_ROWS = 1500
_IMPORTANCE_REPEATS = 3
_LINEAR_CATEGORIES = 100  # one-hot columns of one category column; rarer categories share the zero


def output_range(problem: Problem) -> list[float] | None:
    """Scaled training targets from least to largest, half as much again on both sides; None for classes."""
    if problem.task.kind != "regression":
        return None
    low, high = float(problem.part("train").target.min()), float(problem.part("train").target.max())
    margin = 0.5 * (high - low)
    return [low - margin, high + margin]


def network_scores(problem: Problem, model: Any, part: Part) -> np.ndarray:
    """Values (n,) in the target's units or probabilities (n, K) of the network."""
    outputs = predict(model, part.inputs)
    return decode_outputs(outputs, problem.preparation, problem.task.kind, output_range(problem))


def row_losses_of(task_kind: str, outputs: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Loss of each row from the network's outputs and the encoded target: squared error, or -log of the probability."""
    if task_kind == "regression":
        return row_losses(task_kind, target, outputs[:, 0])
    odds = np.exp(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True))
    return row_losses(task_kind, target, odds / odds.sum(axis=1, keepdims=True))


def prediction_evidence(problem: Problem, model: Any) -> dict[str, np.ndarray]:
    """The arrays ``SPLIT_rows``, ``_actual``, ``_prediction`` and ``_probabilities`` of all three splits."""
    arrays: dict[str, np.ndarray] = {}
    for split in ("train", "validation", "test"):
        part = problem.part(split)
        scores = network_scores(problem, model, part)
        arrays[f"{split}_rows"] = part.rows.astype(np.int64)
        arrays[f"{split}_actual"] = part.actual
        if problem.task.kind == "regression":
            arrays[f"{split}_prediction"] = scores
        else:
            arrays[f"{split}_prediction"] = scores.argmax(axis=1).astype(np.int64)
            arrays[f"{split}_probabilities"] = scores
    return arrays


def baseline_evidence(problem: Problem) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays ``SPLIT_baseline`` and ``SPLIT_linear`` of validation and test rows, and words about both models.

    A regression line is fitted to the target as it is and as the network sees it (scaled, maybe its logarithm); the one
    that is better on the validation rows, in the target's own units, is the baseline: the network shall not win
    because its rival was handicapped.
    """
    kind, classes = problem.task.kind, problem.n_classes or None
    train, validation, test = (problem.part(name) for name in ("train", "validation", "test"))
    simple = fit_simple_baseline(kind, train.actual, n_classes=classes)
    kept = frequent_categories(train.inputs[1], problem.preparation.category_sizes)
    design = [linear_inputs(part, kept) for part in (train, validation, test)]
    line = fit_linear_baseline(kind, design[0], train.actual, design[1], validation.actual, n_classes=classes)
    predictions = [line.predict(inputs) for inputs in design[1:]]
    words = line.description
    if kind == "regression":
        scaled = fit_linear_baseline(kind, design[0], train.target, design[1], validation.target)
        limits = output_range(problem)
        assert limits is not None
        other = [
            np.asarray(
                problem.preparation.decode_target(np.clip(scaled.predict(inputs), limits[0], limits[1])),
                dtype=np.float64,
            )
            for inputs in design[1:]
        ]
        errors = [metrics_for(kind, validation.actual, each[0])["rmse"] for each in (predictions, other)]
        if (errors[1] or np.inf) < (errors[0] or np.inf):
            predictions, words = other, f"{scaled.description}, of the target as the network sees it"
    arrays = {
        "validation_baseline": simple.predict(len(validation)),
        "test_baseline": simple.predict(len(test)),
        "validation_linear": predictions[0],
        "test_linear": predictions[1],
    }
    return arrays, {"baseline": simple.description, "linear": words}


def frequent_categories(codes: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """For each category column the codes that get a one-hot column of their own: the most frequent ones."""
    return [
        np.argsort(-np.bincount(codes[:, i], minlength=size), kind="stable")[:_LINEAR_CATEGORIES]
        for i, size in enumerate(sizes)
    ]


def linear_inputs(part: Part, kept: list[np.ndarray]) -> np.ndarray:
    """Numbers and one-hot categories side by side: what a linear model sees, (n, d) float64."""
    numbers, codes = part.inputs
    blocks = [numbers.astype(np.float64)]
    blocks += [(codes[:, i, None] == chosen[None, :]).astype(np.float64) for i, chosen in enumerate(kept)]
    return np.concatenate(blocks, axis=1)


def importance_evidence(
    problem: Problem, model: Any, *, seed: int, policy: Policy = NEVER
) -> dict[str, np.ndarray]:
    """What shuffling each original column costs on the test rows (1500 of them at most); see `retrograd.metrics`."""
    part = problem.part("test")
    table = problem.table if problem.test_table is None else problem.test_table
    chosen = np.arange(len(part))
    if len(chosen) > _IMPORTANCE_ROWS:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(chosen))[:_IMPORTANCE_ROWS])
    sample = table.select(problem.split.test[chosen])
    limits = output_range(problem)
    names = problem.preparation.input_names
    positions = {name: np.arange(len(chosen)) for name in names}  # they stand for the columns' values
    predict = Outputs(model, policy, often={len(chosen): 1 + _IMPORTANCE_REPEATS * len(names)})

    def scores(order: dict[str, np.ndarray]) -> np.ndarray:
        moved = {name: rows for name, rows in order.items() if rows is not positions[name]}
        prepared = problem.preparation.transform(sample.permuted(moved))
        outputs = predict((prepared.numbers, prepared.categories))
        return decode_outputs(outputs, problem.preparation, problem.task.kind, limits)

    return permutation_importance(
        scores,
        positions,
        part.actual[chosen],
        task_kind=problem.task.kind,
        seed=seed,
        repeats=_IMPORTANCE_REPEATS,
        metric=headline(problem.task.kind),
        rows=part.rows[chosen],
    )


def predictions_csv(problem: Problem, arrays: dict[str, np.ndarray]) -> bytes:
    """The test rows: ``row,actual,prediction`` and for classes ``probability_<class>`` each; classes by name."""
    classes = problem.task.classes
    header = ["row", "actual", "prediction"] + [f"probability_{name}" for name in classes or []]
    actual, prediction = arrays["test_actual"].tolist(), arrays["test_prediction"].tolist()
    if classes:
        actual, prediction = [classes[code] for code in actual], [classes[code] for code in prediction]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    probabilities = arrays.get("test_probabilities")
    for i, row in enumerate(arrays["test_rows"].tolist()):
        extra = probabilities[i].tolist() if probabilities is not None else []
        writer.writerow([row, actual[i], prediction[i], *extra])
    return text.getvalue().encode("utf-8")
