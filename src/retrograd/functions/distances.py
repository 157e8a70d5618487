"""Distances and angles between vectors, and forms in two of them, with PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UsageError
from ..op import constant
from ..types import broadcast_shapes, normalize_dim, promote
from . import elementwise as e
from . import reduce as r
from . import shape as s
from ._arguments import cast, require_tensor
from ._matrices import floats, one_dtype
from .linalg import matmul
from .norm import vector_norm
from .pick import index_select

__all__ = ["bilinear", "cdist", "cosine_similarity", "pairwise_distance", "pdist"]

_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


def _order(name: str, p: Any) -> float:
    if not isinstance(p, int | float) or p < 0 or math.isnan(p):
        raise UsageError(f"{name} with p={p!r}", hint="p is a number from 0 on, or math.inf")
    return float(p)


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Any:
    """The p-distances of all rows of x1 (..., n, k) from all rows of x2 (..., m, k): shape (..., n, m).

    p = 0 counts the entries that differ.  Where two rows are equal the gradient is 0.  For p = 2 and more than 25 rows (or
    as ``compute_mode`` says) from ‖a‖² + ‖b‖² - 2 a·b: quicker, but distances far smaller than the norms lose digits.
    """
    a, b, order = floats("cdist", x1), floats("cdist", x2), _order("cdist", p)
    one_dtype("cdist", a, b)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"cdist of shapes {tuple(a.shape)} and {tuple(b.shape)}",
            hint="both are rows of equal length: (..., n, k) and (..., m, k)",
        )
    if compute_mode not in _MODES:
        raise UsageError(f"cdist with compute_mode={compute_mode!r}", hint=f"one of {', '.join(_MODES)}")
    many = compute_mode == _MODES[0] and max(a.shape[-2], b.shape[-2]) > 25
    if order == 2 and (many or compute_mode == _MODES[1]):
        return _by_products(a, b)
    gap = e.sub(s.unsqueeze(a, -2), s.unsqueeze(b, -3))
    if a.shape[-1] == 0:
        return r.sum(gap, -1)
    return vector_norm(gap, order, -1)


def _by_products(a: Any, b: Any) -> Any:
    """√(‖a‖² + ‖b‖² - 2 a·b), one matrix product."""
    squares = e.add(r.sum(e.mul(a, a), -1, True), s.unsqueeze(r.sum(e.mul(b, b), -1), -2))
    total = e.sub(squares, e.mul(matmul(a, s.transpose(b, -1, -2)), 2))
    some = e.gt(total, 0)  # rounding may leave a little below 0; there, and at 0, the gradient is 0
    return e.where(some, e.sqrt(e.where(some, total, 1.0)), 0.0)


def pdist(input: Any, p: float = 2.0) -> Any:
    """The p-distances of all pairs of rows i < j of a matrix (n, k), in the order (0,1), (0,2), ...: n(n-1)/2 of them"""
    x, order = floats("pdist", input), _order("pdist", p)
    if x.ndim != 2:
        raise ShapeError(f"pdist of shape {tuple(x.shape)}", hint="use a matrix; cdist takes stacks of them")
    first, second = np.triu_indices(x.shape[0], 1)
    gap = e.sub(index_select(x, 0, constant(first)), index_select(x, 0, constant(second)))
    return r.sum(gap, -1) if x.shape[1] == 0 else vector_norm(gap, order, -1)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """‖x1 - x2 + eps‖_p over the last dimension; the other sizes broadcast"""
    gap = e.add(e.sub(require_tensor("pairwise_distance", x1), require_tensor("pairwise_distance", x2)), eps)
    return vector_norm(gap, p, -1, keepdim)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x1·x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along ``dim``"""
    dtype = promote(*(require_tensor("cosine_similarity", x).dtype for x in (x1, x2)))
    if not dtype.is_floating_point:
        raise DTypeError(f"cosine_similarity of {dtype!r}", hint="convert one of them: x.float()")
    shape = broadcast_shapes(tuple(x1.shape), tuple(x2.shape))
    d = normalize_dim(dim, len(shape))
    units = []
    for x in (x1, x2):
        wide = s.broadcast_to(cast(x, dtype), shape)
        length = vector_norm(wide, 2, d if shape else None, True)
        lift = e.clamp(
            e.sub(eps, length.detach()), 0.0
        )  # in PyTorch, too, the limit is no part of the derivative
        units.append(e.div(wide, e.add(length, lift)))
    product = e.mul(*units)
    return r.sum(product, d) if shape else product


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12) -> Any:
    """input / max(‖input‖_p, eps) along ``dim``: vectors of length 1"""
    x = floats("normalize", input)
    length = vector_norm(x, p, dim, True)
    return e.div(x, e.clamp(length, eps))


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y_o = x1ᵀ W_o x2 + b_o: inputs (..., n) and (..., m), weight (out, n, m), bias (out,)"""
    a, b, w = (require_tensor("bilinear", x) for x in (input1, input2, weight))
    for x in (b, w) if bias is None else (b, w, require_tensor("bilinear", bias)):
        one_dtype("bilinear", a, x)
    if w.ndim != 3 or a.ndim != b.ndim or a.ndim == 0 or a.shape[:-1] != b.shape[:-1]:
        raise ShapeError(
            f"bilinear of shapes {tuple(a.shape)} and {tuple(b.shape)} with a weight of shape {tuple(w.shape)}",
            hint="inputs (..., n) and (..., m) with equal leading sizes, weight (out, n, m)",
        )
    out, n, m = w.shape
    if a.shape[-1] != n or b.shape[-1] != m or (bias is not None and tuple(bias.shape) != (out,)):
        raise ShapeError(
            f"bilinear of {a.shape[-1]} and {b.shape[-1]} features with a weight of shape {tuple(w.shape)}"
            f"{'' if bias is None else f' and a bias of shape {tuple(bias.shape)}'}",
            hint=f"inputs need {n} and {m} features, the bias {out} entries",
        )
    lead = tuple(a.shape[:-1])
    rows = math.prod(lead)
    left = matmul(s.reshape(a, (rows, n)), s.reshape(s.permute(w, (1, 0, 2)), (n, out * m)))
    product = matmul(s.reshape(left, (rows, out, m)), s.reshape(b, (rows, m, 1)))
    y = s.reshape(product, (*lead, out))
    return y if bias is None else e.add(y, bias)
