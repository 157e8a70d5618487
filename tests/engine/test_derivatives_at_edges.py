"""Derivatives where a formula is at its end or in a kink: of every order that PyTorch gives there, they are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch

INF, NAN = float("inf"), float("nan")
LINE = [-3.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0]


def zero(lib: Any, x: Any) -> Any:
    return lib.zeros(len(x), dtype=lib.float64)


# name -> (function of library and tensor, points, orders)
EDGES: dict[str, tuple[Callable[[Any, Any], Any], list[float], int]] = {
    "asin": (lambda lib, x: lib.asin(x), [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], 2),
    "asin inside, third": (lambda lib, x: lib.asin(x), [-0.5, 0.0, 0.5], 3),
    "acos": (lambda lib, x: lib.acos(x), [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0], 2),
    "acosh": (lambda lib, x: lib.acosh(x), [-INF, -2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 1e150], 1),
    "acosh, second": (lambda lib, x: lib.acosh(x), [-2.0, -1.0, 0.0, 0.5, 1.0, 1.5], 2),
    "elu": (lambda lib, x: lib.nn.functional.elu(x), [*LINE, -INF, INF, NAN], 3),
    "elu, alpha": (lambda lib, x: lib.nn.functional.elu(x, 2.0), [*LINE, NAN], 3),
    "elu, negative alpha": (lambda lib, x: lib.nn.functional.elu(x, -1.0), LINE, 3),
    "celu": (lambda lib, x: lib.nn.functional.celu(x, 2.0), [*LINE, -INF, INF, NAN], 3),
    "selu": (lambda lib, x: lib.nn.functional.selu(x), [*LINE, -INF, INF, NAN], 3),
    "softplus, beta 0": (lambda lib, x: lib.nn.functional.softplus(x, beta=0.0), LINE, 1),
    "softplus": (lambda lib, x: lib.nn.functional.softplus(x, 2.0), LINE, 3),
    "logit": (lambda lib, x: lib.logit(x), [-INF, -1.0, -0.0, 0.0, 0.25, 0.5, 1.0, 1.5, INF, NAN], 1),
    "logit inside": (lambda lib, x: lib.logit(x), [0.25, 0.5, 0.9], 3),
    "logit, eps": (lambda lib, x: lib.logit(x, 0.1), [-1.0, 0.05, 0.1, 0.5, 0.95, 2.0, NAN], 1),
    "logit, eps above a half": (lambda lib, x: lib.logit(x, 0.6), [0.0, 0.4, 0.5, 0.6, 0.7, 1.0], 1),
    "clamp": (lambda lib, x: lib.clamp(x, -1.0, 1.0), [*LINE, -INF, INF, NAN], 1),
    "clamp, one limit": (lambda lib, x: lib.clamp(x, max=1.0), [*LINE, INF, NAN], 1),
    "clamp, crossed limits": (lambda lib, x: lib.clamp(x, 1.0, -1.0), [*LINE, NAN], 1),
    "clamp, limit NaN": (lambda lib, x: lib.clamp(x, NAN, 1.0), LINE, 1),
    "clamp by tensors": (lambda lib, x: lib.clamp(x, zero(lib, x) - 1, zero(lib, x) + 1), [*LINE, NAN], 1),
    "clamp, lower limit": (lambda lib, x: lib.clamp(zero(lib, x), x, zero(lib, x) + 1), [*LINE, NAN], 1),
    "clamp, upper limit": (lambda lib, x: lib.clamp(zero(lib, x), zero(lib, x) - 1, x), [*LINE, NAN], 1),
    "huber": (
        lambda lib, x: lib.nn.functional.huber_loss(x, zero(lib, x), reduction="none"),
        [*LINE, -INF, INF, NAN],
        1,
    ),
    "huber, second": (
        lambda lib, x: lib.nn.functional.huber_loss(x, zero(lib, x), reduction="none", delta=0.5),
        [*LINE, -INF, INF],
        2,
    ),
    "smooth_l1": (
        lambda lib, x: lib.nn.functional.smooth_l1_loss(x, zero(lib, x), reduction="none"),
        [*LINE, -INF, INF],
        2,
    ),
}


def derivatives(lib: Any, f: Callable[[Any, Any], Any], at: list[float], order: int) -> list[Any]:
    x = lib.tensor(at, dtype=lib.float64, requires_grad=True)
    y = f(lib, x)
    found = [y.detach().numpy()]
    for _ in range(order):
        (y,) = lib.autograd.grad(y.sum(), x, create_graph=True)
        found.append(y.detach().numpy())
    return found


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", EDGES)
def test_derivatives_at_the_edge_are_pytorchs(name: str) -> None:
    f, at, order = EDGES[name]
    for k, (ours, theirs) in enumerate(
        zip(derivatives(rg, f, at, order), derivatives(torch, f, at, order), strict=True)
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12, err_msg=f"order {k} at {at}")


@pytest.mark.parametrize("upper", [False, True])
def test_the_half_of_a_cholesky_factor_that_is_not_read_gets_no_gradient(upper: bool) -> None:
    """PyTorch gives that half numbers, too, which are not the derivative (finite differences there are 0)."""
    factor = np.array([[2.0, 0.0], [0.5, 1.5]])
    factor = factor.T if upper else factor
    right = np.array([[1.0], [2.0]])

    def solved(lib: Any, x: Any) -> Any:
        return lib.cholesky_solve(lib.tensor(right), x, upper=upper)

    mask = np.triu(np.ones((2, 2))) if upper else np.tril(np.ones((2, 2)))
    for f in (lambda lib, x: lib.cholesky_inverse(x, upper=upper), solved):
        got = []
        for lib in (rg, torch):
            x = lib.tensor(factor, requires_grad=True)
            weights = lib.tensor(np.arange(1.0, 5.0)[: f(lib, x).numel()]).reshape(f(lib, x).shape)
            got.append(lib.autograd.grad((f(lib, x) * weights).sum(), x)[0].numpy())
        np.testing.assert_allclose(got[0], got[1] * mask, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["logical_and_", "logical_or_", "logical_xor_", "logical_not_"])
def test_logic_written_in_place_has_gradient_0(name: str) -> None:
    """PyTorch forgets to cut the gradient there (it passes 1) although the results are 0 and 1 only."""
    x = rg.tensor([0.0, 2.0], requires_grad=True)
    y = x.clone()
    getattr(y, name)(*(() if "not" in name else (rg.ones(2),)))
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0]


def test_every_derivative_of_a_power_is_a_number_at_0() -> None:
    """Also of x⁰ and x¹, whose rule would take 0 times the infinite 1/x (PyTorch's are NaN there)."""
    for n, orders in ((0.0, [0, 0, 0]), (1.0, [1, 0, 0]), (2.0, [0, 2, 0])):
        found = derivatives(rg, lambda lib, x, n=n: x ** (zero(lib, x) + n), [0.0], 3)
        assert [float(d[0]) for d in found[1:]] == orders
