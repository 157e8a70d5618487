"""Adam: every parameter gets its own rate, from the running mean and square of its gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import zeros_like
from ..tensor import Tensor
from .optimizer import Group, Optimizer, advance


class Adam(Optimizer):
    """m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  w ← w - lr·m̂ / (√v̂ + eps).

    m̂ = m/(1-β₁ᵗ) and v̂ = v/(1-β₂ᵗ) make up for the start at 0.  ``weight_decay`` λ adds λ·w to g.  ``amsgrad``: the
    largest v so far in place of v.

    Kingma and Ba, "Adam", ICLR 2015; Reddi, Kale and Kumar, ICLR 2018.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.9
    """

    decoupled = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay,
                "amsgrad": amsgrad, "maximize": maximize,
            },
        )  # fmt: skip

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        if "exp_avg" not in state:
            state["exp_avg"] = zeros_like(param)
            state["exp_avg_sq"] = zeros_like(param)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like(param)
        step = advance(state)
        lr, (beta1, beta2), decay = group["lr"], group["betas"], group["weight_decay"]
        if decay != 0:
            if self.decoupled:
                param.mul_(1 - lr * decay)
            else:
                grad = grad.add(param, alpha=decay)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            square = largest.copy_(largest.maximum(square))
        # √(v/c₂) + eps = (√v + eps·√c₂) / √c₂: the corrections become two numbers instead of passes over the arrays.
        root = (1 - beta2**step) ** 0.5
        denominator = square.sqrt().add_(group["eps"] * root)
        param.addcdiv_(mean, denominator, value=-lr * root / (1 - beta1**step))
