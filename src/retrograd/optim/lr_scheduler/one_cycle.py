"""One cycle: up, down, and far down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...errors import UsageError
from ..optimizer import Optimizer
from .momentum import begin, set_momentum, uses_betas
from .scheduler import LRScheduler, per_group, require_optimizer


class OneCycleLR(LRScheduler):
    """Up from max_lr/div_factor to max_lr, then down to the start over final_div_factor; momentum does the opposite.

    Step it after every batch.  The first fraction ``pct_start`` of ``total_steps`` (or epochs·steps_per_epoch) goes up;
    ``three_phase`` comes down as it went up, and to the end after that.  Smith and Topin, 2018.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=10, pct_start=0.5)
    >>> for _ in range(4): optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        require_optimizer("OneCycleLR", optimizer)
        self.optimizer = optimizer
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        if not 0 <= pct_start <= 1:
            raise UsageError(f"OneCycleLR: pct_start is a fraction, got {pct_start}", hint="pct_start=0.3")
        if anneal_strategy not in ("cos", "linear"):
            raise UsageError(
                f"OneCycleLR: anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}",
                hint="anneal_strategy='cos'",
            )
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        max_lrs = per_group("max_lr", max_lr, optimizer)
        if last_epoch == -1:
            for group, top in zip(optimizer.param_groups, max_lrs, strict=True):
                group["max_lr"], group["initial_lr"] = top, top / div_factor
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = uses_betas("OneCycleLR", optimizer)
            low = per_group("base_momentum", base_momentum, optimizer)
            high = per_group("max_momentum", max_momentum, optimizer)
            if last_epoch == -1:
                begin(optimizer, low, high, self.use_beta1)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, part: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start

    def _phase(self) -> tuple[dict[str, Any], float]:
        """The present phase, and the part of it that is over."""
        now, start = self.last_epoch, 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if now <= end or phase is self._schedule_phases[-1]:
                return phase, (now - start) / (end - start) if end != start else 1.0
            start = end
        raise AssertionError("a schedule has phases")

    def get_lr(self) -> list[float]:
        self._asked()
        if self.last_epoch > self.total_steps:
            raise UsageError(
                f"OneCycleLR was stepped {self.last_epoch} times, its cycle has {self.total_steps}",
                hint=f"OneCycleLR(..., total_steps={self.last_epoch})",
            )
        phase, part = self._phase()
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                momentum = self._between(group[phase["start_momentum"]], group[phase["end_momentum"]], part)
                set_momentum(group, momentum, self.use_beta1)
        return [self._between(group[phase["start_lr"]], group[phase["end_lr"]], part) for group in groups]


def _length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    given = {"total_steps": total_steps}
    if total_steps is None:
        if epochs is None or steps_per_epoch is None:
            raise UsageError(
                "OneCycleLR needs to know its end",
                hint="total_steps=1000, or epochs=10, steps_per_epoch=100",
            )
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, value in given.items():
        if not isinstance(value, int) or value < 1:
            raise UsageError(
                f"OneCycleLR: {name} must be a positive whole number, got {value!r}", hint=f"{name}=100"
            )
    return math.prod(value for value in given.values() if value is not None)


def _phases(total: int, up: float, three: bool) -> list[dict[str, Any]]:
    """When each phase ends, and between which numbers of a group rate and momentum go in it."""

    def phase(end: float, rates: str, momenta: str) -> dict[str, Any]:
        (a, b), (c, d) = (pair.split(" to ") for pair in (rates, momenta))
        names = {"start_lr": f"{a}_lr", "end_lr": f"{b}_lr"}
        return {
            "end_step": end,
            **names,
            "start_momentum": f"{c}_momentum",
            "end_momentum": f"{d}_momentum",
        }

    rise = phase(float(up * total) - 1, "initial to max", "max to base")
    if not three:
        return [rise, phase(total - 1, "max to min", "base to max")]
    back = phase(float(2 * up * total) - 2, "max to initial", "base to max")
    return [rise, back, phase(total - 1, "initial to min", "max to max")]
