"""Special functions: gamma, zeta, error functions, Bessel functions, and what is composed of them."""

from __future__ import annotations

import math
from typing import Any

from ..errors import DTypeError, UsageError
from ..op import bind
from ..ops import special as ops
from ..ops._family import fill
from ..types import bool_
from ._arguments import (
    floating,
    require_one_tensor,
    require_tensor,
    require_tensors,
    together,
    together_floating,
)
from .elementwise import abs as _abs
from .elementwise import (
    add,
    div,
    eq,
    le,
    log,
    log1p,
    logical_and,
    logical_or,
    lt,
    mul,
    remainder,
    round,
    sin,
    square,
    sub,
    where,
)

__all__ = [
    "digamma", "erfinv", "i0", "igamma", "igammac", "lgamma", "mvlgamma", "polygamma", "sinc", "xlogy",
]  # fmt: skip

_ROOT_HALF = math.sqrt(0.5)


# -- gamma and zeta ---------------------------------------------------------------------------------------------------
def lgamma(input: Any) -> Any:
    """ln |Γ(input)|; infinite at 0, -1, -2, ...

    Relative error 1e-15 right of 0; left of 0 near the zeros, where digits cancel, the absolute error is of that size.
    """
    return bind(ops.Lgamma, floating(input))


def digamma(input: Any) -> Any:
    """ψ(input) = d ln Γ/dinput: -∞ at 0 (∞ at -0), NaN at -1, -2, ..."""
    return bind(ops.Digamma, floating(input))


def polygamma(n: int, input: Any) -> Any:
    """The n-th derivative of digamma: (-1)^(n+1) n! ζ(n + 1, input)

    >>> import retrograd as rg
    >>> rg.polygamma(1, rg.tensor([1.0]))
    tensor([1.6449])
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise UsageError(f"polygamma takes a whole order from 0 on, got {n!r}", hint="polygamma(1, x)")
    x = floating(require_tensor("polygamma", input))
    if n == 0:
        return bind(ops.Digamma, x)
    factor = math.factorial(n) if n < 171 else math.inf
    return mul(bind(ops.Zeta, fill(x, n + 1.0), x), float(factor if n % 2 else -factor))


def tensor_polygamma(self: Any, n: int) -> Any:
    """The n-th derivative of digamma"""
    return polygamma(n, self)


def mvlgamma(input: Any, p: int) -> Any:
    """ln Γ_p(input) = p(p - 1)/4·ln π + Σ_{j=0}^{p-1} ln Γ(input - j/2), defined for input > (p - 1)/2"""
    if isinstance(p, bool) or not isinstance(p, int) or p < 1:
        raise UsageError(f"mvlgamma takes a dimension p from 1 on, got {p!r}", hint="mvlgamma(x, 2)")
    if require_tensor("mvlgamma", input).dtype is bool_:
        raise DTypeError("mvlgamma is not defined for bools", hint="x.float()")
    x = floating(input)
    total = lgamma(x)
    for j in range(1, p):
        total = add(total, lgamma(sub(x, j / 2)))
    return add(total, p * (p - 1) / 4 * math.log(math.pi))


def zeta(input: Any, other: Any) -> Any:
    """The Hurwitz zeta function Σ_{k≥0} (other + k)^(-input); derivative with respect to ``other`` only"""
    require_one_tensor("zeta", input, other)
    return bind(ops.Zeta, *together_floating(input, other))


def _incomplete(name: str, a: Any, x: Any, upper: bool) -> Any:
    require_tensors(name, a, x)
    a, x = together(a, x)
    if not a.dtype.is_floating_point:
        raise DTypeError(f"{name} takes floating tensors, got {a.dtype!r}", hint="convert one: x.float()")
    return bind(ops.Igamma, a, x, upper=upper)


def igamma(input: Any, other: Any) -> Any:
    """P(a, x) = 1/Γ(a) ∫₀ˣ t^(a-1) e^(-t) dt for a = ``input``, x = ``other``; derivative with respect to ``other`` only"""
    return _incomplete("igamma", input, other, upper=False)


def igammac(input: Any, other: Any) -> Any:
    """Q(a, x) = 1 - P(a, x), accurate where that is small; derivative with respect to ``other`` only"""
    return _incomplete("igammac", input, other, upper=True)


# -- the error function and the normal distribution -------------------------------------------------------------------
def erfinv(input: Any) -> Any:
    """The y with erf(y) = input; infinite at -1 and 1, NaN beyond"""
    return mul(bind(ops.Erfinv, floating(input)), 1)  # the op keeps its result, which may be changed in place


def erfcx(input: Any) -> Any:
    """e^(input²)·erfc(input), without overflow right of 0"""
    return bind(ops.Erfcx, floating(input))


def ndtr(input: Any) -> Any:
    """The share of the standard normal distribution below input: erfc(-input/√2)/2"""
    return mul(bind(ops.Erfc, mul(floating(input), -_ROOT_HALF)), 0.5)


def ndtri(input: Any) -> Any:
    """The inverse of ndtr; infinite at 0 and 1, NaN beyond"""
    return bind(ops.Ndtri, floating(input))


def log_ndtr(input: Any) -> Any:
    """ln ndtr(input), also where ndtr is too small for a floating number"""
    x = floating(input)
    left = lt(x, -1.0)
    # Either formula is given only arguments of its own range: what is not chosen must not overflow in the derivative.
    far = mul(where(left, x, -1.0), -_ROOT_HALF)
    tail = sub(log(mul(bind(ops.Erfcx, far), 0.5)), square(far))
    near = mul(where(left, -1.0, x), _ROOT_HALF)
    return where(left, tail, log1p(mul(bind(ops.Erfc, near), -0.5)))


# -- logarithms times something ---------------------------------------------------------------------------------------
def _times_log(a: Any, b: Any, start: float, logarithm: Any) -> Any:
    """a·logarithm(b), and 0 where a is 0 and the logarithm infinite or undefined (b not above its ``start``)."""
    endless = logical_or(le(b, start), eq(b, math.inf))
    return mul(a, logarithm(where(logical_and(eq(a, 0), endless), start + 1, b)))


def xlogy(input: Any, other: Any) -> Any:
    """input·ln(other), and 0 where input is 0, unless other is NaN"""
    require_one_tensor("xlogy", input, other)
    a, b = together_floating(input, other)
    return _times_log(a, b, 0.0, log)


def xlog1py(input: Any, other: Any) -> Any:
    """input·ln(1 + other), and 0 where input is 0, unless other is NaN"""
    require_one_tensor("xlog1py", input, other)
    a, b = together_floating(input, other)
    return _times_log(a, b, -1.0, log1p)


def entr(input: Any) -> Any:
    """-input·ln(input); 0 at 0, where the derivative is ∞, and -∞ below"""
    return bind(ops.Entr, floating(input))


# -- Bessel functions, sinc -------------------------------------------------------------------------------------------
def i0(input: Any) -> Any:
    """The modified Bessel function I₀"""
    return mul(bind(ops.BesselI, floating(input), nu=0, scaled=False), 1)  # the op keeps its result


def i0e(input: Any) -> Any:
    """e^(-|input|)·I₀(input)"""
    return bind(ops.BesselI, floating(input), nu=0, scaled=True)


def i1(input: Any) -> Any:
    """The modified Bessel function I₁"""
    return bind(ops.BesselI, floating(input), nu=1, scaled=False)


def i1e(input: Any) -> Any:
    """e^(-|input|)·I₁(input)"""
    return bind(ops.BesselI, floating(input), nu=1, scaled=True)


_SINC = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(8, -1, -1))


def _sin_over(x: Any, sine: Any) -> Any:
    """sin(x)/x, and 1 at 0.  Near 0 by its series, because the quotient's derivatives cancel there."""
    near = lt(_abs(x), 0.7)
    squared = square(where(near, x, 0.0))
    series = fill(x, _SINC[0])
    for c in _SINC[1:]:
        series = add(mul(series, squared), c)
    return where(near, series, div(sine, where(near, 1.0, x)))


def sinc(input: Any) -> Any:
    """sin(π·input)/(π·input), and 1 at 0; exactly 0 at the other whole numbers"""
    x = floating(input)
    whole = round(x)
    rest = mul(sin(mul(sub(x, whole), math.pi)), sub(1, mul(remainder(whole, 2), 2)))
    return _sin_over(mul(x, math.pi), rest)


def spherical_bessel_j0(x: Any) -> Any:
    """The spherical Bessel function j₀ = sin(x)/x, and 1 at 0; 0 at ±∞"""
    x = floating(x)
    endless = eq(_abs(x), math.inf)
    safe = where(endless, 1.0, x)
    return where(endless, 0.0, _sin_over(safe, sin(safe)))
