"""Dropping units, channels or connections at random during training, against overfitting."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError, UsageError
from ._arguments import require_tensor
from ._inputs import floats
from .create import zeros_like
from .linalg import linear
from .random import rand

__all__ = [
    "alpha_dropout", "dropconnect_linear", "dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout",
]  # fmt: skip

if TYPE_CHECKING:
    from ..tensor import Tensor

SATURATION = 1.7580993408473766
"""-λα of `selu`: the value towards which it goes at the left, and to which `alpha_dropout` sets units."""


def probability(name: str, p: float) -> float:
    """``p``, or an error where it is none."""
    if not 0 <= p <= 1:
        raise UsageError(
            f"{name}: a dropout probability lies between 0 and 1, got {p}", hint=f"{name}(..., p=0.5)"
        )
    return p


def _kept(input: Tensor, shape: tuple[int, ...], p: float) -> Tensor:
    """1 with probability 1 - p, else 0."""
    return (rand(shape, dtype=input.dtype) >= p).to(input.dtype)


def _scaled(input: Tensor, shape: tuple[int, ...], p: float, inplace: bool) -> Tensor:
    floats("dropout", input)
    scale: Any = zeros_like(input) if p == 1 else _kept(input, shape, p) * (1 / (1 - p))
    return input.mul_(scale) if inplace else input * scale


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Each element 0 with probability p, else divided by 1 - p, so that its expectation stays; off unless ``training``.

    Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014.

    >>> import retrograd as rg
    >>> x = rg.ones(1000)
    >>> sorted(set(dropout(x, 0.5).tolist()))
    [0.0, 2.0]
    >>> dropout(x, 0.5, training=False) is x
    True
    """
    probability("dropout", p)
    if not training or p == 0:
        return require_tensor("dropout", input)
    return _scaled(input, input.shape, p, inplace)


def _channels(name: str, input: Tensor, unbatched: bool) -> tuple[int, ...]:
    """The shape of one draw per channel: sizes (N, C, 1, ...), or (C, 1, ...) where there is no batch."""
    lead = 1 if unbatched else 2
    if input.ndim < lead:
        raise ShapeError(f"{name} takes (N, C, ...), got shape {tuple(input.shape)}", hint="use dropout")
    return tuple(input.shape[:lead]) + (1,) * (input.ndim - lead)


def dropout1d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, L) or (C, L): neighbours in a signal say the same, so they go together.

    Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015.

    >>> import retrograd as rg
    >>> sorted(set(dropout1d(rg.ones(100, 2, 3)).sum(2).flatten().tolist()))
    [0.0, 6.0]
    """
    probability("dropout1d", p)
    if input.ndim not in (2, 3):
        raise ShapeError(
            f"dropout1d takes (N, C, L) or (C, L), got shape {tuple(input.shape)}",
            hint="use dropout or dropout2d",
        )
    if not training or p == 0:
        return input
    return _scaled(input, _channels("dropout1d", input, input.ndim == 2), p, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, H, W).

    Three dimensions are taken for (N, C, L), with a warning, as in PyTorch.

    >>> import retrograd as rg
    >>> sorted(set(dropout2d(rg.ones(100, 2, 3, 1)).sum(2).flatten().tolist()))
    [0.0, 6.0]
    """
    probability("dropout2d", p)
    if input.ndim != 4:
        right = "dropout1d" if input.ndim == 3 else "dropout"
        warnings.warn(
            f"dropout2d got shape {tuple(input.shape)}, taken for (N, C, ...); hint: use {right}",
            UserWarning,
            stacklevel=2,
        )
    if not training or p == 0:
        return input
    return _scaled(input, _channels("dropout2d", input, False), p, inplace)


def dropout3d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """`dropout` of whole channels of (N, C, D, H, W) or (C, D, H, W).

    >>> import retrograd as rg
    >>> sorted(set(dropout3d(rg.ones(100, 2, 3, 1, 1)).sum(2).flatten().tolist()))
    [0.0, 6.0]
    """
    probability("dropout3d", p)
    if input.ndim not in (4, 5):
        warnings.warn(
            f"dropout3d got shape {tuple(input.shape)}, taken for (C, ...); hint: use dropout",
            UserWarning,
            stacklevel=2,
        )
    if not training or p == 0:
        return input
    return _scaled(input, _channels("dropout3d", input, input.ndim != 5), p, inplace)


def alpha_dropout(input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False) -> Tensor:
    """Dropout for `selu` networks: elements are set to selu's lower limit, then all are shifted and scaled so that
    mean 0 and variance 1 stay.

    Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.

    >>> import retrograd as rg
    >>> alpha_dropout(rg.zeros(1000), 0.5, training=True).unique().numel()
    2
    """
    probability("alpha_dropout", p)
    if not training or p == 0:
        return require_tensor("alpha_dropout", input)
    return _alpha(input, tuple(input.shape), p, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels of (N, C, ...).

    >>> import retrograd as rg
    >>> feature_alpha_dropout(rg.zeros(10, 2, 3), 0.5, training=True).std(2).max().item()
    0.0
    """
    probability("feature_alpha_dropout", p)
    if not training or p == 0:
        return require_tensor("feature_alpha_dropout", input)
    return _alpha(input, _channels("feature_alpha_dropout", input, False), p, inplace)


def _alpha(input: Tensor, shape: tuple[int, ...], p: float, inplace: bool) -> Tensor:
    floats("alpha_dropout", input)
    if p == 1:
        return _scaled(input, shape, p, inplace)
    kept = _kept(input, shape, p)
    a = 1 / math.sqrt((SATURATION**2 * p + 1) * (1 - p))
    out = input * (kept * a) + ((kept - 1) * (SATURATION * a) + SATURATION * a * p)
    return input.copy_(out) if inplace else out


def dropconnect_linear(
    input: Tensor, weight: Tensor, bias: Tensor | None = None, p: float = 0.5, training: bool = True
) -> Tensor:
    """A linear layer each of whose *connections* (weights) is cut with probability p, the rest divided by 1 - p.

    Shapes as in `linear`.  One set of cuts serves the whole batch; the bias is kept.  Usual dropout cuts all
    connections of a unit at once, this one each for itself.

    Wan et al., "Regularization of neural networks using DropConnect", ICML 2013 (who draw cuts per row).

    >>> import retrograd as rg
    >>> w = rg.ones(1, 3)
    >>> dropconnect_linear(rg.ones(2, 3), w, training=False).tolist()
    [[3.0], [3.0]]
    """
    return linear(input, dropout(weight, p, training), bias)
