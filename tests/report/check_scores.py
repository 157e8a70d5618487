"""The metrics and the comparison with simpler models, worked out a second time, with NumPy alone."""

from __future__ import annotations

import numpy as np

LOWER = ("rmse", "mae", "median_absolute_error", "log_loss")


def scores_of_rows(run, actual, output, chosen):
    """All metrics on ``chosen`` rows, which may repeat; NaN where not defined."""
    y, p = actual[chosen], output[chosen]
    if run.regression:
        error = p - y
        total = np.sum((y - y.mean()) ** 2)
        constant = np.all(y == y[0])
        return {
            "rmse": np.sqrt(np.mean(error**2)),
            "mae": np.mean(np.abs(error)),
            "r2": np.nan if constant else 1 - np.sum(error**2) / total,
            "median_absolute_error": np.median(np.abs(error)),
        }
    k = p.shape[1]
    guess = p.argmax(axis=1)
    tiny = np.finfo(float).eps
    loss = -np.log(np.clip(p[np.arange(len(y)), y] / p.sum(axis=1), tiny, 1 - tiny))
    recalls, f1s = [], []
    for c in range(k):
        hits = np.sum((y == c) & (guess == c))
        if np.any(y == c):
            recalls.append(hits / np.sum(y == c))
        if np.any(y == c) or np.any(guess == c):
            f1s.append(2 * hits / (np.sum(y == c) + np.sum(guess == c)))
    areas = [area(y == c, p[:, c]) for c in ([1] if k == 2 else range(k))]
    areas = [a for a in areas if not np.isnan(a)]
    return {
        "accuracy": np.mean(y == guess),
        "balanced_accuracy": np.mean(recalls),
        "log_loss": np.mean(loss),
        "roc_auc": np.mean(areas) if areas else np.nan,
        "f1_macro": np.mean(f1s),
    }


def area(positive, score):
    """Area under the ROC curve from mid-ranks (Wilcoxon)."""
    up = int(positive.sum())
    down = len(positive) - up
    if up == 0 or down == 0:
        return np.nan
    ordered = np.sort(score)
    rank = (np.searchsorted(ordered, score, "left") + np.searchsorted(ordered, score, "right") + 1) / 2
    return (rank[positive].sum() - up * (up + 1) / 2) / (up * down)


def point(run, actual, output):
    return {name: none(value) for name, value in
            scores_of_rows(run, actual, output, np.arange(len(actual))).items()}  # fmt: skip


def resampled(run, actual, outputs, resamples):
    """scores[model][metric] (resamples,), resample by resample with the documented stream of row numbers."""
    generator = np.random.Generator(np.random.PCG64(run.facts["seed"]))
    n = len(actual)
    rows = {name: [] for name in outputs}
    for _ in range(resamples):
        chosen = generator.integers(0, n, size=n)
        for name, output in outputs.items():
            rows[name].append(scores_of_rows(run, actual, output, chosen))
    return {name: {m: np.array([r[m] for r in many]) for m in many[0]} for name, many in rows.items()}


def middle(values):
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return None, None
    low, high = np.percentile(values, [2.5, 97.5])
    return low, high


def none(value):
    return None if value is None or not np.isfinite(value) else float(value)


def metrics_and_comparison(run):
    out = {"headline": run.main, "level": 0.95, "resamples": {}}
    against = {"metric": run.main}
    actual = run.arrays["train_actual"]
    out["train"] = {name: {"value": value} for name, value in point(run, actual, run.output("train")).items()}
    for split in ("validation", "test"):
        actual = run.arrays[f"{split}_actual"]
        resamples = max(100, min(1000, 40_000_000 // len(actual)))
        out["resamples"][split] = resamples
        models = ("network", "baseline", "linear") if split == "test" else ("network",)
        outputs = {model: run.output(split, model) for model in models}
        points = {model: point(run, actual, output) for model, output in outputs.items()}
        scores = resampled(run, actual, outputs, resamples)
        tables = {model: {} for model in models}
        for model in models:
            for name, value in points[model].items():
                low, high = (None, None) if value is None else middle(scores[model][name])
                tables[model][name] = {"value": value, "low": low, "high": high}
        out[split] = tables["network"]
        for model in models[1:]:
            differences = {}
            for name in points["network"]:
                ours, theirs = points["network"][name], points[model][name]
                low, high = middle(scores["network"][name] - scores[model][name])
                if ours is None or theirs is None or low is None:
                    differences[name] = {"difference": None, "low": None, "high": None, "verdict": "tie"}
                    continue
                if low <= 0 <= high:
                    verdict = "tie"
                else:
                    verdict = "better" if (high < 0) == (name in LOWER) else "worse"
                differences[name] = {
                    "difference": ours - theirs,
                    "low": low,
                    "high": high,
                    "verdict": verdict,
                }
            against[model] = {"metrics": tables[model], "difference": differences}
    constant = against["baseline"]["difference"][run.main]["verdict"]
    line = against["linear"]["difference"][run.main]["verdict"]
    against["verdict"] = (
        "useless" if constant != "better" else {"better": "wins", "tie": "ties", "worse": "loses"}[line]
    )
    return out, against
