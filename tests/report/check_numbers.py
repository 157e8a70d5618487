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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a script, it finds its parts

from report.check_curve import learning_curve
from report.check_files import SPLITS, Run, agree, check_inputs
from report.check_judgements import calibration, confusion, importance, largest_errors, target_summary
from report.check_scores import metrics_and_comparison

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


# Sentences of the report itself; they may hold no digits but those of names that come from the data.
WORDS = ("comparison.sentence", "learning_curve.sentence", "comparison.description.", "next_steps[")


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
