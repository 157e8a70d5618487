"""Functions that pick and place by position, with PyTorch's names, and everything that ``x[...]`` can mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..op import bind, context
from ..ops import index as ops
from ..types import bool_, broadcast_shapes, int64, normalize_dim, size
from . import elementwise as e
from . import shape as s
from ._arguments import as_tensor, cast, expand, in_dtype, index_dtype, is_tensor

__all__ = [
    "argwhere", "diagonal", "gather", "index_add", "index_put", "index_select",
    "masked_select", "nonzero", "scatter", "scatter_add", "take", "take_along_dim", "tril",
    "triu",
]  # fmt: skip


def _wrapped(index: Any, n: int) -> Any:
    """Negative indices counted from the end."""
    value = getattr(index, "_value", None)
    if isinstance(value, np.ndarray) and (value.size == 0 or int(value.min()) >= 0):
        return index
    return e.where(e.lt(index, 0), e.add(index, n), index)


def gather(input: Any, dim: int, index: Any) -> Any:
    """Entries of ``input`` along ``dim`` at ``index``"""
    d = normalize_dim(dim, input.ndim)
    return bind(ops.Gather, input, index_dtype(index), dim=d)


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather` whose indices broadcast against the input"""
    indices = index_dtype(indices)
    if dim is None:
        return bind(ops.Gather, s.ravel(input), s.ravel(indices), dim=0)
    d = normalize_dim(dim, input.ndim)
    shape = broadcast_shapes(
        tuple(1 if i == d else n for i, n in enumerate(input.shape)),
        tuple(1 if i == d else n for i, n in enumerate(indices.shape)),
    )
    wide = expand(input, tuple(input.shape[d] if i == d else n for i, n in enumerate(shape)))
    return bind(
        ops.Gather,
        wide,
        expand(indices, tuple(indices.shape[d] if i == d else n for i, n in enumerate(shape))),
        dim=d,
    )


def _corner(x: Any, shape: tuple[int, ...]) -> Any:
    """The first entries of x in each dimension: PyTorch's scatter ignores the rest of ``src``."""
    return x if tuple(x.shape) == shape else s.slice_dims(x, [(0, n, 1) for n in shape])


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """input with src added at ``index`` along ``dim``"""
    index = index_dtype(index)
    d = normalize_dim(dim, input.ndim)
    src = _corner(in_dtype(src, input.dtype), tuple(index.shape))
    return e.add(input, bind(ops.ScatterAdd, src, index, shape=tuple(input.shape), dim=d))


def scatter(input: Any, dim: int, index: Any, src: Any) -> Any:
    """input with src (a tensor or a number) written at ``index`` along ``dim``; repeated indices: the last one wins"""
    index = index_dtype(index)
    d = normalize_dim(dim, input.ndim)
    shape = tuple(input.shape)
    src = (
        expand(in_dtype(src, input.dtype), tuple(index.shape))
        if not is_tensor(src)
        else _corner(src, tuple(index.shape))
    )
    # Number the writes; at each place only the last one counts.
    order = as_tensor(np.arange(1, size(tuple(index.shape)) + 1).reshape(tuple(index.shape)))
    winner = _last_write(order, index, shape, d)
    kept = cast(e.eq(bind(ops.Gather, winner, index, dim=d), order), input.dtype)
    placed = bind(
        ops.ScatterAdd, e.where(e.gt(kept, 0), src, e.mul(src, 0).detach()), index, shape=shape, dim=d
    )
    return e.where(e.gt(winner, 0), placed, input)


def _last_write(order: Any, index: Any, shape: tuple[int, ...], dim: int) -> Any:
    """For each place, the number of the last write to it (0: none)."""
    if context.tracer is not None:
        raise ShapeError(
            "scatter with repeated indices cannot be traced",
            hint="use scatter_add, or index_put with unique indices",
        )
    out = np.zeros(shape, np.int64)
    grid = np.indices(tuple(index.shape), sparse=True)
    places = tuple(index._value if i == dim else g for i, g in enumerate(grid))
    np.maximum.at(out, places, order._value)
    return as_tensor(out)


def index_select(input: Any, dim: int, index: Any) -> Any:
    """Whole slices of ``dim``, in the order of ``index``"""
    d = normalize_dim(dim, input.ndim)
    index = _wrapped(index_dtype(index), input.shape[d])
    if d == 0:
        return bind(ops.Index, input, index)
    return s.transpose(bind(ops.Index, s.transpose(input, 0, d), index), 0, d)


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """input with slices of ``source`` added at ``index`` along ``dim``"""
    d = normalize_dim(dim, input.ndim)
    index = _wrapped(index_dtype(index), input.shape[d])
    source = e.mul(source, alpha) if alpha != 1 else source
    moved = s.transpose(source, 0, d) if d else source
    shape = tuple(s.transpose(input, 0, d).shape) if d else tuple(input.shape)
    added = bind(ops.IndexAdd, cast(moved, input.dtype), index, shape=shape)
    return e.add(input, s.transpose(added, 0, d) if d else added)


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Rows of ``weight`` named by ``input``; the row ``padding_idx`` gets no gradient"""
    index = index_dtype(input)
    rows = bind(ops.Index, weight, index)
    if padding_idx is None:
        return rows
    row = padding_idx % weight.shape[0]
    return e.where(s.unsqueeze(e.eq(index, row), -1), rows.detach(), rows)


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """int64 rows with a single 1 at the class"""
    index = index_dtype(input)
    n = num_classes if num_classes >= 0 else int(index.numpy().max(initial=-1)) + 1
    return cast(e.eq(s.unsqueeze(index, -1), as_tensor(np.arange(n))), int64)


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Positions of the non-zero elements: rows (n, ndim), or one index tensor per dimension"""
    rows = bind(ops.NonZero, as_tensor(input))
    return s.unbind(rows, 1) if as_tuple else rows


argwhere = nonzero


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where ``mask`` holds, as one dimension"""
    shape = broadcast_shapes(tuple(input.shape), tuple(mask.shape))
    return get_item(expand(input, shape), expand(mask, shape))


def take(input: Any, index: Any) -> Any:
    """Elements of the flattened input"""
    return bind(ops.Index, s.ravel(input), _wrapped(index_dtype(index), size(tuple(input.shape))))


class _Plan:
    """What ``x[key]`` comes to: slices and new axes first (a view), then index tensors over some dimensions."""

    def __init__(self, x: Any, key: Any) -> None:
        items = list(key) if isinstance(key, tuple) else [key]
        items = [self._item(i) for i in items]
        used = sum(
            i.ndim if self._is_mask(i) else 1
            for i in items
            if i is not None and i is not Ellipsis and not isinstance(i, bool)
        )
        if used > x.ndim:
            raise ShapeError(
                f"{used} indices for a tensor of shape {tuple(x.shape)}", hint=f"use at most {x.ndim}"
            )
        if Ellipsis not in [i for i in items if not is_tensor(i)]:
            items.append(Ellipsis)
        self.slices: list[tuple[int, int, int]] = []
        self.flipped: list[int] = []
        # 'keep', 'drop', 'new' or 'index', in the order of the result; with an index tensor where there is one
        self.layout: list[tuple[str, Any]] = []
        dim = 0
        for item in items:
            if item is Ellipsis:
                for _ in range(x.ndim - used):
                    self._keep(x, dim, slice(None))
                    dim += 1
            elif item is None:
                self.layout.append(("new", None))
            elif isinstance(item, slice):
                self._keep(x, dim, item)
                dim += 1
            elif isinstance(item, int):
                n = x.shape[dim]
                if not -n <= item < n:
                    raise ShapeError(
                        f"index {item} is out of range for dimension {dim} of size {n}",
                        hint=f"use an index between {-n} and {n - 1}",
                    )
                self.slices.append((item % n, item % n + 1, 1))
                self.layout.append(("drop", None))
                dim += 1
            elif (
                self._is_mask(item) and item.ndim == 0
            ):  # yes or no for all of x: a new axis of length 1 or 0
                self.layout.append(("new", nonzero(s.reshape(item, (1,)), as_tuple=True)[0]))
            elif self._is_mask(item):
                if tuple(item.shape) != tuple(x.shape[dim : dim + item.ndim]):
                    raise ShapeError(
                        f"a mask of shape {tuple(item.shape)} does not fit a tensor of shape {tuple(x.shape)}",
                        hint="the mask must have the shape of the dimensions that it selects from",
                    )
                for index in nonzero(item, as_tuple=True):
                    self._index(x, dim, index)
                    dim += 1
            else:
                self._index(x, dim, _wrapped(index_dtype(item), x.shape[dim]))
                dim += 1

    @staticmethod
    def _item(item: Any) -> Any:
        if isinstance(item, list | range):
            item = np.asarray(item, dtype=None if len(item) else np.int64)
        if isinstance(item, np.integer):
            return int(item)
        if isinstance(item, np.ndarray):
            return as_tensor(item)
        if isinstance(item, bool | np.bool_):
            raise ShapeError(
                "a tensor cannot be indexed with True or False", hint="use a mask tensor, e.g. x[x > 0]"
            )
        if (
            is_tensor(item)
            and item.ndim == 0
            and item.dtype is not bool_
            and not item.dtype.is_floating_point
            and context.tracer is None
        ):
            return int(item.item())
        if item is None or item is Ellipsis or isinstance(item, slice | int) or is_tensor(item):
            return item
        raise ShapeError(
            f"a tensor cannot be indexed with {type(item).__name__}",
            hint="use integers, slices, None, ... or tensors",
        )

    @staticmethod
    def _is_mask(item: Any) -> bool:
        return is_tensor(item) and item.dtype is bool_

    def _keep(self, x: Any, dim: int, item: slice) -> None:
        if item.step is not None and item.step <= 0:
            raise ShapeError(
                f"slice step {item.step} is not positive", hint="use .flip(dim) to read backwards"
            )
        start, stop, step = item.indices(x.shape[dim])
        self.slices.append((start, max(start, stop), step))
        self.layout.append(("keep", None))

    def _index(self, x: Any, dim: int, index: Any) -> None:
        self.slices.append((0, x.shape[dim], 1))
        self.layout.append(("index", index))

    def view(self, x: Any) -> Any:
        """The part that slices and new axes make; index tensors still to come."""
        if any(t != (0, n, 1) for t, n in zip(self.slices, x.shape, strict=True)):
            x = s.slice_dims(x, self.slices)
        shape, dim = [], 0
        for kind, _ in self.layout:
            if kind == "new":
                shape.append(1)
                continue
            if kind != "drop":
                shape.append(x.shape[dim])
            dim += 1
        return s.reshape(x, tuple(shape)) if tuple(shape) != tuple(x.shape) else x

    @property
    def indexed(self) -> list[tuple[int, Any]]:
        """(dimension of the view, index tensor) for each index tensor."""
        kept = [(kind, index) for kind, index in self.layout if kind != "drop"]
        return [(i, index) for i, (kind, index) in enumerate(kept) if index is not None]


def get_item(x: Any, key: Any) -> Any:
    """x[key]: integers, slices, None, ..., index tensors and masks, with NumPy's and PyTorch's rules"""
    plan = _Plan(x, key)
    view = plan.view(x)
    indexed = plan.indexed
    if not indexed:
        return view if view is not x else s.reshape(x, tuple(x.shape))
    dims = [d for d, _ in indexed]
    index = s.broadcast_tensors(*(i for _, i in indexed))
    order = dims + [d for d in range(view.ndim) if d not in dims]
    moved = s.permute(view, order) if order != list(range(view.ndim)) else view
    out = bind(ops.Index, moved, *index)
    if (
        dims == list(range(dims[0], dims[0] + len(dims))) and dims[0] > 0
    ):  # adjacent index tensors stay where they stood
        k = index[0].ndim
        out = s.movedim(out, tuple(range(k)), tuple(range(dims[0], dims[0] + k)))
    return out


def positions(x: Any, key: Any) -> Any:
    """Where x[key] lies in the flattened x: for assignment through index tensors and masks"""
    numbers = as_tensor(np.arange(size(tuple(x.shape))).reshape(tuple(x.shape)))
    return get_item(numbers, key)


def is_view_key(x: Any, key: Any) -> bool:
    """True if x[key] is a view: no index tensor and no mask in the key"""
    return not _Plan(x, key).indexed


def put_flat(x: Any, places: Any, value: Any) -> Any:
    """x with ``value`` written at ``places`` of the flattened x (unique places)"""
    shape, n = tuple(x.shape), size(tuple(x.shape))
    value = expand(in_dtype(value, x.dtype), tuple(places.shape))
    flat = s.ravel(places)
    placed = bind(ops.IndexAdd, s.ravel(value), flat, shape=(n,))
    ones = as_tensor(np.ones(tuple(flat.shape), np.int64))
    hit = e.gt(bind(ops.IndexAdd, ones, flat, shape=(n,)), 0)
    return e.where(s.reshape(hit, shape), s.reshape(placed, shape), x)


def index_put(x: Any, indices: tuple[Any, ...], values: Any, accumulate: bool = False) -> Any:
    """x with ``values`` written (or added) at ``indices``"""
    places = positions(x, tuple(indices))
    if not accumulate:
        return put_flat(x, places, values)
    value = expand(in_dtype(values, x.dtype), tuple(places.shape))
    added = bind(ops.IndexAdd, s.ravel(value), s.ravel(places), shape=(size(tuple(x.shape)),))
    return e.add(x, s.reshape(added, tuple(x.shape)))


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of matrices; zeros elsewhere"""
    n, m = input.shape[-2:]
    return e.where(as_tensor(np.tri(n, m, diagonal, dtype=bool)), input, 0)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of matrices; zeros elsewhere"""
    n, m = input.shape[-2:]
    return e.where(as_tensor(~np.tri(n, m, diagonal - 1, dtype=bool)), input, 0)


def diagonal(input: Any, offset: int = 0) -> Any:
    """The diagonal of a matrix"""
    n, m = input.shape[-2:]
    rows = np.arange(max(0, -offset), max(0, -offset) + max(0, min(n - max(0, -offset), m - max(0, offset))))
    flat = s.reshape(input, (*input.shape[:-2], n * m))
    return index_select(flat, -1, as_tensor(rows * m + rows + offset))
