"""Sine, cosine and their inverses.

Reduction to |r| ≤ π/4: three parts of π/2 and fma (Cody and Waite) where x is small; beyond, the bits of 2/π that matter
are multiplied out in whole numbers (M. Payne and R. Hanek, "Radian reduction for trigonometric functions", SIGNUM
Newsletter 18, 1983), in a branch that is entered only if some lane needs it.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

from . import _coefficients as table
from .emit import Function, Value, element_of, literal
from .lanes import Lanes, fast_two_sum, two_product
from .mathematics import _SHIFTER, _WHOLE, NAN, polynomial, whole_part
from .remainder import any_lane

NEAR = {"float": 131072.0, "double": 1048576.0}
"""Up to here the short reduction is exact enough: n has so few digits that n·π/2 leaves no error that matters."""
_HALF_PI = {
    "float": (1.5707963705062866, -4.371138828673793e-08, -1.7151244623832446e-15),
    "double": (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33),
}


def _near(f: Function, x: Value) -> tuple[Value, Value, Value]:
    """r, what rounding r left, and n, with x = n·π/2 + r."""
    element = element_of(x.type)
    shifted = f.fma(x, 2 / math.pi, _SHIFTER[element])
    n = f.sub(shifted, _SHIFTER[element])
    whole = whole_part(f, f.bits(shifted, _WHOLE[element]), element)
    first, second, third = _HALF_PI[element]
    minus = f.neg(n)
    r = f.fma(minus, first, x)  # exact: both have the same last digit, and cancel
    if element == "float":
        return f.fma(minus, third, f.fma(minus, second, r)), literal(x.type, 0.0), whole
    a, part = Lanes(f, r), two_product(Lanes(f, n), second)
    s = a - part[0]
    rest = ((a - s) - part[0]) - part[1] - Lanes(f, n) * third
    high, low = fast_two_sum(s, rest)
    return high.v, low.v, whole


@functools.cache
def two_over_pi(bits: int) -> int:
    """⌊2/π·2^bits⌋, from Machin's formula."""
    one = 1 << (bits + 40)

    def arctan_of_inverse(k: int) -> int:
        total, term, j = 0, one // k, 1
        while term:
            total += term // j if j % 4 == 1 else -(term // j)
            term, j = term // (k * k), j + 2
        return total

    pi = 4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))
    return int(Fraction(2 * one * (1 << bits), pi))


def _words(count: int) -> list[int]:
    """64 zero bits and then those of 2/π, in words of 64 with a sign."""
    bits = 64 * (count - 1)
    number = two_over_pi(bits)
    words = [0] + [(number >> (bits - 64 * (k + 1))) & (2**64 - 1) for k in range(count - 1)]
    return [w - 2**64 if w >= 2**63 else w for w in words]


def _high_product(f: Function, a: Value, b: Value) -> Value:
    """The upper 64 bits of the product of two unsigned numbers of 64."""
    low = literal(a.type, 2**32 - 1)
    a0, a1, b0, b1 = f.bit("and", a, low), f.bit("lshr", a, 32), f.bit("and", b, low), f.bit("lshr", b, 32)
    middle = f.add(f.mul(a1, b0), f.bit("lshr", f.mul(a0, b0), 32))
    other = f.add(f.mul(a0, b1), f.bit("and", middle, low))
    return f.add(f.add(f.mul(a1, b1), f.bit("lshr", middle, 32)), f.bit("lshr", other, 32))


def _far(f: Function, x: Value) -> tuple[Value, Value, Value]:
    """The same for large x of double, and of float given as double, by Payne and Hanek."""
    pattern = f.bits(x, "i64")
    exponent = f.bit("and", f.bit("lshr", pattern, 52), 2047)
    mantissa = f.bit("or", f.bit("and", pattern, 2**52 - 1), 2**52)
    # x = mantissa·2^e.  Bits of 2/π whose product is a multiple of 4 are left out: the window starts at bit e - 2.
    start = f.add(exponent, 64 - 2 - 1075)
    start = f.select(f.compare("lt", start, 0), 0, start)
    start = f.select(
        f.compare("gt", start, 1100), literal(start.type, 1100), start
    )  # ∞ and NaN read something
    index, shift = f.bit("lshr", start, 6), f.bit("and", start, 63)
    words = f.table("two_over_pi", "i64", _words(24))
    w = [f.gather(words, f.add(index, k), "i64") for k in range(4)]
    window = [f.intrinsic("fshl", w[k], w[k + 1], shift) for k in range(3)]
    # The product with 192 bits, modulo 4, as two words: 62 bits of fraction in the upper one.
    upper = f.add(f.mul(mantissa, window[0]), _high_product(f, mantissa, window[1]))
    lower = f.mul(mantissa, window[1])
    added = f.add(lower, _high_product(f, mantissa, window[2]))
    upper = f.add(upper, f.select(f.compare("ult", added, lower), literal(upper.type, 1), 0))
    n = f.bit("ashr", f.add(upper, 2**61), 62)
    upper = f.sub(upper, f.bit("shl", n, 62))
    # upper·2⁻⁶² + added·2⁻¹²⁶ as a sum of doubles
    coarse = f.bit("and", upper, -2048)
    a = Lanes(f, f.convert(coarse, "double"))
    b = Lanes(f, f.convert(f.sub(upper, coarse), "double"))
    c = Lanes(f, f.convert(f.bit("lshr", added, 1), "double")) * 2.0**-63
    turn, rest = fast_two_sum(a, b + c)
    first, second, _ = _HALF_PI["double"]
    p, error = two_product(turn, first)
    high, low = fast_two_sum(p, error + turn * second + rest * first)
    high, low = high * 2.0**-62, low * 2.0**-62
    negative = f.compare("lt", pattern, 0)
    high, low = high.where(negative, -high, high), high.where(negative, -low, low)
    n = f.select(negative, f.sub(0, n), n)
    return high.where(Lanes(f, x).abs() < float("inf"), high, NAN).v, low.v, n


def _reduced(f: Function, x: Value) -> tuple[Value, Value, Value]:
    element = element_of(x.type)
    near = _near(f, x)
    far = f.compare("gt", f.intrinsic("fabs", x), NEAR[element])
    places = [f.variable(v.type, v) for v in near]
    with f.when(any_lane(f, far)):
        high, low, n = _far(f, f.convert(x, "double"))
        found = (f.convert(high, element), f.convert(low, element), f.convert(n, _WHOLE[element]))
        for place, v in zip(places, found):
            place.set(f.select(far, v, place.get()))
    r, low, n = (place.get() for place in places)
    return r, low, n


def _sine_and_cosine(f: Function, r: Value, low: Value) -> tuple[Value, Value]:
    """Of r + low, |r| ≤ π/4."""
    single = element_of(r.type) == "float"
    z = f.mul(r, r)
    s = polynomial(f, z, table.SIN_F if single else table.SIN_D)
    sine = f.fma(f.mul(r, z), s, r) if single else f.add(r, f.fma(f.mul(r, z), s, low))
    c = f.mul(f.mul(z, z), polynomial(f, z, table.COS_F if single else table.COS_D))
    half = f.mul(z, 0.5)
    top = f.sub(1.0, half)  # and what this rounded away
    rest = f.sub(f.sub(1.0, top), half)
    if not single:
        rest = f.sub(rest, f.mul(r, low))
    return sine, f.add(top, f.add(c, rest))


def _turned(f: Function, n: Value, sine: Value, cosine: Value) -> Value:
    """The sine of n quarter turns more."""
    element = element_of(sine.type)
    odd = f.compare("ne", f.bit("and", n, 1), 0)
    y = f.bits(f.select(odd, cosine, sine), _WHOLE[element])
    top = 31 if element == "float" else 63
    sign = f.bit("shl", f.bit("and", n, 2), top - 1)
    return f.bits(f.bit("xor", y, sign), element)


def sin(f: Function, x: Value) -> Value:
    r, low, n = _reduced(f, x)
    y = _turned(f, n, *_sine_and_cosine(f, r, low))
    return f.select(f.compare("eq", x, 0.0), x, y)  # -0 stays -0


def cos(f: Function, x: Value) -> Value:
    r, low, n = _reduced(f, x)
    return _turned(f, f.add(n, 1), *_sine_and_cosine(f, r, low))


def tan(f: Function, x: Value) -> Value:
    """Of double."""
    r, low, n = _reduced(f, x)
    sine, cosine = _sine_and_cosine(f, r, low)
    odd = f.compare("ne", f.bit("and", n, 1), 0)
    y = f.div(f.select(odd, f.neg(cosine), sine), f.select(odd, sine, cosine))
    return f.select(f.compare("eq", x, 0.0), x, y)


# -- inverses, of double ---------------------------------------------------------------------------------------------
_PI, _PI_REST = math.pi, 1.2246467991473532e-16


def atan2(f: Function, a: Value, b: Value) -> Value:
    """The angle of the point (b, a)."""
    y, x = Lanes(f, a).abs(), Lanes(f, b).abs()
    swap = y > x
    low, high = y.where(swap, x, y), y.where(swap, y, x)
    low, high = low.where(low.equals(high), 1.0, low), high.where(low.equals(high), 1.0, high)  # ∞/∞, not 0/0
    low = low.where(y.equals(0.0), 0.0, low)
    # away from the ends of the range, so that nothing below is infinite or subnormal
    by = high.by_range((high > 2.0**900, 2.0**-200), (high < 2.0**-700, 2.0**300), otherwise=1.0)
    low, high = low * by, high * by
    tilted = low > high * 0.41421356237309503  # tan(π/8): the angle is measured from the diagonal
    top, bottom = low.where(tilted, low - high, low), low.where(tilted, low + high, high)
    # The differences and sums are rounded; what is left of the sum is kept with the quotient's own rest.
    lost = low.where(tilted, low - (bottom - high), 0.0)
    lost_top = low.where(tilted, -high - (top - low), 0.0)
    q = top / bottom
    rest = ((-q).fma(bottom, top) + lost_top - q * lost) / bottom
    q, rest = q.where(high.equals(float("inf")), 0.0, q), q.where(high.equals(float("inf")), 0.0, rest)
    z = q * q
    series = Lanes(f, polynomial(f, z.v, table.ATAN_D))
    small = (q * z).fma(series, rest * (1.0 - z))
    # angle = c ± (q + small) with c = 0, π/4, π/2, 3π/4 or π
    left = f.compare("lt", f.bits(b, "i64"), 0)
    turn = f.bit("xor", swap, left)
    quarter = q.where(tilted, 0.25, 0.0)
    c = quarter.where(swap, 0.5 - quarter, quarter)
    c = c.where(left, 1.0 - c, c)
    q, small = q.where(turn, -q, q), q.where(turn, -small, small)
    angle = c * _PI + (q + (small + c * _PI_REST))  # c·π is exact but for 3/4
    angle = angle.where(
        c.equals(0.75), c.like(2.356194490192345) + (q + (small + 9.184850993605148e-17)), angle
    )
    nothing = c.equals(0.0)
    angle = angle.where(nothing, q + small, angle)
    both = f.bit("or", Lanes(f, a).is_nan(), Lanes(f, b).is_nan())
    return angle.signed(Lanes(f, a)).where(both, NAN, angle.signed(Lanes(f, a))).v


def asin(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    return atan2(f, x, (-v).fma(v, 1.0).sqrt().v)


def acos(f: Function, x: Value) -> Value:
    v = Lanes(f, x)
    return atan2(f, (-v).fma(v, 1.0).sqrt().v, x)
