"""Arithmetic, powers, rounding."""

from __future__ import annotations

import builtins
import math
from typing import Any, NamedTuple

from ...errors import DTypeError, UsageError
from ...op import Op, bind
from ...ops import arithmetic as ops
from ...ops import elementwise, logic
from ...ops._family import fill
from ...types import bool_, float64, get_default_dtype, int64
from .._arguments import (
    as_tensor,
    binary,
    cast,
    common_dtype,
    floating,
    in_dtype,
    is_tensor,
    require_one_tensor,
    require_tensor,
    require_tensors,
    together,
)
from .._keywords import older
from ..return_types import shown
from .factors import is_one, scaled, third

__all__ = [
    "abs", "add", "addcdiv", "addcmul", "ceil", "conj", "copysign", "deg2rad", "div", "float_power", "floor",
    "floor_divide", "fmod", "frac", "frexp", "gcd", "hypot", "lcm", "ldexp", "lerp", "mul", "neg", "nextafter", "positive", "pow",
    "rad2deg", "reciprocal", "remainder", "round", "rsqrt", "rsub", "sgn", "sign", "signbit", "sqrt", "square", "sub",
    "trunc",
    "subtract", "multiply", "divide", "true_divide", "negative", "absolute", "fix",
    "conj_physical", "real", "resolve_conj", "resolve_neg",
]  # fmt: skip


def _numeric(op: type[Op], x: Any) -> Any:
    return bind(op, as_tensor(x))


def add(input: Any, other: Any, *last: Any, alpha: Any = 1) -> Any:
    """input + alpha·other"""
    if last:  # add(input, alpha, other), as PyTorch once had it
        alpha, other = other, older("add", "add(input, other, alpha=...)", *last)
    return binary(ops.Add, input, scaled(other, alpha, input))


def _is_bool(x: Any) -> builtins.bool:
    kind = getattr(x, "_type", None)
    return isinstance(x, builtins.bool) if kind is None else kind.dtype is bool_


def sub(input: Any, other: Any, *last: Any, alpha: Any = 1) -> Any:
    """input - alpha·other"""
    if last:
        alpha, other = other, older("sub", "sub(input, other, alpha=...)", *last)
    if _is_bool(input) or _is_bool(other):
        raise DTypeError(
            "subtraction is not defined for bools", hint="use a ^ b or a.logical_xor(b), or .int()"
        )
    return binary(ops.Sub, input, scaled(other, alpha, input))


def subtract(input: Any, other: Any, *last: Any, alpha: Any = 1) -> Any:
    """input - alpha·other; alpha may stand third where other is a number"""
    return sub(input, other, alpha=third("subtract", other, *last) if last else alpha)


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """other - alpha·input"""
    return sub(other, require_tensor("rsub", input), alpha=alpha)


def mul(input: Any, other: Any) -> Any:
    """input · other"""
    return binary(ops.Mul, input, other)


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """input / other; ``rounding_mode`` "floor" or "trunc" rounds the quotient"""
    if rounding_mode is None:
        return binary(ops.Div, input, other, floating=True)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode != "trunc":
        raise UsageError(
            f"div with rounding_mode={rounding_mode!r}", hint='rounding_mode="floor", "trunc" or None'
        )
    if common_dtype(input, other).is_floating_point:
        return trunc(binary(ops.Div, input, other, floating=True))
    a, b = together(input, other)
    return _signed(
        a, floor_divide(abs(a), abs(b)), b
    )  # whole numbers beyond 2⁵³ would not survive a quotient


def _signed(a: Any, magnitude: Any, b: Any) -> Any:
    """``magnitude`` with the sign of a·b; of whole numbers."""
    return mul(mul(bind(ops.Side, a), bind(ops.Side, b)), magnitude)


def floor_divide(input: Any, other: Any) -> Any:
    """⌊input / other⌋"""
    return binary(ops.FloorDivide, input, other)


def remainder(input: Any, other: Any) -> Any:
    """input - other·⌊input / other⌋: the sign is that of ``other``, as Python's %"""
    require_one_tensor("remainder", input, other)
    return binary(ops.Remainder, input, other)


def fmod(input: Any, other: Any) -> Any:
    """input - other·trunc(input / other): the sign is that of ``input``, as C's fmod"""
    a, b = together(require_tensor("fmod", input), other)
    side = bind(ops.Side, a)
    return mul(side, bind(ops.Remainder, mul(side, a), abs(b)))


def copysign(input: Any, other: Any) -> Any:
    """|input| with the sign of ``other``, where -0 counts as negative; derivative 0 at 0"""
    require_tensor("copysign", input)
    common = common_dtype(input, other)
    if not common.is_floating_point:
        input = floating(input)
    a, b = together(input, other)
    return mul(abs(a), bind(ops.Side, b))


def nextafter(input: Any, other: Any) -> Any:
    """The floating number next to ``input``, towards ``other``"""
    require_tensors("nextafter", input, other)
    return binary(ops.NextAfter, input, other)


def gcd(input: Any, other: Any) -> Any:
    """The largest whole number that divides both"""
    require_tensors("gcd", input, other)
    return binary(logic.Gcd, input, other)


def lcm(input: Any, other: Any) -> Any:
    """The smallest positive whole number that both divide; 0 if one of them is 0"""
    require_tensors("lcm", input, other)
    a, b = together(input, other)
    common = gcd(a, b)
    safe = add(common, cast(bind(logic.Eq, common, fill(common)), common.dtype))
    return abs(mul(floor_divide(a, safe), b))


def hypot(input: Any, other: Any) -> Any:
    """√(input² + other²), without overflow; derivative 0 at the origin, where PyTorch has NaN"""
    require_tensors("hypot", input, other)
    return binary(elementwise.Hypot, input, other)


def ldexp(input: Any, other: Any) -> Any:
    """input · 2^other"""
    require_tensors("ldexp", input, other)
    kind = input.dtype
    if not kind.is_floating_point:
        kind = common_dtype(input, other) if other.dtype.is_floating_point else get_default_dtype()
    elif other.dtype is bool_:
        raise DTypeError("ldexp takes no bools for the power of 2", hint="other.int()")
    elif other.dtype.is_floating_point:
        kind = common_dtype(input, other)
    return mul(cast(input, kind), pow(2.0, cast(other, kind)))


@shown("frexp")
class Frexp(NamedTuple):
    """A number as mantissa · 2^exponent."""

    mantissa: Any
    exponent: Any


def frexp(input: Any) -> Frexp:
    """(mantissa, exponent) with input = mantissa · 2^exponent and 1/2 ≤ |mantissa| < 1; the exponent is int32"""
    exponent = bind(ops.Exponent, require_tensor("frexp", input))
    half = floor_divide(exponent, 2)  # 2^-exponent alone overflows for the smallest numbers
    scaled = mul(input, pow(2.0, cast(neg(half), input.dtype)))
    return Frexp(mul(scaled, pow(2.0, cast(sub(half, exponent), input.dtype))), exponent)


def neg(input: Any) -> Any:
    """-input"""
    return _numeric(ops.Neg, input)


def positive(input: Any) -> Any:
    """input, unchanged"""
    if require_tensor("positive", input).dtype is bool_:
        raise DTypeError("+ is not defined for bool tensors", hint="x.int()")
    return input


def conj(input: Any) -> Any:
    """input: its numbers are real, as all are here; also under the names that PyTorch has for its bookkeeping"""
    return require_tensor("conj", input)


def abs(input: Any) -> Any:
    """|input|; derivative 0 at 0"""
    return _numeric(ops.Abs, input)


def sign(input: Any) -> Any:
    """-1, 0 or 1"""
    return _numeric(ops.Sign, input)


def signbit(input: Any) -> Any:
    """True for negative numbers, -0 among them"""
    input = require_tensor("signbit", input)
    return (
        bind(logic.Lt, bind(ops.Side, input), fill(input)) if input.dtype is not bool_ else mul(input, False)
    )


def deg2rad(input: Any) -> Any:
    """Degrees as radians: input·π/180"""
    return mul(floating(input), math.pi / 180)


def rad2deg(input: Any) -> Any:
    """Radians as degrees: input·180/π"""
    return mul(floating(input), 180 / math.pi)


def _rounding(op: type[Op], x: Any) -> Any:
    x = as_tensor(x)
    if x.dtype is bool_:
        raise DTypeError("bools are not rounded", hint="x.float()")
    return bind(op, x) if x.dtype.is_floating_point else x.clone()


def floor(input: Any) -> Any:
    """The largest integer not above input; derivative 0"""
    return _rounding(ops.Floor, input)


def ceil(input: Any) -> Any:
    """The smallest integer not below input; derivative 0"""
    return _rounding(ops.Ceil, input)


def trunc(input: Any) -> Any:
    """input without its fraction; derivative 0"""
    return _rounding(ops.Trunc, input)


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest integer (halves to even), or the nearest multiple of 10^-decimals; derivative 0"""
    if not decimals:
        return _rounding(ops.Round, input)
    if not as_tensor(input).dtype.is_floating_point:
        raise DTypeError(
            f"round with decimals={decimals} takes floating tensors, not {input.dtype!r}", hint="x.float()"
        )
    scale = 10.0 ** builtins.abs(decimals)
    there, back = (mul, div) if decimals > 0 else (div, mul)
    return back(round(there(input, scale)), scale)


def frac(input: Any) -> Any:
    """input - trunc(input)"""
    if not require_tensor("frac", input).dtype.is_floating_point:
        raise DTypeError(f"frac takes floating tensors, not {input.dtype!r}", hint="x.float()")
    return sub(input, trunc(input))


def sqrt(input: Any) -> Any:
    """√input"""
    return bind(elementwise.Sqrt, floating(input))


def rsqrt(input: Any) -> Any:
    """1 / √input"""
    return reciprocal(sqrt(input))


def square(input: Any) -> Any:
    """input²"""
    x = require_tensor("square", input)
    return mul(x, x) if x.dtype is not bool_ else cast(x, int64)


def reciprocal(input: Any) -> Any:
    """1 / input"""
    x = floating(input)
    return bind(ops.Div, fill(x, 1.0), x)


def pow(input: Any, exponent: Any) -> Any:
    """input^exponent"""
    require_one_tensor("pow", input, exponent)
    if isinstance(exponent, int | float) and is_tensor(input):
        if input.dtype is bool_ and isinstance(exponent, builtins.bool):
            return bind(
                logic.BitOr, input, fill(input, not exponent)
            )  # x^True = x, x^False = True, as PyTorch has it
        if input.dtype.is_floating_point:
            if exponent == 2:
                return mul(input, input)
            if exponent == 0.5:
                return mul(sqrt(input), 1)  # sqrt keeps its result, which may be changed in place
            if exponent == 1:
                return mul(input, 1)
        elif isinstance(exponent, int) and exponent < 0:
            raise DTypeError(
                f"a whole number to the power {exponent} is not whole", hint=f"x.float() ** {exponent}"
            )
    return binary(elementwise.Pow, input, exponent)


def float_power(input: Any, exponent: Any) -> Any:
    """input^exponent in float64"""
    require_one_tensor("float_power", input, exponent)
    return pow(*(in_dtype(x, float64) for x in (input, exponent)))


def _one_dtype(name: str, *operands: Any) -> None:
    """An error unless the tensors among the operands have one dtype: PyTorch promotes nothing here."""
    kinds = {x.dtype for x in operands if is_tensor(x)}
    if len(kinds) > 1:
        raise DTypeError(
            f"{name} takes tensors of one dtype, got {' and '.join(sorted(map(repr, kinds)))}",
            hint="convert them, e.g. end.to(input.dtype)",
        )


def lerp(input: Any, end: Any, weight: Any) -> Any:
    """input + weight·(end - input); exactly ``end`` at weight 1"""
    require_tensors("lerp", input, end)
    _one_dtype("lerp", input, end, weight)
    if not input.dtype.is_floating_point:
        raise DTypeError(f"lerp takes floating tensors, not {input.dtype!r}", hint="x.float()")
    gap = sub(end, input)
    if not is_tensor(weight):
        return add(input, mul(gap, weight)) if weight < 0.5 else sub(end, mul(gap, 1 - weight))
    from .comparison import lt, where

    return where(lt(weight, 0.5), add(input, mul(gap, weight)), sub(end, mul(gap, rsub(weight, 1))))


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value·tensor1·tensor2"""
    require_tensors("addcmul", input, tensor1, tensor2)
    kind = common_dtype(input, tensor1, tensor2)
    if kind is bool_ or (isinstance(value, float) and not kind.is_floating_point):
        raise DTypeError(f"addcmul of {kind!r} with value={value!r}", hint="input.float()")
    product = mul(tensor1, tensor2)
    return add(input, product if is_one(value) else mul(product, value))


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """input + value·tensor1/tensor2"""
    require_tensors("addcdiv", input, tensor1, tensor2)
    if not common_dtype(tensor1, tensor2).is_floating_point:
        raise DTypeError(
            "addcdiv does not divide whole numbers", hint="add(input, value * div(tensor1, tensor2))"
        )
    quotient = div(tensor1, tensor2)
    return add(input, quotient if is_one(value) else mul(quotient, value))


multiply, divide, true_divide, negative, absolute, fix = mul, div, div, neg, abs, trunc
sgn = sign
conj_physical = real = resolve_conj = resolve_neg = conj
