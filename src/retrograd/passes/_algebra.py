"""Rules of `simplify` for arithmetic, choices and dtypes.

"The same" is meant bit by bit, NaN counted as one value.  x and y stand for any tensors, c for a literal number.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from ..graph import Equation, Var
from ..op import Op, registry
from ..ops.arithmetic import Abs, Add, Div, Maximum, Minimum, Mul, Neg, Sub
from ..ops.control import Detach
from ..ops.elementwise import Exp, Pow, Sqrt
from ..ops.logic import BitAnd, BitNot, BitOr, BitXor, Cast, Eq, Ge, Gt, Le, Lt, Ne, Where
from ..ops.random import Uniform
from ..ops.reduce import Softmax, Sum
from ..ops.shape import Broadcast, Permute, Reshape, Slice
from ..types import DType, bool_, dtype_of, float32, float64, int32, int64, size, uint8
from ._draft import single
from ._rules import Rewriting, Rule, changed


def number(d: Rewriting, v: Var) -> float | int | bool | None:
    """The number that ``v`` repeats, as Python has it."""
    found = d.repeated(v)
    return None if found is None else found.item()


def either(d: Rewriting, eq: Equation) -> tuple[float | int | bool, Var, Var] | None:
    """(c, the operand that is c everywhere, the other one) of an op whose operands may be exchanged."""
    a, b = eq.inputs
    c = number(d, b)
    if c is not None:
        return c, b, a
    c = number(d, a)
    return None if c is None else (c, a, b)


def negative_zero(c: float | int | bool) -> bool:
    return c == 0 and math.copysign(1.0, c) < 0


def never_negative_zero(d: Rewriting, v: Var, depth: int = 4) -> bool:
    """True if no element can be -0.0: sums begin with 0.0, and 0.0 - 0.0 = 0.0; squares, exponentials and whole numbers."""
    eq = d.maker.get(v)
    if eq is None:
        return False
    if eq.op in (Broadcast, Reshape, Permute, Slice, Sqrt) and depth:
        return never_negative_zero(d, eq.inputs[0], depth - 1)
    if eq.op is Mul:
        return eq.inputs[0] is eq.inputs[1]
    if eq.op is Cast:
        return not eq.inputs[0].type.dtype.is_floating_point
    return eq.op in (Sum, Abs, Exp, Softmax, Uniform)


def add_nothing(d: Rewriting, eq: Equation) -> Var | None:
    """x + (-0.0) = x also for x = 0.0 and -0.0; x + 0.0 only where x is never -0.0; x + 0 and x or False are x."""
    found = either(d, eq)
    if found is None or found[0] != 0:
        return None
    c, _, x = found
    exact = not x.type.dtype.is_floating_point or negative_zero(c) or never_negative_zero(d, x)
    return x if exact else None


def subtract_nothing(d: Rewriting, eq: Equation) -> Var | None:
    """x - 0.0 = x also for x = -0.0, as -0.0 - 0.0 = -0.0; x - (-0.0) is x + 0.0, which is another thing."""
    x, b = eq.inputs
    c = number(d, b)
    return x if c is not None and c == 0 and not negative_zero(c) else None


def multiply_by_one(d: Rewriting, eq: Equation) -> Var | None:
    """x·1 = x: a product with 1 is x itself and is not rounded; for bools it is x and True."""
    found = either(d, eq)
    return found[2] if found is not None and found[0] == 1 else None


def multiply_by_zero(d: Rewriting, eq: Equation) -> Var | None:
    """n·0 = 0 for whole numbers; for floating ones it is -0.0 or NaN as well, and stays."""
    found = either(d, eq)
    if found is None or found[0] != 0 or found[2].type.dtype.is_floating_point:
        return None
    return found[1]


def multiply_twice(d: Rewriting, eq: Equation) -> Equation | None:
    """(x·c)·c' = x·(c·c'): whole numbers wrap around alike; powers of two from 1 on round nothing, and overflow at one place."""
    return _together(d, eq, np.multiply)


def add_twice(d: Rewriting, eq: Equation) -> Equation | None:
    """(n + c) + c' = n + (c + c') for whole numbers, which wrap around alike; floating ones would be rounded otherwise."""
    return _together(d, eq, np.add)


def _together(d: Rewriting, eq: Equation, op: np.ufunc) -> Equation | None:
    found = either(d, eq)
    inner = found and d.made_by(found[2], eq.op)
    before = inner and either(d, inner)
    if not (found and before):
        return None
    dtype = eq.outputs[0].type.dtype
    if dtype.is_floating_point:
        if op is not np.multiply or not all(abs(c) >= 1 and _power_of_two(c) for c in (found[0], before[0])):
            return None
    with np.errstate(all="ignore"):
        c = op(d.repeated(found[1]), d.repeated(before[1]), dtype=dtype.numpy)
    if dtype.is_floating_point and not np.isfinite(c):
        return None
    return changed(eq, eq.op, before[2], repeat(d, eq, np.array(c)))


def repeat(d: Rewriting, eq: Equation, value: np.ndarray) -> Var:
    """A literal number in the shape of the result."""
    shape = eq.outputs[0].type.shape
    v = d.literal(value)
    return d.put(eq, Broadcast, v, shape=shape) if shape else v


def _power_of_two(c: float) -> bool:
    return math.isfinite(c) and c != 0 and abs(math.frexp(c)[0]) == 0.5


def divide_by_power(d: Rewriting, eq: Equation) -> Var | Equation | None:
    """x / 1 = x, and x / 2ⁿ = x·2⁻ⁿ where 2⁻ⁿ is a normal number: both round the same exact value, once."""
    x, b = eq.inputs
    c = number(d, b)
    if c is None or not _power_of_two(c):
        return None
    if c == 1:
        return x
    with np.errstate(all="ignore"):
        inverse = np.array(1 / np.array(c, b.type.dtype.numpy))
    if not np.finfo(inverse.dtype).tiny <= abs(inverse) < np.inf:
        return None
    return changed(eq, Mul, x, repeat(d, eq, inverse))


def negate_twice(d: Rewriting, eq: Equation) -> Var | None:
    """-(-x) = x: negation flips the sign bit, and of whole numbers it wraps around back."""
    inner = d.made_by(eq.inputs[0], Neg)
    return inner.inputs[0] if inner else None


def complement_twice(d: Rewriting, eq: Equation) -> Var | None:
    """~~x = x: every bit is flipped twice."""
    inner = d.made_by(eq.inputs[0], BitNot)
    return inner.inputs[0] if inner else None


def absolute_of_signed(d: Rewriting, eq: Equation) -> Var | Equation | None:
    """| |x| | = |x| and |-x| = |x|: only the sign bit differs; the smallest whole number is its own negative.  Not uint8."""
    inner = d.maker.get(eq.inputs[0])
    if inner is None or not eq.inputs[0].type.dtype.is_signed:
        return None
    if inner.op is Abs:
        return eq.inputs[0]
    return changed(eq, Abs, inner.inputs[0]) if inner.op is Neg else None


def same_twice(d: Rewriting, eq: Equation) -> Var | None:
    """max(x, x), min(x, x), x & x and x | x choose between equals."""
    return eq.inputs[0] if eq.inputs[0] is eq.inputs[1] else None


def bits_of_constant(d: Rewriting, eq: Equation) -> Var | None:
    """x & 11…1, x | 0 and x ^ 0 are x; x & 0 is 0 and x | 11…1 is 11…1: bit by bit."""
    found = either(d, eq)
    if found is None:
        return None
    c, constant, x = found
    ones = {bool_: 1, uint8: 255}.get(x.type.dtype, -1)
    if eq.op is BitAnd:
        return x if c == ones else constant if c == 0 else None
    if c == 0:
        return x
    return constant if eq.op is BitOr and c == ones else None


def choose_same(d: Rewriting, eq: Equation) -> Var | None:
    """where(c, x, x) = x: both branches are the same bits."""
    return eq.inputs[1] if eq.inputs[1] is eq.inputs[2] else None


def choose_known(d: Rewriting, eq: Equation) -> Var | None:
    """where(True, x, y) = x and where(False, x, y) = y: a choice copies."""
    c = number(d, eq.inputs[0])
    return None if c is None else eq.inputs[1 if c else 2]


def choose_opposite(d: Rewriting, eq: Equation) -> Equation | None:
    """where(~c, x, y) = where(c, y, x): a choice copies."""
    c, x, y = eq.inputs
    inner = d.made_by(c, BitNot)
    return changed(eq, Where, inner.inputs[0], y, x) if inner else None


def choose_again(d: Rewriting, eq: Equation) -> Equation | None:
    """where(c, where(c, x, _), y) = where(c, x, y), and likewise behind: the inner choice is made already."""
    c, x, y = eq.inputs
    first, second = d.made_by(x, Where), d.made_by(y, Where)
    x = first.inputs[1] if first and first.inputs[0] is c else x
    y = second.inputs[2] if second and second.inputs[0] is c else y
    return None if (x, y) == eq.inputs[1:] else changed(eq, Where, c, x, y)


def pass_on(d: Rewriting, eq: Equation) -> Var:
    """detach(x) = x: it steers the derivative alone."""
    return eq.inputs[0]


def cast_to_same(d: Rewriting, eq: Equation) -> Var | None:
    """A tensor in the dtype that it has is itself."""
    x = eq.inputs[0]
    return x if x.type.dtype is dtype_of(eq.params["dtype"]) else None


WIDER: dict[DType, tuple[DType, ...]] = {
    bool_: (uint8, int32, int64, float32, float64),
    uint8: (int32, int64, float32, float64),
    int32: (int64, float64),
    int64: (),
    float32: (float64,),
    float64: (),
}
"""Dtypes that hold every value of another one."""


def beyond_possible(given: DType, to: DType) -> bool:
    """True for a cast from floating to whole numbers: what lies beyond those has no right answer."""
    return given.is_floating_point and not to.is_floating_point and to is not bool_


def cast_through_wider(d: Rewriting, eq: Equation) -> Equation | None:
    """A cast by way of a wider dtype: nothing is lost on the way, and the last cast rounds or wraps as it would at once.

    From floating to whole numbers it stays: what lies beyond them depends on the way.
    """
    inner = d.made_by(eq.inputs[0], Cast)
    if inner is None:
        return None
    x, by, to = inner.inputs[0], eq.inputs[0].type.dtype, dtype_of(eq.params["dtype"])
    if by not in WIDER[x.type.dtype] or (beyond_possible(by, to) and to is not x.type.dtype):
        return None
    return changed(eq, Cast, x, dtype=to)


def raise_to_known(d: Rewriting, eq: Equation) -> Var | Equation | None:
    """x⁰ = 1 for NaN, too; x¹ = x, x² = x·x, x^0.5 = √x, x⁻¹ = 1/x where `repeated_power` finds that NumPy computes that.

    It is asked for one repeated exponent, which NumPy treats apart: a lone floating element goes through its power function.
    """
    x, b = eq.inputs
    c = number(d, b)
    dtype = x.type.dtype
    if c == 0:
        return repeat(d, eq, np.array(1, dtype.numpy))
    if c not in SHORT:
        return None
    if dtype.is_floating_point:
        if size(x.type.shape) < 2 or d.made_by(b, Broadcast) is None or not repeated_power(c, dtype):
            return None
    elif c not in (1, 2):  # products wrap around in any order
        return None
    if c == 1:
        return x
    if c == -1:
        return changed(eq, Div, repeat(d, eq, np.array(1, dtype.numpy)), x)
    return changed(eq, Mul, x, x) if c == 2 else changed(eq, Sqrt, x)


SHORT: dict[float, Callable[[np.ndarray], np.ndarray]] = {
    1: np.positive,
    2: np.square,
    0.5: np.sqrt,
    -1: np.reciprocal,
}
"""Exponents whose power is a simpler function."""


@functools.cache
def repeated_power(c: float, dtype: DType) -> bool:
    """True if powers with one repeated exponent are that simpler function to the last bit: NumPy 2.0 has no loop for that."""
    x = np.arange(1, 2001) * 2.0 ** (np.arange(2000) % 120 - 60) / 7 * (-1.0) ** np.arange(2000)
    x = np.concatenate([x, [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-310, 1e-40, -1e-40]]).astype(dtype.numpy)
    with np.errstate(all="ignore"):
        powers, simpler = (
            registry["pow"].eval(x, np.broadcast_to(np.array(c, dtype.numpy), x.shape)),
            SHORT[c](x),
        )
    nan = np.isnan(powers) & np.isnan(simpler)
    return np.where(nan, 0, powers).tobytes() == np.where(nan, 0, simpler).tobytes()


def of_repeated(d: Rewriting, eq: Equation) -> Equation | None:
    """op(a repeated, b repeated) = op(a, b) repeated: an op that is rounded correctly gives one number for the same operands.

    A cast from floating to whole numbers stays: NumPy may treat what lies beyond them otherwise in a vector.
    """
    if eq.op is Cast and beyond_possible(eq.inputs[0].type.dtype, dtype_of(eq.params["dtype"])):
        return None
    made = [d.made_by(v, Broadcast) for v in eq.inputs]
    if not all(m is not None and single(m.inputs[0]) for m in made) or size(eq.outputs[0].type.shape) < 2:
        return None
    numbers = [m.inputs[0] for m in made if m is not None]
    if len({v.type.shape for v in numbers}) > 1:
        numbers = [d.put(eq, Reshape, v, shape=()) for v in numbers]
    return changed(eq, Broadcast, d.put(eq, eq.op, *numbers, **eq.params), shape=eq.outputs[0].type.shape)


RULES: dict[type[Op], tuple[Rule, ...]] = {
    Add: (of_repeated, add_nothing, add_twice),
    Sub: (of_repeated, subtract_nothing),
    Mul: (of_repeated, multiply_by_one, multiply_by_zero, multiply_twice),
    Div: (of_repeated, divide_by_power),
    Neg: (of_repeated, negate_twice),
    Abs: (of_repeated, absolute_of_signed),
    Maximum: (same_twice,),
    Minimum: (same_twice,),
    BitAnd: (same_twice, bits_of_constant),
    BitOr: (same_twice, bits_of_constant),
    BitXor: (bits_of_constant,),
    BitNot: (complement_twice,),
    Where: (choose_same, choose_known, choose_opposite, choose_again),
    Detach: (pass_on,),
    Cast: (cast_to_same, of_repeated, cast_through_wider),
    Pow: (raise_to_known,),
    Sqrt: (of_repeated,),
    **dict.fromkeys((Eq, Ne, Lt, Le, Gt, Ge), (of_repeated,)),
}
