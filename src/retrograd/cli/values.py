"""Words of the command line that mean a number: durations and lists of numbers."""

from __future__ import annotations

import re

from retrograd.errors import UsageError

_SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str | None) -> float | None:
    """Seconds from "90", "90s", "5m", "1h30m".

    >>> parse_duration("90"), parse_duration("5m"), parse_duration("1h30m"), parse_duration("1.5 min")
    (90.0, 300.0, 5400.0, 90.0)
    """
    if text is None:
        return None
    clean = text.lower().replace(" ", "")
    parts = re.findall(r"(\d+(?:\.\d+)?)([a-z]*)", clean)
    known = all(unit in _SECONDS for _, unit in parts)
    whole = "".join(number + unit for number, unit in parts) == clean
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts) if known else 0.0
    if not parts or not whole or seconds <= 0:
        raise UsageError(f"--time-limit {text}: not a length of time", hint="--time-limit 90s, 5m or 1h30m")
    return seconds


def parse_sizes(text: str | None) -> tuple[int, ...] | None:
    """Layer widths from "128,64".

    >>> parse_sizes("128,64"), parse_sizes("32")
    ((128, 64), (32,))
    """
    if text is None:
        return None
    try:
        sizes = tuple(int(part) for part in re.split(r"[,x ]+", text.strip()))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise UsageError(f"--hidden {text}: not a list of layer widths", hint="--hidden 128,64")
    return sizes


def parse_numbers(text: str | None, option: str, example: str) -> tuple[float, ...] | None:
    """Positive numbers from "0.001,0.01".

    >>> parse_numbers("0.001, 1e-2", "--rates", "0.001,0.01")
    (0.001, 0.01)
    """
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        numbers = ()
    if not numbers or not all(0 < number < float("inf") for number in numbers):
        raise UsageError(f"{option} {text}: not a list of positive numbers", hint=f"{option} {example}")
    return numbers
