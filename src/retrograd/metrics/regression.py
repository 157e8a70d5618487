"""How far predicted numbers are from true ones, in the target's own units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrograd.errors import DataError


def check_values(actual: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as finite float64 vectors of one length >= 1, or `DataError`."""
    true = np.asarray(actual, dtype=np.float64)
    guess = np.asarray(predicted, dtype=np.float64)
    if true.ndim != 1 or true.shape != guess.shape:
        raise DataError(
            f"actual has shape {true.shape} and predicted {guess.shape}; both must be vectors of one length",
            hint="predicted.reshape(-1)",
        )
    if true.size == 0:
        raise DataError("a metric of no rows is not defined", hint="give at least one row")
    if not (np.isfinite(true).all() and np.isfinite(guess).all()):
        where = "actual" if not np.isfinite(true).all() else "predicted"
        raise DataError(f"{where} holds NaN or infinity", hint=f"keep = numpy.isfinite({where})")
    return true, guess


def regression_metrics(actual: ArrayLike, predicted: ArrayLike) -> dict[str, float | None]:
    """Root mean squared error, mean and median absolute error (units of the target), and R squared.

    rmse = sqrt(mean (y - p)^2),  mae = mean |y - p|,  r2 = 1 - sum (y - p)^2 / sum (y - mean y)^2

    Both arguments have shape (n,).  ``r2`` is None where every true value is the same: there is nothing to explain.
    Raises `DataError` on no rows, unequal shapes, NaN or infinity.

    >>> regression_metrics([1.0, 2.0, 6.0], [1.0, 3.0, 4.0])
    {'rmse': 1.29..., 'mae': 1.0, 'r2': 0.64..., 'median_absolute_error': 1.0}
    """
    true, guess = check_values(actual, predicted)
    error = guess - true
    squared = float(np.mean(error * error))
    spread = float(np.mean((true - true.mean()) ** 2))
    return {
        "rmse": float(np.sqrt(squared)),
        "mae": float(np.mean(np.abs(error))),
        "r2": None if np.all(true == true[0]) else 1.0 - squared / spread,
        "median_absolute_error": float(np.median(np.abs(error))),
    }
