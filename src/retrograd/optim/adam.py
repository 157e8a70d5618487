"""Adam: every parameter gets its own rate, from the running mean and square of its gradient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import UsageError
from ..functions.create import zeros_like
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number, several
from .state import advance, as_dtype, before_change, counter, plus


class Adam(Optimizer):
    """m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  w ← w - lr·m̂ / (√v̂ + eps).

    m̂ = m/(1-β₁ᵗ) and v̂ = v/(1-β₂ᵗ) make up for the start at 0.  ``weight_decay`` λ adds λ·w to g, or with
    ``decoupled_weight_decay`` shrinks w by lr·λ as `AdamW` does.  ``amsgrad``: the largest v so far in place of v.

    Kingma and Ba, "Adam", ICLR 2015; Reddi, Kale and Kumar, ICLR 2018.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.9
    """

    live = ("lr", "betas")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        if foreach and not capturable and any(isinstance(x, Tensor) for x in (lr, *several(betas))):
            raise UsageError(
                f"{type(self).__name__}: foreach=True takes a tensor as lr or betas only with capturable=True",
                hint="leave foreach out: it changes nothing here",
            )
        super().__init__(
            params,
            {
                "lr": lr, "betas": several(betas), "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
                "maximize": maximize, "foreach": foreach, "capturable": capturable,
                "differentiable": differentiable, "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        names = ["exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if group["amsgrad"] else [])]
        return {"step": counter(), **{name: zeros_like(param) for name in names}}

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        step = advance(state)
        lr, decay = number(group["lr"]), group["weight_decay"]
        beta1, beta2 = (number(beta) for beta in group["betas"])
        if decay != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * decay)
            else:
                grad = grad.add(param, alpha=decay)
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(grad, as_dtype(1 - beta1, mean))
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            square = largest.copy_(before_change(largest).maximum(square))
        # √(v/c₂) + eps = (√v + eps·√c₂) / √c₂: the corrections become two numbers instead of passes over the arrays.
        root = (1 - beta2**step) ** 0.5
        denominator = plus(square.sqrt(), group["eps"] * root)
        param.addcdiv_(mean, denominator, value=-lr * root / (1 - beta1**step))
