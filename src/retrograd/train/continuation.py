"""Continuing a run that was stopped: to the same bits as a run that never was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from retrograd.errors import DataError, UsageError
from retrograd.threads import num_threads
from retrograd.train.checkpoint import newest_checkpoint
from retrograd.train.history import History
from retrograd.train.job import Job
from retrograd.train.options import THREADS, Options
from retrograd.train.programs import cpu_level
from retrograd.train.progress import Progress, silent
from retrograd.train.recipe import Recipe
from retrograd.train.run import Run
from retrograd.train.run_folder import RunFolder


def resume(
    run: str | os.PathLike[str], *, data: Any = None, test: Any = None, progress: Progress | None = None
) -> Run:
    """Continue the run in folder ``run`` from its newest checkpoint, and report on it.

    Data and split are made again from the same file with the same seed; a file that has changed is refused.  ``data``
    (and ``test``) must be given where the run was started on data in memory.  A finished run is returned as it is.
    """
    folder = RunFolder.open(run)
    facts = folder.read_json("run.json")
    try:
        options = Options.from_json(facts["options"])
        recipe = Recipe.from_json(facts["settings"])
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"{folder.path}/run.json is not that of a run of this version", hint="train again"
        ) from None
    if facts.get("status") == "finished" and (folder.path / "report.json").is_file():
        return finished_run(folder, facts)
    with num_threads(options.threads or THREADS):
        return _go_on(folder, facts, Job(options, progress or silent), recipe, data, test)


def _go_on(folder: RunFolder, facts: dict[str, Any], job: Job, recipe: Recipe, data: Any, test: Any) -> Run:
    """Read the same data again and train on from the newest checkpoint."""
    options = job.options
    source = options.data if data is None else data
    own_test = options.test if test is None else test
    if source is None:
        raise UsageError(
            "this run was started on data in memory", hint="retrograd.train.resume(run, data=the_same_data)"
        )
    problem = job.read(source, own_test)
    if problem.fingerprint != facts["data"]["fingerprint"]:
        raise DataError(
            f"{problem.table.source} has changed since this run was started",
            hint="restore the file, or start a new run with: retrograd train",
        )
    level = facts.get("cpu_level")
    if recipe.compiled and level != (now := cpu_level()):
        job.say("note", f"begun with {level}, going on with {now}: the last digits may differ")
    state, damaged = newest_checkpoint(folder)
    for path in damaged:
        job.say("note", f"the checkpoint {path.name} is damaged: going on from the one before it")
    records = [] if state is None else state["history"]
    folder.rewrite_metrics(records)
    if state is not None:
        job.spent_before = float(state["seconds"])
        job.say("note", f"going on after step {state['steps']} (epoch {state['order']['epoch']})")
    else:
        job.say("note", "no checkpoint yet: starting from the beginning")
    return job.train(folder, facts, recipe, job.meter(recipe), state)


def finished_run(folder: RunFolder, facts: dict[str, Any]) -> Run:
    """The run as its folder tells it."""
    from retrograd.train.facts import summary

    report = folder.read_json("report.json")
    training = facts["training"]
    history = History(
        records=folder.read_metrics(),
        best_epoch=training["best_epoch"],
        stopped_because=training["stopped_because"],
        seconds=training["seconds"],
    )
    model = str(Path(folder.path) / "model.safetensors")
    result = summary(
        facts, report, model=model, run=str(folder.path), seconds=float(facts.get("seconds") or 0.0)
    )
    return Run(folder.path, result, report, history)
