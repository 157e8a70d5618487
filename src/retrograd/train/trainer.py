"""The training loop, once for every kind of network.

One *iteration* is the four steps of learning on one batch of rows: forward pass, error, backward pass (which only
fills ``.grad``), update (which only the optimiser does).  One *epoch* is every training row once.  After each epoch
the validation rows are looked at; the weights that did best on them are kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.errors import GradError, UsageError
from retrograd.train.arrays import as_array, as_arrays, demand_equal_rows
from retrograd.train.history import EpochSums, History
from retrograd.train.interrupt import Interrupt
from retrograd.train.outputs import EVALUATION_ROWS, Outputs
from retrograd.train.programs import Policy, policy_of
from retrograd.train.progress import Event, Progress, batch_event, epoch_event, silent
from retrograd.train.sampler import RowSampler
from retrograd.train.updates import Updates
from retrograd.train.weights import RunningAverage, copied, copy_weights, gradient_norm, load_weights

_BATCH_EVENT_SECONDS = 0.1


class Trainer:
    """Trains any `nn.Module`: ``Trainer(model, optimizer, loss).fit(inputs, targets, validation=(inputs, targets))``.

    ``loss(model(*inputs), targets)`` must be a scalar, the mean over the batch.  ``scheduler`` is stepped after each
    update, or with ``schedule="epoch"`` after each epoch (`ReduceLROnPlateau` always, with the validation loss).
    ``clip_norm`` bounds the gradient's norm.  Training ends after ``epochs``, after ``patience`` epochs without a
    better validation loss, after ``time_limit`` seconds, or when the gradient's norm stays below
    ``gradient_tolerance`` for an epoch.  ``restore_best`` leaves the best weights in the model.
    With ``average`` d the weights that are looked at and kept are a running average of those that learn,
    θ̄ ← θ̄ + (1 - d)(θ - θ̄), with d growing from 0.1 to its value (Polyak and Juditsky 1992).
    ``smoothing`` β judges epochs by s ← β s + (1 - β) loss instead of the loss itself: with few validation rows the loss
    of one epoch may be low by luck.
    ``metrics(outputs, targets)`` adds its numbers to each epoch's record.
    ``compile``: iterations and validation as programs (`retrograd.compile`), True: always, False: never; None: where
    their number repays the making (see `retrograd.train.programs`), if the model has no hooks and can be compiled.  A
    program does what tensors do; whatever else ``forward`` does (counting, printing) happens only when it is traced.

    Same seed, same data, same model: same run.  `state_dict` at any step and `load_state_dict` in a new trainer
    continue to the same bits.

    >>> import retrograd as rg
    >>> from retrograd import nn, optim
    >>> _ = rg.manual_seed(0)
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    >>> model = nn.Linear(1, 1)
    >>> trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), batch_size=16)
    >>> history = trainer.fit(x, 3 * x + 1, epochs=100)
    >>> round(model.weight.item(), 3), round(model.bias.item(), 3), history.steps
    (3.0, 1.0, 400)
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        loss: Callable[[Any, Any], Any],
        *,
        batch_size: int = 64,
        seed: int = 0,
        shuffle: bool = True,
        scheduler: Any = None,
        schedule: str = "step",
        clip_norm: float | None = None,
        patience: int | None = None,
        restore_best: bool = True,
        average: float | None = None,
        smoothing: float = 0.0,
        gradient_tolerance: float | None = None,
        metrics: Callable[[np.ndarray, np.ndarray], Mapping[str, float]] | None = None,
        progress: Progress = silent,
        compile: bool | Policy | None = None,
    ) -> None:
        if schedule not in ("step", "epoch"):
            raise UsageError(f"schedule={schedule!r}", hint='schedule="step" or schedule="epoch"')
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.batch_size, self.seed, self.shuffle = batch_size, seed, shuffle
        self.scheduler, self.schedule = scheduler, schedule
        self.clip_norm, self.patience, self.restore_best = clip_norm, patience, restore_best
        self.gradient_tolerance = gradient_tolerance
        self.smoothing = smoothing
        self.metrics, self.progress = metrics, progress
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.policy = policy_of(compile)
        self._outputs = Outputs(model, self.policy.job(0, 0))
        self.history = History()
        self.epoch = 0  # epochs finished
        self.batch = 0  # batches finished in the epoch under way
        self._sums = EpochSums()
        self._best_weights: dict[str, np.ndarray] | None = None
        self.average = RunningAverage(self.parameters, average)
        self._epochs_without_gain = 0
        self._smoothed: float | None = None

    # --- one iteration, in its four steps -------------------------------------------------------------------------

    def forward(self, inputs: Sequence[np.ndarray]) -> Any:
        """The network's output for a batch."""
        return self.model(*[rg.from_numpy(array) for array in inputs])

    def step(self, inputs: Sequence[np.ndarray], targets: np.ndarray) -> tuple[float, float]:
        """One iteration on one batch; the loss before the update, and the gradient's norm before clipping."""
        self.optimizer.zero_grad()
        if self.history.steps < 3:
            self.demand_cleared_gradients()
        loss = self.loss(self.forward(inputs), rg.from_numpy(targets))
        loss.backward()
        norm = gradient_norm(self.parameters)
        if self.clip_norm is not None and norm > self.clip_norm:
            scale = self.clip_norm / (norm + 1e-6)
            with rg.no_grad():
                for parameter in self.parameters:
                    if parameter.grad is not None:
                        parameter.grad.mul_(scale)
        self.optimizer.step()
        self.step_schedule()
        self.history.steps += 1
        self.average.update(self.history.steps)
        return loss.item(), norm

    def step_schedule(self) -> None:
        """Move a schedule of updates on."""
        if self.scheduler is not None and self.schedule == "step" and not _wants_loss(self.scheduler):
            self.scheduler.step()

    def demand_cleared_gradients(self) -> None:
        """Raises `GradError` where gradients are left from the step before."""
        for parameter in self.parameters:
            if parameter.grad is not None and np.any(parameter.grad.numpy()):
                raise GradError(
                    "the gradients of the step before are still there, and backward would add to them",
                    hint="the optimiser given to Trainer must clear .grad in zero_grad()",
                )

    # --- the loop --------------------------------------------------------------------------------------------------

    def fit(
        self,
        inputs: Any,
        targets: Any,
        *,
        validation: tuple[Any, Any] | None = None,
        epochs: int = 100,
        time_limit: float | None = None,
        interrupt: Interrupt | None = None,
        on_epoch: Callable[[dict[str, Any]], None] | None = None,
        checkpoint: Callable[[dict[str, Any]], object] | None = None,
        checkpoint_seconds: float = 5.0,
        checkpoint_steps: int | None = None,
        planned: int = 0,
    ) -> History:
        """Train until one of the stopping rules applies; returns the history (also in ``self.history``).

        ``inputs``: an array of n rows, or a tuple of such arrays, passed to the model in order; ``targets``: n rows.
        ``on_epoch`` gets each epoch's record; ``checkpoint`` gets the whole state every ``checkpoint_seconds`` (at
        the end of an epoch; the first time after one fifth of them), every ``checkpoint_steps`` updates, and when
        ``interrupt`` is requested.  ``planned``: how many epochs the whole run may have, if more than ``epochs``: by it is
        decided what becomes a program, so that parts of a run take the same path as the whole.
        """
        inputs, targets = as_arrays(inputs), as_array(targets)
        demand_equal_rows(inputs, targets)
        held_out = None
        if validation is not None:
            held_out = (as_arrays(validation[0]), as_array(validation[1]))
            demand_equal_rows(*held_out)
        history = self.history
        history.stopped_because, history.interrupted = "", False
        sampler = RowSampler(len(targets), batch_size=self.batch_size, seed=self.seed, shuffle=self.shuffle)
        planned = max(epochs, planned)
        update = Updates(self, inputs, targets, planned)
        often = {} if held_out is None else {len(held_out[1]): planned}
        self._outputs = Outputs(self.model, update.policy, often)
        started, spent_before = time.monotonic(), history.seconds
        last_event = started
        last_checkpoint = started - 0.8 * checkpoint_seconds  # the first one soon: a run may be killed early
        self.progress(
            Event(
                "start",
                f"training on {len(targets)} row{'' if len(targets) == 1 else 's'}",
                {"epochs": epochs, "rows": len(targets)},
            )
        )
        while self.epoch < epochs and not history.stopped_because:
            epoch_started, seconds_before = time.monotonic(), self._sums.seconds
            self.model.train()
            for rows in sampler.batches(self.epoch, start=self.batch):
                loss, norm = update(rows)
                self._sums.add(loss, norm, len(rows))
                self.batch += 1
                now = time.monotonic()
                history.seconds = spent_before + now - started
                self._sums.seconds = seconds_before + now - epoch_started
                if now - last_event > _BATCH_EVENT_SECONDS:
                    last_event = now
                    self.progress(batch_event(self.epoch + 1, loss, self._sums, len(targets)))
                if not math.isfinite(loss):
                    history.stopped_because = f"the loss became {loss} in epoch {self.epoch + 1}"
                    break
                if checkpoint and checkpoint_steps and history.steps % checkpoint_steps == 0:
                    checkpoint(self.state_dict())
                if interrupt is not None and interrupt.requested:
                    history.stopped_because, history.interrupted = "interrupted", True
                    break
                if time_limit is not None and history.seconds > time_limit:
                    history.stopped_because = f"time limit of {time_limit:g} s reached"
                    break
            if history.interrupted:
                if self.batch < sampler.batches_per_epoch:
                    break
                history.stopped_because, history.interrupted = (
                    "",
                    False,
                )  # the epoch is whole: log it, then stop
            self._finish_epoch(held_out)
            history.seconds = spent_before + time.monotonic() - started
            self.progress(epoch_event(history, self.epoch, epochs, time_limit))
            if on_epoch is not None:
                on_epoch(history.records[-1])
            if (
                interrupt is not None
                and interrupt.requested
                and self.epoch < epochs
                and not history.stopped_because
            ):
                history.stopped_because, history.interrupted = "interrupted", True
            due = checkpoint_seconds <= time.monotonic() - last_checkpoint
            if checkpoint is not None and due and not history.stopped_because:
                checkpoint(self.state_dict())
                last_checkpoint = time.monotonic()
        history.stopped_because = history.stopped_because or f"all {epochs} epochs done"
        if checkpoint is not None:
            checkpoint(self.state_dict())
        if self._best_weights is None and held_out is not None and history.interrupted:
            with self.average.in_place():
                # stopped in the first epoch: something is kept
                self._remember_if_better(self.evaluate(*held_out)[0])
        if self.restore_best and self._best_weights is not None:
            load_weights(self.model, self._best_weights)
        self.model.eval()
        return history

    def evaluate(self, inputs: Any, targets: Any) -> tuple[float, dict[str, float]]:
        """Loss and metrics on rows that are not learnt from: evaluation mode, no gradients, nothing changed."""
        targets = as_array(targets)
        outputs = self.predict(inputs)
        total = 0.0
        with rg.no_grad():
            for start in range(0, len(targets), EVALUATION_ROWS):
                part = slice(start, start + EVALUATION_ROWS)
                loss = self.loss(rg.from_numpy(outputs[part]), rg.from_numpy(targets[part]))
                total += loss.item() * len(targets[part])
        metrics = dict(self.metrics(outputs, targets)) if self.metrics is not None else {}
        return total / max(1, len(targets)), metrics

    def predict(self, inputs: Any) -> np.ndarray:
        """Outputs for all rows, in order, in evaluation mode."""
        return self._outputs(inputs)

    # --- bookkeeping -------------------------------------------------------------------------------------------------

    def _finish_epoch(self, held_out: tuple[list[np.ndarray], np.ndarray] | None) -> None:
        sums, history = self._sums, self.history
        record: dict[str, Any] = {
            "epoch": self.epoch + 1,
            "step": history.steps,
            "train_loss": sums.loss / max(1, sums.rows),
            "lr": float(self.optimizer.param_groups[0]["lr"]),
            "gradient_norm": sums.norm / max(1, sums.batches),
            "largest_gradient_norm": sums.largest_norm,
            "rows": sums.rows,
            "rows_per_second": sums.rows / max(sums.seconds, 1e-9),
        }
        watched = record["train_loss"]
        self.epoch += 1
        with self.average.in_place():
            if held_out is not None:
                watched, metrics = self.evaluate(*held_out)
                record["validation_loss"] = watched
                record.update({f"validation_{name}": value for name, value in metrics.items()})
            improved = self._remember_if_better(watched)
        if self.scheduler is not None and (_wants_loss(self.scheduler) or self.schedule == "epoch"):
            self.scheduler.step(*([watched] if _wants_loss(self.scheduler) else []))
        history.records.append(record)
        self.batch = 0
        self._sums = EpochSums()
        self._epochs_without_gain = 0 if improved else self._epochs_without_gain + 1
        if history.stopped_because:
            return
        if self.patience is not None and self._epochs_without_gain >= self.patience:
            what = "validation" if held_out is not None else "training"
            history.stopped_because = f"no better {what} loss for {self.patience} epochs"
        elif (
            self.gradient_tolerance is not None and record["largest_gradient_norm"] < self.gradient_tolerance
        ):
            history.stopped_because = (
                f"the gradient's norm stayed below {self.gradient_tolerance:g} for an epoch"
            )

    def _remember_if_better(self, loss: float) -> bool:
        before = loss if self._smoothed is None else self._smoothed
        self._smoothed = self.smoothing * before + (1.0 - self.smoothing) * loss if self.smoothing else loss
        if not self._smoothed < self.history.judged_loss:  # a NaN is never better
            return False
        self.history.judged_loss = self._smoothed
        self.history.best_loss = loss
        self.history.best_epoch = self.epoch
        if self.restore_best:
            self._best_weights = copy_weights(self.model)
        return True

    # --- exact continuation ------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, and the history; see `checkpoint.save_checkpoint`."""
        history = self.history
        return {
            "model": copy_weights(self.model),
            "optimizer": copied(self.optimizer.state_dict()),
            "scheduler": None if self.scheduler is None else copied(_scheduler_state(self.scheduler)),
            "random": as_array(rg.get_rng_state()),
            "order": {
                "seed": self.seed,
                "epoch": self.epoch,
                "batch": self.batch,
                "batch_size": self.batch_size,
            },
            "sums": vars(self._sums).copy(),
            "stopping": {
                "best_loss": history.best_loss,
                "best_epoch": history.best_epoch,
                "epochs_without_gain": self._epochs_without_gain,
                "smoothed": self._smoothed,
                "judged_loss": history.judged_loss,
                "stopped_because": "" if history.interrupted else history.stopped_because,
            },
            "best": self._best_weights,
            "averages": self.average.copies(),
            "history": [dict(record) for record in history.records],
            "steps": history.steps,
            "seconds": history.seconds,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue where `state` was taken; the trainer must have been made the same way."""
        order, stopping = state["order"], state["stopping"]
        if (order["seed"], order["batch_size"]) != (self.seed, self.batch_size):
            raise UsageError(
                f"the checkpoint's order of rows has seed {order['seed']} and batch size {order['batch_size']}, "
                f"this trainer has {self.seed} and {self.batch_size}",
                hint="make the trainer with the settings of the run",
            )
        load_weights(self.model, state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        rg.set_rng_state(rg.from_numpy(state["random"]))
        self.epoch, self.batch = order["epoch"], order["batch"]
        self._sums = EpochSums(**state["sums"])
        self._epochs_without_gain = stopping["epochs_without_gain"]
        self._smoothed = stopping["smoothed"]
        self._best_weights, self.average.values = state["best"], state["averages"]
        self.history = History(
            records=[dict(record) for record in state["history"]],
            best_epoch=stopping["best_epoch"],
            best_loss=stopping["best_loss"],
            judged_loss=stopping["judged_loss"],
            stopped_because=stopping["stopped_because"],
            steps=state["steps"],
            seconds=state["seconds"],
        )


def _wants_loss(scheduler: Any) -> bool:
    """True for `ReduceLROnPlateau`, which decides by the loss."""
    return type(scheduler).__name__ == "ReduceLROnPlateau"


def _scheduler_state(scheduler: Any) -> dict[str, Any]:
    """The scheduler's numbers; a function among them (`LambdaLR`) is the program's, not the state's."""
    return {key: value for key, value in scheduler.state_dict().items() if key != "lr_lambdas"}
