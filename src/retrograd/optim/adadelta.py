"""Adadelta: steps as large as the steps before, in the gradient's own unit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import zeros_like
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number
from .state import advance, counter


class Adadelta(Optimizer):
    """v ← ρv + (1-ρ)g²,  d = g·√(u + eps)/√(v + eps),  u ← ρu + (1-ρ)d²,  w ← w - lr·d.

    ``weight_decay`` λ adds λ·w to g.  Zeiler, "ADADELTA", arXiv:1212.5701, 2012.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = Adadelta([w])
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.996838
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"step": counter(), "square_avg": zeros_like(param), "acc_delta": zeros_like(param)}

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        advance(state)
        rho, eps = group["rho"], group["eps"]
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        square, travelled = state["square_avg"], state["acc_delta"]
        square.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        delta = travelled.add(eps).sqrt() / square.add(eps).sqrt() * grad
        travelled.mul_(rho).addcmul_(delta, delta, value=1 - rho)
        param.add_(delta, alpha=-number(group["lr"]))
