"""The report's pictures, as inline SVG that follows the page's colours and says in words what it shows.

Models and splits differ by marker and line as well, so nothing depends on colour.  Text stays text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd.metrics import LearningCurve, fit_learning_curve
from retrograd.report import words
from retrograd.report.drawing import (
    FIRST,
    INK,
    MUTED,
    PAPER,
    SECOND,
    THIRD,
    log_ticks,
    rectangle,
    svg,
    ticks,
    whole_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]

MOST_POINTS = 1500
MOST_CLASSES = 20
MOST_COLUMNS = 15


def learning_curves(report: Report) -> str | None:
    """Loss on training and validation rows after each epoch, with the epoch whose weights were kept."""
    history = [h for h in report["history"] if _real(h.get("epoch"))]
    series = {}
    for key in ("train_loss", "validation_loss"):
        points = [(h["epoch"], h[key]) for h in history if _real(h.get(key))]
        if len(points) > 1:
            series[key] = np.array(points, dtype=np.float64)
    if not series:
        return None
    styles = {
        "train_loss": ("training rows", SECOND, "--"),
        "validation_loss": ("validation rows", FIRST, "-"),
    }

    def draw(figure: Figure, axes: Axes) -> None:
        for key, points in series.items():
            name, colour, line = styles[key]
            axes.plot(points[:, 0], points[:, 1], line, color=colour, label=name)
        losses = np.concatenate([points[:, 1] for points in series.values()])
        if losses.min() > 0 and losses.max() / losses.min() > 20:
            axes.set_yscale("log")
            log_ticks(axes.yaxis, None)
        best = report["training"]["best_epoch"]
        axes.axvline(best, color=MUTED, linewidth=1, linestyle=":")
        axes.annotate(f"kept: epoch {best}", (best, 1.02), xycoords=("data", "axes fraction"), ha="center",
                      color=MUTED)  # fmt: skip
        axes.set_xlabel("epoch (one pass over the training rows)")
        axes.set_ylabel("loss (what training makes small)")
        whole_ticks(axes.xaxis)
        axes.legend(frameon=False)

    ends = "; ".join(f"{styles[k][0]} from {p[0, 1]:.3g} to {p[-1, 1]:.3g}" for k, p in series.items())
    best = report["training"]["best_epoch"]
    return svg("curves", f"Loss by epoch: {ends}. The weights of epoch {best} were kept.", draw)


def comparison(report: Report) -> str:
    """The headline metric of the network, the linear model and the constant, with 95 % intervals."""
    metric = report["comparison"]["metric"]
    unit = report["target"].get("unit")
    rows = [
        ("network", report["metrics"]["test"][metric], "o", FIRST),
        ("linear model", report["comparison"]["linear"]["metrics"][metric], "s", SECOND),
        ("constant", report["comparison"]["baseline"]["metrics"][metric], "D", THIRD),
    ]

    def draw(figure: Figure, axes: Axes) -> None:
        for place, (_, entry, marker, colour) in enumerate(reversed(rows)):
            if _real(entry["low"]) and _real(entry["high"]):
                axes.plot(
                    [entry["low"], entry["high"]], [place, place], color=colour, linewidth=3, alpha=0.55
                )
            axes.plot([entry["value"]], [place], marker, color=colour, markersize=8)
            axes.annotate(words.score(metric, entry["value"], unit), (entry["value"], place), (0, 9),
                          textcoords="offset points", ha="center")  # fmt: skip
        axes.set_yticks(range(3), [name for name, *_ in reversed(rows)])
        axes.set_ylim(-0.6, 2.7)
        axes.margins(x=0.12)
        axes.grid(axis="x")
        ticks(axes.xaxis, lambda x: _brief(metric, x, unit), 4)
        axes.set_xlabel(f"{words.METRIC_NAMES[metric].lower()} on the test rows (less is better)")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)

    told = "; ".join(
        f"{name} {words.score(metric, entry['value'], unit)} ({words.span(metric, entry, unit)})"
        for name, entry, *_ in rows
    )
    name = words.METRIC_NAMES[metric]
    return svg("comparison", f"{name} on the test rows with 95 % intervals: {told}.", draw, height=2.5)


def predicted_and_true(report: Report, evidence: Mapping[str, np.ndarray]) -> str:
    """Every test row (at most `MOST_POINTS`, spread evenly through the file): true value across, predicted up."""
    actual = np.asarray(evidence["test_actual"], dtype=np.float64)
    guess = np.asarray(evidence["test_prediction"], dtype=np.float64)
    n = len(actual)
    shown = np.unique(np.linspace(0, n - 1, min(n, MOST_POINTS)).round().astype(np.int64))
    x, y = actual[shown], guess[shown]
    unit = report["target"].get("unit")
    lowest, highest = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
    logarithmic = lowest > 0 and highest / lowest > 30

    def draw(figure: Figure, axes: Axes) -> None:
        few = len(shown) < 400
        axes.plot(
            x, y, "o", color=FIRST, markersize=4.5 if few else 3, alpha=0.6 if few else 0.4, markeredgewidth=0
        )
        axes.axline((lowest, lowest), (highest, highest) if highest > lowest else None,
                    slope=None if highest > lowest else 1, color=INK, linewidth=1, linestyle="--")  # fmt: skip
        if logarithmic:
            axes.set_xscale("log")
            axes.set_yscale("log")
        else:
            for axis in (axes.xaxis, axes.yaxis):
                ticks(axis, lambda v: words.quantity(v, unit if unit and len(unit) == 1 else None), 5)
        if highest > lowest:
            # Room for the marks at the ends.
            room = (highest / lowest) ** 0.03 if logarithmic else 0.03 * (highest - lowest)
            ends = (lowest / room, highest * room) if logarithmic else (lowest - room, highest + room)
            axes.set_xlim(*ends)
            axes.set_ylim(*ends)
        if logarithmic:
            for axis in (axes.xaxis, axes.yaxis):
                log_ticks(axis, unit)
        name = words.short(report["target"]["name"])
        axes.set_xlabel(f"true {name}")
        axes.set_ylabel(f"predicted {name}")
        axes.set_aspect("equal", adjustable="box")
        axes.grid()

    r2 = report["metrics"]["test"]["r2"]["value"]
    return svg(
        "scatter",
        f"Predicted against true {words.short(report['target']['name'])} for {len(shown):,} of {n:,} test rows; "
        f"points on the dashed line are exact. R squared is {words.number(r2)}.",
        draw,
        height=4.4,
    )


def confusion(report: Report) -> str | None:
    """Counts of true class (down) against predicted class (across), shaded by the share of the true class."""
    counts = np.array(report["confusion"])
    names = [words.short(name, 14) for name in report["task"]["classes"]]
    if len(counts) > MOST_CLASSES:
        return None
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    k = len(counts)

    def draw(figure: Figure, axes: Axes) -> None:
        for i in range(k):
            for j in range(k):
                box = rectangle(j - 0.47, i - 0.47, 0.94, 0.94, FIRST, 0.06 + 0.84 * share[i, j])
                axes.add_patch(box)
                strong = share[i, j] > 0.55
                text = f"{counts[i, j]:,}" if k > 6 else f"{counts[i, j]:,}\n{words.percent(share[i, j])}"
                axes.text(j, i, text, ha="center", va="center", color=PAPER if strong else INK,
                          fontsize=9.5 if k <= 6 else 7, linespacing=1.4)  # fmt: skip
        axes.set_xlim(-0.5, k - 0.5)
        axes.set_ylim(k - 0.5, -0.5)
        crowded = sum(len(name) for name in names) > 36
        axes.set_xticks(range(k), names, rotation=45 if crowded else 0, ha="right" if crowded else "center")
        axes.set_yticks(range(k), names)
        axes.set_xlabel("predicted class")
        axes.set_ylabel("true class")
        axes.tick_params(length=0)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)

    told = "; ".join(
        f"true {names[i]}: {counts[i, i]:,} of {counts[i].sum():,} right ({words.percent(share[i, i])})"
        for i in range(k)
    )
    return svg(
        "confusion", f"Confusion matrix of the test rows. {told}.", draw, height=3.6 if k <= 6 else 4.6
    )


def calibration(report: Report) -> str:
    """Stated against observed: probabilities with their share and its interval, or mean values of groups of rows."""
    table = report["calibration"]["table"]
    unit = report["target"].get("unit")
    if report["calibration"]["kind"] == "value":
        said = np.array([entry["mean_predicted"] for entry in table])
        seen = np.array([entry["mean_actual"] for entry in table])

        def draw_values(figure: Figure, axes: Axes) -> None:
            ends = [min(said.min(), seen.min()), max(said.max(), seen.max())]
            axes.plot(ends, ends, "--", color=INK, linewidth=1)
            axes.plot(said, seen, "o-", color=FIRST, markersize=6, linewidth=1)
            for axis in (axes.xaxis, axes.yaxis):
                ticks(axis, lambda v: words.quantity(v, unit if unit and len(unit) == 1 else None), 4)
            axes.set_xlabel("mean prediction of the group")
            axes.set_ylabel("mean true value of the group")
            axes.grid()

        told = "; ".join(
            f"{words.quantity(p, unit)} predicted, {words.quantity(a, unit)} true" for p, a in zip(said, seen)
        )
        return svg("calibration", f"Mean prediction and mean truth of {len(table)} groups of rows: {told}.",
                    draw_values, height=4.4)  # fmt: skip
    full = [entry for entry in table if entry["n"]]
    binary = report["task"]["kind"] == "binary"
    name = words.short(report["task"]["classes"][1], 18) if binary else "most probable class"

    def draw_shares(figure: Figure, axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], "--", color=INK, linewidth=1)
        for entry in full:
            x = entry["mean_probability"]
            axes.plot(
                [x, x], [entry["observed_low"], entry["observed_high"]], color=FIRST, linewidth=2, alpha=0.55
            )
        axes.plot(
            [e["mean_probability"] for e in full],
            [e["observed"] for e in full],
            "o",
            color=FIRST,
            markersize=6,
        )
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel(f"stated probability of {name}")
        axes.set_ylabel(f"share that was {name}" if binary else "share that was right")
        for axis in (axes.xaxis, axes.yaxis):
            ticks(axis, words.percent, 5)
        axes.grid()

    told = "; ".join(
        f"stated {words.percent(e['mean_probability'])}, came true {words.percent(e['observed'])} of {e['n']:,} rows"
        for e in full
    )
    return svg("calibration", f"Stated probability of {name} against what came true: {told}.", draw_shares)


def importance(report: Report) -> str:
    """How much the headline metric worsens with each column shuffled; the line spans all repeats."""
    columns = report["importance"]["columns"][:MOST_COLUMNS]
    metric = report["importance"]["metric"]
    unit = report["target"].get("unit")

    def draw(figure: Figure, axes: Axes) -> None:
        places = np.arange(len(columns))[::-1]
        axes.barh(places, [c["mean"] for c in columns], height=0.62, color=FIRST, alpha=0.75)
        for place, column in zip(places, columns):
            axes.plot([column["low"], column["high"]], [place, place], color=INK, linewidth=1.4, marker="|",
                      markersize=5)  # fmt: skip
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.set_yticks(places, [words.short(c["name"], 22) for c in columns])
        axes.set_ylim(-0.6, len(columns) - 0.4)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        ticks(axes.xaxis, lambda v: _brief(metric, v, unit), 4)
        axes.set_xlabel(f"rise of the {words.METRIC_NAMES[metric].lower()}")

    told = "; ".join(
        f"{words.short(c['name'])} {words.change(metric, c['mean'], unit)} ({words.span(metric, c, unit, True)})"
        for c in columns
    )
    return svg("importance", f"Rise of the {words.METRIC_NAMES[metric].lower()} when a column is shuffled: {told}.",
                draw, height=1.1 + 0.27 * len(columns))  # fmt: skip


def more_rows(report: Report, evidence: Mapping[str, np.ndarray]) -> str:
    """The measured learning curve, the fitted law, and its 95 % interval up to twice the rows there are."""
    fitted = report["learning_curve"]
    scores = np.asarray(evidence["curve_scores"], dtype=np.float64)
    curve: LearningCurve = fit_learning_curve(
        evidence["curve_rows"], scores.reshape(len(evidence["curve_rows"]), -1)
    )
    unit = report["target"].get("unit")
    metric = fitted["metric"]
    points = fitted["points"]
    now, double = fitted["now"], fitted["double"]
    n = np.geomspace(points[0]["rows"], double["rows"], 40)
    values = np.array([curve.predict(float(size)) for size in n])

    def draw(figure: Figure, axes: Axes) -> None:
        axes.fill_between(n, values[:, 1], values[:, 2], color=FIRST, alpha=0.15, linewidth=0)
        axes.plot(n, values[:, 0], "-", color=FIRST)
        for point in points:
            axes.plot([point["rows"]] * 2, [point["low"], point["high"]], color=INK, linewidth=1.2)
        axes.plot([p["rows"] for p in points], [p["mean"] for p in points], "o", color=INK, markersize=5)
        axes.plot([double["rows"]], [double["value"]], "D", color=SECOND, markersize=7)
        axes.axvline(now["rows"], color=MUTED, linewidth=1, linestyle=":")
        axes.annotate(
            "rows now", (now["rows"], 1.02), xycoords=("data", "axes fraction"), ha="center", color=MUTED
        )
        axes.annotate(
            "twice", (double["rows"], double["value"]), (0, 9), textcoords="offset points", ha="center"
        )
        axes.set_xscale("log")
        shown = np.array(
            sorted({*(p["rows"] for p in points), now["rows"], double["rows"]}), dtype=np.float64
        )
        keep = [shown[0]]
        for size in shown[1:]:
            if size / keep[-1] > (shown[-1] / shown[0]) ** 0.16:
                keep.append(size)
        axes.set_xticks(keep, [words.number(int(size)) for size in keep])
        axes.minorticks_off()
        ticks(axes.yaxis, lambda v: _brief(metric, v, unit), 4)
        axes.margins(x=0.08)
        axes.set_xlabel("training rows")
        axes.set_ylabel(words.METRIC_NAMES[metric].lower())
        axes.grid(axis="y")

    return svg(
        "more-rows",
        f"Validation {words.METRIC_NAMES[metric].lower()} by number of training rows: "
        + "; ".join(f"{p['rows']:,} rows {words.score(metric, p['mean'], unit)}" for p in points)
        + f". Expected with {double['rows']:,} rows: {words.score(metric, double['value'], unit)} "
        f"({words.span(metric, double, unit)}).",
        draw,
    )


def _brief(metric: str, value: float, unit: str | None) -> str:
    """A metric on an axis: without zeros that say nothing."""
    return words.quantity(value, unit if metric == "rmse" else None)


def _real(value: Any) -> bool:
    return isinstance(value, (int, float)) and bool(np.isfinite(value))


__all__: Sequence[str] = (
    "learning_curves", "comparison", "predicted_and_true", "confusion", "calibration", "importance", "more_rows",
)  # fmt: skip
