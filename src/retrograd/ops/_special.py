"""Special functions that NumPy lacks, vectorised."""

from __future__ import annotations

import numpy as np

from ..op import Array

# W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969): three ranges of |x|,
# relative error below 1.2e-16.  Coefficients from highest to lowest power.
_NEAR_TOP = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_BOTTOM = (
    1.0,
    2.36012909523441209e1,
    2.44024637934444173e2,
    1.28261652607737228e3,
    2.84423683343917062e3,
)
_MIDDLE_TOP = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1, 2.98635138197400131e2,
    8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
_MIDDLE_BOTTOM = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
_FAR_TOP = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2,
    6.58749161529837803e-4,
)  # fmt: skip
_FAR_BOTTOM = (
    1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3,
)  # fmt: skip
_INV_SQRT_PI = 0.56418958354775628695


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    total = np.full_like(x, coefficients[0])
    for c in coefficients[1:]:
        total *= x
        total += c
    return total


def erf(x: Array) -> Array:
    """2/√π ∫₀ˣ e^(-t²) dt, elementwise, computed in float64 and returned in the dtype of ``x``."""
    v = np.asarray(x, dtype=np.float64)
    size = np.absolute(v)
    near, far = size <= 0.46875, size > 4.0
    square = v * v
    out = v * _horner(_NEAR_TOP, np.minimum(square, 0.25)) / _horner(_NEAR_BOTTOM, np.minimum(square, 0.25))
    if not near.all():
        clipped = np.clip(size, 0.46875, 4.0)
        tail = np.exp(-clipped * clipped) * _horner(_MIDDLE_TOP, clipped) / _horner(_MIDDLE_BOTTOM, clipped)
        if far.any():
            wide = np.clip(size, 4.0, 27.0)  # beyond 27 the tail is below the smallest double
            inverse = 1.0 / (wide * wide)
            ratio = inverse * _horner(_FAR_TOP, inverse) / _horner(_FAR_BOTTOM, inverse)
            tail = np.where(far, np.exp(-wide * wide) * (_INV_SQRT_PI - ratio) / wide, tail)
        out = np.where(near, out, np.copysign(1.0 - tail, v))
    out = np.where(np.isnan(v), np.nan, out)
    return out.astype(x.dtype)
