"""The incomplete gamma functions: shares of Γ(a) = ∫ t^(a-1) e^(-t) dt that lie below and above x.

Where each formula is used follows W. Gautschi, "A computational procedure for incomplete gamma functions", ACM TOMS 5
(1979); for large a with x near it, N. M. Temme's uniform expansion (DLMF 8.12) is used, with coefficients from its own
recurrence instead of a table.
"""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np

from ..op import Array
from ._errorfunction import erfc
from ._gamma import bernoulli, gamma1p_small, gammaln1p, stirling_rest
from ._pieces import by_range, horner, in_float64

_WIDTH, _DEPTH = 26, 14
"""Terms of Temme's expansion in η and in 1/a."""


_LEVELS = 130
"""Of the continued fraction; at x = 1.1, where it converges most slowly, 80 suffice."""


@functools.cache
def _temme() -> tuple[tuple[float, ...], ...]:
    """d(k, n) for k < _DEPTH, the highest n first (DLMF 8.12.8 to 8.12.12)."""
    n = _WIDTH + 2 * _DEPTH
    alpha = [Fraction(0), Fraction(1), Fraction(1, 3)]
    for i in range(3, n + 3):
        inner = sum((k * alpha[k] * alpha[i - k + 1] for k in range(2, i)), Fraction(0))
        alpha.append((alpha[i - 1] - inner) / (i + 1))
    numbers = bernoulli(_DEPTH + 1)
    stirling = [Fraction(1)]  # of Γ*(a), from its logarithm
    for k in range(1, _DEPTH):
        terms = (numbers[j + 1] / (j + 1) * stirling[k - j] for j in range(1, k + 1, 2))
        stirling.append(sum(terms, Fraction(0)) / k)
    first = [Fraction(-1, 3)] + [(i + 2) * alpha[i + 2] for i in range(1, n)]
    rows, row = [first], first
    for k in range(1, _DEPTH):
        row = [
            (-1) ** k * stirling[k] * first[i] + (i + 2) * row[i + 2]
            for i in range(min(len(row) - 2, len(first)))
        ]
        rows.append(row)
    return tuple(tuple(float(c) for c in reversed(row[:_WIDTH])) for row in rows)


def _log_gap(a: Array, x: Array) -> Array:
    """μ - ln(1 + μ) for μ = (x - a)/a, without cancellation."""
    mu = (x - a) / a
    s = mu / (2 + mu)
    near = np.absolute(mu) < 0.4
    square = np.where(near, s * s, 0.0)
    series = mu * s - 2 * s * square * horner((1 / k for k in range(27, 1, -2)), square)
    return np.where(near, series, mu - np.log1p(mu))


def _front(a: Array, x: Array) -> Array:
    """x^a e^(-x) / Γ(a + 1)"""

    def small(a: Array, x: Array) -> Array:
        t = np.minimum(x, 800.0)  # beyond, it is 0, and x^a might overflow
        return t**a * np.exp(-t) / gamma1p_small(a)

    def large(a: Array, x: Array) -> Array:
        return np.exp(-a * _log_gap(a, x) - stirling_rest(a)) / np.sqrt(2 * np.pi * a)

    return by_range([(a < 20, small), (a >= 20, large)], a, x)


def _until_still(step, state, most: int) -> tuple[Array, ...]:
    """Repeat ``step`` until its result, the first of the state, changes no more."""
    for n in range(1, most):
        after = step(n, *state)
        if np.array_equal(after[0], state[0]):
            break
        state = after
    return state


def _series(a: Array, x: Array) -> Array:
    """P as a power series (DLMF 8.11.4)."""

    def step(n: int, total: Array, term: Array) -> tuple[Array, Array]:
        term = term * (x / (a + n))
        return total + term, term

    one = np.ones_like(x)
    return _front(a, x) * _until_still(step, (one, one), 400)[0]


def _fraction(a: Array, x: Array) -> Array:
    """Q as a continued fraction (DLMF 8.9.2), from its back: there rounding errors do not add up."""
    b = x + 1 - a
    tail = b + 2 * _LEVELS
    for n in range(_LEVELS, 0, -1):
        tail = b + 2 * (n - 1) + n * (a - n) / tail
    return _front(a, x) * a / tail


def _complement_series(a: Array, x: Array) -> Array:
    """Q for small x and a, where 1 - P would lose digits (DLMF 8.7.3)."""

    def step(n: int, total: Array, term: Array) -> tuple[Array, Array]:
        term = -term * x / n
        return total + term / (a + n), term

    total = _until_still(step, (np.zeros_like(x), np.ones_like(x)), 100)[0]
    t = np.where(a <= 0.5, a, a - 1)
    log_gamma = np.where(a <= 0.5, gammaln1p(t), gammaln1p(t) + np.log(np.where(a <= 0.5, 1.0, a)))
    power = a * np.log(x) - log_gamma
    return -np.expm1(power) - np.exp(power) * a * total


def _uniform(a: Array, x: Array, sign: float) -> Array:
    """P (sign -1) or Q (sign 1) for large a and x near it."""
    gap = _log_gap(a, x)
    eta = np.copysign(np.sqrt(2 * gap), x - a)
    total = np.zeros_like(a)
    for row in reversed(_temme()):
        total = total / a + horner(row, eta)
    rest = np.exp(-a * gap) / np.sqrt(2 * np.pi * a) * total
    return 0.5 * erfc(sign * eta * np.sqrt(a / 2)) + sign * rest


def _regularised(a: Array, x: Array, upper: bool) -> Array:
    with np.errstate(all="ignore"):
        near = (a >= 20) & (np.absolute(x - a) < 0.3 * a)
        log = np.log(x)
        below = np.where(x > 1.1, x < a, np.where(x <= 0.5, -0.4 / log < a, 1.1 * x < a))
    sound = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)

    def certain(value: float):
        return lambda a, x: np.full_like(a, 1 - value if upper else value)

    def lower(a: Array, x: Array) -> Array:
        return 1 - _series(a, x) if upper else _series(a, x)

    def higher(formula):
        return lambda a, x: formula(a, x) if upper else 1 - formula(a, x)

    pieces = [
        (sound & near, lambda a, x: _uniform(a, x, 1.0 if upper else -1.0)),
        (sound & (below | (~np.bool_(upper) & (x <= 1.1))), lower),
        (sound & (x > 1.1), higher(_fraction)),
        (sound, higher(_complement_series)),
        ((x == 0) & (a > 0), certain(0.0)),
        ((a == 0) & (x > 0), certain(1.0)),
        ((a > 0) & np.isfinite(a) & (x == np.inf), certain(1.0)),
        ((a == np.inf) & (x >= 0) & np.isfinite(x), certain(0.0)),
    ]
    return by_range(pieces, a, x)


def igamma(a: Array, x: Array, upper: bool) -> Array:
    """The lower share P(a, x), or the upper one Q = 1 - P; NaN for negative arguments."""
    return in_float64(lambda a, x: _regularised(a, x, upper), a, x)
