"""Which input columns a model leans on: how much worse it gets when one column is shuffled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrograd.errors import DataError
from retrograd.metrics.bootstrap import headline, metrics_for


def permutation_importance(
    predict: Callable[[dict[str, NDArray[Any]]], ArrayLike],
    columns: Mapping[str, ArrayLike],
    actual: ArrayLike,
    *,
    task_kind: str,
    seed: int,
    repeats: int = 5,
    metric: str | None = None,
    rows: ArrayLike | None = None,
) -> dict[str, NDArray[Any]]:
    """Score the model with each ORIGINAL input column shuffled in turn (Breiman, 2001; Fisher and others, 2019).

    ``predict(columns)`` takes the columns by name, each (n,), and gives values (n,) or probabilities (n, K).  A column
    is shuffled before preparation, so all features made from it move together.  The result has the names that
    ``evidence.npz`` uses: ``importance_columns`` (c,), ``importance_rows`` (n,), ``importance_base`` () and
    ``importance_scores`` (c, repeats).  What a column is worth is the score minus the base, for metrics where less is
    better.  Columns that say the same thing share their worth; importance is not cause.

    >>> data = {"x": np.arange(50.0), "noise": np.arange(50.0) % 7}
    >>> out = permutation_importance(lambda c: c["x"], data, data["x"], task_kind="regression", seed=0)
    >>> (out["importance_scores"].mean(axis=1) > out["importance_base"]).tolist()
    [True, False]
    """
    metric = metric or headline(task_kind)
    table = {name: np.asarray(values) for name, values in columns.items()}
    n = len(np.asarray(actual))
    for name, values in table.items():
        if len(values) != n:
            raise DataError(
                f"column {name!r} has {len(values)} rows, the target {n}", hint="select the same rows"
            )
    if repeats < 1:
        raise DataError(f"repeats is {repeats}", hint="repeats=5")

    def score(given: dict[str, NDArray[Any]]) -> float:
        value = metrics_for(task_kind, actual, predict(given))[metric]
        return float("nan") if value is None else value

    scores = np.empty((len(table), repeats))
    for index, (name, values) in enumerate(table.items()):
        for repeat in range(repeats):
            # Each shuffle has its own stream: the answer for one column does not depend on which others are there.
            generator = np.random.Generator(np.random.PCG64([seed, index, repeat]))
            scores[index, repeat] = score({**table, name: values[generator.permutation(n)]})
    return {
        "importance_columns": np.array(list(table), dtype=np.str_),
        "importance_rows": np.arange(n) if rows is None else np.asarray(rows, dtype=np.int64),
        "importance_base": np.asarray(score(table)),
        "importance_scores": scores,
    }
