"""Expressions of the ops in ops/arithmetic.py: sums, products, quotients, limits and rounding."""

from __future__ import annotations

from typing import Any

from retrograd.types import DType, bool_, uint8

from .emit import Function, Value, element_of, literal, with_element
from .logic import Expression, Given, absolute, compared
from .remainder import quotient_and_remainder


def _plain(floating: str, of_bools: str = "") -> Expression:
    def expression(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
        if given[0] is bool_:
            return f.bit(of_bools, a, b)
        return getattr(f, floating)(a, b)

    return expression


def _neg(f: Function, _given: Given, _result: DType, _params: Any, x: Value) -> Value:
    return f.neg(x)


def _abs(f: Function, given: Given, _result: DType, _params: Any, x: Value) -> Value:
    if given[0] in (uint8, bool_):
        return x
    return f.intrinsic("fabs", x) if given[0].is_floating_point else absolute(f, x)


def _sign(f: Function, given: Given, _result: DType, _params: Any, x: Value) -> Value:
    if given[0] is bool_:
        return x
    positive = f.select(compared(f, given[0], "gt", x, 0), literal(x.type, 1), 0)
    if given[0] is uint8:
        return positive
    return f.select(f.compare("lt", x, 0), literal(x.type, -1), positive)


def _side(f: Function, given: Given, _result: DType, _params: Any, x: Value) -> Value:
    if not given[0].is_signed:
        return literal(x.type, 1)
    pattern = f.bits(x, integer_of(x)) if given[0].is_floating_point else x
    return f.select(f.compare("lt", pattern, 0), literal(x.type, -1), literal(x.type, 1))


def integer_of(x: Value) -> str:
    """The integer type that has the bits of a float."""
    return {"float": "i32", "double": "i64"}.get(element_of(x.type), element_of(x.type))


def _exponent(f: Function, _given: Given, _result: DType, _params: Any, x: Value) -> Value:
    digits, bias = (23, 126) if element_of(x.type) == "float" else (52, 1022)
    size = f.intrinsic("fabs", x)
    small = f.compare("lt", size, 2.0 ** (1 - bias))
    lifted = f.select(small, f.mul(size, 2.0**digits), size)
    raw = f.bit("lshr", f.bits(lifted, integer_of(x)), digits)
    kind = with_element(x.type, integer_of(x))
    n = f.sub(raw, f.select(small, literal(kind, bias + digits), literal(kind, bias)))
    ordinary = f.bit("and", f.compare("lt", size, float("inf")), f.compare("gt", size, 0.0))
    return f.convert(f.select(ordinary, n, 0), "i32")  # 0 for 0, ∞ and NaN, as frexp has it


def _rounding(name: str) -> Expression:
    def expression(f: Function, _given: Given, _result: DType, _params: Any, x: Value) -> Value:
        return f.intrinsic(name, x)

    return expression


def limit(f: Function, dtype: DType, how: str, a: Value, b: Value) -> Value:
    """The larger (``how`` gt) or the smaller (lt); NaN wins, and of two that are equal the second one, as in NumPy."""
    if dtype is bool_:
        return f.bit("or" if how == "gt" else "and", a, b)
    out = f.select(compared(f, dtype, how, a, b), a, b)
    return f.select(f.compare("ne", a, a), a, out) if dtype.is_floating_point else out


def _limit(how: str) -> Expression:
    def expression(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
        return limit(f, given[0], how, a, b)

    return expression


def _floor_divide(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
    return quotient_and_remainder(f, given[0], a, b)[0]


def _remainder(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
    return quotient_and_remainder(f, given[0], a, b)[1]


def _next_after(f: Function, _given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
    whole = integer_of(a)
    kind = with_element(a.type, whole)
    pattern = f.bits(a, whole)
    up = f.compare("lt", a, b)
    # Away from 0 the bits count up, towards it down; from 0 itself the step is to the least number on b's side.
    away = f.bit("xor", up, f.compare("lt", pattern, 0))
    moved = f.bits(f.add(pattern, f.select(away, literal(kind, 1), literal(kind, -1))), element_of(a.type))
    least = f.bits(literal(kind, 1), element_of(a.type))
    stepped = f.select(f.compare("eq", a, 0.0), f.intrinsic("copysign", least, b), moved)
    there = f.select(f.compare("eq", a, b), b, stepped)
    ordered = f.bit("and", f.compare("eq", a, a), f.compare("eq", b, b))
    return f.select(ordered, there, f.add(a, b))


EXPRESSIONS: dict[str, Expression] = {
    "neg": _neg,
    "abs": _abs,
    "sign": _sign,
    "side": _side,
    "exponent": _exponent,
    "floor": _rounding("floor"),
    "ceil": _rounding("ceil"),
    "trunc": _rounding("trunc"),
    "round": _rounding("rint"),
    "add": _plain("add", "or"),
    "sub": _plain("sub"),
    "mul": _plain("mul", "and"),
    "div": _plain("div"),
    "maximum": _limit("gt"),
    "minimum": _limit("lt"),
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "next_after": _next_after,
}
