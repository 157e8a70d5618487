"""NAdam: Adam with Nesterov's look ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import as_tensor, ones, zeros_like
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number, several
from .state import advance, counter, plus, value_of


class NAdam(Optimizer):
    """w ← w - lr·(μₜ₊₁·m/(1 - Πμ·μₜ₊₁) + (1 - μₜ)·g/(1 - Πμ)) / (√v̂ + eps), with m and v̂ as in Adam.

    μₜ = β₁(1 - ½·0.96^(t·momentum_decay)), and Πμ their product from 1 to t.  ``weight_decay`` as in Adam; it shrinks
    the weights themselves where ``decoupled_weight_decay`` is true.

    Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = NAdam([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 4)
    0.8944
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
                "lr": lr, "betas": several(betas), "eps": eps, "weight_decay": weight_decay,
                "momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize, "foreach": foreach, "capturable": capturable,
                "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {
            "step": counter(),
            "mu_product": ones(()),
            "exp_avg": zeros_like(param),
            "exp_avg_sq": zeros_like(param),
        }

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        step = advance(state)
        lr, decay, (beta1, beta2) = number(group["lr"]), group["weight_decay"], group["betas"]
        if decay != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * decay)
            else:
                grad = grad.add(param, alpha=decay)
        now = beta1 * (1 - 0.5 * 0.96 ** (step * group["momentum_decay"]))
        after = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * group["momentum_decay"]))
        product = state["mu_product"]
        product = value_of(product.mul_(as_tensor(now, product.dtype)))  # its dtype rounds it, as in PyTorch
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        denominator = plus(square.div(1 - beta2**step).sqrt(), group["eps"])
        param.addcdiv_(grad, denominator, value=-lr * (1 - now) / (1 - product))
        param.addcdiv_(mean, denominator, value=-lr * after / (1 - product * after))
