"""Losses of numbers: how far predictions are from targets, as one number to make small.

``reduction`` is "mean" (over all elements, the default), "sum" or "none" (one loss per element).  The derivative with
respect to the targets exists too.  Losses of classes are in `class_losses`.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError, UsageError, describe, user_place
from ..op import context
from ..types import broadcast_shapes
from ._inputs import floats, no_bool, reduction_of, some_float
from .create import full_like, ones_like
from .elementwise import abs as _abs
from .elementwise import clamp, exp, log, where
from .reduce import mean
from .reduce import sum as _sum

__all__ = [
    "gaussian_nll_loss", "huber_loss", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss",
]  # fmt: skip

if TYPE_CHECKING:
    from ..tensor import Tensor


def reduced(
    loss: Tensor, reduction: str, size_average: bool | None = None, reduce: bool | None = None
) -> Tensor:
    """The mean, the sum, or the losses as they are."""
    name = reduction_of(reduction, size_average, reduce)
    return mean(loss) if name == "mean" else _sum(loss) if name == "sum" else loss


def values(t: Tensor) -> Any:
    """The numbers of ``t`` as an array, or None while a graph is traced and there are none."""
    return None if context.tracer is not None else t.detach().numpy()


def check_shapes(name: str, input: Tensor, target: Tensor) -> None:
    """Refuse a target that would *stretch* the predictions, the classic (N,) against (N, 1); warn where it repeats."""
    have, want = tuple(input.shape), tuple(target.shape)
    if have == want:
        return
    common = broadcast_shapes(have, want)
    if common != have and have:
        if math.prod(have) == math.prod(want):
            fix = f"bring both to one shape: target.reshape({have})"
        else:
            fix = f"the last layer should give shape {want}, one prediction per target"
        raise ShapeError(
            f"{name}: predictions of shape {have} and targets of shape {want} would be compared all against all, "
            f"as {common}",
            hint=fix,
            where=describe(user_place()),
        )
    warnings.warn(
        f"{name}: targets of shape {want} are repeated to the shape {common} of the predictions; "
        "hint: give them one shape if that is not meant",
        UserWarning,
        stacklevel=4,
    )


def _weighted(loss: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
    """Losses times weights; the mean divides by the sum of the weights, as in PyTorch."""
    if weight is None:
        return reduced(loss, reduction)
    if reduction == "mean":
        return _sum(loss * weight) / _sum(weight * ones_like(loss))
    return reduced(loss * weight, reduction)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean squared error, (x - y)² averaged over all elements.   x̄ = 2·(x - y) / n

    >>> import retrograd as rg
    >>> mse_loss(rg.tensor([1.0, 2.0]), rg.tensor([1.0, 4.0])).item()
    2.0
    """
    check_shapes("mse_loss", input, target)
    some_float("mse_loss", input, target)
    error = input - target
    return _weighted(error * error, weight, reduction_of(reduction, size_average, reduce))


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Mean absolute error, |x - y|; derivative 0 where they are equal.

    >>> import retrograd as rg
    >>> l1_loss(rg.tensor([1.0, 2.0]), rg.tensor([1.0, 4.0])).item()
    1.0
    """
    check_shapes("l1_loss", input, target)
    return _weighted(_abs(input - target), weight, reduction_of(reduction, size_average, reduce))


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """(x - y)² / 2β where |x - y| < β, else |x - y| - β/2.

    Girshick, "Fast R-CNN", ICCV 2015.

    >>> import retrograd as rg
    >>> smooth_l1_loss(rg.tensor([0.5, 3.0]), rg.tensor([0.0, 0.0]), reduction="none").tolist()
    [0.125, 2.5]
    """
    if beta < 0:
        raise UsageError(f"smooth_l1_loss needs beta >= 0, got {beta}", hint="smooth_l1_loss(x, y, beta=1.0)")
    if beta == 0:
        return l1_loss(input, target, size_average, reduce, reduction)
    check_shapes("smooth_l1_loss", input, target)
    some_float("smooth_l1_loss", input, target)
    error = input - target
    size = _abs(error)
    far = size >= beta
    small = where(far, 0.0, error)  # the square of an infinite error would spoil its gradient
    loss = where(far, size - 0.5 * beta, small * small * (0.5 / beta))
    return reduced(loss, reduction, size_average, reduce)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """(x - y)² / 2 where |x - y| <= δ, else δ·(|x - y| - δ/2).

    Huber, "Robust estimation of a location parameter", 1964.

    >>> import retrograd as rg
    >>> huber_loss(rg.tensor([1.0, 4.0]), rg.tensor([0.0, 0.0]), reduction="none", delta=2.0).tolist()
    [0.5, 6.0]
    """
    if delta <= 0:
        raise UsageError(f"huber_loss needs delta > 0, got {delta}", hint="huber_loss(x, y, delta=1.0)")
    check_shapes("huber_loss", input, target)
    floats("huber_loss", input, target)
    if weight is not None and tuple(weight.shape) != tuple(input.shape):
        raise ShapeError(
            f"huber_loss: weights of shape {tuple(weight.shape)} for predictions of shape {tuple(input.shape)}",
            hint="give one weight per prediction: weight.expand(input.shape)",
        )
    error = input - target
    size = _abs(error)
    far = size >= delta  # at δ itself the second derivative is 0, as in PyTorch
    small = where(far, 0.0, error)  # the square of an infinite error would spoil its gradient
    loss = where(far, (size - 0.5 * delta) * delta, small * small * 0.5)
    # PyTorch divides this mean by the number of elements, where those of mse_loss and l1_loss divide by the weights.
    return reduced(loss if weight is None else loss * weight, reduction)


def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """-ln of a normal density with mean ``input`` and variance ``var``: (ln v + (x - y)²/v) / 2, v = max(var, eps).

    ``full`` adds the constant ln(2π)/2.  The floor ``eps`` is for the value only: the gradient passes it, as in
    PyTorch.  Nix and Weigend, "Estimating the mean and variance of the target probability distribution", 1994.

    >>> import retrograd as rg
    >>> one = rg.ones(2)
    >>> gaussian_nll_loss(rg.tensor([0.0, 2.0]), rg.zeros(2), one).item()
    1.0
    """
    variance: Any = full_like(input, float(var)) if isinstance(var, int | float) else var
    if tuple(variance.shape) != tuple(input.shape):
        if tuple(variance.shape) == tuple(input.shape[:-1]):
            variance = variance.unsqueeze(-1)
        elif not _one_size_repeats(tuple(variance.shape), tuple(input.shape)):
            raise ShapeError(
                f"gaussian_nll_loss: variances of {tuple(variance.shape)} for predictions of {tuple(input.shape)}",
                hint="one variance per prediction, or one for all along one dimension, of size 1 there",
            )
    floats("gaussian_nll_loss", variance)
    known = values(variance)
    if known is not None and (known < 0).any():
        raise UsageError(
            f"gaussian_nll_loss: a variance is negative ({known.min():.6g})",
            hint="make it positive first, for example var = nn.functional.softplus(raw)",
        )
    check_shapes("gaussian_nll_loss", input, target)
    v = variance + (clamp(variance, min=eps) - variance).detach()
    error = input - target
    loss = (log(v) + error * error / v) * 0.5
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


def _one_size_repeats(short: tuple[int, ...], full: tuple[int, ...]) -> bool:
    """Equal shapes but for one dimension of size 1."""
    return len(short) == len(full) and sum(a for a, b in zip(short, full, strict=True) if a != b) == 1


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-ln of a Poisson probability, without its constant: eˣ - y·x, or x - y·ln(x + eps) if ``log_input`` is False.

    ``full`` adds Stirling's y·ln y - y + ln(2πy)/2 for targets above 1.

    >>> import retrograd as rg
    >>> poisson_nll_loss(rg.tensor([0.0]), rg.tensor([3.0])).item()
    1.0
    """
    no_bool("poisson_nll_loss", input)
    check_shapes("poisson_nll_loss", input, target)
    loss = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        many = target > 1
        y = where(many, target, 1.0)  # ln of small targets is never taken
        loss = loss + where(many, y * log(y) - y + log(y * (2 * math.pi)) * 0.5, 0.0)
    return reduced(loss, reduction, size_average, reduce)
