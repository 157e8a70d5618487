"""Expressions of the ops in ops/logic.py: comparing, choosing, bits, and other dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrograd.types import DType, bool_, uint8

from .emit import BITS, FLOATS, Function, Value, element_of, literal, with_element

Given = tuple[DType, ...]
Expression = Callable[..., Value]
"""``(f, types of the inputs, type of the result, parameters, *inputs) -> Value``"""

ELEMENTS = {
    "bool": "i1",
    "uint8": "i8",
    "int32": "i32",
    "int64": "i64",
    "float32": "float",
    "float64": "double",
}
"""How an element of each dtype is held in a register."""


def compared(f: Function, dtype: DType, how: str, a: Value | int, b: Value | int) -> Value:
    """lt, le, gt, ge, eq, ne of two numbers of that dtype."""
    unsigned = dtype in (bool_, uint8) and how not in ("eq", "ne")
    return f.compare(f"u{how}" if unsigned else how, a, b)


def _comparison(how: str) -> Expression:
    def expression(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
        return compared(f, given[0], how, a, b)

    return expression


def _bitwise(how: str) -> Expression:
    def expression(f: Function, _given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
        return f.bit(how, a, b)

    return expression


def _bit_not(f: Function, _given: Given, _result: DType, _params: Any, a: Value) -> Value:
    return f.bit("xor", a, True if element_of(a.type) == "i1" else -1)


def _shift_left(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
    size = BITS[element_of(a.type)]
    inside = f.compare("ult", b, size)  # negative ones are huge
    return f.select(inside, f.bit("shl", a, f.bit("and", b, size - 1)), 0)


def _shift_right(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
    size = BITS[element_of(a.type)]
    inside = f.compare("ult", b, size)
    if given[0] is uint8:
        return f.select(inside, f.bit("lshr", a, f.bit("and", b, size - 1)), 0)
    return f.bit("ashr", a, f.select(inside, b, size - 1))


def _where(f: Function, _given: Given, _result: DType, _params: Any, c: Value, a: Value, b: Value) -> Value:
    return f.select(c, a, b)


def to_integer(f: Function, x: Value, element: str) -> Value:
    """Towards zero into i32 or i64; NaN and what is out of range become the least integer."""
    limit = 2.0 ** (BITS[element] - 1)
    inside = f.compare("lt", f.intrinsic("fabs", x), limit)  # -limit is the least integer itself
    return f.select(inside, f.convert(x, element), literal(with_element(x.type, element), -int(limit)))


def cast(f: Function, x: Value, source: DType, target: DType) -> Value:
    """A number of one dtype as one of another, as NumPy's astype has it on x86."""
    if source is target:
        return x
    element = ELEMENTS[target.name]
    if target is bool_:
        return f.compare("ne", x, 0)
    if element_of(x.type) in FLOATS and element not in FLOATS:
        if target is uint8:  # through int32, whose low byte stays
            return f.convert(to_integer(f, x, "i32"), "i8")
        return to_integer(f, x, element)
    return f.convert(x, element, unsigned=source in (bool_, uint8))


def _cast(f: Function, given: Given, result: DType, _params: Any, x: Value) -> Value:
    return cast(f, x, given[0], result)


def _gcd(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
    """Euclid's algorithm, all lanes together, as long as any has a remainder."""
    unsigned = given[0] is uint8
    if unsigned:
        a, b = f.convert(a, "i32", unsigned=True), f.convert(b, "i32", unsigned=True)
    kind = a.type
    bits = BITS[element_of(kind)]
    left, right = f.variable(kind, absolute(f, a)), f.variable(kind, absolute(f, b))
    # The longest run is of two neighbouring Fibonacci numbers: 1.44 steps a bit.  A lane that is done stays as it is.
    with f.loop(0, bits * 3 // 2):
        x, y = left.get(), right.get()
        done = f.compare("eq", y, 0)
        rest = f.bit("urem", x, f.select(done, 1, y))
        left.set(f.select(done, x, y))
        right.set(f.select(done, 0, rest))
    found = left.get()
    return f.convert(found, "i8") if unsigned else found


def absolute(f: Function, x: Value) -> Value:
    """|x| of signed integers; the least one stays as it is."""
    return f.select(f.compare("lt", x, 0), f.sub(0, x), x)


EXPRESSIONS: dict[str, Expression] = {
    **{how: _comparison(how) for how in ("eq", "ne", "lt", "le", "gt", "ge")},
    "bit_and": _bitwise("and"),
    "bit_or": _bitwise("or"),
    "bit_xor": _bitwise("xor"),
    "bit_not": _bit_not,
    "shift_left": _shift_left,
    "shift_right": _shift_right,
    "where": _where,
    "cast": _cast,
    "gcd": _gcd,
}
