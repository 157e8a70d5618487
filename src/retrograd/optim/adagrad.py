"""Adagrad: gradients divided by the root of the sum of all their squares so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import full_like
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number
from .state import advance, counter, plus


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
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
                "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip
        for group in self.param_groups:  # at once, as in PyTorch
            for p in group["params"]:
                self._state_of(p, group)

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"step": counter(), "sum": full_like(param, group["initial_accumulator_value"])}

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        step = advance(state)
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        total = state["sum"].addcmul_(grad, grad)
        rate = number(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        param.addcdiv_(grad, plus(total.sqrt(), group["eps"]), value=-rate)
