"""Adagrad: gradients divided by the root of the sum of all their squares so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import full_like
from ..tensor import Tensor
from .optimizer import Group, Optimizer, advance


class Adagrad(Optimizer):
    """s ← s + g²,  w ← w - lr/(1 + (t-1)·lr_decay)·g / (√s + eps).

    Duchi, Hazan and Singer, JMLR 2011.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "eps": eps, "maximize": maximize,
            },
        )  # fmt: skip

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        if "sum" not in state:
            state["sum"] = full_like(param, group["initial_accumulator_value"])
        step = advance(state)
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        total = state["sum"].addcmul_(grad, grad)
        rate = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        param.addcdiv_(grad, total.sqrt().add_(group["eps"]), value=-rate)
