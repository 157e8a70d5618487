"""Gradient descent, stochastic by what it is fed, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..errors import TraceError
from ..functions.create import zeros_like
from ..op import context
from ..staging import within
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number


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

    live = ("lr", "momentum")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                "nesterov": nesterov, "maximize": maximize, "foreach": foreach,
                "differentiable": differentiable, "fused": fused,
            },
        )  # fmt: skip

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        lr, decay, momentum = number(group["lr"]), number(group["weight_decay"]), group["momentum"]
        if isinstance(decay, Tensor) or decay != 0:
            grad = grad.add(param, alpha=decay)
        if isinstance(momentum, Tensor) or momentum != 0:
            velocity = state.get("momentum_buffer")
            if velocity is None and context.tracer is None:
                velocity = state["momentum_buffer"] = grad.detach().clone()
            else:
                if velocity is None:
                    velocity = state["momentum_buffer"] = self._at_rest(param, group)
                velocity.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(velocity, alpha=momentum) if group["nesterov"] else velocity
        param.add_(grad, alpha=-lr)

    @staticmethod
    def _at_rest(param: Tensor, group: Group) -> Tensor:
        """A velocity of 0, which every traced step can begin with: the first v is then μ·0 + g."""
        if group["dampening"] != 0:
            raise TraceError(
                "the first step of SGD with dampening is another one than the later ones",
                hint="call optimizer.step() once before tracing",
            )
        with within(None):
            return zeros_like(param)
