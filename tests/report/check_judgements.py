"""Calibration, confusion, largest errors and importance, worked out a second time, with NumPy alone."""

from __future__ import annotations

import numpy as np

from report.check_files import SPLITS, agree
from report.check_scores import scores_of_rows


def target_summary(run):
    out = {}
    for split in SPLITS:
        y = run.arrays[f"{split}_actual"]
        if run.regression:
            out[split] = {"minimum": y.min(), "median": np.median(y), "mean": y.mean(), "maximum": y.max()}
        else:
            out[split] = {"counts": [int(np.sum(y == c)) for c in range(len(run.facts["task"]["classes"]))]}
    return out


def calibration(run):
    y = run.arrays["test_actual"]
    if run.regression:
        p = run.arrays["test_prediction"]
        order = np.argsort(p, kind="stable")
        table = []
        size, extra = divmod(len(y), min(10, len(y)))
        start = 0
        for group in range(min(10, len(y))):
            part = order[start : start + size + (group < extra)]
            start += len(part)
            table.append({"n": len(part), "mean_predicted": p[part].mean(), "mean_actual": y[part].mean()})
        return {"kind": "value", "table": table}
    p = run.arrays["test_probabilities"]
    said = p[:, 1] if run.kind == "binary" else p.max(axis=1)
    true = y == 1 if run.kind == "binary" else y == p.argmax(axis=1)
    table, error = [], 0.0
    z2 = 1.959963984540054**2
    for b in range(10):
        inside = np.minimum(np.floor(said * 10), 9) == b
        n = int(inside.sum())
        entry = {"low": b / 10, "high": (b + 1) / 10, "n": n, "mean_probability": None, "observed": None,
                 "observed_low": None, "observed_high": None}  # fmt: skip
        if n:
            share = true[inside].mean()
            # The ends of Wilson's interval solve (share - q)^2 = z^2 q (1 - q) / n.
            ends = np.roots([1 + z2 / n, -(2 * share + z2 / n), share**2])
            entry |= {"mean_probability": said[inside].mean(), "observed": share,
                      "observed_low": max(0.0, min(ends.real)), "observed_high": min(1.0, max(ends.real))}  # fmt: skip
            error += n / len(y) * abs(share - said[inside].mean())
        table.append(entry)
    kind = "class 1" if run.kind == "binary" else "most probable class"
    return {"kind": kind, "table": table, "expected_calibration_error": error}


def confusion(run):
    if run.regression:
        return None
    y, guess = run.arrays["test_actual"], run.arrays["test_probabilities"].argmax(axis=1)
    k = len(run.facts["task"]["classes"])
    return [[int(np.sum((y == i) & (guess == j))) for j in range(k)] for i in range(k)]


def largest_errors(run):
    y, rows = run.arrays["test_actual"], run.arrays["test_rows"]
    if run.regression:
        p = run.arrays["test_prediction"]
        order = sorted(range(len(y)), key=lambda i: (-abs(p[i] - y[i]), i))[:5]
        return [
            {"row": int(rows[i]), "actual": y[i], "prediction": p[i], "error": p[i] - y[i]} for i in order
        ]
    p = run.arrays["test_probabilities"]
    names = run.facts["task"]["classes"]
    wrong = [i for i in range(len(y)) if p[i].argmax() != y[i]]
    wrong = sorted(wrong, key=lambda i: (-p[i].max(), i))[:5]
    return [
        {
            "row": int(rows[i]),
            "actual": names[y[i]],
            "prediction": names[p[i].argmax()],
            "probability": p[i].max(),
        }
        for i in wrong
    ]


def importance(run):
    if "importance_columns" not in run.arrays:
        return None
    base = run.arrays["importance_base"]
    place = {row: i for i, row in enumerate(run.arrays["test_rows"].tolist())}
    chosen = np.array([place[row] for row in run.arrays["importance_rows"].tolist()])
    # The base score is not taken on trust: it is the headline metric on those very rows.
    own = scores_of_rows(run, run.arrays["test_actual"], run.output("test"), chosen)[run.main]
    if not agree(float(base), float(own), 1e-5):
        raise ValueError(f"importance_base is {base}, but the predictions of those rows give {own}")
    worse = run.arrays["importance_scores"] - base
    order = sorted(range(len(worse)), key=lambda i: (-worse[i].mean(), i))
    names = run.arrays["importance_columns"].tolist()
    return {
        "metric": run.main, "rows": len(chosen), "repeats": worse.shape[1], "base": float(base),
        "columns": [{"name": names[i], "mean": worse[i].mean(), "low": worse[i].min(), "high": worse[i].max()}
                    for i in order],
    }  # fmt: skip
