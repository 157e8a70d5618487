"""Special functions against 30 digits of mpmath, and against scipy over the whole domain with its poles and ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg

mp = pytest.importorskip("mpmath")
sc = pytest.importorskip("scipy.special")
mp.mp.dps = 30

Array = np.ndarray[Any, Any]
ENDS = np.array([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, np.inf, -np.inf, np.nan, 1e-300, -1e-300, 1e300])


def ours(name: str, *arrays: Array) -> Array:
    fn: Any = rg
    for part in name.split("."):
        fn = getattr(fn, part)
    return fn(*(rg.tensor(a) for a in arrays)).numpy()


def spread(r: np.random.Generator, low: float, high: float, n: int = 120) -> Array:
    """Points of every size in [low, high]: half of them even, half of them crowded around 0."""
    sizes = 10 ** r.uniform(-9, 0, n // 2)
    return np.concatenate(
        [r.uniform(low, high, n - n // 2), np.where(r.random(n // 2) < 0.5, low, high) * sizes]
    )


def worst(found: Array, exact: Array, floor: float) -> float:
    """The largest error relative to the value, or to ``floor`` where values are smaller."""
    return float(np.max(np.abs(found - exact) / np.maximum(np.abs(exact), floor)))


# name: (function in mpmath, interval, values below this count as this large)
EXACT: dict[str, tuple[Callable[[Any], Any], float, float, float]] = {
    "lgamma": (mp.loggamma, 1e-9, 40, 1e-300),
    "digamma": (mp.digamma, 1e-9, 40, 1e-300),
    "erf": (mp.erf, -6, 6, 1e-300),
    "erfc": (mp.erfc, -6, 26, 1e-300),
    "special.erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x), -26, 60, 1e-300),
    "erfinv": (mp.erfinv, -0.999, 0.999, 1e-300),
    "i0": (lambda x: mp.besseli(0, x), -40, 40, 1e-300),
    "special.i0e": (lambda x: mp.besseli(0, x) * mp.exp(-abs(x)), -40, 40, 1e-300),
    "special.i1": (lambda x: mp.besseli(1, x), -40, 40, 1e-300),
    "special.i1e": (lambda x: mp.besseli(1, x) * mp.exp(-abs(x)), -40, 40, 1e-300),
    "special.log_ndtr": (lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), -60, 4, 1e-300),
    "sinc": (mp.sincpi, -30, 30, 1.0),
    "special.entr": (lambda x: -x * mp.log(x), 1e-9, 5, 1e-2),
}


@pytest.mark.row("ENG-06")
@pytest.mark.parametrize("name", EXACT)
def test_every_digit_of_float64(name: str) -> None:
    exact, low, high, floor = EXACT[name]
    x = spread(np.random.default_rng(len(name)), low, high)
    x = x[(x >= low) & (x != 0)]
    expected = np.array([float(exact(mp.mpf(v))) for v in x])
    assert worst(ours(name, x), expected, floor) < 4e-15


@pytest.mark.parametrize("name", ["lgamma", "digamma"])
def test_left_of_zero_only_the_roots_cost_digits(name: str) -> None:
    x = -np.random.default_rng(3).uniform(0, 30, 150)
    exact = {"lgamma": lambda v: mp.log(abs(mp.gamma(v))), "digamma": mp.digamma}[name]
    assert worst(ours(name, x), np.array([float(exact(mp.mpf(v))) for v in x]), 1.0) < 4e-15


def test_incomplete_gamma_functions() -> None:
    """In each region where another formula counts; an exponent of -100 costs two digits, as in every library."""
    r = np.random.default_rng(4)
    for low, high, n in ((1e-3, 1.5, 60), (1.5, 20, 60), (20, 200, 40), (200, 1e4, 20)):
        a = r.uniform(low, high, n)
        x = a * np.exp(r.normal(size=n) * min(0.6, 3 / np.sqrt(high)))
        for name, ends in (("igamma", (0, None)), ("igammac", (None, mp.inf))):
            exact = [
                mp.gammainc(
                    mp.mpf(p),
                    ends[0] if ends[1] is None else mp.mpf(q),
                    ends[1] or mp.mpf(q),
                    regularized=True,
                )
                for p, q in zip(a, x, strict=True)
            ]
            assert worst(ours(name, a, x), np.array([float(v) for v in exact]), 1e-300) < 1e-13


def test_zeta_against_its_own_sum() -> None:
    r = np.random.default_rng(5)
    s, q = 1 + 10 ** r.uniform(-4, 1.8, 80), 10 ** r.uniform(-3, 3, 80)

    def exact(s: Any, q: Any) -> Any:
        w = q + 30
        tail = w ** (1 - s) / (s - 1) + w**-s / 2
        for j in range(1, 20):
            tail += mp.bernoulli(2 * j) / mp.factorial(2 * j) * mp.rf(s, 2 * j - 1) * w ** (1 - s - 2 * j)
        return mp.fsum((q + k) ** -s for k in range(30)) + tail

    expected = np.array([float(exact(mp.mpf(a), mp.mpf(b))) for a, b in zip(s, q, strict=True)])
    assert worst(ours("special.zeta", s, q), expected, 1e-300) < 1e-14


SCIPY: dict[str, tuple[str, float, float]] = {
    "lgamma": ("gammaln", -30, 200), "digamma": ("psi", -30, 200), "erf": ("erf", -30, 30), "erfc": ("erfc", -30, 30),
    "special.erfcx": ("erfcx", -30, 1e6), "erfinv": ("erfinv", -1.2, 1.2), "special.ndtri": ("ndtri", -0.2, 1.2),
    "special.ndtr": ("ndtr", -40, 40), "special.log_ndtr": ("log_ndtr", -200, 40), "i0": ("i0", -800, 800),
    "special.i0e": ("i0e", -800, 800), "special.i1": ("i1", -800, 800), "special.i1e": ("i1e", -800, 800),
    "special.entr": ("entr", -5, 50), "sinc": ("_sinc", -30, 30), "special.spherical_bessel_j0": ("_j0", -60, 60),
}  # fmt: skip
OURS = {
    "lgamma": {-np.inf: np.inf},
    "i0": {np.inf: np.inf, -np.inf: np.inf},
    "special.i1": {np.inf: np.inf, -np.inf: -np.inf},
}
"""Ends where scipy gives NaN, or -∞, and the limit is known."""


@pytest.mark.parametrize("name", SCIPY)
def test_whole_domain_against_scipy(name: str) -> None:
    other, low, high = SCIPY[name]
    x = np.concatenate([spread(np.random.default_rng(6), low, high, 2000), ENDS])
    with np.errstate(all="ignore"):
        expected = (
            np.sinc(x)
            if other == "_sinc"
            else (np.where(x == 0, 1, np.sin(x) / x) if other == "_j0" else getattr(sc, other)(x))
        )
    expected[np.isinf(x)] = 0 if other in ("_sinc", "_j0") else expected[np.isinf(x)]
    if other == "_sinc":
        expected[np.isinf(x)] = np.nan
    for end, value in OURS.get(name, {}).items():
        expected[x == end] = value
    found = ours(name, x)
    edge = (np.abs(x) > 708) & (np.abs(x) < 716) if name in ("i0", "special.i1") else np.zeros(x.shape, bool)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    same = np.isinf(expected) & ~edge  # ours overflow a little later
    np.testing.assert_array_equal(found[same], expected[same])
    rest = np.isfinite(expected) & ~edge
    zero_crossing = {
        "lgamma": 1.0,
        "digamma": 1.0,
        "sinc": 1e-2,
        "special.spherical_bessel_j0": 1e-2,
        "erfc": 1e-290,
        "special.ndtr": 1e-290,
        "special.log_ndtr": 1e-290,
    }  # below, digits are lost to subnormals
    # scipy's own error is the larger one in the tails of erfc, ndtr and erfcx
    tolerance = 3e-13 if name in ("erfc", "special.ndtr", "special.erfcx", "special.log_ndtr") else 2e-14
    assert worst(found[rest], expected[rest], zero_crossing.get(name, 1e-300)) < tolerance


def test_zeta_and_the_incomplete_gamma_functions_at_their_ends() -> None:
    s, q = (
        v.ravel()
        for v in np.meshgrid([0.5, 1.0, 2.0, 3.0, 2.5], [0.0, -1.0, -1.5, -2.25, 2.0, np.nan, 1e-300, 0.5])
    )
    expected = np.where(np.isnan(q), np.nan, sc.zeta(s, q))  # of NaN scipy makes ∞ at s = 1
    np.testing.assert_allclose(ours("special.zeta", s, q), expected, rtol=1e-13)
    a, x = (
        v.ravel()
        for v in np.meshgrid([0, 0.5, 1, 30, np.inf, -1, np.nan], [0, 1e-300, 0.5, 30, np.inf, -1, np.nan])
    )
    np.testing.assert_allclose(ours("igamma", a, x), sc.gammainc(a, x), rtol=1e-13)
    np.testing.assert_allclose(ours("igammac", a, x), sc.gammaincc(a, x), rtol=1e-13)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7])
def test_polygamma(n: int) -> None:
    x = spread(np.random.default_rng(7), 1e-6, 30)
    x = np.abs(x)
    expected = sc.polygamma(n, x)
    assert worst(rg.polygamma(n, rg.tensor(x)).numpy(), expected, 1e-300 if n else 1.0) < 1e-14
    expected = np.array([float(mp.polygamma(n, mp.mpf(v))) for v in (-0.3, -2.6, -17.25)])
    np.testing.assert_allclose(
        rg.polygamma(n, rg.tensor([-0.3, -2.6, -17.25], dtype=rg.float64)).numpy(), expected, rtol=1e-12
    )


def test_multivariate_gamma() -> None:
    x = np.random.default_rng(8).uniform(2, 30, 50)
    for p in (1, 3, 5):
        np.testing.assert_allclose(ours("mvlgamma", x, ) if p == 0 else rg.mvlgamma(rg.tensor(x), p).numpy(),
                                   [sc.multigammaln(v, p) for v in x], rtol=1e-13)  # fmt: skip


NEAREST = ["lgamma", "digamma", "erf", "erfc", "special.erfcx", "erfinv", "special.ndtri", "i0", "special.i0e", "special.i1",
           "special.i1e", "special.entr"]  # fmt: skip


@pytest.mark.parametrize("name", [*NEAREST, "sinc", "atanh", "tan", "special.log_ndtr"])
def test_float32_is_float64_rounded(name: str) -> None:
    """Within one unit in the last place where it is one primitive, within a few where it is composed."""
    x = np.random.default_rng(9).uniform(0.05, 0.95, 3000).astype("float32")
    exact = ours(name, x.astype("float64"))
    unit = np.spacing(np.abs(exact).astype("float32")).astype("float64")
    assert np.max(np.abs(ours(name, x) - exact) / unit) <= (1 if name in NEAREST else 6)
