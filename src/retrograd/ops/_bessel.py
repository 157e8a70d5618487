"""Modified Bessel functions of the first kind, orders 0 and 1."""

from __future__ import annotations

import functools

import numpy as np

from ..op import Array
from ._pieces import by_range, horner, in_float64

_FAR = 25.0
"""From here on the asymptotic series reaches the last digit of a double before it turns."""


@functools.cache
def _power_series(order: int) -> tuple[float, ...]:
    """Coefficients of I(x)/(x/2)^order in powers of (x/2)²: 1/(k! (k + order)!), highest first (DLMF 10.25.2)."""
    c, found = 1.0, [1.0]
    for k in range(1, 56):
        c /= k * (k + order)
        found.append(c)
    return tuple(reversed(found))


@functools.cache
def _asymptotic(order: int) -> tuple[float, ...]:
    """Coefficients of I(x)·√(2πx)·e^(-x) in powers of 1/x, highest first (DLMF 10.40.1)."""
    c, found = 1.0, [1.0]
    for k in range(1, 31):
        c *= -(4 * order * order - (2 * k - 1) ** 2) / (8 * k)
        found.append(c)
    return tuple(reversed(found))


def _scaled(x: Array, order: int) -> Array:
    """e^(-|x|)·I(x)"""
    size = np.absolute(x)

    def near(x: Array) -> Array:
        half = x / 2
        return np.exp(-np.absolute(x)) * horner(_power_series(order), half * half) * half**order

    def far(x: Array) -> Array:
        size = np.absolute(x)
        out = horner(_asymptotic(order), 1 / size) / np.sqrt(2 * np.pi * size)
        return np.copysign(out, x) if order else out

    return by_range([(size <= _FAR, near), (size > _FAR, far)], x)


def _plain(x: Array, order: int) -> Array:
    size = np.absolute(x)
    return by_range(
        [
            (size <= _FAR, lambda x: horner(_power_series(order), (x / 2) ** 2) * (x / 2) ** order),
            # in two halves, because e^|x| alone would overflow a little before I does
            (
                size < np.inf,
                lambda x: _scaled(x, order) * np.exp(np.absolute(x) / 2) * np.exp(np.absolute(x) / 2),
            ),
            (size == np.inf, lambda x: np.copysign(np.inf, x) if order else np.absolute(x)),
        ],
        x,
    )


def bessel_i(x: Array, order: int, scaled: bool) -> Array:
    """I₀ or I₁; ``scaled``: times e^(-|x|)."""
    return in_float64(lambda x: (_scaled if scaled else _plain)(x, order), x)
