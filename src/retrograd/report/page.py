"""``report.html``: one file without scripts, network or foreign fonts, written from the run folder's own files."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np

from retrograd.errors import DataError
from retrograd.report import background, results
from retrograd.report.markup import text
from retrograd.report.style import CSS

_CHAPTERS = (
    ("simple", "Simpler models"),
    ("quality", "Quality"),
    ("reliance", "What it looks at"),
    ("training", "Training"),
    ("more-rows", "More rows"),
    ("data", "Data"),
    ("decisions", "Decisions"),
    ("next", "What to do next"),
    ("check", "Checking"),
)


def render(run: str | os.PathLike[str]) -> Path:
    """Write ``report.html`` from ``report.json`` and ``evidence.npz`` of a run folder and return its path.

    The same files give the same bytes.  Raises `DataError` where a file is missing.
    """
    from retrograd.report.files import write_text

    folder = Path(run)
    for name in ("report.json", "evidence.npz"):
        if not (folder / name).is_file():
            raise DataError(
                f"{folder} has no {name}",
                where=str(folder),
                hint="retrograd.report.write_report(run) writes it",
            )
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    with np.load(folder / "evidence.npz", allow_pickle=False) as arrays:
        evidence = {name: arrays[name] for name in arrays.files}
    chapters = {
        "simple": results.simple_models(report),
        "quality": results.quality(report, evidence),
        "reliance": results.reliance(report),
        "training": results.training(report),
        "more-rows": results.more_rows(report, evidence),
        "data": background.data(report),
        "decisions": background.decisions(report),
        "next": background.next_steps(report),
        "check": background.provenance(report),
    }
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in _CHAPTERS if chapters[name])
    body = "\n".join(chapters[name] for name, _ in _CHAPTERS)
    title = text(f"{report['target']['name']} · {report['name']}")
    version = text(report["versions"].get("retrograd", ""))
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{CSS}</style>
</head>
<body>
<header>
{results.in_short(report)}
<nav aria-label="Chapters">{links}</nav>
</header>
<main>
{body}
</main>
<footer>Written by Retrograd {version}. This page loads nothing from anywhere.</footer>
</body>
</html>
"""
    path = folder / "report.html"
    # A number stays with its sign and its unit when a line is broken.
    page = re.sub(r"(?<=\d) %", "&nbsp;%", page)
    page = re.sub(r"−(?=[$£€¥])", "−&#8288;", page)
    write_text(path, page)
    return path
