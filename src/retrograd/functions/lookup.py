"""Rows of a table named by indices, and the table of ones that stands for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UsageError
from ..modes import no_grad
from ..op import bind, constant
from ..ops import index as ops
from ..types import int64
from . import elementwise as e
from . import shape as s
from ._arguments import cast, index_dtype, require_tensor
from .norm import norm

__all__ = ["embedding", "one_hot"]


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """Rows of ``weight`` (rows, dim) named by ``input`` (...): (..., dim); the row ``padding_idx`` gets no gradient

    ``max_norm``: rows that are longer (in the norm ``norm_type``) are first made that long, in ``weight`` itself.
    ``scale_grad_by_freq``: the gradient of a row is divided by how often ``input`` names it.
    """
    if sparse:
        raise UsageError("sparse gradients do not exist here", hint="leave sparse=True out")
    index = index_dtype(require_tensor("embedding", input))
    if require_tensor("embedding", weight).ndim != 2:
        raise ShapeError(
            f"embedding in a table of shape {tuple(weight.shape)}", hint="pass shape (rows, dim)"
        )
    n = weight.shape[0]
    if padding_idx is not None and not -n <= padding_idx < n:
        raise UsageError(
            f"padding_idx {padding_idx} is not a row of a table with {n} rows", hint=f"use 0 to {n - 1}"
        )
    if max_norm is not None:
        with no_grad():
            length = norm(weight, norm_type, 1, True)
            named = _times(index, n, 1)
            shrink = e.logical_and(e.gt(length, max_norm), e.gt(named, 0))
            weight.copy_(e.where(shrink, e.mul(weight, e.div(max_norm, e.add(length, 1e-7))), weight))
    rows = bind(ops.Index, weight, index)
    if scale_grad_by_freq:
        fixed = rows.detach()  # the value is that of the row, and the gradient passes through the second term
        share = e.div(1.0, cast(bind(ops.Index, _times(index, n, 0), index), weight.dtype))
        rows = e.add(fixed, e.mul(e.sub(rows, fixed), s.unsqueeze(share, -1)))
    if padding_idx is None:
        return rows
    return e.where(s.unsqueeze(e.eq(index, padding_idx % n), -1), rows.detach(), rows)


def _times(index: Any, n: int, width: int) -> Any:
    """How often each of n rows is named, as a vector or as a column."""
    flat = s.ravel(index)
    count = bind(ops.IndexAdd, e.add(e.mul(flat, 0), 1), flat, shape=(n,))
    return s.unsqueeze(count, 1) if width else count


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """int64 rows with a single 1 at the class; -1: as many classes as the largest one needs"""
    index = require_tensor("one_hot", input)
    if index.dtype is not int64:
        raise DTypeError(f"one_hot of {index.dtype!r}", hint="convert the classes with .long()")
    if num_classes < 0 and not index.numel():
        raise ShapeError("one_hot of no classes", hint="say how many there are: num_classes=3")
    n = num_classes if num_classes >= 0 else int(index.numpy().max()) + 1
    known = index._value
    if isinstance(known, np.ndarray) and known.size and (known.min() < 0 or known.max() >= n):
        raise UsageError(
            f"one_hot: classes from {known.min()} to {known.max()}, with num_classes={n}",
            hint="number the classes from 0",
        )
    return cast(e.eq(s.unsqueeze(index, -1), constant(np.arange(n))), int64)
