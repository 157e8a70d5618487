"""Losses of classes: minus the log-likelihood that a network gives to the true class.

`cross_entropy` and `binary_cross_entropy_with_logits` take *logits* (raw scores): fused with their softmax or sigmoid
they stay finite at any score, and their gradient is simply p - y.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, ShapeError, UsageError, describe, user_place
from ..types import int64, uint8
from ._inputs import floats, no_gradient, one_dtype, reduction_of
from .elementwise import exp, log, log1p, softplus_raw, where
from .losses import reduced, values
from .pick import gather, index_select
from .reduce import log_softmax
from .reduce import sum as _sum

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "kl_div", "nll_loss",
]  # fmt: skip

if TYPE_CHECKING:
    from ..tensor import Tensor

_SMALLEST = 3.7835e-44
"""e^-100: below it a log-probability counts as -100, as in PyTorch, so that a probability of 0 has a finite loss."""


def _class_dim(name: str, input: Tensor, target: Tensor) -> int:
    """Where the classes are; the target has the input's shape without that dimension."""
    dim = 1 if input.ndim > 1 else 0
    if input.ndim == 0:
        raise ShapeError(
            f"{name} needs a dimension of classes, got a scalar", hint="scores of shape (rows, classes)"
        )
    wanted = tuple(input.shape[:dim]) + tuple(input.shape[dim + 1 :])
    if tuple(target.shape) == wanted:
        return dim
    if tuple(target.shape) == (*wanted, 1) and input.ndim == 2:
        hint = "target.squeeze(1)"
    elif tuple(target.shape) == tuple(input.shape) and not target.dtype.is_floating_point:
        hint = "one-hot targets must be floating (target.float()); or give class numbers: target.argmax(1)"
    else:
        hint = f"give one class number per row, shape {wanted}"
    raise ShapeError(
        f"{name}: scores of shape {tuple(input.shape)} need targets of shape {wanted}, got {tuple(target.shape)}",
        hint=hint,
        where=describe(user_place()),
    )


def _classes(name: str, target: Tensor, n: int, ignore_index: int) -> tuple[Tensor, Tensor | None]:
    """Class numbers that are safe to index with, and which of them count (None: all)."""
    if target.dtype not in (int64, uint8):
        raise DTypeError(
            f"{name}: class numbers must be int64 (or uint8), got {target.dtype!r}",
            hint="target.long(); for probabilities give the shape of the scores",
            where=describe(user_place()),
        )
    known = values(target)
    if known is not None and known.size:
        low, high = known.min(), known.max()
        if low >= 0 and high < n and not 0 <= ignore_index < n:
            return target, None
        wrong = known[(known != ignore_index) & ((known < 0) | (known >= n))]
        if wrong.size:
            if n == 1:
                fix = "one score per row is a yes/no question: use binary_cross_entropy_with_logits"
            elif high >= n:
                fix = f"the last layer needs {int(high) + 1} outputs, or the classes must be numbered from 0"
            else:
                fix = f"number the classes from 0, or leave these rows out: ignore_index={int(wrong[0])}"
            raise UsageError(
                f"{name}: target holds class {int(wrong[0])}, but there are scores for {n} class(es), 0 to {n - 1}",
                hint=fix,
                where=describe(user_place()),
            )
    counts = target != ignore_index
    return where(counts, target, 0), counts


def _weights(name: str, weight: Tensor, input: Tensor, n: int) -> None:
    one_dtype(name, weight, input)
    if tuple(weight.shape) != (n,):
        raise ShapeError(
            f"{name}: class weights of shape {tuple(weight.shape)} for {n} classes",
            hint=f"give one weight per class, shape ({n},)",
            where=describe(user_place()),
        )


def _row_weights(
    classes: Tensor, counts: Tensor | None, weight: Tensor | None, like: Tensor
) -> Tensor | None:
    """The weight of every row: that of its class, 0 where ignored; None where all are 1."""
    rows = None
    if weight is not None:
        rows = index_select(weight, 0, classes.reshape(-1)).reshape(classes.shape)
    if counts is not None:
        seen = counts.to(like.dtype)
        rows = seen if rows is None else rows * seen
    return rows


def _single(input: Tensor, target: Tensor) -> Tensor:
    """A class number in a vector of one, for the scores of a single row, counts as the number itself."""
    return target.reshape(()) if input.ndim == 1 and tuple(target.shape) == (1,) else target


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input[class], for log-probabilities of shape (N, C, ...) and class numbers of shape (N, ...).

    The mean divides by the summed ``weight`` of the classes seen; rows of class ``ignore_index`` do not count.

    >>> import retrograd as rg
    >>> nll_loss(rg.tensor([[-1.0, -2.0], [-3.0, -4.0]]), rg.tensor([0, 1])).item()
    2.5
    """
    reduction = reduction_of(reduction, size_average, reduce)
    floats("nll_loss", input)
    target = _single(input, target)
    dim = _class_dim("nll_loss", input, target)
    n = input.shape[dim]
    if weight is not None:
        _weights("nll_loss", weight, input, n)
        no_gradient("nll_loss", "weight", weight)
    classes, counts = _classes("nll_loss", target, n, ignore_index)
    rows = _row_weights(classes, counts, weight, input)
    return _nll(input, classes, rows, counts, dim, reduction)


def _nll(
    logs: Tensor, classes: Tensor, rows: Tensor | None, counts: Tensor | None, dim: int, reduction: str
) -> Tensor:
    picked = gather(logs, dim, classes.long().unsqueeze(dim))
    if rows is None and reduction == "mean" and picked.numel():
        return _sum(picked) * (-1.0 / picked.numel())  # the usual case, in as few passes as can be
    loss = -picked.squeeze(dim)
    return _over_rows(loss if rows is None else loss * rows, rows, counts, reduction)


def _over_rows(loss: Tensor, rows: Tensor | None, counts: Tensor | None, reduction: str) -> Tensor:
    """Reduce weighted losses; the mean divides by the sum of the row weights."""
    if rows is None:
        return reduced(loss, reduction)
    # where, not a factor of 0: rows that do not count have a gradient of 0 even where the mean is 0/0.
    total = loss if counts is None else where(counts, loss, 0.0)
    return _sum(total) / _sum(rows) if reduction == "mean" else reduced(total, reduction)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """-Σ y·ln softmax(x) over the classes, from logits of shape (N, C, ...).   x̄ = (softmax(x) - y) / N

    ``target``: class numbers of shape (N, ...), or probabilities in the shape of the logits.  ``weight``: one per
    class.  ``label_smoothing`` ε mixes the target with the uniform one: (1 - ε)·y + ε/C (Szegedy et al. 2016).

    >>> import math, retrograd as rg
    >>> loss = cross_entropy(rg.zeros(2, 4), rg.tensor([0, 3]))
    >>> math.isclose(loss.item(), math.log(4), rel_tol=1e-6)
    True
    """
    if not 0 <= label_smoothing <= 1:
        raise UsageError(
            f"label_smoothing lies between 0 and 1, got {label_smoothing}", hint="label_smoothing=0.1"
        )
    reduction = reduction_of(reduction, size_average, reduce)
    floats("cross_entropy", input)
    if input.ndim and target.dtype.is_floating_point and tuple(target.shape) == tuple(input.shape):
        if ignore_index >= 0:
            raise UsageError(
                f"cross_entropy: targets are probabilities, so there is no class {ignore_index} to ignore",
                hint="leave ignore_index out, or give a weight of 0 to that class: weight=...",
            )
        return _against_probabilities(input, target, weight, reduction, label_smoothing)
    target = target if label_smoothing else _single(input, target)
    dim = _class_dim("cross_entropy", input, target)
    n = input.shape[dim]
    if weight is not None:
        _weights("cross_entropy", weight, input, n)
        no_gradient("cross_entropy", "weight", weight)
    classes, counts = _classes("cross_entropy", target, n, ignore_index)
    logs = log_softmax(input, dim)
    rows = _row_weights(classes, counts, weight, input)
    loss = _nll(logs, classes, rows, counts, dim, reduction)
    if label_smoothing == 0:
        return loss
    spread = -_sum(logs if weight is None else logs * _along(weight, dim, input.ndim), dim)
    spread = _over_rows(spread, rows, counts, reduction)
    return loss * (1 - label_smoothing) + spread * (label_smoothing / n)


def _along(weight: Tensor, dim: int, ndim: int) -> Tensor:
    return weight.reshape((-1,) + (1,) * (ndim - dim - 1))


def _against_probabilities(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    dim = 1 if input.ndim > 1 else 0
    n = input.shape[dim]
    if smoothing:
        target = target * (1 - smoothing) + (smoothing / n if n else 0.0)
    terms = log_softmax(input, dim) * target
    if weight is not None:
        _weights("cross_entropy", weight, input, n)
        terms = terms * _along(weight, dim, input.ndim)
    loss = -_sum(terms, dim)
    if reduction == "mean":
        return _sum(loss) / (input.numel() // max(n, 1))  # NaN of nothing, as in PyTorch
    return reduced(loss, reduction)


def _same_shape(name: str, input: Tensor, target: Tensor) -> Tensor:
    if tuple(input.shape) != tuple(target.shape):
        same = input.numel() == target.numel()
        raise ShapeError(
            f"{name}: predictions of shape {tuple(input.shape)} and targets of shape {tuple(target.shape)} differ",
            hint=f"target.reshape({tuple(input.shape)})"
            if same
            else "give one target per prediction; for several classes with class numbers use cross_entropy",
            where=describe(user_place()),
        )
    return target if target.dtype.is_floating_point else target.to(input.dtype)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(y·ln p + (1 - y)·ln(1 - p)) for probabilities p; logarithms are held at -100, as in PyTorch.

    At p exactly 0 or 1 the held term has derivative 0.  Prefer `binary_cross_entropy_with_logits`.

    >>> import retrograd as rg
    >>> binary_cross_entropy(rg.tensor([0.0]), rg.tensor([1.0])).item()
    100.0
    """
    reduction = reduction_of(reduction, size_average, reduce)
    floats("binary_cross_entropy", input)
    target = _same_shape("binary_cross_entropy", input, target)
    no_gradient("binary_cross_entropy", "weight", weight)
    known = values(input)
    if known is not None and known.size and not (known.min() >= 0 and known.max() <= 1):
        raise UsageError(
            f"binary_cross_entropy takes probabilities between 0 and 1, got {known.min():.6g} to {known.max():.6g}",
            hint="for raw scores use binary_cross_entropy_with_logits, or put a sigmoid before",
            where=describe(user_place()),
        )
    some = input > _SMALLEST
    rest = input < 1
    log_p = where(some, log(where(some, input, 1.0)), -100.0)
    log_q = where(rest, log1p(where(rest, -input, 0.0)), -100.0)
    loss = -(target * log_p + (1 - target) * log_q)
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy of σ(x), finite at any score: (1 - y)·x + (1 + (w - 1)·y)·ln(1 + e^(-x)).   x̄ = σ(x) - y

    ``pos_weight`` w multiplies the loss of the positives; ``weight`` that of every element.

    >>> import retrograd as rg
    >>> binary_cross_entropy_with_logits(rg.tensor([10000.0]), rg.tensor([0.0])).item()
    10000.0
    """
    reduction = reduction_of(reduction, size_average, reduce)
    floats("binary_cross_entropy_with_logits", input)
    target = _same_shape("binary_cross_entropy_with_logits", input, target)
    no_gradient("binary_cross_entropy_with_logits", "weight", weight)
    no_gradient("binary_cross_entropy_with_logits", "pos_weight", pos_weight)
    surprise: Any = softplus_raw(-input)
    if pos_weight is not None:
        surprise = (target * (pos_weight - 1) + 1) * surprise
    loss = (1 - target) * input + surprise
    return reduced(loss if weight is None else loss * weight, reduction)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """y·(ln y - x) for log-probabilities x: the divergence of x from the target y.

    ``reduction="batchmean"`` divides the sum by the number of rows, which is the divergence itself; "mean" divides by
    the number of entries, which is not, and warns.

    >>> import retrograd as rg
    >>> p = rg.tensor([[0.5, 0.5]])
    >>> kl_div(p.log(), p, reduction="batchmean").item()
    0.0
    """
    floats("kl_div", input)
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn(
            "kl_div: 'mean' divides by the number of entries; hint: reduction='batchmean' gives the divergence",
            UserWarning,
            stacklevel=2,
        )
    per_row = reduction == "batchmean" and size_average is None and reduce is None
    name = "sum" if per_row else reduction_of(reduction, size_average, reduce)
    if log_target:
        loss = exp(target) * (target - input)
    else:
        some = target != 0
        safe = where(some, target, 1.0)
        loss = where(some, target * log(safe), 0.0) - target * input
    total = reduced(loss, name)
    return total / input.shape[0] if per_row and input.ndim else total
