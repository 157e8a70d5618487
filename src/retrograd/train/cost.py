"""The cost meter: what training will take, said before it starts, and what it took.

Operations: with M multiply-adds of one forward pass of one row, counted in the traced graph, a training step on b rows
takes about 3·M·b (forward, gradient of the activations, gradient of the weights); validation takes M a row.
Memory: of the whole process, as the system counts it: what it has taken when the timed steps are over (interpreter,
libraries, data), and what training adds: parameters p times six (weight, gradient, two moments, running average, best so
far), and every intermediate value of a batch twice (value and gradient).  Time: a few steps are timed on a copy, before the run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.nn.summary import summary
from retrograd.train.arrays import as_array, as_arrays
from retrograd.train.rate import undisturbed
from retrograd.train.trainer import Trainer
from retrograd.train.updates import Updates

_STATES = 6  # copies of the parameters that a run holds at its peak
_LARGEST_CALIBRATION_SECONDS = 0.5


@dataclass(frozen=True)
class Cost:
    """Resources of a whole training run; ``operations`` are multiply-adds."""

    seconds: float
    epochs: int
    memory_bytes: int
    operations: float
    rows_per_second: float

    def to_json(self) -> dict[str, Any]:
        """The keys of `retrograd.report.schema.CostFacts`."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"{readable_seconds(self.seconds)} for {self.epochs} epochs at most, "
            f"{readable_count(self.operations)} multiply-adds, {readable_bytes(self.memory_bytes)} of memory"
        )


@dataclass(frozen=True)
class CostMeter:
    """Estimates for one network and one data set; made by `measure_cost`."""

    parameters: int
    multiply_adds_per_row: int
    rows: int
    validation_rows: int
    batch_size: int
    memory_bytes: int
    step_seconds: float
    validation_seconds: float

    def operations(self, epochs: int) -> float:
        """Multiply-adds of ``epochs`` epochs."""
        return float(self.multiply_adds_per_row) * (3 * self.rows + self.validation_rows) * epochs

    def epoch_seconds(self) -> float:
        """Seconds of one epoch, validation included."""
        return -(-self.rows // self.batch_size) * self.step_seconds + self.validation_seconds

    def estimate(self, epochs: int) -> Cost:
        """Cost of ``epochs`` epochs (early stopping may end sooner)."""
        seconds = epochs * self.epoch_seconds()
        rate = self.rows / max(self.epoch_seconds(), 1e-9)
        return Cost(seconds, epochs, self.memory_bytes, self.operations(epochs), rate)

    def actual(self, epochs: int, seconds: float) -> Cost:
        """What a run that took ``seconds`` for ``epochs`` epochs did."""
        rate = epochs * self.rows / max(seconds, 1e-9)
        return Cost(seconds, epochs, peak_memory() or self.memory_bytes, self.operations(epochs), rate)


def count_work(model: Any, inputs: Any) -> tuple[int, int, int]:
    """(parameters, multiply-adds of one row, intermediate values of one row), counted in the graph of one row.

    >>> from retrograd import nn
    >>> count_work(nn.Linear(3, 4), np.zeros((10, 3), np.float32))
    (16, 12, ...)
    """
    row = [rg.from_numpy(array[:1].copy()) for array in as_arrays(inputs)]
    training = model.training
    model.eval()  # one row is enough for every layer only in evaluation mode
    try:
        with rg.no_grad():
            graph = rg.trace(model)(*row)
            found = summary(model, *row)
    finally:
        model.train(training)
    values = sum(int(np.prod(v.type.shape)) for equation in graph.equations for v in equation.outputs)
    return found.parameters, found.multiply_adds, values


def step_memory(parameters: int, values_per_row: int, batch_size: int) -> int:
    """Bytes that a training step holds at its peak: float32 states of the parameters, values and their gradients."""
    return 4 * (_STATES * parameters + 2 * values_per_row * batch_size)


def measure_cost(
    make: Callable[[], Trainer],
    inputs: Any,
    targets: Any,
    *,
    validation: tuple[Any, Any] | None = None,
    epochs: int = 1,
) -> CostMeter:
    """A meter for ``make()``, a new trainer each time: counts its work and times a few steps on a copy.

    ``epochs``: of the run, which decides whether its steps are programs.

    >>> from retrograd import nn, optim
    >>> x = np.zeros((100, 3), np.float32)
    >>> def make():
    ...     model = nn.Linear(3, 1)
    ...     return Trainer(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), batch_size=10)
    >>> measure_cost(make, x, x[:, :1]).operations(epochs=2)     # 3 · (3 · 100) a time
    1800.0
    """
    inputs, targets = as_arrays(inputs), as_array(targets)
    with undisturbed():
        trainer = make()
        parameters, multiply_adds, values = count_work(trainer.model, inputs)
        batch = min(trainer.batch_size, len(targets))
        trainer.model.train()
        update, rows = Updates(trainer, inputs, targets, epochs), np.arange(batch)
        update(rows)  # the first step makes the optimiser's state, and the program: not what a step costs
        step_seconds = _typical(lambda: update(rows), repeats=8)
        validation_seconds = 0.0
        if validation is not None:
            held_out = as_arrays(validation[0]), as_array(validation[1])
            validation_seconds = _typical(lambda: trainer.evaluate(*held_out), repeats=2)
    data = sum(array.nbytes for array in [*inputs, targets])
    return CostMeter(
        parameters=parameters,
        multiply_adds_per_row=multiply_adds,
        rows=len(targets),
        validation_rows=0 if validation is None else len(as_array(validation[1])),
        batch_size=batch,
        memory_bytes=step_memory(parameters, values, batch) + (peak_memory() or data),
        step_seconds=step_seconds,
        validation_seconds=validation_seconds,
    )


def _typical(work: Callable[[], Any], repeats: int) -> float:
    """Median seconds of a few runs; fewer where one already takes long."""
    times: list[float] = []
    while len(times) < repeats and sum(times) < _LARGEST_CALIBRATION_SECONDS:
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def peak_memory() -> int | None:
    """Largest memory of this process so far, in bytes; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def readable_seconds(seconds: float) -> str:
    """
    >>> readable_seconds(0.25), readable_seconds(75), readable_seconds(7300)
    ('0.2 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def readable_count(count: float) -> str:
    """
    >>> readable_count(950), readable_count(1.2e9)
    ('950', '1.2 billion')
    """
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if count >= size:
            return f"{count / size:.3g} {name}"
    return f"{count:.0f}"


def readable_bytes(count: float) -> str:
    """
    >>> readable_bytes(2_500_000)
    '2.5 MB'
    """
    for size, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {name}"
    return f"{count:.0f} bytes"
