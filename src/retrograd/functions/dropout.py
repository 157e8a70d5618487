"""Dropping units or connections at random during training, against overfitting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError
from .create import zeros_like
from .linalg import linear
from .random import rand

__all__ = [
    "dropconnect_linear", "dropout",
]  # fmt: skip

if TYPE_CHECKING:
    from ..tensor import Tensor


def _check(p: float) -> None:
    if not 0 <= p <= 1:
        raise UsageError(f"a dropout probability lies between 0 and 1, got {p}", hint="dropout(x, p=0.5)")


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
    _check(p)
    if not training or p == 0:
        return input
    if p == 1:
        scale = zeros_like(input)
    else:
        scale = (rand(input.shape, dtype=input.dtype) >= p).to(input.dtype) * (1 / (1 - p))
    return input.mul_(scale) if inplace else input * scale


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
