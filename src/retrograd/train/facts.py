"""The facts of a run, for run.json: what was asked, decided, counted and timed; see `retrograd.report.schema`."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.train.problem import Problem
from retrograd.train.programs import cpu_level
from retrograd.train.recipe import Decided, Recipe

_PLURAL = {"number": "numbers", "category": "categories", "boolean": "booleans", "date": "dates"}


def starting_facts(
    problem: Problem,
    recipe: Recipe,
    decisions: Sequence[Decided],
    *,
    name: str,
    seed: int,
    threads: int | None,
    unit: str | None,
) -> dict[str, Any]:
    """Everything that is known before training."""
    return {
        "name": name,
        "task": {"kind": problem.task.kind, "reason": problem.task.reason, "classes": problem.task.classes},
        "target": {"name": problem.target, "reason": problem.target_reason, "unit": unit},
        "data": {
            "source": problem.table.source,
            "fingerprint": problem.fingerprint,
            "n_rows": problem.table.n_rows,
            "notes": problem.notes,
            "columns": [column_facts(problem, column) for column in problem.table.columns],
        },
        "split": {
            "how": problem.split.how,
            "notes": list(problem.split.notes),
            "test_source": None if problem.test_table is None else problem.test_table.source,
        },
        "decisions": [decision.to_json() for decision in decisions],
        "settings": recipe.to_json(),
        "seed": seed,
        "threads": threads,
        "cpu": cpu_name(),
        "cpu_level": cpu_level() if recipe.compiled else None,
        "versions": versions(),
        "command": command(),
    }


def column_words(problem: Problem) -> list[str]:
    """What is learnt from, and what is left out and why, as sentences for people."""
    used = Counter(problem.table.columns[name].kind for name in problem.preparation.input_names)
    counts = ", ".join(
        f"{count} {_PLURAL.get(kind, kind) if count > 1 else kind}" for kind, count in used.items()
    )
    unused = problem.preparation.unused
    reasons = {
        name: "as you asked" if name in problem.left_out else reason for name, reason in unused.items()
    }
    return [f"inputs: {counts}"] + [f"left out {name}: {reason}" for name, reason in reasons.items()]


def column_facts(problem: Problem, name: str) -> dict[str, Any]:
    """Kind, use and a few statistics of one column, for the reader."""
    column = problem.table.columns[name]
    use = (
        "target"
        if name == problem.target
        else "input"
        if name in problem.preparation.input_names
        else "left out"
    )
    facts: dict[str, Any] = {
        "name": name,
        "kind": column.kind,
        "use": use,
        "reason": problem.preparation.unused.get(name, column.reason),
        "n_missing": int(column.n_missing),
    }
    values = column.values[~column.missing]
    if len(values) == 0:
        return facts
    if values.dtype.kind == "M":
        facts.update(minimum=str(values.min()), maximum=str(values.max()), n_distinct=len(np.unique(values)))
    elif values.dtype.kind in "fiub":
        numbers = values.astype(np.float64)
        finite = numbers[np.isfinite(numbers)]
        if len(finite):
            facts.update(
                minimum=float(finite.min()),
                median=float(np.median(finite)),
                mean=float(finite.mean()),
                maximum=float(finite.max()),
            )
        facts["n_distinct"] = len(np.unique(numbers))
    else:
        codes, names = column.codes
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        most = int(np.argmax(counts))
        facts.update(n_distinct=len(names), most_common=names[most], most_common_count=int(counts[most]))
    return facts


def finding_facts(findings: Sequence[Any]) -> list[dict[str, Any]]:
    """Findings as plain dicts; at most a hundred row numbers each."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "message": finding.message,
            "columns": list(finding.columns),
            "rows": [int(row) for row in list(finding.rows)[:100]],
            "hint": finding.hint,
        }
        for finding in findings
    ]


def versions() -> dict[str, str]:
    """Of what a run's numbers depend on."""
    return {"retrograd": rg.__version__, "python": platform.python_version(), "numpy": np.__version__}


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


def command() -> str | None:
    """The command line, when the program was started by one of ours."""
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else ""
    if program in ("retrograd", "retrograd.exe", "__main__.py"):
        return shlex.join(["retrograd", *sys.argv[1:]])
    return None


def summary(
    facts: Mapping[str, Any], report: Mapping[str, Any] | None, *, model: str, run: str, seconds: float
) -> dict[str, Any]:
    """What ``retrograd train --json`` prints; numbers are those of report.json."""
    metrics: dict[str, Any] = {}
    baseline: dict[str, Any] = {}
    if report is not None:
        metrics = {split: _values(report["metrics"][split]) for split in ("test", "validation")}
        comparison = report["comparison"]
        baseline = {
            "mean" if facts["task"]["kind"] == "regression" else "majority": _values(
                comparison["baseline"]["metrics"]
            ),
            "linear": _values(comparison["linear"]["metrics"]),
            "verdict": comparison["verdict"],
        }
    return {
        "task": facts["task"]["kind"],
        "target": facts["target"]["name"],
        "metrics": metrics,
        "baseline": baseline,
        "model": model,
        "run": run,
        "seconds": round(seconds, 3),
        "epochs": facts["training"]["epochs"],
        "parameters": facts["model"]["parameters"],
    }


def _values(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {metric: entry["value"] for metric, entry in table.items()}
