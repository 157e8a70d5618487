"""RMSprop: gradients divided by the running root of their mean square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import zeros_like
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number
from .state import advance, counter, plus


class RMSprop(Optimizer):
    """v ← αv + (1-α)g²,  w ← w - lr·g / (√v + eps).

    ``centered`` subtracts the squared running mean of g from v.  ``momentum`` μ: b ← μ·b + g/(√v + eps), w ← w - lr·b.
    Tieleman and Hinton, Coursera lecture 6.5, 2012; centred: Graves, 2013.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        wanted = {"square_avg": True, "momentum_buffer": group["momentum"] > 0, "grad_avg": group["centered"]}
        return {"step": counter(), **{name: zeros_like(param) for name, want in wanted.items() if want}}

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        advance(state)
        alpha, lr = group["alpha"], number(group["lr"])
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        square = state["square_avg"]
        square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            mean.lerp_(grad, 1 - alpha)
            square = square.addcmul(mean, mean, value=-1)
        denominator = plus(square.sqrt(), group["eps"])
        if group["momentum"] > 0:
            velocity = state["momentum_buffer"]
            velocity.mul_(group["momentum"]).addcdiv_(grad, denominator)
            param.add_(velocity, alpha=-lr)
        else:
            param.addcdiv_(grad, denominator, value=-lr)
