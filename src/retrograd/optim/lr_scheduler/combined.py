"""Several schedules on one optimiser: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import UsageError
from ..optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler, rates_of, set_rate


class _Combined(LRScheduler):
    _schedulers: list[LRScheduler]

    def _take(self, schedulers: Sequence[Any], optimizer: Optimizer | None) -> Optimizer:
        name = type(self).__name__
        if len(schedulers) < 1:
            raise UsageError(f"{name} got no schedule", hint=f"{name}([first, second], ...)")
        for i, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise UsageError(
                    f"{name} takes schedules, got {type(scheduler).__name__} at index {i}",
                    hint="lr_scheduler.LinearLR(optimizer)",
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise UsageError(
                    f"{name} does not take ReduceLROnPlateau (index {i}): its step needs the loss",
                    hint="call its step(loss) separately",
                )
            optimizer = optimizer or scheduler.optimizer
            if scheduler.optimizer is not optimizer:
                raise UsageError(
                    f"{name}: the schedule at index {i} ({type(scheduler).__name__}) belongs to another optimiser",
                    hint="make all of them for one optimiser",
                )
        assert optimizer is not None
        self._schedulers = list(schedulers)
        self.optimizer = optimizer
        return optimizer

    def state_dict(self) -> dict[str, Any]:
        """The states of all schedules, and which is next."""
        return {**super().state_dict(), "_schedulers": [s.state_dict() for s in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved state."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_schedulers"})
        for scheduler, saved in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(saved)

    def get_lr(self) -> list[float]:
        raise UsageError(
            f"a {type(self).__name__} cannot begin at a milestone: it has no rate of its own",
            hint="list its schedules one by one",
        )


class SequentialLR(_Combined):
    """One schedule after the other; the next one begins, with its own start, at each of the ``milestones``.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> warm = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> fall = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = SequentialLR(optimizer, [warm, fall], milestones=[2])
    >>> for _ in range(4): print(scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    [0.5]
    [0.5]
    [1.0]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._take(schedulers, optimizer)
        if len(milestones) != len(schedulers) - 1:
            raise UsageError(
                f"SequentialLR: {len(schedulers)} schedules meet at {len(schedulers) - 1} milestones, got {len(milestones)}",
                hint="SequentialLR(optimizer, [warm_up, decay], milestones=[100])",
            )
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # what the schedules did when they were made is undone
            set_rate(group, group["initial_lr"])
        self.recursive_undo()
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def recursive_undo(self, sched: Any = None) -> None:
        """Take back the step that every schedule took when it was made."""
        for inner in getattr(self if sched is None else sched, "_schedulers", ()):
            self.recursive_undo(inner)
        if sched is not None and not hasattr(sched, "_schedulers"):
            sched.last_epoch -= 1

    def step(self) -> None:  # type: ignore[override]
        """Move on by one."""
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[index]
        if index > 0 and self._milestones[index - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Combined):
    """All schedules at every step: their factors multiply.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> warm = optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    >>> fall = optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = ChainedScheduler([warm, fall])
    >>> for _ in range(3): print(scheduler.get_last_lr()); optimizer.step(); scheduler.step()
    [0.5]
    [0.25]
    [0.25]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._last_lr = rates_of(self._take(schedulers, optimizer))

    def step(self) -> None:  # type: ignore[override]
        """Step all schedules."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = rates_of(self.optimizer)
