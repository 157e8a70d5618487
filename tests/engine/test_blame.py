"""ENG-07: a network trained on real digits, one weight spoilt, and the blame report asked for the culprit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.blame import blame
from retrograd.errors import GradError

TRIALS = 200
FEATURES = 64


@pytest.fixture(scope="module")
def digits() -> tuple[rg.Tensor, rg.Tensor]:
    """1,797 handwritten digits of 8 x 8 pixels (UCI, in scikit-learn)."""
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    return rg.tensor((x / 16.0).astype("float32")), rg.tensor(y.astype("int64"))


@pytest.fixture(scope="module")
def trained(digits: Any) -> nn.Module:
    """64-32-32-10, trained until it reads nearly all of them."""
    x, y = digits
    rg.manual_seed(0)
    net = nn.Sequential(nn.Linear(FEATURES, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = optim.Adam(net.parameters(), lr=0.01)
    r = np.random.default_rng(0)
    for _ in range(400):
        rows = rg.tensor(r.integers(0, 1200, 64))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
        optimizer.step()
    accuracy = (net(x[1200:]).argmax(1) == y[1200:]).float().mean().item()
    assert accuracy > 0.85
    return net


def ranks(net: nn.Module, x: rg.Tensor, y: rg.Tensor, spoil: bool = True) -> dict[str, list[float]]:
    """Rank of the spoilt weight among all weights, as a share (0: first, 1: last), by layer."""
    r = np.random.default_rng(1)
    weights = [(n, p) for n, p in net.named_parameters() if n.endswith("weight")]
    total = sum(p.numel() for _, p in net.named_parameters())
    out: dict[str, list[float]] = {n: [] for n, _ in weights}
    for trial in range(TRIALS):
        name, p = weights[trial % len(weights)]
        index = tuple(int(r.integers(n)) for n in p.shape)
        while name == "0.weight" and x.numpy()[:, index[1]].std() < 0.05:  # a pixel that is never written on
            index = tuple(int(r.integers(n)) for n in p.shape)
        old = p[index].item()
        push = float(r.choice([-1, 1])) * 6 * p.detach().numpy().std()
        rows = rg.tensor(r.integers(0, 1200, 200))
        with rg.no_grad():
            if spoil:
                p[index] = old + push
        report = blame(net, nn.functional.cross_entropy, x[rows], y[rows])
        with rg.no_grad():
            p[index] = old
        out[name].append((report.rank(name, index) - 1) / (total - 1))
    return out


def interval(values: list[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    r = np.random.default_rng(2)
    means = np.array(values)[r.integers(0, len(values), (2000, len(values)))].mean(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


@pytest.mark.row("ENG-07")
def test_the_spoilt_weight_is_ranked_high(
    trained: Any, digits: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mean rank over 200 trials against chance (0.5), with an interval, layer by layer; and with nothing spoilt."""
    x, y = digits
    by_layer = ranks(trained, x, y)
    everything = [v for values in by_layer.values() for v in values]
    low, high = interval(everything)
    untouched = [v for values in ranks(trained, x, y, spoil=False).values() for v in values]
    free_low, free_high = interval(untouched)
    with capsys.disabled():
        print(
            f"\nENG-07: mean rank of the spoilt weight {np.mean(everything):.3f} [{low:.3f}, {high:.3f}] of 1, "
            f"chance 0.5; untouched {np.mean(untouched):.3f} [{free_low:.3f}, {free_high:.3f}]; "
            f"first percent in {np.mean(np.array(everything) < 0.01):.0%} of {TRIALS} trials"
        )
        for name, values in by_layer.items():
            a, b = interval(values)
            print(f"  {name}: {np.mean(values):.3f} [{a:.3f}, {b:.3f}], median {np.median(values):.4f}")
    assert high < 0.35, "fixed before the first run: well above chance"
    assert free_low > high, "the control: a weight that nobody spoilt is not ranked like one"


@pytest.mark.row("ENG-07")
def test_error_signals_of_all_layers(trained: Any, digits: Any) -> None:
    """The signal of each layer is the mean length of dLoss/d(output), checked at the last layer by hand."""
    x, y = digits
    report = blame(trained, nn.functional.cross_entropy, x[:50], y[:50])
    assert [s.layer for s in report.signals] == ["0", "1", "2", "3", "4"]
    logits = trained(x[:50]).detach().numpy()
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(50), y[:50].numpy()] -= 1
    by_hand = np.linalg.norm(p / 50, axis=1).mean()
    assert report.signals[-1].size == pytest.approx(by_hand, rel=1e-4)
    assert all(s.size > 0 for s in report.signals)


@pytest.mark.row("ENG-07")
def test_a_network_worked_by_hand() -> None:
    """y = 2·x1 - 3·x2 at (1, 1) with target 0: error -1, dL/dw = 2·(-1)·x, and cutting 2 makes it worse."""
    net = nn.Linear(2, 1, bias=False)
    with rg.no_grad():
        net.weight.copy_(rg.tensor([[2.0, -3.0]]))
    report = blame(net, nn.functional.mse_loss, rg.ones(1, 2), rg.zeros(1, 1))
    assert [(c.place, c.blame) for c in report.ranking()] == [((0, 1), 6.0), ((0, 0), -4.0)]
    assert report.rank("weight", (0, 1)) == 1
    text = str(report)
    assert "weight[0, 1] = -3: cutting it would change the loss by about -6" in text
    assert net.weight.grad is None, "nothing is changed"
    net.weight.requires_grad_(False)
    with pytest.raises(GradError, match="no parameter"):
        blame(net, nn.functional.mse_loss, rg.ones(1, 2), rg.zeros(1, 1))
