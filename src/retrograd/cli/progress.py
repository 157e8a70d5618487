"""What training tells while it runs: a bar where a person watches, a plain line every ten seconds elsewhere."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from retrograd.cli.console import Output, is_terminal, wrap
from retrograd.program import as_called
from retrograd.report.words import duration, number, score

SECONDS_BETWEEN_LINES = 10.0
_SHOWN_METRICS = ("rmse", "accuracy")
LABEL_WIDTH = 11
SHORTEST_BAR = 10
SEVERITY = {"problem": "PROBLEM", "warning": "warning", "note": "note"}


class Display:
    """Prints `retrograd.train.progress.Event` objects on standard error; a context manager, called with each event.

    The bar shows epochs and rows done, loss, validation metric, rows a second and the time left.  Other work that
    takes long has a spinner instead, and without a terminal a line every ten seconds that says it still goes on.
    """

    def __init__(self, output: Output, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.output = output
        self.clock = clock
        self.watched = not output.quiet and is_terminal(sys.stderr)
        self.run: str | None = None  # the run folder, as soon as something in it is worth resuming
        self._bar: Any = None
        self._task: Any = None
        self._pulse: _Pulse | None = None
        self._last_line = -float("inf")
        self._epochs, self._rows = 0, 0
        self._latest: dict[str, Any] = {}

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar or spinner away, if there is one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
        if self._pulse is not None:
            self._pulse.stop()
            self._pulse = None

    def __call__(self, event: Any, /) -> None:
        self.run = event.values.get("run", self.run)
        if self.output.quiet:
            return
        handler = getattr(self, f"_on_{event.kind}", None)
        if handler is not None:
            handler(event.message, event.values)

    # --- sentences -----------------------------------------------------------------------------------------------

    def say(self, label: str, text: str) -> None:
        """A line with its label in a column of its own."""
        line = wrap(text, indent=" " * LABEL_WIDTH, first=f"{label:<{LABEL_WIDTH}}", stream=sys.stderr)
        if self._bar is not None:
            self._bar.console.print(as_called(line), markup=False, highlight=False, soft_wrap=True)
        else:
            self.output.log(line)

    def stage(self, text: str) -> None:
        """Something begins that may take a while and has no steps to count."""
        self.close()
        if self.output.quiet:
            return
        if self.watched:
            from rich.console import Console
            from rich.status import Status

            status = Status(text, console=Console(file=sys.stderr, highlight=False))
            status.start()
            self._bar = status
        else:
            self._pulse = _Pulse(lambda seconds: self.output.log(f"{text}: {seconds:.0f} s so far"))

    def _on_note(self, message: str, values: Mapping[str, Any]) -> None:
        self.say("note", message)

    def _on_decision(self, message: str, values: Mapping[str, Any]) -> None:
        self.say("you chose" if values.get("by") == "you" else "decided", message)

    def _on_finding(self, message: str, values: Mapping[str, Any]) -> None:
        self.say(SEVERITY.get(str(values.get("severity")), "note"), message)

    def _on_cost(self, message: str, values: Mapping[str, Any]) -> None:
        self.say("cost", message)

    def _on_stage(self, message: str, values: Mapping[str, Any]) -> None:
        self.stage(message)

    def _on_done(self, message: str, values: Mapping[str, Any]) -> None:
        self.close()

    # --- training --------------------------------------------------------------------------------------------------

    def _on_start(self, message: str, values: Mapping[str, Any]) -> None:
        self._epochs, self._rows = int(values.get("epochs") or 0), int(values.get("rows") or 0)
        self._last_line = self.clock()
        self.close()
        if not self.watched:
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[numbers]}"),
            console=Console(file=sys.stderr, highlight=False),
            transient=True,
            refresh_per_second=5,
        )
        self._task = self._bar.add_task("training", total=max(1, self._epochs * self._rows), numbers="")
        self._bar.start()

    def _on_batch(self, message: str, values: Mapping[str, Any]) -> None:
        self._latest.update(values)
        done = (int(values["epoch"]) - 1) * self._rows + int(values["rows_done"])
        self._move(int(values["epoch"]), done)

    def _on_epoch(self, message: str, values: Mapping[str, Any]) -> None:
        self._latest = {**values, "loss": values.get("train_loss")}
        self._move(int(values["epoch"]), int(values["epoch"]) * self._rows)

    def _move(self, epoch: int, done: int) -> None:
        numbers = self._numbers()
        if self._bar is not None:
            title = f"epoch {epoch}/{self._epochs}"
            room = self._bar.console.width - len(title) - 2 - SHORTEST_BAR
            text = " · ".join(fitting(numbers, room))
            self._bar.update(self._task, completed=done, description=title, numbers=text)
        elif not self.watched and self.clock() - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = self.clock()
            self.output.log(f"epoch {epoch} of {self._epochs} · {' · '.join(numbers.values())}")

    def _numbers(self) -> dict[str, str]:
        """Loss, metric, rows a second and time left, as far as they are known."""
        latest = self._latest
        parts = {}
        if latest.get("loss") is not None:
            parts["loss"] = f"loss {latest['loss']:.4f}"
        if latest.get("validation_loss") is not None:
            parts["validation"] = f"validation {latest['validation_loss']:.4f}"
        for metric in _SHOWN_METRICS:
            value = latest.get(f"validation_{metric}")
            if value is not None and math.isfinite(value):
                parts["validation"] = f"validation {metric} {score(metric, value)}"
                break
        if latest.get("rows_per_second"):
            parts["speed"] = f"{number(round(latest['rows_per_second']))} rows/s"
        if latest.get("seconds_left") is not None:
            parts["left"] = f"{duration(latest['seconds_left'])} left"
        return parts


def fitting(parts: Mapping[str, str], room: int) -> list[str]:
    """As many of the parts as a narrow terminal has room for; the speed goes first, the loss last.

    >>> parts = {"loss": "loss 0.1", "validation": "validation 0.2", "speed": "9 rows/s", "left": "5 s left"}
    >>> fitting(parts, 80) == list(parts.values()), fitting(parts, 40), fitting(parts, 20)
    (True, ['loss 0.1', 'validation 0.2', '5 s left'], ['loss 0.1', '5 s left'])
    """
    kept = dict(parts)
    for name in ("speed", "validation", "left"):
        if len(" · ".join(kept.values())) > room:
            kept.pop(name, None)
    return list(kept.values())


class _Pulse:
    """Calls a function with the seconds passed, every ten seconds, until it is stopped."""

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._stopped = threading.Event()
        self._tell = tell
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        started = time.monotonic()
        while not self._stopped.wait(SECONDS_BETWEEN_LINES):
            self._tell(time.monotonic() - started)

    def stop(self) -> None:
        """No call comes after this one has returned."""
        self._stopped.set()
        self._thread.join()
