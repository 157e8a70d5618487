"""Numbers and names as people read them: units, separators, as many digits as the number deserves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

METRIC_NAMES = {
    "rmse": "Root mean squared error",
    "mae": "Mean absolute error",
    "median_absolute_error": "Median absolute error",
    "r2": "R²",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "log_loss": "Log loss",
    "roc_auc": "Area under the ROC curve",
    "f1_macro": "F1, mean over classes",
}
METRIC_MEANINGS = {
    "rmse": "size of an error, large ones counting more; less is better",
    "mae": "average size of an error; less is better",
    "median_absolute_error": "half of all errors are smaller; less is better",
    "r2": "share of the target's variation that is explained; 1 is perfect, 0 is no better than the mean",
    "accuracy": "share of rows given the right class; more is better",
    "balanced_accuracy": "the same, every class counting equally; more is better",
    "log_loss": "price of being sure and wrong, in nats; less is better",
    "roc_auc": "chance that a row of the class is ranked above one of another; 0.5 is guessing, 1 is perfect",
    "f1_macro": "balance of finding a class and not crying wolf; more is better",
}
MONEY = ("$", "£", "€", "¥")
_IN_UNITS = ("rmse", "mae", "median_absolute_error")
_SHARES = ("accuracy", "balanced_accuracy")
NONE = "not defined"


def number(value: Any) -> str:
    """A count, or a measured number with four figures that matter.

    >>> number(21613), number(540088.14), number(0.0123456), number(12.3456), number(None), number(-3.0)
    ('21,613', '540,088', '0.01235', '12.35', 'not defined', '−3')
    """
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    sign = "−" if value < 0 else ""
    size = abs(value)
    if isinstance(value, int) or size == int(size) < 1e15:
        return sign + (f"{int(size):,}" if size < 1e15 else f"{size:.3e}")
    if size >= 1000:
        return sign + (f"{size:,.0f}" if size < 1e15 else f"{size:.3e}")
    if size < 1e-4:
        return sign + f"{size:.2e}"
    text = f"{size:.{3 - math.floor(math.log10(size))}f}"
    return sign + (text.rstrip("0").rstrip(".") if "." in text else text)


def row_count(count: int, what: str = "row") -> str:
    """A number of rows.

    >>> row_count(1), row_count(21613), row_count(1, "test row")
    ('1 row', '21,613 rows', '1 test row')
    """
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def quantity(value: float | None, unit: str | None) -> str:
    """A number in the target's unit; money signs go in front.

    >>> quantity(-50000.0, "$"), quantity(903.94, "$"), quantity(3.25, "rings"), quantity(2.0, None)
    ('−$50,000', '$904', '3.25 rings', '2')
    """
    text = number(value)
    if value is None or not unit:
        return text
    if unit in MONEY:
        if abs(value) >= 100:
            text = number(round(value))
        return f"−{unit}{text[1:]}" if text.startswith("−") else unit + text
    return f"{text} {unit}"


def percent(share: float | None) -> str:
    """>>> percent(0.98765), percent(1.0), percent(None)
    ('98.8 %', '100 %', 'not defined')
    """
    if share is None:
        return NONE
    text = f"{100 * share:.1f}".replace("-", "−")
    return f"{text.removesuffix('.0')} %"


def score(metric: str, value: float | None, unit: str | None = None) -> str:
    """A metric as it is read: dollars, per cent, or three decimals.

    >>> score("rmse", 129345.6, "$"), score("accuracy", 0.8512), score("log_loss", 0.31234)
    ('$129,346', '85.1 %', '0.312')
    """
    if value is None:
        return NONE
    if metric in _IN_UNITS:
        return quantity(value, unit)
    if metric in _SHARES:
        return percent(value)
    return _three(value)


def _three(value: float) -> str:
    """Three decimals, and no minus sign before a zero."""
    text = f"{value:.3f}"
    return ("0.000" if text == "-0.000" else text).replace("-", "−")


def change(metric: str, value: float | None, unit: str | None = None) -> str:
    """A difference of a metric, with its sign; differences of shares are percentage points.

    >>> change("rmse", -3.0, "$"), change("accuracy", 0.015), change("r2", 0.1234)
    ('−$3', '+1.5 points', '+0.123')
    """
    if value is None:
        return NONE
    if metric in _SHARES:
        text = f"{100 * value:.1f} points".replace("-", "−")
    elif metric in _IN_UNITS:
        text = quantity(value, unit)
    else:
        text = _three(value)
    return text if value <= 0 else f"+{text}"


def span(metric: str, entry: Mapping[str, Any], unit: str | None = None, signed: bool = False) -> str:
    """``low to high`` of an entry with an interval; empty where there is none."""
    if entry.get("low") is None or entry.get("high") is None:
        return ""
    show = change if signed else score
    return f"{show(metric, entry['low'], unit)} to {show(metric, entry['high'], unit)}"


def duration(seconds: float | None) -> str:
    """>>> duration(0.42), duration(75.2), duration(7500)
    ('0.42 s', '1 min 15 s', '2 h 5 min')
    """
    if seconds is None:
        return "not measured"
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(amount: float | None, unit: str = "B") -> str:
    """Bytes or operations with a decimal prefix.

    >>> size(512), size(52_300_000), size(3.2e12, "operations")
    ('512 B', '52.3 MB', '3.2 T operations')
    """
    if amount is None:
        return "not measured"
    step = 0
    scaled = float(amount)
    while scaled >= 999.5 and step < 6:
        scaled /= 1000
        step += 1
    prefix = ("", "k", "M", "G", "T", "P", "E")[step]
    gap = " " if len(unit) > 1 and prefix else ""
    return f"{scaled:.3g} {prefix}{gap}{unit}"


def short(name: str, limit: int = 28) -> str:
    """A name that fits a picture: one line, no control characters, an ellipsis where it was cut.

    >>> short("a\\nb"), short("x" * 40, 5)
    ('a b', 'xxxx…')
    """
    clean = "".join(c if c.isprintable() else " " for c in str(name))
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
