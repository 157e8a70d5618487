"""REM-03: swapping sigmoid for ReLU, and nothing else, in a deep net on real digits."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import functional as F

DEPTH, WIDTH, STEPS = 8, 32, 1000
RATES = (1e-3, 3e-3, 1e-2)


def digits(data_dir: Path) -> tuple[rg.Tensor, ...]:
    """1,500 training and 500 held-out digits of MNIST, 2 x 2 pixels averaged to 14 x 14."""
    raw = gzip.decompress((data_dir / "mnist" / "t10k-images-idx3-ubyte.gz").read_bytes())
    images = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 14, 2, 14, 2).mean((2, 4))[:2000] / 255
    labels = gzip.decompress((data_dir / "mnist" / "t10k-labels-idx1-ubyte.gz").read_bytes())
    classes = np.frombuffer(labels, np.uint8, offset=8)[:2000].astype("int64")
    flat = images.reshape(len(images), -1).astype("float32") - 0.1
    return (
        rg.tensor(flat[:1500]),
        rg.tensor(classes[:1500]),
        rg.tensor(flat[1500:]),
        rg.tensor(classes[1500:]),
    )


def net(activation: type[nn.Module], depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(196, WIDTH), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(WIDTH, WIDTH), activation()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 10))


def gradient_ratio(model: nn.Sequential, x: rg.Tensor, y: rg.Tensor) -> float:
    """Norm of the first layer's weight gradient over that of the last hidden layer's."""
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    linear = [m for m in model if isinstance(m, nn.Linear)]
    return linear[0].weight.grad.norm().item() / linear[-2].weight.grad.norm().item()


def accuracy_after_training(activation: type[nn.Module], depth: int, lr: float, data: tuple) -> float:
    rg.manual_seed(0)
    x, y, x_test, y_test = data
    model = net(activation, depth)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    order = np.random.default_rng(0)
    for _ in range(STEPS):
        rows = rg.tensor(order.integers(0, len(x), 64))
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    with rg.no_grad():
        return (model(x_test).argmax(1) == y_test).float().mean().item()


@pytest.mark.row("REM-03")
@pytest.mark.slow
def test_relu_against_vanishing_gradients(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = digits(data_dir)
    ratio, best = {}, {}
    for activation in (nn.Sigmoid, nn.ReLU):
        rg.manual_seed(0)
        ratio[activation] = gradient_ratio(net(activation, DEPTH), data[0], data[1])
        best[activation] = max(accuracy_after_training(activation, DEPTH, lr, data) for lr in RATES)
    # Thresholds fixed beforehand: sigmoid multiplies by at most 1/4 a layer, so eight layers lose at least (1/4)^6.
    assert ratio[nn.Sigmoid] < 1e-3
    assert ratio[nn.ReLU] > 30 * ratio[nn.Sigmoid]
    assert best[nn.ReLU] > best[nn.Sigmoid] + 0.2
    assert best[nn.ReLU] > 0.75
    # Deeper, with the same start, ReLU fails as well: its default start shrinks the signal by about 1/√6 a layer.
    by_depth = {}
    for depth in (DEPTH, 16, 32):
        rg.manual_seed(0)
        by_depth[depth] = gradient_ratio(net(nn.ReLU, depth), data[0], data[1])
    fails_at = accuracy_after_training(nn.ReLU, 32, 3e-3, data)
    with capsys.disabled():
        print(
            f"\nREM-03 depth {DEPTH}: first:last gradient {ratio[nn.Sigmoid]:.1e} (sigmoid) {ratio[nn.ReLU]:.1e} (ReLU); "
            f"accuracy {best[nn.Sigmoid]:.2f} -> {best[nn.ReLU]:.2f}; ReLU by depth "
            + ", ".join(f"{d}: {v:.1e}" for d, v in by_depth.items())
            + f"; accuracy at depth 32: {fails_at:.2f}"
        )
    assert fails_at < best[nn.ReLU]
