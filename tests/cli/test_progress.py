"""Progress: a bar where a person watches, a plain line every ten seconds elsewhere, nothing with --quiet."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from cli.support import check_snapshot, environment
from retrograd.cli.console import Output
from retrograd.cli.progress import Display
from retrograd.train.progress import Event


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def epoch(number: int, **values: float) -> Event:
    """An epoch's event as the trainer sends it."""
    known = {"train_loss": 0.5, "validation_loss": 0.6, "rows_per_second": 123456.7, "seconds_left": 42.0}
    return Event("epoch", f"epoch {number}", {"epoch": number, **known, **values})


def run_of_events(display: Display, clock: Clock) -> None:
    display(Event("note", "houses.csv has 120 rows"))
    display(Event("decision", "network: residual MLP, for 80 training rows"))
    display(Event("finding", "two rows are the same", {"severity": "warning"}))
    display(Event("cost", "2 s for 60 epochs at most"))
    display(Event("start", "training", {"epochs": 60, "rows": 80}))
    for number in range(1, 61):
        clock.now += 0.5
        display(Event("batch", "", {"epoch": number, "rows_done": 40, "rows": 80, "loss": 0.7}))
        display(epoch(number))
    display(Event("stage", "measuring which columns matter"))
    display(Event("done", ""))


def test_plain_line_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Display(Output(), clock=clock) as display:
        run_of_events(display, clock)
    streams = capsys.readouterr()
    assert streams.out == ""
    check_snapshot("progress_plain", streams.err)
    assert sum(line.startswith("epoch ") for line in streams.err.splitlines()) == 3  # 30 s of training
    assert "\x1b" not in streams.err
    assert "\r" not in streams.err


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Display(Output(quiet=True), clock=clock) as display:
        run_of_events(display, clock)
    assert capsys.readouterr() == ("", "")


def test_metric_is_shown_where_there_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Display(Output(), clock=clock) as display:
        display(Event("start", "", {"epochs": 2, "rows": 80}))
        clock.now = 11.0
        display(epoch(1, validation_rmse=12345.6))
        clock.now = 22.0
        display(epoch(2, validation_accuracy=0.875))
    err = capsys.readouterr().err
    assert "validation rmse 12,346" in err
    assert "validation accuracy 87.5 %" in err


def test_numbers_that_are_not_finite_do_not_stop_the_display(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Display(Output(), clock=clock) as display:
        display(Event("start", "", {"epochs": 2, "rows": 80}))
        clock.now = 11.0
        display(epoch(1, train_loss=float("nan"), validation_loss=float("inf"), validation_rmse=float("nan")))
    assert "loss nan · validation inf" in capsys.readouterr().err


PROGRAM = """
import time
from cli.test_progress import Display, Event, Output, epoch
with Display(Output()) as display:
    display(Event("start", "", {"epochs": 3, "rows": 80}))
    for number in (1, 2, 3):
        display(epoch(number)); time.sleep(0.3)
    display(Event("note", "a sentence [with brackets] while the bar is there"))
"""


@pytest.mark.parametrize("no_color", [False, True])
def test_bar_on_a_terminal(no_color: bool) -> None:
    env = environment(TERM="xterm", COLUMNS="100", **({"NO_COLOR": "1"} if no_color else {}))
    env["PYTHONPATH"] += os.pathsep + os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=child, stderr=child, stdin=child, env=env
    )
    os.close(child)
    shown = b""
    try:
        while part := os.read(parent, 4096):
            shown += part
    except OSError:  # the other end is closed: the program has ended
        pass
    assert process.wait() == 0
    text = shown.decode()
    assert "epoch 2/3" in text
    assert "loss 0.5000 · validation 0.6000 · 123,457 rows/s · 42 s left" in text
    assert "a sentence [with brackets] while the bar is there" in text
    assert bool(re.search(r"\x1b\[(\d+;)*(3[0-7]|9[0-7]|38;[0-9;]+)m", text)) is not no_color
