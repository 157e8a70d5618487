"""What all schedules share: the count of steps, setting the rates, saving and loading."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from ...capture import refuse_traced
from ...errors import StateError, UsageError
from ...op import context
from ...tensor import Tensor
from ..optimizer import Optimizer
from ..options import Group

EPOCH_GIVEN = (
    "step(epoch) is deprecated: call step() once per epoch. A schedule that is given the epoch jumps to it, "
    "with its closed form where it has one"
)


def set_rate(group: Group, rate: float) -> None:
    """Set the rate of a group; a rate that is a tensor keeps being that tensor, for it may be part of a graph."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def rates_of(optimizer: Optimizer) -> list[float]:
    """The rates of all groups now, as plain numbers."""
    return [_plain(group["lr"]) for group in optimizer.param_groups]


def _plain(rate: Any) -> float:
    return rate.item() if isinstance(rate, Tensor) else rate


def require_optimizer(name: str, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise UsageError(
            f"{name} takes an optimiser, got {type(optimizer).__name__}",
            hint=f"{name}(optim.SGD(model.parameters()), ...)",
        )


def per_group(name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """A value for each group: the same for all, or one each."""
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [_plain(value)] * groups
    if len(value) != groups:
        raise UsageError(
            f"{name} has {len(value)} values for {groups} parameter groups",
            hint="one number for all, or one each",
        )
    return [_plain(v) for v in value]


def _in_python(step: Callable[..., None]) -> Callable[..., None]:
    """``step``, which in a compiled function happens at every call, not once while it is traced."""

    @functools.wraps(step)
    def stepped(self: Any, *args: Any, **kwargs: Any) -> None:
        if context.tracer is None:
            return step(self, *args, **kwargs)
        refuse_traced(f"{type(self).__name__}.step", *args, *kwargs.values())
        context.tracer.host(lambda: step(self, *args, **kwargs))  # type: ignore[attr-defined]
        return None

    return stepped


class LRScheduler:
    """Base class of schedules: subclasses define ``get_lr``, the list of rates at ``last_epoch`` (at first 0).

    Most schedules change the rates that the groups have now, so that several can act on one optimiser, and a rate that
    somebody changes by hand is kept.  ``step()`` comes after ``optimizer.step()``.
    """

    _get_lr_called_within_step = False
    _is_initial = False
    _step_count = 0
    _last_lr: list[float]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        require_optimizer(name, optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _plain(group["lr"]))
            elif "initial_lr" not in group:
                raise StateError(
                    f"{name} cannot continue at epoch {last_epoch}: the first rate of parameter group {i} is not known",
                    hint="load the optimiser's state dict first, or start with last_epoch=-1",
                )
        self.base_lrs = [_plain(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _in_python(cls.__dict__["step"])

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[float]:
        """The rates at ``last_epoch``; for ``step`` to call. `get_last_lr` tells what they are."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one per group."""
        return self._last_lr

    @_in_python
    def step(self, epoch: int | None = None) -> None:
        """Move on by one and set the rates."""
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn(
                "lr_scheduler.step() was called before optimizer.step(): the first rate of the schedule is skipped. "
                "Call optimizer.step() first",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_GIVEN, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = getattr(self, "_get_closed_form_lr", None) if epoch is not None else None
        self._get_lr_called_within_step = True
        try:
            rates = (closed or self.get_lr)()
        finally:
            self._get_lr_called_within_step = False
        self._set_rates(rates)

    def _set_rates(self, rates: list[float]) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise UsageError(
                f"{type(self).__name__} was made for {len(rates)} parameter groups, the optimiser has {len(groups)} now",
                hint="make the schedule after add_param_group",
            )
        for group, rate in zip(groups, rates):
            set_rate(group, rate)
        self._last_lr = rates_of(self.optimizer)

    def _asked(self) -> None:
        """Warn somebody who calls ``get_lr`` directly: it would give the rates after one more change."""
        if not self._get_lr_called_within_step:
            warnings.warn("to see the rates, call get_last_lr()", UserWarning, stacklevel=3)

    def _now(self) -> list[float]:
        return rates_of(self.optimizer)

    # -- state ----------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser, under PyTorch's names."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved state; the optimiser's own state dict brings back the rates."""
        known = self.__dict__
        known.update({key: value for key, value in state_dict.items() if key in known and key != "optimizer"})
