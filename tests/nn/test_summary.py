"""Summaries count what is there, and what really runs."""

from __future__ import annotations

import pytest

import retrograd as rg
from retrograd import nn
from retrograd.errors import UsageError


@pytest.mark.row("NET-01")
def test_three_four_two() -> None:
    """Hand count of a 3-4-2 net: 3·4 + 4·2 = 12 + 8 connections, 12 + 4 + 8 + 2 = 26 parameters."""
    net = nn.Sequential({"hidden": nn.Linear(3, 4), "relu": nn.ReLU(), "out": nn.Linear(4, 2)})
    found = nn.summary(net, rg.zeros(1, 3))
    assert [row.connections for row in found.rows if row.connections] == [12, 8]
    assert found.connections == 20
    assert found.parameters == 26 == sum(p.numpy().size for p in net.state_dict().values())
    assert [row.parameters for row in found.rows] == [
        sum(p.detach().numpy().size for p in m.parameters()) for m in net.children()
    ]
    named = list(nn.connections(net, inputs=["rooms", "area", "age"]))
    assert len(named) == 20
    assert named[0].name == "hidden[0] <- rooms"
    assert named[-1].name == "out[1] <- hidden[3]"
    for c in named:
        assert c.weight == net.get_parameter(f"{c.unit.split('[')[0]}.weight")[c.row, c.column].item()
    assert nn.units(net)["input"] == ["input[0]", "input[1]", "input[2]"]
    assert [len(names) for names in nn.units(net).values()] == [3, 4, 2]
    text = str(found)
    for piece in ("hidden", "Linear", "(1, 4)", "26 trainable parameters, 20 connections"):
        assert piece in text
    wider = nn.Sequential({"hidden": nn.Linear(3, 5), "relu": nn.ReLU(), "out": nn.Linear(5, 2)})  # control
    assert nn.summary(wider, rg.zeros(1, 3)).parameters == 32


def test_operations_are_those_of_the_batch() -> None:
    net = nn.Sequential(
        nn.Linear(10, 20), nn.Residual(nn.Linear(20, 20), nn.Tanh()), nn.BatchNorm1d(20), nn.Linear(20, 3)
    )
    for rows in (2, 64):
        found = nn.summary(net, rg.zeros(rows, 10))
        assert found.multiply_adds == rows * (200 + 400 + 60)
        by_name = {row.name: row for row in found.rows}
        assert by_name["1.block.0"].multiply_adds == rows * 400
        assert by_name["1.block.0"].output == (rows, 20)
        assert by_name["2"].operations > 0


def test_summary_changes_nothing() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    state = rg.get_rng_state().tolist()
    nn.summary(net, rg.ones(4, 2))
    assert all((v.numpy() == before[k]).all() for k, v in net.state_dict().items())
    assert rg.get_rng_state().tolist() == state
    assert not net._forward_hooks
    assert all(p.grad is None for p in net.parameters())


def test_shared_frozen_and_unused_parameters() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(3, 3)
            self.b = self.a
            self.unused = nn.Linear(3, 100)

        def forward(self, x: rg.Tensor) -> rg.Tensor:
            return self.b(self.a(x))

    net = Odd()
    net.unused.requires_grad_(False)
    found = nn.summary(net, rg.zeros(1, 3))
    assert found.parameters == 12 + 400
    assert found.trainable == 12
    assert {row.name: row.output for row in found.rows}["unused"] is None


def test_names_must_fit() -> None:
    with pytest.raises(UsageError, match="2 input names for a first layer with 3 inputs"):
        nn.units(nn.Linear(3, 4), inputs=["a", "b"])
