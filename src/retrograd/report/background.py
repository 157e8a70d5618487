"""The chapters on where the answer comes from: the data, the decisions, the next steps, and how to check it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from retrograd.report import figures
from retrograd.report.markup import (
    advice,
    number,
    paragraph,
    percent,
    quantity,
    section,
    sentence,
    small,
    table,
    text,
)
from retrograd.report.words import short

Report = Mapping[str, Any]
Evidence = Mapping[str, np.ndarray]


def data(report: Report) -> str:
    facts = report["data"]
    names = _names(report)
    notes = " ".join(sentence(note, names) for note in [*facts["notes"], *report["split"]["notes"]])
    source = report["split"].get("test_source")
    return section(
        "data",
        "The data",
        paragraph(
            f"{text(facts['source'])}: {number(facts['n_rows'])} rows, {number(len(facts['columns']))} columns.",
            f"The target is <b>{text(report['target']['name'])}</b>. {sentence(report['target']['reason'], names)}",
            f"It is a {_TASKS[report['task']['kind']]} task. {sentence(report['task']['reason'], names)}",
        ),
        paragraph(
            sentence(report["split"]["how"]), f"Test rows come from {text(source)}." if source else "", notes
        ),
        _splits(report),
        _findings(report),
        table(
            "Every column as it was read",
            ("Column", "Kind", "Use", "Missing", "What is in it", "Why this kind"),
            [_column(column, report["target"].get("unit")) for column in facts["columns"]],
            numeric=(3,),
        ),
    )


_TASKS = {"regression": "regression", "binary": "two-class", "multiclass": "many-class"}


def _splits(report: Report) -> str:
    unit = report["target"].get("unit")
    summary = report["target_summary"]
    splits = ("train", "validation", "test")
    if report["task"]["kind"] == "regression":
        return table(
            "The three parts and their target",
            ("Part", "Rows", "Least", "Median", "Mean", "Most"),
            [
                (
                    split,
                    number(report["split"][split]),
                    *(
                        quantity(summary[split][key], unit)
                        for key in ("minimum", "median", "mean", "maximum")
                    ),
                )
                for split in splits
            ],
            numeric=range(1, 6),
        )
    classes = report["task"]["classes"]
    shown = range(min(len(classes), figures.MOST_CLASSES))
    return table(
        "The three parts and their classes"
        + (f" (the first {len(shown)})" if len(shown) < len(classes) else ""),
        ("Class", *splits),
        [
            ("all rows", *(number(report["split"][split]) for split in splits)),
            *(
                (
                    text(short(classes[k])),
                    *(
                        number(summary[s]["counts"][k])
                        + small(
                            percent(summary[s]["counts"][k] / report["split"][s])
                            if report["split"][s]
                            else ""
                        )
                        for s in splits
                    ),
                )
                for k in shown
            ),
        ],
        numeric=range(1, 4),
    )


def _names(report: Report) -> list[str]:
    return [str(column["name"]) for column in report["data"]["columns"]]


def _findings(report: Report) -> str:
    found, names = report["findings"], _names(report)
    if not found:
        return "<h3>What was found in it</h3>" + paragraph(
            "Nothing: no leaks, no rows in two parts, no duplicates worth a word."
        )
    order = {"problem": 0, "warning": 1, "note": 2}
    entries = []
    for finding in sorted(found, key=lambda f: order.get(f["severity"], 3)):
        kind = finding["severity"] if finding["severity"] in order else "note"
        hint = f'<span class="hint">{advice(finding["hint"])}</span>' if finding.get("hint") else ""
        entries.append(f'<li><span class="tag {kind}">{text(finding["severity"])}</span> '
                       f"{sentence(finding['message'], names)}{hint}</li>")  # fmt: skip
    return f'<h3>What was found in it</h3><ul class="plain">{"".join(entries)}</ul>'


def _column(column: Mapping[str, Any], unit: str | None) -> tuple[str, ...]:
    return (
        text(short(column["name"], 40)),
        text(column["kind"]),
        text(column["use"]),
        number(column["n_missing"]),
        _content(column, unit if column["use"] == "target" else None),
        text(column["reason"]),
    )


def _content(column: Mapping[str, Any], unit: str | None) -> str:
    """``7 to 31, median 12`` or ``16 different, most often Private (22,696 rows)``."""

    def show(key: str) -> str:
        value = column[key]
        return text(short(value)) if isinstance(value, str) else quantity(value, unit)

    parts = []
    if column.get("minimum") is not None and column.get("maximum") is not None:
        parts.append(f"{show('minimum')} to {show('maximum')}")
        if column.get("median") is not None:
            parts.append(f"median {show('median')}")
    elif column.get("n_distinct") is not None:
        parts.append(f"{number(column['n_distinct'])} different")
    if column.get("most_common") is not None:
        count = column.get("most_common_count")
        parts.append(
            f"most often {text(short(column['most_common']))}" + (f" ({number(count)} rows)" if count else "")
        )
    return ", ".join(parts)


def decisions(report: Report) -> str:
    rows = [
        (
            text(entry["what"]),
            text(entry["choice"]),
            text(entry["why"]),
            "you" if entry.get("by") == "you" else "Retrograd",
        )
        for entry in report["decisions"]
    ]
    return section(
        "decisions",
        "What was decided, and why?",
        paragraph(f"The network: {sentence(report['model']['description'])}"),
        table("Every choice, who made it and for what reason", ("Choice", "Taken", "Why", "By"), rows),
    )


def next_steps(report: Report) -> str:
    steps = "".join(
        f"<li><b>{advice(step['what'], colon=True)}</b> {sentence(step['why'])}</li>"
        for step in report["next_steps"]
    )
    command = report.get("next_command")
    return section(
        "next",
        "What to do next",
        f'<ol class="steps">{steps}</ol>' if steps else paragraph("Nothing stands out."),
        paragraph("To predict new rows:") + f"<pre>{text(command)}</pre>" if command else "",
    )


def provenance(report: Report) -> str:
    versions = ", ".join(f"{text(name)} {text(version)}" for name, version in report["versions"].items())
    lines = [
        ("Seed", number(report["seed"]).replace(",", "")),
        ("Threads", number(report["threads"])) if report.get("threads") else None,
        ("Processor", text(report["cpu"])) if report.get("cpu") else None,
        ("Versions", versions),
        ("Data fingerprint", f"<code>{text(report['data']['fingerprint'])}</code>"),
        ("Command", f"<code>{text(report['command'])}</code>") if report.get("command") else None,
    ]
    return section(
        "check",
        "How to check this report",
        paragraph(
            "Every number here stands in <code>report.json</code> beside this page, and every one of those can be "
            "worked out again from the plain files of the run folder: <code>run.json</code>, "
            "<code>metrics.jsonl</code>, <code>predictions.csv</code> and <code>evidence.npz</code>. "
            "The test rows were looked at once, after training had ended."
        ),
        table("Where it comes from", ("", ""), [line for line in lines if line]),
    )
