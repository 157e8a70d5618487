"""How sure a metric is: the spread it shows when the rows are drawn anew with replacement.

Percentile bootstrap (Efron, 1979).  A resample is a vector of counts, how often each row was drawn; every metric is
computed for many resamples at once as a weighted sum, so that no row is ever copied.

The draws are part of the contract, so that anybody can repeat them: resample ``b`` takes the ``b``-th run of ``n``
values of ``numpy.random.Generator(numpy.random.PCG64(seed)).integers(0, n)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrograd.errors import DataError
from retrograd.metrics.classification import check_probabilities, classification_metrics, row_log_loss
from retrograd.metrics.regression import check_values, regression_metrics

Array = NDArray[np.float64]

METRICS: dict[str, tuple[str, ...]] = {
    "regression": ("rmse", "mae", "r2", "median_absolute_error"),
    "binary": ("accuracy", "balanced_accuracy", "log_loss", "roc_auc", "f1_macro"),
    "multiclass": ("accuracy", "balanced_accuracy", "log_loss", "roc_auc", "f1_macro"),
}
LOWER_IS_BETTER = frozenset({"rmse", "mae", "median_absolute_error", "log_loss"})
PERCENTILES = (2.5, 97.5)
_CELLS_AT_ONCE = 4_000_000  # 32 MB of counts


class Comparison(TypedDict):
    """Ours and theirs on the same rows; ``difference`` = ours - theirs with its 95 % interval [low, high]."""

    metric: str
    ours: float | None
    theirs: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str


def headline(task_kind: str) -> str:
    """The metric that decides: ``rmse`` for regression, ``log_loss`` otherwise.

    Both are proper: no model can win by misstating what it knows.

    >>> headline("regression"), headline("binary")
    ('rmse', 'log_loss')
    """
    _check_kind(task_kind)
    return "rmse" if task_kind == "regression" else "log_loss"


def metrics_for(task_kind: str, actual: ArrayLike, predicted: ArrayLike) -> dict[str, float | None]:
    """`regression_metrics` of values (n,), or `classification_metrics` of probabilities (n, K).

    >>> metrics_for("regression", [1.0, 3.0], [1.0, 3.0])["rmse"]
    0.0
    """
    _check_kind(task_kind)
    measure = regression_metrics if task_kind == "regression" else classification_metrics
    return measure(actual, predicted)


def bootstrap_scores(
    task_kind: str,
    actual: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    seed: int,
    resamples: int = 1000,
) -> dict[str, dict[str, Array]]:
    """Every metric of every model on the same resamples: ``scores[model][metric]``, each of shape (resamples,).

    ``predictions[model]`` is values (n,) for regression and probabilities (n, K) otherwise.  NaN marks a resample in
    which the metric is not defined (one class only).

    >>> scores = bootstrap_scores("regression", [1.0, 2.0, 6.0], {"net": [1.0, 3.0, 4.0]}, seed=0, resamples=5)
    >>> scores["net"]["mae"].shape
    (5,)
    """
    _check_kind(task_kind)
    if resamples < 1:
        raise DataError(f"resamples is {resamples}", hint="resamples=1000")
    prepare = _Regression if task_kind == "regression" else _Classification
    models = {name: prepare(actual, predicted) for name, predicted in predictions.items()}
    parts: dict[str, list[dict[str, Array]]] = {name: [] for name in models}
    n = len(np.asarray(actual))
    for counts in _resample_counts(n, resamples, seed):
        for name, model in models.items():
            parts[name].append(model.scores(counts))
    return {
        name: {metric: np.concatenate([part[metric] for part in blocks]) for metric in METRICS[task_kind]}
        for name, blocks in parts.items()
    }


def interval(scores: Array) -> list[float] | None:
    """[low, high]: the middle 95 % of the scores that are defined; None if none is.

    >>> interval(np.arange(101.0))
    [2.5, 97.5]
    """
    defined = scores[~np.isnan(scores)]
    if defined.size == 0:
        return None
    low, high = np.percentile(defined, PERCENTILES)
    return [float(low), float(high)]


def bootstrap_intervals(
    task_kind: str, actual: ArrayLike, predicted: ArrayLike, *, seed: int, resamples: int = 1000
) -> dict[str, list[float] | None]:
    """95 % percentile interval [low, high] of each metric; None where the metric is not defined.

    >>> bootstrap_intervals("regression", [1.0, 2.0], [1.0, 2.0], seed=0, resamples=10)["rmse"]
    [0.0, 0.0]
    """
    scores = bootstrap_scores(task_kind, actual, {"it": predicted}, seed=seed, resamples=resamples)["it"]
    point = metrics_for(task_kind, actual, predicted)
    return {metric: None if point[metric] is None else interval(scores[metric]) for metric in scores}


def paired_bootstrap(
    task_kind: str,
    actual: ArrayLike,
    ours: ArrayLike,
    theirs: ArrayLike,
    *,
    seed: int,
    resamples: int = 1000,
    metric: str | None = None,
) -> Comparison:
    """Compare two models on the same rows; ``metric`` is the `headline` unless named.

    The difference ours - theirs is taken resample by resample, which removes what both find hard.  The verdict is
    "better" or "worse" (for us) when its 95 % interval lies wholly on one side of 0, else "tie".

    >>> paired_bootstrap("regression", [1., 2., 3., 4.], [1., 2., 3., 4.], [2., 3., 4., 6.], seed=0)["verdict"]
    'better'
    """
    metric = metric or headline(task_kind)
    if metric not in METRICS[task_kind]:
        raise DataError(f"no metric {metric!r} for {task_kind}", hint=f"metric={METRICS[task_kind][0]!r}")
    scores = bootstrap_scores(task_kind, actual, {"o": ours, "t": theirs}, seed=seed, resamples=resamples)
    our_point = metrics_for(task_kind, actual, ours)[metric]
    their_point = metrics_for(task_kind, actual, theirs)[metric]
    return compare(metric, our_point, their_point, scores["o"][metric], scores["t"][metric])


def compare(
    metric: str, ours: float | None, theirs: float | None, our_scores: Array, their_scores: Array
) -> Comparison:
    """The `Comparison` of two metrics given their scores on the same resamples (`bootstrap_scores`).

    >>> compare("rmse", 1.0, 2.0, np.array([0.9, 1.1]), np.array([2.0, 2.1]))["verdict"]
    'better'
    """
    span = interval(our_scores - their_scores)
    if ours is None or theirs is None or span is None:
        return Comparison(
            metric=metric, ours=ours, theirs=theirs, difference=None, low=None, high=None, verdict="tie"
        )
    low, high = span
    sign = -1 if metric in LOWER_IS_BETTER else 1
    verdict = "tie" if low <= 0 <= high else "better" if sign * low > 0 else "worse"
    return Comparison(
        metric=metric, ours=ours, theirs=theirs, difference=ours - theirs, low=low, high=high, verdict=verdict
    )


def _check_kind(task_kind: str) -> None:
    if task_kind not in METRICS:
        raise DataError(f"unknown task kind {task_kind!r}", hint="regression, binary or multiclass")


def _resample_counts(n: int, resamples: int, seed: int) -> Iterator[Array]:
    """Counts of drawn rows, (n, b) in blocks of resamples: column j adds up to n."""
    generator = np.random.Generator(np.random.PCG64(seed))
    block = max(1, _CELLS_AT_ONCE // n)
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        drawn = generator.integers(0, n, size=(size, n))
        drawn += n * np.arange(size)[:, None]
        counts = np.bincount(drawn.reshape(-1), minlength=n * size).reshape(size, n)
        yield np.ascontiguousarray(counts.T, dtype=np.float64)


class _Regression:
    """What the weighted metrics of predicted values need, computed once."""

    def __init__(self, actual: ArrayLike, predicted: ArrayLike) -> None:
        true, guess = check_values(actual, predicted)
        size = np.abs(guess - true)
        centred = true - true.mean()
        self.n = len(true)
        self.sums = np.stack([size * size, size, centred, centred * centred])
        self.order = np.argsort(size, kind="stable")
        self.sorted_size = size[self.order]

    def scores(self, counts: Array) -> dict[str, Array]:
        squared, absolute, shift, square = self.sums @ counts / self.n
        spread = square - shift * shift
        # A resample of equal values leaves only rounding in the spread.
        explains = spread > 1e-12 * np.max(self.sums[3])
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = np.where(explains, 1 - squared / spread, np.nan)
        upto = np.cumsum(counts[self.order], axis=0)
        middle = [np.sum(upto <= place, axis=0) for place in ((self.n - 1) // 2, self.n // 2)]
        median = (self.sorted_size[middle[0]] + self.sorted_size[middle[1]]) / 2
        return {"rmse": np.sqrt(squared), "mae": absolute, "r2": r2, "median_absolute_error": median}


class _Classification:
    """What the weighted metrics of class probabilities need, computed once."""

    def __init__(self, actual: ArrayLike, probabilities: ArrayLike) -> None:
        codes, share = check_probabilities(actual, probabilities)
        guess = np.argmax(share, axis=1)
        self.n, self.n_classes = share.shape
        self.loss = row_log_loss(codes, share)
        classes = np.arange(self.n_classes)[:, None]
        is_true = codes == classes
        is_guess = guess == classes
        self.sums = np.concatenate([is_true & is_guess, is_true, is_guess]).astype(np.float64)
        ranked = [1] if self.n_classes == 2 else range(self.n_classes)
        self.rankings = [_Ranking(is_true[k], share[:, k]) for k in ranked]

    def scores(self, counts: Array) -> dict[str, Array]:
        hits, support, claimed = np.split(self.sums @ counts, 3)
        areas = np.stack([ranking.area(counts) for ranking in self.rankings])
        with np.errstate(divide="ignore", invalid="ignore"):
            recall = hits / support
            f1 = 2 * hits / (support + claimed)
        return {
            "accuracy": hits.sum(axis=0) / self.n,
            "balanced_accuracy": _mean_defined(recall),
            "log_loss": self.loss @ counts / self.n,
            "roc_auc": _mean_defined(areas),
            "f1_macro": _mean_defined(f1),
        }


class _Ranking:
    """Rows sorted by score, with the ends of runs of equal scores."""

    def __init__(self, positive: NDArray[np.bool_], score: Array) -> None:
        order = np.argsort(score, kind="stable")
        is_positive = positive[order]
        ordered = score[order]
        run = np.concatenate([[0], np.cumsum(ordered[1:] != ordered[:-1])])
        self.ups = order[is_positive]
        self.downs = order[~is_positive]
        # How many negatives lie in runs before, and up to the end of, the run of each positive.
        down_run = run[~is_positive]
        self.before = np.searchsorted(down_run, run[is_positive], side="left")
        self.upto = np.searchsorted(down_run, run[is_positive], side="right")

    def area(self, counts: Array) -> Array:
        width = counts.shape[1]
        if len(self.ups) == 0 or len(self.downs) == 0:
            return np.full(width, np.nan)
        downs = np.zeros((len(self.downs) + 1, width))
        np.cumsum(counts[self.downs], axis=0, out=downs[1:])
        ups = counts[self.ups]
        below = downs[self.before]
        if not np.array_equal(self.before, self.upto):
            below = (below + downs[self.upto]) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.einsum("ij,ij->j", ups, below) / (ups.sum(axis=0) * downs[-1])


def _mean_defined(table: Array) -> Array:
    """Mean over axis 0 of the entries that are not NaN; NaN where there is none."""
    defined = ~np.isnan(table)
    count = defined.sum(axis=0)
    total = np.where(defined, table, 0.0).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(count > 0, total / count, np.nan)
