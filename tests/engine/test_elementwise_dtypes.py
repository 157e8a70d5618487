"""Elementwise functions on every pair of dtypes, with dimensions and without, and with numbers: PyTorch's dtype and values, or
its refusal; and the same for every in-place form, with the gradient of what is overwritten."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from engine.both import listed

torch = pytest.importorskip("torch")
from oracle.samples import DTYPES, find  # noqa: E402
from retrograd.inplace import elementwise as inplace  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:An output with one or more elements")

UNARY = [
    "abs", "absolute", "acos", "acosh", "angle", "asin", "asinh", "atan", "atanh", "bitwise_not", "ceil", "cos",
    "cosh", "deg2rad", "digamma", "erf", "erfc", "erfinv", "exp", "exp2", "expm1", "fix", "floor", "frac", "frexp",
    "i0", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lgamma", "log", "log10", "log1p", "log2",
    "logical_not", "logit", "nan_to_num", "neg", "positive", "rad2deg", "reciprocal", "relu", "round", "rsqrt", "sgn",
    "sigmoid", "sign", "signbit", "sin", "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc", "special.entr",
    "special.erfcx", "special.expit", "special.gammaln", "special.i0e", "special.i1", "special.i1e",
    "special.log_ndtr", "special.ndtr", "special.ndtri", "special.psi",
]  # fmt: skip
NUMBERS = [
    "add", "bitwise_and", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "copysign", "div",
    "eq", "float_power", "floor_divide", "fmod", "ge", "gt", "le", "lt", "mul", "ne", "remainder", "special.xlog1py",
    "special.zeta", "sub", "true_divide", "xlogy",
]  # fmt: skip
TENSORS = [
    "atan2", "clamp_max", "clamp_min", "fmax", "fmin", "gcd", "heaviside", "hypot", "igamma", "igammac", "lcm",
    "ldexp", "logaddexp", "logaddexp2", "logical_and", "logical_or", "logical_xor", "maximum", "minimum", "nextafter",
]  # fmt: skip


def theirs(name: str) -> Any:
    fn: Any = torch
    for part in name.split("."):
        fn = getattr(fn, part)
    return fn


def mine(x: Any) -> Any:
    return rg.from_numpy(x.detach().numpy().copy()) if isinstance(x, torch.Tensor) else x


def said(args: tuple[Any, ...]) -> str:
    return ", ".join(
        f"{str(x.dtype)[6:]}{list(x.shape)}" if isinstance(x, torch.Tensor) else repr(x) for x in args
    )


def same(name: str, *args: Any) -> None:
    """One call here and there: values and dtypes agree, or both refuse."""
    what = f"{name}({said(args)})"
    try:
        expected = theirs(name)(*args)
    except (RuntimeError, TypeError) as refusal:
        with pytest.raises(rg.errors.RetrogradError) as caught:
            print(what, str(refusal)[:100], find(name)(*map(mine, args)))  # type: ignore[misc]
        assert caught.value.hint, what
        return
    found = find(name)(*map(mine, args))  # type: ignore[misc]
    for a, b in zip(listed(found), listed(expected), strict=True):
        assert a.dtype is DTYPES[b.dtype], what
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-6, atol=1e-7, err_msg=what)


def sample(r: np.random.Generator, dtype: Any, shape: tuple[int, ...]) -> Any:
    values = r.uniform(0.2, 0.9, shape) if dtype.is_floating_point else r.integers(1, 5, shape)
    return torch.tensor(values).to(dtype)


@pytest.mark.row("ENG-06")
@pytest.mark.parametrize("name", UNARY)
def test_one_tensor(name: str) -> None:
    r = np.random.default_rng(0)
    for dtype in DTYPES:
        same(name, sample(r, dtype, (3,)))
        same(name, sample(r, dtype, ()))


@pytest.mark.row("ENG-06")
@pytest.mark.parametrize("name", NUMBERS + TENSORS)
def test_two_tensors(name: str) -> None:
    r = np.random.default_rng(1)
    for one, two in itertools.product(DTYPES, DTYPES):
        same(name, sample(r, one, (3,)), sample(r, two, (3,)))
        if one.is_floating_point != two.is_floating_point or torch.bool in (one, two):
            same(
                name, sample(r, one, (3,)), sample(r, two, ())
            )  # without dimensions only the category counts


@pytest.mark.parametrize("name", NUMBERS)
def test_a_tensor_and_a_number(name: str) -> None:
    r = np.random.default_rng(2)
    for dtype, number in itertools.product(DTYPES, (2, 2.5, True)):
        same(name, sample(r, dtype, (3,)), number)
        same(name, number, sample(r, dtype, (3,)))


OTHER = {name for name in inplace.__all__ if name.rstrip("_") in {*NUMBERS, *TENSORS}} | {
    "arctan2_", "clamp_", "clip_", "divide_", "greater_", "greater_equal_", "less_", "less_equal_", "multiply_", "not_equal_",
    "pow_", "subtract_",
}  # fmt: skip
NO_GRADIENT = {"logical_and_", "logical_or_", "logical_xor_", "logical_not_"}
"""In place, PyTorch lets the gradient of what was overwritten pass through these; here it is 0."""


def calls(r: np.random.Generator, name: str, dtype: Any) -> list[tuple[Any, ...]]:
    """Arguments to try after the tensor that is changed."""
    if name in OTHER:
        shapes: list[tuple[int, ...]] = [(2, 3), (3,), (), (2, 2, 3)]
        tensors = [(sample(r, d, s),) for d in DTYPES for s in (shapes if d is dtype else shapes[1:3])]
        return [*tensors, (2,), (0.5,), (True,)] if (name, dtype) != ("pow_", torch.bool) else tensors
    if name == "lerp_":
        return [(sample(r, dtype, (2, 3)), 0.3), (sample(r, dtype, (2, 3)), 0.7), (sample(r, dtype, (3,)), sample(r, dtype, ())),
                (sample(r, torch.float32, (3,)), 0.5)]  # fmt: skip
    if name in ("addcmul_", "addcdiv_"):
        return [(sample(r, d, (2, 3)), sample(r, dtype, (3,))) for d in DTYPES]
    if name == "masked_fill_":
        return [(sample(r, torch.bool, (2, 3)), value) for value in (2, 2.5, True, torch.tensor(3.0))]
    return [(1,)] if name in ("polygamma_", "mvlgamma_") else [()]


@pytest.mark.row("ENG-06")
@pytest.mark.parametrize("name", inplace.__all__)
def test_in_place(name: str) -> None:
    r = np.random.default_rng(3)
    for dtype in DTYPES:
        for args in calls(r, name, dtype):
            target = sample(r, dtype, (2, 3))
            in_place(name, target, args)
            if dtype is torch.float64 and name not in NO_GRADIENT:
                in_place_gradients(r, name, target, args)


def in_place(name: str, target: Any, args: tuple[Any, ...]) -> None:
    what = f"{str(target.dtype)[6:]}.{name}({said(args)})"
    x, t = mine(target), target.clone()
    try:
        getattr(t, name)(*args)
    except (RuntimeError, TypeError) as refusal:
        with pytest.raises(rg.errors.RetrogradError) as caught:
            print(what, str(refusal)[:100], getattr(x, name)(*map(mine, args)))
        assert caught.value.hint, what
        np.testing.assert_array_equal(
            x.numpy(), target.numpy(), err_msg=f"{what} was refused and changed all the same"
        )
        return
    assert getattr(x, name)(*map(mine, args)) is x
    assert x.dtype is DTYPES[t.dtype], what
    np.testing.assert_allclose(x.numpy(), t.numpy(), rtol=2e-6, atol=2e-7, err_msg=what)


def in_place_gradients(r: np.random.Generator, name: str, target: Any, args: tuple[Any, ...]) -> None:
    """The gradient of what is overwritten, and of what is written."""
    what = f"gradient of {name}({said(args)})"
    given = [target.clone(), *args]
    there = [
        x.clone().requires_grad_() if isinstance(x, torch.Tensor) and x.is_floating_point() else x
        for x in given
    ]
    here = [
        mine(x).requires_grad_() if isinstance(x, torch.Tensor) and x.requires_grad else mine(x)
        for x in there
    ]
    t, x = there[0] * 1, here[0] * 1
    weight = torch.tensor(r.normal(size=(2, 3)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            getattr(t, name)(*there[1:])
            (t * weight).sum().backward()
    except (RuntimeError, TypeError):
        return  # refused, or without a derivative
    getattr(x, name)(*here[1:])
    (x * mine(weight)).sum().backward()
    for a, b in zip(here, there, strict=True):
        if not isinstance(b, torch.Tensor) or not b.requires_grad:
            continue
        expected = np.zeros(b.shape) if b.grad is None else b.grad.numpy(force=True)
        found = np.zeros(b.shape) if a.grad is None else a.grad.numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9, err_msg=what)


def test_float_power_in_place_needs_float64() -> None:
    with pytest.raises(rg.errors.DTypeError, match=r"hint: x\.float_power"):
        rg.ones(2).float_power_(2)
