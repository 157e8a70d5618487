"""In-place forms of functions that copy, fill, place and reduce by position; assignment to what an index selects."""

from __future__ import annotations

import warnings
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
from ..types import bool_, normalize_dim
from .writing import before, check_target, direct, in_place, overwriting, places_of, write

__all__ = [
    "copy_", "fill_", "fill_diagonal_", "index_add_", "index_copy_", "index_fill_", "index_put_", "index_reduce_",
    "masked_fill_", "masked_scatter_", "put_", "scatter_", "scatter_add_", "scatter_reduce_", "tril_", "triu_", "zero_",
]  # fmt: skip

index_add_ = in_place(sc.index_add)
index_copy_ = in_place(sc.index_copy)
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


def _shares(x: Any) -> bool:
    """Do elements of ``x`` share memory, as after `expand`?"""
    array = x._value
    return (
        x._base is not None
        and isinstance(array, np.ndarray)
        and array.size > 0
        and any(n > 1 and not step for n, step in zip(array.shape, array.strides, strict=True))
    )


def _write_shared(x: Any, key: Any, value: Any, accumulate: bool = False) -> Any:
    """x[key] = value where elements share memory: the others change too, as in PyTorch, which warns as well."""
    warnings.warn(
        "an expanded tensor is written in place: elements that share memory change together; hint: call .clone() first",
        UserWarning,
        stacklevel=4,
    )
    check_target(x)
    here = ix.apply_to_numbers(x, ix.Plan(x, key))
    value = _without_leading_ones(value, here.ndim)
    base = x._base
    at = constant(places_of(x).reshape(-1)[here.numpy()])
    write(base, sc.put_flat(before(base, value), at, value, accumulate))
    return x


def masked_fill_(self: Any, mask: Any, value: Any) -> Any:
    """self = value where mask holds"""
    if _shares(self):
        filled = e.masked_fill(self, mask, value)  # which checks the arguments
        return _write_shared(self, expand(mask, filled._type.shape), in_dtype(value, self._type.dtype))
    return _masked_fill(self, mask, value)


def index_fill_(self: Any, dim: int, index: Any, value: Any) -> Any:
    """self = value in the slices named by ``index`` along ``dim``"""
    if _shares(self):
        sc.index_fill(self, dim, index, value)
        key = (*(slice(None),) * normalize_dim(dim, self.ndim), index)
        return _write_shared(self, key, in_dtype(value, self._type.dtype))
    return _index_fill(self, dim, index, value)


def index_put_(self: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """self with ``values`` written (or added) at ``indices``; where places repeat, the last write stays"""
    if _shares(self):
        ix.index_put(self, indices, values, accumulate)
        key = tuple(slice(None) if i is None else i for i in indices)
        return _write_shared(self, key, values, accumulate)
    return _index_put(self, indices, values, accumulate)


_masked_fill, _index_fill, _index_put = (
    in_place(e.masked_fill),
    in_place(sc.index_fill),
    in_place(ix.index_put),
)


def set_item(self: Any, key: Any, value: Any) -> None:
    """self[key] = value"""
    value = in_dtype(value, self._type.dtype)
    if _shares(self) and not ix.Plan(self, key).is_view:
        _write_shared(self, key, value)
        return
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
