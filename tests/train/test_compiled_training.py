"""Training by programs gives what training op by op gives, to the rounding of float32, and the same bits each time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import GradError, TraceError, UsageError
from retrograd.train import Event, Trainer, fit, load_checkpoint, resume, save_checkpoint
from retrograd.train.options import Options
from retrograd.train.problem import read_problem
from retrograd.train.programs import ALWAYS, BY_SIZE, NEVER, Policy, cpu_level, pays_for_job, policy_of
from retrograd.train.recipe import build_trainer, choose_recipe
from retrograd.train.updates import Updates
from retrograd.train.weights import copy_weights
from train.invented_tables import houses, write_csv

R = np.random.default_rng(0)
X = R.normal(size=(70, 4)).astype(np.float32)
Y = (np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:3]).astype(np.float32)
EPOCHS = 6


def make(compile: Any = True, **options: Any) -> Trainer:
    """Everything that has a memory: dropout, batch norm, momentum, a schedule, an average.

    A bias before a batch norm would have a gradient of nought, and Adam makes steps of its rounding errors.
    """
    rg.manual_seed(7)
    model = nn.Sequential(
        nn.Linear(4, 12, bias=False), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 1)
    )
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=EPOCHS * 7 + 1)
    settings = {
        "batch_size": 11, "seed": 3, "scheduler": scheduler, "clip_norm": 0.5, "average": 0.98, "smoothing": 0.5, **options,
    }  # fmt: skip
    return Trainer(model, optimizer, nn.MSELoss(), compile=compile, **settings)


def result(trainer: Trainer) -> tuple[dict[str, np.ndarray], list[dict[str, Any]]]:
    log = [{k: v for k, v in record.items() if k != "rows_per_second"} for record in trainer.history.records]
    return copy_weights(trainer.model), log


def assert_close(one: Trainer, other: Trainer, rtol: float = 1e-5) -> None:
    (weights, log), (weights2, log2) = result(one), result(other)
    assert len(log) == len(log2)
    for record, record2 in zip(log, log2, strict=True):
        assert record.keys() == record2.keys()
        for name in record:
            assert record2[name] == pytest.approx(record[name], rel=rtol), name
    for name in weights:
        np.testing.assert_allclose(weights2[name], weights[name], rtol=50 * rtol, atol=rtol, err_msg=name)


def count_steps(trainer: Trainer) -> Callable[[], int]:
    """How many iterations were eager."""
    inner, count = trainer.step, []

    def step(*batch: Any) -> Any:
        count.append(1)
        return inner(*batch)

    trainer.step = step  # type: ignore[method-assign]
    return lambda: len(count)


@pytest.mark.parametrize(
    ("table", "target", "options"),
    [
        ("penguins/penguins.csv", "species", {}),
        ("wine-quality/winequality-red.csv", "c12", {"header": False, "hidden": (24, 16)}),
        ("abalone/abalone.csv", "c9", {"header": False, "rows": 6000}),
        ("titanic/titanic.csv", "survived", {"dropout": 0.0, "optimizer": "sgd"}),
    ],
)
def test_real_tables_are_learnt_as_op_by_op(
    data_dir: Path, table: str, target: str, options: dict[str, Any]
) -> None:
    """Members with dropout, a plain network, a residual one with encoded numbers; classes and numbers."""
    options = dict(options)
    header, rows = options.pop("header", None), options.pop("rows", None)
    problem = read_problem(data_dir / table, target, **{**Options().reading(), "header": header})
    train, validation = problem.part("train"), problem.part("validation")
    found = []
    for compile in (False, True):
        numbers = train.inputs[0]
        recipe, _ = choose_recipe(
            rows or len(train), numbers.shape[1], problem.task.kind, epochs=3, lr=1e-3, **options
        )
        trainer = build_trainer(
            recipe, numbers, problem.preparation.category_sizes, problem.task.kind, classes=problem.n_classes,
            class_weights=problem.preparation.class_weights, seed=1,
        )  # fmt: skip
        trainer.policy = policy_of(compile)
        eager = count_steps(trainer)
        trainer.fit(
            train.inputs,
            train.target,
            validation=(validation.inputs, validation.target),
            epochs=recipe.epochs,
        )
        assert eager() == (0 if compile else trainer.history.steps)
        found.append(trainer)
    assert_close(*found)


@pytest.mark.parametrize("clip_norm", [None, 0.5])
@pytest.mark.parametrize("average", [None, 0.98])
def test_dropout_batch_norm_schedule_clipping_and_average(
    clip_norm: float | None, average: float | None
) -> None:
    trainers = []
    for compile in (False, True):
        trainers.append(make(compile, clip_norm=clip_norm, average=average))
        trainers[-1].fit(X, Y, validation=(X[:30], Y[:30]), epochs=EPOCHS)
    assert_close(*trainers)


@pytest.mark.parametrize("kind", ["SGD", "Adam", "RMSprop", "Adagrad"])
def test_optimisers_and_a_plateau(kind: str) -> None:
    found = []
    for compile in (False, True):
        rg.manual_seed(1)
        model = nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 1))
        optimizer = getattr(optim, kind)(model.parameters(), lr=0.03)
        plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=0.1)
        found.append(
            Trainer(model, optimizer, nn.L1Loss(), batch_size=16, scheduler=plateau, compile=compile)
        )
        found[-1].fit(X, Y, validation=(X[:20], Y[:20]), epochs=8)
    assert_close(*found)
    assert len(set(found[1].history.column("lr"))) > 1, "the rate has changed on the way"


@pytest.mark.row("TRN-11")
def test_a_compiled_run_stopped_anywhere_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole = make()
    whole.fit(X, Y, validation=(X, Y), epochs=EPOCHS)
    weights, log = result(whole)
    states: list[dict[str, Any]] = []
    make().fit(X, Y, validation=(X, Y), epochs=EPOCHS, checkpoint=states.append, checkpoint_steps=5)
    for i in range(0, len(states), 4):
        path = tmp_path / f"{i}.safetensors"
        save_checkpoint(path, states[i])
        rg.rand(5)
        continued = make()
        continued.load_state_dict(load_checkpoint(path))
        continued.fit(X, Y, validation=(X, Y), epochs=EPOCHS)
        found, found_log = result(continued)
        assert all(np.array_equal(weights[key], found[key]) for key in weights)
        assert found_log == log
    best = whole.history.records[whole.history.best_epoch - 1]
    assert whole.evaluate(X, Y)[0] == best["validation_loss"], "the same program is asked again"


def test_an_epoch_needs_two_programs_and_each_is_made_once() -> None:
    trainer = make()
    update = Updates(trainer, [X], Y, EPOCHS)
    trainer.model.train()
    order = np.random.default_rng(1).permutation(70)
    for _ in range(3):
        for start in range(0, 70, 11):
            update(order[start : start + 11])
    assert update._program.retraces == 1  # 11 rows, and the last 4
    assert trainer.history.steps == 21


def test_data_that_cannot_be_held_is_handed_over_batch_by_batch(tmp_path: Path, monkeypatch: Any) -> None:
    reference = make()
    reference.fit(X, Y, epochs=3)
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    turned = np.asfortranarray(X)
    for share in (0.25, 0.0):  # copied into memory; and where that has no room
        monkeypatch.setattr("retrograd.train.updates._SHARE_OF_MEMORY", share)
        for x in (mapped, turned):
            trainer = make()
            trainer.fit(x, Y, epochs=3)
            assert_close(reference, trainer, rtol=1e-6)


def test_the_rule_knows_sizes_and_counts_only(monkeypatch: Any) -> None:
    assert policy_of(True) == ALWAYS
    assert policy_of(False) == NEVER
    assert policy_of(None) == BY_SIZE
    assert BY_SIZE.job(100, 6) == NEVER
    assert BY_SIZE.job(400, 6).pays(30, 32)
    assert not pays_for_job(60, 32, 60, 6)
    assert pays_for_job(220, 32, 60, 6)
    trainer = make(Policy(30))
    eager = count_steps(trainer)
    trainer.fit(X, Y, epochs=EPOCHS)  # 36 batches of 11 rows, 6 of 4
    assert eager() == 6
    monkeypatch.setenv("RETROGRAD_COMPILE", "0")
    assert policy_of(None) == NEVER
    assert policy_of(True) == ALWAYS
    assert not choose_recipe(5000, 8, "regression")[0].compiled
    assert choose_recipe(5000, 8, "regression", compile=True)[0].compiled
    monkeypatch.setenv("RETROGRAD_COMPILE", "1")
    assert choose_recipe(5000, 8, "regression")[0].compiled
    assert not choose_recipe(5000, 8, "regression", compile=False)[0].compiled
    monkeypatch.setenv("RETROGRAD_COMPILE", "perhaps")
    with pytest.raises(UsageError, match="perhaps"):
        policy_of(None)


def test_many_rows_are_predicted_by_a_program(tmp_path: Path, monkeypatch: Any) -> None:
    run = fit(houses(), "price", out=tmp_path, hidden=(6,), epochs=2, lr=0.01)
    rows = {name: values[:50] for name, values in houses().items()}
    expected = run.model.predict(rows)
    monkeypatch.setattr("retrograd.train.model_file._ROWS_AT_ONCE", 16)
    monkeypatch.setattr("retrograd.train.model_file._ROWS_FOR_A_PROGRAM", 20)
    made = []
    monkeypatch.setattr("retrograd.compile", lambda f, inner=rg.compile: made.append(inner(f)) or made[-1])
    np.testing.assert_allclose(run.model.predict(rows), expected, rtol=1e-5)
    assert len(made) == 1
    assert made[0].retraces == 0


class Peeking(nn.Module):
    """A model whose Python looks at values."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        return self.layer(x) if x.sum().item() > -1e9 else x


def test_what_has_no_program_is_trained_op_by_op() -> None:
    def peeking(compile: Any) -> Trainer:
        rg.manual_seed(0)
        model = Peeking()
        return Trainer(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), compile=compile)

    with pytest.raises(TraceError):
        peeking(True).fit(X, Y, epochs=2)
    found = [peeking(policy) for policy in (False, Policy(1))]
    for trainer in found:
        trainer.fit(X, Y, validation=(X, Y), epochs=4)
    assert result(found[0])[1] == result(found[1])[1]
    # a hook is Python beside the layers: it is run each time
    trainer, seen = make(Policy(1)), []
    trainer.model[0].register_forward_hook(lambda *_: seen.append(1))
    trainer.fit(X, Y, epochs=2)
    assert len(seen) == trainer.history.steps == 14


def test_mistakes_are_named_as_before() -> None:
    class Forgetful(optim.SGD):
        def zero_grad(self, set_to_none: bool = True) -> None:
            pass

    model = nn.Linear(4, 1)
    with pytest.raises(GradError, match="gradients of the step before"):
        Trainer(model, Forgetful(model.parameters(), lr=0.1), nn.MSELoss(), compile=True).fit(X, Y, epochs=2)
    model = nn.Linear(4, 1)
    trainer = Trainer(model, optim.SGD(model.parameters(), lr=1e25), nn.MSELoss(), compile=True)
    assert trainer.fit(X, Y, validation=(X, Y), epochs=50).stopped_because.startswith("the loss became")


@pytest.mark.row("TRN-11")
def test_the_job_is_compiled_recorded_and_resumed_to_the_same_bits(tmp_path: Path, monkeypatch: Any) -> None:
    path = write_csv(tmp_path / "houses.csv", houses())
    settings: dict[str, Any] = {"hidden": (8,), "epochs": 12, "lr": 0.01, "dropout": 0.1, "compile": True}
    whole = fit(path, "price", out=tmp_path / "whole", **settings)
    facts = json.loads((whole.path / "run.json").read_text())
    assert facts["settings"]["compiled"] is True
    assert facts["cpu_level"] == cpu_level()

    def stop(event: Event) -> None:
        if event.kind == "epoch" and event.values["epoch"] == 5:
            signal.raise_signal(signal.SIGINT)

    stopped = fit(path, "price", out=tmp_path / "runs", progress=stop, **settings)
    assert stopped.interrupted
    monkeypatch.setenv("RETROGRAD_COMPILE", "0")  # a run goes on as it began
    resumed = resume(stopped.path)
    assert (resumed.path / "predictions.csv").read_bytes() == (whole.path / "predictions.csv").read_bytes()
    weights = [load.model.network.graph.constants for load in (whole, resumed)]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    eager = fit(path, "price", out=tmp_path / "eager", **{**settings, "compile": None})
    facts = json.loads((eager.path / "run.json").read_text())
    assert facts["settings"]["compiled"] is False
    assert facts["cpu_level"] is None
    losses = [run.history.column("validation_loss") for run in (whole, eager)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-4)


def test_another_cpu_level_is_said_when_a_run_goes_on(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "houses.csv", houses())

    def stop(event: Event) -> None:
        if event.kind == "epoch" and event.values["epoch"] == 2:
            signal.raise_signal(signal.SIGINT)

    run = fit(path, "price", out=tmp_path, progress=stop, hidden=(4,), epochs=4, lr=0.01, compile=True)
    facts = json.loads((run.path / "run.json").read_text())
    (run.path / "run.json").write_text(json.dumps({**facts, "cpu_level": "another"}))
    said: list[Event] = []
    resume(run.path, progress=said.append)
    assert any("begun with another" in event.message for event in said)


def test_without_llvmlite_all_runs_by_numpy_with_one_warning() -> None:
    program = (
        "import sys; sys.modules['llvmlite'] = None; sys.modules['llvmlite.binding'] = None\n"
        "import warnings; warnings.simplefilter('always')\n"
        "from train.test_compiled_training import make, X, Y, cpu_level\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    trainer = make(); trainer.fit(X, Y, validation=(X, Y), epochs=3)\n"
        "print(len(caught), str(caught[0].message), cpu_level(), *trainer.history.column('validation_loss'), sep='|')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=_environment(), check=True
    )
    count, message, level, *losses = done.stdout.strip().split("|")
    assert count == "1"
    assert "llvmlite is not installed" in message
    assert level.startswith("NumPy")
    trainer = make()
    trainer.fit(X, Y, validation=(X, Y), epochs=3)
    np.testing.assert_allclose(
        [float(x) for x in losses], trainer.history.column("validation_loss"), rtol=1e-5
    )


def _environment() -> dict[str, str]:
    places = [str(Path(rg.__file__).parents[1]), str(Path(__file__).parents[1])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
