"""In-place forms of the elementwise functions: each is derived from the function of the same name."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError
from ..functions import elementwise as e
from ..functions import special as sp
from ..functions._keywords import older
from ..types import float64
from .writing import before, direct, in_place, write

__all__ = [
    "abs_", "absolute_", "acos_", "acosh_", "add_", "addcdiv_", "addcmul_", "arccos_", "arccosh_", "arcsin_",
    "arcsinh_", "arctan2_", "arctan_", "arctanh_", "asin_", "asinh_", "atan2_", "atan_", "atanh_",
    "bitwise_and_", "bitwise_left_shift_", "bitwise_not_", "bitwise_or_", "bitwise_right_shift_",
    "bitwise_xor_", "ceil_", "clamp_", "clamp_max_", "clamp_min_", "clip_", "conj_physical_", "copysign_",
    "cos_", "cosh_", "deg2rad_", "digamma_", "div_", "divide_", "eq_", "erf_", "erfc_", "erfinv_", "exp2_",
    "exp_", "expm1_", "fix_", "float_power_", "floor_", "floor_divide_", "fmod_", "frac_", "gcd_", "ge_",
    "greater_", "greater_equal_", "gt_", "heaviside_", "hypot_", "i0_", "igamma_", "igammac_", "lcm_", "ldexp_",
    "le_", "lerp_", "less_", "less_equal_", "lgamma_", "log10_", "log1p_", "log2_", "log_", "logical_and_",
    "logical_not_", "logical_or_", "logical_xor_", "logit_", "lt_", "mul_", "multiply_",
    "mvlgamma_", "nan_to_num_", "ne_", "neg_", "negative_", "nextafter_", "not_equal_", "polygamma_", "pow_",
    "rad2deg_", "reciprocal_", "relu_", "remainder_", "round_", "rsqrt_", "sgn_", "sigmoid_", "sign_", "sin_",
    "sinc_", "sinh_", "sqrt_", "square_", "sub_", "subtract_", "tan_", "tanh_", "true_divide_", "trunc_",
    "xlogy_",
]  # fmt: skip

abs_ = in_place(e.abs, np.absolute)
absolute_ = in_place(e.absolute, np.absolute)
acos_ = in_place(e.acos, np.arccos)
acosh_ = in_place(e.acosh)
arccos_ = in_place(e.arccos)
arccosh_ = in_place(e.arccosh)
arcsin_ = in_place(e.arcsin)
arcsinh_ = in_place(e.arcsinh)
arctan_ = in_place(e.arctan)
arctan2_ = in_place(e.arctan2)
arctanh_ = in_place(e.arctanh)
asin_ = in_place(e.asin, np.arcsin)
asinh_ = in_place(e.asinh)
atan_ = in_place(e.atan)
atan2_ = in_place(e.atan2)
atanh_ = in_place(e.atanh)
bitwise_and_ = in_place(e.bitwise_and)
bitwise_left_shift_ = in_place(e.bitwise_left_shift)
bitwise_not_ = in_place(e.bitwise_not)
bitwise_or_ = in_place(e.bitwise_or)
bitwise_right_shift_ = in_place(e.bitwise_right_shift)
bitwise_xor_ = in_place(e.bitwise_xor)
ceil_ = in_place(e.ceil, np.ceil)
clamp_ = in_place(e.clamp)
clamp_max_ = in_place(e.clamp_max)
clamp_min_ = in_place(e.clamp_min)
clip_ = in_place(e.clip)
copysign_ = in_place(e.copysign)
cos_ = in_place(e.cos, np.cos)
cosh_ = in_place(e.cosh, np.cosh)
deg2rad_ = in_place(e.deg2rad)
eq_ = in_place(e.eq)
erf_ = in_place(e.erf)
erfc_ = in_place(e.erfc)
exp_ = in_place(e.exp, np.exp)
exp2_ = in_place(e.exp2)
expm1_ = in_place(e.expm1, np.expm1)
fix_ = in_place(e.fix, np.trunc)
floor_ = in_place(e.floor, np.floor)
floor_divide_ = in_place(e.floor_divide)
fmod_ = in_place(e.fmod)
frac_ = in_place(e.frac)
gcd_ = in_place(e.gcd)
ge_ = in_place(e.ge)
greater_ = in_place(e.greater)
greater_equal_ = in_place(e.greater_equal)
gt_ = in_place(e.gt)
heaviside_ = in_place(e.heaviside)
hypot_ = in_place(e.hypot)
lcm_ = in_place(e.lcm)
ldexp_ = in_place(e.ldexp)
le_ = in_place(e.le)
less_ = in_place(e.less)
less_equal_ = in_place(e.less_equal)
log_ = in_place(e.log, np.log)
log10_ = in_place(e.log10)
log1p_ = in_place(e.log1p, np.log1p)
log2_ = in_place(e.log2, np.log2)
logical_and_ = in_place(e.logical_and)
logical_not_ = in_place(e.logical_not)
logical_or_ = in_place(e.logical_or)
logical_xor_ = in_place(e.logical_xor)
logit_ = in_place(e.logit)
lt_ = in_place(e.lt)
nan_to_num_ = in_place(e.nan_to_num)
ne_ = in_place(e.ne)
neg_ = in_place(e.neg, np.negative)
negative_ = in_place(e.negative, np.negative)
nextafter_ = in_place(e.nextafter)
not_equal_ = in_place(e.not_equal)
pow_ = in_place(e.pow)
rad2deg_ = in_place(e.rad2deg)
reciprocal_ = in_place(e.reciprocal)
relu_ = in_place(e.relu)
remainder_ = in_place(e.remainder)
round_ = in_place(e.round, np.rint)
rsqrt_ = in_place(e.rsqrt)
sgn_ = in_place(e.sgn)
sigmoid_ = in_place(e.sigmoid)
sign_ = in_place(e.sign)
sin_ = in_place(e.sin, np.sin)
sinh_ = in_place(e.sinh, np.sinh)
sqrt_ = in_place(e.sqrt, np.sqrt)
square_ = in_place(e.square, np.square)
tan_ = in_place(e.tan)
tanh_ = in_place(e.tanh, np.tanh)
trunc_ = in_place(e.trunc, np.trunc)
digamma_ = in_place(sp.digamma)
erfinv_ = in_place(sp.erfinv)
i0_ = in_place(sp.i0)
igamma_ = in_place(sp.igamma)
igammac_ = in_place(sp.igammac)
lgamma_ = in_place(sp.lgamma)
mvlgamma_ = in_place(sp.mvlgamma)
sinc_ = in_place(sp.sinc)
xlogy_ = in_place(sp.xlogy)
polygamma_ = in_place(sp.tensor_polygamma)


def conj_physical_(self: Any) -> Any:
    """self, whose numbers are real"""
    return self


def float_power_(self: Any, exponent: Any) -> Any:
    """self = self^exponent; self must be float64"""
    if self._type.dtype is not float64:
        raise DTypeError(
            f"float_power_ makes float64, which cannot be written in place into {self._type.dtype!r}",
            hint="x.float_power(exponent), or x.pow_(exponent)",
        )
    return write(self, e.float_power(before(self, exponent), exponent))


def _operand(x: Any, other: Any) -> Any:
    """The array or number to hand to NumPy, or None where the general way is needed."""
    kind = getattr(other, "_type", None)
    if kind is None:
        if isinstance(other, bool) or not isinstance(other, int | float):
            return None
        return (
            other
            if x._type.dtype.is_floating_point
            or (isinstance(other, int) and x._type.dtype.category == 1 and -1 < other < 128)
            else None  # what may not fit the dtype wraps around, as out of place
        )
    if kind.dtype is not x._type.dtype or kind.shape not in (x._type.shape, ()):
        return None
    return other._value


def _arithmetic(ufunc: Any, general: Any, x: Any, other: Any) -> Any:
    if (
        direct(x, other)
        and (operand := _operand(x, other)) is not None
        and (x.dtype.is_floating_point or (x.dtype.category == 1 and ufunc is not np.divide))
    ):
        with np.errstate(all="ignore"):
            ufunc(x._value, operand, out=x._value)
        x._version[0] += 1
        return x
    return write(x, general(before(x, other), other))


def add_(self: Any, other: Any, *last: Any, alpha: Any = 1) -> Any:
    """self += alpha·other"""
    if last:  # add_(alpha, other), as PyTorch once had it
        alpha, other = other, older("add_", "add_(other, alpha=...)", *last)
    return _arithmetic(np.add, e.add, self, e.scaled(other, alpha, self))


def sub_(self: Any, other: Any, *last: Any, alpha: Any = 1) -> Any:
    """self -= alpha·other"""
    if last:
        alpha, other = other, older("sub_", "sub_(other, alpha=...)", *last)
    return _arithmetic(np.subtract, e.sub, self, e.scaled(other, alpha, self))


def subtract_(self: Any, other: Any, *last: Any, alpha: Any = 1) -> Any:
    """self -= alpha·other; alpha may stand second where other is a number"""
    return sub_(self, other, alpha=e.third("subtract_", other, *last) if last else alpha)


def mul_(self: Any, other: Any) -> Any:
    """self *= other"""
    return _arithmetic(np.multiply, e.mul, self, other)


def div_(self: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """self /= other"""
    if rounding_mode is not None:
        return write(self, e.div(before(self, other), other, rounding_mode=rounding_mode))
    return _arithmetic(np.divide, e.div, self, other)


BLOCK = 16384
"""Elements handled at a time by the updates below: their temporary stays in the cache, and off the system's allocator,
which for arrays of megabytes costs more than the arithmetic."""


def _blocks(x: Any, *others: Any) -> list[tuple[Any, ...]] | None:
    """Pieces of the flattened arrays, with a scratch piece last; None where the general way is needed."""
    tensors = (x, *others)
    if not all(hasattr(t, "_type") for t in others) or not direct(x, *others):
        return None
    if (
        any(t._type != x._type or not t._value.flags.c_contiguous for t in tensors)
        or not x._type.dtype.is_floating_point
    ):
        return None
    arrays = [t._value.reshape(-1) for t in tensors]
    n = arrays[0].size
    scratch = np.empty(min(n, BLOCK), arrays[0].dtype)
    x._version[0] += 1
    return [(*(a[k : k + BLOCK] for a in arrays), scratch[: min(BLOCK, n - k)]) for k in range(0, n, BLOCK)]


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def addcmul_(self: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """self += value·tensor1·tensor2"""
    if _number(value) and (blocks := _blocks(self, tensor1, tensor2)) is not None:
        for x, a, b, product in blocks:
            np.multiply(a, b, out=product)
            product *= value
            x += product
        return self
    return write(self, e.addcmul(before(self), tensor1, tensor2, value=value))


def addcdiv_(self: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """self += value·tensor1/tensor2"""
    if _number(value) and (blocks := _blocks(self, tensor1, tensor2)) is not None:
        with np.errstate(all="ignore"):
            for x, a, b, quotient in blocks:
                np.divide(a, b, out=quotient)
                quotient *= value
                x += quotient
        return self
    return write(self, e.addcdiv(before(self), tensor1, tensor2, value=value))


def lerp_(self: Any, end: Any, weight: Any) -> Any:
    """self += weight·(end - self)"""
    if _number(weight) and (blocks := _blocks(self, end)) is not None:
        for x, goal, gap in blocks:
            np.subtract(goal, x, out=gap)
            gap *= weight if weight < 0.5 else 1 - weight
            np.add(x, gap, out=x) if weight < 0.5 else np.subtract(goal, gap, out=x)
        return self
    return write(self, e.lerp(before(self, end, weight), end, weight))


multiply_, divide_, true_divide_ = mul_, div_, div_
