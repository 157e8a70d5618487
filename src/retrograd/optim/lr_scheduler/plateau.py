"""Rates that fall when the loss stops falling."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from ...errors import UsageError
from ..optimizer import Optimizer
from .scheduler import EPOCH_GIVEN, LRScheduler, per_group, rates_of, require_optimizer, set_rate


class ReduceLROnPlateau(LRScheduler):
    """Times ``factor`` when the number given to ``step`` has not become better for more than ``patience`` steps.

    Better (``mode`` "min"): below best·(1 - threshold), or best - threshold with ``threshold_mode`` "abs".  After a cut
    it waits for ``cooldown`` steps; rates stay above ``min_lr``, and changes below ``eps`` are not made.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = ReduceLROnPlateau(optimizer, patience=0)
    >>> for loss in (1.0, 1.0): scheduler.step(loss)
    >>> scheduler.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        require_optimizer("ReduceLROnPlateau", optimizer)
        if not 0 < factor < 1:
            raise UsageError(
                f"ReduceLROnPlateau: factor lies between 0 and 1, got {factor}", hint="factor=0.1"
            )
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise UsageError(
                f"ReduceLROnPlateau: mode {mode!r} or threshold_mode {threshold_mode!r} is not known",
                hint="ReduceLROnPlateau(optimizer, mode='min', threshold_mode='rel')",
            )
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.default_min_lr: Any = None if isinstance(min_lr, list | tuple) else min_lr
        self.min_lrs = per_group("min_lr", min_lr, optimizer)
        self.eps = eps
        self.last_epoch = 0
        self.mode_worse = math.inf if mode == "min" else -math.inf
        self._last_lr = rates_of(optimizer)
        self._reset()

    def _reset(self) -> None:
        """Forget the losses seen so far."""
        self.best = self.mode_worse
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    @property
    def in_cooldown(self) -> bool:
        """True while a cut is waited out."""
        return self.cooldown_counter > 0

    def _is_better(self, value: float, best: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "rel":
            return sign * value < sign * (best * (1 - sign * self.threshold))
        return sign * value < sign * best - self.threshold

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Take note of the validation loss (or another number) of an epoch."""
        value = float(metrics)
        if epoch is not None:
            warnings.warn(EPOCH_GIVEN, UserWarning, stacklevel=2)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(value, self.best):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = rates_of(self.optimizer)

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise UsageError(
                    f"ReduceLROnPlateau has min_lr for {len(self.min_lrs)} parameter groups, the optimiser has {len(groups)} now",
                    hint="scheduler.min_lrs.append(0.0)",
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, rate, lowest in zip(groups, rates_of(self.optimizer), self.min_lrs, strict=True):
            reduced = max(rate * self.factor, lowest)
            if rate - reduced > self.eps:
                set_rate(group, reduced)
