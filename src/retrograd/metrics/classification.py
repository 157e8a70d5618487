"""How good class probabilities are: shares of right answers, ranking, and the price of being sure and wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrograd.errors import DataError

SMALLEST = float(np.finfo(np.float64).eps)
"""Probabilities are clipped to this before their logarithm is taken, as scikit-learn does."""


def check_probabilities(
    actual: ArrayLike, probabilities: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Codes (n,) in 0..K-1 and rows (n, K) that add up to 1 within 0.001, or `DataError`."""
    codes = np.asarray(actual)
    share = np.asarray(probabilities, dtype=np.float64)
    if codes.ndim != 1 or share.ndim != 2 or len(codes) != len(share):
        raise DataError(
            f"actual codes have shape {codes.shape} and probabilities {share.shape}; expected (n,) and (n, K)",
            hint="one row of K probabilities for each true code",
        )
    if codes.size == 0:
        raise DataError("a metric of no rows is not defined", hint="give at least one row")
    if not np.issubdtype(codes.dtype, np.integer) and not np.array_equal(codes, np.floor(codes)):
        raise DataError(
            "actual codes are not whole numbers", hint="give codes 0..K-1, not class names or values"
        )
    codes = codes.astype(np.int64)
    if codes.min() < 0 or codes.max() >= share.shape[1]:
        bad = codes.min() if codes.min() < 0 else codes.max()
        raise DataError(
            f"class code {bad} with {share.shape[1]} columns of probabilities", hint="codes are 0..K-1"
        )
    total = share.sum(axis=1)
    if not np.isfinite(total).all() or (share < 0).any() or (np.abs(total - 1) > 1e-3).any():
        row = int(np.argmax(~np.isfinite(total) | (share < 0).any(axis=1) | (np.abs(total - 1) > 1e-3)))
        raise DataError(
            f"row {row} is no distribution: its probabilities add up to {total[row]:.6g}", hint="softmax"
        )
    return codes, share


def confusion_matrix(actual: ArrayLike, predicted: ArrayLike, n_classes: int) -> NDArray[np.int64]:
    """Counts (K, K): row = true class, column = predicted class.

    >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    true = np.asarray(actual, dtype=np.int64)
    guess = np.asarray(predicted, dtype=np.int64)
    return np.bincount(true * n_classes + guess, minlength=n_classes * n_classes).reshape(
        n_classes, n_classes
    )


def roc_auc(positive: ArrayLike, score: ArrayLike) -> float | None:
    """Chance that a random positive row scores above a random negative one, ties counting one half.

    AUC = sum over pairs [s+ > s-] + [s+ = s-] / 2, divided by n+ n-   (Mann and Whitney, 1947)

    ``positive`` is boolean (n,); None where all rows are of one kind.

    >>> roc_auc([False, True, True], [0.1, 0.1, 0.9])
    0.75
    """
    is_positive = np.asarray(positive, dtype=bool)
    values, place = np.unique(np.asarray(score, dtype=np.float64), return_inverse=True)
    ups = np.bincount(place[is_positive], minlength=len(values))
    downs = np.bincount(place[~is_positive], minlength=len(values))
    pairs = int(ups.sum()) * int(downs.sum())
    if pairs == 0:
        return None
    # Twice the count, in whole numbers: exact however many rows there are.
    twice = int(np.sum(ups * (2 * (np.cumsum(downs) - downs) + downs)))
    return twice / (2 * pairs)


def row_log_loss(codes: NDArray[np.int64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """-log p(true class) of each row, shape (n,).

    Rows of float32 add up to 1 within 1e-7 only, so p is divided by its row's sum: here, and not where rows are
    ranked, because the division would break ties.
    """
    chosen = share[np.arange(len(codes)), codes] / share.sum(axis=1)
    return -np.log(np.clip(chosen, SMALLEST, 1 - SMALLEST))


def classification_metrics(actual_codes: ArrayLike, probabilities: ArrayLike) -> dict[str, float | None]:
    """Accuracy, balanced accuracy, log loss, area under the ROC curve, and macro F1.

    ``actual_codes`` int (n,) in 0..K-1, ``probabilities`` (n, K).  The predicted class is the most probable (the first
    of equals).  Balanced accuracy is the mean recall over classes that occur; F1 is averaged over classes that occur
    or are predicted; ``roc_auc`` is that of class 1 for two classes and the mean one-against-the-rest otherwise, over
    classes for which it is defined; None where no class has both kinds of rows.
    Raises `DataError` on no rows, codes out of range, or rows that do not add up to 1 within 0.001.

    >>> classification_metrics([0, 1, 1], [[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])
    {'accuracy': 0.66..., 'balanced_accuracy': 0.75, 'log_loss': 0.42..., 'roc_auc': 1.0, 'f1_macro': 0.66...}
    """
    codes, share = check_probabilities(actual_codes, probabilities)
    n_classes = share.shape[1]
    guess = np.argmax(share, axis=1)
    counts = confusion_matrix(codes, guess, n_classes)
    hits = np.diag(counts)
    support = counts.sum(axis=1)
    claimed = counts.sum(axis=0)
    occurs = support > 0
    either = support + claimed > 0
    return {
        "accuracy": float(hits.sum() / len(codes)),
        "balanced_accuracy": float(np.mean(hits[occurs] / support[occurs])),
        "log_loss": float(np.mean(row_log_loss(codes, share))),
        "roc_auc": macro_roc_auc(codes, share),
        "f1_macro": float(np.mean(2 * hits[either] / (support + claimed)[either])),
    }


def macro_roc_auc(codes: NDArray[np.int64], share: NDArray[np.float64]) -> float | None:
    """`roc_auc` of class 1 for two classes; otherwise the mean over classes against the rest where it is defined."""
    if share.shape[1] == 2:
        return roc_auc(codes == 1, share[:, 1])
    areas = [roc_auc(codes == k, share[:, k]) for k in range(share.shape[1])]
    defined = [area for area in areas if area is not None]
    return float(np.mean(defined)) if defined else None
