"""Gradient descent, stochastic by what it is fed, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import UsageError
from ..tensor import Tensor
from .optimizer import Group, Optimizer


class SGD(Optimizer):
    """w ← w - lr·v, where v is the gradient g, or with momentum μ the running sum v ← μ·v + (1 - dampening)·g.

    ``weight_decay`` λ adds λ·w to g.  ``nesterov`` uses g + μ·v in place of v.  The first v is g itself.
    Polyak 1964; Nesterov 1983; Sutskever et al., ICML 2013 (PyTorch's form: the rate multiplies the whole of v).

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.8
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening != 0):
            raise UsageError(
                f"SGD: Nesterov needs momentum > 0 and no dampening, got {momentum} and {dampening}",
                hint="SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)",
            )
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                "nesterov": nesterov, "maximize": maximize,
            },
        )  # fmt: skip

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        momentum = group["momentum"]
        if momentum != 0:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                velocity = state["momentum_buffer"] = grad.detach().clone()
            else:
                velocity.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(velocity, alpha=momentum) if group["nesterov"] else velocity
        param.add_(grad, alpha=-group["lr"])
