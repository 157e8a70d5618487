"""The checks on nets that are not dense: no false alarm on sound ones, and the fault is named where there is one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.check import check_model, watch


class Convolution(nn.Module):
    """Patches of three neighbours through the same weights: (rows, n, channels) to (rows, n - 2, outputs)."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.patch = nn.Linear(3 * channels, outputs)
        nn.init.zeros_(self.patch.bias)  # or a unit with few inputs may be born dead, and the check says so

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return self.patch(x.unfold(1, 3, 1).flatten(2))


class Recurrent(nn.Module):
    """h ← tanh(W x + U h), and an answer from the last h."""

    def __init__(self, broken: bool = False) -> None:
        super().__init__()
        self.broken = broken
        self.inputs, self.memory, self.answer = nn.Linear(1, 8), nn.Linear(8, 8), nn.Linear(8, 1)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        h = rg.zeros(len(x), 8)
        for now in self.inputs(x.unsqueeze(2)).unbind(1):
            h = rg.tanh(now + self.memory(h.detach() * 0 if self.broken else h))
        return self.answer(h)


class Attention(nn.Module):
    """Every place looks at every other, by softmax over the places."""

    def __init__(self) -> None:
        super().__init__()
        self.place, self.answer = nn.Linear(1, 24), nn.Linear(8, 1)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        query, key, value = self.place(x.unsqueeze(2)).chunk(3, dim=2)
        looks = rg.softmax(query @ key.transpose(1, 2) / 8**0.5, dim=2)
        return self.answer((looks @ value).mean(dim=1))


def convolutional(dead: bool = False) -> nn.Sequential:
    net = nn.Sequential(
        nn.Unflatten(1, (10, 1)), Convolution(1, 6), nn.ReLU(), Convolution(6, 4), nn.ReLU(), nn.Flatten(), nn.Linear(24, 1)
    )  # fmt: skip
    if dead:
        with rg.no_grad():
            net[1].patch.bias[3] = -100.0
    return net


NETS: dict[str, Callable[[], nn.Module]] = {
    "convolutional": convolutional,
    "recurrent": Recurrent,
    "attention": Attention,
}


def data(seed: int = 0, rows: int = 40) -> tuple[rg.Tensor, rg.Tensor]:
    x = np.random.default_rng(seed).normal(size=(rows, 10)).astype("float32")
    return rg.tensor(x), rg.tensor(np.tanh(x[:, :1] + x[:, -1:]))


@pytest.mark.row("ADV-02")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", NETS)
def test_sound_nets_raise_no_alarm(family: str, seed: int) -> None:
    rg.manual_seed(seed)
    net, (x, y) = NETS[family](), data(seed)
    assert check_model(net, nn.MSELoss(), x, y) == []
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    with watch(net, optimizer) as findings:
        for _ in range(15):
            optimizer.zero_grad()
            nn.MSELoss()(net(x), y).backward()
            optimizer.step()
    assert findings == []
    assert check_model(net, nn.MSELoss(), x, y) == []


@pytest.mark.row("ADV-02")
def test_control_faults_in_these_families_are_named() -> None:
    rg.manual_seed(0)
    x, y = data()
    cut = check_model(Recurrent(broken=True), nn.MSELoss(), x, y)
    assert any("memory.weight" in finding.where for finding in cut), cut
    dead = check_model(convolutional(dead=True), nn.MSELoss(), x, y)
    assert [(f.code, f.where) for f in dead if "unit" in f.code] == [("dead units", "layer 2")], dead
    assert nn.dead_units(convolutional(dead=True), x)["2"] == [3]
    x[5, 2] = float("nan")
    assert any(
        f.code == "nan input" and "column 2" in f.where for f in check_model(Attention(), nn.MSELoss(), x, y)
    )
