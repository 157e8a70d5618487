"""Modified Bessel functions of orders 0 and 1, as in ops/_bessel.py; of double."""

from __future__ import annotations

import math

from retrograd.ops import _bessel as formulas

from .emit import Function, Value
from .lanes import Lanes
from .mathematics import INFINITY, exp


def bessel_i(f: Function, x: Value, *, nu: int, scaled: bool) -> Value:
    """I₀ or I₁, or that times e^(-|x|)."""
    v = Lanes(f, x)
    size = v.abs()
    half = v * 0.5
    near = (half * half).horner(formulas._power_series(nu))
    if nu:
        near = near * half
    far = (1.0 / size).horner(formulas._asymptotic(nu)) / (size * (2 * math.pi)).sqrt()
    close = size <= formulas._FAR
    if scaled:
        y = v.where(close, near * Lanes(f, exp(f, (-size).v)), far)
    else:
        # in two halves, because e^|x| alone would overflow a little before I does
        grown = Lanes(f, exp(f, (size * 0.5).v))
        y = v.by_range((close, near), (size.equals(INFINITY), INFINITY), otherwise=far * grown * grown)
    return (y.signed(v) if nu else y).v
