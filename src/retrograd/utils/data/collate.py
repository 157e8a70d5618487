"""Many rows into one batch: the same structure, with a first dimension more on every tensor."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ...errors import DTypeError, ShapeError, UsageError
from ...functions.create import as_tensor, tensor
from ...functions.shape import stack
from ...tensor import Tensor
from ...types import float64

__all__ = ["default_collate", "default_convert"]


def default_convert(data: Any) -> Any:
    """NumPy arrays and numbers inside ``data`` as tensors; everything else as it is, tuples as lists.

    >>> default_convert({"x": np.zeros(2), "name": "a"})
    {'x': tensor([0., 0.], dtype=retrograd.float64), 'name': 'a'}
    """
    if isinstance(data, Tensor | str | bytes):
        return data
    if isinstance(data, np.ndarray | np.generic):
        return data if data.dtype.kind in "SaUO" else as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple):
        parts = [default_convert(d) for d in data]
        return type(data)(*parts) if hasattr(data, "_fields") else parts
    if isinstance(data, Sequence):
        return _like_sequence(data, [default_convert(d) for d in data])
    return data


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch of a list of rows.

    Tensors and arrays are stacked; numbers become a tensor (floats in float64); texts stay a list; dicts, tuples, named
    tuples and lists are gone through, entry by entry, and tuples become lists.

    >>> default_collate([(1, {"a": 0.5}), (2, {"a": 1.5})])
    [tensor([1, 2]), {'a': tensor([0.5000, 1.5000], dtype=retrograd.float64)}]
    """
    if not len(batch):
        raise UsageError("a batch of no rows cannot be collated", hint="at least one row")
    first = batch[0]
    if isinstance(first, Tensor):
        return _stacked(batch)
    if isinstance(first, np.ndarray | np.generic) and not isinstance(first, str | bytes):
        return _of_arrays(batch)
    if isinstance(first, float):
        return tensor(list(batch), dtype=float64)
    if isinstance(first, int):
        return tensor(list(batch))
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return _like_mapping(first, {key: default_collate([row[key] for row in batch]) for key in first})
    if isinstance(first, tuple | Sequence):
        lengths = {len(row) for row in batch}
        if len(lengths) > 1 and not hasattr(first, "_fields"):
            raise ShapeError(
                f"rows of a batch are lists of {', '.join(map(str, sorted(lengths)))} entries",
                hint="lists of equal length, or a collate_fn of your own, for instance one that pads them",
            )
        columns = [default_collate(column) for column in zip(*batch, strict=False)]
        if hasattr(first, "_fields"):
            return type(first)(*columns)
        return columns if isinstance(first, tuple) else _like_sequence(first, columns)
    raise DTypeError(
        f"a batch is made of tensors, arrays, numbers, texts, dicts and lists, not of {type(first).__name__}",
        hint="a collate_fn of your own: DataLoader(dataset, collate_fn=list)",
    )


def _of_arrays(batch: Sequence[Any]) -> Tensor:
    first = batch[0]
    if first.dtype.kind in "SaUO":
        raise DTypeError(f"arrays of {first.dtype} cannot be made a tensor", hint="a collate_fn of your own")
    if isinstance(first, np.generic):
        return as_tensor(np.array(batch))
    shapes = {np.shape(row) for row in batch}
    if len(shapes) > 1:
        raise _unequal(shapes)
    return as_tensor(np.stack(batch))


def _stacked(batch: Sequence[Any]) -> Tensor:
    shapes = {tuple(row.shape) for row in batch}
    if len(shapes) > 1:
        raise _unequal(shapes)
    return stack(list(batch))


def _unequal(shapes: set[tuple[int, ...]]) -> ShapeError:
    return ShapeError(
        f"rows of a batch have different shapes: {', '.join(map(str, sorted(shapes)))}",
        hint="rows of one shape, or a collate_fn of your own, for instance one that pads them",
    )


def _like_mapping(like: Any, entries: dict[Any, Any]) -> Any:
    """A mapping of the kind of ``like``; a dict where that kind cannot be made of entries alone."""
    try:
        if isinstance(like, MutableMapping):
            out = copy.copy(like)  # it may have attributes, or a default
            out.update(entries)
            return out
        return type(like)(entries)
    except TypeError:
        return entries


def _like_sequence(like: Any, entries: list[Any]) -> Any:
    """A sequence of the kind of ``like``; a list where that kind cannot be made of entries alone."""
    try:
        if isinstance(like, MutableSequence):
            out = copy.copy(like)
            for i, entry in enumerate(entries):
                out[i] = entry
            return out
        return type(like)(entries)
    except TypeError:
        return entries


Collate = Callable[[Any], Any]
