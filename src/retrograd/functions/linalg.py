"""Matrix products with PyTorch's rank rules."""

from __future__ import annotations

import math
from typing import Any

from ..errors import ShapeError
from ..op import bind
from ..ops.matmul import Matmul
from ..types import broadcast_shapes
from . import elementwise as e
from . import reduce as r
from . import shape as s
from ._arguments import expand, require_tensor

__all__ = [
    "addmm", "bmm", "dot", "matmul", "mm", "mv", "outer",
]  # fmt: skip


def matmul(input: Any, other: Any) -> Any:
    """The matrix product; vectors count as a row (left) or column (right), leading dimensions broadcast"""
    a, b = require_tensor("matmul", input), require_tensor("matmul", other)
    if a.ndim == 2 and b.ndim == 2:
        return bind(Matmul, a, b, ta=False, tb=False)
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(
            f"matmul takes at least one dimension, got {tuple(a.shape)} and {tuple(b.shape)}",
            hint="use * for numbers",
        )
    row, column = a.ndim == 1, b.ndim == 1
    if row:
        a = s.unsqueeze(a, 0)
    if column:
        b = s.unsqueeze(b, 1)
    out = _batched(a, b)
    if row:
        out = s.squeeze(out, -2)
    return s.squeeze(out, -1) if column else out


def _batched(a: Any, b: Any, tb: bool = False) -> Any:
    """The product of at least two dimensions each; ``tb``: with the last two of b exchanged."""
    if b.ndim == 2:  # every row of a meets the same matrix: one product
        if a.ndim == 2:
            return bind(Matmul, a, b, ta=False, tb=tb)
        flat = s.reshape(a, (math.prod(a.shape[:-1]), a.shape[-1]))
        out = bind(Matmul, flat, b, ta=False, tb=tb)
        return s.reshape(out, (*a.shape[:-1], out.shape[-1]))
    lead = broadcast_shapes(tuple(a.shape[:-2]), tuple(b.shape[:-2]))
    wide = expand(a, (*lead, *a.shape[-2:])), expand(b, (*lead, *b.shape[-2:]))
    return bind(Matmul, *wide, ta=False, tb=tb)


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """input @ weightᵀ + bias, with weight (out, in)"""
    x = require_tensor("linear", input)
    if x.ndim == 0 or x.shape[-1] != weight.shape[-1]:
        raise ShapeError(
            f"linear: the input has {x.shape[-1] if x.ndim else 'no'} features (shape {tuple(x.shape)}), the weight takes "
            f"{weight.shape[-1]} (shape {tuple(weight.shape)})",
            hint=f"make the layer nn.Linear({x.shape[-1] if x.ndim else 1}, {weight.shape[0]}), "
            f"or pass {weight.shape[-1]} features",
        )
    if weight.ndim == 1:
        out = matmul(x, weight)
    elif x.ndim == 1:
        out = s.squeeze(bind(Matmul, s.unsqueeze(x, 0), weight, ta=False, tb=True), 0)
    else:
        out = _batched(x, weight, tb=True)
    return out if bias is None else e.add(out, bias)


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices"""
    if input.ndim != 2 or mat2.ndim != 2:
        raise ShapeError(
            f"mm takes two matrices, got {tuple(input.shape)} and {tuple(mat2.shape)}", hint="use matmul"
        )
    return bind(Matmul, input, mat2, ta=False, tb=False)


def bmm(input: Any, mat2: Any) -> Any:
    """The products of two stacks of matrices"""
    if input.ndim != 3 or mat2.ndim != 3:
        raise ShapeError(
            f"bmm takes 3 dimensions each, got {tuple(input.shape)} and {tuple(mat2.shape)}",
            hint="use matmul",
        )
    return bind(Matmul, input, mat2, ta=False, tb=False)


def mv(input: Any, vec: Any) -> Any:
    """Matrix times vector"""
    return matmul(input, vec)


def dot(input: Any, tensor: Any) -> Any:
    """Σ input·tensor of two vectors"""
    if input.ndim != 1 or tensor.ndim != 1:
        raise ShapeError(
            f"dot takes two vectors, got {tuple(input.shape)} and {tuple(tensor.shape)}", hint="use matmul"
        )
    return matmul(input, tensor)


def outer(input: Any, vec2: Any) -> Any:
    """All products of two vectors' entries"""
    return e.mul(s.unsqueeze(input, 1), s.unsqueeze(vec2, 0))


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta·input + alpha·(mat1 @ mat2)"""
    return e.add(e.mul(input, beta) if beta != 1 else input, mm(mat1, mat2), alpha=alpha)


def trace(input: Any) -> Any:
    """The sum of a matrix's diagonal"""
    from .index import diagonal

    return r.sum(diagonal(input))
