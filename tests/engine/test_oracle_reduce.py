"""Reductions, scans, sorts and softmax against PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from engine.both import DTYPES, both  # noqa: E402

SHAPES = [(), (5,), (3, 4), (2, 3, 4), (1, 1), (2, 1, 3, 2)]
Expression = Callable[[Any, Any], Any]

WHOLE: dict[str, Expression] = {
    "sum": lambda m, x: m.sum(x),
    "mean": lambda m, x: m.mean(x),
    "prod": lambda m, x: m.prod(x),
    "amax": lambda m, x: m.amax(x),
    "amin": lambda m, x: m.amin(x),
    "max": lambda m, x: m.max(x),
    "min": lambda m, x: m.min(x),
    "argmax": lambda m, x: m.argmax(x),
    "argmin": lambda m, x: m.argmin(x),
    "any": lambda m, x: m.any(x),
    "all": lambda m, x: m.all(x),
    "count_nonzero": lambda m, x: m.count_nonzero(x),
    "norm": lambda m, x: m.norm(x),
    "norm 1": lambda m, x: m.norm(x, 1),
    "norm 3": lambda m, x: m.norm(x, 3),
    "norm inf": lambda m, x: m.norm(x, math.inf),
    "norm -inf": lambda m, x: m.norm(x, -math.inf),
    "norm 0": lambda m, x: m.norm(x, 0),
    "sum dtype": lambda m, x: m.sum(x, dtype=m.float64),
}
ALONG: dict[str, Expression] = {
    "sum": lambda m, x, **k: m.sum(x, **k),
    "mean": lambda m, x, **k: m.mean(x, **k),
    "prod": lambda m, x, **k: m.prod(x, **k),
    "amax": lambda m, x, **k: m.amax(x, **k),
    "amin": lambda m, x, **k: m.amin(x, **k),
    "max": lambda m, x, **k: m.max(x, **k),
    "min": lambda m, x, **k: m.min(x, **k),
    "argmax": lambda m, x, **k: m.argmax(x, **k),
    "argmin": lambda m, x, **k: m.argmin(x, **k),
    "any": lambda m, x, **k: m.any(x, **k),
    "all": lambda m, x, **k: m.all(x, **k),
    "logsumexp": lambda m, x, **k: m.logsumexp(x, **k),
    "norm": lambda m, x, **k: m.norm(x, **k),
    "norm 3": lambda m, x, **k: m.norm(x, 3, **k),
    "var": lambda m, x, **k: m.var(x, **k),
    "std": lambda m, x, **k: m.std(x, **k),
    "var 0": lambda m, x, **k: m.var(x, correction=0, **k),
    "var biased": lambda m, x, dim, keepdim: m.var(x, dim, unbiased=False, keepdim=keepdim),
}
SCANS: dict[str, Expression] = {
    "cumsum": lambda m, x, d: m.cumsum(x, d),
    "softmax": lambda m, x, d: m.softmax(x, d),
    "log_softmax": lambda m, x, d: m.log_softmax(x, d),
    "softmin": lambda m, x, d: m.nn.functional.softmin(x, d),
    "sort": lambda m, x, d: m.sort(x, d),
    "sort down": lambda m, x, d: m.sort(x, d, descending=True),
    "argsort": lambda m, x, d: m.argsort(x, d),
    "topk": lambda m, x, d: m.topk(x, 2, d),
    "topk smallest": lambda m, x, d: m.topk(x, 1, d, largest=False),
    "softmax dtype": lambda m, x, d: m.softmax(x, d, dtype=m.float64),
}


def distinct(shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    """Numbers well apart from each other and from 0, in random order."""
    r = np.random.default_rng(seed)
    n = math.prod(shape)
    return ((r.permutation(n) - n // 2) * 0.37 + 0.11).reshape(shape)


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WHOLE)
def test_over_everything(name: str, dtype: str) -> None:
    for shape in SHAPES:
        x = distinct(shape) * (0.1 if name == "prod" else 1.0)
        both(WHOLE[name], x, dtype=dtype, grad=name != "norm 0")  # counting has no derivative here


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ALONG)
def test_along_dimensions(name: str, dtype: str) -> None:
    single = name in ("max", "min", "argmax", "argmin", "prod")
    for shape in SHAPES[1:]:
        if name in ("var", "std") and 1 in shape:
            continue  # one value has no variance: NaN in both, compared below
        n = len(shape)
        dims: list[Any] = [0, -1, n - 1] + ([] if single or n < 2 else [(0, 1), (-1, 0), None])
        if name == "logsumexp":
            dims = [d for d in dims if d is not None]
        for dim in dims:
            for keepdim in (False, True):
                both(partial(ALONG[name], dim=dim, keepdim=keepdim), distinct(shape), dtype=dtype)


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SCANS)
def test_along_one_dimension(name: str, dtype: str) -> None:
    for shape in SHAPES[1:]:
        for dim in {0, len(shape) - 1, -1}:
            both(partial(SCANS[name], d=dim), distinct(shape), dtype=dtype)


@pytest.mark.parametrize(
    "name", ["sum", "mean", "prod", "amax", "max", "argmax", "any", "all", "norm", "logsumexp"]
)
def test_over_nothing(name: str) -> None:
    """Empty tensors: 0 for sums, 1 for products, NaN for means, an error for extremes."""
    whole = WHOLE.get(name)
    if whole is not None:
        both(whole, np.zeros((0,)))
    both(lambda m, x: ALONG[name](m, x, dim=0, keepdim=False), np.zeros((0, 3)))
    both(lambda m, x: ALONG[name](m, x, dim=1, keepdim=False), np.zeros((0, 3)))


def test_variance_of_one_value() -> None:
    with pytest.warns(
        UserWarning, match="degrees of freedom"
    ):  # PyTorch's own words; the value is NaN in both
        both(lambda m, x: m.var(x), np.array([2.0]), grad=False)


@pytest.mark.parametrize(
    "name", ["sum", "prod", "amax", "max", "argmax", "any", "all", "cumsum", "sort", "count_nonzero", "mean"]
)
def test_integers_and_bools(name: str) -> None:
    """Integers and bools are counted in int64; any and all of uint8 are uint8; a mean of integers is refused."""
    r = np.random.default_rng(0)
    inputs = [r.integers(-3, 4, (3, 4)), r.integers(0, 3, (3, 4)).astype("uint8")]
    if name != "argmax":
        inputs.append(r.integers(0, 2, (3, 4)).astype(bool))
    for x in inputs:
        if name in WHOLE:
            both(WHOLE[name], x)
        if name in ("sum", "prod", "amax", "any", "all"):
            both(lambda m, x: ALONG[name](m, x, dim=1, keepdim=False), x)
        if name in ("cumsum", "sort") and x.dtype != bool:
            both(lambda m, x: [SCANS[name](m, x, 1)] if name == "cumsum" else [SCANS[name](m, x, 1)[0]], x)


@pytest.mark.parametrize(
    "name",
    ["sum", "mean", "amax", "amin", "max", "softmax", "log_softmax", "logsumexp", "norm", "any", "argmax"],
)
def test_infinities_and_nan(name: str) -> None:
    """Rows with NaN, with infinities, with nothing else: PyTorch's values."""
    inf, nan = np.inf, np.nan
    x = np.array(
        [[1.0, nan, 2.0], [inf, 1.0, -inf], [-inf, -inf, -inf], [inf, inf, 1.0], [1e308, 1e308, 1.0]]
    )
    if name in SCANS:
        both(lambda m, x: SCANS[name](m, x, 1), x, grad=False)
    else:
        both(lambda m, x: ALONG[name](m, x, dim=1, keepdim=False), x, grad=False)


def test_equal_values() -> None:
    """Equal maxima share the gradient of amax evenly, and so do those of max(); the index is the first one."""
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    both(lambda m, x: m.amax(x, 1), x)
    both(lambda m, x: m.amin(x, 1), x)
    both(lambda m, x: m.max(x), x)
    both(lambda m, x: m.min(x), x)
    both(lambda m, x: m.argmax(x, 1), x)
    both(lambda m, x: m.sort(x, dim=1, stable=True), x)


def test_zeros_in_a_product() -> None:
    for zeros in ((), (1,), (0, 2)):
        x = np.array([2.0, 3.0, -1.5, 4.0])
        x[list(zeros)] = 0
        both(lambda m, x: m.prod(x), x)
        both(lambda m, x: m.prod(m.stack([x, x * 2]), 1), x)


def test_norm_at_zero_has_gradient_zero() -> None:
    both(lambda m, x: [m.norm(x), m.norm(x, 3), m.norm(x, 1)], np.zeros(3))


@pytest.mark.parametrize("dim", [2, -3, (0, 0), (0, 2)])
def test_bad_dimensions(dim: Any) -> None:
    both(lambda m, x: m.sum(x, dim), np.zeros((2, 3)))
    if isinstance(dim, int):
        both(lambda m, x: m.softmax(x, dim), np.zeros((2, 3)))
        both(lambda m, x: m.max(x, dim), np.zeros((2, 3)))
        both(lambda m, x: m.cumsum(x, dim), np.zeros((2, 3)))
