"""Logarithms to other bases and of 1 + x, and powers.  In double but for `log1p` and `softplus`."""

from __future__ import annotations

from . import _coefficients as table
from .emit import BITS, Function, Value, element_of, literal
from .lanes import Lanes, fast_two_sum, two_product, two_sum
from .mathematics import (
    _BIAS,
    _LN2,
    INFINITY,
    NAN,
    _log1p_double,
    decay,
    exp_of_sum,
    log_ends,
    log_parts,
    mantissa_parts,
    polynomial,
    power_of_two,
)

_LOG2E = (1.4426950408889634, 2.0355273740931033e-17)
_LOG10E = (0.4342944819032518, 1.098319650216765e-17)
_LOG10_2 = (3.01029995663611771306e-01, 3.69423907715893078616e-13)
"""The first part has so few digits that its product with an exponent is exact."""


def _log_in_base(f: Function, x: Value, of_e: tuple[float, float], of_2: tuple[float, float]) -> Value:
    k, t = log_parts(f, x)
    high, low = (Lanes(f, v) for v in _log1p_double(f, t))
    p, rest = two_product(high, of_e[0])
    rest = rest + high * of_e[1] + low * of_e[0]
    whole = Lanes(f, k)
    total, lost = fast_two_sum(whole * of_2[0], p)
    return log_ends(f, x, (total + (lost + rest + whole * of_2[1])).v)


def log2(f: Function, x: Value) -> Value:
    """log₂ x"""
    return _log_in_base(f, x, _LOG2E, (1.0, 0.0))


def log10(f: Function, x: Value) -> Value:
    """log₁₀ x"""
    return _log_in_base(f, x, _LOG10E, _LOG10_2)


def log1p(f: Function, x: Value) -> Value:
    """ln(1 + x)"""
    v = Lanes(f, x)
    total, lost = two_sum(v, v.like(1.0))
    y = Lanes(f, log_ends(f, total.v, _log_of_sum(total, lost).v))
    return y.where(v.equals(0.0), v, y).v


def _log_of_sum(total: Lanes, lost: Lanes) -> Lanes:
    """ln(total + lost), for a ``lost`` that the sum's rounding left over."""
    f = total.f
    element = element_of(total.v.type)
    k, t = mantissa_parts(f, total.v)
    m = Lanes(f, t)
    # what was lost, in the scale of m = 1 + t and divided by m: 1 - t + t² will do for something so small
    down = f.minimum(k, literal(k.type, _BIAS[element] - 1))
    by = Lanes(f, power_of_two(f, f.sub(0, down), element))
    part = lost * by * m.fma(m - 1.0, 1.0)
    n = Lanes(f, f.convert(k, element))
    first, second = _LN2[element]
    if element == "float":
        square = m * m
        series = (m * square).fma(Lanes(f, polynomial(f, t, table.LOG_F)), n.fma(second, part))
        return n.fma(first, m + square.fma(-0.5, series))
    high, low = (Lanes(f, w) for w in _log1p_double(f, t))
    return n.fma(first, high + n.fma(second, low + part))


def softplus(f: Function, x: Value) -> Value:
    """ln(1 + eˣ)"""
    above = f.select(f.compare("lt", x, 0.0), 0.0, x)
    e = Lanes(f, decay(f, x))
    if element_of(x.type) == "float":
        rest = Lanes(f, polynomial(f, e.v, table.LOG1P_F))
        return f.add(above, (e * e).fma(rest, e).v)
    total, lost = fast_two_sum(e.like(1.0), e)
    return f.add(above, _log_of_sum(total, lost).v)


def _log_sum(f: Function, x: Lanes) -> tuple[Lanes, Lanes]:
    """ln x of positive finite x, as a sum of two doubles: 2·artanh of a quotient, the leading terms without rounding."""
    k, t = log_parts(f, x.v)
    n, t = Lanes(f, k), Lanes(f, t)
    bottom, lost = fast_two_sum(t.like(2.0), t)
    s = t / bottom
    s_rest = ((-s).fma(bottom, t) - s * lost) / bottom
    z, z_rest = two_product(s, s)
    z_rest = (s + s).fma(s_rest, z_rest)
    # artanh(s)/s - 1 = z·(1/3 + z·(1/5 + z·(...)))
    tail = z * z.horner([1 / k for k in range(27, 3, -2)])
    w, w_rest = fast_two_sum(z.like(1 / 3), tail)
    w_rest = w_rest + 1.850371707708594e-17
    p, p_rest = two_product(z, w)
    p_rest = p_rest + (z * w_rest + z_rest * w)
    q, q_rest = two_product(s, p)
    q_rest = q_rest + (s * p_rest + s_rest * p)
    first, second = _LN2["double"]
    high, a = fast_two_sum(n * first, s * 2.0)
    high, b = fast_two_sum(high, q * 2.0)
    low = a + (b + ((q_rest + s_rest) * 2.0 + n * second))
    # n·(the rest of the second part) is below 2⁻¹⁰⁰ and left out
    return fast_two_sum(high, low)


def power(f: Function, a: Value, b: Value) -> Value:
    """aᵇ of doubles, with C's conventions at 0, 1, ∞ and NaN."""
    x, y = Lanes(f, a), Lanes(f, b)
    size = x.abs()
    high, low = _log_sum(f, size)
    ends = size.where(size.equals(0.0), -INFINITY, size)
    ordinary = f.bit("and", size > 0.0, size < INFINITY)
    high = high.where(ordinary, high, ends)
    p, rest = two_product(high, y)
    rest = low.fma(y, rest)
    inside = f.bit("and", ordinary, p.abs() < 800.0)
    out = Lanes(f, exp_of_sum(f, p.v, rest.where(inside, rest, 0.0).v))
    whole = y.is_whole()
    odd = f.bit("and", whole, f.bit("xor", (y * 0.5).is_whole(), True))
    odd = f.bit("and", odd, y.abs() < INFINITY)
    negative = f.compare("lt", f.bits(a, "i64"), 0)
    out = out.where(f.bit("and", negative, odd), -out, out)
    wrong = f.bit("and", f.bit("and", x < 0.0, size < INFINITY), f.bit("xor", whole, True))
    out = out.where(wrong, NAN, out)
    one = f.bit("or", y.equals(0.0), x.equals(1.0))
    endless = f.bit("and", x.equals(-1.0), y.abs().equals(INFINITY))
    nan = f.bit("or", x.is_nan(), y.is_nan())
    return out.by_range((f.bit("or", one, endless), 1.0), (nan, NAN), otherwise=out).v


def integer_power(f: Function, a: Value, b: Value, unsigned: bool) -> Value:
    """aᵇ of whole numbers, wrapping around; for b < 0 rounded towards 0."""
    kind = a.type
    one = literal(kind, 1)
    result, base = f.variable(kind, one), f.variable(kind, a)
    left = f.variable(kind, b if unsigned else f.select(f.compare("lt", b, 0), 0, b))
    with f.loop(0, BITS[element_of(kind)]):
        bits, by = left.get(), base.get()
        so_far = result.get()
        odd = f.compare("ne", f.bit("and", bits, one), 0)
        result.set(f.select(odd, f.mul(so_far, by), so_far))
        base.set(f.mul(by, by))
        left.set(f.bit("lshr", bits, one))
    out = result.get()
    if unsigned:
        return out
    odd = f.compare("ne", f.bit("and", b, one), 0)
    minus = literal(kind, -1)
    unit = f.select(f.compare("eq", a, 1), one, 0)
    unit = f.select(f.compare("eq", a, minus), f.select(odd, minus, one), unit)
    return f.select(f.compare("lt", b, 0), unit, out)
