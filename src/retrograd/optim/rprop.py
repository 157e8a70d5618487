"""Resilient propagation: steps that grow while the sign of the slope stays, whatever its size; for whole batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..functions.create import full_like, zeros_like
from ..functions.elementwise import where
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, several
from .state import advance, counter


class Rprop(Optimizer):
    """w ← w - s·sign(g), where every weight's own s is multiplied by η⁺ while g keeps its sign.

    Where the sign has changed, s is multiplied by η⁻ and the weight rests for this step.  s begins as ``lr`` and stays
    within ``step_sizes``; (η⁻, η⁺) are ``etas``.  Riedmiller and Braun, ICNN 1993.

    >>> import retrograd as rg
    >>> w = rg.tensor([1.0], requires_grad=True)
    >>> optimizer = Rprop([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.item(), 6)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr, "etas": several(etas), "step_sizes": several(step_sizes), "foreach": foreach,
                "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {
            "step": counter(),
            "prev": zeros_like(param),
            "step_size": full_like(param, float(group["lr"])),
        }

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        advance(state)
        before, size, (shrink, grow) = state["prev"], state["step_size"], group["etas"]
        same = grad.mul(before)
        size.copy_(where(same > 0, size * grow, where(same < 0, size * shrink, size)))
        size.clamp_(*group["step_sizes"])
        grad = where(same < 0, 0.0, grad)
        param.addcmul_(grad.sign(), size, value=-1)
        before.copy_(grad)
