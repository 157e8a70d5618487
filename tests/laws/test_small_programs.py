"""Small programs that random ones led to: each was once answered otherwise, or refused, and states one rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import DTypeError, GradError, ShapeError


def leaf(*values: float) -> Any:
    return rg.tensor(values, dtype=rg.float64, requires_grad=True)


def test_a_view_made_without_recording_is_not_written_with_recording() -> None:
    """Its base would keep the old derivative, silently."""
    x = leaf(1, 2)
    y = x * 1
    with rg.no_grad():
        v = y[:1]
    assert not v.requires_grad
    with pytest.raises(GradError, match="made without recording") as caught:
        v.mul_(2)
    assert "no_grad" in str(caught.value.hint)
    with rg.no_grad():
        v.mul_(2)
    assert y.tolist() == [2, 2]


def test_a_view_made_without_recording_of_what_needed_none_joins_later() -> None:
    x, w = rg.zeros(2, dtype=rg.float64), leaf(3, 4)
    with rg.no_grad():
        v = x[:]
    v += w
    x.sum().backward()
    assert w.grad.tolist() == [1, 1]


def test_a_leaf_that_wants_no_gradient_any_more_gets_none() -> None:
    for change in (lambda t: t.detach_(), lambda t: t.requires_grad_(False)):
        x, w = leaf(1, 2), leaf(3, 4)
        y = (x * w).sum()
        change(x)
        y.backward()
        assert x.grad is None
        assert w.grad.tolist() == [1, 2]


def test_a_view_of_a_leaf_is_refused_also_where_the_leaf_is_a_view() -> None:
    x = rg.zeros(3)[:2].requires_grad_()
    with pytest.raises(GradError, match="view of a leaf"):
        x[:1].fill_(1.0)


def test_a_view_is_not_detached_in_place() -> None:
    y = leaf(1, 2) * 1
    with pytest.raises(rg.errors.GradError, match="detach_"):
        y[:1].detach_()
    v = y[:1].detach()
    v.fill_(5.0)
    assert y.tolist() == [5, 2]
    assert not v.requires_grad
    assert y.requires_grad


def test_a_retained_gradient_is_that_of_the_last_value() -> None:
    for change in (lambda y: y.mul_(3), lambda y: y[:1].mul_(3)):
        y = leaf(1, 2) * 1
        y.retain_grad()
        change(y)
        y.sum().backward()
        assert y.grad.tolist() == [1, 1]
    with pytest.raises(GradError, match="requires no gradient"):
        rg.zeros(2).retain_grad()


def test_one_input_may_be_named_twice() -> None:
    x = leaf(1, 2)
    first, second = rg.autograd.grad((x * x).sum(), [x, x])
    assert first.tolist() == second.tolist() == [2, 4]
    with pytest.raises(GradError, match="nothing"):
        rg.autograd.grad(x.sum(), [])


def test_a_tensor_that_copies_a_leaf_stays_connected_to_it() -> None:
    x, w = rg.zeros(2, dtype=rg.float64), leaf(1, 2)
    x.copy_(w)
    assert not x.is_leaf
    x.sum().backward()
    assert w.grad.tolist() == [1, 1]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x / (x + 1), lambda x: x.sort()[0], lambda x: x.topk(2)[0], lambda x: x**0.5, lambda x: rg.erfinv(x * 0.1),
        lambda x: rg.i0(x), lambda x: x.max(0)[0], lambda x: x.median(0)[0],
    ],
)  # fmt: skip
def test_results_that_no_rule_reads_may_be_changed(function: Any) -> None:
    x, z = leaf(1, 2, 4), leaf(1, 2, 4)
    (function(z) * 3 + 1).sum().backward()
    y = function(x)
    y.mul_(3)
    y += 1
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.repeat(2, 1, 1), lambda x: x.repeat(1, 1), lambda x: x.tile(2, 1, 1), lambda x: x.repeat_interleave(1, 0),
        lambda x: x.floor(), lambda x: x.ceil(), lambda x: x.round(), lambda x: x.trunc(), lambda x: x.nan_to_num(),
        lambda x: x.diff(n=0), lambda x: x.clone(), lambda x: x.roll(0, 0), lambda x: x.clamp(-9, 9), lambda x: abs(x),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", [rg.float64, rg.int64])
def test_a_new_tensor_has_memory_of_its_own(function: Any, dtype: Any) -> None:
    x = rg.ones(2, 3, dtype=dtype)
    y = function(x)
    y += 1
    assert x.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert set(y.reshape(-1).tolist()) == {2}


def test_contiguous_is_contiguous() -> None:
    x = rg.arange(6).reshape(2, 3).T
    y = x.contiguous()
    assert y.is_contiguous()
    assert y.tolist() == x.tolist()
    v = y.view(-1)
    y.zero_()
    assert v.tolist() == [0] * 6


def test_index_select_lies_in_memory_row_by_row() -> None:
    y = rg.ones(2, 3).index_select(1, rg.tensor([0, 2]))
    v = y.reshape(-1)
    y.zero_()
    assert v.tolist() == [0, 0, 0, 0]


def test_one_value_may_be_written_to_places_that_share_memory() -> None:
    w = leaf(2)
    x = rg.ones(2, 1, dtype=rg.float64) * 1
    wide = x.expand(2, 3)
    wide[0] = w * 3
    assert x.tolist() == [[6], [1]]
    (x * rg.tensor([[5.0], [7.0]], dtype=rg.float64)).sum().backward()
    assert w.grad.tolist() == [15]
    wide = rg.ones(1, 2).expand(3, 2)
    wide.fill_(4.0)
    wide[:1].mul_(2)  # one row shares nothing with itself
    assert wide.tolist() == [[8, 8]] * 3
    for change in (lambda: wide.add_(1), lambda: wide.copy_(rg.ones(3, 2))):
        with pytest.raises(GradError, match="share one memory"):
            change()
    assert wide.tolist() == [[8, 8]] * 3


def test_of_two_writes_to_one_place_the_last_one_has_the_gradient() -> None:
    w = leaf(1, 2)
    x = rg.zeros(3, dtype=rg.float64)
    x[rg.tensor([1, 1])] = w
    (x * 5).sum().backward()
    assert x.tolist() == [0, 2, 0]
    assert w.grad.tolist() == [0, 5]


def test_alpha_keeps_its_digits() -> None:
    x = rg.ones(1, dtype=rg.float64)
    assert rg.sub(x, 0.5, alpha=0.3).item() == 1 - 0.5 * 0.3
    assert rg.add(x, rg.tensor(3), alpha=0.3).item() == 1 + 3 * 0.3
    assert x.clone().sub_(0.5, alpha=0.3).item() == 1 - 0.5 * 0.3
    with pytest.raises(DTypeError, match=r"alpha=0\.5"):
        rg.add(rg.tensor([1]), rg.tensor([1]), alpha=0.5)
    assert rg.add(rg.tensor([True]), rg.tensor([False]), alpha=2).dtype is rg.bool


def test_a_value_that_does_not_fit_its_places_is_told() -> None:
    x = rg.zeros(3, 4)
    with pytest.raises(ShapeError, match="cannot be expanded"):
        x[[0, 1]] = rg.ones(3, 4)
    x[[0, 1]] = rg.ones(1, 2, 4)  # a leading size of 1 may be dropped
    assert x.sum().item() == 8


def test_a_truth_value_to_a_power_is_one() -> None:
    x = rg.tensor([True, False])
    assert (x**True).tolist() == [True, False]
    assert (x**False).tolist() == [True, True]
