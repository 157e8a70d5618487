"""The error function and what belongs to it, with the coefficients and the ranges of ops/_errorfunction.py; of double."""

from __future__ import annotations

import math

from retrograd.ops import _errorfunction as coefficients

from .emit import Function, Value, element_of
from .lanes import Lanes, two_product
from .mathematics import INFINITY, erf_single, exp_of_sum, log


def _near(v: Lanes) -> Lanes:
    """erf for |v| ≤ 0.46875."""
    square = v * v
    return v * square.horner(coefficients._NEAR_TOP) / square.horner(coefficients._NEAR_BOTTOM)


def _scaled_tail(v: Lanes) -> Lanes:
    """e^(v²)·erfc(v) for v > 0.46875."""
    middle = v.horner(coefficients._MIDDLE_TOP) / v.horner(coefficients._MIDDLE_BOTTOM)
    inverse = 1.0 / v
    square = inverse * inverse
    rest = square * square.horner(coefficients._FAR_TOP) / square.horner(coefficients._FAR_BOTTOM)
    far = (coefficients._INV_SQRT_PI - rest) / v
    return v.where(v <= 4.0, middle, far)


def _exp_square(v: Lanes, sign: float) -> Lanes:
    """e^(±v²), with what the rounding of v² left out."""
    v = v.at_most(40.0)
    high, low = two_product(v, v * sign)
    return Lanes(v.f, exp_of_sum(v.f, high.v, low.v))


def erf(f: Function, x: Value) -> Value:
    """2/√π ∫₀ˣ e^(-t²) dt, of float or double"""
    if element_of(x.type) == "float":
        return erf_single(f, x)
    v = Lanes(f, x)
    size = v.abs().at_most(6.0)
    far = (1.0 - _exp_square(size, -1.0) * _scaled_tail(size)).signed(v)
    return v.where(size <= 0.46875, _near(v), far).v


def erfc(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    size = v.abs()
    tail = _exp_square(size, -1.0) * _scaled_tail(size)
    return v.where(size <= 0.46875, 1.0 - _near(v), v.where(v < 0.0, 2.0 - tail, tail)).v


def erfcx(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    size = v.abs()
    tail, grown = _scaled_tail(size), _exp_square(size, 1.0)
    return v.where(size <= 0.46875, grown * (1.0 - _near(v)), v.where(v < 0.0, 2.0 * grown - tail, tail)).v


def _quantile(off: Lanes, tail: Lanes) -> Lanes:
    """Of the normal distribution, at probability 1/2 + ``off``; ``tail``: what is left on that side."""
    r = 0.180625 - off * off
    centre = off * r.horner(coefficients._CENTRE_TOP) / r.horner(coefficients._CENTRE_BOTTOM)
    root = (-Lanes(off.f, log(off.f, tail.v))).sqrt()
    r = root - 1.6
    outer = r.horner(coefficients._OUTER_TOP) / r.horner(coefficients._OUTER_BOTTOM)
    r = root - 5.0
    extreme = r.horner(coefficients._EXTREME_TOP) / r.horner(coefficients._EXTREME_BOTTOM)
    return off.by_range(
        (off.abs() <= 0.425, centre),
        (tail >= math.exp(-25.0), outer.signed(off)),
        (tail > 0.0, extreme.signed(off)),
        (tail.equals(0.0), off.like(INFINITY).signed(off)),
    )


def erfinv(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    return (_quantile(v * 0.5, (1.0 - v.abs()) * 0.5) / math.sqrt(2.0)).v


def ndtri(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    return _quantile(v - 0.5, v.at_most(1.0 - v)).v


def entr(f: Function, x: Value) -> Value:
    """-x·ln x"""
    v = Lanes(f, x)
    y = -v * Lanes(f, log(f, x))
    return y.by_range((v.equals(0.0), 0.0), (v < 0.0, -INFINITY), otherwise=y).v
