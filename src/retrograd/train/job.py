"""The main job: from a table to a trained, saved, reported network.

read -> examine -> split -> prepare -> decide -> say what it costs -> train -> evaluate (the test rows once) -> compare
with simpler models -> importance -> learning curve -> report.
"""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.errors import DataError
from retrograd.files import write_atomically
from retrograd.metrics import headline, metrics_for
from retrograd.program import as_called
from retrograd.threads import num_threads
from retrograd.train import evidence as ev
from retrograd.train.checkpoint import write_checkpoint
from retrograd.train.cost import CostMeter, measure_cost
from retrograd.train.decide import fit_into_time, race_activations, race_recipe, settle_rate
from retrograd.train.facts import column_words, finding_facts, starting_facts, summary
from retrograd.train.history import History
from retrograd.train.interrupt import Interrupt
from retrograd.train.learning_curve import CurvePoints, learning_curve
from retrograd.train.model_file import save_model, trace_network
from retrograd.train.options import THREADS, Options, name_of, path_of
from retrograd.train.overfitting import judge_overfitting
from retrograd.train.predict import decode_outputs
from retrograd.train.problem import Problem, read_problem
from retrograd.train.progress import Event, Progress, silent
from retrograd.train.recipe import Decided, Recipe, build_trainer, choose_recipe, with_epochs
from retrograd.train.run import Run
from retrograd.train.run_folder import RunFolder
from retrograd.train.trainer import Trainer

_TRAINING_SHARE = 0.6  # of a time limit; the rest is for judging and reporting
_FEWEST_FOR_CURVE = 100  # training rows


def fit(
    data: Any,
    target: str | int | None = None,
    *,
    out: str | Path = "runs",
    seed: int = 0,
    epochs: int | None = None,
    time_limit: float | None = None,
    threads: int | None = None,
    hidden: Sequence[int] | int | None = None,
    activation: str | None = None,
    dropout: float | None = None,
    optimizer: str | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    loss: str | None = None,
    group: str | None = None,
    time: str | None = None,
    test: Any = None,
    header: bool | None = None,
    exclude: Sequence[str] = (),
    unit: str | None = None,
    compile: bool | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train a network on a table and report on it; everything is left in a new folder under ``out``.

    ``data``: a path (CSV, TSV, Parquet, JSON lines), a DuckDB relation, a pandas or polars frame, a dict of arrays or a
    list of dicts.  ``target``: name or number (from 1) of the column to predict; proposed when not given.  ``group``:
    a column whose equal values must stay in one split; ``time``: a column to split by; ``test``: rows to test on.
    ``unit``: that of the target, as it shall be shown ("$", "kg").  ``time_limit`` is in seconds.  What is not given is
    decided by the size of the table, and the decision reported.  ``compile``: whether iterations become programs; None:
    where they repay it (see `retrograd.train.programs`), unless the environment has ``RETROGRAD_COMPILE=0``.
    ``progress`` is called with every `Event`.  Raises `DataError` or `UsageError` with a hint.
    """
    layers = (hidden,) if isinstance(hidden, int) else None if hidden is None else tuple(hidden)
    options = Options(
        target, seed, epochs, time_limit, threads, layers, activation, dropout, optimizer, lr, batch_size, loss,
        group, time, header, tuple(exclude), path_of(data), None if test is None else path_of(test), unit, compile,
    )  # fmt: skip
    with num_threads(options.threads or THREADS):
        job = Job(options, progress or silent)
        job.read(data, test)
        recipe, decided = job.sizes()
        return job.start(RunFolder.create(out, name_of(data)), recipe, decided)


class Job:
    """The stages of `fit`, in order; `resume` enters after `read` with a checkpoint."""

    def __init__(self, options: Options, progress: Progress) -> None:
        self.options, self.progress = options, progress
        self.started = time.monotonic()
        self.spent_before = 0.0  # seconds of the run before it was resumed

    @property
    def seconds(self) -> float:
        """Since the start, over all sittings."""
        return self.spent_before + time.monotonic() - self.started

    def say(self, kind: Any, message: str, **values: Any) -> None:
        """Tell the callback."""
        self.progress(Event(kind, message, values))

    # --- reading and deciding ----------------------------------------------------------------------------------------

    def read(self, data: Any, test: Any) -> Problem:
        """Read, split and prepare the data."""
        options = self.options
        self.problem = problem = read_problem(data, options.target, test=test, **options.reading())
        self.say("decision", f"target {problem.target}: {problem.target_reason}")
        self.say("decision", f"task {problem.task.kind}: {problem.task.reason}")
        train, validation, test_rows = (
            len(getattr(problem.split, part)) for part in ("train", "validation", "test")
        )
        sizes = f"{train:,} to train, {validation:,} to validate, {test_rows:,} to test"
        self.say("decision", f"rows: {sizes}; {problem.split.how}")
        for sentence in column_words(problem):
            self.say("decision", sentence)
        for note in [*problem.notes, *problem.split.notes]:
            self.say("note", note)
        return problem

    def sizes(self) -> tuple[Recipe, list[Decided]]:
        """The recipe by the size of the table and what was asked; raises `UsageError` where that makes no sense."""
        train = self.problem.part("train")
        return choose_recipe(
            len(train), train.inputs[0].shape[1], self.problem.task.kind, **self.options.recipe()
        )

    def trainer(
        self, recipe: Recipe, *, rows: np.ndarray | None = None, seed: int | None = None, **options: Any
    ) -> Trainer:
        """A new network and trainer for this problem."""
        numbers = self.problem.part("train").inputs[0]
        return build_trainer(
            recipe,
            numbers if rows is None else numbers[rows],
            self.problem.preparation.category_sizes,
            self.problem.task.kind,
            classes=self.problem.n_classes,
            class_weights=self.problem.preparation.class_weights,
            seed=self.options.seed if seed is None else seed,
            **options,
        )

    def epoch_metrics(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """The headline metric on the validation rows, in the target's own units, for the log of epochs."""
        part, kind = self.problem.part("validation"), self.problem.task.kind
        if len(outputs) != len(part):
            return {}
        scores = decode_outputs(outputs, self.problem.preparation, kind, self.limits)
        names = (headline(kind), "median_absolute_error" if kind == "regression" else "accuracy")
        if not np.isfinite(scores).all():  # the run diverges, and will be stopped for it
            return dict.fromkeys(names, float("nan"))
        found = metrics_for(kind, part.actual, scores)
        return {name: float(found[name] or np.nan) for name in names}

    # --- the run -----------------------------------------------------------------------------------------------------

    def start(self, folder: RunFolder, recipe: Recipe, decided: list[Decided]) -> Run:
        """Find the rate, say what it costs, and train from the beginning."""
        self.findings = self.problem.examine()
        for finding in self.findings:
            self.say(
                "finding", finding.message, code=finding.code, severity=finding.severity, hint=finding.hint
            )
        recipe, decided = settle_rate(self.trainer, self.problem, recipe, decided, seed=self.options.seed)
        meter, limit = self.meter(recipe), self.options.time_limit
        short = limit is not None and 2 * meter.estimate(race_recipe(recipe).epochs).seconds > 0.2 * limit
        if recipe.architecture.members > 1 and self.options.activation is None and not short:
            recipe, decided = race_activations(self.trainer, self.problem, recipe, decided)
        if limit is not None:
            left = max(1.0, (limit - self.seconds) * _TRAINING_SHARE)
            recipe, decided = fit_into_time(recipe, decided, meter, left)
        for decision in decided:
            self.say("decision", f"{decision.what}: {decision.choice} ({decision.why})", by=decision.by)
        facts = starting_facts(
            self.problem,
            recipe,
            decided,
            name=folder.path.name,
            seed=self.options.seed,
            threads=self.options.threads,
            unit=self.options.unit,
        )
        estimate = meter.estimate(recipe.epochs)
        facts["findings"] = finding_facts(self.findings)
        facts["model"] = {
            "description": recipe.architecture.describe(),
            "parameters": meter.parameters,
            "operations_per_row": meter.multiply_adds_per_row,
        }
        facts["cost"] = {"estimate": estimate.to_json(), "actual": {}}
        facts["options"] = self.options.to_json()
        facts["status"] = "training"
        folder.write_json("run.json", facts)
        self.say(
            "cost",
            f"{meter.parameters:,} parameters; {estimate}",
            parameters=meter.parameters,
            run=str(folder.path),  # from here on there is something to resume
            **estimate.to_json(),
        )
        return self.train(folder, facts, recipe, meter)

    def meter(self, recipe: Recipe) -> CostMeter:
        """The cost meter of this problem and recipe."""
        train, validation = self.problem.part("train"), self.problem.part("validation")
        return measure_cost(
            lambda: self.trainer(
                recipe, schedule=False
            ),  # a short run's schedule has fewer steps than are timed
            train.inputs,
            train.target,
            validation=(validation.inputs, validation.target),
            epochs=recipe.epochs,
        )

    def train(
        self, folder: RunFolder, facts: dict[str, Any], recipe: Recipe, meter: CostMeter, state: Any = None
    ) -> Run:
        """Train (or continue from ``state``), then judge and report."""
        train, validation = self.problem.part("train"), self.problem.part("validation")
        self.limits = ev.output_range(self.problem)
        trainer = self.trainer(recipe, metrics=self.epoch_metrics, progress=self.progress)
        if state is not None:
            trainer.load_state_dict(state)
        ended = (
            trainer.history.stopped_because
        )  # training was over, and the run was stopped while it was judged
        limit = self.options.time_limit
        with Interrupt() as interrupt:
            history = trainer.fit(
                train.inputs,
                train.target,
                validation=(validation.inputs, validation.target),
                epochs=trainer.epoch if ended else recipe.epochs,
                planned=recipe.epochs,
                time_limit=None if limit is None else max(0.5, limit * _TRAINING_SHARE),
                interrupt=interrupt,
                on_epoch=folder.append_metrics,
                checkpoint=lambda now: write_checkpoint(folder, now["steps"], now),
            )
        history.stopped_because = ended or history.stopped_because
        if history.best_epoch == 0 and not history.interrupted:
            raise DataError(
                f"training failed: {history.stopped_because}",
                hint=f"--lr {min((recipe.lr or 1e-2) / 10, 1e-3):g}, and check the data for extreme values",
            )
        facts["training"] = {
            "epochs": len(history.records),
            "best_epoch": history.best_epoch,
            "stopped_because": history.stopped_because,
            "seconds": history.seconds,
        }
        epochs = max(1, len(history.records))
        facts["cost"]["actual"] = meter.actual(epochs, history.seconds).to_json()
        if history.interrupted:
            return self.stop_early(folder, facts, trainer)
        return self.finish(folder, facts, recipe, trainer)

    def stop_early(self, folder: RunFolder, facts: dict[str, Any], trainer: Trainer) -> Run:
        """Keep the best so far, and say how to go on; the test rows stay closed."""
        facts["status"] = "interrupted"
        facts["seconds"] = self.seconds
        self.save(folder, facts, trainer, {})
        folder.write_json("run.json", facts)
        self.say("note", f"stopped; go on with: retrograd resume {shlex.quote(str(folder.path))}")
        return Run(folder.path, self.summary(folder, facts, None), None, trainer.history, interrupted=True)

    def finish(self, folder: RunFolder, facts: dict[str, Any], recipe: Recipe, trainer: Trainer) -> Run:
        """Open the test rows, compare, explain, and write everything."""
        from retrograd.report import write_report

        problem, kind = self.problem, self.problem.task.kind
        self.say("stage", "judging on the test rows")
        arrays = ev.prediction_evidence(problem, trainer.model)
        facts["overfitting"] = self.overfitting(trainer)
        baselines, facts["baselines"] = ev.baseline_evidence(problem)
        arrays.update(baselines)
        self.say("stage", "which columns matter")
        arrays.update(
            ev.importance_evidence(problem, trainer.model, seed=self.options.seed, policy=trainer.policy)
        )
        points = self.curve(recipe, trainer.history)
        if points is not None:
            arrays.update(curve_rows=points.rows, curve_scores=points.scores)
        folder.write_arrays("evidence.npz", arrays)
        write_atomically(folder.path / "predictions.csv", ev.predictions_csv(problem, arrays))
        actual = arrays["test_actual"]
        found = metrics_for(
            kind, actual, arrays["test_prediction" if kind == "regression" else "test_probabilities"]
        )
        self.save(folder, facts, trainer, found)
        facts["next_command"] = as_called(f"retrograd predict {shlex.quote(str(folder.path))} NEW_DATA")
        facts["status"] = "finished"
        facts["seconds"] = self.seconds
        folder.write_json("run.json", facts)
        self.say("stage", "writing the report")
        report = write_report(folder.path)
        result = self.summary(folder, facts, report)
        self.say("done", f"report: {folder.path / 'report.html'}", **result)
        return Run(folder.path, result, report, trainer.history)

    def overfitting(self, trainer: Trainer) -> dict[str, Any]:
        """The verdict of `judge_overfitting` on the loss that was trained on, row by row."""
        losses = []
        for name in ("train", "validation"):
            part = self.problem.part(name)
            losses.append(ev.row_losses_of(self.problem.task.kind, trainer.predict(part.inputs), part.target))
        verdict = judge_overfitting(*losses)
        if verdict:
            self.say("finding", verdict.sentence, code="overfitting", severity="warning")
        return {"verdict": verdict.verdict, "sentence": verdict.sentence}

    def curve(self, recipe: Recipe, history: History) -> CurvePoints | None:
        """Scores after training on parts of the rows; None where rows or time are too short for it."""
        train, validation = self.problem.part("train"), self.problem.part("validation")
        kind = self.problem.task.kind
        limit = self.options.time_limit
        short = limit is not None and limit - self.seconds < 0.8 * history.seconds
        if len(train) < _FEWEST_FOR_CURVE or short:
            return None
        self.say("stage", "learning curve: training on parts of the rows")
        quick = dataclasses.replace(with_epochs(recipe, max(1, -(-recipe.epochs // 3))), patience=6)

        def score(rows: np.ndarray, seed: int) -> float:
            small = dataclasses.replace(quick, batch_size=min(quick.batch_size, max(16, len(rows) // 8)))
            trainer = self.trainer(small, rows=rows, seed=seed)
            trainer.fit(
                tuple(array[rows] for array in train.inputs),
                train.target[rows],
                validation=(validation.inputs, validation.target),
                epochs=small.epochs,
            )
            outputs = trainer.predict(validation.inputs)
            values = decode_outputs(outputs, self.problem.preparation, kind, self.limits)
            return float(metrics_for(kind, validation.actual, values)[headline(kind)] or np.nan)

        points = learning_curve(score, len(train), seed=self.options.seed)
        return points if np.isfinite(points.scores).all() else None

    def save(
        self, folder: RunFolder, facts: dict[str, Any], trainer: Trainer, metrics: dict[str, Any]
    ) -> None:
        """Write the model file: the graph of the network for one row, its weights, the preparation."""
        network = trace_network(trainer.model, self.problem.part("train").inputs)
        content = {
            "task": facts["task"],
            "target": self.problem.target,
            "unit": self.options.unit,
            "preparation": self.problem.preparation.to_json(),
            "output_range": self.limits,
            "metrics": {"test": metrics},
            "description": facts["model"]["description"],
            "trained_on": facts["data"]["fingerprint"],
        }
        save_model(folder.path / "model.safetensors", network, content)

    def summary(self, folder: RunFolder, facts: dict[str, Any], report: Any) -> dict[str, Any]:
        """What ``--json`` prints."""
        model = folder.path / "model.safetensors"
        return summary(facts, report, model=str(model), run=str(folder.path), seconds=self.seconds)
