"""Derivatives of the elementwise functions: to second order against PyTorch, at edges by their stated conventions, and the same
under tracing and vectorising."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg

sp = rg.special
Fn = Callable[..., Any]


def f64(*values: float) -> rg.Tensor:
    return rg.tensor(values, dtype=rg.float64)


def slopes(fn: Fn, *arrays: Any) -> list[np.ndarray[Any, Any]]:
    """First and second derivatives of an elementwise function with respect to its last argument."""
    *fixed, last = (rg.tensor(a) for a in arrays)
    x = last.clone().requires_grad_()
    (first,) = rg.autograd.grad(fn(*fixed, x).sum(), [x], create_graph=True)
    second = rg.autograd.grad(first.sum(), [x])[0] if first.requires_grad else rg.zeros_like(x)
    return [first.detach().numpy(), second.numpy()]


# name: the intervals of its arguments; the derivatives are those in the last one
SECOND: dict[str, list[tuple[float, float]]] = {
    "acos": [(-0.9, 0.9)], "acosh": [(1.1, 9)], "asin": [(-0.9, 0.9)], "asinh": [(-9, 9)], "atan": [(-9, 9)],
    "atan2": [(-2, 2), (0.2, 2)], "atanh": [(-0.9, 0.9)], "cosh": [(-3, 3)], "digamma": [(0.3, 20)], "erfc": [(-3, 3)],
    "erfinv": [(-0.9, 0.9)], "exp2": [(-3, 3)], "fmod": [(0.3, 9), (0.2, 2)], "hypot": [(0.3, 2), (0.3, 2)], "i0": [(-9, 9)],
    "igamma": [(0.5, 20), (0.5, 20)], "igammac": [(0.5, 20), (0.5, 20)], "lgamma": [(0.3, 20)], "log10": [(0.1, 9)],
    "log2": [(0.1, 9)], "logaddexp": [(-5, 5), (-5, 5)], "logaddexp2": [(-5, 5), (-5, 5)], "logit": [(0.1, 0.9)],
    "sinc": [(0.2, 5)], "sinh": [(-3, 3)], "tan": [(-1, 1)], "xlogy": [(0.1, 3), (0.1, 3)],
    "special.entr": [(0.1, 5)], "special.erfcx": [(-3, 3)], "special.i0e": [(0.1, 9)], "special.i1": [(0.1, 9)],
    "special.i1e": [(0.1, 9)], "special.log_ndtr": [(-9, 3)], "special.ndtr": [(-5, 5)], "special.ndtri": [(0.01, 0.99)],
    "special.xlog1py": [(0.1, 3), (0.1, 3)], "special.zeta": [(1.5, 9), (0.5, 9)],
}  # fmt: skip


def named(root: Any, name: str) -> Fn:
    for part in name.split("."):
        root = getattr(root, part)
    return root


@pytest.mark.row("ENG-06")
@pytest.mark.parametrize("name", SECOND)
def test_second_order_against_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    r = np.random.default_rng(0)
    arrays = [r.uniform(low, high, 40) for low, high in SECOND[name]]
    *fixed, x = (torch.tensor(a) for a in arrays)
    x.requires_grad_()
    (first,) = torch.autograd.grad(named(torch, name)(*fixed, x).sum(), x, create_graph=True)
    second = torch.autograd.grad(first.sum(), x)[0] if first.requires_grad else torch.zeros_like(x)
    for found, exact in zip(
        slopes(named(rg, name), *arrays), (first.detach().numpy(), second.numpy()), strict=True
    ):
        # PyTorch's own trigamma is right to 1e-9 only
        np.testing.assert_allclose(found, exact, rtol=2e-8, atol=1e-8 * max(1, np.abs(exact).max()))


def test_a_sum_of_exponentials_is_smooth_where_its_terms_are_equal() -> None:
    hessian = rg.func.hessian(lambda x: rg.logaddexp(x[0], x[1]))(f64(0.3, 0.3))
    np.testing.assert_allclose(hessian.numpy(), [[0.25, -0.25], [-0.25, 0.25]], atol=1e-15)
    np.testing.assert_allclose(
        rg.logaddexp(f64(-math.inf, math.inf), f64(-math.inf, math.inf)).tolist(), [-math.inf, math.inf]
    )


def test_sinc_keeps_its_derivatives_near_zero() -> None:
    for x in (0.0, 1e-9, 1e-5, 1e-3, 0.1):
        first, second = slopes(rg.sinc, np.array([x]))
        z = math.pi * x
        series = math.pi * sum(
            (-1) ** k * 2 * k * z ** (2 * k - 1) / math.factorial(2 * k + 1) for k in range(1, 9)
        )
        curve = math.pi**2 * sum(
            (-1) ** k * 2 * k * (2 * k - 1) * z ** (2 * k - 2) / math.factorial(2 * k + 1)
            for k in range(1, 9)
        )
        np.testing.assert_allclose([first[0], second[0]], [series, curve], rtol=1e-13)


def test_slopes_that_must_not_be_rounded_away() -> None:
    """The far ends, where a formula made of the result has no digits left."""
    np.testing.assert_allclose(slopes(rg.expm1, np.array([-40.0]))[0], math.exp(-40), rtol=1e-14)
    np.testing.assert_allclose(slopes(rg.cosh, np.array([1e-12]))[0], 1e-12, rtol=1e-14)
    np.testing.assert_allclose(slopes(rg.asinh, np.array([1e200]))[0], 1e-200, rtol=1e-14)
    np.testing.assert_allclose(slopes(rg.acosh, np.array([1e200]))[0], 1e-200, rtol=1e-14)
    np.testing.assert_allclose(slopes(rg.hypot, np.array([3e200]), np.array([4e200]))[0], 0.8, rtol=1e-14)
    np.testing.assert_allclose(
        slopes(rg.atan2, np.array([3e200]), np.array([4e200]))[0], -1.2e-201, rtol=1e-14
    )
    np.testing.assert_allclose(slopes(sp.log_ndtr, np.array([-1e4]))[0], 1e4 + 1e-4, rtol=1e-14)
    np.testing.assert_allclose(slopes(sp.i1, np.array([1e-9]))[0], 0.5, rtol=1e-15)


CONVENTIONS: dict[str, tuple[Fn, list[float], list[float]]] = {
    "acos at 1": (rg.acos, [1.0], [-math.inf]),
    "acosh at 1": (rg.acosh, [1.0], [math.inf]),
    "angle": (rg.angle, [-1.0, 0.0, 2.0], [0, 0, 0]),
    "asin at its ends": (rg.asin, [-1.0, 1.0], [math.inf, math.inf]),
    "copysign at 0": (lambda x: rg.copysign(x, f64(-1.0)), [0.0, -0.0, 2.0], [0, 0, -1]),
    "entr at 0": (sp.entr, [0.0], [math.inf]),
    "fmax": (lambda x: rg.fmax(x, f64(1.0)), [1.0, 0.0, math.nan], [1, 0, 0]),
    "fmin": (lambda x: rg.fmin(x, f64(1.0)), [1.0, 2.0, math.nan], [1, 0, 0]),
    "fmod": (lambda x: rg.fmod(x, 0.7), [0.0, -1.0, 1.0], [1, 1, 1]),
    "hypot at the origin": (lambda x: rg.hypot(x, f64(0.0)), [0.0], [0]),
    "atan2 at the origin": (lambda x: rg.atan2(x, f64(0.0)), [0.0], [0]),
    "maximum": (lambda x: rg.maximum(x, f64(1.0)), [1.0, 2.0, 0.0], [0.5, 1, 0]),
    "clamp_min": (lambda x: rg.clamp_min(x, 1.0), [1.0, 2.0, 0.0], [1, 1, 0]),
    "nan_to_num": (rg.nan_to_num, [math.nan, math.inf, 3.0], [0, 0, 1]),
    "nextafter": (lambda x: rg.nextafter(x, f64(9.0)), [1.0], [1]),
    "sinc at 0": (rg.sinc, [0.0, 1.0], [0, -1]),
    "xlogy in x": (lambda x: rg.xlogy(x, f64(2.0)), [0.0, 1.0], [math.log(2), math.log(2)]),
    "xlogy at 0, 0": (lambda x: rg.xlogy(x, f64(0.0)), [0.0], [0]),
    "float_power": (lambda x: rg.float_power(x, 3), [2.0], [12]),
    "frexp": (lambda x: rg.frexp(x).mantissa, [6.0, -0.3], [1 / 8, 2.0]),
    "ldexp": (lambda x: rg.ldexp(x, rg.tensor(5)), [3.0], [32]),
    "deg2rad": (rg.deg2rad, [1.0], [math.pi / 180]),
    "fill": (lambda x: rg.fill(x, 3.0), [1.0], [0]),
    "round": (lambda x: rg.round(x, decimals=1), [0.31], [0]),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_convention(name: str) -> None:
    fn, at, expected = CONVENTIONS[name]
    np.testing.assert_allclose(slopes(fn, np.array(at))[0], expected, rtol=1e-14)


def test_limits_share_the_gradient_of_clamp() -> None:
    x, low, high = (t.requires_grad_() for t in (f64(0.0, 1.0, 2.0, 3.0), f64(1.0), f64(2.0)))
    rg.clamp(x, low, high).sum().backward()
    assert x.grad is not None and low.grad is not None and high.grad is not None  # noqa: PT018
    assert (x.grad.tolist(), low.grad.tolist(), high.grad.tolist()) == ([0, 1, 1, 0], [1], [1])


@pytest.mark.parametrize("fn", [rg.igamma, rg.igammac, sp.zeta])
def test_there_is_no_formula_for_the_exponent(fn: Fn) -> None:
    a, x = f64(2.0).requires_grad_(), f64(3.0).requires_grad_()
    with pytest.raises(rg.errors.GradError, match=r"first input(.|\n)*hint: .*detach"):
        fn(a, x).sum().backward()
    fn(a.detach(), x).sum().backward()
    assert x.grad is not None


ONE = ["acos", "acosh", "angle", "asin", "asinh", "atan", "atanh", "cosh", "deg2rad", "digamma", "erfc", "erfinv", "exp2",
       "expm1", "frac", "i0", "lgamma", "log10", "log2", "logit", "nan_to_num", "reciprocal", "rsqrt", "sgn", "signbit", "sinc",
       "sinh", "square", "tan", "special.entr", "special.erfcx", "special.i0e", "special.i1", "special.i1e",
       "special.log_ndtr", "special.ndtr", "special.ndtri", "special.spherical_bessel_j0"]  # fmt: skip
TWO = ["atan2", "clamp_max", "clamp_min", "copysign", "float_power", "fmax", "fmin", "fmod", "heaviside", "hypot", "igamma",
       "igammac", "ldexp", "logaddexp", "logaddexp2", "maximum", "nextafter", "remainder", "xlogy", "special.xlog1py",
       "special.zeta"]  # fmt: skip


@pytest.mark.parametrize("name", ONE + TWO)
def test_traced_and_vectorised_it_is_the_same(name: str) -> None:
    fn = named(rg, name)
    r = np.random.default_rng(1)
    low, high = (1.1, 1.9) if name == "acosh" else (0.1, 0.9)
    given = [rg.tensor(r.uniform(low, high, (3, 2))) for _ in range(1 + (name in TWO))]
    expected = fn(*given).numpy()
    (traced,) = rg.trace(fn)(*given)(*(t.numpy() for t in given))
    np.testing.assert_array_equal(traced, expected)
    np.testing.assert_allclose(rg.vmap(fn)(*given).numpy(), expected, rtol=1e-15)


def test_polynomials_are_differentiated_by_their_own_recurrences() -> None:
    """Against the coefficients that NumPy gives; PyTorch has no derivative here."""
    families = {
        "chebyshev_polynomial_t": np.polynomial.Chebyshev,
        "hermite_polynomial_h": np.polynomial.Hermite,
        "hermite_polynomial_he": np.polynomial.HermiteE,
        "laguerre_polynomial_l": np.polynomial.Laguerre,
        "legendre_polynomial_p": np.polynomial.Legendre,
    }
    x = np.random.default_rng(2).uniform(-2, 2, 9)
    for name, family in families.items():
        for n in (0, 1, 2, 5, 9):
            exact = family.basis(n)
            found = slopes(lambda x, n=n, name=name: getattr(sp, name)(x, n), x)
            for k in (1, 2):
                np.testing.assert_allclose(found[k - 1], exact.deriv(k)(x), rtol=1e-11, atol=1e-9)
    at_the_ends = sp.chebyshev_polynomial_u(f64(-1.0, 1.0), 6)
    assert at_the_ends.tolist() == [7, 7]
    assert sp.legendre_polynomial_p(f64(0.3), f64(-1.0)).tolist() == [0]
    mixed = sp.shifted_chebyshev_polynomial_w(f64(0.7), rg.tensor([0, 1, 2]))  # each degree in one call
    assert mixed.tolist() == pytest.approx([1, 1.8, 4 * 0.16 + 2 * 0.4 - 1])
