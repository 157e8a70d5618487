"""Gradient clipping: hold the size of a step when gradients explode.

Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from ...errors import GradError
from ...functions.create import tensor
from ...functions.shape import stack
from ...modes import no_grad
from ...tensor import Tensor


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad for p in listed if p.grad is not None]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors taken as one vector: (Σ |x|^p)^(1/p), or the largest |x| for p = inf.

    ``foreach`` is PyTorch's choice between two ways of computing; it has no effect here.
    """
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    p = float(norm_type)
    with no_grad():
        if not listed:
            total = tensor(0.0)
        elif p == 2.0:
            total = _added([(t * t).sum() for t in listed]).sqrt()
        else:
            total = stack([t.norm(p) for t in listed]).norm(p)
        if error_if_nonfinite and not math.isfinite(total.item()):
            raise GradError(
                f"the norm of the gradients is {total.item()}",
                hint="find the first bad one: [n for n, p in model.named_parameters() if not p.grad.isfinite().all()]",
            )
    return total


def _added(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients together so that their joint norm is at most ``max_norm``; returns the norm before.

    >>> import retrograd as rg
    >>> w = rg.nn.Parameter(rg.zeros(2)); w.grad = rg.tensor([3.0, 4.0])
    >>> clip_grad_norm_([w], 1.0).item(), [round(g, 3) for g in w.grad.tolist()]
    (5.0, [0.6, 0.8])
    """
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    _scale(gradients, max_norm, total)
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """`clip_grad_norm_` with a joint norm that is known already."""
    _scale(_gradients(parameters), max_norm, total_norm)


def _scale(gradients: list[Tensor], max_norm: float, total: Tensor) -> None:
    with no_grad():
        scale = (float(max_norm) / (total + 1e-6)).clamp(max=1.0)
        for g in gradients:
            g.mul_(scale)


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Hold every entry of every gradient within ±clip_value.

    >>> import retrograd as rg
    >>> w = rg.nn.Parameter(rg.zeros(2)); w.grad = rg.tensor([3.0, -0.5])
    >>> clip_grad_value_([w], 1.0); w.grad.tolist()
    [1.0, -0.5]
    """
    with no_grad():
        for g in _gradients(parameters):
            g.clamp_(-float(clip_value), float(clip_value))
