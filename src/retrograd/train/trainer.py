"""The training loop, once for every kind of network.

One *iteration* is the four steps of learning on one batch of rows: forward pass, error, backward pass (which only
fills ``.grad``), update (which only the optimiser does).  One *epoch* is every training row once.  After each epoch
the validation rows are looked at; the weights that did best on them are kept.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.errors import GradError, UsageError
from retrograd.train.interrupt import Interrupt
from retrograd.train.progress import Event, Progress, silent
from retrograd.train.sampler import RowSampler

_EVALUATION_ROWS = (
    4096  # rows per batch where nothing is learnt: large enough to be fast, small enough to fit
)
_BATCH_EVENT_SECONDS = 0.1


@dataclass
class History:
    """What happened: one record per epoch, which epoch was best (from 1; 0: none), and why training ended.

    ``best_loss`` is the validation loss of the best epoch, ``judged_loss`` the smoothed one it was chosen by.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    best_epoch: int = 0
    best_loss: float = math.inf
    judged_loss: float = math.inf
    stopped_because: str = ""
    interrupted: bool = False
    steps: int = 0
    seconds: float = 0.0

    def column(self, name: str) -> list[Any]:
        """One value per epoch: ``history.column("validation_loss")``."""
        return [record.get(name) for record in self.records]


@dataclass
class _Sums:
    """Totals of the epoch under way; part of the state, so that an epoch cut in two logs what a whole one logs."""

    loss: float = 0.0
    rows: int = 0
    norm: float = 0.0
    largest_norm: float = 0.0
    batches: int = 0
    seconds: float = 0.0


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
    ) -> None:
        if schedule not in ("step", "epoch"):
            raise UsageError(f"schedule={schedule!r}", hint='schedule="step" or schedule="epoch"')
        self.model, self.optimizer, self.loss = model, optimizer, loss
        self.batch_size, self.seed, self.shuffle = batch_size, seed, shuffle
        self.scheduler, self.schedule = scheduler, schedule
        self.clip_norm, self.patience, self.restore_best = clip_norm, patience, restore_best
        self.average, self.gradient_tolerance = average, gradient_tolerance
        self.smoothing = smoothing
        self.metrics, self.progress = metrics, progress
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self.history = History()
        self.epoch = 0  # epochs finished
        self.batch = 0  # batches finished in the epoch under way
        self._sums = _Sums()
        self._best_weights: dict[str, np.ndarray] | None = None
        self._averages: list[np.ndarray] | None = None
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
            self._demand_cleared_gradients()
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
        if self.scheduler is not None and self.schedule == "step" and not _wants_loss(self.scheduler):
            self.scheduler.step()
        self.history.steps += 1
        if self.average is not None:
            self._update_averages(self.average)
        return loss.item(), norm

    def _update_averages(self, decay: float) -> None:
        values = [parameter.detach().numpy() for parameter in self.parameters]
        if self._averages is None:
            self._averages = [value.copy() for value in values]
            return
        steps = self.history.steps
        weight = 1.0 - min(decay, (1 + steps) / (10 + steps))
        for average, value in zip(self._averages, values, strict=True):
            average += np.asarray(weight, average.dtype) * (value - average)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Within it the model has the averaged weights."""
        if self._averages is None:
            yield
            return
        learning = [parameter.detach().numpy().copy() for parameter in self.parameters]
        self._put(self._averages)
        try:
            yield
        finally:
            self._put(learning)

    def _put(self, values: Sequence[np.ndarray]) -> None:
        with rg.no_grad():
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.copy_(rg.from_numpy(value))

    def _demand_cleared_gradients(self) -> None:
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
    ) -> History:
        """Train until one of the stopping rules applies; returns the history (also in ``self.history``).

        ``inputs``: an array of n rows, or a tuple of such arrays, passed to the model in order; ``targets``: n rows.
        ``on_epoch`` gets each epoch's record; ``checkpoint`` gets the whole state every ``checkpoint_seconds`` (at
        the end of an epoch; the first time after one fifth of them), every ``checkpoint_steps`` updates, and when
        ``interrupt`` is requested.
        """
        inputs, targets = as_arrays(inputs), as_array(targets)
        _demand_equal_rows(inputs, targets)
        held_out = None
        if validation is not None:
            held_out = (as_arrays(validation[0]), as_array(validation[1]))
            _demand_equal_rows(*held_out)
        history = self.history
        history.stopped_because, history.interrupted = "", False
        sampler = RowSampler(len(targets), batch_size=self.batch_size, seed=self.seed, shuffle=self.shuffle)
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
                loss, norm = self.step([array[rows] for array in inputs], targets[rows])
                self._count(loss, norm, len(rows))
                now = time.monotonic()
                history.seconds = spent_before + now - started
                self._sums.seconds = seconds_before + now - epoch_started
                if now - last_event > _BATCH_EVENT_SECONDS:
                    last_event = now
                    self._report_batch(loss, len(targets))
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
            self._finish_epoch(held_out, sampler)
            history.seconds = spent_before + time.monotonic() - started
            self._report_epoch(epochs, time_limit)
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
            with self._averaged():
                self._remember_if_better(
                    self.evaluate(*held_out)[0]
                )  # stopped in the first epoch: something is kept
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
            for start in range(0, len(targets), _EVALUATION_ROWS):
                part = slice(start, start + _EVALUATION_ROWS)
                loss = self.loss(rg.from_numpy(outputs[part]), rg.from_numpy(targets[part]))
                total += loss.item() * len(targets[part])
        metrics = dict(self.metrics(outputs, targets)) if self.metrics is not None else {}
        return total / max(1, len(targets)), metrics

    def predict(self, inputs: Any) -> np.ndarray:
        """Outputs for all rows, in order, in evaluation mode."""
        return predict(self.model, inputs)

    # --- bookkeeping -------------------------------------------------------------------------------------------------

    def _count(self, loss: float, norm: float, rows: int) -> None:
        sums = self._sums
        sums.loss += loss * rows
        sums.rows += rows
        sums.norm += norm
        sums.largest_norm = max(sums.largest_norm, norm)
        sums.batches += 1
        self.batch += 1

    def _finish_epoch(
        self, held_out: tuple[list[np.ndarray], np.ndarray] | None, sampler: RowSampler
    ) -> None:
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
        with self._averaged():
            if held_out is not None:
                watched, metrics = self.evaluate(*held_out)
                record["validation_loss"] = watched
                record.update({f"validation_{name}": value for name, value in metrics.items()})
            improved = self._remember_if_better(watched)
        if self.scheduler is not None and (_wants_loss(self.scheduler) or self.schedule == "epoch"):
            self.scheduler.step(*([watched] if _wants_loss(self.scheduler) else []))
        history.records.append(record)
        self.batch = 0
        self._sums = _Sums()
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

    def _report_batch(self, loss: float, rows: int) -> None:
        done = self._sums.rows
        values = {
            "epoch": self.epoch + 1,
            "rows_done": done,
            "rows": rows,
            "loss": loss,
            "rows_per_second": done / max(self._sums.seconds, 1e-9),
        }
        self.progress(Event("batch", f"epoch {self.epoch + 1}", values))

    def _report_epoch(self, epochs: int, time_limit: float | None) -> None:
        record = self.history.records[-1]
        left = self.history.seconds / max(1, self.epoch) * (epochs - self.epoch)
        if time_limit is not None:
            left = min(left, max(0.0, time_limit - self.history.seconds))
        values = {**record, "epochs": epochs, "seconds_left": left, "best_epoch": self.history.best_epoch}
        text = ", ".join(
            f"{key.replace('_', ' ')} {record[key]:.4g}" for key in record if key.endswith("_loss")
        )
        self.progress(Event("epoch", f"epoch {record['epoch']}: {text}", values))

    # --- exact continuation ------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, and the history; see `checkpoint.save_checkpoint`."""
        history = self.history
        return {
            "model": copy_weights(self.model),
            "optimizer": _copied(self.optimizer.state_dict()),
            "scheduler": None if self.scheduler is None else _copied(scheduler_state(self.scheduler)),
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
            "averages": None if self._averages is None else [average.copy() for average in self._averages],
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
        self._sums = _Sums(**state["sums"])
        self._epochs_without_gain = stopping["epochs_without_gain"]
        self._smoothed = stopping["smoothed"]
        self._best_weights, self._averages = state["best"], state["averages"]
        self.history = History(
            records=[dict(record) for record in state["history"]],
            best_epoch=stopping["best_epoch"],
            best_loss=stopping["best_loss"],
            judged_loss=stopping["judged_loss"],
            stopped_because=stopping["stopped_because"],
            steps=state["steps"],
            seconds=state["seconds"],
        )


def predict(model: Any, inputs: Any) -> np.ndarray:
    """Outputs of `model` for all rows, in order, in evaluation mode and without gradients; the mode is put back."""
    arrays = as_arrays(inputs)
    training = model.training
    model.eval()
    try:
        with rg.no_grad():
            parts = [
                model(*[rg.from_numpy(array[start : start + _EVALUATION_ROWS]) for array in arrays]).numpy()
                for start in range(0, max(1, len(arrays[0])), _EVALUATION_ROWS)
            ]
    finally:
        model.train(training)
    return np.concatenate(parts)


def gradient_norm(parameters: Sequence[Any]) -> float:
    """‖∇‖₂ over all parameters together."""
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges is stopped by its loss, not here
        for parameter in parameters:
            if parameter.grad is not None:
                flat = parameter.grad.numpy().ravel()
                total += float(np.dot(flat, flat))
    return math.sqrt(total) if math.isfinite(total) else math.nan


def copy_weights(model: Any) -> dict[str, np.ndarray]:
    """Parameters and buffers by name, as arrays of their own."""
    return {name: tensor.detach().numpy().copy() for name, tensor in model.state_dict().items()}


def load_weights(model: Any, weights: Mapping[str, np.ndarray]) -> None:
    """Put back what `copy_weights` took."""
    model.load_state_dict({name: rg.from_numpy(array.copy()) for name, array in weights.items()})


def scheduler_state(scheduler: Any) -> dict[str, Any]:
    """The scheduler's numbers; a function among them (`LambdaLR`) is the program's, not the state's."""
    return {key: value for key, value in scheduler.state_dict().items() if key != "lr_lambdas"}


def _copied(value: Any) -> Any:
    """A nest of dicts, lists and tensors that later steps do not reach."""
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(item) for item in value)
    if hasattr(value, "detach"):
        return rg.from_numpy(value.detach().numpy().copy())
    return value


def as_array(value: Any) -> np.ndarray:
    """A NumPy array from an array, a Tensor or a list."""
    return value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)


def as_arrays(inputs: Any) -> list[np.ndarray]:
    """One array per argument of the model."""
    return [as_array(item) for item in inputs] if isinstance(inputs, (tuple, list)) else [as_array(inputs)]


def _demand_equal_rows(inputs: Sequence[np.ndarray], targets: np.ndarray) -> None:
    counts = [len(array) for array in inputs] + [len(targets)]
    if len(set(counts)) != 1:
        raise UsageError(
            f"inputs and targets have different numbers of rows: {', '.join(map(str, counts))}",
            hint="give arrays whose first axis is the row; several inputs as a tuple",
        )


def _wants_loss(scheduler: Any) -> bool:
    """True for `ReduceLROnPlateau`, which decides by the loss."""
    return type(scheduler).__name__ == "ReduceLROnPlateau"
