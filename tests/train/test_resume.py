"""A run that is stopped or killed goes on where it was, and ends with the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import DataError, UsageError
from retrograd.train import Event, fit, resume
from retrograd.train.run_folder import RunFolder
from train.invented_tables import QUICK, houses, write_csv


@pytest.mark.row("TRN-11")
def test_ctrl_c_saves_keeps_the_best_and_resume_ends_with_the_same_bits(tmp_path):
    path = write_csv(tmp_path / "houses.csv", houses())
    settings = {**QUICK, "epochs": 12, "dropout": 0.1}
    whole = fit(path, "price", out=tmp_path / "whole", **settings)

    def press(event: Event) -> None:
        if event.kind == "epoch" and event.values["epoch"] == 5:
            signal.raise_signal(signal.SIGINT)

    stopped = fit(path, "price", out=tmp_path / "runs", progress=press, **settings)
    assert stopped.interrupted
    assert stopped.report is None
    assert list(stopped.summary) == list(whole.summary)
    assert np.isfinite(stopped.model.predict(path)).all()
    events: list[Event] = []
    resumed = resume(stopped.path, progress=events.append)
    assert not resumed.interrupted
    assert resumed.path == stopped.path
    _same_run(whole.path, resumed.path)
    # a finished run is given back as it is
    again = resume(stopped.path)
    assert again.summary["metrics"] == resumed.summary["metrics"]


def _same_run(one: Path, other: Path) -> None:
    assert (one / "predictions.csv").read_bytes() == (other / "predictions.csv").read_bytes()
    logs = [RunFolder(path).read_metrics() for path in (one, other)]
    for record in (*logs[0], *logs[1]):
        record.pop("rows_per_second")
    assert logs[0] == logs[1]
    weights = [rg.load(path).network.graph.constants for path in (one, other)]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    evidence = [dict(np.load(path / "evidence.npz")) for path in (one, other)]
    assert all(np.array_equal(evidence[0][name], evidence[1][name]) for name in evidence[0])


@pytest.mark.row("TRN-11")
@pytest.mark.slow
def test_a_run_killed_at_any_instant_resumes_to_the_same_bits(tmp_path):
    path = write_csv(tmp_path / "houses.csv", houses(1500))
    settings = {"hidden": (16,), "epochs": 40, "lr": 0.01, "dropout": 0.1}
    whole = fit(path, "price", out=tmp_path / "whole", **settings)
    program = (
        "import sys; import retrograd.train.job as job; from retrograd.train.checkpoint import write_checkpoint\n"
        "from retrograd.train.trainer import Trainer\n"
        "inner = Trainer.fit\n"
        "Trainer.fit = lambda self, *a, **k: inner(self, *a, **{**k, 'checkpoint_steps': 7})\n"  # checkpoints within epochs
        f"job.fit(sys.argv[1], 'price', out=sys.argv[2], **{settings!r})\n"
    )
    for trial, seconds in enumerate((0.4, 0.9, 1.6)):
        out = tmp_path / f"killed-{trial}"
        process = subprocess.Popen([sys.executable, "-c", program, str(path), str(out)], env=_environment())
        deadline = time.monotonic() + 60
        while (
            not list(out.glob("*/checkpoints/*.safetensors"))
            and time.monotonic() < deadline
            and process.poll() is None
        ):
            time.sleep(0.01)
        time.sleep(seconds)
        process.kill()
        process.wait()
        (run,) = out.iterdir()
        _same_run(whole.path, resume(run).path)


def test_a_changed_file_cannot_be_resumed(tmp_path):
    path = write_csv(tmp_path / "houses.csv", houses())
    run = fit(path, "price", out=tmp_path / "runs", progress=_stop_at_once, **QUICK)
    assert run.interrupted
    write_csv(path, houses(seed=5))
    with pytest.raises(DataError, match="has changed"):
        resume(run.path)
    memory = fit(houses(), "price", out=tmp_path / "runs", progress=_stop_at_once, **QUICK)
    with pytest.raises(UsageError, match="data in memory"):
        resume(memory.path)
    assert not resume(memory.path, data=houses()).interrupted


def _stop_at_once(event: Event) -> None:
    if event.kind == "epoch" and event.values["epoch"] == 1:
        signal.raise_signal(signal.SIGINT)


def _environment() -> dict[str, str]:
    """For another process: it imports the same package."""
    return {**os.environ, "PYTHONPATH": str(Path(rg.__file__).parents[1])}
