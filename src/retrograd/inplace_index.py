"""In-place operations by position: index assignment, the scatter family, and new shapes for the same tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import GradError, TraceError
from .functions import diagonal as dg
from .functions import elementwise as e
from .functions import index as ix
from .functions import scatter as sc
from .functions import shape as s
from .functions._arguments import expand, in_dtype, is_tensor
from .inplace import _before, _check_target, _direct, write
from .op import context, make_tensor
from .types import bool_


def set_item(self: Any, key: Any, value: Any) -> None:
    """self[key] = value"""
    value = in_dtype(value, self._type.dtype)
    if is_tensor(key) and key.dtype is bool_ and key.ndim and not value.ndim:
        fits = tuple(key.shape) == tuple(self.shape[: key.ndim])
        if fits:  # one number where a mask holds: no positions are needed, so it can be traced
            write(
                self,
                e.where(
                    s.reshape(key, (*key.shape, *(1,) * (self.ndim - key.ndim))), value, _before(self, value)
                ),
            )
            return
    plan = ix.Plan(self, key)
    if not plan.is_view:
        places = ix.apply_to_numbers(self, plan)
        value = _without_leading_ones(value, places.ndim)
        if _direct(self, value):
            flat = expand(value, tuple(places.shape))._value
            if self._value.flags.c_contiguous:
                self._value.reshape(-1)[places._value] = flat
            else:
                self._value.flat[places._value.reshape(-1)] = flat.reshape(-1)
            self._version[0] += 1
            return
        write(self, sc.put_flat(_before(self, value), places, value))
        return
    target = ix.apply(self, plan)
    write(target, _without_leading_ones(value, target.ndim))


def _without_leading_ones(value: Any, ndim: int) -> Any:
    """Leading sizes of 1 beyond ``ndim`` may be dropped when a value is assigned, as in NumPy."""
    extra = value.ndim - ndim
    return value.reshape(value.shape[extra:]) if extra > 0 and set(value.shape[:extra]) == {1} else value


def _written(function: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    """The in-place form of ``function``: its result is written into its first argument."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return write(self, function(_before(self, *args, *kwargs.values()), *args, **kwargs))

    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    return method


scatter_ = _written(sc.scatter, "scatter_", "src written at index along dim, or combined by ``reduce``")
scatter_add_ = _written(sc.scatter_add, "scatter_add_", "src added at index along dim")
scatter_reduce_ = _written(
    sc.scatter_reduce, "scatter_reduce_", "values of src that go to one place made into one"
)
index_add_ = _written(sc.index_add, "index_add_", "slices of source added at index along dim")
index_copy_ = _written(sc.index_copy, "index_copy_", "slices of source written at index along dim")
index_fill_ = _written(sc.index_fill, "index_fill_", "a number in the slices named by index")
index_reduce_ = _written(sc.index_reduce, "index_reduce_", "slices that go to one place made into one")
index_put_ = _written(ix.index_put, "index_put_", "values written, or added, at indices")
put_ = _written(sc.put, "put_", "source written, or added, at index of the flattened tensor")
masked_scatter_ = _written(
    sc.masked_scatter, "masked_scatter_", "elements of source, in order, where mask holds"
)
tril_ = _written(dg.tril, "tril_", "zeros above the diagonal")
triu_ = _written(dg.triu, "triu_", "zeros below the diagonal")


def fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """A number along the main diagonal; ``wrap``: in a tall matrix once more after each block of ``columns`` rows + 1"""
    shape = tuple(self.shape)
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise s.ShapeError(
            f"fill_diagonal_ of shape {shape}", hint="a matrix, or more dimensions of one size"
        )
    n = min(shape)
    step = sum(int(np.prod(shape[k + 1 :])) for k in range(len(shape)))
    stop = self.numel() if wrap and len(shape) == 2 else n * step
    places = np.arange(0, min(stop, self.numel()), step)
    mask = np.zeros(self.numel(), bool)
    mask[places] = True
    self[ix.constant(mask.reshape(shape))] = in_dtype(fill_value, self.dtype)
    return self


def _renewed(function: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    """The in-place form of a view: the tensor itself takes the new shape."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        _check_target(self)
        if context.tracer is not None:
            raise TraceError(f"{name} cannot be traced", hint=f"use x = x.{name[:-1]}(...)")
        if self._viewed and self._base is None:
            raise GradError(
                f"{name} on a tensor of which views were taken: they would see another shape",
                hint=f"use x = x.{name[:-1]}(...)",
            )
        before = make_tensor(self._value, self._type, self._node, self._slot)
        before._version, before._edits = self._version, self._edits
        if self._base is not None:
            for key in ("_parent", "_base", "_replay", "_stamp"):
                setattr(before, key, getattr(self, key))
        seen = function(before, *args, **kwargs)
        self._value, self._type, self._node, self._slot = seen._value, seen._type, seen._node, seen._slot
        if self._base is not None:
            self._parent, self._base, self._replay, self._stamp = (
                seen._parent,
                seen._base,
                seen._replay,
                seen._stamp,
            )
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    return method


squeeze_ = _renewed(s.squeeze, "squeeze_", "this tensor without its dimensions of size 1")
unsqueeze_ = _renewed(s.unsqueeze, "unsqueeze_", "this tensor with a new dimension of size 1")
t_ = _renewed(s.t, "t_", "this matrix transposed")
transpose_ = _renewed(s.transpose, "transpose_", "this tensor with two dimensions exchanged")
swapaxes_ = swapdims_ = transpose_
