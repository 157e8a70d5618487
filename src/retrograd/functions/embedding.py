"""Rows of a table by number: what a network learns of each word, customer or category."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, ShapeError, UsageError
from ..modes import no_grad
from ..types import int32, int64
from ._arguments import require_tensor
from .create import ones, zeros
from .index import embedding as _rows

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["embedding"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Row i of ``weight``, of shape (rows, dim), for each index i of ``input``: (...) → (..., dim).

    The row ``padding_idx`` gets no gradient.  ``max_norm``: rows that are asked for and whose ``norm_type``-norm is
    larger are first scaled down to it, in place.  ``scale_grad_by_freq``: the gradient of a row is divided by how often
    it is asked for.  Gradients are always dense.

    >>> import retrograd as rg
    >>> embedding(rg.tensor([2, 0]), rg.tensor([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])).tolist()
    [[4.0, 5.0], [0.0, 1.0]]
    """
    if require_tensor("embedding", weight).ndim != 2:
        raise ShapeError(
            f"embedding takes a table of shape (rows, dim), got {tuple(weight.shape)}",
            hint="weight.unsqueeze(1)",
        )
    if require_tensor("embedding", input).dtype not in (int32, int64):
        raise DTypeError(
            f"embedding: row numbers must be int64 or int32, got {input.dtype!r}", hint="input.long()"
        )
    n = weight.shape[0]
    if sparse:
        raise UsageError(
            "sparse gradients do not exist here", hint="leave sparse out: embedding(input, weight)"
        )
    if padding_idx is not None and not -n <= padding_idx < n:
        raise UsageError(
            f"padding_idx {padding_idx} is not a row of a table with {n} rows", hint=f"use a number below {n}"
        )
    index = input.long()
    if max_norm is not None:
        _shorten(weight, index.reshape(-1), max_norm, norm_type)
    rows = _rows(index, weight, padding_idx)
    if not scale_grad_by_freq or not weight.dtype.is_floating_point:  # whole numbers have no gradient
        return rows
    flat = index.reshape(-1)
    seen = zeros(n, dtype=weight.dtype).scatter_add(0, flat, ones(flat.shape, dtype=weight.dtype))
    share: Any = rows / seen[index].unsqueeze(-1)
    return rows.detach() + (share - share.detach())  # the value is the row's, the gradient a share of it


def _shorten(weight: Tensor, flat: Tensor, longest: float, p: float) -> None:
    with no_grad():
        rows = weight.detach()[flat]
        length = rows.norm(p, 1, keepdim=True)
        weight.index_put_((flat,), rows * (longest / (length + 1e-7)).clamp(max=1.0))
