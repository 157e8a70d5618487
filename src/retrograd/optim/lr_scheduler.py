"""Schedules of the learning rate: call ``scheduler.step()`` after ``optimizer.step()``, once per epoch or step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import StateError, UsageError
from ..tensor import Tensor
from .optimizer import Optimizer


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Set the rate of a group; a rate that is a tensor keeps being that tensor, for it may be part of a graph."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


class LRScheduler:
    """Base class: `rate` says the rate of a group at ``last_epoch`` (0 before the first step)."""

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        _require_optimizer(type(self).__name__, optimizer)
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            if last_epoch == -1:
                group.setdefault("initial_lr", float(group["lr"]))
            elif "initial_lr" not in group:
                raise StateError(
                    f"{type(self).__name__} cannot continue at epoch {last_epoch}: its first rate is not known",
                    hint="load the optimiser's state dict first, or start with last_epoch=-1",
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._last_lr: list[float] = []
        self.step()

    def rate(self, group: dict[str, Any], base: float, index: int) -> float:
        """The rate of one group now."""
        raise NotImplementedError

    def get_last_lr(self) -> list[float]:
        """The rates that were set last, one per group."""
        return self._last_lr

    def step(self) -> None:
        """Move on by one and set the rates."""
        self.last_epoch += 1
        rates = [
            self.rate(g, b, i)
            for i, (g, b) in enumerate(zip(self.optimizer.param_groups, self.base_lrs, strict=True))
        ]
        for group, rate in zip(self.optimizer.param_groups, rates):
            set_rate(group, rate)
        self._last_lr = rates

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and functions."""
        return {key: value for key, value in self.__dict__.items() if key not in ("optimizer", "lr_lambdas")}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved state; the optimiser's own state dict brings back the rates."""
        self.__dict__.update({key: value for key, value in state_dict.items() if key in self.__dict__})


class LambdaLR(LRScheduler):
    """base·f(epoch), with one function, or one for each group.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        _require_optimizer("LambdaLR", optimizer)
        groups = len(optimizer.param_groups)
        self.lr_lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise UsageError(
                f"LambdaLR got {len(self.lr_lambdas)} functions for {groups} groups",
                hint="one function for all, or one each",
            )
        super().__init__(optimizer, last_epoch)

    def rate(self, group: dict[str, Any], base: float, index: int) -> float:
        return base * self.lr_lambdas[index](self.last_epoch)


class StepLR(LRScheduler):
    """Times ``gamma`` after every ``step_size`` epochs.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = StepLR(optimizer, step_size=1, gamma=0.5)
    >>> optimizer.step(); scheduler.step(); optimizer.param_groups[0]["lr"]
    0.5
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if step_size < 1:
            raise UsageError(
                f"StepLR: step_size is a number of epochs from 1, got {step_size}", hint="step_size=10"
            )
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def rate(self, group: dict[str, Any], base: float, index: int) -> float:
        # From the present rate, as in PyTorch: a rate that somebody else changed is kept.
        turn = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return float(group["lr"]) * (self.gamma if turn else 1.0)


class CosineAnnealingLR(LRScheduler):
    """eta_min + (base - eta_min)·(1 + cos(π·t/T_max))/2: down to eta_min in T_max steps, and up again after that.

    Loshchilov and Hutter, "SGDR", ICLR 2017 (without its restarts).
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_max < 1:
            raise UsageError(
                f"CosineAnnealingLR: T_max is a number of steps from 1, got {T_max}", hint="T_max=100"
            )
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def rate(self, group: dict[str, Any], base: float, index: int) -> float:
        return (
            self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        )


class OneCycleLR(LRScheduler):
    """Up from max_lr/div_factor to max_lr, then down to the start over final_div_factor; momentum does the opposite.

    Step it after every batch.  The first fraction ``pct_start`` of ``total_steps`` (or epochs·steps_per_epoch) goes up;
    ``three_phase`` comes down as it went up, and to the end after that.  Smith and Topin, 2018.
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
        _require_optimizer("OneCycleLR", optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise UsageError(
                    "OneCycleLR needs to know its end",
                    hint="total_steps=1000, or epochs=10, steps_per_epoch=100",
                )
            total_steps = epochs * steps_per_epoch
        if total_steps < 1:
            raise UsageError(
                f"OneCycleLR: total_steps must be positive, got {total_steps}", hint="total_steps=1000"
            )
        if not 0 <= pct_start <= 1:
            raise UsageError(f"OneCycleLR: pct_start is a fraction, got {pct_start}", hint="pct_start=0.3")
        if anneal_strategy not in ("cos", "linear"):
            raise UsageError(
                f"OneCycleLR: anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}",
                hint="anneal_strategy='cos'",
            )
        self.total_steps = total_steps
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        up = pct_start * total_steps - 1
        last = total_steps - 1
        rise = (up, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        self.phases: list[tuple[Any, ...]] = [
            rise,
            (last, "max_lr", "min_lr", "base_momentum", "max_momentum"),
        ]
        if three_phase:
            back = (2 * pct_start * total_steps - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
            self.phases = [rise, back, (last, "initial_lr", "min_lr", "max_momentum", "max_momentum")]
        if last_epoch == -1:
            self._prepare(optimizer, max_lr, base_momentum, max_momentum, div_factor, final_div_factor)
        super().__init__(optimizer, last_epoch)

    def _prepare(
        self, optimizer: Optimizer, max_lr: Any, base: Any, top: Any, div: float, final_div: float
    ) -> None:
        for i, group in enumerate(optimizer.param_groups):
            group["max_lr"] = _of_group("max_lr", max_lr, i, optimizer)
            group["initial_lr"] = group["max_lr"] / div
            group["min_lr"] = group["initial_lr"] / final_div
            if self.cycle_momentum:
                if "momentum" not in group and "betas" not in group:
                    raise UsageError(
                        f"{type(optimizer).__name__} has no momentum to cycle",
                        hint="OneCycleLR(..., cycle_momentum=False)",
                    )
                group["max_momentum"] = _of_group("max_momentum", top, i, optimizer)
                group["base_momentum"] = _of_group("base_momentum", base, i, optimizer)

    def _between(self, start: float, end: float, part: float) -> float:
        if self.anneal_strategy == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start

    def _phase(self, now: int) -> tuple[float, tuple[Any, ...]]:
        """Where the present phase starts, and the phase."""
        start = 0.0
        for phase in self.phases[:-1]:
            if now <= phase[0]:
                return start, phase
            start = phase[0]
        return start, self.phases[-1]

    def rate(self, group: dict[str, Any], base: float, index: int) -> float:
        now = self.last_epoch
        if now > self.total_steps:
            raise UsageError(
                f"OneCycleLR was stepped {now} times, its cycle has {self.total_steps}",
                hint=f"OneCycleLR(..., total_steps={now})",
            )
        start, (end, lr_from, lr_to, momentum_from, momentum_to) = self._phase(now)
        part = (now - start) / (end - start) if end != start else 1.0
        if self.cycle_momentum:
            momentum = self._between(group[momentum_from], group[momentum_to], part)
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum
        return self._between(group[lr_from], group[lr_to], part)


class ReduceLROnPlateau:
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
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        _require_optimizer("ReduceLROnPlateau", optimizer)
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
        self.min_lrs = [_of_group("min_lr", min_lr, i, optimizer) for i in range(len(optimizer.param_groups))]
        self.eps = eps
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0
        self._last_lr = [float(group["lr"]) for group in optimizer.param_groups]

    def _better(self, value: float) -> bool:
        if self.threshold_mode == "rel":
            return (
                value < self.best * (1 - self.threshold)
                if self.mode == "min"
                else value > self.best * (1 + self.threshold)
            )
        return (
            value < self.best - self.threshold if self.mode == "min" else value > self.best + self.threshold
        )

    def step(self, metrics: Any) -> None:
        """Take note of the validation loss (or another number) of an epoch."""
        value = float(metrics)
        self.last_epoch += 1
        if self._better(value):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                reduced = max(float(group["lr"]) * self.factor, lowest)
                if group["lr"] - reduced > self.eps:
                    set_rate(group, reduced)
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = [float(group["lr"]) for group in self.optimizer.param_groups]

    def get_last_lr(self) -> list[float]:
        """The present rates, one per group."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved state."""
        self.__dict__.update({key: value for key, value in state_dict.items() if key in self.__dict__})


def _require_optimizer(name: str, optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise UsageError(
            f"{name} takes an optimiser, got {type(optimizer).__name__}",
            hint=f"{name}(optim.SGD(model.parameters()), ...)",
        )


def _of_group(name: str, value: Any, index: int, optimizer: Optimizer) -> float:
    """One number for all groups, or the one of this group."""
    if isinstance(value, int | float):
        return float(value)
    if len(value) != len(optimizer.param_groups):
        raise UsageError(
            f"{name} has {len(value)} values for {len(optimizer.param_groups)} parameter groups",
            hint="one number for all, or one each",
        )
    return float(value[index])
