"""Orthogonal polynomials by their recurrences in the degree, and their derivatives by the recurrences' derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..op import Array, Bad, Sample, bind
from ._family import Binary
from ._pieces import in_float64


class Recurrence(NamedTuple):
    """p₀ = 1, p₁ = first·x + shift, and p_(k+1) = (a·x + b)·p_k - c·p_(k-1) with a, b, c at k."""

    first: float
    shift: float
    step: Callable[[int], tuple[float, float, float]]


FAMILIES = {
    "chebyshev_t": Recurrence(1, 0, lambda k: (2, 0, 1)),
    "chebyshev_u": Recurrence(2, 0, lambda k: (2, 0, 1)),
    "chebyshev_v": Recurrence(2, -1, lambda k: (2, 0, 1)),
    "chebyshev_w": Recurrence(2, 1, lambda k: (2, 0, 1)),
    "hermite_h": Recurrence(2, 0, lambda k: (2, 0, 2 * k)),
    "hermite_he": Recurrence(1, 0, lambda k: (1, 0, k)),
    "laguerre_l": Recurrence(-1, 1, lambda k: (-1 / (k + 1), (2 * k + 1) / (k + 1), k / (k + 1))),
    "legendre_p": Recurrence(1, 0, lambda k: ((2 * k + 1) / (k + 1), 0, k / (k + 1))),
}
"""Abramowitz and Stegun, table 22.7."""


_MANY = 100
"""Beyond this degree the Chebyshev polynomials are taken by their closed forms."""


def _values(x: Array, n: Array, family: str, derivative: int) -> Array:
    """That derivative, where n is the degree; 0 for negative degrees, NaN for endless ones."""
    first, shift, step = FAMILIES[family]
    degree, points = np.trunc(n).reshape(-1), x.reshape(-1)
    out = np.where(np.isfinite(degree), 0.0, np.nan)
    wanted = np.isfinite(degree) & (degree >= 0)
    if not derivative and family in CLOSED:
        far = wanted & (degree > _MANY)
        out[far] = _closed(points[far], degree[far], family)
        wanted &= ~far
    # What has reached its degree is put away.  Row m holds derivative m of p_(k-1) and of p_k: each comes from its own
    # row and the one before.
    at = np.flatnonzero(wanted)
    before = np.zeros((derivative + 1, at.size))
    now = np.zeros_like(before)
    now[0] = 1.0
    k = 0
    while at.size:
        reached = degree[at] == k
        if k % 64 == 63:
            reached |= np.isnan(now[0])  # which nothing changes any more
        if reached.any():
            out[at[reached]] = now[derivative, reached]
            at, before, now = at[~reached], before[:, ~reached], now[:, ~reached]
        a, b, c = step(k) if k else (first, shift, 0)
        after = (a * points[at] + b) * now - c * before
        after[1:] += a * np.arange(1, derivative + 1)[:, None] * now[:-1]
        before, now = now, after
        k += 1
    return out.reshape(x.shape)


CLOSED: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], float]] = {
    "chebyshev_t": (np.cos, np.cosh, 0.0),
    "chebyshev_u": (np.sin, np.sinh, 1.0),
    "chebyshev_v": (np.cos, np.cosh, 0.5),
    "chebyshev_w": (np.sin, np.sinh, 0.5),
}
"""y = f((n + s)θ) / f(sθ) with cos θ = x, and with the hyperbolic f where cosh θ = x (Abramowitz and Stegun, 22.3.15)."""


def _closed(x: Array, n: Array, family: str) -> Array:
    """The Chebyshev polynomials of high degree; NaN beyond the range, as the recurrence would end."""
    turned = {"chebyshev_v": "chebyshev_w", "chebyshev_w": "chebyshev_v"}.get(family, family)
    out = _right(np.absolute(x), n, *CLOSED[family])
    if (x < 0).any():
        other = _right(np.absolute(x), n, *CLOSED[turned]) * np.where(np.fmod(n, 2) == 0, 1.0, -1.0)
        out = np.where(x < 0, other, out)
    return np.where(np.isfinite(out), out, np.nan)


def _right(
    x: Array, n: Array, f: Callable[[Array], Array], hyperbolic: Callable[[Array], Array], s: float
) -> Array:
    """The closed form for x >= 0, by its limit at 1."""
    inside, angle, growth = x < 1, np.arccos(np.minimum(x, 1.0)), np.arccosh(np.maximum(x, 1.0))
    rising = np.where(inside, f((n + s) * angle), hyperbolic((n + s) * growth))
    at_one = 1.0 if f is np.cos else (n + s) / s
    out = rising / np.where(inside, f(s * angle), hyperbolic(s * growth))
    return np.where(x == 1, at_one, np.where(np.isnan(x), np.nan, out))


class Polynomial(Binary):
    """y = the polynomial of degree n of a ``family`` at x, differentiated ``derivative`` times.

    x̄ = ȳ·the next derivative; none for n.

    The number of steps is a value."""

    floating_only = True

    @classmethod
    def type(cls, *types, family, derivative):
        return super().type(*types)

    def eval(x, n, *, family, derivative):
        return in_float64(lambda x, n: _values(x, n, family, derivative), x, n)

    def vjp(g, _y, x, n, *, family, derivative):
        return lambda: g * bind(Polynomial, x, n, family=family, derivative=derivative + 1), None

    @classmethod
    def samples(cls, r):
        for family in FAMILIES:
            yield Sample(
                r.uniform(-2, 2, (3, 4)),
                r.integers(0, 9, (3, 4)).astype(float),
                grad=(0,),
                family=family,
                derivative=0,
            )
        for shape, dtype in (((), "float64"), ((0, 2), "float64"), ((3,), "float32")):
            x, n = r.uniform(-1, 1, shape).astype(dtype), r.integers(-1, 5, shape).astype(dtype)
            yield Sample(x, n, grad=(0,), family="legendre_p", derivative=1)

    @classmethod
    def errors(cls, r):
        for bad in super().errors(r):
            yield Bad(*bad.inputs, message=bad.message, family="legendre_p", derivative=0)
