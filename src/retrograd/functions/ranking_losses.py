"""Losses with a margin: an order, a similarity or a label is enough, as soon as it is clear enough.

All are 0 beyond the margin, so what is right already teaches nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, ShapeError, UsageError, describe, user_place
from ..types import int64
from ._inputs import floats, no_bool, no_gradient, one_dtype, reduction_of
from .activations import logsigmoid
from .elementwise import clamp, eq, minimum, relu, softplus_raw, sqrt, where
from .losses import reduced, values
from .pick import gather, index_select
from .ranges import arange
from .reduce import sum as _sum

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "multi_margin_loss", "multilabel_margin_loss",
    "multilabel_soft_margin_loss", "soft_margin_loss", "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where the target is 1 (near is good), max(0, margin - x) where it is -1 (far is good), for distances x.

    >>> import retrograd as rg
    >>> hinge_embedding_loss(rg.tensor([0.25, 0.25]), rg.tensor([1.0, -1.0]), reduction="none").tolist()
    [0.25, 0.75]
    """
    no_bool("hinge_embedding_loss", input)
    target = target if target.dtype.is_floating_point else target.long()
    limit = (
        margin if input.dtype.is_floating_point else int(margin)
    )  # whole distances keep their dtype, as in PyTorch
    far = where(target != 1, clamp(limit - input, min=0), 0)
    near = where(target != -1, input, 0)
    return reduced(far + near, reduction, size_average, reduce)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, -y·(x₁ - x₂) + margin): with y = 1 the first should score higher than the second, with y = -1 lower.

    >>> import retrograd as rg
    >>> one = rg.ones(2)
    >>> margin_ranking_loss(rg.tensor([3.0, 1.0]), rg.tensor([1.0, 3.0]), one, reduction="none").tolist()
    [0.0, 2.0]
    """
    if not input1.ndim == input2.ndim == target.ndim:
        raise ShapeError(
            f"margin_ranking_loss takes equal numbers of dimensions, got {tuple(input1.shape)}, "
            f"{tuple(input2.shape)} and {tuple(target.shape)}",
            hint=f"target.reshape({tuple(input1.shape)})",
            where=describe(user_place()),
        )
    loss = clamp(-target * (input1 - input2) + float(margin), min=0)
    return reduced(loss, reduction, size_average, reduce)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """ln(1 + e^(-y·x)) for targets y of -1 and 1, without overflow.

    >>> import retrograd as rg
    >>> soft_margin_loss(rg.tensor([1000.0, -1000.0]), rg.ones(2), reduction="none").tolist()
    [0.0, 1000.0]
    """
    floats("soft_margin_loss", input)
    return reduced(softplus_raw(-target * input), reduction, size_average, reduce)


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross-entropy of logits, one class after the other, averaged over the classes (the last dimension).

    >>> import retrograd as rg
    >>> multilabel_soft_margin_loss(rg.tensor([[1000.0, -500.0]]), rg.tensor([[1.0, 1.0]])).item()
    250.0
    """
    floats("multilabel_soft_margin_loss", input)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    if input.ndim == 0:
        raise ShapeError(
            "multilabel_soft_margin_loss needs a dimension of classes, got a scalar", hint="x.unsqueeze(0)"
        )
    return reduced(_sum(loss, -1) / input.shape[-1], reduction, size_average, reduce)


def _rows(name: str, input: Tensor, target: Tensor) -> Tensor:
    """The scores as (rows, classes)."""
    floats(name, input)
    if input.ndim > 2 or (input.ndim and input.shape[-1] == 0):
        raise ShapeError(
            f"{name} takes scores of shape (rows, classes) or (classes,), got {tuple(input.shape)}",
            hint="flatten the rows: x.flatten(0, -2)",
            where=describe(user_place()),
        )
    if target.dtype is not int64:
        raise DTypeError(f"{name}: class numbers must be int64, got {target.dtype!r}", hint="target.long()")
    return input if input.ndim == 2 else input.reshape(1, -1)


def _known_classes(name: str, target: Tensor, least: int, n: int) -> None:
    known = values(target)
    if known is not None and known.size and (known.min() < least or known.max() >= n):
        bad = known.min() if known.min() < least else known.max()
        raise UsageError(
            f"{name}: target holds class {int(bad)}, but there are scores for {n} class(es), 0 to {n - 1}",
            hint="number the classes from 0",
            where=describe(user_place()),
        )


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Σ over the other classes j of max(0, margin - x[y] + x[j])^p / C: the true class leads by a margin.

    Scores (N, C) or (C,), class numbers (N) or (); ``weight``: one per class, multiplied in; p is 1 or 2.

    Crammer and Singer, "On the algorithmic implementation of multiclass kernel-based vector machines", JMLR 2001.

    >>> import retrograd as rg
    >>> multi_margin_loss(rg.tensor([[0.0, 0.5]]), rg.tensor([1])).item()
    0.25
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise UsageError(f"{name} knows p = 1 and p = 2, got {p}", hint="multi_margin_loss(x, y, p=2)")
    x = _rows(name, input, target)
    n = x.shape[1]
    if target.ndim > 1 or target.numel() != x.shape[0]:
        raise ShapeError(
            f"{name}: scores of shape {tuple(input.shape)} need {x.shape[0]} class number(s), got {tuple(target.shape)}",
            hint=f"give shape ({x.shape[0]},)",
            where=describe(user_place()),
        )
    _known_classes(name, target, 0, n)
    y = target.reshape(-1)
    ahead = relu(margin - gather(x, 1, y.unsqueeze(1)) + x)
    terms = ahead if p == 1 else ahead * ahead
    if weight is not None:
        one_dtype(name, weight, input)
        no_gradient(name, "weight", weight)
        if tuple(weight.shape) != (n,):
            raise ShapeError(
                f"{name}: class weights of shape {tuple(weight.shape)} for {n} classes",
                hint=f"give one weight per class, shape ({n},)",
            )
        terms = terms * index_select(weight, 0, y).unsqueeze(1)
    loss = _sum(where(eq(arange(n), y.unsqueeze(1)), 0.0, terms), 1) / n
    return reduced(loss.reshape(target.shape), reduction, size_average, reduce)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Σ over true classes k and other classes j of max(0, 1 - x[k] + x[j]) / C: every true class leads all others.

    ``target`` has the shape of the scores, (N, C) or (C,), and lists the true classes of each row, ended by -1.

    >>> import retrograd as rg
    >>> x = rg.tensor([[0.5, 0.0, 2.0, -1.0]])
    >>> multilabel_margin_loss(x, rg.tensor([[0, 2, -1, -1]])).item()
    0.125
    """
    name = "multilabel_margin_loss"
    x = _rows(name, input, target)
    if tuple(target.shape) != tuple(input.shape) and not (input.ndim == 0 and target.numel() == 1):
        raise ShapeError(
            f"{name}: targets of shape {tuple(target.shape)} for scores of shape {tuple(input.shape)}",
            hint="list the true classes in the shape of the scores, and fill up with -1",
            where=describe(user_place()),
        )
    n = x.shape[1]
    _known_classes(name, target, -1, n)
    y = target.reshape(x.shape)
    listed = (y < 0).long().cumsum(1) == 0  # what stands after the first -1 does not count
    true = where(listed, y, -1)
    named = _sum(eq(true.unsqueeze(2), arange(n)).long(), 1) > 0
    leads = gather(x, 1, where(listed, y, 0)).unsqueeze(2) - x.unsqueeze(1)
    counts: Any = listed.unsqueeze(2) & ~named.unsqueeze(1)
    loss = _sum(where(counts, relu(1 - leads), 0.0), (1, 2)) / n
    return reduced(loss if input.ndim == 2 else loss.reshape(()), reduction, size_average, reduce)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """1 - cos(x₁, x₂) where the target is 1, max(0, cos(x₁, x₂) - margin) where it is -1.

    Rows (N, D) with targets (N), or vectors (D) with a scalar target.

    >>> import retrograd as rg
    >>> x, y = rg.tensor([[1.0, 0.0], [1.0, 0.0]]), rg.tensor([[0.0, 2.0], [2.0, 0.0]])
    >>> [round(v, 6) for v in cosine_embedding_loss(x, y, rg.tensor([1, -1]), reduction="none").tolist()]
    [1.0, 1.0]
    """
    if target.ndim > 1 or not input1.ndim == input2.ndim == target.ndim + 1:
        raise ShapeError(
            f"cosine_embedding_loss takes (N, D), (N, D) and (N), or (D), (D) and a scalar, got "
            f"{tuple(input1.shape)}, {tuple(input2.shape)} and {tuple(target.shape)}",
            hint=f"target.reshape({tuple(input1.shape[:-1])})",
            where=describe(user_place()),
        )
    target = target if target.dtype.is_floating_point else target.long()
    tiny = 1e-12
    lengths = sqrt((_sum(input1 * input1, -1) + tiny) * (_sum(input2 * input2, -1) + tiny))
    cosine = _sum(input1 * input2, -1) / lengths
    alike = where(target == 1, 1 - cosine, 0.0)
    unlike = where(target == -1, clamp(cosine - margin, min=0), 0.0)
    return reduced(alike + unlike, reduction, size_average, reduce)


def _check_triplet(name: str, anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> None:
    if margin <= 0:
        raise UsageError(f"{name} needs margin > 0, got {margin}", hint=f"{name}(a, p, n, margin=1.0)")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError(
            f"{name}: anchor, positive and negative need equal numbers of dimensions, got {tuple(anchor.shape)}, "
            f"{tuple(positive.shape)} and {tuple(negative.shape)}",
            hint="give the three one shape",
            where=describe(user_place()),
        )


def _triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    distance: Callable[[Any, Any], Any],
    margin: float,
    swap: bool,
) -> Tensor:
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:  # the negative may be nearer to the positive than to the anchor
        far = minimum(far, distance(positive, negative))
    return clamp(margin + near - far, min=0)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, d(a, p) - d(a, n) + margin), d the p-norm of the difference along the last dimension.

    ``swap``: d(p, n) counts instead of d(a, n) where it is smaller (Balntas et al., BMVC 2016).

    Schroff, Kalenichenko and Philbin, "FaceNet", CVPR 2015.

    >>> import retrograd as rg
    >>> a, b, c = rg.tensor([[0.0]]), rg.tensor([[2.0]]), rg.tensor([[5.0]])
    >>> round(triplet_margin_loss(a, b, c, margin=4.0).item(), 4)
    1.0
    """
    _check_triplet("triplet_margin_loss", anchor, positive, negative, margin)

    def distance(x: Tensor, y: Tensor) -> Tensor:
        return (x - y + eps).norm(p, -1)

    loss = _triplet(anchor, positive, negative, distance, margin, swap)
    return reduced(loss, reduction, size_average, reduce)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own; without one, the Euclidean.

    >>> import retrograd as rg
    >>> a, b, c = rg.tensor([[0.0]]), rg.tensor([[2.0]]), rg.tensor([[5.0]])
    >>> def taxi(x, y): return (x - y).abs().sum(-1)
    >>> triplet_margin_with_distance_loss(a, b, c, distance_function=taxi, margin=4.0).item()
    1.0
    """
    _check_triplet("triplet_margin_with_distance_loss", anchor, positive, negative, margin)
    reduction_of(reduction, None, None)

    def euclidean(x: Tensor, y: Tensor) -> Tensor:
        return (x - y + 1e-6).norm(2, -1)

    loss = _triplet(anchor, positive, negative, distance_function or euclidean, margin, swap)
    return reduced(loss, reduction)
