"""Elementwise functions on numbers of every kind against Python's own: exact where they can be, refused where they cannot."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import retrograd as rg

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.integers(-(2**31), 2**31 - 1)


def f64(*values: float) -> rg.Tensor:
    return rg.tensor(values, dtype=rg.float64)


def same(found: rg.Tensor, expected: list[Any]) -> None:
    """Equal bit by bit: -0 is not 0."""
    np.testing.assert_array_equal(found.numpy(), np.array(expected))
    if found.dtype.is_floating_point:
        np.testing.assert_array_equal(np.signbit(found.numpy()), np.signbit(np.array(expected)))


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=5))
def test_mantissa_and_exponent(values: list[float]) -> None:
    x = f64(*values)
    mantissa, exponent = rg.frexp(x)
    assert exponent.dtype is rg.int32
    finite = [math.frexp(v) if math.isfinite(v) else (v, 0) for v in values]
    same(mantissa, [m for m, _ in finite])
    same(rg.where(x.isfinite(), exponent, 0), [e for _, e in finite])
    normal = x.isfinite() & (x.abs() >= 2.0**-1022)
    back = rg.ldexp(rg.ldexp(mantissa, exponent // 2), exponent - exponent // 2)
    same(rg.where(normal, back, 0.0), rg.where(normal, x, 0.0).tolist())


@given(st.lists(st.tuples(FLOATS, FLOATS.filter(bool)), min_size=1, max_size=5))
def test_remainders(pairs: list[tuple[float, float]]) -> None:
    a, b = f64(*(p for p, _ in pairs)), f64(*(q for _, q in pairs))
    same(rg.fmod(a, b), [math.fmod(p, q) for p, q in pairs])
    np.testing.assert_array_equal(rg.remainder(a, b).numpy(), [p % q for p, q in pairs])
    np.testing.assert_array_equal((a // b).numpy(), [_floor_divide(p, q) for p, q in pairs])


def _floor_divide(a: float, b: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.floor_divide(a, b))


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=5))
def test_signs_and_neighbours(pairs: list[tuple[float, float]]) -> None:
    a, b = f64(*(p for p, _ in pairs)), f64(*(q for _, q in pairs))
    np.testing.assert_array_equal(rg.signbit(a).numpy(), np.signbit(a.numpy()))
    np.testing.assert_array_equal(rg.copysign(a, b).numpy(), np.copysign(a.numpy(), b.numpy()))
    np.testing.assert_array_equal(rg.nextafter(a, b).numpy(), np.nextafter(a.numpy(), b.numpy()))
    np.testing.assert_array_equal(rg.fmax(a, b).numpy(), np.fmax(a.numpy(), b.numpy()))
    np.testing.assert_array_equal(rg.fmin(a, b).numpy(), np.fmin(a.numpy(), b.numpy()))
    np.testing.assert_array_equal(
        rg.heaviside(a, b).numpy(), np.where(np.isnan(a.numpy()), 0, np.heaviside(a.numpy(), b.numpy()))
    )


@given(st.lists(st.tuples(WHOLE, WHOLE), min_size=1, max_size=5), st.integers(0, 80))
def test_whole_numbers(pairs: list[tuple[int, int]], shift: int) -> None:
    a, b = rg.tensor([p for p, _ in pairs]), rg.tensor([q for _, q in pairs])
    same(rg.gcd(a, b), [math.gcd(p, q) for p, q in pairs])
    same(rg.lcm(a, b), [math.lcm(p, q) for p, q in pairs])
    same(a << shift, [((p << shift) + 2**63) % 2**64 - 2**63 if shift < 64 else 0 for p, _ in pairs])
    same(a >> shift, [p >> shift for p, _ in pairs])
    divisor = rg.where(b == 0, 1, b)
    quotients = [(abs(p) // abs(q or 1)) * (1 if (p < 0) == ((q or 1) < 0) else -1) for p, q in pairs]
    same(rg.div(a, divisor, rounding_mode="trunc"), quotients)
    same(rg.fmod(a, divisor), [p - t * (q or 1) for (p, q), t in zip(pairs, quotients, strict=True)])
    same(a // divisor, [p // (q or 1) for p, q in pairs])
    same(a % divisor, [p % (q or 1) for p, q in pairs])


def test_shifts_that_leave_the_dtype() -> None:
    x = rg.tensor([5, -5], dtype=rg.int32)
    same(x << 32, [0, 0])
    same(x << -1, [0, 0])
    same(x >> 99, [0, -1])
    same(x >> -1, [0, -1])
    same(rg.tensor([200], dtype=rg.uint8) << 1, [144])
    same(rg.tensor([200], dtype=rg.uint8) >> 9, [0])
    same(2 << rg.tensor([3]), [16])
    same(64 >> rg.tensor([3]), [8])


def test_powers_are_exact() -> None:
    n = rg.arange(-300, 300).double()
    same(rg.exp2(n), [2.0**k for k in range(-300, 300)])
    same(rg.log2(rg.exp2(n)), list(map(float, range(-300, 300))))
    same(rg.log10(f64(*(10.0**k for k in range(23)))), list(map(float, range(23))))
    same(rg.log10(rg.tensor([1000.0, 1e6])), [3.0, 6.0])
    big = 2**62 + 1
    same(rg.div(rg.tensor([big]), 1, rounding_mode="trunc"), [big])  # no detour through float64
    same(rg.tensor([1, -1, -1, 2, 0, 3]) ** rg.tensor([-3, -3, -2, -1, 3, 4]), [1, -1, 1, 0, 0, 81])


def test_numbers_beyond_the_dtype_are_taken_as_pytorch_takes_them() -> None:
    same(rg.tensor([5], dtype=rg.uint8) + (-3), [2])
    same(rg.tensor([5], dtype=rg.uint8) - 300, [217])
    same(rg.ones(1) * 1e300, [math.inf])
    with pytest.raises(rg.errors.DTypeError, match=r"beyond int64(.|\n)*hint"):
        rg.tensor([5]) + 2**63


@pytest.mark.filterwarnings("ignore:.*order of arguments is deprecated")
def test_the_number_that_an_operand_is_multiplied_by() -> None:
    """alpha may be a tensor of one element, and stands third in `subtract` and, before the operand, in an older `add`."""
    x, true = rg.arange(3), rg.tensor(True)
    assert rg.subtract(x, 2, 3).tolist() == x.subtract(2, 3).tolist() == [-6, -5, -4]
    assert rg.subtract(x, 0.5, 0).dtype is rg.float32
    assert x.clone().subtract_(2, 3).tolist() == [-6, -5, -4]
    assert rg.add(x > 1, 0, True).tolist() == [False, False, True]
    assert rg.add(x > 1, true, alpha=true).tolist() == [True, True, True]
    assert rg.add(x, x, alpha=rg.tensor(2)).tolist() == [0, 3, 6]
    for f in (rg.add, rg.sub):
        with pytest.raises(rg.errors.DTypeError, match=r"alpha=(.|\n)*hint: alpha=alpha\.int"):
            f(x, true, 0.5)
        with pytest.raises(rg.errors.DTypeError, match="alpha="):
            f(x, x, alpha=rg.tensor(0.5))
    for refused in (lambda: rg.subtract(x, x, 2), lambda: x.subtract(2, 3, 4), lambda: x.subtract_(x, 2)):
        with pytest.raises((rg.errors.UsageError, TypeError)):
            refused()


def test_limits_that_are_tensors() -> None:
    x = f64(-1.0, 0.5, 3.0, math.nan)
    np.testing.assert_array_equal(rg.clamp(x, f64(0.0), f64(1.0)).numpy(), [0, 0.5, 1, math.nan])
    np.testing.assert_array_equal(rg.clamp(x, min=f64(math.nan)).numpy(), [math.nan] * 4)
    np.testing.assert_array_equal(
        rg.clamp(x, f64(2.0), f64(1.0)).numpy(), [1, 1, 1, math.nan]
    )  # the upper one wins
    assert rg.clamp(rg.tensor([1, 5]), 1.5, 3.0).tolist() == [1.5, 3.0]
    assert rg.clamp(rg.tensor([[1], [5]]), max=rg.tensor([2, 9])).tolist() == [[1, 1], [2, 5]]


def test_infinities_and_nan() -> None:
    x = f64(math.inf, -math.inf, math.nan, 1.0)
    assert rg.isposinf(x).tolist() == [True, False, False, False]
    assert rg.isneginf(x).tolist() == [False, True, False, False]
    assert rg.isreal(x).all()
    assert rg.sgn(x).tolist() == [1, -1, 0, 1]
    np.testing.assert_array_equal(rg.angle(-x).numpy(), [math.pi, 0, math.nan, math.pi])
    np.testing.assert_array_equal(rg.logaddexp2(x, x).numpy(), [math.inf, -math.inf, math.nan, 2])
    np.testing.assert_array_equal(
        rg.xlogy(f64(0, 0, 0, 0), f64(0, math.inf, math.nan, -1)).numpy(), [0, 0, math.nan, 0]
    )
    np.testing.assert_array_equal(rg.special.xlog1py(f64(0, 0), f64(-1, math.nan)).numpy(), [0, math.nan])
    assert rg.hypot(f64(3e200), f64(4e200)).tolist() == [pytest.approx(5e200, rel=1e-15)]
    same(rg.atan2(f64(0.0, -0.0, 0.0), f64(-1.0, -1.0, 1.0)), [math.pi, -math.pi, 0.0])


def test_other_names_and_places() -> None:
    x = f64(0.3, 0.7)
    names = {
        "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2",
        "arctanh": "atanh", "special.expit": "sigmoid", "special.psi": "digamma", "special.gammaln": "lgamma",
        "special.gammainc": "igamma", "special.gammaincc": "igammac", "special.multigammaln": "mvlgamma",
        "special.modified_bessel_i0": "i0", "special.round": "round", "special.logsumexp": "logsumexp",
    }  # fmt: skip
    for other, name in names.items():
        found: Any = rg
        for part in other.split("."):
            found = getattr(found, part)
        assert found is getattr(rg, name)
    assert x.where(x > 0.5, -1.0).tolist() == [-1.0, 0.7]
    assert x.polygamma(0).tolist() == x.digamma().tolist()
    assert x.real() is x if callable(x.real) else x.real is x
    assert rg.conj(x) is x
    assert x.conj_physical_() is x


HINTS = {
    "a number for a tensor": (lambda: rg.maximum(rg.ones(2), 1), r"takes a tensor, got int"),
    "numbers alone": (lambda: rg.pow(2, 3), r"takes a tensor, got int"),
    "no limits": (lambda: rg.clamp(rg.ones(2)), r"clamp\(x, min=0\.0\)"),
    "whole numbers by zero": (lambda: rg.tensor([1]) // 0, r"divided by zero"),
    "remainder by zero": (lambda: rg.fmod(rg.tensor([1]), 0), r"divided by zero"),
    "negative power of whole numbers": (lambda: rg.tensor([2]) ** -1, r"x\.float\(\) \*\* -1"),
    "minus of bools": (lambda: rg.tensor([True]) - True, r"logical_xor"),
    "rounding mode": (lambda: rg.div(rg.ones(1), 1, rounding_mode="up"), r'rounding_mode="floor"'),
    "decimals of whole numbers": (lambda: rg.round(rg.tensor([1]), decimals=1), r"x\.float\(\)"),
    "dtypes": (lambda: rg.heaviside(rg.ones(1), rg.ones(1).double()), r"values\.to"),
    "dtypes of lerp": (lambda: rg.lerp(rg.ones(1), rg.ones(1).double(), 0.5), r"end\.to"),
    "order": (lambda: rg.polygamma(-1, rg.ones(1)), r"polygamma\(1, x\)"),
    "dimension": (lambda: rg.mvlgamma(rg.ones(1), 0), r"mvlgamma\(x, 2\)"),
    "condition": (lambda: rg.where(rg.ones(1), 1.0, 2.0), r"compare first"),
    "mask": (lambda: rg.ones(1).masked_fill(rg.ones(1), 2.0), r"mask\.bool"),
    "value": (lambda: rg.ones(2).masked_fill(rg.ones(2) > 0, rg.ones(2)), r"where\(mask, value, input\)"),
    "tolerance": (lambda: rg.isclose(rg.ones(1), rg.ones(1), rtol=-1.0), r"not negative"),
    "integers for gcd": (lambda: rg.gcd(rg.ones(1), rg.ones(1)), r"takes integers"),
    "bools for gcd": (lambda: rg.gcd(rg.tensor([True]), rg.tensor([True])), r"not bools"),
    "division of whole numbers": (
        lambda: rg.addcdiv(rg.ones(1), rg.tensor([1]), rg.tensor([1])),
        r"div\(tensor1",
    ),
}


@pytest.mark.parametrize("name", HINTS)
def test_refusals_say_what_to_write(name: str) -> None:
    call, expected = HINTS[name]
    with pytest.raises(rg.errors.RetrogradError, match=expected) as caught:
        call()
    assert caught.value.hint
