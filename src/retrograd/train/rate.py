"""The learning rate: one that suits, found by a short range test, and a sweep that says what other rates do.

The range test (Smith 2017, arXiv:1506.01186) raises the rate geometrically while it trains, on a copy, and looks where
the loss stops falling.  The sweep trains from the same start at every rate and calls each

    diverging     the loss ends above where it began, or is not a number
    overshooting  above the best rate, and less than SHARE of its progress
    crawling      below the best rate, and less than SHARE of its progress
    fine          at least SHARE of the best rate's progress in the same number of steps
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.errors import UsageError
from retrograd.train.arrays import as_array, as_arrays
from retrograd.train.sampler import RowSampler
from retrograd.train.trainer import Trainer
from retrograd.train.updates import Updates

SHARE = 0.75
"""A rate with this share of the best rate's progress is fine."""
_PROBE_ROWS = 4096


@dataclass(frozen=True)
class RateTest:
    """The suggested rate, and the curve it was read from: smoothed loss at each rate tried."""

    suggestion: float
    rates: list[float]
    losses: list[float]


@dataclass(frozen=True)
class RateVerdict:
    """What one rate did: loss before and after ``steps`` updates, share of the best progress, verdict."""

    rate: float
    verdict: str
    first_loss: float
    final_loss: float
    progress: float


@dataclass(frozen=True)
class RateSweep:
    """A verdict for each rate, and the best of them."""

    verdicts: list[RateVerdict]
    best: float
    steps: int

    def __str__(self) -> str:
        lines = [f"{'rate':>10}  {'final loss':>12}  verdict"]
        for item in self.verdicts:
            mark = "  <- best" if item.rate == self.best else ""
            lines.append(f"{item.rate:>10.3g}  {item.final_loss:>12.5g}  {item.verdict}{mark}")
        return "\n".join(lines)


@contextmanager
def undisturbed() -> Iterator[None]:
    """The random stream afterwards is what it was before: a trial leaves no trace in the run."""
    state = as_array(rg.get_rng_state()).copy()
    try:
        yield
    finally:
        rg.set_rng_state(rg.from_numpy(state))


def range_test(
    make: Callable[[float], Trainer],
    inputs: Any,
    targets: Any,
    *,
    lowest: float = 1e-5,
    highest: float = 1.0,
    steps: int = 100,
    seed: int = 0,
) -> RateTest:
    """Suggest a rate for ``make(rate)``, a new trainer of a new model each time it is called.

    ``steps`` updates at rates rising geometrically from ``lowest`` to ``highest``.  With s the smoothed loss and r½ the
    rate at which half of its whole fall lies behind it, the suggestion is r½/3: s lags behind the rate, and a whole
    training run meets steeper places than its beginning.

    >>> from retrograd import nn, optim
    >>> x = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    >>> def make(rate):
    ...     _ = rg.manual_seed(0)
    ...     model = nn.Linear(1, 1)
    ...     return Trainer(model, optim.SGD(model.parameters(), lr=rate), nn.MSELoss())
    >>> 0.01 < range_test(make, x, 3 * x, highest=10.0).suggestion < 0.5
    True
    """
    inputs, targets = as_arrays(inputs), as_array(targets)
    with undisturbed():
        trainer = make(lowest)
        trainer.scheduler, trainer.average.decay = None, None
        trainer.model.train()
        sampler = RowSampler(len(targets), batch_size=trainer.batch_size, seed=seed)
        update = Updates(trainer, inputs, targets, -(-steps // sampler.batches_per_epoch))
        grid = np.geomspace(lowest, highest, steps)
        rates: list[float] = []
        losses: list[float] = []
        smooth, weight = 0.0, 0.0
        for rate, rows in zip(grid, _endless(sampler), strict=False):
            for group in trainer.optimizer.param_groups:
                group["lr"] = float(rate)
            loss, _ = update(rows)
            if not math.isfinite(loss):
                break
            smooth, weight = 0.9 * smooth + 0.1 * loss, 0.9 * weight + 0.1
            rates.append(float(rate))
            losses.append(smooth / weight)
            if losses[-1] > 4.0 * abs(min(losses)) + 1e-12 and len(losses) > 10:
                break
    if len(losses) < 5:
        raise UsageError(
            f"the loss is not finite even at a learning rate of {lowest:g}",
            hint="check the inputs for NaN, infinity or very large values",
        )
    half = losses[0] - 0.5 * (losses[0] - min(losses))
    halfway = next(rate for rate, loss in zip(rates, losses) if loss <= half)
    return RateTest(min(max(halfway / 3.0, lowest), highest), rates, losses)


def sweep_rates(
    make: Callable[[float], Trainer],
    inputs: Any,
    targets: Any,
    *,
    rates: Sequence[float] | None = None,
    steps: int = 200,
    held_out: tuple[Any, Any] | None = None,
    seed: int = 0,
) -> RateSweep:
    """Train from the same start at each rate (default: 13 over six decades, 1e-5 to 10) and judge every one.

    The losses compared are those before and after on the same rows, in evaluation mode: training rows (4096 at most), or
    ``held_out`` inputs and targets.
    """
    chosen = sorted(float(rate) for rate in (np.geomspace(1e-5, 10.0, 13) if rates is None else rates))
    if not chosen or chosen[0] <= 0:
        raise UsageError("learning rates must be positive", hint="rates=[1e-4, 1e-3, 1e-2]")
    inputs, targets = as_arrays(inputs), as_array(targets)
    if held_out is None:
        probe = np.random.default_rng(seed).permutation(len(targets))[:_PROBE_ROWS]
        seen = [array[probe] for array in inputs], targets[probe]
    else:
        seen = as_arrays(held_out[0]), as_array(held_out[1])
    results = []
    for rate in chosen:
        with undisturbed():
            results.append(_short_run(make(rate), inputs, targets, seen, steps, seed))
    return RateSweep(judge_rates(chosen, results), _best_rate(chosen, results), steps)


def judge_rates(rates: Sequence[float], results: Sequence[tuple[float, float]]) -> list[RateVerdict]:
    """Verdicts for rates in rising order, from (loss before, loss after) of each.

    >>> [v.verdict for v in judge_rates([0.01, 0.1, 1, 10], [(1, 0.9), (1, 0.1), (1, 0.6), (1, 5)])]
    ['crawling', 'fine', 'overshooting', 'diverging']
    """
    best_rate = _best_rate(rates, results)
    gains = [first - last if math.isfinite(last) else -math.inf for first, last in results]
    best_gain = max(gains)
    verdicts = []
    for rate, (first, last), gain in zip(rates, results, gains, strict=True):
        progress = gain / best_gain if best_gain > 0 else 0.0
        if not math.isfinite(last) or last > first * (1 + 1e-6):
            verdict = "diverging"
        elif progress >= SHARE:
            verdict = "fine"
        else:
            verdict = "crawling" if rate < best_rate else "overshooting"
        verdicts.append(
            RateVerdict(rate, verdict, first, last, progress if math.isfinite(progress) else -math.inf)
        )
    return verdicts


def _best_rate(rates: Sequence[float], results: Sequence[tuple[float, float]]) -> float:
    finals = [last if math.isfinite(last) else math.inf for _, last in results]
    return rates[int(np.argmin(finals))]


def _short_run(
    trainer: Trainer,
    inputs: list[np.ndarray],
    targets: np.ndarray,
    seen: tuple[list[np.ndarray], np.ndarray],
    steps: int,
    seed: int,
) -> tuple[float, float]:
    first, _ = trainer.evaluate(*seen)
    sampler = RowSampler(len(targets), batch_size=trainer.batch_size, seed=seed)
    trainer.model.train()
    update = Updates(trainer, inputs, targets, -(-steps // sampler.batches_per_epoch))
    for _, rows in zip(range(steps), _endless(sampler), strict=False):
        loss, _ = update(rows)
        if not math.isfinite(loss) or loss > 1e6 * (abs(first) + 1.0):
            return first, math.inf
    last, _ = trainer.evaluate(*seen)
    return first, last


def _endless(sampler: RowSampler) -> Iterator[np.ndarray]:
    epoch = 0
    while True:
        yield from sampler.batches(epoch)
        epoch += 1
