"""A trainer stopped at any step and continued from its checkpoint ends with the same bits; files survive damage."""

from __future__ import annotations

import itertools
import json
import signal
import threading

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import DataError, ModelFileError, UsageError
from retrograd.files import write_atomically
from retrograd.train import Interrupt, Trainer, load_checkpoint, save_checkpoint
from retrograd.train.checkpoint import newest_checkpoint, write_checkpoint
from retrograd.train.run_folder import RunFolder
from retrograd.train.weights import copy_weights

X = np.linspace(-2, 2, 70, dtype=np.float32)[:, None]
Y = np.sin(2 * X)
EPOCHS = 12


def make(average: float | None = 0.98) -> Trainer:
    """Everything that has a memory: dropout, momentum, a schedule, an average, early stopping."""
    rg.manual_seed(7)
    model = nn.Sequential(nn.Linear(1, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 1))
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=EPOCHS * 7 + 1)
    return Trainer(
        model, optimizer, nn.MSELoss(), batch_size=11, seed=3, scheduler=scheduler, clip_norm=1.0, patience=8, average=average,
        smoothing=0.0 if average is None else 0.5,
    )  # fmt: skip


def weights_and_log(trainer: Trainer) -> tuple[dict[str, np.ndarray], list[dict[str, float]]]:
    log = [{k: v for k, v in record.items() if k != "rows_per_second"} for record in trainer.history.records]
    return copy_weights(trainer.model), log


@pytest.mark.row("TRN-11")
@pytest.mark.parametrize("average", [None, 0.98])
def test_resuming_from_any_checkpoint_gives_the_uninterrupted_run_to_the_bit(tmp_path, average):
    whole = make(average)
    whole.fit(X, Y, validation=(X, Y), epochs=EPOCHS)
    weights, log = weights_and_log(whole)
    states: list[dict] = []
    make(average).fit(X, Y, validation=(X, Y), epochs=EPOCHS, checkpoint=states.append, checkpoint_steps=5)
    assert len(states) > 10
    for i in range(0, len(states), 3):
        path = tmp_path / f"{i}.safetensors"
        save_checkpoint(path, states[i])
        rg.rand(5)  # the random stream is somewhere else by now
        continued = make(average)
        continued.load_state_dict(load_checkpoint(path))
        continued.fit(X, Y, validation=(X, Y), epochs=EPOCHS)
        found, found_log = weights_and_log(continued)
        assert all(np.array_equal(weights[key], found[key]) for key in weights)
        assert found_log == log
    # control: without the random counter the dropout masks differ, and so does the run
    state = load_checkpoint(tmp_path / "3.safetensors")
    state["random"] = state["random"] + np.array([0, 1])
    astray = make(average)
    astray.load_state_dict(state)
    astray.fit(X, Y, validation=(X, Y), epochs=EPOCHS)
    assert not all(np.array_equal(weights[key], value) for key, value in weights_and_log(astray)[0].items())


@pytest.mark.row("TRN-11")
def test_the_last_epochs_numbers_can_be_recomputed_from_the_weights():
    trainer = make()
    states: list[dict] = []
    history = trainer.fit(X, Y, validation=(X, Y), epochs=EPOCHS, checkpoint=states.append)
    best = history.records[history.best_epoch - 1]
    assert trainer.evaluate(X, Y)[0] == best["validation_loss"] == history.best_loss
    last = make(None)
    state = states[-1]
    last.load_state_dict({**state, "averages": None})
    assert set(history.records[-1]) >= {
        "epoch",
        "step",
        "train_loss",
        "validation_loss",
        "lr",
        "gradient_norm",
        "rows_per_second",
    }
    assert history.records[-1]["step"] == state["steps"] == history.steps


def test_a_checkpoint_of_other_settings_is_refused():
    trainer = make()
    state = trainer.state_dict()
    other = make()
    other.batch_size = 5
    with pytest.raises(UsageError, match="batch size"):
        other.load_state_dict(state)


def test_ctrl_c_finishes_the_step_saves_and_keeps_the_best():
    whole = make()
    whole.fit(X, Y, validation=(X, Y), epochs=EPOCHS)
    states: list[dict] = []
    stopped = make()
    with Interrupt() as interrupt:
        inner = stopped.step

        def step(*batch):
            result = inner(*batch)
            if stopped.history.steps == 31:
                signal.raise_signal(signal.SIGINT)
            return result

        stopped.step = step  # type: ignore[method-assign]
        history = stopped.fit(
            X, Y, validation=(X, Y), epochs=EPOCHS, interrupt=interrupt, checkpoint=states.append
        )
    assert history.interrupted
    assert history.steps == 31
    assert stopped.evaluate(X, Y)[0] == history.best_loss
    continued = make()
    continued.load_state_dict(states[-1])
    continued.fit(X, Y, validation=(X, Y), epochs=EPOCHS)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(copy_weights(whole.model).values(), copy_weights(continued.model).values())
    )


def test_a_second_ctrl_c_stops_at_once_and_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    results = []

    def elsewhere() -> None:
        with Interrupt() as other:
            results.append(other.requested)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert results == [False]


def test_run_folders_are_never_overwritten_and_never_half_written(tmp_path, monkeypatch):
    folders = [RunFolder.create(tmp_path, "my houses") for _ in range(3)]
    assert [folder.path.name for folder in folders] == ["my-houses-001", "my-houses-002", "my-houses-003"]
    folders[1].checkpoints.rmdir()
    (folders[1].path / "metrics.jsonl").unlink()
    folders[1].path.rmdir()
    assert RunFolder.create(tmp_path, "my houses").path.name == "my-houses-004"
    target = tmp_path / "file.txt"
    write_atomically(target, b"old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
    with pytest.raises(OSError, match="power cut"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["file.txt"]


def test_an_unwritable_folder_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UsageError, match="cannot write to the output folder") as error:
        RunFolder.create(tmp_path / "file" / "runs", "x")
    assert "--out" in str(error.value)


def test_the_log_survives_a_cut_line_and_nan(tmp_path):
    folder = RunFolder.create(tmp_path, "x")
    folder.append_metrics({"epoch": 1, "loss": float("nan")})
    with open(folder.path / "metrics.jsonl", "ab") as file:
        file.write(b'{"epoch": 2, "lo')
    assert folder.read_metrics() == [{"epoch": 1, "loss": None}]
    folder.write_json("run.json", {"a": np.int64(3), "b": [np.float32(0.5)], "c": float("inf")})
    assert json.loads((folder.path / "run.json").read_text()) == {"a": 3, "b": [0.5], "c": None}
    with pytest.raises(DataError, match="not a run folder"):
        RunFolder.open(tmp_path / "nothing")


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(tmp_path):
    folder = RunFolder.create(tmp_path, "x")
    for step in (5, 10, 15):
        write_checkpoint(
            folder, step, {"steps": step, "weights": np.arange(3.0), "none": None, "deep": {1: [(2, "a")]}}
        )
    assert [path.name for path in folder.checkpoint_paths()] == ["step-10.safetensors", "step-15.safetensors"]
    newest = folder.checkpoint_path(15)
    content = newest.read_bytes()
    newest.write_bytes(content[:-4])
    state, damaged = newest_checkpoint(folder)
    assert damaged == [newest]
    assert state is not None
    assert state["steps"] == 10
    assert state["deep"] == {1: [(2, "a")]}
    with pytest.raises(ModelFileError, match="damaged"):
        load_checkpoint(newest)
    folder.checkpoint_path(10).write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match="no checkpoint of this run can be read") as error:
        newest_checkpoint(folder)
    assert "begin the run again" in str(error.value)
    for path in folder.checkpoint_paths():
        path.unlink()
    assert newest_checkpoint(folder) == (None, [])


def test_the_first_checkpoint_comes_soon_and_the_others_regularly(monkeypatch):
    """By a clock that goes on a tenth of a second each time it is read."""
    ticks = itertools.count(0.0, 0.1)
    monkeypatch.setattr("retrograd.train.trainer.time.monotonic", lambda: next(ticks))
    seconds: list[float] = []
    make().fit(X, Y, epochs=EPOCHS, checkpoint=lambda state: seconds.append(state["seconds"]))
    assert 0.0 < seconds[0] <= 3.0
    assert all(later - earlier <= 8.0 for earlier, later in itertools.pairwise(seconds))
