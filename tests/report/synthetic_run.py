"""A run folder made without any network: invented rows, a known function with an error as 'the network'.

Invented data, for tests of the report only; every file has the shape that `retrograd.report.schema` asks for.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.metrics import fit_linear_baseline, fit_simple_baseline, permutation_importance

HOSTILE = '<script>alert("x")</script> & $a$'


def make_run(folder: Path, kind: str = "regression", *, n: int = 600, seed: int = 0, classes: int = 3,
             skill: float = 1.0, hostile: str | None = None) -> Path:  # fmt: skip
    """Write run.json, metrics.jsonl, evidence.npz and predictions.csv; ``skill`` 0 makes the network useless."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(seed)
    size = generator.normal(size=n)
    age = generator.normal(size=n)
    noise = generator.normal(size=n)
    signal = 1.2 * size + 1.5 * np.abs(age)
    names = ["area", "age", hostile or "noise"]
    columns = dict(zip(names, (size, age, noise)))
    rows = generator.permutation(n)
    parts = {"train": np.sort(rows[: n // 2]), "validation": np.sort(rows[n // 2 : 3 * n // 4])}
    parts["test"] = np.sort(rows[3 * n // 4 :])
    X = np.stack([size, age, noise], axis=1)
    n_classes = 0 if kind == "regression" else 2 if kind == "binary" else classes

    def network(given: dict[str, np.ndarray]) -> np.ndarray:
        hint = 1.2 * given[names[0]] + 1.5 * np.abs(given[names[1]])
        if kind == "regression":
            return 200_000 + 50_000 * skill * hint
        return _probabilities(skill * hint, n_classes)

    if kind == "regression":
        actual: np.ndarray = 200_000 + 50_000 * signal + 20_000 * generator.normal(size=n)
    else:
        share = _probabilities(signal, n_classes)
        actual = (share.cumsum(axis=1) < generator.random((n, 1))).sum(axis=1).astype(np.int64)
    output = network(columns)
    simple = fit_simple_baseline(kind, actual[parts["train"]], n_classes=n_classes or None)
    line = fit_linear_baseline(
        kind, X[parts["train"]], actual[parts["train"]], X[parts["validation"]], actual[parts["validation"]],
        n_classes=n_classes or None,
    )  # fmt: skip
    evidence: dict[str, np.ndarray] = {}
    for split, chosen in parts.items():
        evidence[f"{split}_rows"] = chosen
        evidence[f"{split}_actual"] = actual[chosen]
        if kind == "regression":
            evidence[f"{split}_prediction"] = output[chosen]
        else:
            evidence[f"{split}_probabilities"] = output[chosen]
            evidence[f"{split}_prediction"] = np.argmax(output[chosen], axis=1)
        if split != "train":
            evidence[f"{split}_baseline"] = simple.predict(len(chosen))
            evidence[f"{split}_linear"] = line.predict(X[chosen])
    test = parts["test"]
    evidence |= permutation_importance(
        network, {name: values[test] for name, values in columns.items()}, actual[test],
        task_kind=kind, seed=seed, rows=test,
    )  # fmt: skip
    steps = np.array([30, 60, 90, 120, 150])
    floor, drop = (20_000, 90_000) if kind == "regression" else (0.4, 1.5)
    scatter = generator.normal(size=(5, 3)) * drop * 0.01
    evidence["curve_rows"] = steps
    evidence["curve_scores"] = floor + drop * steps[:, None] ** -0.6 + scatter
    history = [
        {"epoch": e, "step": 10 * e, "train_loss": 0.2 + 1 / e, "validation_loss": 0.3 + 1 / e + 0.002 * max(0, e - 20),
         "lr": 0.001, "rows_per_second": 50_000.0 + e, "stopped": False}
        for e in range(1, 31)
    ]  # fmt: skip
    facts = _facts(kind, n, names, columns, actual, n_classes, line.description)
    np.savez_compressed(folder / "evidence.npz", allow_pickle=False, **evidence)
    (folder / "run.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    (folder / "metrics.jsonl").write_text("".join(json.dumps(h) + "\n" for h in history), encoding="utf-8")
    _write_predictions(folder / "predictions.csv", facts, evidence)
    return folder


def _probabilities(signal: np.ndarray, n_classes: int) -> np.ndarray:
    if n_classes == 2:
        odds = np.stack([np.zeros_like(signal), 2 * (signal - 1)], axis=1)
    else:
        places = np.linspace(-1, 3, n_classes)
        odds = -2 * (signal[:, None] - places) ** 2
    share = np.exp(odds - odds.max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def _facts(kind: str, n: int, names: list[str], columns: dict[str, np.ndarray], actual: np.ndarray, n_classes: int,
           line: str) -> dict[str, Any]:  # fmt: skip
    described = [
        {"name": name, "kind": "number", "use": "input", "reason": "every value is a number", "n_missing": 0,
         "minimum": float(values.min()), "median": float(np.median(values)), "mean": float(values.mean()),
         "maximum": float(values.max())}
        for name, values in columns.items()
    ]  # fmt: skip
    classes = (
        None if kind == "regression" else [names[2] if k == 1 else f"class {k}" for k in range(n_classes)]
    )
    target: dict[str, Any] = {"name": "price" if kind == "regression" else "grade", "kind": "number", "use": "target",
                              "reason": "asked for", "n_missing": 0}  # fmt: skip
    if kind == "regression":
        target |= {
            "minimum": float(actual.min()),
            "median": float(np.median(actual)),
            "maximum": float(actual.max()),
        }
    else:
        counts = np.bincount(actual)
        target |= {"kind": "category", "n_distinct": n_classes, "most_common": classes[int(counts.argmax())],
                   "most_common_count": int(counts.max())}  # fmt: skip
    return {
        "name": "invented-001",
        "task": {"kind": kind, "reason": "the target holds many different numbers", "classes": classes},
        "target": {"name": target["name"], "reason": "it was asked for", "unit": "$" if kind == "regression" else None},
        "data": {"source": "invented.csv", "fingerprint": "0" * 64, "n_rows": n, "notes": ["no row was dropped"],
                 "columns": [*described, target]},
        "split": {"how": "by row hash: half, a quarter, a quarter", "notes": []},
        "decisions": [
            {"what": "hidden layers", "choice": "64, 64", "why": "enough for three columns", "by": "retrograd"},
            {"what": "learning rate", "choice": "0.001", "why": "given on the command line", "by": "you"},
        ],
        "findings": [{"code": "duplicate_rows", "severity": "warning", "message": "two rows are the same",
                      "columns": [names[2]], "rows": [3, 8], "hint": "drop one of them"}],
        "model": {"description": "3 numbers, then 64, 64 with ReLU", "parameters": 4481, "operations_per_row": 4352},
        "training": {"epochs": 30, "best_epoch": 20,
                     "stopped_because": "validation loss had not improved for 10 epochs"},
        "cost": {"estimate": {"seconds": 2.0, "epochs": 100, "memory_bytes": 12_000_000, "operations": 4.1e8},
                 "actual": {"seconds": 1.25, "epochs": 30, "memory_bytes": 13_500_000, "rows_per_second": 51_000.0}},
        "baselines": {"linear": line},
        "overfitting": {"verdict": "none", "sentence": "No sign of overfitting: new rows do as well as seen ones."},
        "seed": 7,
        "threads": 2,
        "versions": {"retrograd": "0.1.0", "python": "3.11", "numpy": np.__version__},
        "command": "retrograd train invented.csv --target price",
        "next_command": "retrograd predict runs/invented-001 new-rows.csv",
    }  # fmt: skip


def _write_predictions(path: Path, facts: dict[str, Any], evidence: dict[str, np.ndarray]) -> None:
    classes = facts["task"]["classes"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "actual", "prediction", *(f"probability_{name}" for name in classes or ())])
        for i, row in enumerate(evidence["test_rows"]):
            pair = [evidence["test_actual"][i], evidence["test_prediction"][i]]
            if classes is None:
                writer.writerow([int(row), *(repr(float(value)) for value in pair)])
            else:
                share = [repr(float(value)) for value in evidence["test_probabilities"][i]]
                writer.writerow([int(row), *(classes[int(code)] for code in pair), *share])
