"""What can be asked about tensors and dtypes, constants, and the older constructors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..device import device as Device
from ..errors import DTypeError
from ..threads import get_num_threads
from ..types import (
    DType,
    bool_,
    dtype_of,
    float32,
    float64,
    get_default_dtype,
    int32,
    int64,
    promote,
    result_dtype,
    scalar_dtype,
    uint8,
)
from ._arguments import is_tensor, require_tensor
from .create import from_array, tensor, zeros

__all__ = [
    "BoolTensor", "ByteTensor", "DoubleTensor", "FloatTensor", "IntTensor", "LongTensor", "Size",
    "can_cast", "clone", "detach", "e", "finfo", "from_dlpack", "get_num_threads", "iinfo", "inf",
    "is_complex", "is_floating_point", "is_nonzero", "is_tensor", "nan", "newaxis", "numel", "pi",
    "promote_types", "result_type", "typename",
]  # fmt: skip

pi, e, inf, nan, newaxis = math.pi, math.e, math.inf, math.nan, None
Size = tuple
"""Shapes are plain tuples here."""


class _Info:
    """Limits of a dtype."""

    def __init__(self, dtype: Any) -> None:
        kind = dtype_of(dtype)
        self._check(kind)
        self.dtype = kind.name
        self.bits = kind.itemsize * 8
        limits: Any = np.finfo(kind.numpy) if kind.is_floating_point else np.iinfo(kind.numpy)
        self.max, self.min = limits.max.item() if kind.is_floating_point else limits.max, _plain(limits.min)
        self._limits = limits

    def _check(self, kind: DType) -> None:
        raise NotImplementedError

    def __repr__(self) -> str:
        shown = {k: v for k, v in self.__dict__.items() if not k.startswith("_")}
        return f"{type(self).__name__}({', '.join(f'{k}={v}' for k, v in shown.items())})"


def _plain(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


class finfo(_Info):  # lower case as in PyTorch
    """Limits of a floating dtype: ``max min eps tiny smallest_normal resolution bits dtype``.

    >>> import retrograd as rg
    >>> rg.finfo(rg.float64).eps == 2.0**-52
    True
    """

    def __init__(self, dtype: Any = None) -> None:
        super().__init__(get_default_dtype() if dtype is None else dtype)
        self.eps, self.tiny = float(self._limits.eps), float(self._limits.tiny)
        self.smallest_normal, self.resolution = self.tiny, float(self._limits.resolution)

    def _check(self, kind: DType) -> None:
        if not kind.is_floating_point:
            raise DTypeError(f"finfo of {kind!r}", hint="use iinfo for integers")


class iinfo(_Info):  # lower case as in PyTorch
    """Limits of an integer dtype: ``max min bits dtype``.

    >>> import retrograd as rg
    >>> rg.iinfo(rg.uint8).max
    255
    """

    def _check(self, kind: DType) -> None:
        if kind.is_floating_point or kind is bool_:
            raise DTypeError(f"iinfo of {kind!r}", hint="use finfo for floating dtypes")


def numel(input: Any) -> int:
    """Number of elements"""
    return require_tensor("numel", input).numel()


def is_floating_point(input: Any) -> bool:
    """True for float32 and float64"""
    return require_tensor("is_floating_point", input).dtype.is_floating_point


def is_complex(input: Any) -> bool:
    """False: complex tensors do not exist here"""
    require_tensor("is_complex", input)
    return False


def is_nonzero(input: Any) -> bool:
    """True if the only element is not zero"""
    return bool(require_tensor("is_nonzero", input))


def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy with its own memory; the gradient passes through"""
    return require_tensor("clone", input).clone()


def detach(input: Any) -> Any:
    """The same memory, cut off from the gradient"""
    return require_tensor("detach", input).detach()


def typename(obj: Any) -> str:
    """The name of a tensor's type, or of an object's class with its module"""
    if is_tensor(obj):
        return obj.type()
    kind = obj if isinstance(obj, type) else type(obj)
    return f"{kind.__module__}.{kind.__qualname__}" if kind.__module__ != "builtins" else kind.__qualname__


def result_type(tensor1: Any, tensor2: Any) -> DType:
    """The dtype of arithmetic on two tensors or numbers

    >>> import retrograd as rg
    >>> rg.result_type(rg.tensor([1, 2]), 1.0)
    retrograd.float32
    """
    kinds = []
    for x in (tensor1, tensor2):
        kinds.append((x.dtype, 2 if x.ndim else 1) if is_tensor(x) else (scalar_dtype(x), 0))
    return result_dtype(kinds)


def promote_types(type1: Any, type2: Any) -> DType:
    """The smallest dtype that holds both"""
    return promote(dtype_of(type1), dtype_of(type2))


_ORDER = {bool_: 0, uint8: 1, int32: 1, int64: 1, float32: 2, float64: 2}


def can_cast(from_: Any, to: Any) -> bool:
    """True if arithmetic may turn the one dtype into the other: never from floating to integer, or from either to bool"""
    return _ORDER[dtype_of(from_)] <= _ORDER[dtype_of(to)]


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Any:
    """A tensor on the memory of any array that speaks DLPack (https://dmlc.github.io/dlpack), or on a copy of it

    >>> import numpy as np, retrograd as rg
    >>> a = np.zeros(2)
    >>> rg.from_dlpack(a)[0] = 1
    >>> a
    array([1., 0.])
    """
    if device is not None:
        Device(device)
    array = np.from_dlpack(ext_tensor)
    return from_array(array.copy() if copy else array)


def _constructor(dtype: DType) -> Any:
    def make(*data: Any) -> Any:
        if not data or all(isinstance(n, int) and not isinstance(n, bool) for n in data):
            return zeros(*(data or (0,)), dtype=dtype)
        return tensor(data[0], dtype=dtype)

    make.makes = dtype  # type: ignore[attr-defined]  # for x.type(FloatTensor)
    make.__doc__ = f"A {dtype.name} tensor of the data, or of these sizes; `tensor(data, dtype=...)` says it more clearly"
    return make


FloatTensor, DoubleTensor = _constructor(float32), _constructor(float64)
LongTensor, IntTensor = _constructor(int64), _constructor(int32)
ByteTensor, BoolTensor = _constructor(uint8), _constructor(bool_)
