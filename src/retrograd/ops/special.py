"""Special functions as primitives: each one here cannot be composed of others without losing digits or range."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import GradError
from ..op import Bad, Sample, bind
from . import _bessel, _errorfunction, _gamma, _igamma
from ._family import Binary, Unary, fill
from ._pieces import in_float64
from .arithmetic import Abs, Sign
from .elementwise import Exp, Log
from .logic import Eq, Gt, Where

_TWO_OVER_ROOT_PI = 1.1283791670955126
_ROOT_PI_OVER_TWO = 0.886226925452758
_ROOT_TWO_PI = 2.5066282746310002


class Erf(Unary):
    """y = 2/√π ∫₀ˣ e^(-t²) dt.   x̄ = ȳ·2/√π·e^(-x²).  NumPy has no error function."""

    exact = (-3.0, 0.3, 0.6, 4.5)

    def eval(x):
        return _errorfunction.erf(x)

    def vjp(g, _y, x):
        return (g * (bind(Exp, -(x * x)) * _TWO_OVER_ROOT_PI),)


class Erfc(Unary):
    """y = 1 - erf x.   x̄ = -ȳ·2/√π·e^(-x²).  The difference would be all rounding from x = 6 on."""

    exact = (-3.0, 0.3, 0.6, 4.5)

    def eval(x):
        return _errorfunction.erfc(x)

    def vjp(g, _y, x):
        return (g * (bind(Exp, -(x * x)) * -_TWO_OVER_ROOT_PI),)


class Erfcx(Unary):
    """y = e^(x²)·erfc x.   x̄ = ȳ·(2xy - 2/√π).  The factors overflow and underflow where y is 1/(x√π)."""

    exact = (-3.0, 0.3, 0.6, 4.5)

    def eval(x):
        return _errorfunction.erfcx(x)

    def vjp(g, y, x):
        return (g * (x * y * 2 - _TWO_OVER_ROOT_PI),)


class Erfinv(Unary):
    """y with erf y = x; NaN beyond ±1.   x̄ = ȳ·√π/2·e^(y²).  An inverse has no composition."""

    domain = (-0.9, 0.9)
    exact = (-0.95, 0.0, 0.95)

    def eval(x):
        return _errorfunction.erfinv(x)

    def vjp(g, y, _x):
        return (g * (bind(Exp, y * y) * _ROOT_PI_OVER_TWO),)


class Ndtri(Unary):
    """y with P(normal < y) = x; NaN beyond [0, 1].   x̄ = ȳ·√(2π)·e^(y²/2).  erfinv(2x - 1) knows nothing of x < 1e-16."""

    domain = (0.1, 0.9)
    exact = (0.05, 0.5, 0.95)

    def eval(x):
        return _errorfunction.ndtri(x)

    def vjp(g, y, _x):
        return (g * (bind(Exp, y * y * 0.5) * _ROOT_TWO_PI),)


class Lgamma(Unary):
    """y = ln |Γ(x)|, infinite at 0, -1, -2, ...   x̄ = ȳ·digamma(x).  NumPy has no gamma function."""

    domain = (0.3, 9.0)
    exact = (-2.3, -0.4, 1.0, 2.0, 30.0)

    def eval(x):
        return _gamma.lgamma(x)

    def vjp(g, _y, x):
        return (g * bind(Digamma, x),)


class Digamma(Unary):
    """y = d ln Γ(x)/dx.   x̄ = ȳ·zeta(2, x).  It is no special case of zeta, and has a root of its own."""

    domain = (0.5, 9.0)
    exact = (-2.3, -0.4, 1.0, 1.46, 2.0, 30.0)

    def eval(x):
        return _gamma.digamma(x)

    def vjp(g, _y, x):
        return (g * bind(Zeta, fill(x, 2.0), x),)


class Zeta(Binary):
    """y = Σ (q + k)^(-s), k ≥ 0; NaN for s < 1.   q̄ = -ȳ·s·zeta(s + 1, q); none for s.  An infinite sum."""

    floating_only = True
    domains = ((1.5, 6.0), (0.5, 5.0))

    def eval(s, q):
        return _gamma.zeta(s, q)

    reads = ("", "s q")

    def vjp(g, _y, s, q):
        return _no_formula("zeta"), lambda: -(g * s * bind(Zeta, s + 1, q))

    @classmethod
    def samples(cls, r):
        for sample in super().samples(r):
            yield Sample(*sample.inputs, grad=(1,))
        yield Sample(np.array([2.0, 3.0, 2.0]), np.array([-0.4, -1.3, -2.6]), grad=(1,))


class Igamma(Binary):
    """y = 1/Γ(a) ∫₀ˣ t^(a-1) e^(-t) dt, or with ``upper`` from x to ∞.   x̄ = ±ȳ·x^(a-1) e^(-x)/Γ(a); none for a.  An integral."""

    floating_only = True
    domains = ((0.5, 5.0), (0.3, 6.0))

    reads = ("", "a x")

    def eval(a, x, *, upper):
        return _igamma.igamma(a, x, upper)

    def vjp(g, _y, a, x, *, upper):
        def slope() -> Any:
            less = a - 1
            flat = bind(Eq, less, fill(less))  # there x^0 is 1 at x = 0, too, where its logarithm is not
            power = bind(Where, flat, fill(less), less * bind(Log, bind(Where, flat, fill(x, 1.0), x)))
            density = bind(Exp, power - x - bind(Lgamma, a))
            return g * (-density if upper else density)

        return _no_formula("igamma"), slope

    @classmethod
    def type(cls, *types, upper):
        return super().type(*types)

    @classmethod
    def samples(cls, r):
        for upper in (False, True):
            for sample in super().samples(r):
                yield Sample(*sample.inputs, grad=(1,), upper=upper)
            yield Sample(np.array([0.3, 30.0, 1.0]), np.array([0.2, 25.0, 0.7]), grad=(1,), upper=upper)

    @classmethod
    def errors(cls, r):
        for bad in super().errors(r):
            yield Bad(*bad.inputs, message=bad.message, upper=False)


def _no_formula(name: str) -> Any:
    """A cotangent that is refused when somebody wants it."""

    def refuse() -> Any:
        raise GradError(
            f"{name} has no derivative with respect to its first input: there is no formula of known functions",
            hint="detach that input: x.detach()",
        )

    return refuse


class Entr(Unary):
    """y = -x·ln x, 0 at 0, -∞ left of it.   x̄ = -ȳ·(1 + ln x).  Of a product with its hole filled the slope at 0, ∞, is lost."""

    domain = (0.1, 3.0)

    def eval(x):
        return in_float64(lambda x: np.where(x == 0, 0, np.where(x < 0, -np.inf, -x * np.log(x))), x)

    def vjp(g, _y, x):
        return (-(g * (bind(Log, x) + 1)),)


class BesselI(Unary):
    """y = I₀(x) or I₁(x), ``scaled`` by e^(-|x|).   I₀' = I₁,  I₁' = I₀ - I₁/x; scaled: and - sign(x)·y.  An infinite sum."""

    domain = (0.2, 3.0)
    exact = (-30.0, -0.7, 20.0, 30.0)

    @classmethod
    def type(cls, *types, nu, scaled):
        return super().type(*types)

    def eval(x, *, nu, scaled):
        return _bessel.bessel_i(x, nu, scaled)

    def vjp(g, y, x, *, nu, scaled):
        if nu == 0:
            slope = bind(BesselI, x, nu=1, scaled=scaled)
        else:
            # At 0 the quotient is 1/2; nearby it is left to the series x/2·(1 + x²/8 + ...), which keeps its derivatives.
            near = bind(Gt, fill(x, 1e-4), bind(Abs, x))
            quotient = y / bind(Where, near, fill(x, 1.0), x)
            square = x * x
            series = (square * (1 / 16) + 0.5) * (bind(Exp, -bind(Abs, x)) if scaled else fill(x, 1.0))
            slope = bind(BesselI, x, nu=0, scaled=scaled) - bind(Where, near, series, quotient)
        if scaled:
            slope = slope - bind(Sign, x) * y
        return (g * slope,)

    @classmethod
    def samples(cls, r):
        for nu in (0, 1):
            for scaled in (False, True):
                for sample in super().samples(r):
                    yield Sample(*sample.inputs, nu=nu, scaled=scaled)

    @classmethod
    def errors(cls, r):
        for bad in super().errors(r):
            yield Bad(*bad.inputs, message=bad.message, nu=0, scaled=False)
