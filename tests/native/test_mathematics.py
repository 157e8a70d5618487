"""Largest errors of the vector functions, in units of the last place, over all of float32 and all exponents of float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from native.registers import Array, apply, units
from retrograd.lower.native import errorfunction, hyperbolic, mathematics, powers, trigonometry
from retrograd.lower.native.emit import Function, Value
from retrograd.ops import _errorfunction

ALL = 2**32


def sigmoid(x: Array) -> Array:
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, decay) / (1 + decay)


def softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def half(function: Callable[..., Value]) -> Callable[[Function, Value], Value]:
    """A function of double, used on float."""

    def both_ways(f: Function, x: Value) -> Value:
        return f.convert(function(f, f.convert(x, "double")), "float")

    both_ways.__name__ = function.__name__
    return both_ways


# Function, reference in a wider type, bound.
SINGLE = [
    (mathematics.exp, np.exp, 1.0),
    (mathematics.log, np.log, 1.0),
    (mathematics.tanh, np.tanh, 2.0),
    (mathematics.sigmoid, sigmoid, 2.0),
    (errorfunction.erf, _errorfunction.erf, 1.0),
    (mathematics.expm1, np.expm1, 1.6),
    (powers.log1p, np.log1p, 1.0),
    (powers.softplus, softplus, 2.0),
    (trigonometry.sin, np.sin, 1.6),
    (trigonometry.cos, np.cos, 1.6),
    (half(powers.log2), np.log2, 0.51),
    (half(powers.log10), np.log10, 0.51),
    (half(trigonometry.asin), np.arcsin, 0.51),
    (half(trigonometry.acos), np.arccos, 0.51),
    (half(hyperbolic.sinh), np.sinh, 0.51),
    (half(hyperbolic.cosh), np.cosh, 0.51),
    (half(hyperbolic.asinh), np.arcsinh, 0.51),
    (half(hyperbolic.acosh), np.arccosh, 0.51),
]
DOUBLE = [
    (mathematics.exp, np.exp, 1.0),
    (mathematics.log, np.log, 1.0),
    (mathematics.tanh, np.tanh, 2.5),
    (mathematics.sigmoid, sigmoid, 2.0),
    (mathematics.expm1, np.expm1, 2.0),
    (powers.log1p, np.log1p, 1.0),
    (powers.log2, np.log2, 1.2),
    (powers.log10, np.log10, 1.0),
    (powers.softplus, softplus, 2.0),
    (trigonometry.sin, np.sin, 1.0),
    (trigonometry.cos, np.cos, 1.0),
    (trigonometry.tan, np.tan, 2.5),
    (trigonometry.asin, np.arcsin, 2.0),
    (trigonometry.acos, np.arccos, 2.0),
    (hyperbolic.sinh, np.sinh, 3.0),
    (hyperbolic.cosh, np.cosh, 2.0),
    (hyperbolic.asinh, np.arcsinh, 2.5),
    (hyperbolic.acosh, np.arccosh, 3.0),
]
EXTENDED = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double"
)


def name(case: object) -> str:
    return getattr(case, "__name__", "")


def floats(start: int, step: int, chunk: int = 2**22) -> Iterator[Array]:
    """Every step-th float32, by its bits."""
    for first in range(start, ALL, step * chunk):
        last = min(first + step * chunk, ALL)
        yield np.arange(first, last, step, dtype=np.uint64).astype(np.uint32).view(np.float32)


def worst(
    function: Callable[..., Value], reference: Callable[[Array], Array], x: Array
) -> tuple[float, float]:
    wide = np.float64 if x.dtype == np.float32 else np.longdouble
    found = apply(function, x)
    with np.errstate(all="ignore"):
        exact = reference(x.astype(wide))
    off = units(found, exact)
    at = int(np.argmax(off))
    zero = (x == 0) & (exact == 0)
    np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(exact[zero]))
    return float(off[at]), float(x[at])


@pytest.mark.parametrize("function, reference, bound", SINGLE, ids=name)
def test_float32(function: Callable[..., Value], reference: Callable[[Array], Array], bound: float) -> None:
    """A thousand numbers of each exponent and sign, and every number of a few places where formulas change."""
    for x in floats(11, 8191):
        assert worst(function, reference, x) <= (bound, np.inf)
    centres = np.array(
        [0.0, -0.0, 1.0, -1.0, 0.3, 0.5**0.5, 0.9275, 2.0, -104.0, 88.7, -87.3, 1e5, 3.4e38, 1.2e-38, np.inf],
        np.float32,
    )
    near = (centres.view(np.int32)[:, None] + np.arange(-600, 600, dtype=np.int32)).ravel().view(np.float32)
    assert worst(function, reference, near) <= (bound, np.inf)


@pytest.mark.slow
@pytest.mark.parametrize("function, reference, bound", SINGLE, ids=name)
def test_float32_every_seventh(
    function: Callable[..., Value], reference: Callable[[Array], Array], bound: float
) -> None:
    """Those that are a double rounded once: every 97th."""
    for x in floats(3, 97 if bound < 1 else 7):
        assert worst(function, reference, x) <= (bound, np.inf)


def doubles(n: int) -> Array:
    """All exponents, and the sizes that programs have."""
    r = np.random.default_rng(n)
    everywhere = r.integers(0, 2**64, n, dtype=np.uint64).view(np.float64)
    usual = [r.normal(size=n) * scale for scale in (1e-3, 0.05, 1.0, 10.0, 300.0, 1e5)]
    return np.concatenate(
        [everywhere, *usual, 1 + r.normal(size=n) * 1e-3, [0.0, -0.0, np.inf, -np.inf, np.nan]]
    )


@EXTENDED
@pytest.mark.parametrize("function, reference, bound", DOUBLE, ids=name)
def test_float64(function: Callable[..., Value], reference: Callable[[Array], Array], bound: float) -> None:
    assert worst(function, reference, doubles(20_000)) <= (bound, np.inf)


@EXTENDED
@pytest.mark.slow
@pytest.mark.parametrize("function, reference, bound", DOUBLE, ids=name)
def test_float64_more(
    function: Callable[..., Value], reference: Callable[[Array], Array], bound: float
) -> None:
    assert worst(function, reference, doubles(1_000_000)) <= (bound, np.inf)


@EXTENDED
@pytest.mark.parametrize(
    "function, reference, bound",
    [(powers.power, np.power, 1.2), (trigonometry.atan2, np.arctan2, 1.5), (hyperbolic.hypot, np.hypot, 0.6)],
    ids=name,
)
def test_float64_of_two(
    function: Callable[..., Value], reference: Callable[[Array, Array], Array], bound: float
) -> None:
    a, b = doubles(20_000), np.random.default_rng(1).permutation(doubles(20_000))
    r = np.random.default_rng(4)
    close = 1 + r.normal(size=60_000) * 1e-4  # near 1 the logarithm needs all its digits
    a, b = np.concatenate([a, close]), np.concatenate([b, r.normal(size=60_000) * 1e6])
    found = apply(function, a, b)
    with np.errstate(all="ignore"):
        exact = reference(a.astype(np.longdouble), b.astype(np.longdouble))
    off = units(found, exact)
    at = int(np.argmax(off))
    assert off[at] <= bound, (a[at], b[at], found[at], exact[at])


def test_whole_logarithms_are_whole() -> None:
    ten = np.array([float(f"1e{n}") for n in range(-22, 23)])
    np.testing.assert_array_equal(apply(powers.log10, ten), np.arange(-22.0, 23.0))
    two = np.ldexp(1.0, np.arange(-1074, 1024))
    np.testing.assert_array_equal(apply(powers.log2, two), np.arange(-1074.0, 1024.0))


def test_angles_of_every_size() -> None:
    """The reduction of the worst double (J.-M. Muller, "Elementary Functions", 11.3), and of random ones, by mpmath."""
    mpmath = pytest.importorskip("mpmath")
    r = np.random.default_rng(2)
    x = r.integers(0, 2**64, 1500, dtype=np.uint64).view(np.float64)
    x = np.concatenate([x[np.isfinite(x)], [6381956970095103.0 * 2.0**797, 1e22, 2.0**1023, -(2.0**100)]])
    with mpmath.workprec(1300):
        for function, exact in ((trigonometry.sin, mpmath.sin), (trigonometry.cos, mpmath.cos)):
            found = apply(function, x)
            for given, y in zip(x.tolist(), found.tolist(), strict=True):
                value = exact(mpmath.mpf(given))
                unit = mpmath.ldexp(1, max(int(mpmath.frexp(value)[1]) - 53, -1074)) if value else 1
                assert abs(y - value) <= 0.8 * unit, given
