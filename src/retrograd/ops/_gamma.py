"""The logarithm of the gamma function, its derivative, and the Hurwitz zeta function.

Nothing here is tabulated: the coefficients are Bernoulli numbers and values of the zeta function, computed at first use.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import numpy as np

from ..op import Array
from ._pieces import by_range, horner, in_float64

EULER = 0.57721566490153286061


@functools.cache
def bernoulli(n: int) -> tuple[Fraction, ...]:
    """B₀ .. Bₙ."""
    numbers: list[Fraction] = []
    for m in range(n + 1):
        rest = sum((math.comb(m + 1, k) * b for k, b in enumerate(numbers)), Fraction(0))
        numbers.append(Fraction(1) if m == 0 else -rest / (m + 1))
    return tuple(numbers)


# -- zeta -------------------------------------------------------------------------------------------------------------
_HEAD = 10
"""Terms that are added one by one before the Euler-Maclaurin formula takes the rest."""


@functools.cache
def _maclaurin() -> tuple[float, ...]:
    numbers = bernoulli(26)
    return tuple(float(numbers[2 * j] / math.factorial(2 * j)) for j in range(1, 14))


def _zeta_right(s: Array, q: Array) -> Array:
    """Σ (q + k)^(-s) for s > 1 and q > 0, by Euler and Maclaurin (DLMF 25.11.28)."""
    total = q**-s
    for k in range(1, _HEAD):
        total = total + (q + k) ** -s
    w = q + _HEAD
    # Where the rest is nothing beside the first term its series need not converge, and is left out.
    small = s * np.log1p(_HEAD / q) > 80
    s = np.where(small, 2.0, s)
    power = w**-s
    rest = w ** (1 - s) / (s - 1) + power / 2
    factor = power * s / w
    for j, c in enumerate(_maclaurin(), 1):
        rest = rest + c * factor
        factor = factor * (s + 2 * j - 1) * (s + 2 * j) / (w * w)
    return np.where(small, total, total + rest)


def _zeta(s: Array, q: Array) -> Array:
    def left(s: Array, q: Array) -> Array:
        # The terms left of 0 and the terms right of it, each from the nearest one on: two zeta functions and an end.
        part = q - np.floor(q)
        mirrored = _zeta_right(s, 1 - part) - _zeta_right(s, 1 - q)
        return _zeta_right(s, part) + np.where(np.remainder(s, 2) == 0, mirrored, -mirrored)

    return by_range(
        [
            (s == 1, lambda s, q: np.where(np.isnan(q), np.nan, np.inf)),
            ((s > 1) & (q > 0), _zeta_right),
            ((s > 1) & (q == np.floor(q)), lambda s, q: np.full_like(q, np.inf)),
            ((s > 1) & (s == np.floor(s)) & np.isfinite(q), left),
        ],
        s,
        q,
    )


def zeta(s: Array, q: Array) -> Array:
    """Σ (q + k)^(-s) over k ≥ 0: infinite at s = 1 and where a term is, NaN for s < 1."""
    return in_float64(_zeta, s, q)


# -- the logarithm of the gamma function ------------------------------------------------------------------------------
@functools.cache
def _stirling() -> tuple[float, ...]:
    """Coefficients of ln Γ(x) - (x - 1/2)·ln x + x - ln √(2π) in powers of 1/x², highest first, after a factor 1/x."""
    numbers = bernoulli(16)
    return tuple(float(numbers[2 * k] / (2 * k * (2 * k - 1))) for k in range(8, 0, -1))


def stirling_rest(x: Array) -> Array:
    """What Stirling's formula leaves out of ln Γ(x), for x ≥ 10."""
    inverse = 1.0 / x
    return inverse * horner(_stirling(), inverse * inverse)


@functools.cache
def _about_two() -> tuple[float, ...]:
    """Taylor coefficients of ln Γ(2 + t)/t, highest first: 1 - γ, then (-1)^k (ζ(k) - 1)/k."""
    k = np.arange(2.0, 32.0)
    tail = (-1.0) ** k * _zeta_right(k, np.full_like(k, 2.0)) / k
    return (*map(float, tail[::-1]), 1.0 - EULER)


def gammaln1p(t: Array) -> Array:
    """ln Γ(1 + t) for |t| ≤ 1/2, exact to the last digits at 0."""
    return t * horner(_about_two(), t) - np.log1p(t)


def _lgamma_right(x: Array) -> Array:
    """ln Γ(x) for x > 0."""

    def stepwise(x: Array) -> Array:
        product = np.ones_like(x)
        for _ in range(8):  # down to (1.5, 2.5], without rounding
            far = x > 2.5
            x = np.where(far, x - 1, x)
            product = np.where(far, product * x, product)
        t = x - 2
        return t * horner(_about_two(), t) + np.log(product)

    return by_range(
        [
            (x < 0.5, lambda x: gammaln1p(x) - np.log(x)),
            (x <= 1.5, lambda x: gammaln1p(x - 1)),
            (x < 10, stepwise),
            (
                x >= 10,
                lambda x: (
                    (x - 0.5) * (np.log(x) - 1) + (0.5 * math.log(2 * math.pi) - 0.5) + stirling_rest(x)
                ),
            ),
        ],
        x,
    )


def _lgamma(x: Array) -> Array:
    def left(x: Array) -> Array:
        sine = np.absolute(np.sin(np.pi * (x - np.rint(x))))
        return np.log(np.pi / sine) - _lgamma_right(1 - x)

    return by_range(
        [
            (x > 0, _lgamma_right),
            (x == np.floor(x), lambda x: np.full_like(x, np.inf)),  # 0, -1, -2, .. and -∞
            (x < 0, left),
        ],
        x,
    )


def lgamma(x: Array) -> Array:
    """ln |Γ(x)|: infinite at 0, -1, -2, ..."""
    return in_float64(_lgamma, x)


def gamma1p_small(a: Array) -> Array:
    """Γ(1 + a) for 0 ≤ a < 20."""
    x, product = 1.0 + a, np.ones_like(a)
    for _ in range(20):
        far = x > 1.5
        x = np.where(far, x - 1, x)
        product = np.where(far, product * x, product)
    t = np.where(a <= 0.5, a, x - 1)  # 1 + a would round a tiny a away
    return np.exp(gammaln1p(t)) * product


# -- its derivative ---------------------------------------------------------------------------------------------------
_ROOT, _ROOT_REST = 1.4616321449683622, 9.549995429965697e-17
"""Where digamma is 0 on the right: a double, and the rest of it."""


@functools.cache
def _about_root() -> tuple[float, ...]:
    """Taylor coefficients of ψ at its root, highest first: (-1)^(k+1) ζ(k + 1, root), and 0."""
    k = np.arange(1.0, 36.0)
    c = -((-1.0) ** k) * _zeta_right(k + 1, np.full_like(k, _ROOT))
    return (*map(float, c[::-1]), 0.0)


@functools.cache
def _digamma_tail() -> tuple[float, ...]:
    numbers = bernoulli(16)
    return tuple(float(numbers[2 * k] / (2 * k)) for k in range(8, 0, -1))


def _digamma_right(x: Array) -> Array:
    def large(x: Array) -> Array:
        square = (1.0 / x) ** 2
        return np.log(x) - 0.5 / x - square * horner(_digamma_tail(), square)

    def stepwise(x: Array) -> Array:
        below = np.zeros_like(x)
        for _ in range(10):
            near = x < 10
            below = np.where(near, below + 1.0 / x, below)
            x = np.where(near, x + 1, x)
        return large(x) - below

    return by_range(
        [
            (np.absolute(x - _ROOT) < 0.4, lambda x: horner(_about_root(), (x - _ROOT) - _ROOT_REST)),
            (x >= 10, large),
            (x > 0, stepwise),
        ],
        x,
    )


def _digamma(x: Array) -> Array:
    def left(x: Array) -> Array:
        return _digamma_right(1 - x) - np.pi / np.tan(np.pi * (x - np.rint(x)))

    return by_range(
        [
            (x > 0, _digamma_right),
            (x == 0, lambda x: np.copysign(np.inf, -x)),
            ((x < 0) & (x != np.floor(x)), left),
        ],
        x,
    )


def digamma(x: Array) -> Array:
    """d ln Γ(x)/dx: -∞ at +0, ∞ at -0, NaN at -1, -2, ..."""
    return in_float64(_digamma, x)
