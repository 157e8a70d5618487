"""On real tables: a suggested rate beside a full sweep, and what more rows and worse labels do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrograd.metrics import headline, metrics_for
from retrograd.train import Trainer, range_test
from retrograd.train import evidence as ev
from retrograd.train.learning_curve import learning_curve
from retrograd.train.options import Options
from retrograd.train.problem import Problem, read_problem
from retrograd.train.recipe import build_trainer, choose_recipe

TABLES = {
    "wine": ("wine-quality/winequality-white.csv", "c12", {"header": False}),
    "titanic": ("titanic/titanic.csv", "survived", {}),
    "breast cancer": ("breast-cancer-wdbc/wdbc.data", "c2", {"header": False}),
    "california": ("california-housing/housing.csv", "median_house_value", {}),
    "abalone": ("abalone/abalone.csv", "c9", {"header": False}),
}
FACTOR = 1.25
"""Stated before the first run: the suggested rate's final loss is at most this times the best of the sweep.

Final means: at the end of a run as runs are made here, with the best epoch kept.  Two other measures say nothing on breast
cancer, whose classes can be separated: the loss on training rows there goes to nought (0.003 was compared with 0.0001), and
after a fixed number of updates without early stopping every fast rate has overfitted.  The first rule for the suggestion, a
fifteenth of the rate with the least loss, missed the factor on that table (1.31); the rule was changed, the factor not.
"""


def problem(data_dir: Path, name: str) -> Problem:
    path, target, options = TABLES[name]
    return read_problem(data_dir / path, target, **{**Options().reading(), **options})


def trainer_for(
    task: Problem, rate: float, rows: np.ndarray | None = None, seed: int = 0, **options: Any
) -> Trainer:
    """A small network of one kind for every table, so that the rates can be compared."""
    train = task.part("train")
    recipe, _ = choose_recipe(
        len(train), train.inputs[0].shape[1], task.task.kind, hidden=(32,), batch_size=64
    )
    recipe = dataclasses.replace(recipe, **options)
    numbers = train.inputs[0] if rows is None else train.inputs[0][rows]
    return build_trainer(
        recipe, numbers, task.preparation.category_sizes, task.task.kind,
        classes=task.n_classes, seed=seed, lr=rate, schedule=False,
    )  # fmt: skip


@pytest.mark.row("REM-07")
@pytest.mark.slow
@pytest.mark.parametrize("name", list(TABLES))
def test_the_suggested_rate_is_near_the_best_of_a_full_sweep(data_dir: Path, name: str) -> None:
    task = problem(data_dir, name)
    train = task.part("train")
    chosen = np.arange(min(len(train), 4000))
    inputs = tuple(array[chosen] for array in train.inputs)
    target = train.target[chosen]
    suggestion = range_test(lambda rate: trainer_for(task, rate), inputs, target).suggestion
    validation = task.part("validation")

    def final_loss(rate: float) -> float:
        trainer = trainer_for(task, rate)
        epochs = max(2, 300 * 64 // len(target))
        return trainer.fit(
            inputs, target, validation=(validation.inputs, validation.target), epochs=epochs
        ).best_loss

    sweep = {float(rate): final_loss(float(rate)) for rate in np.geomspace(1e-5, 10.0, 13)}
    best = min(sweep.values())
    assert final_loss(suggestion) <= FACTOR * best
    # controls: the sweep is a real choice, its ends are far worse
    assert sweep[min(sweep)] > FACTOR * best
    assert sweep[max(sweep)] > FACTOR * best


@pytest.mark.row("REM-08", "PRB-11")
@pytest.mark.slow
def test_a_curve_from_up_to_half_of_the_rows_foretells_the_score_with_all(data_dir: Path) -> None:
    task = problem(data_dir, "california")
    train, validation = task.part("train"), task.part("validation")
    limits = ev.output_range(task)

    def score(rows: np.ndarray, seed: int) -> float:
        trainer = trainer_for(task, 3e-3, rows, seed, epochs=12)
        trainer.fit(
            tuple(array[rows] for array in train.inputs),
            train.target[rows],
            validation=(validation.inputs, validation.target),
            epochs=12
            * len(train)
            // (4 * len(rows)),  # updates, not epochs, are what the parts have in common
        )
        values = ev.decode_outputs(
            trainer.predict(validation.inputs), task.preparation, task.task.kind, limits
        )
        return float(
            metrics_for(task.task.kind, validation.actual, values)[headline(task.task.kind)] or np.nan
        )

    points = learning_curve(score, len(train), fractions=(0.1, 0.2, 0.3, 0.4, 0.5), repeats=2, fewest=50)
    assert points.scores[0].mean() > points.scores[-1].mean()  # more rows, smaller error in dollars
    _, low, high = points.fit().predict(len(train))
    with_all = score(np.arange(len(train)), 5)
    assert low <= with_all <= high
    assert high - low < 0.5 * with_all  # the interval says something


@pytest.mark.row("PRB-11")
@pytest.mark.slow
def test_wrong_labels_cost_accuracy_the_more_the_more_there_are(data_dir: Path) -> None:
    task = problem(data_dir, "breast cancer")
    train, validation, test = (task.part(name) for name in ("train", "validation", "test"))
    accuracy = []
    for share in (0.0, 0.2, 0.45):
        right = []
        for seed in range(5):
            rng = np.random.default_rng(seed)
            noisy = [
                np.where(rng.random(len(part)) < share, 1 - part.target, part.target)
                for part in (train, validation)
            ]
            trainer = trainer_for(task, 2e-3, seed=seed)
            trainer.fit(train.inputs, noisy[0], validation=(validation.inputs, noisy[1]), epochs=40)
            right.append(np.mean(trainer.predict(test.inputs).argmax(1) == test.actual))
        accuracy.append(float(np.mean(right)))
    assert accuracy[0] > 0.94
    assert accuracy[0] > accuracy[1] > accuracy[2]
    assert accuracy[2] < 0.8
