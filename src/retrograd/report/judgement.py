"""Verdicts in plain words, from numbers that are already in the report; the rules are fixed and stand here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORTH_HAVING = 0.01
"""A change of the headline metric under one hundredth of its value is not worth collecting rows for."""
NEGLIGIBLE = 0.02
NARROW = 0.02
POORLY_CALIBRATED = 0.05


def judge_comparison(comparison: Mapping[str, Any]) -> dict[str, str]:
    """``verdict`` and ``sentence`` from the paired differences in the headline metric on the test rows.

    "wins" (better than both), "ties" (better than the constant, level with the line), "loses" (worse than the line),
    "useless" (not better than the constant).  A win by less than `NARROW` is called narrow.
    """
    metric = comparison["metric"]
    constant = comparison["baseline"]["difference"][metric]["verdict"]
    line = comparison["linear"]["difference"][metric]["verdict"]
    if constant != "better":
        verdict = "useless"
        sentence = (
            "The network has not learnt anything that these test rows can show: it is no better than giving every "
            "row the same answer."
        )
        if line == "worse":
            sentence += " The linear model is better than the network; use that one."
    elif line == "better":
        verdict = "wins"
        share = margin(comparison)
        how = " narrowly" if share is not None and share < NARROW else ""
        sentence = (
            f"The network wins{how}: it is better than the constant answer and better than the linear model."
        )
    elif line == "tie":
        verdict = "ties"
        sentence = (
            "The network does not win: it is better than the constant answer, but level with the linear model "
            "within the doubt that the test rows leave. The linear model is simpler."
        )
    else:
        verdict = "loses"
        sentence = (
            "The network does not win: the linear model is better on the test rows. Use the linear model, or find "
            "out what the network misses."
        )
    return {"verdict": verdict, "sentence": sentence}


def margin(comparison: Mapping[str, Any]) -> float | None:
    """Difference to the linear model in the headline metric as a share of the linear model's; None where it has none."""
    metric = comparison["metric"]
    difference = comparison["linear"]["difference"][metric]["difference"]
    theirs = comparison["linear"]["metrics"][metric]["value"]
    return None if not theirs or difference is None else abs(difference / theirs)


def judge_more_rows(curve: Mapping[str, Any], present: float | None = None) -> dict[str, str]:
    """``verdict`` and ``sentence`` on collecting twice the rows: "helps", "little" or "unclear".

    ``present``: the model's own score on the validation rows, which the shorter runs of the curve may not reach.
    """
    size = abs(curve["now"]["value"])
    change = curve["change"]
    if change["high"] < 0 and present is not None and curve["double"]["value"] > present:
        return {
            "verdict": "unclear",
            "sentence": "These runs do not settle whether more rows would help: they are shorter than the model's own "
            "training, and even with twice the rows they would not reach its score.",
        }
    if change["high"] < 0 and -change["value"] >= WORTH_HAVING * size:
        return {
            "verdict": "helps",
            "sentence": "More rows would help: the error is still falling as rows are added.",
        }
    if change["low"] > -NEGLIGIBLE * size:
        return {
            "verdict": "little",
            "sentence": "More rows of the same kind would change little; better columns are worth more.",
        }
    return {
        "verdict": "unclear",
        "sentence": "These runs do not settle whether more rows would help: the interval allows for both.",
    }


def next_steps(report: Mapping[str, Any]) -> list[dict[str, str]]:
    """What to do now, the most important first; each with its reason and no numbers of its own."""
    steps = [
        {"what": finding["hint"], "why": finding["message"]}
        for severity in ("problem", "warning")
        for finding in report["findings"]
        if finding["severity"] == severity and finding.get("hint")
    ]
    verdict = report["comparison"]["verdict"]
    if verdict == "useless":
        steps.append(
            {
                "what": "Look at the data before the network",
                "why": "no model here does better than a constant: the columns may not hold what decides the target",
            }
        )
    elif verdict in ("ties", "loses"):
        steps.append(
            {
                "what": "Prefer the linear model, or give the network what a line cannot use",
                "why": "on these rows the network's extra cost buys nothing that can be measured",
            }
        )
    if report.get("overfitting", {}).get("verdict") == "overfitting":
        steps.append(
            {
                "what": "Try dropout, a smaller network or more rows",
                "why": "the network is much better on rows it has seen than on rows it has not",
            }
        )
    training = report["training"]
    if training["epochs"] > 1 and training["best_epoch"] == training["epochs"]:
        steps.append(
            {
                "what": "Train for more epochs",
                "why": "the last epoch was the best one: it was still getting better",
            }
        )
    curve = report["learning_curve"]
    if curve and curve["verdict"] == "helps":
        steps.append(
            {"what": "Collect more rows of the same kind", "why": "the learning curve is still falling"}
        )
    calibration = report["calibration"]
    if calibration.get("expected_calibration_error", 0.0) > POORLY_CALIBRATED:
        steps.append(
            {
                "what": "Use the classes, but do not read the probabilities as chances",
                "why": "stated and observed shares differ (see the calibration picture)",
            }
        )
    importance = report["importance"]
    if importance:
        idle = [column["name"] for column in importance["columns"] if column["low"] <= 0]
        if idle and len(idle) < len(importance["columns"]):
            shown = ", ".join(idle[:5]) + (" and others" if len(idle) > 5 else "")
            steps.append(
                {
                    "what": "Consider leaving out columns that carry nothing",
                    "why": f"shuffling them made no difference that can be told from chance: {shown}",
                }
            )
    if verdict == "wins" and not any(finding["severity"] == "problem" for finding in report["findings"]):
        steps.append(
            {
                "what": "Use the model on new rows of the same kind",
                "why": "it beat the simpler models on rows it had never seen",
            }
        )
    return steps
