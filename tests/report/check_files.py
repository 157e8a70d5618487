"""The plain files of a run folder, read with NumPy and json alone, and whether they tell one story."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

RELATIVE, ABSOLUTE = 1e-9, 1e-12
SPLITS = ("train", "validation", "test")


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


def agree(said, found, relative=RELATIVE):
    if isinstance(said, str) or isinstance(found, str):
        return said == found
    said, found = (None if v is None or not np.isfinite(v) else float(v) for v in (said, found))
    if said is None or found is None:
        return said is found
    return abs(said - found) <= ABSOLUTE + relative * max(abs(said), abs(found))


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
