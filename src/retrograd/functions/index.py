"""Everything that ``x[...]`` can mean: integers, slices, None, ..., index tensors and masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind, constant, context
from ..ops import index as ops
from ..types import bool_, int64, size, uint8
from . import elementwise as e
from . import shape as s
from ._arguments import as_tensor, cast, index_dtype, is_tensor, require_tensor
from .pick import index_select, nonzero, wrapped
from .scatter import put_flat

__all__ = ["index_put"]


class Plan:
    """What ``x[key]`` comes to: slices and new axes first (a view), then index tensors over some dimensions."""

    def __init__(self, x: Any, key: Any) -> None:
        items = [_item(i) for i in (key if isinstance(key, tuple) or _stands_for_tuple(key) else (key,))]
        used = sum(
            i.ndim if _is_mask(i) else 1
            for i in items
            if i is not None and i is not Ellipsis and not (is_tensor(i) and i.dtype is bool_ and not i.ndim)
        )
        if used > x.ndim:
            raise ShapeError(
                f"{used} indices for a tensor of shape {tuple(x.shape)}", hint=f"use at most {x.ndim}"
            )
        if not any(i is Ellipsis for i in items):
            items.append(Ellipsis)
        self.slices: list[tuple[int, int, int]] = []
        # 'keep', 'drop', 'new' or 'index', in the order of the result; with an index tensor where there is one
        self.layout: list[tuple[str, Any]] = []
        self.numbers: list[tuple[int, Any]] = []
        dim = 0
        free = x.ndim - used
        for item in items:
            if item is Ellipsis:
                for _ in range(free):
                    self._keep(x, dim, slice(None))
                    dim += 1
                free = 0  # a further ... stands for nothing
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
                        hint=f"use an index between {-n} and {n - 1}" if n else "it holds nothing",
                    )
                self.slices.append((item % n, item % n + 1, 1))
                self.layout.append(("drop", None))
                dim += 1
            elif _is_mask(item) and item.ndim == 0:  # yes or no for all of x: a new axis of length 1 or 0
                self.layout.append(("new", nonzero(item, as_tuple=True)[0]))
            elif _is_mask(item):
                if tuple(item.shape) != tuple(x.shape[dim : dim + item.ndim]):
                    raise ShapeError(
                        f"a mask of shape {tuple(item.shape)} does not fit a tensor of shape {tuple(x.shape)}",
                        hint="the mask must have the shape of the dimensions that it selects from",
                    )
                for index in nonzero(item, as_tuple=True):
                    self._index(x, dim, index)
                    dim += 1
            elif item.ndim == 0:  # a number that is not known yet: the entry is picked first, as with an int
                self.numbers.append((dim, item))
                self.slices.append((0, 1, 1))
                self.layout.append(("drop", None))
                dim += 1
            else:
                self._index(x, dim, wrapped(index_dtype(item), x.shape[dim]))
                dim += 1

    def _keep(self, x: Any, dim: int, item: slice) -> None:
        try:
            start, stop, step = item.indices(x.shape[dim])
        except (TypeError, ValueError):
            start = stop = step = 0
        if step <= 0:
            raise ShapeError(
                f"{item} in an index: bounds must be integers and the step positive",
                hint="use .flip(dim) to read backwards",
            )
        self.slices.append((start, max(start, stop), step))
        self.layout.append(("keep", None))

    def _index(self, x: Any, dim: int, index: Any) -> None:
        self.slices.append((0, x.shape[dim], 1))
        self.layout.append(("index", index))

    def view(self, x: Any) -> Any:
        """The part that slices and new axes make; index tensors still to come."""
        for d, number in self.numbers:
            x = index_select(x, d, wrapped(number, x.shape[d]))
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

    @property
    def is_view(self) -> bool:
        """True if no values decide where the result lies: it looks into the memory of x."""
        return not self.indexed and not self.numbers


def _stands_for_tuple(key: Any) -> bool:
    """A list is read as a tuple where an entry could not be a number, as in PyTorch (and in NumPy once)."""
    special = list | tuple | range | slice | np.ndarray | type(Ellipsis) | type(None)
    return (
        isinstance(key, list) and len(key) < 32 and any(is_tensor(i) or isinstance(i, special) for i in key)
    )


def _item(item: Any) -> Any:
    """One entry of a key: an int, a slice, None, ... or a tensor."""
    if isinstance(item, bool):
        return constant(np.asarray(item))
    if item is None or item is Ellipsis or isinstance(item, slice | int):
        return item
    if isinstance(item, np.integer):
        return int(item)
    if isinstance(item, list | tuple | range):
        item = constant(list(item), None if len(item) else int64)
    if isinstance(item, np.ndarray):
        item = as_tensor(item)
    if not is_tensor(item):
        raise DTypeError(
            f"a tensor cannot be indexed with {type(item).__name__}",
            hint="use integers, slices, None, ... or tensors",
        )
    if item.dtype is uint8:  # as in PyTorch, bytes are a mask
        return cast(item, bool_)
    if item.dtype.is_floating_point:
        raise DTypeError(f"a tensor cannot be indexed with {item.dtype!r}", hint="convert it with .long()")
    if item.ndim == 0 and item.dtype is not bool_ and context.tracer is None:
        return int(item.item())
    return item


def _is_mask(item: Any) -> bool:
    return is_tensor(item) and item.dtype is bool_


def get_item(x: Any, key: Any) -> Any:
    """x[key]: integers, slices, None, ..., index tensors and masks, with NumPy's and PyTorch's rules"""
    return apply(x, Plan(x, key))


def apply(x: Any, plan: Plan) -> Any:
    """What a plan picks from ``x``."""
    view = plan.view(x)
    indexed = plan.indexed
    if not indexed:
        return view if view is not x else s.reshape(x, tuple(x.shape))
    dims = [d for d, _ in indexed]
    index = s.broadcast_tensors(*(i for _, i in indexed))
    order = dims + [d for d in range(view.ndim) if d not in dims]
    moved = s.permute(view, order) if order != list(range(view.ndim)) else view
    out = bind(ops.Index, moved, *index)
    if dims == list(range(dims[0], dims[0] + len(dims))) and dims[0] > 0:
        k = index[0].ndim  # adjacent index tensors stay where they stood
        out = s.movedim(out, tuple(range(k)), tuple(range(dims[0], dims[0] + k)))
    return out


def positions(x: Any, key: Any) -> Any:
    """Where x[key] lies in the flattened x: for assignment through index tensors and masks"""
    return apply_to_numbers(x, Plan(x, key))


def apply_to_numbers(x: Any, plan: Plan) -> Any:
    """The number, in row-major order, of each element that a plan picks from ``x``."""
    shape = tuple(x.shape)
    return apply(constant(np.arange(size(shape)).reshape(shape)), plan)


def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """input with ``values`` written (or added) at ``indices``; where places repeat, the last write stays"""
    if is_tensor(indices) or not isinstance(indices, list | tuple):
        raise DTypeError(
            f"index_put takes a tuple of index tensors, got {type(indices).__name__}",
            hint="index_put(x, (i, j), values)",
        )
    values = as_tensor(values)
    if values.dtype is not input.dtype:
        raise DTypeError(
            f"index_put: values of {values.dtype!r} into {input.dtype!r}", hint="values.to(input.dtype)"
        )
    key = tuple(slice(None) if i is None else i for i in indices)
    return put_flat(input, positions(input, key), values, accumulate)


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Rows of ``weight`` named by ``input``; the row ``padding_idx`` gets no gradient"""
    index = index_dtype(input)
    rows = bind(ops.Index, weight, index)
    if padding_idx is None:
        return rows
    row = padding_idx % weight.shape[0]
    return e.where(s.unsqueeze(e.eq(index, row), -1), rows.detach(), rows)


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
