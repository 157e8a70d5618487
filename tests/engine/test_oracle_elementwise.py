"""Elementwise functions against PyTorch: values and gradients, over shapes, domains and far ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
from engine.both import DTYPES, both  # noqa: E402

UNARY = {
    "abs": (-3, 3), "neg": (-3, 3), "sign": (-3, 3), "floor": (-3, 3), "ceil": (-3, 3), "trunc": (-3, 3),
    "round": (-3, 3), "frac": (-3, 3), "exp": (-5, 5), "exp2": (-5, 5), "expm1": (-3, 3), "log": (0.1, 9),
    "log2": (0.1, 9), "log10": (0.1, 9), "log1p": (-0.9, 5), "sqrt": (0.1, 9), "rsqrt": (0.1, 9), "square": (-3, 3),
    "reciprocal": (0.3, 3), "sin": (-7, 7), "cos": (-7, 7), "tan": (-1.2, 1.2), "tanh": (-3, 3), "erf": (-4, 4),
    "erfc": (-2, 2), "sigmoid": (-9, 9), "logit": (0.05, 0.95), "relu": (-3, 3),
    "isnan": (-3, 3), "isinf": (-3, 3), "isfinite": (-3, 3), "logical_not": (-3, 3), "nan_to_num": (-3, 3),
    "absolute": (-3, 3), "negative": (-3, 3), "acos": (-0.9, 0.9), "acosh": (1.1, 5), "angle": (-3, 3), "asin": (-0.9, 0.9),
    "asinh": (-5, 5), "atan": (-5, 5), "atanh": (-0.9, 0.9), "cosh": (-3, 3), "deg2rad": (-360, 360), "erfinv": (-0.9, 0.9),
    "i0": (-5, 5), "lgamma": (0.3, 9), "rad2deg": (-7, 7), "signbit": (-3, 3), "sinc": (-3, 3), "sinh": (-3, 3),
    "isposinf": (-3, 3), "isneginf": (-3, 3), "isreal": (-3, 3),
}  # fmt: skip
BINARY = {
    "add": (-3, 3), "sub": (-3, 3), "mul": (-3, 3), "div": (0.5, 3), "maximum": (-3, 3), "minimum": (-3, 3),
    "pow": (0.3, 3), "logaddexp": (-9, 9), "eq": (-3, 3),
    "ne": (-3, 3), "lt": (-3, 3), "le": (-3, 3), "gt": (-3, 3), "ge": (-3, 3), "logical_and": (-3, 3),
    "logical_or": (-3, 3), "logical_xor": (-3, 3), "isclose": (-3, 3), "rsub": (-3, 3),
    "atan2": (-3, 3), "copysign": (-3, 3), "fmax": (-3, 3), "fmin": (-3, 3), "fmod": (0.5, 3),
    "hypot": (-3, 3), "logaddexp2": (-9, 9), "nextafter": (-3, 3), "xlogy": (0.3, 3), "float_power": (0.3, 3),
    "true_divide": (0.5, 3), "subtract": (-3, 3), "multiply": (-3, 3), "greater": (-3, 3), "less_equal": (-3, 3),
}  # fmt: skip
INTEGER = ("add", "sub", "mul", "div", "maximum", "minimum", "pow", "floor_divide", "remainder", "eq", "lt", "ge",
           "bitwise_and", "bitwise_or", "bitwise_xor", "logical_and")  # fmt: skip
SHAPES = st.lists(st.integers(0, 4), max_size=3).map(tuple)


def broadcastable(r: np.random.Generator, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts against ``shape``: some sizes become 1, some leading ones go away."""
    thin = tuple(1 if r.random() < 0.3 else n for n in shape)
    return thin[int(r.integers(0, len(thin) + 1)) :] if r.random() < 0.4 else thin


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name: str, dtype: str) -> None:
    if name in ("tan", "logit", "sinc", "acos", "asin") and dtype == "float32":
        scale = 0.3  # conditioning: a composition in float32 keeps about six digits
    else:
        scale = 1.0
    r = np.random.default_rng(len(name))
    low, high = UNARY[name]
    for shape in ((), (7,), (3, 4), (2, 3, 2), (0, 3)):
        x = r.uniform(low, high, shape)
        both(lambda m, x: getattr(m, name)(x), np.clip(x * scale, low, high), dtype=dtype)


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name: str, dtype: str) -> None:
    r = np.random.default_rng(len(name))
    low, high = BINARY[name]
    for shape in ((), (5,), (3, 4), (2, 1, 3), (0, 2)):
        a = r.uniform(low, high, broadcastable(r, shape))
        b = r.uniform(low, high, broadcastable(r, shape))
        both(lambda m, a, b: getattr(m, name)(a, b), a, b, dtype=dtype)


@pytest.mark.parametrize("name", INTEGER)
def test_integers(name: str) -> None:
    r = np.random.default_rng(0)
    a, b = r.integers(-9, 9, (4, 3)), r.integers(1, 5, (3,))
    both(lambda m, a, b: getattr(m, name)(a, b), a, b)
    both(lambda m, a, b: getattr(m, name)(a, b), a.astype("int32"), b.astype("int32"))
    both(lambda m, a, b: getattr(m, name)(a, b), abs(a).astype("uint8"), b.astype("uint8"))


SCALAR = {
    "3 - x": lambda m, x: 3 - x,
    "x ** 3": lambda m, x: x**3,
    "x ** -2": lambda m, x: x**-2,
    "x ** 0.5": lambda m, x: x**0.5,
    "2 ** x": lambda m, x: 2**x,
    "x ** 0": lambda m, x: x**0,
    "1 / x": lambda m, x: 1 / x,
    "x % 0.7": lambda m, x: x % 0.7,
    "-x": lambda m, x: -x,
    "abs": lambda m, x: abs(x),
    "x * True": lambda m, x: x * True,
    "x > 1": lambda m, x: x > 1,
    "+x": lambda m, x: +x,
    "fix": lambda m, x: x.fix(),
    "div floor": lambda m, x: m.div(x, 0.3, rounding_mode="floor"),
    "div trunc": lambda m, x: m.div(x, 0.3, rounding_mode="trunc"),
    "clamp": lambda m, x: m.clamp(x, 0.5, 1.5),
    "clamp below": lambda m, x: m.clamp(x, min=0.7),
    "clamp above": lambda m, x: x.clamp(max=0.7),
    "round 2": lambda m, x: m.round(x, decimals=2),
    "lerp": lambda m, x: m.lerp(x, x * 2, 0.3),
    "alpha": lambda m, x: m.add(x, x, alpha=3),
    "sub alpha": lambda m, x: m.sub(x, x * x, alpha=0.5),
    "clone": lambda m, x: x.clone(),
    "where": lambda m, x: m.where(x > 1, x, 0.0),
    "where both": lambda m, x: m.where(x > 1, x * 2, -x),
    "masked_fill": lambda m, x: x.masked_fill(x > 1, -1.0),
    "addcmul": lambda m, x: m.addcmul(x, x, x, value=0.5),
    "addcdiv": lambda m, x: m.addcdiv(x, x, x + 1, value=0.5),
    "softplus": lambda m, x: m.nn.functional.softplus(x),
    "logit eps": lambda m, x: m.logit(x / 4, eps=0.2),
    "nested": lambda m, x: ((x * x).sin() + x.exp()).log1p().sqrt() / (1 + x),
}


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SCALAR)
def test_with_numbers(name: str, dtype: str) -> None:
    r = np.random.default_rng(1)
    for shape in ((), (5,), (2, 3)):
        both(SCALAR[name], r.uniform(0.2, 3, shape), dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_quotients(dtype: str) -> None:
    """Values only: PyTorch has no derivative for //, nor for % with respect to the divisor."""
    r = np.random.default_rng(2)
    a, b = r.uniform(-9, 9, (20, 3)), r.uniform(0.3, 3, (3,)) * np.array([1, -1, 1])
    both(
        lambda m, a, b: [a // b, a % b, a // 0.7, 5 // b, 5 % b, m.remainder(a, -b)],
        a,
        b,
        dtype=dtype,
        grad=False,
    )
    both(lambda m, a: m.remainder(a, 0.7), a, dtype=dtype)
    special = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.5, -2.0])
    c, d = (x.reshape(-1) for x in np.meshgrid(special, special))
    both(lambda m, c, d: [c // d, c % d], c, d, dtype=dtype, grad=False)


FAR = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1e300, -1e300, 1e-300, 700.0, -700.0, 88.0, -104.0])
FAR_NAMES = ("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sigmoid", "erf", "abs", "sign", "relu", "floor", "sin",
             "reciprocal", "isnan", "isinf", "isfinite", "nan_to_num", "square", "log2", "rsqrt", "erfc")  # fmt: skip


@pytest.mark.parametrize("name", FAR_NAMES)
def test_far_ends(name: str) -> None:
    """Infinities, NaN, zeros of both signs, overflow: the same answers as PyTorch, gradients included."""
    both(lambda m, x: getattr(m, name)(x), FAR)


@pytest.mark.parametrize("name", ["add", "mul", "div", "maximum", "minimum", "pow", "eq", "lt", "logaddexp"])
def test_far_ends_of_two(name: str) -> None:
    special = np.array([np.inf, -np.inf, np.nan, 0.0, 1.5, -2.0])
    a, b = (x.reshape(-1) for x in np.meshgrid(special, special))
    both(
        lambda m, a, b: getattr(m, name)(a, b),
        a,
        b,
        grad=name not in ("pow", "maximum", "minimum", "logaddexp"),
    )


@given(SHAPES, st.integers(0, 10**6), st.sampled_from(sorted(BINARY)))
def test_broadcasting(shape: tuple[int, ...], seed: int, name: str) -> None:
    """Any two shapes that fit give PyTorch's shape, values and summed gradients; others are refused by both."""
    r = np.random.default_rng(seed)
    low, high = BINARY[name]
    a = r.uniform(low, high, broadcastable(r, shape))
    b = r.uniform(low, high, broadcastable(r, shape) if r.random() < 0.9 else tuple(r.integers(1, 4, 2)))
    both(lambda m, a, b: getattr(m, name)(a, b), a, b)


def test_comparing_everything() -> None:
    r = np.random.default_rng(0)
    a = r.normal(size=(3, 3))
    both(
        lambda m, a: [m.equal(a, a), m.equal(a, a + 1), m.allclose(a, a + 1e-9), m.allclose(a, a + 1)],
        a,
        grad=False,
    )
    nan = np.array([np.nan, 1.0, np.inf])
    both(
        lambda m, a: [m.isclose(a, a), m.isclose(a, a, equal_nan=True), m.allclose(a, a, equal_nan=True)], nan
    )
