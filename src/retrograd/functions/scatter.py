"""Functions that write, add or reduce into a tensor by position, with PyTorch's names.

All of them come down to two questions about the flattened tensor: which write to a place is the last one, and what do the
values that go to one place add up to.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind, constant
from ..ops import index as ops
from ..ops._family import fill
from ..types import TensorType, bool_, broadcast_shapes, normalize_dim, size
from . import elementwise as e
from . import shape as s
from ._arguments import as_tensor, cast, expand, in_dtype, is_tensor, require_tensor
from .diagonal import diagonal
from .pick import long_index, positions_or_none, rows_first, vector_index, wrapped

__all__ = [
    "diagonal_scatter", "index_add", "index_copy", "index_fill", "index_reduce", "masked_scatter", "put",
    "scatter", "scatter_add", "scatter_reduce", "select_scatter", "slice_scatter",
]  # fmt: skip


def last_writes(places: Any, n: int) -> tuple[Any, Any]:
    """For each of n places: is it written to, and by which of the writes the last time."""
    numbers = constant(np.arange(places.shape[0]))
    last = bind(ops.SegmentMax, numbers, places, size=n)[0]
    hit = e.ge(last, 0)
    return hit, e.where(hit, last, 0)


def _over(hit: Any, x: Any) -> Any:
    """A vector along the first dimension of ``x``, repeated over the others."""
    return expand(s.reshape(hit, (x.shape[0], *(1,) * (x.ndim - 1))), tuple(x.shape))


def put_rows(x: Any, index: Any, rows: Any) -> Any:
    """x with x[index[i]] = rows[i] along the first dimension; the last write to a place stays."""
    if not index.shape[0]:
        if not rows.requires_grad:
            return x.clone()
        from .reduce import sum  # the gradient of a write to nowhere is 0

        return e.where(
            fill(TensorType(tuple(x.shape), bool_), False), expand(sum(rows, 0), tuple(x.shape)), x
        )
    hit, last = last_writes(index, x.shape[0])
    return e.where(_over(hit, x), bind(ops.Index, rows, last), x)


def put_flat(x: Any, places: Any, value: Any, accumulate: bool = False) -> Any:
    """x with ``value`` (broadcast to ``places``) written or added at ``places`` of the flattened x"""
    flat = s.ravel(x)
    wide = expand(in_dtype(value, x.dtype), tuple(places.shape))
    at, rows = s.ravel(places), s.ravel(wide)
    if accumulate:
        out = e.add(flat, bind(ops.IndexAdd, rows, at, shape=tuple(flat.shape)))
    else:
        out = put_rows(flat, at, rows)
    return s.reshape(out, tuple(x.shape))


# -- along one dimension, element by element --------------------------------------------------------------------------


def _target(name: str, input: Any, dim: int, index: Any, src: Any) -> tuple[int, Any, Any]:
    """The dimension, the index, and the part of ``src`` that is used; all checked against each other."""
    d, index = normalize_dim(dim, require_tensor(name, input).ndim), positions_or_none(name, index)
    if is_tensor(src):
        if src.dtype is not input.dtype:
            raise DTypeError(
                f"{name}: values of {src.dtype!r} into {input.dtype!r}", hint="src.to(input.dtype)"
            )
    else:
        src = expand(in_dtype(src, input.dtype), tuple(index.shape))
    ranks = {max(t.ndim, 1) for t in (input, index, src)}
    if size(tuple(index.shape)):
        fits = len(ranks) == 1 and all(
            i <= m and (k == d or i <= n)
            for k, (i, n, m) in enumerate(zip(*(_padded(t) for t in (index, input, src)), strict=True))
        )
        if not fits:
            raise ShapeError(
                f"{name} along dim {dim}: an index of shape {tuple(index.shape)} for src {tuple(src.shape)} "
                f"and input {tuple(input.shape)}",
                hint="index is nowhere larger than src, nor than input except along dim",
            )
    return d, index, src


def _padded(x: Any) -> tuple[int, ...]:
    return tuple(x.shape) or (1,)


def _flat(input: Any, d: int, index: Any, src: Any) -> tuple[Any, Any, Any]:
    """(flattened input, places in it, values for these places)."""
    shape, grid = _padded(input), _padded(index)
    strides = np.cumprod((1, *shape[:0:-1]))[::-1].tolist()
    src = _corner(src, tuple(index.shape))
    if not size(grid):
        return s.ravel(input), constant(np.zeros(0, np.int64)), s.ravel(src)
    others = [
        k * n if i != d else k * 0
        for i, (k, n) in enumerate(zip(np.indices(grid, sparse=True), strides, strict=True))
    ]
    base = np.ascontiguousarray(np.broadcast_to(sum(others), grid)).reshape(-1)
    along = _checked(s.ravel(index), shape[d])
    return s.ravel(input), e.add(constant(base), e.mul(along, strides[d])), s.ravel(src)


def _checked(index: Any, n: int) -> Any:
    """Indices that lie in [0, n): in a flattened tensor a wrong one would name another place."""
    numbers = constant(np.arange(n))
    return bind(ops.Index, numbers, index)


def _corner(x: Any, shape: tuple[int, ...]) -> Any:
    """The first entries of x in each dimension: what lies beyond the index is not used."""
    if tuple(x.shape) == shape:
        return x
    if not size(shape):
        return s.reshape(s.slice_dims(s.ravel(x), [(0, 0, 1)]), shape)
    return s.reshape(s.slice_dims(x, [(0, n, 1) for n in shape]) if x.ndim == len(shape) else x, shape)


def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Any:
    """input with src (a tensor or a number) written at ``index`` along ``dim``; repeated indices: the last one stays

    ``reduce="add"`` or ``"multiply"`` combines with what is there instead.  The gradient of a write that was overwritten
    is 0 here (in PyTorch it is that of the last one).
    """
    if (src is None) == (value is None):
        raise UsageError("scatter takes either src or value", hint="scatter(x, dim, index, src)")
    given = value if src is None else src
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise UsageError(f"scatter: reduce={reduce!r}", hint='reduce="add" or "multiply"')
        d, index, source = _target("scatter", input, dim, index, given)
        return _reduced(
            *_flat(input, d, index, source), {"add": "sum", "multiply": "prod"}[reduce], True, input
        )
    d, index, source = _target("scatter", input, dim, index, given)
    flat, places, values = _flat(input, d, index, source)
    return s.reshape(put_rows(flat, places, values), tuple(input.shape))


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """input with src added at ``index`` along ``dim``"""
    d, index, src = _target("scatter_add", input, dim, index, require_tensor("scatter_add", src))
    if input.dtype is bool_ or not input.ndim or not size(tuple(index.shape)):
        return _reduced(*_flat(input, d, index, src), "sum", True, input)
    src = _corner(src, tuple(index.shape))
    return e.add(input, bind(ops.ScatterAdd, src, index, shape=tuple(input.shape), dim=d))


def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """All values of src that ``index`` sends to one place along ``dim`` made into one

    ``reduce``: "sum", "prod", "mean", "amax" or "amin"; with ``include_self`` what is there counts as well.  Equal
    largest (smallest) ones share the gradient evenly.
    """
    d, index, source = _target("scatter_reduce", input, dim, index, require_tensor("scatter_reduce", src))
    return _reduced(*_flat(input, d, index, source), reduce, include_self, input)


def index_reduce(
    input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """`scatter_reduce` of whole slices: "prod", "mean", "amax" or "amin" """
    d, index, source = _slices("index_reduce", input, dim, index, source)
    if reduce == "sum":
        raise UsageError("index_reduce: reduce='sum'", hint="use index_add")
    wide = expand(
        s.reshape(index, tuple(-1 if i == d else 1 for i in range(max(input.ndim, 1)))), _padded(source)
    )
    shaped = s.reshape(input, _padded(input))
    return _reduced(*_flat(shaped, d, wide, s.reshape(source, _padded(source))), reduce, include_self, input)


def _reduced(flat: Any, places: Any, values: Any, reduce: str, include_self: bool, input: Any) -> Any:
    if reduce not in ("sum", "prod", "mean", "amax", "amin"):
        raise UsageError(f"reduce={reduce!r}", hint='"sum", "prod", "mean", "amax" or "amin"')
    if places.shape[0]:
        flat = _REDUCTIONS[reduce](flat, places, values, include_self)
    else:
        flat = flat.clone()
    return s.reshape(flat, tuple(input.shape))


def _count(places: Any, n: int) -> Any:
    ones = constant(np.ones(places.shape[0], np.int64))
    return bind(ops.IndexAdd, ones, places, shape=(n,))


def _kept(flat: Any, places: Any, include_self: bool, neutral: Any) -> Any:
    """What is there, or ``neutral`` where it is replaced."""
    if include_self:
        return flat
    hit = e.gt(_count(places, flat.shape[0]), 0)
    return e.where(hit, in_dtype(neutral, flat.dtype), flat)


def _summed(flat: Any, places: Any, values: Any, include_self: bool) -> Any:
    start = _kept(flat, places, include_self, 0)
    if flat.dtype is bool_:
        return e.logical_or(start, _extreme(start, places, values, False))
    return e.add(start, bind(ops.IndexAdd, values, places, shape=tuple(flat.shape)))


def _mean(flat: Any, places: Any, values: Any, include_self: bool) -> Any:
    total = _summed(flat, places, values, include_self)
    count = e.clamp(e.add(_count(places, flat.shape[0]), int(include_self)), min=1)
    if flat.dtype.is_floating_point:
        return e.div(total, cast(count, flat.dtype))
    return cast(e.floor_divide(total, count), flat.dtype)


def _product(flat: Any, places: Any, values: Any, include_self: bool) -> Any:
    from .sort import argsort

    # Values that go to one place are brought side by side; then each takes in the one 1, 2, 4, ... steps before it.
    order = argsort(places, stable=True)
    at, run = bind(ops.Index, places, order), bind(ops.Index, values, order)
    m, step = places.shape[0], 1
    while step < m:
        same = e.eq(s.piece(at, 0, 0, m - step), s.piece(at, 0, step, m))
        factor = e.where(same, s.piece(run, 0, 0, m - step), in_dtype(1, run.dtype))
        run = s.cat([s.piece(run, 0, 0, step), e.mul(s.piece(run, 0, step, m), factor)])
        step *= 2
    hit, last = last_writes(at, flat.shape[0])
    product = e.where(hit, bind(ops.Index, run, last), in_dtype(1, run.dtype))
    return e.mul(_kept(flat, places, include_self, 1), product)


def _extreme(flat: Any, places: Any, values: Any, include_self: bool) -> Any:
    n = flat.shape[0]
    if include_self:
        values, places = s.cat([flat, values]), s.cat([constant(np.arange(n)), places])
        return bind(ops.SegmentMax, values, places, size=n)[0]
    hit = e.gt(_count(places, n), 0)
    return e.where(hit, bind(ops.SegmentMax, values, places, size=n)[0], flat)


def _lowest(flat: Any, places: Any, values: Any, include_self: bool) -> Any:
    # Turned over: -x, or ~x for integers, where -x may not exist.
    turn = e.neg if flat.dtype.is_floating_point else e.bitwise_not
    return turn(_extreme(turn(flat), places, turn(values), include_self))


_REDUCTIONS = {"sum": _summed, "prod": _product, "mean": _mean, "amax": _extreme, "amin": _lowest}


# -- along one dimension, slice by slice ------------------------------------------------------------------------------


def _slices(name: str, input: Any, dim: int, index: Any, source: Any) -> tuple[int, Any, Any]:
    """The dimension, the index as a vector, and the slices, checked against each other."""
    d = normalize_dim(dim, require_tensor(name, input).ndim)
    index = vector_index(name, index, long=name == "index_copy")
    if require_tensor(name, source).dtype is not input.dtype:
        raise DTypeError(
            f"{name}: slices of {source.dtype!r} into {input.dtype!r}", hint="source.to(input.dtype)"
        )
    shape = list(_padded(input))
    shape[d] = index.shape[0]
    if list(_padded(source)) != shape or (source.ndim != input.ndim and source.ndim and input.ndim):
        raise ShapeError(
            f"{name}: slices of shape {tuple(source.shape)}, where {tuple(shape)} is expected",
            hint="one slice for each index, of the sizes of input elsewhere",
        )
    return d, index, source


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """input with alpha times slices of ``source`` added at ``index`` along ``dim``"""
    d, index, source = _slices("index_add", input, dim, index, source)
    if not e.is_one(alpha):
        source = cast(e.mul(source, alpha), input.dtype)
    x, rows = (rows_first(s.reshape(t, _padded(t)), d) for t in (input, source))
    if input.dtype is bool_:
        wide = expand(s.reshape(index, (-1, *(1,) * (rows.ndim - 1))), tuple(rows.shape))
        added = _reduced(*_flat(x, 0, wide, rows), "sum", True, x)
    else:
        added = e.add(x, bind(ops.IndexAdd, rows, index, shape=tuple(x.shape)))
    return s.reshape(rows_first(added, d), tuple(input.shape))


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """input with slices of ``source`` written at ``index`` along ``dim``; repeated indices: the last one stays"""
    d, index, source = _slices("index_copy", input, dim, index, source)
    x, rows = (rows_first(s.reshape(t, _padded(t)), d) for t in (input, source))
    return s.reshape(rows_first(put_rows(x, index, rows), d), tuple(input.shape))


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """input with ``value`` in the slices named by ``index`` along ``dim``"""
    d = normalize_dim(dim, require_tensor("index_fill", input).ndim)
    index = vector_index("index_fill", index, long=True)
    if is_tensor(value) and value.ndim:
        raise ShapeError(f"index_fill with a value of shape {tuple(value.shape)}", hint="a single number")
    n = _padded(input)[d]
    hit = e.gt(_count(wrapped(index, n), n), 0)
    along = s.reshape(hit, tuple(n if i == d else 1 for i in range(input.ndim)))
    return e.where(along, in_dtype(value, input.dtype), input)


# -- anywhere ---------------------------------------------------------------------------------------------------------


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """input with source written (or added) at ``index`` of the flattened input"""
    index = long_index("put", index)
    source = require_tensor("put", source)
    if source.dtype is not input.dtype or size(tuple(source.shape)) != size(tuple(index.shape)):
        raise DTypeError(
            f"put: source {source._type} for an index {index._type} into {input._type}",
            hint="one value for each index, of the dtype of input",
        )
    n = size(tuple(input.shape))
    return put_flat(input, wrapped(s.ravel(index), n), s.ravel(source), accumulate)


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """input with the first elements of ``source``, in their order, where ``mask`` holds"""
    from .scan import cumsum

    mask, source = (require_tensor("masked_scatter", t) for t in (mask, source))
    if mask.dtype is not bool_ or source.dtype is not input.dtype:
        raise DTypeError(
            f"masked_scatter: mask of {mask.dtype!r}, source of {source.dtype!r}, input of {input.dtype!r}",
            hint="a mask of bools, and source.to(input.dtype)",
        )
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    x, flags = expand(input, shape), s.ravel(expand(mask, shape))
    if isinstance(flags._value, np.ndarray) and int(flags._value.sum()) > size(tuple(source.shape)):
        raise ShapeError(
            f"masked_scatter: {size(tuple(source.shape))} values for {int(flags._value.sum())} places",
            hint="source needs as many elements as the mask has places",
        )
    if not size(shape) or not size(tuple(source.shape)):
        return x.clone()
    number = e.where(flags, e.sub(cumsum(flags, 0), 1), 0)
    picked = bind(ops.Index, s.ravel(source), number)
    return e.where(expand(mask, shape), s.reshape(picked, shape), x)


def _into(name: str, input: Any, seen: Any, src: Any) -> Any:
    """input with src at the places that ``seen``, made of the numbers of its elements, shows."""
    if tuple(seen.shape) != tuple(require_tensor(name, src).shape):
        raise ShapeError(
            f"{name}: src of shape {tuple(src.shape)} for a part of shape {tuple(seen.shape)}",
            hint="src has the shape of the part that it replaces",
        )
    return put_flat(input, seen, src)


def _numbers(name: str, x: Any) -> Any:
    shape = tuple(require_tensor(name, x).shape)
    return as_tensor(np.arange(size(shape)).reshape(shape))


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """input with src as entry ``index`` of ``dim``"""
    return _into("select_scatter", input, s.select(_numbers("select_scatter", input), dim, index), src)


def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """input with src as its slice start:end:step along ``dim``"""
    if not require_tensor("slice_scatter", input).ndim:
        raise ShapeError("slice_scatter into a tensor without dimensions", hint="use .reshape(1) first")
    d = normalize_dim(dim, input.ndim)
    if step < 1:
        raise ShapeError(f"slice_scatter: step={step}", hint="at least 1")
    a, b, c = slice(start, end, step).indices(input.shape[d])
    return _into("slice_scatter", input, s.piece(_numbers("slice_scatter", input), d, a, max(a, b), c), src)


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """input with src as its `diagonal`"""
    return _into(
        "diagonal_scatter", input, diagonal(_numbers("diagonal_scatter", input), offset, dim1, dim2), src
    )
