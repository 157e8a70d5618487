"""Rates that go from one multiple of the first rate to another in a given number of steps."""

from __future__ import annotations

from ...errors import UsageError
from ..optimizer import Optimizer
from .scheduler import LRScheduler


class ConstantLR(LRScheduler):
    """``factor``·base for the first ``total_iters`` steps, base after that.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> for _ in range(3): print(scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    [0.5]
    [0.5]
    [1.0]
    """

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 <= factor <= 1:
            raise UsageError(f"ConstantLR: factor lies in [0, 1], got {factor}", hint="factor=0.5")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._asked()
        if self.last_epoch == 0:
            return [rate * self.factor for rate in self._now()]
        if self.last_epoch != self.total_iters:
            return self._now()
        return self.base_lrs if self.factor == 0 else [rate * (1.0 / self.factor) for rate in self._now()]

    def _get_closed_form_lr(self) -> list[float]:
        factor = 1.0 if self.last_epoch >= self.total_iters else self.factor
        return [base * factor for base in self.base_lrs]


class LinearLR(LRScheduler):
    """From ``start_factor``·base to ``end_factor``·base in ``total_iters`` equal steps: a warm-up.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> for _ in range(3): print(scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    [0.5]
    [0.75]
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise UsageError(
                f"LinearLR: start_factor lies in (0, 1], got {start_factor}", hint="start_factor=0.1"
            )
        if not 0 <= end_factor <= 1:
            raise UsageError(f"LinearLR: end_factor lies in [0, 1], got {end_factor}", hint="end_factor=1.0")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._asked()
        if self.last_epoch == 0:
            return [rate * self.start_factor for rate in self._now()]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._now()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [rate * (1.0 + rise / before) for rate in self._now()]

    def _get_closed_form_lr(self) -> list[float]:
        part = min(self.total_iters, self.last_epoch) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * part
        return [base * factor for base in self.base_lrs]


class PolynomialLR(LRScheduler):
    """base·(1 - t/total_iters)^power, and 0 from then on.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = PolynomialLR(optimizer, total_iters=2)
    >>> for _ in range(3): print(scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    [1.0]
    [0.5]
    [0.0]
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self._asked()
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._now()
        left, before = (1.0 - t / self.total_iters for t in (self.last_epoch, self.last_epoch - 1))
        return [rate * (left / before) ** self.power for rate in self._now()]

    def _get_closed_form_lr(self) -> list[float]:
        left = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [base * left**self.power for base in self.base_lrs]
