"""Adafactor: Adam's squares kept as one number per row and one per column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..errors import UsageError
from ..functions.create import zeros, zeros_like
from ..functions.elementwise import clamp, minimum
from ..functions.reduce import mean
from ..tensor import Tensor
from .optimizer import Optimizer
from .options import Group, number
from .state import advance, as_dtype, counter, value_of


class Adafactor(Optimizer):
    """w ← w - max(eps₂, rms(w))·min(lr, 1/√t)·u/max(1, rms(u)/d),  with u = g/√v.

    Of a matrix, v = R·C/mean(R), where R and C are running means of g² over the rows' and the columns' entries; of a
    vector, v is the running mean of g² itself.  The means forget by t^``beta2_decay``.  ``eps`` are the smallest √v
    (None: the dtype's precision) and the smallest rms(w).  ``weight_decay`` λ first shrinks w by lr·λ.

    Shazeer and Stern, "Adafactor", ICML 2018.

    >>> import retrograd as rg
    >>> w = rg.tensor([[1.0, 1.0]], requires_grad=True)
    >>> optimizer = Adafactor([w], lr=0.1)
    >>> (w * w).sum().backward(); optimizer.step(); round(w.max().item(), 6)
    0.9
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if not (isinstance(beta2_decay, int | float) and beta2_decay <= 0):
            raise UsageError(
                f"Adafactor: beta2_decay is not above 0, got {beta2_decay}", hint="beta2_decay=-0.8"
            )
        if not d >= 1:
            raise UsageError(f"Adafactor: updates are clipped at d >= 1, got {d}", hint="d=1.0")
        if not (
            isinstance(eps, tuple | list)
            and len(eps) == 2
            and all(e is None or e >= 0 for e in eps)
            and eps[1] is not None
        ):
            raise UsageError(
                f"Adafactor: eps are two numbers, none negative, got {eps}", hint="eps=(None, 1e-3)"
            )
        super().__init__(
            params,
            {
                "lr": lr, "beta2_decay": beta2_decay, "eps": tuple(eps), "d": d, "weight_decay": weight_decay,
                "foreach": foreach, "maximize": maximize,
            },
        )  # fmt: skip

    def _start(self, param: Tensor, group: Group) -> dict[str, Any]:
        if param.ndim < 2:
            return {"step": counter(), "variance": zeros_like(param)}
        *outer, rows, columns = param.shape
        return {
            "step": counter(),
            "row_var": zeros(*outer, rows, 1, dtype=param.dtype),
            "col_var": zeros(*outer, 1, columns, dtype=param.dtype),
        }

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        step, lr = advance(state), number(group["lr"])
        smallest = float(np.finfo(param.dtype.numpy).eps) if group["eps"][0] is None else group["eps"][0]
        forget = as_dtype(step ** group["beta2_decay"], param)
        rate = _at_most(step**-0.5, lr) * _at_least(_rms(param), group["eps"][1])
        if group["weight_decay"] != 0:
            param.mul_(1 - lr * group["weight_decay"])
        squared = grad * grad
        if param.ndim < 2:
            variance = state["variance"].lerp_(squared, forget)
        else:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_(mean(squared, -1, keepdim=True), forget)
            columns.lerp_(mean(squared, -2, keepdim=True), forget)
            variance = rows @ columns / clamp(mean(rows, -2, keepdim=True), min=smallest)
        update = clamp(variance, min=smallest * smallest).rsqrt() * grad
        param.add_(update, alpha=-rate / _at_least(_rms(update) / group["d"], 1.0))


def _rms(x: Tensor) -> Any:
    """√ of the mean of squares: a number, or a tensor where the step is traced."""
    return value_of(x.norm()) / x.numel() ** 0.5 if x.numel() else 1.0


def _at_least(x: Any, low: float) -> Any:
    return clamp(x, min=low) if isinstance(x, Tensor) else max(low, x)


def _at_most(x: Any, high: Any) -> Any:
    if isinstance(x, Tensor) or isinstance(high, Tensor):
        return minimum(x, high) if isinstance(high, Tensor) else clamp(x, max=high)
    return min(x, high)
