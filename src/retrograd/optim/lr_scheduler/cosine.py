"""Rates that fall along a cosine, once or again and again."""

from __future__ import annotations

import math

from ...errors import UsageError
from ..optimizer import Optimizer
from .scheduler import LRScheduler


def _cosine(high: float, low: float, part: float) -> float:
    return low + (high - low) * (1 + math.cos(math.pi * part)) / 2


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base - eta_min)·(1 + cos(π·t/T_max))/2: down to eta_min in T_max steps, and up again after that.

    Reckoned from the rate before, as in PyTorch.  Loshchilov and Hutter, "SGDR", ICLR 2017 (without its restarts).

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = CosineAnnealingLR(optimizer, T_max=2)
    >>> for _ in range(2): optimizer.step(); scheduler.step(); print(round(scheduler.get_last_lr()[0], 6))
    0.5
    0.0
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_max < 1:
            raise UsageError(
                f"CosineAnnealingLR: T_max is a number of steps from 1, got {T_max}", hint="T_max=100"
            )
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._asked()
        if self._is_initial:
            return self._now()
        if self._step_count == 1 and self.last_epoch > 0:
            return self._get_closed_form_lr()
        low, t = self.eta_min, self.last_epoch
        if (t - 1 - self.T_max) % (2 * self.T_max) == 0:  # the rate is eta_min: a ratio to it has no meaning
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [rate + (base - low) * rise for rate, base in zip(self._now(), self.base_lrs, strict=True)]
        ratio = (1 + math.cos(math.pi * t / self.T_max)) / (1 + math.cos(math.pi * (t - 1) / self.T_max))
        return [ratio * (rate - low) + low for rate in self._now()]

    def _get_closed_form_lr(self) -> list[float]:
        return [_cosine(base, self.eta_min, self.last_epoch / self.T_max) for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """eta_min + (base - eta_min)·(1 + cos(π·T_cur/T_i))/2, where T_cur starts again at 0 after every T_i steps.

    T_i is ``T_0`` at first, and ``T_mult`` times as long after every restart.  ``step(epoch)`` takes fractions of
    epochs.  Loshchilov and Hutter, "SGDR", ICLR 2017.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(2): optimizer.step(); scheduler.step(); print(round(scheduler.get_last_lr()[0], 6))
    0.5
    1.0
    """

    T_cur: float

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise UsageError(
                    f"CosineAnnealingWarmRestarts: {name} is a whole number from 1, got {value!r}",
                    hint=f"{name}={10 if name == 'T_0' else 2}",
                )
        if not isinstance(eta_min, int | float):
            raise UsageError(
                f"CosineAnnealingWarmRestarts: eta_min is a rate, got {eta_min!r}", hint="eta_min=1e-5"
            )
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._asked()
        return [_cosine(base, self.eta_min, self.T_cur / self.T_i) for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Move on by one, or to ``epoch``, which may be a fraction: epoch + batch/batches."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = epoch or 0
            if epoch < 0:
                raise UsageError(f"an epoch counts from 0, got {epoch}", hint="scheduler.step()")
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        self._get_lr_called_within_step = True
        try:
            rates = self.get_lr()
        finally:
            self._get_lr_called_within_step = False
        self._set_rates(rates)

    def _jump(self, epoch: float) -> None:
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**restarts
