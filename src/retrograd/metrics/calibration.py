"""Whether a stated probability comes true as often as it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from retrograd.errors import DataError
from retrograd.metrics.classification import check_probabilities
from retrograd.metrics.regression import check_values


class CalibrationBin(TypedDict):
    """Rows whose probability lies in [low, high): what was said on average, and the share that came true.

    ``observed_low`` and ``observed_high`` are the 95 % interval of that share.  An empty bin has ``n`` 0 and None.
    """

    low: float
    high: float
    n: int
    mean_probability: float | None
    observed: float | None
    observed_low: float | None
    observed_high: float | None


class GroupBin(TypedDict):
    """One group of rows of like prediction: how many, and their mean predicted and mean true value."""

    n: int
    mean_predicted: float
    mean_actual: float


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927); sensible also for 0 of n and n of n.

    >>> [round(end, 3) for end in wilson_interval(0, 10)]
    [0.0, 0.278]
    """
    z = 1.959963984540054
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))) / (1 + z * z / n)
    return (0.0 if successes == 0 else middle - half), (1.0 if successes == n else middle + half)


def calibration_table(
    actual_codes: ArrayLike, probabilities: ArrayLike, *, bins: int = 10
) -> list[CalibrationBin]:
    """Stated probability against observed share, in equal bins of [0, 1].

    For two classes: the probability of class 1, and how often the row is of class 1.  For more: the probability of the
    most probable class, and how often that is right.

    >>> [entry["n"] for entry in calibration_table([0, 1], [[0.95, 0.05], [0.35, 0.65]])]
    [1, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    """
    codes, share = check_probabilities(actual_codes, probabilities)
    if share.shape[1] == 2:
        said, came_true = share[:, 1], codes == 1
    else:
        guess = np.argmax(share, axis=1)
        said, came_true = share[np.arange(len(codes)), guess], codes == guess
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    table: list[CalibrationBin] = []
    for b in range(bins):
        inside = place == b
        n = int(inside.sum())
        entry = CalibrationBin(
            low=b / bins, high=(b + 1) / bins, n=n,
            mean_probability=None, observed=None, observed_low=None, observed_high=None,
        )  # fmt: skip
        if n:
            hits = int(came_true[inside].sum())
            entry["mean_probability"] = float(np.mean(said[inside]))
            entry["observed"] = hits / n
            entry["observed_low"], entry["observed_high"] = wilson_interval(hits, n)
        table.append(entry)
    return table


def expected_calibration_error(table: Sequence[CalibrationBin]) -> float:
    """Mean distance of stated and observed share, each bin weighted by its rows (Naeini and others, 2015).

    ECE = sum_b n_b / n |observed_b - mean probability_b|

    >>> expected_calibration_error(calibration_table([1, 1], [[0.5, 0.5], [0.5, 0.5]]))
    0.5
    """
    n = sum(entry["n"] for entry in table)
    if n == 0:
        raise DataError("a calibration table of no rows", hint="give at least one row")
    gap = 0.0
    for entry in table:
        if entry["observed"] is not None and entry["mean_probability"] is not None:
            gap += entry["n"] / n * abs(entry["observed"] - entry["mean_probability"])
    return gap


def regression_calibration_table(
    actual: ArrayLike, predicted: ArrayLike, *, bins: int = 10
) -> list[GroupBin]:
    """Rows sorted by prediction in ``bins`` groups of near equal size: mean prediction against mean truth.

    A model that is right on average at every level has both equal in each group.

    >>> [(g["n"], g["mean_actual"]) for g in regression_calibration_table([1., 2., 3., 4.], [1., 2., 3., 4.], bins=2)]
    [(2, 1.5), (2, 3.5)]
    """
    true, guess = check_values(actual, predicted)
    order = np.argsort(guess, kind="stable")
    groups = np.array_split(order, min(bins, len(order)))
    return [
        GroupBin(
            n=len(group), mean_predicted=float(guess[group].mean()), mean_actual=float(true[group].mean())
        )
        for group in groups
    ]
