"""The learning curve: train on parts of the rows, see how the score falls, and say what more rows would give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from retrograd.errors import UsageError
from retrograd.metrics import LearningCurve, fit_learning_curve

FRACTIONS = (0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class CurvePoints:
    """Rows trained on (k,), scores (k, repeats) on the validation rows (lower is better)."""

    rows: np.ndarray
    scores: np.ndarray

    def fit(self) -> LearningCurve:
        """The power law through the points; see `retrograd.metrics.fit_learning_curve`."""
        return fit_learning_curve(self.rows, self.scores)


def learning_curve(
    train: Callable[[np.ndarray, int], float],
    rows: int,
    *,
    fractions: Sequence[float] = FRACTIONS,
    repeats: int = 1,
    seed: int = 0,
    fewest: int = 20,
) -> CurvePoints:
    """Scores of ``train(part, seed)`` on growing random parts (row numbers below ``rows``) of the training rows.

    Every repeat has its own order of the rows; within a repeat a larger part holds the smaller ones.

    >>> points = learning_curve(lambda part, seed: 1 + 5 / len(part) ** 0.5, 1000)
    >>> points.rows.tolist(), points.scores.shape
    ([100, 200, 300, 500], (4, 1))
    >>> value, low, high = points.fit().predict(1000)
    >>> bool(low <= 1 + 5 / 1000 ** 0.5 <= high)
    True
    """
    sizes = np.unique([max(min(fewest, rows), round(fraction * rows)) for fraction in fractions])
    if len(sizes) < 3:
        raise UsageError(
            f"{rows} rows are too few for a learning curve", hint="it needs parts of three sizes"
        )
    scores = np.empty((len(sizes), repeats))
    for repeat in range(repeats):
        order = np.random.default_rng([seed, repeat]).permutation(rows)
        for i, size in enumerate(sizes):
            scores[i, repeat] = train(np.sort(order[:size]), seed + 1000 * repeat)
    return CurvePoints(sizes.astype(np.int64), scores)
