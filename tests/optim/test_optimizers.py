"""Optimisers and schedules: what they refuse, what they leave alone, how they are saved."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import GradError, StateError, UsageError

METHODS = [optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad]


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_optimised_is_refused(method: type[optim.Optimizer]) -> None:
    w = nn.Parameter(rg.ones(2))
    with pytest.raises(UsageError, match="empty list of parameters"):
        method([])
    with pytest.raises(UsageError, match="empty list"):
        method(iter(()))
    with pytest.raises(UsageError, match="not one tensor"):
        method(w)
    with pytest.raises(UsageError, match="takes tensors, got str"):
        method(["weight"])
    with pytest.raises(UsageError, match="twice"):
        method([w, w])
    with pytest.raises(UsageError, match="twice"):
        method([{"params": [w]}, {"params": w}])
    with pytest.raises(GradError, match="computed from others"):
        method([w * 2])
    with pytest.raises(UsageError, match="lr must not be negative"):
        method([w], lr=-0.1)
    with pytest.raises(UsageError, match="no option 'weight_decy'"):
        method([{"params": [w], "weight_decy": 3.0}])
    for call in (lambda: optim.SGD([w], nesterov=True), lambda: optim.Adam([w], betas=(0.9, 1.0))):
        with pytest.raises(UsageError):
            call()


@pytest.mark.parametrize("method", METHODS)
def test_only_what_has_a_gradient_changes_and_memory_is_kept(method: type[optim.Optimizer]) -> None:
    with_grad, without = nn.Parameter(rg.ones(3)), nn.Parameter(rg.ones(3))
    optimizer = method([with_grad, without], lr=0.1)
    memory = with_grad.data.numpy()
    with_grad.grad = rg.ones(3)
    optimizer.step()
    assert without.tolist() == [1.0, 1.0, 1.0]
    assert (with_grad.detach().numpy() < 1).all()
    np.testing.assert_array_equal(memory, with_grad.detach().numpy())  # in place: others who share it see it
    assert with_grad.requires_grad
    assert with_grad.grad_fn is None
    assert with_grad.grad.tolist() == [1.0, 1.0, 1.0]  # the gradient itself is left alone
    optimizer.zero_grad()
    assert with_grad.grad is None
    with_grad.grad = rg.tensor([1.0, float("nan"), float("inf")])
    optimizer.zero_grad(set_to_none=False)
    assert with_grad.grad.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("method", METHODS)
def test_groups_closures_and_printing(method: type[optim.Optimizer]) -> None:
    a, b = nn.Parameter(rg.ones(2)), nn.Parameter(rg.ones(2))
    optimizer = method([a], lr=0.1)
    optimizer.add_param_group({"params": [b], "lr": 0.0, "weight_decay": 0.0})

    def closure() -> rg.Tensor:
        optimizer.zero_grad()
        loss = (a * a).sum() + (b * b).sum()
        loss.backward()
        return loss

    with rg.no_grad():  # the closure computes gradients all the same
        assert optimizer.step(closure).item() == 4.0
    assert b.tolist() == [1.0, 1.0]
    assert a.tolist() != [1.0, 1.0]
    optimizer.param_groups[1]["lr"] = 0.1  # a rate changed from outside holds from the next step on
    optimizer.step(closure)
    assert b.tolist() != [1.0, 1.0]
    assert "Parameter Group 1" in repr(optimizer)
    assert "lr: 0.1" in repr(optimizer)


def test_the_update_scales_exactly_with_the_rate() -> None:
    changes = []
    for lr in (0.1, 0.2):
        w = nn.Parameter(rg.tensor([1.0, -2.0], dtype=rg.float64))
        w.grad = rg.tensor([0.5, 3.0], dtype=rg.float64)
        optim.SGD([w], lr=lr).step()
        changes.append(w.detach().numpy() - [1.0, -2.0])
    np.testing.assert_allclose(changes[1], 2 * changes[0], rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_saved_run_continues_bit_for_bit(method: type[optim.Optimizer]) -> None:
    def step(net: nn.Module, optimizer: optim.Optimizer, k: int) -> None:
        optimizer.zero_grad()
        (net(rg.full((4, 3), 0.1 * k)) ** 2).sum().backward()
        optimizer.step()

    rg.manual_seed(0)
    net = nn.Linear(3, 2)
    optimizer = method(net.parameters(), lr=0.05)
    for k in range(5):
        step(net, optimizer, k)
    weights = {key: v.clone() for key, v in net.state_dict().items()}
    state = optimizer.state_dict()
    twin = nn.Linear(3, 2)
    twin.load_state_dict(weights)
    other = method(twin.parameters(), lr=9.0)
    other.load_state_dict(state)
    for k in range(5, 10):
        step(net, optimizer, k)
        step(twin, other, k)
    np.testing.assert_array_equal(net.weight.detach().numpy(), twin.weight.detach().numpy())
    with pytest.raises(StateError, match="parameter group"):
        method([nn.Parameter(rg.ones(1))]).load_state_dict(state)
    if state["state"] and method is not optim.SGD:
        with pytest.raises(StateError, match="has shape"):
            method([nn.Parameter(rg.ones(1)), nn.Parameter(rg.ones(1))]).load_state_dict(state)


def test_schedules_refuse_what_makes_no_sense() -> None:
    optimizer = optim.SGD([nn.Parameter(rg.ones(1))], lr=0.1)
    s = optim.lr_scheduler
    for call in (
        lambda: s.StepLR(optimizer, 0),
        lambda: s.CosineAnnealingLR(optimizer, 0),
        lambda: s.OneCycleLR(optimizer, 0.1),
        lambda: s.OneCycleLR(optimizer, 0.1, total_steps=0),
        lambda: s.OneCycleLR(optimizer, [0.1, 0.2], total_steps=5),
        lambda: s.OneCycleLR(optimizer, 0.1, total_steps=5, pct_start=3),
        lambda: s.OneCycleLR(optimizer, 0.1, total_steps=5, anneal_strategy="steep"),
        lambda: s.ReduceLROnPlateau(optimizer, factor=1.0),
        lambda: s.ReduceLROnPlateau(optimizer, mode="best"),
        lambda: s.LambdaLR(optimizer, [lambda k: 1.0, lambda k: 1.0]),
        lambda: s.StepLR(nn.Linear(1, 1), 1),
    ):
        with pytest.raises(UsageError):
            call()
    with pytest.raises(StateError):
        s.StepLR(optim.SGD([nn.Parameter(rg.ones(1))], lr=0.1), 1, last_epoch=5)
    short = s.OneCycleLR(optimizer, 0.1, total_steps=2)
    optimizer.step()
    short.step(), short.step()
    with pytest.raises(UsageError, match="total_steps=3"):
        short.step()


def test_clipping_reports_and_refuses() -> None:
    w, unused = nn.Parameter(rg.zeros(2)), nn.Parameter(rg.zeros(2))
    assert nn.utils.clip_grad_norm_([w, unused], 1.0).item() == 0.0
    w.grad = rg.tensor([3.0, 4.0])
    assert nn.utils.clip_grad_norm_([w, unused], 10.0).item() == 5.0
    assert w.grad.tolist() == [3.0, 4.0]  # below the limit nothing changes
    nn.utils.clip_grad_norm_(w, 1.0)
    assert np.linalg.norm(w.grad.numpy()) == pytest.approx(1, rel=1e-5)
    w.grad = rg.tensor([float("nan"), 1.0])
    with pytest.raises(GradError, match="nan"):
        nn.utils.clip_grad_norm_([w], 1.0, error_if_nonfinite=True)


def test_vectors_of_parameters() -> None:
    net = nn.Linear(3, 2)
    v = nn.utils.parameters_to_vector(net.parameters())
    assert v.shape == (8,)
    nn.utils.vector_to_parameters(rg.arange(8).float(), net.parameters())
    assert net.weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert net.bias.tolist() == [6.0, 7.0]
    with pytest.raises(ValueError, match="hold 8 numbers"):
        nn.utils.vector_to_parameters(rg.zeros(7), net.parameters())
