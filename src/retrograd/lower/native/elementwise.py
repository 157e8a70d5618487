"""Expressions of the ops in ops/elementwise.py: powers, the exponential family, trigonometry, activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrograd.types import DType, bool_, uint8

from . import hyperbolic, mathematics, powers, trigonometry
from .emit import Function, Value
from .logic import Expression, Given, compared


def unary(function: Callable[[Function, Value], Value]) -> Expression:
    """The expression of a function of one floating value."""

    def expression(f: Function, _given: Given, _result: DType, _params: Any, x: Value) -> Value:
        return function(f, x)

    return expression


def in_double(function: Callable[..., Value]) -> Expression:
    """Computed in double and rounded once to the type of the inputs."""

    def expression(f: Function, given: Given, result: DType, params: Any, *values: Value) -> Value:
        out = function(f, *(f.convert(v, "double") for v in values), **params)
        return f.convert(out, "float" if result.name == "float32" else "double")

    return expression


def _relu(f: Function, given: Given, _result: DType, _params: Any, x: Value) -> Value:
    return f.select(compared(f, given[0], "le", x, 0), 0, x)  # +0 for -0, as NumPy's maximum; NaN stays


def _masked_by(f: Function, given: Given, _result: DType, _params: Any, a: Value, b: Value) -> Value:
    if given[0] is bool_:
        return f.bit("and", a, b)
    off = compared(f, given[0], "le", b, 0)
    # a·0 is NaN where a is infinite, and has the sign of a: what the reference's product with False is
    return f.select(off, f.mul(a, 0), a) if given[0].is_floating_point else f.select(off, 0, a)


def _sqrt(f: Function, x: Value) -> Value:
    return f.intrinsic("sqrt", x)


def _pow(f: Function, given: Given, result: DType, params: Any, a: Value, b: Value) -> Value:
    if given[0].is_floating_point:
        return in_double(powers.power)(f, given, result, params, a, b)
    return powers.integer_power(f, a, b, unsigned=given[0] is uint8)


EXPRESSIONS: dict[str, Expression] = {
    "relu": _relu,
    "masked_by": _masked_by,
    "sqrt": unary(_sqrt),
    "exp": unary(mathematics.exp),
    "log": unary(mathematics.log),
    "expm1": unary(mathematics.expm1),
    "tanh": unary(mathematics.tanh),
    "sigmoid": unary(mathematics.sigmoid),
    "softplus": unary(powers.softplus),
    "log1p": unary(powers.log1p),
    "log2": in_double(powers.log2),
    "log10": in_double(powers.log10),
    "sin": unary(trigonometry.sin),
    "cos": unary(trigonometry.cos),
    "asin": in_double(trigonometry.asin),
    "acos": in_double(trigonometry.acos),
    "atan2": in_double(trigonometry.atan2),
    "sinh": in_double(hyperbolic.sinh),
    "cosh": in_double(hyperbolic.cosh),
    "asinh": in_double(hyperbolic.asinh),
    "acosh": in_double(hyperbolic.acosh),
    "hypot": in_double(hyperbolic.hypot),
    "pow": _pow,
}
