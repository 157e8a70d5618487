"""Averages of the weights along the way of training, which are often better than the last ones."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..errors import UsageError
from ..functions.create import check_device, tensor
from ..functions.elementwise import where
from ..modes import no_grad
from ..nn.module import Module
from ..op import context
from ..tensor import Tensor
from .lr_scheduler import LRScheduler
from .lr_scheduler.scheduler import per_group, require_optimizer
from .optimizer import Optimizer

__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn", "update_bn",
]  # fmt: skip

Average = Callable[[Tensor, Tensor, Any], Tensor]
AverageAll = Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]


def get_swa_avg_fn() -> Average:
    """a + (w - a)/(n + 1): the mean of all."""
    return no_grad()(lambda averaged, current, n: averaged + (current - averaged) / (n + 1))


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """decay·a + (1 - decay)·w: a mean that forgets."""
    _check_decay(decay)
    return no_grad()(lambda averaged, current, n: decay * averaged + (1 - decay) * current)


def get_swa_multi_avg_fn() -> AverageAll:
    """`get_swa_avg_fn` for lists of tensors, in place."""
    return _for_all(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> AverageAll:
    """`get_ema_avg_fn` for lists of tensors, in place."""
    return _for_all(get_ema_avg_fn(decay))


def _check_decay(decay: float) -> None:
    if not 0 <= decay <= 1:
        raise UsageError(f"decay lies in [0, 1], got {decay}", hint="get_ema_avg_fn(0.999)")


def _for_all(average: Average) -> AverageAll:
    @no_grad()
    def in_place(averaged: Sequence[Tensor], current: Sequence[Tensor], n: Any) -> None:
        for a, w in zip(averaged, current, strict=True):
            a.copy_(average(a, w, n))

    return in_place


class AveragedModel(Module):
    """A copy of a model whose weights are averages of the model's, taken at each `update_parameters`.

    The mean of all (stochastic weight averaging: Izmailov et al., UAI 2018), unless ``avg_fn(averaged, current, n)``
    or ``multi_avg_fn``, which gets lists and works in place, says otherwise: `get_ema_avg_fn` forgets exponentially.
    Buffers are averaged with ``use_buffers``, otherwise copied; see `update_bn`.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = AveragedModel(model)
    >>> for value in (1.0, 3.0):
    ...     _ = nn.init.constant_(model.weight, value); average.update_parameters(model)
    >>> average.module.weight.item(), average.n_averaged.item()
    (2.0, 2)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: AverageAll | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise UsageError(
                "AveragedModel takes avg_fn or multi_avg_fn, not both", hint="avg_fn=get_ema_avg_fn(0.999)"
            )
        check_device(device)
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", tensor(0))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the weights of ``model`` into the average; the first time they are copied."""
        here, there = (_members(m, self.use_buffers) for m in (self.module, model))
        first = self.n_averaged == 0
        if context.tracer is not None:
            self._average(here, there)
            for a, w in zip(here, there, strict=True):
                a.copy_(where(first, w, a))
        elif first:
            for a, w in zip(here, there, strict=True):
                a.copy_(w)
        else:
            self._average(here, there)
        if not self.use_buffers:
            for a, w in zip(self.module.buffers(), model.buffers(), strict=True):
                a.copy_(w.detach())
        self.n_averaged.add_(1)

    def _average(self, here: list[Tensor], there: list[Tensor]) -> None:
        if self.multi_avg_fn is not None:
            self.multi_avg_fn(here, there, self.n_averaged)
        else:
            average = self.avg_fn or get_swa_avg_fn()
            for a, w in zip(here, there, strict=True):
                a.copy_(average(a, w, self.n_averaged))


def _members(module: Module, buffers: bool) -> list[Tensor]:
    found = [*module.parameters(), *(module.buffers() if buffers else ())]
    return [p.detach() for p in found]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Reckon the running statistics of all batch normalisations anew, as plain means over ``loader``.

    Averaged weights need statistics of their own.  Of batches that are lists or tuples, the first entry is the input.
    """
    check_device(device)
    norms = [m for m in model.modules() if hasattr(m, "reset_running_stats") and hasattr(m, "momentum")]
    if not norms:
        return
    momenta: list[Any] = [m.momentum for m in norms]
    was_training = model.training
    for m in norms:
        m.reset_running_stats()
        m.momentum = None  # type: ignore[assignment]
    model.train()
    try:
        for batch in loader:
            model(batch[0] if isinstance(batch, list | tuple) else batch)
    finally:
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """From the present rates to ``swa_lr`` in ``anneal_epochs`` steps, along a cosine or a line, and there it stays.

    >>> import retrograd as rg
    >>> from retrograd import optim
    >>> optimizer = optim.SGD([rg.zeros(1, requires_grad=True)], lr=1.0)
    >>> scheduler = SWALR(optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3): optimizer.step(); scheduler.step(); print(scheduler.get_last_lr())
    [0.75]
    [0.5]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        require_optimizer("SWALR", optimizer)
        if anneal_strategy not in ("cos", "linear"):
            raise UsageError(
                f"SWALR: anneal_strategy is 'cos' or 'linear', not {anneal_strategy!r}",
                hint="anneal_strategy='cos'",
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise UsageError(
                f"SWALR: anneal_epochs is a whole number from 0, got {anneal_epochs!r}",
                hint="anneal_epochs=10",
            )
        for group, rate in zip(optimizer.param_groups, per_group("swa_lr", swa_lr, optimizer), strict=True):
            group["swa_lr"] = rate
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _part(self, step: int) -> float:
        """Which part of the way is gone after so many steps."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[float]:
        self._asked()
        step = self._step_count - 1 if self.anneal_epochs else max(1, self._step_count - 1)
        before, part = self._part(step - 1), self._part(step)
        rates = []
        for group, rate in zip(self.optimizer.param_groups, self._now(), strict=True):
            end = group["swa_lr"]
            start = end if before == 1 else (rate - before * end) / (1 - before)
            rates.append(end * part + start * (1 - part))
        return rates
