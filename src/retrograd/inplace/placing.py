"""In-place forms of functions that copy, fill, place and reduce by position; assignment to what an index selects."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..functions import diagonal as dg
from ..functions import elementwise as e
from ..functions import index as ix
from ..functions import scatter as sc
from ..functions import shape as s
from ..functions._arguments import expand, in_dtype, is_tensor
from ..op import constant
from ..types import bool_
from .writing import before, direct, in_place, overwriting, write

__all__ = [
    "copy_", "fill_", "fill_diagonal_", "index_add_", "index_copy_", "index_fill_", "index_put_", "index_reduce_",
    "masked_scatter_", "put_", "scatter_", "scatter_add_", "scatter_reduce_", "tril_", "triu_", "zero_",
]  # fmt: skip

index_add_ = in_place(sc.index_add)
index_copy_ = in_place(sc.index_copy)
index_fill_ = in_place(sc.index_fill)
index_put_ = in_place(ix.index_put)
index_reduce_ = in_place(sc.index_reduce)
masked_scatter_ = in_place(sc.masked_scatter)
put_ = in_place(sc.put)
scatter_ = in_place(sc.scatter)
scatter_add_ = in_place(sc.scatter_add)
scatter_reduce_ = in_place(sc.scatter_reduce)
tril_ = in_place(dg.tril)
triu_ = in_place(dg.triu)


def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """self = src, converted and broadcast; ``non_blocking`` is without effect"""
    return write(self, overwriting(self, in_dtype(src, self._type.dtype)))


def fill_(self: Any, value: Any) -> Any:
    """self = value everywhere"""
    return copy_(self, value)


def zero_(self: Any) -> Any:
    """self = 0 everywhere"""
    return copy_(self, 0)


def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """A number along the main diagonal; ``wrap``: in a tall matrix once more after each block of ``columns`` rows + 1"""
    shape = tuple(self.shape)
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ShapeError(f"fill_diagonal_ of shape {shape}", hint="a matrix, or more dimensions of one size")
    n = min(shape)
    step = sum(int(np.prod(shape[k + 1 :])) for k in range(len(shape)))
    stop = self.numel() if wrap and len(shape) == 2 else n * step
    places = np.arange(0, min(stop, self.numel()), step)
    mask = np.zeros(self.numel(), bool)
    mask[places] = True
    set_item(self, constant(mask.reshape(shape)), fill_value)
    return self


def set_item(self: Any, key: Any, value: Any) -> None:
    """self[key] = value"""
    value = in_dtype(value, self._type.dtype)
    if is_tensor(key) and key.dtype is bool_ and key.ndim and not value.ndim:
        fits = tuple(key.shape) == tuple(self.shape[: key.ndim])
        if fits:  # one number where a mask holds: no positions are needed, so it can be traced
            write(
                self,
                e.where(
                    s.reshape(key, (*key.shape, *(1,) * (self.ndim - key.ndim))), value, before(self, value)
                ),
            )
            return
    plan = ix.Plan(self, key)
    if not plan.is_view:
        places = ix.apply_to_numbers(self, plan)
        value = _without_leading_ones(value, places.ndim)
        if direct(self, value):
            flat = expand(value, tuple(places.shape))._value
            if self._value.flags.c_contiguous:
                self._value.reshape(-1)[places._value] = flat
            else:
                self._value.flat[places._value.reshape(-1)] = flat.reshape(-1)
            self._version[0] += 1
            return
        write(self, sc.put_flat(before(self, value), places, value))
        return
    target = ix.apply(self, plan)
    write(target, _without_leading_ones(value, target.ndim))


def _without_leading_ones(value: Any, ndim: int) -> Any:
    """Leading sizes of 1 beyond ``ndim`` may be dropped when a value is assigned, as in NumPy."""
    extra = value.ndim - ndim
    return value.reshape(value.shape[extra:]) if extra > 0 and set(value.shape[:extra]) == {1} else value
