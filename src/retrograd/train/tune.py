"""Tuning the learning rate on a table: what every rate from far too low to far too high would do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrograd.errors import UsageError
from retrograd.threads import num_threads
from retrograd.train.job import Job
from retrograd.train.options import THREADS, Options, path_of
from retrograd.train.progress import Progress, silent
from retrograd.train.rate import RateSweep, sweep_rates
from retrograd.train.recipe import choose_recipe


def tune_lr(
    data: Any,
    target: str | int | None = None,
    *,
    rates: Sequence[float] | None = None,
    steps: int = 200,
    seed: int = 0,
    optimizer: str | None = None,
    batch_size: int | None = None,
    hidden: Sequence[int] | None = None,
    header: bool | None = None,
    progress: Progress | None = None,
) -> RateSweep:
    """Train ``steps`` updates at each of ``rates`` (default: 13 over six decades) and judge every one.

    The verdicts are "diverging", "overshooting", "crawling" and "fine"; ``.best`` is the rate with the least loss, and
    `str` of the result is a table.  Nothing is written.
    """
    if steps < 1:
        raise UsageError(f"{steps} updates at each rate", hint="--steps 200; at least 1")
    options = Options(
        target,
        seed,
        optimizer=optimizer,
        batch_size=batch_size,
        hidden=hidden,
        header=header,
        data=path_of(data),
    )
    with num_threads(options.threads or THREADS):
        job = Job(options, progress or silent)
        problem = job.read(data, None)
        train = problem.part("train")
        recipe, _ = choose_recipe(len(train), train.inputs[0].shape[1], problem.task.kind, **options.recipe())
        return sweep_rates(
            lambda rate: job.trainer(recipe, lr=rate, schedule=False),
            train.inputs, train.target, rates=rates, steps=steps, seed=seed,
        )  # fmt: skip
