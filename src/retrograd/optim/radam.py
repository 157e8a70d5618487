"""RAdam: Adam that waits until the square of its gradient is known well enough to divide by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import zeros_like
from ..functions.elementwise import clamp, where
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number, several
from .state import advance, counter, plus


class RAdam(Optimizer):
    """w ← w - lr·r·m̂·√(1-β₂ᵗ)/(√v + eps) where ρₜ > 5, else w ← w - lr·m̂, with m̂ and v as in Adam.

    ρₜ = ρ∞ - 2t·β₂ᵗ/(1-β₂ᵗ) is the number of gradients that v stands for, ρ∞ = 2/(1-β₂) - 1 its limit, and
    r = √((ρₜ-4)(ρₜ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρₜ)) makes up for the variance of v.  ``weight_decay`` as in Adam; it shrinks
    the weights themselves where ``decoupled_weight_decay`` is true.

    Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = RAdam([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.8
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "betas": several(betas), "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
                "foreach": foreach, "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay, "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"step": counter(), "exp_avg": zeros_like(param), "exp_avg_sq": zeros_like(param)}

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        step = advance(state)
        lr, decay, (beta1, beta2) = number(group["lr"]), group["weight_decay"], group["betas"]
        if decay != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * decay)
            else:
                grad = grad.add(param, alpha=decay)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        rate, left = -lr / (1 - beta1**step), 1 - beta2**step
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * step * beta2**step / left
        known = length > 5
        if known is False:
            param.add_(mean, alpha=rate)
            return
        sure = clamp(length, min=5) if isinstance(length, Tensor) else length
        variance = ((sure - 4) * (sure - 2) * limit / ((limit - 4) * (limit - 2) * sure)) ** 0.5
        adaptive = mean / plus(square.sqrt(), group["eps"])
        if known is True:
            param.add_(adaptive, alpha=rate * variance * left**0.5)
        else:  # traced: the number of the step is a variable
            param.add_(where(known, adaptive * (variance * left**0.5), mean), alpha=rate)
