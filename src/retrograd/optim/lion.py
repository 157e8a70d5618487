"""Lion: only the sign of a running mean, so that every weight moves by the same amount."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import zeros_like
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number, several


class Lion(Optimizer):
    """w ← (1 - lr·λ)·w - lr·sign(β₁m + (1-β₁)g),  m ← β₂m + (1-β₂)g.

    Half of Adam's memory.  Its authors advise a rate 3 to 10 times lower than AdamW's, and a weight decay λ as much
    higher.  PyTorch has no Lion; names, options and state are as it would have them.

    Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = Lion([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "betas": several(betas), "weight_decay": weight_decay, "foreach": foreach,
                "maximize": maximize, "capturable": capturable, "differentiable": differentiable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {"exp_avg": zeros_like(param)}

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        lr, (beta1, beta2), mean = number(group["lr"]), group["betas"], state["exp_avg"]
        if group["weight_decay"] != 0:
            param.mul_(1 - lr * group["weight_decay"])
        param.add_(mean.lerp(grad, 1 - beta1).sign(), alpha=-lr)
        mean.lerp_(grad, 1 - beta2)
