"""The chapters on how good the network is, one function each: report in, markup out, as a reader would ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from retrograd.report import figures
from retrograd.report.markup import (
    change,
    duration,
    figure,
    number,
    pair,
    paragraph,
    percent,
    quantity,
    score,
    section,
    sentence,
    size,
    small,
    span,
    table,
    text,
)
from retrograd.report.words import METRIC_MEANINGS, METRIC_NAMES, short

Report = Mapping[str, Any]
Evidence = Mapping[str, np.ndarray]

_VERDICT_WORDS = {"better": "network better", "worse": "network worse", "tie": "no clear difference"}
_MARKS = {"wins": "✓", "ties": "=", "loses": "✗", "useless": "✗"}


def in_short(report: Report) -> str:
    """The head of the page: what was asked, how good the answer is, and whether a network was worth it."""
    test = report["metrics"]["test"]
    unit = report["target"].get("unit")
    target = f"<b>{text(report['target']['name'])}</b>"
    rows = number(report["split"]["test"])
    if report["task"]["kind"] == "regression":
        lede = (
            f"On {rows} rows that it had never seen, half of the network's predictions of {target} were off by less "
            f"than {quantity(test['median_absolute_error']['value'], unit)}. The root mean squared error, which "
            f"counts large errors more, was {score('rmse', test['rmse']['value'], unit)} (95 % interval "
            f"{span('rmse', test['rmse'], unit)})."
        )
    else:
        constant = report["comparison"]["baseline"]["metrics"]["accuracy"]
        lede = (
            f"On {rows} rows that it had never seen, the network named the right {target} in "
            f"{percent(test['accuracy']['value'])} of cases (95 % interval {span('accuracy', test['accuracy'])}). "
            f"Always naming the most common class would be right in {percent(constant['value'])}."
        )
    comparison = report["comparison"]
    verdict = comparison["verdict"]
    inputs = sum(column.get("use") == "input" for column in report["data"]["columns"])
    tiles = [
        (number(report["data"]["n_rows"]), "rows in the data"),
        (number(inputs), "columns used as inputs"),
        (number(report["model"]["parameters"]), "numbers the network learnt"),
        (
            duration(report["cost"]["actual"].get("seconds")),
            f"training, {number(report['training']['epochs'])} epochs",
        ),
    ]
    shown = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in tiles)
    return "\n".join(
        [
            f'<p class="kicker">Training report · {text(report["name"])}</p>',
            f"<h1>Predicting {text(report['target']['name'])}</h1>",
            paragraph(lede, kind="lede"),
            f'<div class="verdict {verdict}"><p><b>{_MARKS[verdict]} Verdict.</b> {text(comparison["sentence"])}</p>'
            f"<p>{_against(report, 'linear')}</p></div>",
            f'<div class="tiles">{shown}</div>',
        ]
    )


def _against(report: Report, model: str) -> str:
    """One sentence with numbers: the paired difference to a baseline in the headline metric."""
    metric = report["comparison"]["metric"]
    unit = report["target"].get("unit")
    name = {"linear": "the linear model", "baseline": "the constant answer"}[model]
    entry = report["comparison"][model]["difference"][metric]
    if entry["difference"] is None:
        return f"A comparison with {name} is not defined on these rows."
    ours = score(metric, report["metrics"]["test"][metric]["value"], unit)
    theirs = score(metric, report["comparison"][model]["metrics"][metric]["value"], unit)
    gap = f"{change(metric, entry['difference'], unit)} (95 % interval {span(metric, entry, unit, signed=True)})"
    if model == "baseline":
        return f"The constant answer's is {theirs}; the network's differs from it by {gap}."
    return f"The network's {METRIC_NAMES[metric].lower()} is {ours}, the linear model's {theirs}: a difference of {gap}."


def simple_models(report: Report) -> str:
    metric = report["comparison"]["metric"]
    unit = report["target"].get("unit")
    comparison = report["comparison"]
    rows = []
    for name, ours in report["metrics"]["test"].items():
        line = comparison["linear"]["difference"][name]
        verdict = _VERDICT_WORDS[line["verdict"]] if line["difference"] is not None else "not defined"
        rows.append(
            (
                f"{METRIC_NAMES[name]}{small(METRIC_MEANINGS[name])}",
                score(name, ours["value"], unit) + small(span(name, ours, unit)),
                *(
                    score(name, comparison[model]["metrics"][name]["value"], unit)
                    + small(span(name, comparison[model]["metrics"][name], unit))
                    for model in ("linear", "baseline")
                ),
                change(name, line["difference"], unit) + small(span(name, line, unit, True)) + small(verdict),
            )
        )
    words = comparison["description"]
    return section(
        "simple",
        "Does it beat simpler models?",
        paragraph(_against(report, "linear"), _against(report, "baseline")),
        figure(
            figures.comparison(report),
            "Marks are the figures on the test rows, bars their 95 % intervals. Bars may overlap and the difference "
            "still be clear, because all three models are judged on the same rows; the table has the differences.",
        ),
        table(
            f"All models on the same {number(report['split']['test'])} test rows, with 95 % intervals. "
            f"{METRIC_NAMES[metric]} decides the verdict.",
            ("Metric", "Network", "Linear model", "Constant", "Network − linear"),
            rows,
            numeric=(1, 2, 3, 4),
        ),
        paragraph(
            f"Linear model: {text(words['linear'])}, on the same prepared columns. "
            f"Constant: {text(words['baseline'])}. "
            f"Intervals come from drawing the test rows anew {number(report['metrics']['resamples']['test'])} times: "
            "they say how far the figures depend on which rows happened to be tested, not how another seed would do.",
        ),
    )


def quality(report: Report, evidence: Evidence) -> str:
    regression = report["task"]["kind"] == "regression"
    unit = report["target"].get("unit")
    if regression:
        n = report["split"]["test"]
        shown = min(n, figures.MOST_POINTS)
        first = figure(
            figures.predicted_and_true(report, evidence),
            f"{number(shown)} of {number(n)} test rows. On the dashed line the prediction is exact; above it is too "
            "high, below it too low.",
        )
        second = figure(
            figures.calibration(report),
            f"Test rows in {len(report['calibration']['table'])} groups of like prediction. Points on the dashed line: "
            "right on average at that level.",
        )
        worst = table(
            "The largest errors on the test rows. Look at them: they are often mistakes in the data.",
            ("Row of the file", "True", "Predicted", "Error"),
            [
                (
                    number(entry["row"]),
                    quantity(entry["actual"], unit),
                    quantity(entry["prediction"], unit),
                    change("rmse", entry["error"], unit),
                )
                for entry in report["largest_errors"]
            ],
            numeric=(1, 2, 3),
        )
        return section("quality", "How good are the predictions?", pair(first, second), worst,
                       paragraph("Rows are counted from 0, the first row of data."))  # fmt: skip
    kind = (
        "stated probability of the chosen class"
        if report["task"]["kind"] == "multiclass"
        else "stated probability"
    )
    error = report["calibration"]["expected_calibration_error"]
    first = figure(
        figures.confusion(report),
        "Each row of squares is one true class. Counts of test rows; darker squares hold a larger share of their row.",
    )
    too_many = "" if first else paragraph(
        f"There are {number(len(report['confusion']))} classes; their confusion matrix is in report.json."
    )  # fmt: skip
    second = figure(
        figures.calibration(report),
        f"Where the points lie on the dashed line, the {kind} can be read as a chance. Lines are 95 % intervals. "
        f"Mean distance (expected calibration error): {percent(error)}.",
    )
    worst = ""
    if report["largest_errors"]:
        worst = table(
            "The test rows where the network was most certain and wrong. Look at them: labels can be wrong too.",
            ("Row of the file", "True", "Predicted", "Stated probability"),
            [
                (
                    number(e["row"]),
                    text(short(e["actual"])),
                    text(short(e["prediction"])),
                    percent(e["probability"]),
                )
                for e in report["largest_errors"]
            ],
            numeric=(3,),
        ) + paragraph("Rows are counted from 0, the first row of data.")
    else:
        worst = paragraph("No test row was given a wrong class.")
    return section("quality", "How good are the predictions?", pair(first, second), too_many, worst)


def reliance(report: Report) -> str:
    importance = report["importance"]
    if not importance:
        return ""
    metric = importance["metric"]
    unit = report["target"].get("unit")
    first = importance["columns"][0]
    hidden = len(importance["columns"]) - figures.MOST_COLUMNS
    more = f" The other {number(hidden)} columns, all weaker, are in report.json." if hidden > 0 else ""
    return section(
        "reliance",
        "What does it look at?",
        paragraph(
            f"Each column was shuffled among {number(importance['rows'])} test rows, {number(importance['repeats'])} "
            f"times, and the network asked again. What it leans on most is <b>{text(short(first['name']))}</b>: "
            f"without it, the {METRIC_NAMES[metric].lower()} of {score(metric, importance['base'], unit)} "
            f"{'rises' if first['mean'] > 0 else 'changes'} by "
            f"{score(metric, first['mean'], unit)}.",
        ),
        figure(
            figures.importance(report),
            f"How much worse the network gets when a column is shuffled. Bars: mean over the shuffles; thin lines: "
            f"the least and the most.{more}",
        ),
        paragraph(
            "This is about the network, not about the world: a column may matter because it travels with the real "
            "cause, and columns that say the same thing share their importance."
        ),
    )


def training(report: Report) -> str:
    train = report["training"]
    metric = report["metrics"]["headline"]
    unit = report["target"].get("unit")
    overfitting = report.get("overfitting")
    estimate, actual = report["cost"]["estimate"], report["cost"]["actual"]
    show = {
        "seconds": ("Time", duration),
        "epochs": ("Epochs", number),
        "memory_bytes": ("Memory", size),
        "operations": ("Operations", lambda amount: size(amount, "multiply-adds")),
        "rows_per_second": ("Rows per second", number),
    }
    costs = [
        (name, form(estimate[key]) if estimate.get(key) is not None else "not estimated",
         form(actual[key]) if actual.get(key) is not None else "not measured")
        for key, (name, form) in show.items()
        if estimate.get(key) is not None or actual.get(key) is not None
    ]  # fmt: skip
    parts = {split: report["metrics"][split][metric] for split in ("train", "validation", "test")}
    names = {
        "train": "training rows, which it learnt from",
        "validation": "validation rows, which chose when to stop",
        "test": "test rows, used once, at the end",
    }
    return section(
        "training",
        "How did training go?",
        paragraph(
            f"Training ran for {number(train['epochs'])} epochs and kept the weights of epoch "
            f"{number(train['best_epoch'])}. {sentence(train['stopped_because'])}",
            text(overfitting["sentence"]) if overfitting else "",
        ),
        figure(
            figures.learning_curves(report),
            "Loss after each epoch. Dashed: rows the network learns from; solid: rows it does not see while learning.",
        ),
        table(
            f"{METRIC_NAMES[metric]} of the network as kept",
            ("Rows", "How many", METRIC_NAMES[metric]),
            [
                (
                    names[split],
                    number(report["split"][split]),
                    score(metric, entry["value"], unit) + small(span(metric, entry, unit)),
                )
                for split, entry in parts.items()
            ],
            numeric=(1, 2),
        ),
        table("What it cost", ("Resource", "Said before", "Measured"), costs, numeric=(1, 2))
        if costs
        else "",
    )


def more_rows(report: Report, evidence: Evidence) -> str:
    curve = report["learning_curve"]
    if not curve:
        return ""
    metric = curve["metric"]
    unit = report["target"].get("unit")
    now, double, gain = curve["now"], curve["double"], curve["change"]
    return section(
        "more-rows",
        "Would more rows help?",
        paragraph(
            text(curve["sentence"]),
            f"With {number(double['rows'])} training rows instead of {number(now['rows'])}, the validation "
            f"{METRIC_NAMES[metric].lower()} should change by {change(metric, gain['value'], unit)} (95 % interval "
            f"{span(metric, gain, unit, True)}), to about {score(metric, double['value'], unit)}.",
        ),
        figure(
            figures.more_rows(report, evidence),
            "Dots: short trainings on part of the rows, with the least and the most. Curve: a power law a + b·n<sup>−c</sup> "
            "fitted to them; the band holds one more training with 95 % probability if the law goes on.",
        ),
    )
