"""Every reverse rule, type rule and batching rule of the registry is broken in turn, and the laws must notice.

One cotangent at a time: its sign turned, scaled by 1.001, cut off from the graph (so that only the second order is
wrong), or, where it is zero by nature, made to pass straight through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from laws import checks
from laws.basis import differentiable
from retrograd.functions import create as c
from retrograd.op import Op, all_ops
from retrograd.ops._family import PiecewiseConstant
from retrograd.types import TensorType, float32, float64

OPS = [op for op in all_ops() if op.__module__.startswith("retrograd.")]
Change = Callable[[Any, Any], Any]

FLAT = {op.name for op in OPS if issubclass(op, PiecewiseConstant) or op.name == "floor_divide"}
"""Step functions: their derivative is zero, and turning its sign changes nothing."""


def differentiable_inputs(op: type[Op]) -> list[int]:
    """Inputs with a derivative, in some sample."""
    return sorted({k for s in checks.samples(op) if not s.kink for k in differentiable(op, s)})


def mutated(rule: Callable[..., Any], position: int, change: Change) -> Callable[..., Any]:
    """A reverse rule with one of its cotangents changed."""

    def wrong(g: Any, y: Any, *inputs: Any, **params: Any) -> Any:
        pulled = list(rule(g, y, *inputs, **params))
        value = pulled[position % len(pulled)]
        if value is not None:
            first = g[0] if isinstance(g, tuple) else g
            pulled[position % len(pulled)] = change(value() if callable(value) else value, first)
        return tuple(pulled)

    return wrong


CHANGES: dict[str, Change] = {
    "sign": lambda value, g: -value,
    "factor": lambda value, g: value * 1.001,
    "cut": lambda value, g: value.detach(),
}
RULES = [
    pytest.param(op, k, change, id=f"{op.name}-{k}-{change}")
    for op in OPS
    if op.differentiable
    for k in differentiable_inputs(op)
    for change in (("straight",) if op.name in FLAT else CHANGES)
]


def first_violation(op: type[Op]) -> str | None:
    return next(checks.violations(op), None)


@pytest.mark.row("ENG-01", "ADV-02")
@pytest.mark.parametrize("op, position, change", RULES)
def test_a_broken_reverse_rule_is_found(
    op: type[Op], position: int, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    straight: Change = lambda value, g: value + g if value.shape == g.shape else value + 1.0  # noqa: E731
    monkeypatch.setattr(op, "vjp", mutated(op.vjp, position, {"straight": straight, **CHANGES}[change]))
    assert first_violation(op), "the laws did not notice"


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_a_broken_type_rule_is_found(op: type[Op], monkeypatch: pytest.MonkeyPatch) -> None:
    """Results declared with another dtype."""
    rule = op.type

    def wrong(*types: TensorType, **params: Any) -> Any:
        out = rule(*types, **params)
        first = out[0] if op.n_outputs > 1 else out
        other = first._replace(dtype=float64 if first.dtype is float32 else float32)
        return (other, *out[1:]) if op.n_outputs > 1 else other

    monkeypatch.setattr(op, "type", wrong)
    assert first_violation(op)


BATCHED = [op for op in OPS if not op.eager_only]


@pytest.mark.parametrize("op", BATCHED, ids=lambda op: op.name)
def test_a_broken_batching_rule_is_found(op: type[Op], monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples in another order."""
    rule = op.batch

    def turned(t: Any) -> Any:
        return c.from_array(np.roll(t.detach().numpy(), 1, axis=0))

    def wrong(batched: Any, *inputs: Any, **params: Any) -> Any:
        out = rule(batched, *inputs, **params)
        return tuple(map(turned, out)) if op.n_outputs > 1 else turned(out)

    monkeypatch.setattr(op, "batch", wrong)
    assert first_violation(op)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_a_broken_evaluation_is_found(op: type[Op], monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that are right only for C-ordered inputs: a frequent slip with strides."""
    rule = op.eval

    def wrong(*arrays: Any, **params: Any) -> Any:
        strided = any(a.ndim and a.size > 1 and not a.flags.c_contiguous for a in arrays)
        out = rule(*(np.flip(a) if strided and a.dtype.kind != "i" else a for a in arrays), **params)
        if not strided or op.n_outputs > 1:
            return out
        return ~out if out.dtype == bool else out + 1

    monkeypatch.setattr(op, "eval", wrong)
    assert first_violation(op)


def test_every_differentiable_op_was_mutated() -> None:
    assert {p.values[0].name for p in RULES} == {op.name for op in OPS if op.differentiable}
    assert {"sign", "floor", "ceil", "trunc", "round", "side", "floor_divide"} == FLAT
