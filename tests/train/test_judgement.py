"""What the trainer says about a run: overfitting, cost, more epochs, other rates."""

from __future__ import annotations

import gzip
import tracemalloc

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.train import Trainer, judge_overfitting
from retrograd.train.cost import count_work, measure_cost, peak_memory, step_memory
from retrograd.train.overfitting import memorised_share, row_losses
from retrograd.train.weights import copy_weights


@pytest.fixture(scope="module")
def mnist(data_dir) -> tuple[np.ndarray, np.ndarray]:
    """Real handwritten digits as rows of 784 numbers, and their labels."""
    folder = data_dir / "mnist"
    files = {path.name: path for path in folder.rglob("*.gz")}
    images = next(path for name, path in files.items() if "train-images" in name)
    labels = next(path for name, path in files.items() if "train-labels" in name)
    with gzip.open(images) as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(labels) as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)
    return (x[:14000] / 255.0).astype(np.float32), y[:14000].astype(np.int64)


def probabilities(trainer: Trainer, x: np.ndarray) -> np.ndarray:
    return rg.from_numpy(trainer.predict(x)).softmax(dim=1).numpy()


def digits_trainer(seed: int = 0, width: int = 64, **options) -> Trainer:
    rg.manual_seed(seed)
    model = nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10))
    return Trainer(
        model, optim.Adam(model.parameters(), lr=2e-3), nn.CrossEntropyLoss(), seed=seed, **options
    )


@pytest.mark.row("PRB-05")
def test_scrambled_labels_are_memorised_and_the_alarm_rings(mnist):
    x, true = mnist
    rng = np.random.default_rng(0)
    few = slice(0, 100)
    given = true[few].copy()
    scrambled = rng.permutation(100)[:30]
    given[scrambled] = (given[scrambled] + rng.integers(1, 10, size=30)) % 10
    held_out = slice(12000, 13000)
    trainer = digits_trainer(batch_size=20, restore_best=False)
    trainer.fit(x[few], given, epochs=120)
    on_training, on_held_out = probabilities(trainer, x[few]), probabilities(trainer, x[held_out])
    train_accuracy = np.mean(on_training.argmax(1) == given)
    held_out_accuracy = np.mean(on_held_out.argmax(1) == true[held_out])
    assert train_accuracy >= 0.99
    assert held_out_accuracy < train_accuracy - 0.25
    assert memorised_share(on_training.argmax(1), given, true[few]) >= 0.95
    verdict = judge_overfitting(
        row_losses("multiclass", given, on_training), row_losses("multiclass", true[held_out], on_held_out)
    )
    assert verdict.verdict == "overfitting"
    assert bool(verdict)
    assert "overfits" in verdict.sentence


@pytest.mark.row("PRB-05")
def test_the_alarm_is_silent_when_data_are_ample(mnist):
    x, y = mnist
    trainer = digits_trainer(width=16, batch_size=128)
    trainer.fit(x[:10000], y[:10000], epochs=4)
    verdict = judge_overfitting(
        row_losses("multiclass", y[:10000], probabilities(trainer, x[:10000])),
        row_losses("multiclass", y[12000:], probabilities(trainer, x[12000:])),
    )
    assert verdict.verdict == "none"
    assert judge_overfitting(np.ones(5), np.ones(5)).verdict == "unknown"


def test_a_large_gap_on_few_rows_is_left_open():
    """Six times the loss on 23 validation rows, but mostly by two of them: neither overfitting nor its absence."""
    held_out = np.full(23, 0.03)
    held_out[:2] = 1.7
    verdict = judge_overfitting(np.full(92, 0.0295), held_out)
    assert verdict.validation_loss > 5 * verdict.training_loss
    assert verdict.verdict == "unknown"
    assert "is open" in verdict.sentence
    assert "No overfitting" not in verdict.sentence


@pytest.mark.row("TRN-12")
def test_more_epochs_help_at_first_and_harm_later(mnist):
    x, y = mnist
    trainer = digits_trainer(batch_size=32, restore_best=False)
    history = trainer.fit(x[:200], y[:200], validation=(x[12000:13000], y[12000:13000]), epochs=120)
    held_out = np.array(history.column("validation_loss"))
    learning = np.array(history.column("train_loss"))
    turn = int(held_out.argmin())
    assert 2 <= turn <= 80
    assert held_out[0] > 1.3 * held_out[turn]  # early: more epochs, better on unseen data
    assert held_out[-1] > 1.05 * held_out[turn]  # late: worse on unseen data
    assert learning[-1] < 0.1 * learning[turn]  # while the training loss goes on falling
    assert history.best_epoch == turn + 1


@pytest.mark.row("TRN-12")
def test_early_stopping_restores_the_weights_of_the_turn(mnist):
    x, y = mnist
    held_out = x[12000:13000], y[12000:13000]
    trainer = digits_trainer(batch_size=32, patience=10)
    history = trainer.fit(x[:200], y[:200], validation=held_out, epochs=500)
    assert history.stopped_because == "no better validation loss for 10 epochs"
    assert len(history.records) == history.best_epoch + 10
    assert trainer.evaluate(*held_out)[0] == history.best_loss


GRID = [
    (width, layers, batch) for width, layers in ((16, 1), (64, 2), (128, 4), (256, 3)) for batch in (16, 128)
]


def dense(width: int, layers: int) -> nn.Module:
    parts: list[nn.Module] = [nn.Linear(20, width), nn.ReLU()]
    for _ in range(layers - 1):
        parts += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(width, 1))


@pytest.mark.row("PRB-04")
@pytest.mark.parametrize("width, layers, batch", GRID)
def test_operations_are_exact_and_memory_is_within_a_factor_of_three(width, layers, batch):
    x = np.random.default_rng(0).normal(size=(batch, 20)).astype(np.float32)
    y = x[:, :1]
    model = dense(width, layers)
    parameters, multiply_adds, values = count_work(model, x)
    assert multiply_adds == 20 * width + (layers - 1) * width * width + width
    assert parameters == multiply_adds + layers * width + 1
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=1e-3), nn.MSELoss(), batch_size=batch)
    trainer.step([x], y)
    tracemalloc.start()
    before = sum(p.detach().numpy().nbytes for p in model.parameters()) * 4  # weight, gradient, two moments
    trainer.step([x], y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    measured = before + peak
    estimate = step_memory(parameters, values, batch)
    assert 1 / 3 < estimate / measured < 3


@pytest.mark.row("PRB-04", "ETH-07")
def test_cost_grows_with_layers_and_rows_and_is_known_before_training():
    x = np.random.default_rng(0).normal(size=(400, 20)).astype(np.float32)
    meters = {}
    for layers in (1, 2, 4, 8):
        models = []

        def make(layers: int = layers, models: list = models) -> Trainer:
            model = dense(64, layers)
            models.append(model)
            return Trainer(model, optim.Adam(model.parameters(), lr=1e-3), nn.MSELoss(), batch_size=50)

        rg.manual_seed(5)
        meters[layers] = measure_cost(make, x, x[:, :1], validation=(x[:100], x[:100, :1]))
        assert len(models) == 1
        assert rg.rand(1).item() == pytest.approx(
            float(_first_number_after_seed(5))
        )  # no trace in the random stream
    work = [meters[layers].operations(10) for layers in (1, 2, 4, 8)]
    assert np.diff(work).tolist() == [64 * 64 * k * 1300 * 10 for k in (1, 2, 4)]
    assert [m.parameters for m in meters.values()] == [1409, 5569, 13889, 30529]
    estimate = meters[2].estimate(10)
    assert estimate.epochs == 10
    assert estimate.seconds > 0
    own = estimate.memory_bytes - (peak_memory() or 0)
    assert own < 10e6
    actual = meters[2].actual(10, 1.0).memory_bytes  # of the same thing: the process
    assert 0.5 < estimate.memory_bytes / actual < 2
    assert "multiply-adds" in str(estimate)


def _first_number_after_seed(seed: int) -> float:
    rg.manual_seed(seed)
    return rg.rand(1).item()


def test_averaging_follows_its_formula_and_is_what_is_kept():
    x = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
    rg.manual_seed(0)
    model = nn.Linear(1, 1)
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), batch_size=8, average=0.9)
    seen: list[np.ndarray] = []
    inner = trainer.step

    def step(*batch):
        result = inner(*batch)
        seen.append(model.weight.detach().numpy().copy())
        return result

    trainer.step = step  # type: ignore[method-assign]
    history = trainer.fit(x, 2 * x, epochs=4)
    average = seen[0].astype(np.float64)
    for steps, value in enumerate(seen[1:], start=2):
        average += (1 - min(0.9, (1 + steps) / (10 + steps))) * (value - average)
    assert history.best_epoch == 4
    np.testing.assert_allclose(copy_weights(model)["weight"], average, rtol=1e-5)
    assert not np.allclose(seen[-1], average, rtol=1e-5)
