"""Reading a run folder, and writing the report's two files so that a killed process leaves no half of one."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.errors import DataError
from retrograd.files import write_atomically
from retrograd.report.build import build_report


def read_run(
    run: str | os.PathLike[str],
) -> tuple[dict[str, Any], dict[str, np.ndarray], list[dict[str, Any]]]:
    """Facts, evidence and history of a run folder (see `retrograd.report.schema`)."""
    folder = Path(run)
    for name in ("run.json", "evidence.npz"):
        if not (folder / name).is_file():
            raise DataError(
                f"{folder} has no {name}", where=str(folder), hint="give the folder of a finished run"
            )
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    with np.load(folder / "evidence.npz", allow_pickle=False) as arrays:
        evidence = {name: arrays[name] for name in arrays.files}
    history: list[dict[str, Any]] = []
    log = folder / "metrics.jsonl"
    if log.is_file():
        history = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    return facts, evidence, history


def write_report(run: str | os.PathLike[str]) -> dict[str, Any]:
    """Build ``report.json`` from the run folder, then ``report.html`` from it; returns the report."""
    from retrograd.report.page import render

    folder = Path(run)
    report = build_report(*read_run(folder))
    write_text(
        folder / "report.json", json.dumps(report, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )
    render(folder)
    return report


def write_text(path: Path, text: str) -> None:
    """Write ``text`` in UTF-8; a reader sees the old file or the new one, never half."""
    write_atomically(path, text.encode())
