"""Rates by a function of the epoch."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import UsageError
from ..optimizer import Optimizer
from .scheduler import LRScheduler, require_optimizer

Factor = Callable[[int], float]


class _ByFunction(LRScheduler):
    lr_lambdas: list[Factor]

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        name = type(self).__name__
        require_optimizer(name, optimizer)
        groups = len(optimizer.param_groups)
        self.lr_lambdas = (
            list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [lr_lambda] * groups  # type: ignore[list-item]
        )
        if len(self.lr_lambdas) != groups:
            raise UsageError(
                f"{name} got {len(self.lr_lambdas)} functions for {groups} groups",
                hint="one function for all, or one each",
            )
        for fn in self.lr_lambdas:
            if not callable(fn):
                raise UsageError(
                    f"{name}: lr_lambda is a function of the epoch, got {type(fn).__name__}",
                    hint=f"{name}(optimizer, lambda epoch: 0.95)",
                )
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimiser and plain functions; of other callables, their attributes."""
        return {**super().state_dict(), "lr_lambdas": [attributes(fn) for fn in self.lr_lambdas]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved state; functions stay those that this schedule was made with."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for fn, saved in zip(self.lr_lambdas, state_dict.get("lr_lambdas", ())):
            if saved is not None:
                fn.__dict__.update(saved)


def attributes(fn: Any) -> dict[str, Any] | None:
    """What to save of a callable: nothing of a plain function, which is the program's."""
    return None if isinstance(fn, types.FunctionType) else dict(getattr(fn, "__dict__", {}))


class LambdaLR(_ByFunction):
    """base·f(epoch), with one function, or one for each group.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> optimizer.step(); scheduler.step(); scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[float]:
        self._asked()
        return [base * fn(self.last_epoch) for base, fn in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_ByFunction):
    """The present rate times f(epoch).

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = MultiplicativeLR(optimizer, lambda epoch: 0.5)
    >>> for _ in range(3): optimizer.step(); scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def get_lr(self) -> list[float]:
        self._asked()
        if self._is_initial:
            return self._now()
        factors = [fn(self.last_epoch) for fn in self.lr_lambdas]
        return [rate * factor for rate, factor in zip(self._now(), factors)]
