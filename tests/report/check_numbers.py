"""Work out every number of ``report.json`` again from the run folder's plain files, with NumPy and json alone.

    python tests/report/check_numbers.py runs/houses-001

Shares no code with Retrograd: formulas are written a second time, the simplest way that is right (resamples are drawn
row by row, the ROC area is counted from ranks, quantiles of the learning curve are found by another search).  Every
leaf of the report is then compared: numbers to nine digits, texts to the letter, and no leaf may be left over.
Exit code 0 when all agree, 1 otherwise, with one line for each leaf that does not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

RELATIVE, ABSOLUTE = 1e-9, 1e-12
SPLITS = ("train", "validation", "test")
LOWER = ("rmse", "mae", "median_absolute_error", "log_loss")


class Run:
    """The plain files of a run folder."""

    def __init__(self, folder):
        folder = Path(folder)
        self.facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        with np.load(folder / "evidence.npz", allow_pickle=False) as arrays:
            self.arrays = {name: arrays[name] for name in arrays.files}
        for name, values in self.arrays.items():
            if values.dtype.kind == "f":
                self.arrays[name] = values.astype(np.float64)
        lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        self.history = [json.loads(line) for line in lines if line.strip()]
        self.predictions = folder / "predictions.csv"
        self.kind = self.facts["task"]["kind"]
        self.regression = self.kind == "regression"
        self.main = "rmse" if self.regression else "log_loss"

    def output(self, split, model="network"):
        if model == "network":
            return self.arrays[f"{split}_prediction" if self.regression else f"{split}_probabilities"]
        return self.arrays[f"{split}_{model}"]


# --- metrics ---------------------------------------------------------------------------------------------------------


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


# --- the other parts -------------------------------------------------------------------------------------------------


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


def learning_curve(run):
    """Posterior of a + b n^-c over the grid of c, in the plain parameters (a, b) by weighted least squares."""
    if "curve_rows" not in run.arrays:
        return None
    sizes = run.arrays["curve_rows"]
    table = run.arrays["curve_scores"].reshape(len(sizes), -1)
    n, s = np.repeat(sizes, table.shape[1]).astype(float), table.reshape(-1)
    now = len(run.arrays["train_rows"])
    freedom = len(s) - 2
    fits, evidence = [], []
    for c in [*np.linspace(-1, -0.05, 20), *np.linspace(0.05, 1.5, 30)]:
        X = np.stack([np.ones_like(n), (n / n.min()) ** -c], axis=1)
        ends = np.stack([np.ones(2), (np.array([n.min(), n.max()]) / n.min()) ** -c], axis=1)
        root = np.sqrt(n)[:, None]
        q, r = np.linalg.qr(X * root)
        beta = np.linalg.solve(r, q.T @ (s * root[:, 0]))
        rest = float(np.sum(n * (s - X @ beta) ** 2))
        rest = max(rest, 1e-18 * float(np.sum(n * s * s)) + 1e-300)
        inverse = np.linalg.inv(r.T @ r)
        # A prior flat in the two end heights is |det ends| times one flat in (a, b).
        evidence.append(
            np.log(abs(np.linalg.det(ends))) - np.log(abs(np.linalg.det(r))) - freedom / 2 * np.log(rest)
        )
        fits.append((c, beta, rest / freedom, inverse))
    weights = np.exp(np.array(evidence) - max(evidence))
    weights /= weights.sum()

    def summary(rows, noise_at):
        centre, spread = [], []
        for (c, beta, noise, inverse), _ in zip(fits, weights):
            x = rows(c)
            centre.append(x @ beta)
            spread.append(
                np.sqrt(max(0.0, noise * (x @ inverse @ x) + (noise / noise_at if noise_at else 0.0)))
            )
        centre, spread = np.array(centre), np.maximum(spread, 1e-300)

        def quantile(q):
            low, high = (centre - 1e3 * spread).min(), (centre + 1e3 * spread).max()
            for _ in range(400):
                half = low + 0.5 * (high - low)
                below = sum(w * t_cdf((half - m) / d, freedom) for w, m, d in zip(weights, centre, spread))
                low, high = (half, high) if below < q else (low, half)
            return half

        return {"value": float(weights @ centre), "low": quantile(0.025), "high": quantile(0.975)}

    def row(size):
        return lambda c: np.array([1.0, (size / n.min()) ** -c])

    best = int(np.argmax(weights))
    c, beta = fits[best][:2]
    change = summary(lambda c: row(2 * now)(c) - row(now)(c), None)
    at = {
        name: {"rows": size, **summary(row(size), size)} for name, size in (("now", now), ("double", 2 * now))
    }
    scale = abs(at["now"]["value"])
    verdict = "unclear"
    present = point(run, run.arrays["validation_actual"], run.output("validation"))[run.main]
    short = change["high"] < 0 and present is not None and at["double"]["value"] > present
    if short:
        pass
    elif change["high"] < 0 and -change["value"] >= 0.01 * scale:
        verdict = "helps"
    elif change["low"] > -0.02 * scale:
        verdict = "little"
    points = [
        {"rows": int(size), "mean": r.mean(), "low": r.min(), "high": r.max()}
        for size, r in zip(sizes, table)
    ]
    return {"metric": run.main, "points": points, "a": beta[0], "b": beta[1] * n.min() ** c, "c": c, **at,
            "change": change, "verdict": verdict}  # fmt: skip


def t_cdf(t, freedom):
    """Student's t by the finite sums for whole degrees of freedom."""
    angle = np.arctan2(t, np.sqrt(freedom))
    cos2 = np.cos(angle) ** 2
    if freedom % 2 == 0:
        total, term = 0.0, 1.0
        for j in range(freedom // 2):
            total += term
            term *= cos2 * (2 * j + 1) / (2 * j + 2)
        return 0.5 + 0.5 * np.sin(angle) * total
    total, term = 0.0, np.cos(angle)
    for j in range((freedom - 1) // 2):
        total += term
        term *= cos2 * (2 * j + 2) / (2 * j + 3)
    return 0.5 + (angle + np.sin(angle) * total) / np.pi


# --- comparing -------------------------------------------------------------------------------------------------------

COPIED = ("name", "task", "target", "data", "decisions", "findings", "model", "training", "cost", "seed", "versions",
          "settings", "threads", "cpu", "command", "next_command", "baselines",
          "overfitting")  # fmt: skip


def derive(run):
    """What the report should say, from the run folder alone."""
    metrics, comparison = metrics_and_comparison(run)
    split = {key: run.facts["split"].get(key) for key in ("how", "notes", "test_source")}
    return {
        **{key: run.facts[key] for key in COPIED if key in run.facts},
        "report_version": 1,
        "split": {**split, **{name: len(run.arrays[f"{name}_rows"]) for name in SPLITS}},
        "history": [
            {k: v for k, v in epoch.items() if isinstance(v, (int, float)) and v is not True}
            for epoch in run.history
        ],
        "target_summary": target_summary(run),
        "metrics": metrics,
        "comparison": comparison,
        "calibration": calibration(run),
        "confusion": confusion(run),
        "largest_errors": largest_errors(run),
        "importance": importance(run),
        "learning_curve": learning_curve(run),
    }


def leaves(value, path=""):
    """(path, leaf) for every number, text, truth value and null."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from leaves(entry, f"{path}.{key}" if path else key)
    elif isinstance(value, (list, tuple)):
        for i, entry in enumerate(value):
            yield from leaves(entry, f"{path}[{i}]")
    else:
        yield path, value


def agree(said, found, relative=RELATIVE):
    if isinstance(said, str) or isinstance(found, str):
        return said == found
    said, found = (None if v is None or not np.isfinite(v) else float(v) for v in (said, found))
    if said is None or found is None:
        return said is found
    return abs(said - found) <= ABSOLUTE + relative * max(abs(said), abs(found))


# Sentences of the report itself; they may hold no digits but those of names that come from the data.
WORDS = ("comparison.sentence", "learning_curve.sentence", "comparison.description.", "next_steps[")


def check_inputs(run):
    """Complaints about the evidence itself: the files must tell one story."""
    out = []
    rows = [set(run.arrays[f"{split}_rows"].tolist()) for split in SPLITS]
    for i, split in enumerate(SPLITS):
        if len(rows[i]) != len(run.arrays[f"{split}_rows"]):
            out.append(f"{split}_rows: a row twice")
        own_file = split == "test" and run.facts["split"].get("test_source")
        if not own_file and any(rows[i] & rows[j] for j in range(i)):
            out.append(f"{split}_rows: a row that is in another part too")
        if not run.regression:
            guess = run.arrays[f"{split}_probabilities"].argmax(axis=1)
            if not np.array_equal(guess, run.arrays[f"{split}_prediction"]):
                out.append(f"{split}_prediction is not the most probable class")
    seen = run.arrays["train_actual"]
    for split in ("validation", "test"):
        said = run.arrays[f"{split}_baseline"]
        expected = seen.mean() if run.regression else np.bincount(seen, minlength=said.shape[1]) / len(seen)
        if not np.allclose(said, expected, rtol=1e-6, atol=1e-9):
            out.append(f"{split}_baseline is not the mean or the class shares of the training rows")
    out += check_predictions(run)
    return out


def check_predictions(run):
    """Compare predictions.csv with the test arrays, field by field."""
    text = run.predictions.read_text(encoding="utf-8-sig")
    head, *lines = split_csv(text)
    place = {row: i for i, row in enumerate(run.arrays["test_rows"].tolist())}
    if len(lines) != len(place):
        return [f"predictions.csv has {len(lines)} rows, the evidence {len(place)}"]
    for fields in lines:
        record = dict(zip(head, fields))
        i = place.get(int(record["row"]))
        if i is None:
            return [f"predictions.csv: row {record['row']} is no test row"]
        for name in ("actual", "prediction"):
            value = run.arrays[f"test_{name}"][i]
            said = record[name]
            same = agree(float(said), float(value), 1e-6) if run.regression else (
                said == str(run.facts["task"]["classes"][value]))  # fmt: skip
            if not same:
                return [f"predictions.csv: {name} of row {record['row']} is {said}, the evidence has {value}"]
        for k, name in enumerate(run.facts["task"]["classes"] or ()):
            said = record[f"probability_{name}"]
            if abs(float(said) - run.arrays["test_probabilities"][i, k]) > 1e-6:
                return [f"predictions.csv: probability_{name} of row {record['row']} differs"]
    return []


def split_csv(text):
    """Rows of fields, quotes doubled inside quotes."""
    rows, fields, field, quoted, i = [], [], "", False, 0
    while i < len(text):
        c = text[i]
        if quoted:
            if c == '"' and text[i + 1 : i + 2] == '"':
                field += '"'
                i += 1
            elif c == '"':
                quoted = False
            else:
                field += c
        elif c == '"':
            quoted = True
        elif c == ",":
            fields.append(field)
            field = ""
        elif c == "\n":
            rows.append([*fields, field.removesuffix("\r")])
            fields, field = [], ""
        else:
            field += c
        i += 1
    if field or fields:
        rows.append([*fields, field])
    return rows


def compare(report, expected):
    """One complaint for each leaf that differs, is missing, or could not be verified."""
    said, found = dict(leaves(report)), dict(leaves(expected))
    out = []
    for path, value in said.items():
        if path in found:
            if not agree(value, found[path]):
                out.append(f"{path}: the report says {value!r}, the files give {found[path]!r}")
        elif isinstance(value, str) and path.startswith(WORDS):
            continue
        else:
            out.append(f"{path}: {value!r} could not be verified")
    out += [f"{path}: missing from the report" for path in found if path not in said]
    return out


def check(folder):
    """All complaints about the report of a run folder; none is what it should be."""
    run = Run(folder)
    report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
    return check_inputs(run) + compare(report, derive(run))


def main(arguments):
    if len(arguments) != 1:
        print("usage: python check_numbers.py RUN_FOLDER", file=sys.stderr)
        return 2
    complaints = check(arguments[0])
    for complaint in complaints:
        print(complaint)
    report = json.loads((Path(arguments[0]) / "report.json").read_text(encoding="utf-8"))
    numbers = sum(isinstance(value, (int, float)) for _, value in leaves(report))
    print(f"{numbers} numbers, {len(complaints)} complaints", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
