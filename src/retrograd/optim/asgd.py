"""Averaged gradient descent: the average of the path is a better answer than its end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import as_tensor, ones, tensor, zeros_like
from ..functions.elementwise import clamp, where
from ..tensor import Tensor
from ..types import get_default_dtype
from .optimizer import Optimizer
from .options import Group, number
from .state import advance, counter, value_of


class ASGD(Optimizer):
    """w ← (1 - λη)·w - η·g,  a ← a + μ(w - a),  then η = lr/(1 + λ·lr·t)^α and μ = 1/max(1, t - t0).

    λ is ``lambd`` and α ``alpha``; ``weight_decay`` adds to g.  The average a is ``state[w]["ax"]``: until step t0 it
    is w itself.  Polyak and Juditsky, SIAM J. Control and Optimization 1992.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = ASGD([w], lr=0.1, lambd=0.0)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.8
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                "foreach": foreach, "maximize": maximize, "differentiable": differentiable,
                "capturable": capturable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {
            "step": counter(),
            "eta": tensor(float(group["lr"])),
            "mu": ones(()),
            "ax": zeros_like(param),
        }

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        step = advance(state)
        lr, lambd, average = number(group["lr"]), group["lambd"], state["ax"]
        eta, mu = value_of(state["eta"]), value_of(state["mu"])
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        param.mul_(1 - lambd * eta)
        param.add_(grad, alpha=-eta)
        if isinstance(mu, Tensor):  # traced
            average.copy_(where(mu == 1, param, average + (param - average) * mu))
        elif mu == 1:
            average.copy_(param)
        else:
            average.lerp_(param, mu)
        # Rounded to the default dtype, as PyTorch keeps them, also where a loaded state is in the parameter's.
        state["eta"].copy_(as_tensor(lr / (1 + lambd * lr * step) ** group["alpha"], get_default_dtype()))
        left = step - group["t0"]
        weight = 1 / (clamp(left, min=1) if isinstance(left, Tensor) else max(1.0, left))
        state["mu"].copy_(as_tensor(weight, get_default_dtype()))
