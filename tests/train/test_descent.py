"""Gradient descent, its stochastic cousin, the rate, the batch, the start, and where it all ends."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.train import Trainer, probe_minimum, sweep_rates
from retrograd.train.sampler import RowSampler
from retrograd.train.weights import copy_weights


class Quadratic(nn.Module):
    """A model whose output is its parameter: the loss ½ Σ L_i w_i² is then a function of w alone."""

    def __init__(self, start: list[float]) -> None:
        super().__init__()
        self.w = nn.Parameter(rg.tensor(start, dtype=rg.float64))

    def forward(self, _rows):
        return self.w


def curvature_loss(curvatures: list[float]):
    values = rg.tensor(curvatures, dtype=rg.float64)
    return lambda w, _target: 0.5 * (values * w * w).sum()


ONE_ROW = np.zeros((1, 1)), np.zeros((1, 1))


@pytest.fixture(scope="module")
def wine(data_dir) -> tuple[np.ndarray, np.ndarray]:
    """White wines: eleven standardised measurements, standardised quality."""
    with open(data_dir / "wine-quality" / "winequality-white.csv") as file:
        table = np.array([[float(cell) for cell in row] for row in csv.reader(file)])
    table = table[np.random.default_rng(0).permutation(len(table))]
    table = (table - table.mean(0)) / table.std(0)
    return table[:, :-1].astype(np.float32), table[:, -1:].astype(np.float32)


def mlp(seed: int, inputs: int = 11, width: int = 16) -> nn.Module:
    rg.manual_seed(seed)
    return nn.Sequential(nn.Linear(inputs, width), nn.Tanh(), nn.Linear(width, 1))


@pytest.mark.row("TRN-06")
def test_full_batch_descent_follows_the_closed_form():
    curvatures, start, rate = [0.5, 2.0, 7.0], [1.0, -2.0, 3.0], 0.2
    model = Quadratic(start)
    trainer = Trainer(
        model, optim.SGD(model.parameters(), lr=rate), curvature_loss(curvatures), restore_best=False
    )
    for step in range(1, 30):
        trainer.fit(*ONE_ROW, epochs=step)
        expected = np.array(start) * (1 - rate * np.array(curvatures)) ** step
        np.testing.assert_allclose(model.w.detach().numpy(), expected, rtol=1e-10, atol=1e-15)


@pytest.mark.row("TRN-06", "TRN-13")
def test_full_batch_descent_reaches_the_least_squares_solution(wine):
    x, y = (array[:1500].astype(np.float64) for array in wine)
    exact = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0][:, 0]
    rg.manual_seed(0)
    model = nn.Linear(11, 1).double()
    greatest = np.linalg.eigvalsh(
        2 * np.column_stack([x, np.ones(len(x))]).T @ np.column_stack([x, np.ones(len(x))]) / len(x)
    )[-1]
    optimizer = optim.SGD(model.parameters(), lr=1.8 / greatest, momentum=0.9)
    trainer = Trainer(model, optimizer, nn.MSELoss(), batch_size=len(x), gradient_tolerance=1e-8)
    history = trainer.fit(x, y, epochs=6000)
    assert "gradient's norm" in history.stopped_because
    found = np.append(model.weight.detach().numpy(), model.bias.detach().numpy())
    np.testing.assert_allclose(found, exact, atol=1e-6)


@pytest.mark.row("TRN-13")
def test_a_network_ends_where_the_gradient_is_small_and_the_probe_says_so_without_claiming_more(wine):
    x, y = (array[:300] for array in wine)
    model = mlp(0, width=4)
    before = probe_minimum(model, nn.MSELoss(), x, y)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, 1500)
    Trainer(model, optimizer, nn.MSELoss(), batch_size=300, scheduler=scheduler).fit(x, y, epochs=1500)
    after = probe_minimum(model, nn.MSELoss(), x, y)
    assert before.verdict == "not converged"
    assert after.gradient_norm < 1e-2 < before.gradient_norm
    assert after.verdict in ("minimum or flat place", "saddle")
    assert "global" not in str(after)
    # control: at a true saddle the probe finds the way down
    saddle = Quadratic([0.0, 0.0])
    assert probe_minimum(saddle, curvature_loss([1.0, -1.0]), *ONE_ROW).verdict == "saddle"


def test_training_stops_without_gain_or_when_the_budget_is_spent(wine):
    x, y = (array[:200] for array in wine)
    model = mlp(0)
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.0), nn.MSELoss(), patience=3)
    assert (
        trainer.fit(x, y, validation=(x, y), epochs=50).stopped_because
        == "no better validation loss for 3 epochs"
    )
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.01), nn.MSELoss())
    assert trainer.fit(x, y, epochs=2).stopped_because == "all 2 epochs done"
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.01), nn.MSELoss())
    assert "time limit" in trainer.fit(x, y, epochs=10**6, time_limit=0.05).stopped_because


@pytest.mark.row("TRN-07")
def test_batch_gradients_of_an_epoch_average_to_the_full_gradient(wine):
    x, y = (array[:500] for array in wine)
    model = mlp(1).double()
    loss = nn.MSELoss()

    def gradient(rows) -> np.ndarray:
        model.zero_grad()
        loss(
            model(rg.from_numpy(x[rows].astype(np.float64))), rg.from_numpy(y[rows].astype(np.float64))
        ).backward()
        return np.concatenate([p.grad.numpy().ravel() for p in model.parameters()])

    batches = list(RowSampler(500, batch_size=64, seed=3).batches(0))
    mean = sum(len(rows) * gradient(rows) for rows in batches) / 500
    np.testing.assert_allclose(mean, gradient(np.arange(500)), rtol=1e-9, atol=1e-12)
    # control: without the weights (the last batch is short) it is not the full gradient
    unweighted = np.mean([gradient(rows) for rows in batches], axis=0)
    assert not np.allclose(unweighted, gradient(np.arange(500)), rtol=1e-4)


@pytest.mark.row("TRN-07")
def test_the_same_seed_gives_the_same_run_and_small_batches_learn_faster_per_row(wine):
    x, y = (array[:2000] for array in wine)

    def run(batch: int, seed: int, epochs: int = 3) -> tuple[dict[str, np.ndarray], float]:
        model = mlp(0)
        trainer = Trainer(
            model,
            optim.SGD(model.parameters(), lr=0.05),
            nn.MSELoss(),
            batch_size=batch,
            seed=seed,
            restore_best=False,
        )
        trainer.fit(x, y, epochs=epochs)
        return copy_weights(model), trainer.evaluate(x, y)[0]

    first, stochastic = run(32, 5)
    again, _ = run(32, 5)
    other, _ = run(32, 6)
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not all(np.array_equal(first[key], other[key]) for key in first)
    _, full = run(len(x), 5)
    assert stochastic < full  # the same rows were seen, three times each


@pytest.mark.row("TRN-08")
def test_the_update_scales_with_the_rate_and_the_rate_may_change_while_training(wine):
    x, y = (array[:100] for array in wine)
    updates = {}
    for rate in (0.01, 0.02, 0.08):
        model = mlp(0).double()
        before = copy_weights(model)
        trainer = Trainer(
            model, optim.SGD(model.parameters(), lr=rate), nn.MSELoss(), batch_size=100, restore_best=False
        )
        trainer.fit(x.astype(np.float64), y.astype(np.float64), epochs=1)
        updates[rate] = np.concatenate(
            [(value - before[key]).ravel() for key, value in copy_weights(model).items()]
        )
        trainer.optimizer.param_groups[0]["lr"] = 0.0  # changed by hand: the next epoch moves nothing
        frozen = copy_weights(model)
        trainer.fit(x.astype(np.float64), y.astype(np.float64), epochs=2)
        assert all(np.array_equal(frozen[key], value) for key, value in copy_weights(model).items())
    np.testing.assert_allclose(updates[0.02], 2 * updates[0.01], rtol=1e-9)
    np.testing.assert_allclose(updates[0.08], 8 * updates[0.01], rtol=1e-9)


@pytest.mark.row("TRN-08", "PRB-06")
def test_a_sweep_over_six_decades_of_real_data_is_u_shaped(wine):
    x, y = (array[:1000] for array in wine)

    def make(rate: float) -> Trainer:
        model = mlp(0)
        return Trainer(model, optim.SGD(model.parameters(), lr=rate), nn.MSELoss(), batch_size=32)

    sweep = sweep_rates(make, x, y, rates=np.geomspace(1e-5, 10, 13), steps=150)
    finals = np.array([item.final_loss for item in sweep.verdicts])
    verdicts = [item.verdict for item in sweep.verdicts]
    best = int(np.argmin(finals))
    assert 2 <= best <= 10
    assert finals[0] > 1.2 * finals[best]
    assert finals[-1] > 1.2 * finals[best]
    assert verdicts[0] == "crawling"
    assert verdicts[best] == "fine"
    assert verdicts[-1] in ("overshooting", "diverging")
    order = ["crawling", "fine", "overshooting", "diverging"]
    assert [order.index(verdict) for verdict in verdicts] == sorted(
        order.index(verdict) for verdict in verdicts
    )
    assert "<- best" in str(sweep)


@pytest.mark.row("PRB-06")
@pytest.mark.parametrize("greatest", [0.5, 4.0, 37.0])
def test_the_threshold_on_a_quadratic_is_two_over_its_curvature(greatest):
    def make(rate: float) -> Trainer:
        model = Quadratic([1.0, 1.0])
        return Trainer(
            model, optim.SGD(model.parameters(), lr=rate), curvature_loss([greatest, greatest / 10])
        )

    threshold = 2.0 / greatest
    relative = np.array([0.001, 0.1, 0.3, 0.9, 0.99, 0.999, 1.001, 1.01, 1.5])
    sweep = sweep_rates(make, *ONE_ROW, rates=threshold * relative, steps=60)
    verdicts = [item.verdict for item in sweep.verdicts]
    assert verdicts[0] == "crawling"
    assert verdicts[1:4] == ["fine"] * 3
    assert "diverging" not in verdicts[:6]
    assert verdicts[5] == "overshooting"
    assert verdicts[6:] == ["diverging"] * 3
    # observed: bisect for the rate at which the loss neither falls nor grows
    low, high = 0.5 * threshold, 2.0 * threshold
    for _ in range(30):
        middle = (low + high) / 2
        (verdict,) = sweep_rates(make, *ONE_ROW, rates=[middle], steps=200).verdicts
        low, high = (low, middle) if verdict.final_loss > verdict.first_loss else (middle, high)
    assert low == pytest.approx(threshold, rel=0.02)


@pytest.mark.row("TRN-09")
def test_the_gradients_variance_falls_as_one_over_the_batch(wine):
    x, y = wine
    model = mlp(2)
    loss = nn.MSELoss()
    rng = np.random.default_rng(0)

    def gradient(rows: np.ndarray) -> np.ndarray:
        model.zero_grad()
        loss(model(rg.from_numpy(x[rows])), rg.from_numpy(y[rows])).backward()
        return np.concatenate([p.grad.numpy().ravel() for p in model.parameters()])

    variance = {}
    for size in (1, 8, 64, 512):
        drawn = np.stack([gradient(rng.integers(len(x), size=size)) for _ in range(300)])
        variance[size] = float(drawn.var(axis=0).sum())
    for size in (8, 64, 512):
        assert variance[1] / variance[size] == pytest.approx(size, rel=0.35)


@pytest.mark.row("TRN-10")
def test_random_starts_break_the_symmetry_that_an_equal_start_keeps_for_ever(wine):
    x, y = (array[:300] for array in wine)

    def trained(start) -> dict[str, np.ndarray]:
        model = mlp(0, width=6)
        start(model)
        trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.05), nn.MSELoss(), restore_best=False)
        trainer.fit(x, y, epochs=20)
        return copy_weights(model)

    def equal(model: nn.Module) -> None:
        for parameter in model.parameters():
            nn.init.constant_(parameter, 0.1)

    same = trained(equal)
    assert np.ptp(same["0.weight"], axis=0).max() < 1e-6  # all six hidden units are still one unit
    assert np.abs(same["0.weight"] - 0.1).max() > 1e-3  # although they learnt
    random = trained(lambda model: None)
    assert np.ptp(random["0.weight"], axis=0).max() > 0.1
    again = trained(lambda model: None)
    assert all(np.array_equal(random[key], again[key]) for key in random)
    # the scale is chosen for the activation: variance 2/fan-in for ReLU keeps the signal's size through ten layers
    rg.manual_seed(0)
    signal = rg.randn(200, 256)
    for _ in range(10):
        layer = nn.Linear(256, 256, bias=False)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        signal = layer(signal).relu().detach()
    assert 0.2 < float((signal.numpy() ** 2).mean()) < 2.0
