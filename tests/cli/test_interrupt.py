"""Stopped by Ctrl-C or killed outright: the best is kept, and resuming ends where the undisturbed run ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.support import environment, house_lines, write_table

LONG = ("--target", "price", "--epochs", "100", "--seed", "3", "--batch-size", "8", "--lr", "0.001")


def start(folder: Path, *words: object) -> subprocess.Popen[str]:
    """``retrograd ...`` in a process of its own, and in its own folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "retrograd", *map(str, words)],
        cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for_epochs(log: Path, count: int, process: subprocess.Popen[str]) -> None:
    """Until `count` epochs are logged; by what was done, not by the clock."""
    while not log.exists() or log.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another signal there")
def test_ctrl_c_keeps_the_best_and_resume_goes_on(tmp_path: Path) -> None:
    write_table(tmp_path / "houses.csv", house_lines(150))
    process = start(tmp_path, "train", "houses.csv", *LONG)
    run = tmp_path / "runs" / "houses-001"
    wait_for_epochs(run / "metrics.jsonl", 3, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in out + err
    assert err.rstrip().endswith("retrograd resume runs/houses-001")
    predicted = start(tmp_path, "predict", "runs/houses-001", "houses.csv")
    assert len(predicted.communicate(timeout=60)[0].splitlines()) == 151  # the best so far is a model already
    stopped_at = (run / "metrics.jsonl").read_bytes().count(b"\n")
    again = start(tmp_path, "resume", "runs/houses-001", "--json")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert json.loads(out)["epochs"] > stopped_at


@pytest.mark.parametrize(
    "stopping", [("--epochs", "3"), ("--epochs", "40", "--lr", "0.3")], ids=["all epochs", "early"]
)
def test_ctrl_c_while_the_run_is_judged(cli, houses: Path, monkeypatch, stopping: tuple[str, ...]) -> None:
    """Training is over by then: resuming trains no more, and reports what the undisturbed run reports."""
    from retrograd.train.job import Job

    words = ("train", houses, "--target", "price", "--seed", "3", *stopping, "--json")
    expected = json.loads(cli(*words).out)

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Job, "finish", interrupted)
        result = cli(*words)
    assert result.code == 130
    assert result.err.endswith("hint: go on with: retrograd resume runs/houses-002\n")
    found = json.loads(cli("resume", "runs/houses-002", "--json").out)
    reason = json.loads(Path("runs/houses-002/run.json").read_text())["training"]["stopped_because"]
    assert ("all" in reason) == ("3" in stopping)
    for key in ("metrics", "baseline", "epochs"):
        assert found[key] == expected[key]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_killed_run_resumes_to_the_result_of_an_undisturbed_one(tmp_path: Path) -> None:
    write_table(tmp_path / "houses.csv", house_lines(200))
    short = ("--target", "price", "--epochs", "30", "--seed", "3", "--lr", "0.001", "--json")
    whole = start(tmp_path, "train", "houses.csv", *short)
    expected = json.loads(whole.communicate(timeout=300)[0])
    process = start(tmp_path, "train", "houses.csv", *short)
    run = tmp_path / "runs" / "houses-002"
    wait_for_epochs(run / "metrics.jsonl", 5, process)
    process.kill()
    process.communicate()
    again = start(tmp_path, "resume", "runs/houses-002", "--json")
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    found = json.loads(out)
    for key in ("task", "target", "metrics", "baseline", "epochs", "parameters"):
        assert found[key] == expected[key]
