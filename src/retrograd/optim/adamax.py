"""Adamax: Adam with the largest gradient so far in place of the root of the mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import zeros_like
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number, several
from .state import advance, counter, plus


class Adamax(Optimizer):
    """m ← β₁m + (1-β₁)g,  u ← max(β₂u, |g| + eps),  w ← w - lr/(1-β₁ᵗ)·m/u.

    ``weight_decay`` λ adds λ·w to g.  Kingma and Ba, "Adam", ICLR 2015, section 7.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = Adamax([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "betas": several(betas), "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"step": counter(), "exp_avg": zeros_like(param), "exp_inf": zeros_like(param)}

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        step = advance(state)
        beta1, beta2 = group["betas"]
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        mean, largest = state["exp_avg"], state["exp_inf"]
        mean.lerp_(grad, 1 - beta1)
        largest.copy_(largest.mul(beta2).maximum(plus(grad.abs(), group["eps"])))
        param.addcdiv_(mean, largest, value=-number(group["lr"]) / (1 - beta1**step))
