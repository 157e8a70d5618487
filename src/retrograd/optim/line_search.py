"""How far to go along a direction: the strong Wolfe conditions (Nocedal and Wright, 2nd edition, algorithms 3.5, 3.6)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Point:
    """A place on the line: the distance along it, the loss, its slope along the line, and the gradient."""

    at: float
    loss: float
    slope: float
    gradient: Any


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float] | None = None) -> float:
    """Where the cubic through two points with their slopes is lowest, within ``bounds`` (default: between them)."""
    low, high = bounds or (min(a.at, b.at), max(a.at, b.at))
    left, right = (a, b) if a.at <= b.at else (b, a)
    mean = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.at - b.at)
    square = mean**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    root = math.sqrt(square)
    down = right.slope - left.slope + 2 * root
    if down == 0:
        return high if right.slope + root - mean < 0 else low
    best = right.at - (right.at - left.at) * ((right.slope + root - mean) / down)
    return min(max(best, low), high)


def strong_wolfe(
    evaluate: Callable[[float], Point],
    start: Point,
    first: float,
    largest: float,
    *,
    max_evaluations: int,
    tolerance: float,
    decrease: float = 1e-4,
    curvature: float = 0.9,
) -> tuple[Point, int]:
    """A point where the loss fell enough and its slope is flat enough, and how often the loss was computed.

    ``largest``: the largest entry of the direction, so that brackets narrower than ``tolerance`` end the search.
    """

    def falls(p: Point) -> bool:
        return p.loss <= start.loss + decrease * p.at * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -curvature * start.slope

    point, evaluations = evaluate(first), 1
    before, rounds = start, 0
    bracket: list[Point] = []
    while rounds < max_evaluations:
        if not falls(point) or (rounds > 1 and point.loss >= before.loss):
            bracket = [before, point]
        elif flat(point):
            return point, evaluations
        elif point.slope >= 0:
            bracket = [before, point]
        if bracket:
            break
        ahead = (point.at + 0.01 * (point.at - before.at), point.at * 10)
        before, point = point, evaluate(cubic_minimum(before, point, ahead))
        evaluations, rounds = evaluations + 1, rounds + 1
    low, high = sorted(bracket or [start, point], key=lambda p: p.loss)

    stuck = False
    while rounds < max_evaluations and abs(high.at - low.at) * largest >= tolerance:
        at, stuck = _inside(low, high, stuck)
        point = evaluate(at)
        evaluations, rounds = evaluations + 1, rounds + 1
        if not falls(point) or point.loss >= low.loss:
            high = point
            if high.loss < low.loss:
                low, high = high, low
            continue
        if flat(point):
            return point, evaluations
        if point.slope * (high.at - low.at) >= 0:
            high = low
        low = point
    return low, evaluations


def _inside(a: Point, b: Point, stuck: bool) -> tuple[float, bool]:
    """Where to look next between two points; not twice in a row within a tenth of the ends."""
    at = cubic_minimum(a, b)
    left, right = min(a.at, b.at), max(a.at, b.at)
    edge = 0.1 * (right - left)
    if min(right - at, at - left) >= edge:
        return at, False
    if not stuck and left < at < right:
        return at, True
    return (right - edge if right - at < at - left else left + edge), False
