"""Random expressions, three to twelve functions deep, differentiated twice: against PyTorch, finite differences and JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import retrograd as rg
from laws.expressions import expressions, inputs, run, torch
from laws.jax_peer import Jax, installed

STEP = 1e-3
Expression = tuple[list[str], int]


def weighted(value: Any, m: Any) -> Any:
    """One number: the entries of a value, each with a weight of its own."""
    n = int(np.prod(tuple(value.shape)))
    return (m.reshape(value, (-1,)) * m.tensor(np.cos(np.arange(n)))).sum()


def nothing(g: Any) -> bool:
    """A gradient that is 0 everywhere: None, or PyTorch's kind of tensor that has no memory for its zeros."""
    return g is None or (isinstance(g, torch.Tensor) and g._is_zerotensor())


def twice(
    m: Any, lines: list[str], arrays: list[np.ndarray]
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Value, gradient, and the gradient of a weighted sum of the gradient."""
    leaves = [m.tensor(a) for a in arrays]
    for leaf in leaves:
        leaf.requires_grad_()
    value = run(m, lines, leaves)
    loss = weighted(value, m)
    empty = [np.zeros(a.shape) for a in arrays]
    if not loss.requires_grad:
        return value.detach().numpy(), empty, empty
    first = m.autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
    recorded = [weighted(g.sin(), m) for g in first if g is not None and g.requires_grad]
    second: Any = [None] * len(leaves)
    if recorded:
        second = m.autograd.grad(sum(recorded[1:], start=recorded[0]), leaves, allow_unused=True)
    return value.detach().numpy(), *(
        [z if nothing(g) else g.detach().numpy() for g, z in zip(found, empty, strict=True)]
        for found in (first, second)
    )


def demand(found: Any, expected: Any, relative: float, what: str) -> None:
    """Equal relative to the largest entry; PyTorch's own NaN says nothing."""
    for k, (a, b) in enumerate(zip(found, expected, strict=True)):
        if not np.isfinite(b).all():
            continue
        size = max(1.0, float(np.abs(b).max(initial=0.0)))
        assert np.abs(a - b).max(initial=0.0) <= relative * size, f"{what} {k}:\n{a}\nexpected\n{b}"


def check_torch(expression: Expression) -> None:
    lines, seed = expression
    try:
        theirs = twice(torch, lines, inputs(seed))
    except NotImplementedError:  # PyTorch differentiates a few functions only once
        return
    ours = twice(rg, lines, inputs(seed))
    assert ours[0].shape == theirs[0].shape
    told = "\n".join(lines) + "\n"
    demand(ours[:1], theirs[:1], 1e-9, told + "value")
    demand(ours[1], theirs[1], 1e-7, told + "first derivative")
    demand(ours[2], theirs[2], 1e-6, told + "second derivative")


def slope(value: Callable[[float], Any], step: float) -> Any:
    """The derivative at 0 by five points."""
    below, above = value(-step), value(step)
    return (value(-2 * step) - value(2 * step) + 8 * (above - below)) / (12 * step)


def check_differences(expression: Expression) -> None:
    """Along one random direction: the loss against the gradient, and the gradient against its derivative."""
    lines, seed = expression
    arrays = inputs(seed)
    r = np.random.default_rng(seed)
    directions = [r.normal(size=a.shape) / 3 for a in arrays]

    def at(h: float) -> tuple[float, float]:
        moved = [a + h * d for a, d in zip(arrays, directions, strict=True)]
        value, first, _ = twice(rg, lines, moved)
        n = value.size
        told = sum(float((np.cos(np.arange(g.size)) * np.sin(g.reshape(-1))).sum()) for g in first)
        return float((value.reshape(-1) * np.cos(np.arange(n))).sum()), told

    _, first, second = twice(rg, lines, arrays)
    found = [sum(float((g * d).sum()) for g, d in zip(gs, directions, strict=True)) for gs in (first, second)]
    expected, rough = slope(lambda h: np.array(at(h)), STEP), slope(lambda h: np.array(at(h)), 2 * STEP)
    told = "\n".join(lines)
    for order, (a, b, c) in enumerate(zip(found, expected, rough, strict=True), 1):
        if abs(b - c) > 2e-5 * max(1.0, abs(b)):  # curved so much that differences say nothing
            continue
        assert abs(a - b) <= 2e-5 * max(1.0, abs(b)), (
            f"{told}\nderivative {order} along a direction: {a}, differences {b}"
        )


@pytest.fixture(scope="module")
def jax() -> Iterator[Jax]:
    if not installed():
        pytest.skip("jax is not installed")
    with Jax() as process:
        yield process


def check_jax(expression: Expression, jax: Jax) -> None:
    lines, seed = expression
    arrays = inputs(seed)
    found, expected = twice(rg, lines, arrays)[1:], jax.derivatives(lines, arrays)
    for order, (ours, theirs) in enumerate(zip(found, expected, strict=True), 1):
        demand(ours, theirs, 1e-6, "\n".join(lines) + f"\nderivative {order}")


@settings(max_examples=120)
@given(expressions(kinks=True))
def test_expressions_against_pytorch(expression: Expression) -> None:
    check_torch(expression)


@settings(max_examples=40)
@given(expressions())
def test_expressions_against_finite_differences(expression: Expression) -> None:
    check_differences(expression)


@settings(max_examples=2)
@given(expressions(jax=True))
def test_expressions_against_jax(jax: Jax, expression: Expression) -> None:
    check_jax(expression, jax)


def test_a_wrong_rule_is_seen(monkeypatch: pytest.MonkeyPatch, jax: Jax) -> None:
    """The control: a derivative that is wrong at second order only is found by all three."""
    from retrograd.op import registry

    rule = registry["sin"].vjp
    monkeypatch.setattr(registry["sin"], "vjp", lambda g, *x: (rule(g, *x)[0].detach() + 0 * g,))
    expression = (["v0 = m.sin(a)", "v1 = v0 * v0", "v2 = m.exp(v1 * 0.3)"], 0)
    for check in (check_torch, check_differences, lambda e: check_jax(e, jax)):
        with pytest.raises(AssertionError, match="derivative"):
            check(expression)


@pytest.mark.slow
@settings(max_examples=1000)
@given(expressions(kinks=True))
def test_expressions_against_pytorch_at_length(expression: Expression) -> None:
    check_torch(expression)


@pytest.mark.slow
@settings(max_examples=500)
@given(expressions())
def test_expressions_against_finite_differences_at_length(expression: Expression) -> None:
    check_differences(expression)


@pytest.mark.slow
@settings(max_examples=20)
@given(expressions(jax=True))
def test_expressions_against_jax_at_length(jax: Jax, expression: Expression) -> None:
    check_jax(expression, jax)
