"""The four steps of one iteration, and what an epoch is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import GradError, UsageError
from retrograd.train import Trainer, observe
from retrograd.train.sampler import RowSampler
from retrograd.train.weights import copy_weights


def random_net(rng: np.random.Generator, inputs: int = 4, outputs: int = 1) -> nn.Module:
    """One to three layers, random widths and activation."""
    rg.manual_seed(int(rng.integers(2**31)))
    widths = [inputs, *rng.integers(2, 9, size=rng.integers(1, 4)).tolist()]
    activation = [nn.ReLU, nn.Tanh, nn.Sigmoid][rng.integers(3)]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


def regression(rng: np.random.Generator, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    y = (np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3]).astype(np.float32)
    return x, y


@pytest.mark.row("TRN-01")
def test_forward_is_deterministic_and_row_by_row():
    rng = np.random.default_rng(1)
    for _ in range(20):
        model = random_net(rng).eval()
        x = rng.normal(size=(7, 4)).astype(np.float32)
        before = copy_weights(model)
        with observe(model) as log:
            first = model(rg.from_numpy(x)).detach().numpy()
        again = model(rg.from_numpy(x)).detach().numpy()
        one_by_one = np.concatenate([model(rg.from_numpy(x[i : i + 1])).detach().numpy() for i in range(7)])
        assert np.array_equal(first, again)
        np.testing.assert_allclose(first, one_by_one, rtol=1e-5, atol=1e-6)
        assert all(np.array_equal(before[key], value) for key, value in copy_weights(model).items())
        assert [name for name, _ in log.forward] == [name for name, part in model.named_children()]
        np.testing.assert_array_equal(log.forward[-1][1], first)


@pytest.mark.row("TRN-02")
def test_errors_of_single_rows_add_up_to_the_batch_loss():
    rng = np.random.default_rng(2)
    x, y = regression(rng)
    model = random_net(rng)
    output = model(rg.from_numpy(x)).detach().numpy()
    single = [nn.MSELoss()(rg.from_numpy(output[i]), rg.from_numpy(y[i])).item() for i in range(len(x))]
    whole = nn.MSELoss()(rg.from_numpy(output), rg.from_numpy(y)).item()
    assert np.sum(single) / len(x) == pytest.approx(whole, rel=1e-6)
    # control: leaving out one row is noticed
    assert np.sum(single[:-1]) / len(x) != pytest.approx(whole, rel=1e-6)


@pytest.mark.row("TRN-03")
def test_backward_visits_layers_last_to_first_each_once():
    rng = np.random.default_rng(3)
    x, y = regression(rng)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 1))
    with observe(model) as log:
        nn.MSELoss()(model(rg.from_numpy(x)), rg.from_numpy(y)).backward()
    assert [name for name, _ in log.forward] == ["0", "1", "2", "3", "4"]
    assert [name for name, _ in log.backward] == ["4", "3", "2", "1", "0"]
    assert all(p.grad is not None for p in model.parameters())


class Forgetful(optim.SGD):
    """An optimiser that does not clear gradients: what a forgotten zero_grad() does."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        pass


@pytest.mark.row("TRN-03")
def test_gradients_that_are_not_cleared_change_the_run_and_are_detected():
    x, y = regression(np.random.default_rng(4))

    def two_steps(clear: bool) -> dict[str, np.ndarray]:
        rg.manual_seed(0)
        model = nn.Linear(4, 1)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            if clear:
                optimizer.zero_grad()
            nn.MSELoss()(model(rg.from_numpy(x)), rg.from_numpy(y)).backward()
            optimizer.step()
        return copy_weights(model)

    cleared, kept = two_steps(True), two_steps(False)
    assert not np.allclose(cleared["weight"], kept["weight"])
    model = nn.Linear(4, 1)
    with pytest.raises(GradError, match="gradients of the step before"):
        Trainer(model, Forgetful(model.parameters(), lr=0.1), nn.MSELoss()).fit(x, y, epochs=2)


@pytest.mark.row("TRN-04")
def test_a_small_step_lowers_the_loss_in_1000_random_nets_and_a_large_one_does_not():
    rng = np.random.default_rng(5)
    lower, no_gradient, worse_when_large = 0, 0, 0
    loss_of = nn.MSELoss()
    for _ in range(1000):
        model = random_net(rng)
        x, y = (rg.from_numpy(array) for array in regression(rng, 16))
        before = loss_of(model(x), y)
        before.backward()
        norm = float(np.sqrt(sum(float((p.grad.numpy() ** 2).sum()) for p in model.parameters())))
        if norm < 1e-6:
            no_gradient += 1
            continue
        start = {name: p.detach().clone() for name, p in model.named_parameters()}
        # small enough: a step of fixed small length against the gradient
        optim.SGD(model.parameters(), lr=1e-3 / norm).step()
        lower += loss_of(model(x), y).item() < before.item()
        model.load_state_dict(start)
        optim.SGD(model.parameters(), lr=100.0 / norm).step()
        worse_when_large += loss_of(model(x), y).item() > before.item()
    assert no_gradient < 20
    assert lower == 1000 - no_gradient
    assert worse_when_large > 950  # the control: with too large a step it is not lower


@pytest.mark.row("TRN-05")
@pytest.mark.parametrize("rows, batch", [(10, 3), (10, 10), (10, 11), (1, 4), (257, 64)])
def test_an_epoch_sees_every_row_exactly_once(rows, batch):
    x = np.arange(rows, dtype=np.float32)[:, None]
    seen = np.zeros(rows, dtype=int)
    updates = []

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(1, 1)

        def forward(self, batch):
            if self.training:
                np.add.at(seen, batch.numpy()[:, 0].astype(int), 1)
                updates.append(len(batch))
            return self.layer(batch)

    model = Counting()
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.0), nn.MSELoss(), batch_size=batch)
    history = trainer.fit(x, x, epochs=3)
    assert (seen == 3).all()
    assert history.steps == len(updates) == 3 * -(-rows // min(batch, rows))
    orders = [np.concatenate(list(RowSampler(rows, batch_size=batch).batches(epoch))) for epoch in range(2)]
    assert rows < 10 or not np.array_equal(*orders)  # another order each epoch
    np.testing.assert_array_equal(np.sort(orders[1]), np.arange(rows))


def test_a_sampler_without_rows_or_batch_is_an_error():
    with pytest.raises(UsageError, match="no rows"):
        RowSampler(0, batch_size=3)
    with pytest.raises(UsageError, match="batch size 0"):
        RowSampler(3, batch_size=0)


def test_unequal_rows_are_named():
    model = nn.Linear(1, 1)
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss())
    with pytest.raises(UsageError, match="3, 2"):
        trainer.fit(np.zeros((3, 1), np.float32), np.zeros((2, 1), np.float32))


def test_a_loss_that_is_not_finite_stops_training_and_keeps_the_best():
    x, y = regression(np.random.default_rng(6))
    model = nn.Linear(4, 1)
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=1e25), nn.MSELoss())
    history = trainer.fit(x, y, validation=(x, y), epochs=50)
    assert history.stopped_because.startswith("the loss became")
    assert len(history.records) < 50


def test_several_inputs_and_metrics():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 1)

        def forward(self, a, b):
            return self.layer(rg.cat([a, b], dim=1))

    x = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    model = Two()
    trainer = Trainer(
        model,
        optim.Adam(model.parameters(), lr=0.05),
        nn.MSELoss(),
        metrics=lambda outputs, targets: {"worst": float(np.abs(outputs - targets).max())},
    )
    history = trainer.fit(
        (x[:, :1], x[:, 1:]),
        x.sum(1, keepdims=True),
        validation=((x[:, :1], x[:, 1:]), x.sum(1, keepdims=True)),
        epochs=250,
    )
    assert history.column("validation_worst")[-1] < 0.1
    assert trainer.predict((x[:, :1], x[:, 1:])).shape == (40, 1)
