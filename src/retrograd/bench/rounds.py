"""Timing side by side: everyone takes a turn in each round, and rounds are compared with themselves."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

Times = dict[str, list[float]]
"""Seconds of one step, a number for each round, by name."""
DISTURBED = 0.05
"""A control that is off its median by more than this says that the machine was not the same in that round."""


class Runs(Protocol):
    """Whatever can be told to do n steps and say how many seconds they took."""

    def __call__(self, n: int) -> float: ...


def steps_for(run: Runs, seconds: float) -> int:
    """So many steps that a turn takes about that long; at least two."""
    run(2)
    n = 1
    while True:
        took = run(n)
        if took >= seconds / 4 or n >= 1_000_000:
            return max(2, round(n * seconds / max(took, 1e-9)))
        n = max(2 * n, min(10 * n, round(n * seconds / 2 / max(took, 1e-9))))


def interleave(
    runs: Mapping[str, Runs],
    rounds: int,
    seconds: float,
    failed: Callable[[str, Exception], None] | None = None,
) -> Times:
    """Seconds a step of everyone in each round.

    Each round begins with another, so that nobody always follows the same; a few steps before each turn fill the caches
    again.  Who fails is told to ``failed`` and left out.
    """
    counts: dict[str, int] = {}
    times: Times = {}

    def drop(name: str, error: Exception) -> None:
        if failed is None:
            raise error
        failed(name, error)
        counts.pop(name, None)
        times.pop(name, None)

    for name, run in runs.items():
        try:
            counts[name] = steps_for(run, seconds)
            times[name] = []
        except Exception as error:
            drop(name, error)
    for turn in range(rounds):
        order = list(counts)
        first = turn % max(1, len(order))
        for name in order[first:] + order[:first]:
            try:
                n = counts[name]
                runs[name](max(1, n // 10))
                times[name].append(runs[name](n) / n)
            except Exception as error:
                drop(name, error)
    return times


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median over rounds of ours / theirs.

    >>> paired_ratio([1, 2, 30], [2, 4, 60])
    0.5
    """
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def best_of(times: Times, names: Sequence[str]) -> str | None:
    """Who of these has the least median.

    >>> best_of({"a": [3, 1, 2], "b": [1, 9, 1]}, ["a", "b", "c"])
    'b'
    """
    there = [name for name in names if times.get(name)]
    return min(there, key=lambda name: statistics.median(times[name]), default=None)


def spread(times: Sequence[float]) -> dict[str, float]:
    """Least, median and largest, and how many rounds were off the median by more than `DISTURBED`."""
    middle = statistics.median(times)
    return {
        "least": min(times),
        "median": middle,
        "most": max(times),
        "disturbed_rounds": sum(abs(t / middle - 1) > DISTURBED for t in times),
    }
