"""What a finished run is told in: metrics in the target's units beside the baselines, verdicts, files, next step."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrograd.cli.console import Output, is_terminal, table, wrap
from retrograd.cli.progress import LABEL_WIDTH, SEVERITY
from retrograd.report.judgement import margin
from retrograd.report.words import duration, number, score, span

SHORT_NAMES = {
    "rmse": "root mean squared error", "mae": "mean absolute error", "median_absolute_error": "median absolute error",
    "r2": "R²", "accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "log_loss": "log loss",
    "roc_auc": "area under ROC", "f1_macro": "F1 (mean of classes)",
}  # fmt: skip


def tell_run(output: Output, report: Mapping[str, Any], path: Path) -> None:
    """Everything a person needs after training, in about twenty lines of standard output."""
    unit = report["target"].get("unit")
    rows = report["split"]["test"]
    if is_terminal(sys.stdout):
        output.log()  # the result stands apart from the log where both are on one screen
    seen = any(
        finding["code"] == "rows_in_two_splits" and " test row" in finding["message"]
        for finding in report["findings"]
    )
    what = (
        "test rows, of which some were trained on as well" if seen else "test rows that were not trained on"
    )
    output.result(f"{report['target']['name']}: {number(rows)} {what}")
    output.result()
    output.result(comparison_table(report, unit))
    output.result()
    _sentence(output, verdict_sentence(report["comparison"]))
    overfitting = report.get("overfitting")
    if overfitting and overfitting.get("verdict") == "overfitting":
        _sentence(output, overfitting["sentence"])
    curve = report.get("learning_curve")
    if curve:
        _sentence(output, curve["sentence"])
    serious = [finding for finding in report["findings"] if finding["severity"] != "note"]
    for finding in serious:
        _labelled(output, SEVERITY[finding["severity"]], finding["message"])
        if finding.get("hint"):
            _labelled(output, "", f"hint: {finding['hint']}")
    output.result()
    _labelled(output, "trained", trained_words(report))
    _labelled(output, "report", str(path / "report.html"))
    _labelled(output, "next", next_command(path))


def comparison_table(report: Mapping[str, Any], unit: str | None) -> str:
    """The network's metrics with 95 % intervals, and the two baselines on the same rows."""
    test, comparison = report["metrics"]["test"], report["comparison"]
    simple = "mean" if report["task"]["kind"] == "regression" else "most common"
    others = [comparison[name]["metrics"] for name in ("linear", "baseline")]
    lines = [["", "network", "95 % interval", "linear", simple]]
    for metric, entry in test.items():
        line: list[str] = [metric_name(metric), score(metric, entry["value"], unit)]
        line.append(span(metric, entry, unit))
        line += [score(metric, other[metric]["value"], unit) for other in others]
        lines.append(line)
    return table(lines)


def verdict_sentence(comparison: Mapping[str, Any]) -> str:
    """The verdict, and where the network wins, by how much."""
    share = margin(comparison)
    said = comparison["sentence"]
    if comparison["verdict"] != "wins" or share is None:
        return said
    name = metric_name(comparison["metric"])
    amount = f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"
    return f"{said} Its {name} is {amount} lower than the linear model's."


def metric_name(metric: str) -> str:
    """The metric's name in words; an unknown one keeps its own."""
    return SHORT_NAMES.get(metric, metric)


def trained_words(report: Mapping[str, Any]) -> str:
    """Epochs, time, which epoch was kept, and why training ended."""
    training = report["training"]
    seconds = training.get("seconds") or report["cost"]["actual"].get("seconds")
    took = f" in {duration(seconds)}" if seconds else ""
    plural = "" if training["epochs"] == 1 else "s"
    return (
        f"{number(training['epochs'])} epoch{plural}{took}, kept epoch {training['best_epoch']}; "
        f"stopped: {training['stopped_because']}"
    )


def next_command(path: Path) -> str:
    """The command that uses the model.

    >>> next_command(Path("runs/my houses-001"))
    "retrograd predict 'runs/my houses-001' NEWFILE"
    """
    return f"retrograd predict {shlex.quote(str(path))} NEWFILE"


def _labelled(output: Output, label: str, text: str) -> None:
    output.result(wrap(text, indent=" " * LABEL_WIDTH, first=f"{label:<{LABEL_WIDTH}}"))


def _sentence(output: Output, text: str) -> None:
    output.result(wrap(text))
