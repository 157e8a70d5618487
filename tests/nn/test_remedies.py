"""Batch norm, dropout and residual connections: what they compute, and that they cure what they are said to cure."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from real_data import digits
from retrograd import nn, optim


def batches(n: int, size: int, seed: int) -> Any:
    """Rows of the batches, epoch after epoch, each epoch in a new order."""
    random = np.random.default_rng(seed)
    while True:
        order = random.permutation(n)
        yield from (order[i : i + size] for i in range(0, n - size + 1, size))


# --- batch normalisation ----------------------------------------------------------------------------------------------


@pytest.mark.row("REM-01")
def test_batch_norm_computes_what_it_says() -> None:
    random = np.random.default_rng(0)
    norm = nn.BatchNorm1d(3, momentum=0.25).double()
    with rg.no_grad():
        norm.weight.copy_(rg.tensor([0.5, 2.0, -1.0]))
        norm.bias.copy_(rg.tensor([1.0, 0.0, 3.0]))
    x = random.normal(size=(8, 3)) * [1, 5, 20] + [0, 3, -7]
    assert rg.autograd.gradcheck(
        nn.BatchNorm1d(3, track_running_stats=False).double(), rg.tensor(x, requires_grad=True)
    )
    mean, var = np.zeros(3), np.ones(3)
    for k in range(5):
        batch = x * (k + 1)
        y = norm(rg.tensor(batch)).detach().numpy()
        centred = (batch - batch.mean(0)) / np.sqrt(batch.var(0) + 1e-5)
        np.testing.assert_allclose(y, centred * [0.5, 2, -1] + [1, 0, 3], rtol=1e-9, atol=1e-12)
        mean, var = 0.75 * mean + 0.25 * batch.mean(0), 0.75 * var + 0.25 * batch.var(0, ddof=1)
    np.testing.assert_allclose(norm.running_mean.numpy(), mean)
    np.testing.assert_allclose(norm.running_var.numpy(), var)
    # Inference: a row's result does not depend on the rows beside it, and nothing moves; in training it does.
    alone, many = rg.tensor(x[:1]), rg.tensor(x)
    assert np.abs(norm(many)[0].detach().numpy() - norm(rg.tensor(x[:2]))[0].detach().numpy()).max() > 0.1
    norm.eval()
    before = norm.running_mean.numpy().copy()
    np.testing.assert_allclose(norm(alone)[0].detach().numpy(), norm(many)[0].detach().numpy(), rtol=1e-13)
    np.testing.assert_array_equal(norm.running_mean.numpy(), before)


@pytest.mark.slow
@pytest.mark.row("REM-01")
def test_batch_norm_keeps_inputs_stable_and_trains_in_fewer_epochs(data_dir: Path) -> None:
    """The experiment of Ioffe and Szegedy, section 4.1: three sigmoid layers of 100 units on handwritten digits."""
    x, y = digits(data_dir, 2000)
    rows, labels = rg.tensor(x), rg.tensor(y)
    goal, limit = 0.3, 30

    def run(normalised: bool, lr: float) -> tuple[int, float]:
        """Epochs until the training loss is below the goal, and how far the last layer's inputs wandered."""
        rg.manual_seed(0)
        parts: list[nn.Module] = []
        for a, b in itertools.pairwise([196, 100, 100, 100]):
            parts += [nn.Linear(a, b), *([nn.BatchNorm1d(b)] if normalised else []), nn.Sigmoid()]
        net = nn.Sequential(*parts, nn.Linear(100, 10))
        last = [m for m in net if isinstance(m, nn.Sigmoid)][-1]
        means: list[np.ndarray] = []
        spread: list[np.ndarray] = []

        def watch(m: nn.Module, args: Any) -> None:
            means.append(args[0].detach().numpy().mean(0))
            spread.append(args[0].detach().numpy().std(0))

        last.register_forward_pre_hook(watch)
        optimizer = optim.SGD(net.parameters(), lr=lr)
        stream = batches(2000, 60, 0)
        epochs = limit + 1
        for epoch in range(limit):
            losses = []
            for _ in range(2000 // 60):
                rows_now = rg.tensor(next(stream))
                optimizer.zero_grad()
                loss = F.cross_entropy(net(rows[rows_now]), labels[rows_now])
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            if np.mean(losses) < goal:
                epochs = epoch + 1
                break
        return epochs, float((np.abs(np.array(means) - means[0]) / spread[0]).mean())

    rates = (0.1, 0.5, 2.0, 8.0)
    plain, normed = [run(False, lr) for lr in rates], [run(True, lr) for lr in rates]
    assert min(e for e, _ in normed) <= limit
    assert min(e for e, _ in normed) < min(e for e, _ in plain)
    assert min(normed)[1] < 0.5 * min(plain)[1]


# --- dropout ----------------------------------------------------------------------------------------------------------


@pytest.mark.row("REM-02")
def test_dropout_keeps_the_expectation_and_is_off_at_inference() -> None:
    x = rg.tensor(np.random.default_rng(0).normal(size=16) + 2)
    for p in (0.1, 0.5, 0.9):
        layer = nn.Dropout(p)
        out = layer(x.expand(10_000, 16)).numpy()
        kept = out != 0
        np.testing.assert_allclose(out[kept], np.broadcast_to(x.numpy() / (1 - p), out.shape)[kept])
        sigma = np.abs(x.numpy()) * np.sqrt(p / (1 - p) / 10_000)
        assert (np.abs(out.mean(0) - x.numpy()) < 5 * sigma).all()
        assert abs(kept.mean() - (1 - p)) < 5 * np.sqrt(p * (1 - p) / 160_000)
        layer.eval()
        assert layer(x) is x
    assert nn.Dropout(0.0)(x) is x
    assert not nn.Dropout(1.0)(x).numpy().any()
    y = rg.ones(1000, requires_grad=True)
    z = F.dropout(y, 0.5)
    z.sum().backward()
    np.testing.assert_array_equal(y.grad.numpy(), z.detach().numpy())  # the gradient takes the same ways
    over = y * 3  # in place: the same, written over the input
    assert F.dropout(over, 0.5, inplace=True) is over
    y.grad = None
    over.sum().backward()
    np.testing.assert_array_equal(y.grad.numpy(), over.detach().numpy())
    rg.manual_seed(5)
    first = F.dropout(y, 0.5).detach().numpy()
    assert (F.dropout(y, 0.5).detach().numpy() != first).any()
    rg.manual_seed(5)
    np.testing.assert_array_equal(F.dropout(y, 0.5).detach().numpy(), first)


@pytest.mark.row("REM-02")
def test_dropping_connections_keeps_the_expectation_too() -> None:
    rg.manual_seed(0)
    layer, x = nn.DropConnectLinear(6, 3, p=0.3).double(), rg.randn(2, 6, dtype=rg.float64)
    plain = nn.Linear(6, 3).double()
    plain.load_state_dict(layer.state_dict())
    total, square = np.zeros((2, 3)), np.zeros((2, 3))
    with rg.no_grad():
        for _ in range(10_000):
            out = layer(x).numpy()
            total += out
            square += out**2
        mean, sigma = total / 10_000, np.sqrt((square / 10_000 - (total / 10_000) ** 2) / 10_000)
        assert (np.abs(mean - plain(x).numpy()) < 5 * sigma).all()
        # It cuts connections, not units: with one input row, dropping units would zero whole columns together.
        cut = F.dropout(layer.weight, 0.3).numpy() == 0
        assert 0 < cut.mean() < 1
        assert not any(column.all() for column in cut.T) or cut.all()
        layer.eval()
        np.testing.assert_array_equal(layer(x).numpy(), plain(x).numpy())


@pytest.mark.slow
@pytest.mark.row("REM-02")
def test_dropout_shrinks_the_gap_of_overfitting(data_dir: Path) -> None:
    x, y = digits(data_dir, 150)
    test_x, test_y = digits(data_dir, 1000, start=5000)
    rows, labels, held, truth = rg.tensor(x), rg.tensor(y), rg.tensor(test_x), rg.tensor(test_y)

    def gap(p: float, seed: int) -> float:
        rg.manual_seed(seed)
        drop = (lambda: nn.Dropout(p)) if p else nn.Identity
        net = nn.Sequential(
            nn.Linear(196, 256), nn.ReLU(), drop(), nn.Linear(256, 256), nn.ReLU(), drop(), nn.Linear(256, 10)
        )
        optimizer = optim.Adam(net.parameters(), lr=1e-3)
        stream = batches(150, 50, seed)
        for _ in range(240):
            now = rg.tensor(next(stream))
            optimizer.zero_grad()
            F.cross_entropy(net(rows[now]), labels[now]).backward()
            optimizer.step()
        net.eval()
        with rg.no_grad():
            return F.cross_entropy(net(held), truth).item() - F.cross_entropy(net(rows), labels).item()

    without, with_it = [gap(0.0, s) for s in range(5)], [gap(0.5, s) for s in range(5)]
    assert min(without) > 0.2  # it does overfit
    assert np.mean(with_it) < np.mean(without)
    assert sum(a < b for a, b in zip(with_it, without, strict=True)) >= 4


# --- residual connections ---------------------------------------------------------------------------------------------


@pytest.mark.row("REM-04")
def test_gradient_passes_the_addition() -> None:
    rg.manual_seed(0)
    block = nn.Residual(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    x = rg.randn(5, 3, dtype=rg.float64, requires_grad=True)
    assert rg.autograd.gradcheck(block, x)
    wider = nn.Residual(nn.Linear(3, 2), nn.Tanh(), shortcut=nn.Linear(3, 2)).double()
    assert rg.autograd.gradcheck(wider, x)
    for p in block.parameters():
        nn.init.zeros_(p)
    block(x).sum().backward()
    np.testing.assert_array_equal(
        x.grad.numpy(), np.ones((5, 3))
    )  # a block that does nothing lets it through whole


@pytest.mark.slow
@pytest.mark.row("REM-04")
def test_thirty_layers_train_with_residual_connections_only(data_dir: Path, capsys: Any) -> None:
    x, y = digits(data_dir, 1000)
    rows, labels = rg.tensor(x), rg.tensor(y)

    def run(residual: bool, lr: float) -> tuple[float, list[float]]:
        """Loss after training, and the gradient norm of every hidden layer's weights at the start."""
        rg.manual_seed(0)
        hidden = [nn.Linear(32, 32) for _ in range(28)]
        blocks = [nn.Residual(nn.ReLU(), m) if residual else nn.Sequential(nn.ReLU(), m) for m in hidden]
        net = nn.Sequential(nn.Linear(196, 32), *blocks, nn.Linear(32, 10))
        F.cross_entropy(net(rows), labels).backward()
        norms = [float(np.linalg.norm(m.weight.grad.numpy())) for m in hidden]
        optimizer = optim.Adam(net.parameters(), lr=lr)
        stream = batches(1000, 100, 0)
        for _ in range(150):
            now = rg.tensor(next(stream))
            optimizer.zero_grad()
            F.cross_entropy(net(rows[now]), labels[now]).backward()
            optimizer.step()
        with rg.no_grad():
            return F.cross_entropy(net(rows), labels).item(), norms

    rates = (3e-4, 1e-3, 3e-3)
    plain, residual = [run(False, lr) for lr in rates], [run(True, lr) for lr in rates]
    assert min(loss for loss, _ in residual) < 0.7
    assert min(loss for loss, _ in plain) > 2.0  # ln 10 = 2.30 is chance
    vanishing, kept = plain[0][1], residual[0][1]
    assert vanishing[0] / vanishing[-1] < 1e-3
    assert 0.1 < kept[0] / kept[-1] < 100
    with capsys.disabled():
        for name, norms in (("plain", vanishing), ("residual", kept)):
            print(
                f"\nREM-04 gradient norm of hidden layers 1, 10, 20, 28, {name}:",
                *(f"{norms[i]:.1e}" for i in (0, 9, 19, 27)),
            )
