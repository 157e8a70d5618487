"""One unchanged trainer, three families of networks, three real sets: prices, pictures of digits, and names.

Dense for numbers, convolutional for classes, recurrent for sequences.  The layers that are special are a few lines
of public functions each.  Every net must beat its simple baseline on rows it has not seen, by a margin fixed beforehand.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from real_data import Array, digits
from retrograd import nn, optim
from retrograd.metrics import fit_linear_baseline
from retrograd.train import Trainer

pytestmark = [pytest.mark.row("ADV-03"), pytest.mark.slow]

PRICE_SHARE = 0.85
"""The dense net's error in log price, as a share of linear regression's."""
DIGITS_SHARE = 0.6
"""The convolutional net's share of wrong digits, as a share of logistic regression's."""
NAMES_GAIN = 0.15
"""Nats a letter that the recurrent net must gain on counting pairs of letters."""

Rows = tuple[Array, Array]


def train_any(
    model: nn.Module, loss: Callable[[rg.Tensor, rg.Tensor], rg.Tensor], train: Rows, validation: Rows
) -> Trainer:
    """The one trainer: nothing in here knows what kind of network or data it is given."""
    trainer = Trainer(
        model,
        optim.AdamW(model.parameters(), lr=3e-3),
        loss,
        batch_size=64,
        seed=0,
        patience=3,
        clip_norm=5.0,
    )
    trainer.fit(*train, validation=validation, epochs=6)
    return trainer


# --- dense: prices ---------------------------------------------------------------------------------------------------

COLUMNS = "bedrooms bathrooms sqft_living sqft_lot floors waterfront view condition grade yr_built lat long"
COLUMN_NAMES = COLUMNS.split()


def sales(folder: Path) -> list[Rows]:
    """Standardised columns and the logarithm of the price: for training, validation and test, split by house."""
    with open(folder / "king-county-houses" / "kc_house_data.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if all(row[name] for name in COLUMN_NAMES)]
    x = np.array([[float(row[name]) for name in COLUMN_NAMES] for row in rows])
    y = np.log([float(row["price"]) for row in rows])
    _, house = np.unique([row["id"] for row in rows], return_inverse=True)
    share = np.random.default_rng(0).uniform(size=house.max() + 1)[house]
    parts = [share < 0.6, (share >= 0.6) & (share < 0.8), share >= 0.8]
    x = (x - x[parts[0]].mean(0)) / x[parts[0]].std(0)
    y = (y - y[parts[0]].mean()) / y[parts[0]].std()
    return [(x[part].astype(np.float32), y[part, None].astype(np.float32)) for part in parts]


def test_a_dense_net_values_houses_better_than_a_linear_model(data_dir: Path) -> None:
    train, validation, test = sales(data_dir)
    rg.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(len(COLUMN_NAMES), 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)
    )

    def error(prediction: Array) -> float:
        return float(np.sqrt(np.mean((prediction.ravel() - test[1].ravel()) ** 2)))

    line = fit_linear_baseline("regression", train[0], train[1].ravel(), validation[0], validation[1].ravel())
    linear = error(line.predict(test[0]))
    untrained = error(model(rg.from_numpy(test[0])).detach().numpy())
    ours = error(train_any(model, nn.MSELoss(), train, validation).predict(test[0]))
    print(f"error in log price (1: its spread): {ours:.3f}, linear model {linear:.3f}")
    assert ours <= PRICE_SHARE * linear
    assert linear < 0.7  # the baseline is one: it explains half of the spread
    assert untrained > linear  # control


# --- convolutional: pictures -----------------------------------------------------------------------------------------


class Convolution(nn.Module):
    """Every patch of 3 x 3 pixels through the same weights: (rows, channels, h, w) to (rows, outputs, h - 2, w - 2)."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.patch = nn.Linear(channels * 9, outputs)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        patches = x.unfold(2, 3, 1).unfold(3, 3, 1)  # (rows, channels, h - 2, w - 2, 3, 3)
        return self.patch(patches.permute(0, 2, 3, 1, 4, 5).flatten(3)).permute(0, 3, 1, 2)


class Pool(nn.Module):
    """The largest of every 2 x 2."""

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return x.unfold(2, 2, 2).unfold(3, 2, 2).amax(dim=(-2, -1))


def convolutional() -> nn.Sequential:
    return nn.Sequential(
        nn.Unflatten(1, (1, 14, 14)),
        Convolution(1, 12), nn.ReLU(), Pool(),
        Convolution(12, 24), nn.ReLU(), nn.Flatten(),
        nn.Linear(24 * 4 * 4, 10),
    )  # fmt: skip


def test_a_convolutional_net_reads_digits_better_than_logistic_regression(data_dir: Path) -> None:
    train, validation, test = (
        digits(data_dir, 5000),
        digits(data_dir, 1000, 5000),
        digits(data_dir, 2000, 6000),
    )
    rg.manual_seed(0)
    model = convolutional()

    def wrong(scores: Array) -> float:
        return float(np.mean(scores.argmax(1) != test[1]))

    line = fit_linear_baseline("multiclass", *train, *validation, penalties=(0.1, 0.03, 0.01))
    logistic = wrong(line.predict(test[0]))
    untrained = wrong(model(rg.from_numpy(test[0])).detach().numpy())
    ours = wrong(train_any(model, nn.CrossEntropyLoss(), train, validation).predict(test[0]))
    print(f"wrong digits: {ours:.1%}, logistic regression {logistic:.1%}")
    assert ours <= DIGITS_SHARE * logistic
    assert logistic < 0.2  # the baseline is one
    assert untrained > 0.7  # control


def test_the_convolution_is_one() -> None:
    """Against the sum written out, and it moves with the picture."""
    random = np.random.default_rng(0)
    layer, x = Convolution(2, 3).double(), random.normal(size=(1, 2, 7, 7))
    found = layer(rg.from_numpy(x)).detach().numpy()
    w, b = layer.patch.weight.detach().numpy().reshape(3, 2, 3, 3), layer.patch.bias.detach().numpy()
    for i, j in np.ndindex(5, 5):
        by_hand = (w * x[0, :, i : i + 3, j : j + 3]).sum((1, 2, 3)) + b
        np.testing.assert_allclose(found[0, :, i, j], by_hand, rtol=1e-12)
    moved = layer(rg.from_numpy(np.roll(x, 1, axis=3))).detach().numpy()
    np.testing.assert_allclose(moved[..., 1:], found[..., :-1], rtol=1e-12)


# --- recurrent: names ------------------------------------------------------------------------------------------------

LETTERS, LONGEST, NOTHING = 27, 12, -100


def names(folder: Path) -> list[Rows]:
    """Letters so far and the letter to come, (names, places): 0 begins and ends a name, and -100 is after its end."""
    words = [word for word in (folder / "names" / "names.txt").read_text().split() if len(word) < LONGEST]
    words = [words[k] for k in np.random.default_rng(0).permutation(len(words))[:8000]]
    x, y = np.zeros((len(words), LONGEST), np.int64), np.full((len(words), LONGEST), NOTHING)
    for k, word in enumerate(words):
        codes = [ord(letter) - ord("a") + 1 for letter in word]
        x[k, 1 : len(word) + 1], y[k, : len(word) + 1] = codes, [*codes, 0]
    return [(x[part], y[part]) for part in (slice(0, 6000), slice(6000, 6500), slice(6500, None))]


class Recurrent(nn.Module):
    """A gated recurrent unit (Cho and others 2014), letter by letter: h ← (1 - z) n + z h."""

    def __init__(self, memory: bool = True, width: int = 48) -> None:
        super().__init__()
        self.memory, self.width = memory, width
        self.letter = nn.Embedding(LETTERS, 16)
        self.from_letter, self.from_memory = nn.Linear(16, 3 * width), nn.Linear(width, 3 * width)
        self.answer = nn.Linear(width, LETTERS)

    def forward(self, letters: rg.Tensor) -> rg.Tensor:
        """(rows, places) to scores (rows, LETTERS, places)."""
        inputs = self.from_letter(self.letter(letters))
        h = rg.zeros(len(letters), self.width)
        scores = []
        for from_letter in inputs.unbind(1):
            if not self.memory:
                h = rg.zeros_like(h)
            reset, update, new = from_letter.chunk(3, dim=1)
            from_reset, from_update, from_new = self.from_memory(h).chunk(3, dim=1)
            z = rg.sigmoid(update + from_update)
            h = (1 - z) * rg.tanh(new + rg.sigmoid(reset + from_reset) * from_new) + z * h
            scores.append(self.answer(h))
        return rg.stack(scores, dim=2)


def test_a_recurrent_net_spells_names_better_than_pairs_of_letters(data_dir: Path) -> None:
    train, validation, test = names(data_dir)

    def surprise(log_probabilities: Array) -> float:
        """Mean -log probability of the letter that came, over all places with one."""
        there = test[1] != NOTHING
        chosen = np.take_along_axis(log_probabilities, np.where(there, test[1], 0)[:, None], 1)[:, 0]
        return float(-chosen[there].mean())

    counts = np.ones((LETTERS, LETTERS))
    there = train[1] != NOTHING
    np.add.at(counts, (train[0][there], train[1][there]), 1)
    pairs = surprise(np.log(counts / counts.sum(1, keepdims=True))[test[0]].transpose(0, 2, 1))

    def after_training(memory: bool) -> float:
        rg.manual_seed(0)
        trainer = train_any(Recurrent(memory), nn.CrossEntropyLoss(ignore_index=NOTHING), train, validation)
        return surprise(rg.from_numpy(trainer.predict(test[0])).log_softmax(1).numpy())

    ours, forgetful = after_training(True), after_training(False)
    print(
        f"nats a letter: {ours:.3f}, pairs of letters {pairs:.3f}, the same net without memory {forgetful:.3f}"
    )
    assert ours <= pairs - NAMES_GAIN
    assert pairs < 0.8 * np.log(LETTERS)  # the baseline is one
    assert abs(forgetful - pairs) < 0.05  # control: what is gained is gained by remembering
