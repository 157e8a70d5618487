"""ADV-06: from few rows and a small net to many rows and a large one, by the same code; batches are read from disk.

Bounds, fixed beforehand: the most memory of an epoch grows by at most 64 bytes a row (the order of the rows: 8 bytes, a
few times over while it is drawn) where a row has 784; the processor's time per row differs by at most a factor of four from
1,000 to 16,000 rows (machines are noisy; a step whose time grew with n would differ by sixteen); more data may cost at most
one point of held-out accuracy from one size to the next, and must gain three from the first to the last.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from real_data import digits
from retrograd import nn, optim
from retrograd.nn.functional import cross_entropy
from retrograd.train import Trainer
from retrograd.utils.data import DataLoader, Dataset

FEATURES, BATCH = 784, 50
SIZES, WIDTHS = (1000, 4000, 16000), (8, 64, 256)
BYTES_PER_ROW, TIME_FACTOR, MAY_FALL, MUST_GAIN = 64, 4.0, 0.01, 0.03
SLACK = 200_000
"""Bytes that Python's own objects may take, however many rows there are."""


class OnDisk(Dataset):
    """Rows of bytes in a file, of which only those of a batch are read."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.x = np.load(folder / "x.npy", mmap_mode="r")[:rows]
        self.y = np.load(folder / "y.npy", mmap_mode="r")[:rows]

    def __len__(self) -> int:
        return len(self.y)

    def __getitems__(self, indices: list[int]) -> list[Any]:
        """All rows of a batch at once, so that a batch is one read."""
        return [(self.x[indices].astype(np.float32) / 255, self.y[indices])]


def whole(rows: list[Any]) -> Any:
    """The batch that `OnDisk` read."""
    return tuple(map(rg.from_numpy, rows[0]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16,000 rows whose class a hidden net says, as two files."""
    path = tmp_path_factory.mktemp("rows")
    r = np.random.default_rng(0)
    x = r.integers(0, 256, size=(SIZES[-1], FEATURES), dtype=np.uint8)
    np.save(path / "x.npy", x)
    np.save(path / "y.npy", (x[:, :20] @ r.normal(size=(20, 10))).argmax(1))
    return path


class Run:
    """A compiled step of one net, and epochs of it; for toy and large alike."""

    def __init__(self, width: int, batch: int = BATCH) -> None:
        rg.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(FEATURES, width), nn.ReLU(), nn.Linear(width, 10))
        self.optimizer = optim.Adam(self.model.parameters(), lr=1e-3)
        self.batch, self.steps = batch, 0
        self.step = rg.compile(self._step)

    def _step(self, x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        self.optimizer.zero_grad()
        loss = cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def epoch(self, rows: Dataset) -> None:
        self.steps = 0
        for x, y in DataLoader(rows, batch_size=self.batch, shuffle=True, collate_fn=whole):
            self.step(x, y)
            self.steps += 1


def peak_of_epoch(run: Run, rows: Any) -> int:
    """Most bytes that Python and NumPy held beyond what they held before; a file in memory is none of theirs."""
    gc.collect()
    tracemalloc.start()
    run.epoch(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


@pytest.mark.row("ADV-06")
def test_memory_is_set_by_the_batch_and_not_by_the_rows(folder: Path) -> None:
    row = FEATURES * 4
    for width in WIDTHS:
        run = Run(width)
        run.epoch(OnDisk(folder, 100))  # compiled, and its memory taken
        peaks = [peak_of_epoch(run, OnDisk(folder, n)) for n in SIZES]
        assert peaks[-1] - peaks[0] <= BYTES_PER_ROW * (SIZES[-1] - SIZES[0]) + SLACK, (width, peaks)
        assert peaks[0] >= BATCH * row  # the batch itself was seen
    larger = Run(WIDTHS[0], batch=BATCH * 10)
    larger.epoch(OnDisk(folder, BATCH * 10))
    assert peak_of_epoch(larger, OnDisk(folder, SIZES[0])) >= BATCH * 10 * row


@pytest.mark.row("ADV-06")
def test_a_data_set_held_in_memory_would_be_noticed(folder: Path) -> None:
    """The control: the same epoch over rows that are all read at first breaks the bound."""

    class InMemory(OnDisk):
        def __init__(self, folder: Path, rows: int) -> None:
            super().__init__(folder, rows)
            self.x = self.x.astype(np.float32)

    run = Run(WIDTHS[0])
    run.epoch(OnDisk(folder, 100))
    peaks = []
    for n in SIZES[:2]:
        tracemalloc.start()
        run.epoch(InMemory(folder, n))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] > BYTES_PER_ROW * (SIZES[1] - SIZES[0]) + SLACK


@pytest.mark.row("ADV-06")
def test_the_work_for_a_row_does_not_grow_with_the_rows(folder: Path) -> None:
    """One program, as often as there are batches, whatever n; the processor's time per row stays within the factor."""
    for width in WIDTHS:
        run = Run(width)
        run.epoch(OnDisk(folder, 100))
        equations = len(run.step.graph.equations)
        per_row = []
        for n in SIZES:
            best = float("inf")
            for _ in range(2):
                started = time.process_time()
                run.epoch(OnDisk(folder, n))
                best = min(best, (time.process_time() - started) / n)
                assert run.steps == n // BATCH
            per_row.append(best)
        assert run.step.retraces == 0
        assert len(run.step.graph.equations) == equations
        assert max(per_row) <= TIME_FACTOR * min(per_row), (width, per_row)


def test_a_short_last_batch_costs_one_more_program(folder: Path) -> None:
    run = Run(8)
    run.epoch(OnDisk(folder, 2 * BATCH + 7))
    assert run.step.retraces == 1
    for n in (3 * BATCH + 7, 10 * BATCH + 7):
        run.epoch(OnDisk(folder, n))
    assert run.step.retraces == 1
    assert f"({BATCH}, {FEATURES})" in run.step.causes[0].replace("[", "(").replace("]", ")")


def held_out_accuracy(path: Path, rows: int, width: int, test: tuple[Any, Any]) -> float:
    """The trainer on rows of a file, of which it reads a batch at a time; six passes."""
    x, y = (np.load(path / f"{name}.npy", mmap_mode="r")[:rows] for name in ("digits", "labels"))
    rg.manual_seed(0)
    model = nn.Sequential(nn.Linear(196, width), nn.ReLU(), nn.Linear(width, 10))
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=2e-3), nn.CrossEntropyLoss(), batch_size=BATCH)
    trainer.fit(x, y, epochs=6)
    return float((trainer.predict(test[0]).argmax(1) == test[1]).mean())


@pytest.mark.row("ADV-06")
def test_more_data_does_no_harm_on_unseen_digits(data_dir: Path, tmp_path: Path) -> None:
    x, y = digits(data_dir, 8000)
    np.save(tmp_path / "digits.npy", x)
    np.save(tmp_path / "labels.npy", y)
    test = digits(data_dir, 4000, start=50000)
    for width in (16, 128):
        scores = [held_out_accuracy(tmp_path, n, width, test) for n in (500, 2000, 8000)]
        assert np.diff(scores).min() >= -MAY_FALL, (width, scores)
        assert scores[-1] >= scores[0] + MUST_GAIN, (width, scores)
