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


def _values(x: Array, n: Array, family: str, derivative: int) -> Array:
    """That derivative, where n is the degree; 0 for negative degrees, NaN for endless ones."""
    first, shift, step = FAMILIES[family]
    degree = np.trunc(n)
    out = np.where(np.isfinite(n), np.where(np.isnan(x), x, 0.0), np.nan)
    # Row m holds derivative m of p_(k-1) and of p_k: each comes from its own row and the one before.
    before = np.zeros((derivative + 1, *x.shape))
    now = np.zeros_like(before)
    now[0] = 1.0
    top = int(degree[np.isfinite(degree)].max(initial=-1))
    for k in range(top + 1):
        out = np.where(degree == k, now[derivative], out)
        a, b, c = step(k) if k else (first, shift, 0)
        after = (a * x + b) * now - c * before
        after[1:] += a * np.arange(1, derivative + 1).reshape(-1, *(1,) * x.ndim) * now[:-1]
        before, now = now, after
    return out


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
