"""In-place forms of functions that move, choose, add up and fill; assignment to what an index selects."""

from __future__ import annotations

from typing import Any

from ..functions import elementwise as e
from ..functions import index as ix
from ..functions import random as rnd
from ..functions import scatter as sc
from ..functions._arguments import expand, in_dtype
from ..op import constant, context
from .writing import direct, in_place, write

__all__ = [
    "bernoulli_", "copy_", "fill_", "index_add_", "index_put_", "normal_", "scatter_", "scatter_add_",
    "uniform_", "zero_",
]  # fmt: skip

index_add_ = in_place(sc.index_add)
index_put_ = in_place(ix.index_put)
scatter_ = in_place(sc.scatter)
scatter_add_ = in_place(sc.scatter_add)


def copy_(self: Any, src: Any) -> Any:
    """self = src, converted and broadcast"""
    src = in_dtype(src, self._type.dtype)
    if self._base is None and context.grad_enabled and self.requires_grad and not self.is_leaf:
        src = e.where(
            constant(True), src, self._alias()
        )  # what it was made of gets a gradient of 0, as in PyTorch
    return write(self, src)


def fill_(self: Any, value: Any) -> Any:
    """self = value everywhere"""
    return copy_(self, value)


def zero_(self: Any) -> Any:
    """self = 0 everywhere"""
    return copy_(self, 0)


def uniform_(self: Any, from_: float = 0.0, to: float = 1.0, *, generator: Any = None) -> Any:
    """self ~ U[from, to)"""
    u = rnd.rand(self._type.shape, generator=generator, dtype=self._type.dtype)
    return copy_(self, e.add(e.mul(u, to - from_), from_))


def normal_(self: Any, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Any:
    """self ~ N(mean, std²)"""
    return copy_(self, rnd.normal(mean, std, self._type.shape, generator=generator, dtype=self._type.dtype))


def bernoulli_(self: Any, p: float = 0.5, *, generator: Any = None) -> Any:
    """self = 1 with probability p, else 0"""
    u = rnd.rand(self._type.shape, generator=generator)
    return copy_(self, e.lt(u, p))


def set_item(self: Any, key: Any, value: Any) -> None:
    """self[key] = value"""
    value = in_dtype(value, self._type.dtype)
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
        write(self, ix.put_flat(self, places, value))
        return
    target = ix.apply(self, plan)
    write(target, _without_leading_ones(value, target.ndim))


def _without_leading_ones(value: Any, ndim: int) -> Any:
    """Leading sizes of 1 beyond ``ndim`` may be dropped when a value is assigned, as in NumPy."""
    extra = value.ndim - ndim
    return value.reshape(value.shape[extra:]) if extra > 0 and set(value.shape[:extra]) == {1} else value
