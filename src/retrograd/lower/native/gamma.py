"""The logarithm of the gamma function, its derivative and Hurwitz' zeta function, as in ops/_gamma.py; of double."""

from __future__ import annotations

import math

from retrograd.ops import _gamma as formulas

from .emit import Function, Value
from .lanes import Lanes
from .mathematics import INFINITY, NAN, log
from .powers import log1p, power
from .remainder import any_lane
from .trigonometry import sin, tan


def _log(x: Lanes) -> Lanes:
    return Lanes(x.f, log(x.f, x.v))


def _gammaln1p(t: Lanes) -> Lanes:
    """ln Γ(1 + t) for |t| ≤ 1/2."""
    return t * t.horner(formulas._about_two()) - Lanes(t.f, log1p(t.f, t.v))


def _lgamma_right(x: Lanes) -> Lanes:
    """ln Γ(x) for x > 0."""
    near, product = x, x.like(1.0)
    for _ in range(8):  # down to (1.5, 2.5], without rounding
        far = near > 2.5
        near = x.where(far, near - 1.0, near)
        product = x.where(far, product * near, product)
    # Below 1.5 the series is about 1 and a logarithm is taken off, of 1 + t or, left of 0.5, of x beside it.
    low, middle = x < 0.5, x <= 1.5
    t = x.where(low, x, x.where(middle, x - 1.0, near - 2.0))
    series = t * t.horner(formulas._about_two())
    off = Lanes(x.f, log1p(x.f, t.v))
    logarithm = _log(x.where(low, x, x.where(middle, 1.0, product)))
    steps = x.where(low, series - off - logarithm, x.where(middle, series - off, series + logarithm))
    inverse = 1.0 / x
    rest = inverse * (inverse * inverse).horner(formulas._stirling())
    large = (x - 0.5) * (_log(x) - 1.0) + (0.5 * math.log(2 * math.pi) - 0.5) + rest
    large = x.where(x.equals(INFINITY), x, large)
    return x.where(x < 10.0, steps, large)


def lgamma(f: Function, x: Value) -> Value:
    """ln |Γ(x)|"""
    v = Lanes(f, x)
    positive = v > 0.0
    right = _lgamma_right(v.where(positive, v, 1.0 - v))
    sine = Lanes(f, sin(f, ((v - v.rint()) * math.pi).v)).abs()
    left = _log(math.pi / sine) - right
    return v.by_range((positive, right), (v.equals(v.floor()), INFINITY), (v < 0.0, left)).v


def _digamma_right(x: Lanes) -> Lanes:
    below, far = x.like(0.0), x
    for _ in range(10):
        near = far < 10.0
        below = x.where(near, below + 1.0 / far, below)
        far = x.where(near, far + 1.0, far)
    square = 1.0 / far
    square = square * square
    large = _log(far) - 0.5 / far - square * square.horner(formulas._digamma_tail())
    about = (x - formulas._ROOT) - formulas._ROOT_REST
    return x.where((x - formulas._ROOT).abs() < 0.4, about.horner(formulas._about_root()), large - below)


def digamma(f: Function, x: Value) -> Value:
    """d ln Γ(x)/dx"""
    v = Lanes(f, x)
    positive = v > 0.0
    right = _digamma_right(v.where(positive, v, 1.0 - v))
    left = right - math.pi / Lanes(f, tan(f, ((v - v.rint()) * math.pi).v))
    whole = v.equals(v.floor())
    return v.by_range(
        (positive, right),
        (v.equals(0.0), v.like(INFINITY).signed(-v)),
        (whole, NAN),
        (v < 0.0, left),
    ).v


def _power(a: Lanes, b: Lanes) -> Lanes:
    return Lanes(a.f, power(a.f, a.v, b.v))


def _zeta_right(s: Lanes, q: Lanes) -> Lanes:
    """Σ (q + k)^(-s) for s > 1 and q > 0, by Euler and Maclaurin."""
    f = s.f
    total = f.variable(s.v.type, 0.0)
    with f.loop(0, formulas._HEAD) as k:
        at = q + Lanes(f, f.like(f.convert(k, "double"), s.v.type))
        total.set((Lanes(f, total.get()) + _power(at, -s)).v)
    head = Lanes(f, total.get())
    w = q + float(formulas._HEAD)
    small = s * Lanes(f, log1p(f, (float(formulas._HEAD) / q).v)) > 80.0
    s = s.where(small, 2.0, s)
    after = _power(w, -s)
    integral = (after * w).where(w < INFINITY, after * w, 0.0)
    rest = integral / (s - 1.0) + after * 0.5
    factor = after * s / w
    for j, c in enumerate(formulas._maclaurin(), 1):
        rest = factor.fma(c, rest)
        factor = factor * (s + float(2 * j - 1)) * (s + float(2 * j)) / (w * w)
    return s.where(small, head, head + rest)


def zeta(f: Function, s: Value, q: Value) -> Value:
    """Σ (q + k)^(-s)"""
    x, y = Lanes(f, s), Lanes(f, q)
    above = x > 1.0
    right = f.bit("and", above, y > 0.0)
    pole = f.bit("and", above, y.equals(y.floor()))
    other = f.bit("and", above, f.bit("and", x.equals(x.floor()), y.abs() < INFINITY))
    other = f.bit("and", other, f.bit("and", y < 0.0, f.bit("xor", pole, True)))
    found = f.variable(s.type, _zeta_right(x, y).v)
    with f.when(any_lane(f, other)):
        part = y - y.floor()
        mirrored = _zeta_right(x, 1.0 - part) - _zeta_right(x, 1.0 - y)
        even = f.bit("and", (x * 0.5).is_whole(), x < INFINITY)
        left = _zeta_right(x, part) + x.where(even, mirrored, -mirrored)
        found.set(f.select(other, left.v, found.get()))
    value = Lanes(f, found.get())
    return x.by_range(
        (x.equals(1.0), x.where(y.is_nan(), NAN, INFINITY)),
        (right, value),
        (pole, INFINITY),
        (other, value),
    ).v
