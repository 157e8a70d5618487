"""The error function and what belongs to it: erfc, erfcx, and their inverses."""

from __future__ import annotations

import numpy as np

from ..op import Array
from ._pieces import by_range, horner, in_float64

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


def _near(v: Array) -> Array:
    """erf for |v| ≤ 0.46875."""
    square = v * v
    return v * horner(_NEAR_TOP, square) / horner(_NEAR_BOTTOM, square)


def _scaled_tail(v: Array) -> Array:
    """e^(v²)·erfc(v) for v > 0.46875."""

    def far(v: Array) -> Array:
        inverse = (1.0 / v) ** 2
        return (_INV_SQRT_PI - inverse * horner(_FAR_TOP, inverse) / horner(_FAR_BOTTOM, inverse)) / v

    return by_range(
        [(v <= 4.0, lambda v: horner(_MIDDLE_TOP, v) / horner(_MIDDLE_BOTTOM, v)), (v > 4.0, far)], v
    )


def _exp_square(v: Array, sign: float) -> Array:
    """e^(±v²): v is cut into sixteenths and a rest, so that the rounding of v² is not blown up by the exponential."""
    v = np.minimum(v, 40.0)
    coarse = np.trunc(v * 16) / 16
    return np.exp(sign * coarse * coarse) * np.exp(sign * (v - coarse) * (v + coarse))


def _erf(v: Array) -> Array:
    size = np.absolute(v)
    near = size <= 0.46875
    out = _near(np.clip(v, -0.46875, 0.46875))
    if near.all():
        return out
    # Both formulas on everything: for values as networks have them that is quicker than picking out each range.
    size = np.clip(size, 0.46875, 6.0)  # beyond 6 it is 1
    return np.where(near, out, np.copysign(1.0 - np.exp(-size * size) * _scaled_tail(size), v))


def _erfc(v: Array) -> Array:
    return by_range(
        [
            (np.absolute(v) <= 0.46875, lambda v: 1.0 - _near(v)),
            (v > 0, lambda v: _exp_square(v, -1) * _scaled_tail(v)),
            (v < 0, lambda v: 2.0 - _exp_square(-v, -1) * _scaled_tail(-v)),
        ],
        v,
    )


def _erfcx(v: Array) -> Array:
    return by_range(
        [
            (np.absolute(v) <= 0.46875, lambda v: np.exp(v * v) * (1.0 - _near(v))),
            (v > 0, _scaled_tail),
            (v < 0, lambda v: 2.0 * _exp_square(-v, 1) - _scaled_tail(-v)),
        ],
        v,
    )


def erf(x: Array) -> Array:
    """2/√π ∫₀ˣ e^(-t²) dt."""
    return in_float64(_erf, x)


def erfc(x: Array) -> Array:
    """1 - erf(x), accurate where that is small."""
    return in_float64(_erfc, x)


def erfcx(x: Array) -> Array:
    """e^(x²)·erfc(x), without overflow for x > 0."""
    return in_float64(_erfcx, x)


# M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988):
# relative error about 1e-16.  Coefficients from highest to lowest power.
_CENTRE_TOP = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
    1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0,
)  # fmt: skip
_CENTRE_BOTTOM = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
    5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0,
)  # fmt: skip
_OUTER_TOP = (
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
    3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0,
)  # fmt: skip
_OUTER_BOTTOM = (
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0,
)  # fmt: skip
_EXTREME_TOP = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580e0, 5.46378491116411436990e0, 6.65790464350110377720e0,
)  # fmt: skip
_EXTREME_BOTTOM = (
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0,
)  # fmt: skip


def _quantile(off: Array, tail: Array) -> Array:
    """Of the normal distribution, at probability 1/2 + ``off``; ``tail``: what is left on that side."""

    def centre(off: Array, _tail: Array) -> Array:
        r = 0.180625 - off * off
        return off * horner(_CENTRE_TOP, r) / horner(_CENTRE_BOTTOM, r)

    def outer(off: Array, tail: Array) -> Array:
        r = np.sqrt(-np.log(tail)) - 1.6
        return np.copysign(horner(_OUTER_TOP, r) / horner(_OUTER_BOTTOM, r), off)

    def extreme(off: Array, tail: Array) -> Array:
        r = np.sqrt(-np.log(tail)) - 5.0
        return np.copysign(horner(_EXTREME_TOP, r) / horner(_EXTREME_BOTTOM, r), off)

    return by_range(
        [
            (np.absolute(off) <= 0.425, centre),
            (tail >= np.exp(-25.0), outer),
            (tail > 0, extreme),
            (tail == 0, lambda off, _tail: np.copysign(np.inf, off)),
        ],
        off,
        tail,
    )


def erfinv(x: Array) -> Array:
    """The y with erf(y) = x; infinite at -1 and 1, NaN beyond."""
    return in_float64(lambda v: _quantile(v / 2, (1.0 - np.absolute(v)) / 2) / np.sqrt(2.0), x)


def ndtri(p: Array) -> Array:
    """The x below which a share p of the normal distribution lies; infinite at 0 and 1, NaN beyond."""
    return in_float64(lambda p: _quantile(p - 0.5, np.minimum(p, 1.0 - p)), p)
