"""Exponentials, logarithms and their kin as vector code: polynomials and explicit fma, no tables, no calls.

Each function takes a `Function` being written and a value of float or double, in any number of lanes.  Every operation
is rounded as IEEE 754 says, subnormals included, so the bits do not depend on the CPU.  The largest errors in units of the
last place, over every input, are stated and measured in tests/native/test_mathematics.py: in float 1 for exp, log, log1p
and erf, 2 for the others; in double 1 for exp and log, 2.5 for tanh.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from . import _coefficients as table
from .emit import Function, Value, element_of, literal, with_element

_LOG2E = 1.4426950408889634
# ln 2 in two parts; the first has so few digits that its product with any exponent is exact
_LN2 = {
    "float": (0.693359375, -2.12194440e-4),
    "double": (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
_SHIFTER = {"float": 1.5 * 2**23, "double": 1.5 * 2**52}
"""Added, it pushes a number's fraction out, and leaves its whole part in the lowest bits."""
_DIGITS = {"float": 23, "double": 52}
_BIAS = {"float": 127, "double": 1023}
_WHOLE = {"float": "i32", "double": "i64"}
INFINITY, NAN = float("inf"), float("nan")


def whole_of(x: Value) -> str:
    """The integer type with the bits of a float."""
    return _WHOLE[element_of(x.type)]


def polynomial(f: Function, x: Value, coefficients: Sequence[float]) -> Value:
    """Σ c_k·x^k, by Horner's rule; the lowest power comes first."""
    total = literal(x.type, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        total = f.fma(total, x, c)
    return total


def power_of_two(f: Function, n: Value, element: str) -> Value:
    """2ⁿ for whole n of the size of the float, where that is a normal number."""
    return f.bits(f.bit("shl", f.add(n, _BIAS[element]), _DIGITS[element]), element)


def clamp(f: Function, x: Value, low: float | None, high: float | None) -> Value:
    """x within limits; NaN stays NaN."""
    if high is not None:
        x = f.select(f.compare("gt", x, high), high, x)
    return x if low is None else f.select(f.compare("lt", x, low), low, x)


def _split(f: Function, x: Value, more: int = 0) -> tuple[Value, Value]:
    """x = n·ln 2 + r with |r| ≤ ln(2)/2: an integer whose lower bits are n + more, and r.

    The integer has the bits of `_SHIFTER` above.  They fall out when it is shifted to an exponent's place.
    """
    element = element_of(x.type)
    shifter = _SHIFTER[element] + more
    shifted = f.fma(x, _LOG2E, shifter)
    n = f.sub(shifted, shifter)
    first, second = _LN2[element]
    return f.bits(shifted, _WHOLE[element]), f.fma(n, -second, f.fma(n, -first, x))


def whole_part(f: Function, pattern: Value, element: str) -> Value:
    """The whole number that is in the lowest bits of a shifted float, as an integer."""
    bottom = f.bits(literal(with_element(pattern.type, element), _SHIFTER[element]), _WHOLE[element])
    return f.sub(pattern, bottom)


def _power(f: Function, pattern: Value, element: str) -> Value:
    """2ⁿ for the n + bias in a pattern's lower bits, where that is a normal number."""
    return f.bits(f.bit("shl", pattern, _DIGITS[element]), element)


def exp(f: Function, x: Value, more: int = 0) -> Value:
    """eˣ·2^more, for a ``more`` of -1, 0 or 1"""
    return _exp(f, x, None, more)


def exp_of_sum(f: Function, x: Value, rest: Value) -> Value:
    """e^(x + rest) for a rest that is small beside the last digit's effect on the result."""
    return _exp(f, x, rest, 0)


def _exp(f: Function, x: Value, rest: Value | None, more: int) -> Value:
    element = element_of(x.type)
    single = element == "float"
    # beyond these the result is 0 or ∞ in any case, and the exponents below stay in range
    x = clamp(f, x, -105.0 if single else -747.0, 90.0 if single else 711.0)
    # 2ⁿ need not be a normal number: it is brought in two halves, of which only the second product rounds
    pattern, r = _split(f, x, 2 * _BIAS[element] + more)
    if rest is not None:
        r = f.add(r, rest)
    half = f.bit("lshr", pattern, 1)
    y = f.mul(_exp_small(f, r), _power(f, half, element))
    return f.mul(y, _power(f, f.sub(pattern, half), element))


def _exp_small(f: Function, r: Value) -> Value:
    """e^r for |r| ≤ ln(2)/2"""
    q = polynomial(f, r, table.EXP_F if element_of(r.type) == "float" else table.EXP_D)
    return f.fma(f.fma(q, r, 1.0), r, 1.0)


def falling_exp(f: Function, x: Value) -> Value:
    """eˣ for x ≤ 0, in fewer steps than `exp`, with the same bits."""
    element = element_of(x.type)
    lift, least = (64, -105.0) if element == "float" else (128, -747.0)
    pattern, r = _split(f, clamp(f, x, least, None), _BIAS[element] + lift)
    return f.mul(f.mul(_exp_small(f, r), _power(f, pattern, element)), 2.0**-lift)


def _expm1_parts(f: Function, x: Value, less: int = 0) -> tuple[Value, Value]:
    """2^(n - less), and e^r - 1, with x = n·ln 2 + r."""
    element = element_of(x.type)
    pattern, r = _split(f, x, _BIAS[element] - less)
    q = polynomial(f, r, table.EXPM1_F if element == "float" else table.EXPM1_D)
    return _power(f, pattern, element), f.fma(f.mul(r, r), q, r)


def _expm1_small(f: Function, x: Value) -> Value:
    """eˣ - 1 where 2ⁿ is a normal number."""
    by, grown = _expm1_parts(f, x)
    # 2ⁿ - 1 + 2ⁿ·(e^r - 1): the first difference is exact up to 2²⁴ (2⁵³), and nothing beside the rest beyond
    return f.fma(by, grown, f.sub(by, 1.0))


def expm1(f: Function, x: Value) -> Value:
    """eˣ - 1"""
    single = element_of(x.type) == "float"
    clamped = clamp(f, x, -20.0 if single else -40.0, 89.0 if single else 710.0)
    # 2ⁿ itself may overflow where the result does not: everything is halved, and doubled at the end
    by, grown = _expm1_parts(f, clamped, 1)
    y = f.mul(f.fma(by, grown, f.sub(by, 0.5)), 2.0)
    tiny = f.compare("lt", f.intrinsic("fabs", x), 2.0**-30 if single else 2.0**-60)
    return f.select(tiny, x, y)  # which half of a subnormal number is not


def mantissa_parts(f: Function, x: Value) -> tuple[Value, Value]:
    """k as an integer, and m - 1, with x = 2ᵏ·m, m from √½ to √2; for positive normal numbers."""
    element = element_of(x.type)
    whole, digits = _WHOLE[element], _DIGITS[element]
    pattern = f.bits(x, whole)
    root = f.bits(literal(x.type, math.sqrt(0.5)), whole)
    k = f.bit("ashr", f.sub(pattern, root), digits)
    m = f.bits(f.sub(pattern, f.bit("shl", k, digits)), element)
    return k, f.sub(m, 1.0)


def log_parts(f: Function, x: Value) -> tuple[Value, Value]:
    """k as a float and m - 1 with x = 2ᵏ·m, m from √½ to √2; for positive finite x."""
    element = element_of(x.type)
    digits = _DIGITS[element]
    small = f.compare("lt", x, 2.0 ** (1 - _BIAS[element]))
    k, t = mantissa_parts(f, f.select(small, f.mul(x, 2.0**digits), x))
    return f.convert(f.select(small, f.sub(k, digits), k), element), t


def log_ends(f: Function, x: Value, y: Value) -> Value:
    """The logarithm y of x, and what it is at 0, at ∞ and left of 0."""
    y = f.select(f.compare("lt", x, INFINITY), y, x)
    left = f.select(f.compare("eq", x, 0.0), literal(x.type, -INFINITY), NAN)
    return f.select(f.compare("le", x, 0.0), left, y)


def log(f: Function, x: Value) -> Value:
    """ln x"""
    k, t = log_parts(f, x)
    first, second = _LN2[element_of(x.type)]
    if element_of(x.type) == "float":
        q = polynomial(f, t, table.LOG_F)
        square = f.mul(t, t)
        y = f.fma(f.mul(t, square), q, f.mul(k, second))
        y = f.add(f.fma(square, -0.5, y), t)
        return log_ends(f, x, f.fma(k, first, y))
    high, low = _log1p_double(f, t)
    # k·ln2 + t - t²/2 + s·(t²/2 + R), fdlibm's way to keep the parts
    return log_ends(f, x, f.fma(k, first, f.add(high, f.fma(k, second, low))))


def _log1p_double(f: Function, t: Value) -> tuple[Value, Value]:
    """ln(1 + t) for √½ ≤ 1 + t ≤ √2 as a sum: t, and the small rest."""
    s = f.div(t, f.add(t, 2.0))
    z = f.mul(s, s)
    r = f.mul(z, polynomial(f, z, table.LOG_D))
    half = f.mul(f.mul(t, 0.5), t)
    return t, f.sub(f.mul(s, f.add(half, r)), half)


def tanh(f: Function, x: Value) -> Value:
    """(eˣ - e⁻ˣ)/(eˣ + e⁻ˣ), as E/(E + 2) with E = e^(2|x|) - 1"""
    single = element_of(x.type) == "float"
    size = clamp(f, f.intrinsic("fabs", x), None, 9.5 if single else 20.0)
    grown = _expm1_small(f, f.add(size, size))
    y = f.div(grown, f.add(grown, 2.0))
    # Left of 0.3 the rounding of E + 2 costs most; E/2 - E/2·y is the same, and multiplies that error by E/2.
    half = f.mul(grown, 0.5)
    near = f.fma(f.neg(half), y, half)
    return f.intrinsic("copysign", f.select(f.compare("lt", size, 0.3), near, y), x)


def decay(f: Function, x: Value) -> Value:
    """e^(-|x|)"""
    return falling_exp(f, f.neg(f.intrinsic("fabs", x)))


def sigmoid(f: Function, x: Value) -> Value:
    """1/(1 + e⁻ˣ)"""
    e = decay(f, x)
    rough = f.div(e, f.add(e, 1.0))
    # e - e·y is y again, with the error of the quotient made smaller by e; and 1 - y is what belongs to -x
    top = f.select(f.compare("ge", x, 0.0), literal(x.type, 1.0), e)
    return f.fma(f.neg(top), rough, top)


def erf_single(f: Function, x: Value) -> Value:
    """2/√π ∫₀ˣ e^(-t²) dt of float; that of double is in errorfunction.py."""
    size = clamp(f, f.intrinsic("fabs", x), None, 4.0)
    near = f.fma(x, polynomial(f, f.mul(x, x), table.ERF_F), x)
    # 1 - e^(-p(|x|)): the exponent lies between -17 and -1
    p = polynomial(f, size, table.ERF_TAIL_F)
    by, grown = _expm1_parts(f, f.neg(p))
    far = f.sub(f.sub(1.0, by), f.mul(by, grown))
    far = f.intrinsic("copysign", far, x)
    return f.select(f.compare("lt", size, 0.9275), near, far)
