"""Matrix products with PyTorch's rank rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind, constant
from ..ops.matmul import Matmul
from ..types import Shape, bool_, broadcast_shapes, normalize_dim
from . import elementwise as e
from . import reduce as r
from . import shape as s
from ._arguments import cast, common_dtype, expand, require_tensor

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "dot", "ger", "inner", "kron", "matmul", "mm", "mv",
    "outer", "tensordot", "vdot",
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
    if row and column and a.dtype is bool_:
        raise DTypeError("the product of two vectors takes numbers, not bool", hint="(a & b).any()")
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
    x, w = require_tensor("linear", input), require_tensor("linear", weight)
    if w.ndim not in (1, 2):
        raise ShapeError(
            f"linear with a weight of shape {tuple(w.shape)}", hint="the weight is (out, in), or (in,)"
        )
    if x.ndim == 0 or x.shape[-1] != w.shape[-1]:
        raise ShapeError(
            f"linear: the input has {x.shape[-1] if x.ndim else 'no'} features (shape {tuple(x.shape)}), the weight takes "
            f"{w.shape[-1]} (shape {tuple(w.shape)})",
            hint=f"make the layer nn.Linear({x.shape[-1] if x.ndim else 1}, {w.shape[0]}), "
            f"or pass {w.shape[-1]} features",
        )
    if w.ndim == 1:
        out = matmul(x, w)
    elif x.ndim == 1:
        out = s.squeeze(bind(Matmul, s.unsqueeze(x, 0), w, ta=False, tb=True), 0)
    else:
        out = _batched(x, w, tb=True)
    if bias is None:
        return out
    shape = tuple(out.shape)
    if require_tensor("linear", bias).dtype is not out.dtype:
        raise DTypeError(
            f"linear of {out.dtype!r} with a bias of {bias.dtype!r}",
            hint="make both one dtype, e.g. bias.to(x.dtype)",
        )
    usual = w.ndim == 2 and tuple(bias.shape) == shape[-1:]
    odd = w.ndim == 1 and (x.ndim == 2 or bias.ndim == 1 or (x.ndim == 1 and bias.ndim > 0))
    if odd or not (usual or _broadcasts(tuple(bias.shape), shape)):
        outputs = int(w.shape[0]) if w.ndim == 2 else 1
        raise ShapeError(
            f"linear: a bias of shape {tuple(bias.shape)} for a result of shape {shape} (weight {tuple(w.shape)})",
            hint=f"a weight with {outputs} output(s) takes a bias of shape {(outputs,) if w.ndim == 2 else ()}",
        )
    return e.add(out, bias)


def _broadcasts(shape: Shape, to: Shape) -> bool:
    """True if a tensor of that shape may be added without making the result larger."""
    behind = to[len(to) - len(shape) :]
    return len(shape) <= len(to) and all(n in (1, m) for n, m in zip(shape, behind, strict=True))


def _ranks(name: str, what: str, *pairs: tuple[Any, int]) -> None:
    """Refuse tensors that do not have so many dimensions."""
    ranks = [require_tensor(name, x).ndim for x, _ in pairs]
    if ranks != [n for _, n in pairs]:
        shapes = " and ".join(str(tuple(x.shape)) for x, _ in pairs)
        raise ShapeError(f"{name} takes {what}, got {shapes}", hint="use matmul, which takes any ranks")


def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices"""
    _ranks("mm", "two matrices", (input, 2), (mat2, 2))
    return bind(Matmul, input, mat2, ta=False, tb=False)


def bmm(input: Any, mat2: Any) -> Any:
    """The products of two stacks of matrices"""
    _ranks("bmm", "3 dimensions each", (input, 3), (mat2, 3))
    return bind(Matmul, input, mat2, ta=False, tb=False)


def mv(input: Any, vec: Any) -> Any:
    """Matrix times vector"""
    _ranks("mv", "a matrix and a vector", (input, 2), (vec, 1))
    return matmul(input, vec)


def dot(input: Any, tensor: Any) -> Any:
    """Σ input·tensor of two vectors"""
    _ranks("dot", "two vectors", (input, 1), (tensor, 1))
    return matmul(input, tensor)


vdot = dot


def inner(input: Any, other: Any) -> Any:
    """Σ input·other over the last dimension of both: shapes (..., n) and (---, n) give (..., ---)"""
    a, b = require_tensor("inner", input), require_tensor("inner", other)
    if a.ndim == 0 or b.ndim == 0:
        return e.mul(a, b)
    if a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"inner: the last sizes of {tuple(a.shape)} and {tuple(b.shape)} differ",
            hint="use tensordot(a, b, dims=([...], [...])) to name other dimensions",
        )
    n = a.shape[-1]
    rows = [s.reshape(x, (math.prod(x.shape[:-1]), n)) for x in (a, b)]
    return s.reshape(bind(Matmul, *rows, ta=False, tb=True), (*a.shape[:-1], *b.shape[:-1]))


def outer(input: Any, vec2: Any) -> Any:
    """All products of two vectors' entries"""
    _ranks("outer", "two vectors", (input, 1), (vec2, 1))
    return e.mul(s.unsqueeze(input, 1), s.unsqueeze(vec2, 0))


ger = outer


def _scaled_sum(name: str, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    """beta·input + alpha·product; what is multiplied by 0 is not looked at, so that NaN in it does no harm."""
    x = require_tensor(name, input)
    if x.dtype is not product.dtype:
        raise DTypeError(
            f"{name} adds {x.dtype!r} to a product of {product.dtype!r}", hint="make all of them one dtype"
        )
    shape = tuple(product.shape)
    if x.ndim > len(shape) or broadcast_shapes(tuple(x.shape), shape) != shape:
        raise ShapeError(
            f"{name}: the input of shape {tuple(x.shape)} does not expand to the product's shape {shape}",
            hint="sizes must be equal or 1, counted from the right",
        )
    if not x.dtype.is_floating_point:  # as PyTorch does, whole numbers are scaled by whole numbers
        beta, alpha = (int(k) if isinstance(k, float) else k for k in (beta, alpha))
    scaled = product if e.is_one(alpha) else e.mul(product, alpha)
    if isinstance(beta, int | float) and beta == 0:  # its gradient is 0, and not absent
        return e.where(constant(True), scaled, x) if x.requires_grad else scaled
    return e.add(x if e.is_one(beta) else e.mul(x, beta), scaled)


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·input + alpha·(mat1 @ mat2)"""
    return _scaled_sum("addmm", input, mm(mat1, mat2), beta, alpha)


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·input + alpha·(mat @ vec)"""
    return _scaled_sum("addmv", input, mv(mat, vec), beta, alpha)


def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·input + alpha·(batch1 @ batch2), for stacks of matrices"""
    return _scaled_sum("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·input + alpha·Σ (batch1 @ batch2): the products of a stack, added up"""
    _ranks("addbmm", "3 dimensions each", (batch1, 3), (batch2, 3))
    if batch1.shape[0] != batch2.shape[0]:
        raise ShapeError(
            f"addbmm: stacks of {batch1.shape[0]} and {batch2.shape[0]} matrices",
            hint="both stacks need the same length",
        )
    (b, n, k), m = batch1.shape, batch2.shape[2]
    beside = s.reshape(s.transpose(batch1, 0, 1), (n, b * k))  # the sum over the stack is part of one product
    total = bind(Matmul, beside, s.reshape(batch2, (b * batch2.shape[1], m)), ta=False, tb=False)
    return _scaled_sum("addbmm", input, total, beta, alpha)


def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """beta·input + alpha·(vec1 outer vec2)"""
    product = outer(vec1, vec2)
    x = require_tensor("addr", input)
    if broadcast_shapes(tuple(x.shape), tuple(product.shape)) != tuple(product.shape):
        raise ShapeError(
            f"addr: the input of shape {tuple(x.shape)} does not expand to {tuple(product.shape)}",
            hint="sizes must be equal or 1, counted from the right",
        )
    if x.dtype is bool_ and product.dtype is bool_:
        parts = [part for part, factor in ((x, beta), (product, alpha)) if factor]
        if not parts:
            return e.logical_and(product, False)
        return e.logical_or(*parts) if len(parts) == 2 else expand(parts[0], tuple(product.shape))
    if not (x.dtype.is_floating_point or product.dtype.is_floating_point) and (
        isinstance(beta, float) or isinstance(alpha, float)
    ):
        raise DTypeError(
            f"addr of integers with beta={beta!r}, alpha={alpha!r}",
            hint="use whole numbers, or convert the tensors",
        )
    dtype = common_dtype(x, product)
    e.no_bool_factor("beta", beta, dtype)
    e.no_bool_factor("alpha", alpha, dtype)
    return _scaled_sum("addr", cast(x, dtype), cast(product, dtype), beta, alpha)


def trace(input: Any) -> Any:
    """The sum of a matrix's diagonal"""
    from .diagonal import diagonal

    _ranks("trace", "a matrix", (input, 2))
    if input.dtype is bool_:
        raise DTypeError("trace takes numbers, not bool", hint="convert it: x.int().trace()")
    return r.sum(diagonal(input))


def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Products of ``a`` and ``b`` summed over pairs of dimensions.

    ``dims``: the last n of a with the first n of b, or two lists of dimensions.  The result has the other dimensions of a,
    then those of b.  Dimensions of size 1 stretch.
    """
    for x in (a, b):
        require_tensor("tensordot", x)
    if hasattr(dims, "tolist") and getattr(dims, "ndim", 0):
        dims = dims.tolist()
    if isinstance(dims, Sequence):
        if len(dims) != 2:
            raise UsageError(
                f"tensordot with dims={dims!r}", hint="a number, or one list for each of the two tensors"
            )
        first, second = (
            [normalize_dim(d, x.ndim) for d in list(ds)] for ds, x in zip(dims, (a, b), strict=True)
        )
    else:
        n = s.integer("dims", dims)
        if not 0 <= n <= min(a.ndim, b.ndim):
            raise UsageError(
                f"tensordot over {n} dimensions of shapes {tuple(a.shape)} and {tuple(b.shape)}",
                hint="dims counts from 0 to the smaller rank",
            )
        first, second = list(range(a.ndim - n, a.ndim)), list(range(n))
    if 0 in (a.ndim, b.ndim) and (first or second):
        raise ShapeError(
            f"tensordot over dimensions of shapes {tuple(a.shape)} and {tuple(b.shape)}",
            hint="a number has no dimensions; use dims=0, or *",
        )
    if len(first) != len(second) or len({*first}) != len(first) or len({*second}) != len(second):
        raise UsageError(
            f"tensordot with dims {first} and {second}", hint="two lists of one length, each dimension once"
        )
    for i, j in zip(first, second, strict=True):
        n, m = a.shape[i], b.shape[j]
        if n != m and 1 not in (n, m):
            raise ShapeError(
                f"tensordot: size {n} of dimension {i} meets size {m} of dimension {j}",
                hint="they must be equal, or 1",
            )
        if n == 1 != m:
            b = r.sum(b, j, True, dtype=b.dtype)
        elif m == 1 != n:
            a = r.sum(a, i, True, dtype=a.dtype)
    free = [i for i in range(a.ndim) if i not in first], [j for j in range(b.ndim) if j not in second]
    shape = (*(a.shape[i] for i in free[0]), *(b.shape[j] for j in free[1]))
    k = math.prod(a.shape[i] for i in first)
    left = s.reshape(s.permute(a, (*free[0], *first)), (math.prod(a.shape[i] for i in free[0]), k))
    right = s.reshape(s.permute(b, (*second, *free[1])), (k, math.prod(b.shape[j] for j in free[1])))
    return s.reshape(bind(Matmul, left, right, ta=False, tb=False), shape)


def kron(input: Any, other: Any) -> Any:
    """The Kronecker product: blocks input[i, j]·other; the smaller rank gets dimensions of size 1 in front"""
    a, b = require_tensor("kron", input), require_tensor("kron", other)
    rank = max(a.ndim, b.ndim)
    shapes = [(*(1,) * (rank - x.ndim), *x.shape) for x in (a, b)]
    woven = [tuple(n for size in shapes[i] for n in ((size, 1) if i == 0 else (1, size))) for i in (0, 1)]
    product = e.mul(s.reshape(a, woven[0]), s.reshape(b, woven[1]))
    return s.reshape(product, tuple(n * m for n, m in zip(*shapes, strict=True)))


def multi_dot(tensors: Sequence[Any]) -> Any:
    """The product of several matrices, in the order that needs the fewest multiplications (T. Cormen et al., dynamic programming).

    The first and the last may be vectors: a row and a column.
    """
    xs = [require_tensor("multi_dot", x) for x in tensors]
    if len(xs) < 2:
        raise UsageError(f"multi_dot of {len(xs)} tensor(s)", hint="pass a list of at least two matrices")
    for i, x in enumerate(xs):
        if x.ndim != 2 and not (x.ndim == 1 and i in (0, len(xs) - 1)):
            raise ShapeError(
                f"multi_dot: tensor {i} has shape {tuple(x.shape)}",
                hint="matrices; the first and the last may be vectors",
            )
    row, column = xs[0].ndim == 1, xs[-1].ndim == 1
    if row:
        xs[0] = s.unsqueeze(xs[0], 0)
    if column:
        xs[-1] = s.unsqueeze(xs[-1], 1)
    out = _multiply(xs, _best_order([x.shape[0] for x in xs] + [xs[-1].shape[1]]), 0, len(xs) - 1)
    if row:
        out = s.squeeze(out, 0)
    return s.squeeze(out, -1) if column else out


def chain_matmul(*matrices: Any) -> Any:
    """`multi_dot` of matrices; one matrix alone is returned as it is"""
    for x in matrices:
        _ranks("chain_matmul", "matrices", (x, 2))
    return matrices[0] if len(matrices) == 1 else multi_dot(matrices)


def _best_order(sizes: list[int]) -> np.ndarray[Any, Any]:
    """Where to split the product of matrices i to j: at [i, j]."""
    n = len(sizes) - 1
    cost, split = np.zeros((n, n)), np.zeros((n, n), int)
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            costs = [
                cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)
            ]
            split[i, j] = i + int(np.argmin(costs))
            cost[i, j] = min(costs)
    return split


def _multiply(xs: list[Any], split: np.ndarray[Any, Any], i: int, j: int) -> Any:
    if i == j:
        return xs[i]
    k = int(split[i, j])
    return mm(_multiply(xs, split, i, k), _multiply(xs, split, k + 1, j))
