"""Quotients rounded down and their remainders, of whole and of floating numbers, exactly as NumPy has them."""

from __future__ import annotations

from retrograd.types import DType, bool_, int32, uint8

from .emit import Function, Value, element_of, lanes_of, literal


def quotient_and_remainder(f: Function, dtype: DType, a: Value, b: Value) -> tuple[Value, Value]:
    """⌊a/b⌋ and a - b·⌊a/b⌋."""
    if dtype.is_floating_point:
        return _of_floats(f, a, b)
    if dtype in (uint8, bool_):
        safe = f.select(f.compare("eq", b, 0), literal(b.type, 1), b)
        q = f.bit("udiv", a, safe)
        return _but_zero(f, b, q), _but_zero(f, b, f.bit("urem", a, safe))
    # A CPU would trap for a divisor of 0, which the reference refuses (here it gives 0), and for -2ⁿ⁻¹/-1, where the
    # quotient is -a and wraps around.
    inverse = f.compare("eq", b, -1)
    safe = f.select(f.bit("or", inverse, f.compare("eq", b, 0)), literal(b.type, 1), b)
    if dtype is int32:  # float64 holds both and the quotient's whole part, and has a vector division
        q = f.convert(f.div(f.convert(a, "double"), f.convert(safe, "double")), "i32")
    else:
        q = f.div(a, safe)
    rest = f.sub(a, f.mul(q, safe))
    down = f.bit("and", f.compare("ne", rest, 0), f.compare("lt", f.bit("xor", rest, safe), 0))
    q = f.select(inverse, f.sub(0, a), f.select(down, f.sub(q, 1), q))
    rest = f.select(down, f.add(rest, safe), rest)
    return _but_zero(f, b, q), f.select(inverse, 0, _but_zero(f, b, rest))


def _but_zero(f: Function, b: Value, x: Value) -> Value:
    return f.select(f.compare("eq", b, 0), 0, x)


def fmod(f: Function, a: Value, b: Value) -> Value:
    """a - b·n with n the quotient's whole part, exact, with the sign of a: C's fmod.

    Long division: each step takes as many bits of the quotient as a product of floats holds exactly.
    """
    kind, whole = a.type, "i32" if element_of(a.type) == "float" else "i64"
    digits, bias = (23, 127) if whole == "i32" else (52, 1023)
    step = digits - 2
    x, y = f.intrinsic("fabs", a), f.intrinsic("fabs", b)
    sound = f.bit("and", f.compare("lt", x, float("inf")), f.compare("gt", y, 0.0))
    endless = f.compare("eq", y, float("inf"))
    x, y = f.select(sound, x, 0.0), f.select(f.bit("and", sound, f.compare("lt", y, float("inf"))), y, 1.0)
    # Subnormal numbers are lifted so that every factor below is normal; huge ones have no room above, and need none.
    low = f.compare("lt", y, 2.0 ** (2 + 2 * digits - bias))
    up = f.select(low, literal(kind, 2.0 ** (2 * digits)), 1.0)
    high = f.bit("and", low, f.compare("gt", x, 2.0 ** (bias - 2 * digits - 2)))
    # Where both are true x loses its excess first: x mod (y·2ᵏ) leaves x mod y as it is.
    first = f.variable(kind, x)
    with f.when(any_lane(f, high)):
        raised = f.mul(y, 2.0 ** (3 * digits))
        once = _reduced(f, first.get(), raised, step, bias, whole)
        first.set(f.select(high, once, first.get()))
    x, y = f.mul(first.get(), up), f.mul(y, up)
    out = f.mul(_reduced(f, x, y, step, bias, whole), f.select(low, literal(kind, 2.0 ** (-2 * digits)), 1.0))
    out = f.select(endless, f.intrinsic("fabs", a), out)
    out = f.intrinsic("copysign", out, a)
    nan = f.select(sound, out, float("nan"))
    return f.select(f.compare("eq", b, b), f.select(f.compare("eq", a, a), nan, a), b)


def _reduced(f: Function, x: Value, y: Value, step: int, bias: int, whole: str) -> Value:
    """x mod y of positive numbers with y·2^-step not subnormal."""
    digits = 23 if whole == "i32" else 52
    ahead = f.sub(_exponent(f, x, digits, whole), _exponent(f, y, digits, whole))
    rounds = f.convert(greatest(f, ahead), "i64")
    rounds = f.add(f.div(f.maximum(rounds, 0), step), 1)
    rest = f.variable(x.type, x)
    zero = literal(x.type, 0.0)
    with f.loop(0, rounds):
        r = rest.get()
        # y·2ᵏ with k ≥ 0 such that the quotient stays below 2^(step + 1)
        gap = f.sub(_exponent(f, r, digits, whole), _exponent(f, y, digits, whole))
        k = f.sub(gap, step)
        k = f.select(f.compare("lt", k, 0), 0, k)
        by = f.bits(f.add(f.bits(y, whole), f.bit("shl", k, digits)), element_of(y.type))
        q = f.intrinsic("trunc", f.div(r, by))
        left = f.fma(f.neg(q), by, r)  # exact: a multiple of the last digit of y, below 2y
        left = f.select(f.compare("lt", left, zero), f.add(left, by), left)
        rest.set(f.select(f.compare("ge", left, by), f.sub(left, by), left))
    return rest.get()


def _exponent(f: Function, x: Value, digits: int, whole: str) -> Value:
    return f.bit("lshr", f.bits(x, whole), digits)


def any_lane(f: Function, mask: Value) -> Value:
    """Whether the condition holds in some lane."""
    if lanes_of(mask.type) == 1:
        return mask
    return f.call("i1", f"llvm.vector.reduce.or.v{lanes_of(mask.type)}i1", mask)


def greatest(f: Function, x: Value) -> Value:
    """The greatest of all lanes of a signed integer."""
    if lanes_of(x.type) == 1:
        return x
    element = element_of(x.type)
    return f.call(element, f"llvm.vector.reduce.smax.v{lanes_of(x.type)}{element}", x)


def _of_floats(f: Function, a: Value, b: Value) -> tuple[Value, Value]:
    """As NumPy's npy_divmod: from the exact remainder, and the quotient snapped to the nearest whole number."""
    rest = fmod(f, a, b)
    q = f.div(f.sub(a, rest), b)
    zero = f.compare("eq", rest, 0.0)
    other = f.bit("xor", f.compare("lt", b, 0.0), f.compare("lt", rest, 0.0))
    other = f.bit("and", other, f.compare("ne", rest, 0.0))
    q = f.select(other, f.sub(q, 1.0), q)
    turned = f.select(
        zero, f.intrinsic("copysign", literal(b.type, 0.0), b), f.select(other, f.add(rest, b), rest)
    )
    down = f.intrinsic("floor", q)
    snapped = f.select(f.compare("gt", f.sub(q, down), 0.5), f.add(down, 1.0), down)
    plain = f.div(a, b)
    snapped = f.select(f.compare("eq", q, 0.0), f.intrinsic("copysign", literal(b.type, 0.0), plain), snapped)
    nothing = f.compare("eq", b, 0.0)
    return f.select(nothing, plain, snapped), f.select(nothing, float("nan"), turned)
