"""Hyperbolic functions and their inverses, and lengths; all of double."""

from __future__ import annotations

import math

from .emit import Function, Value
from .lanes import Lanes, two_product
from .mathematics import INFINITY, NAN, exp, expm1, log
from .powers import log1p

_LN2 = math.log(2.0)


def _half_exp(f: Function, size: Lanes) -> Lanes:
    """e^|x|/2, which overflows only where the result does."""
    return Lanes(f, exp(f, size.v, -1))


def sinh(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    size = v.abs()
    e = Lanes(f, expm1(f, size.v))
    near = (e + e / (e + 1.0)) * 0.5
    return size.where(size < 22.0, near, _half_exp(f, size)).signed(v).v


def cosh(f: Function, x: Value) -> Value:
    half = _half_exp(f, Lanes(f, x).abs())
    return (half + 0.25 / half).v


def asinh(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    size = v.abs()
    far = size > 2.0**28
    inner = size.where(far, 1.0, size)  # whose square overflows nothing
    square = inner * inner
    near = Lanes(f, log1p(f, (inner + square / ((square + 1.0).sqrt() + 1.0)).v))
    return size.where(far, Lanes(f, log(f, size.v)) + _LN2, near).signed(v).v


def acosh(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    far = v > 2.0**28
    t = v.where(far, 2.0, v) - 1.0
    near = Lanes(f, log1p(f, (t + (t * 2.0 + t * t).sqrt()).v))
    y = v.where(far, Lanes(f, log(f, x)) + _LN2, near)
    return y.where(v < 1.0, NAN, y).v


def hypot(f: Function, a: Value, b: Value) -> Value:
    x, y = Lanes(f, a).abs(), Lanes(f, b).abs()
    high, low = x.where(x < y, y, x), x.where(x < y, x, y)
    large, small = high > 2.0**500, high < 2.0**-450
    by = high.by_range((large, 2.0**-600), (small, 2.0**600), otherwise=1.0)
    back = high.by_range((large, 2.0**600), (small, 2.0**-600), otherwise=1.0)
    high, low = high * by, low * by
    square, rest = two_product(high, high)
    h = low.fma(low, square).sqrt()
    # one step of Newton's method with the residual a² + b² - h², whose largest parts cancel
    p, p_rest = two_product(h, h)
    q, q_rest = two_product(low, low)
    residual = ((square - p) + q) + (rest - p_rest + q_rest)
    better = h + residual / (h * 2.0)
    h = h.where(h > 0.0, better, h)
    h = h * back
    endless = f.bit("or", x.equals(INFINITY), y.equals(INFINITY))
    nan = f.bit("or", x.is_nan(), y.is_nan())
    return h.by_range((endless, INFINITY), (nan, NAN), otherwise=h).v
