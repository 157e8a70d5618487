"""Python's operators on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import inplace as i
from .errors import DTypeError, Missing
from .functions import elementwise as e
from .functions import index as ix
from .functions import linalg as la
from .functions._arguments import as_tensor, require_tensor

if TYPE_CHECKING:
    from .tensor import Tensor


def _commuting(function: Any) -> Any:
    """The reflected operator of a function whose operands may be exchanged."""

    def operator(self: Any, other: Any) -> Any:
        return function(require_tensor(function.__name__, self), other)

    return operator


def _comparable(other: Any) -> bool:
    """Numbers, arrays and tensors; whatever else is simply not equal, as in PyTorch."""
    return hasattr(other, "_type") or isinstance(other, bool | int | float | np.ndarray | np.generic)


class Operators:
    """``+ - * / // % ** @ & | ^ ~ << >> < <= == != > >=``, their in-place forms, and ``[]``."""

    __neg__, __pos__, __abs__, __invert__ = e.neg, e.positive, e.abs, e.bitwise_not
    __add__, __sub__, __mul__, __truediv__ = e.add, e.sub, e.mul, e.div
    __floordiv__, __mod__, __pow__, __matmul__ = e.floor_divide, e.remainder, e.pow, la.matmul
    __and__, __or__, __xor__ = e.bitwise_and, e.bitwise_or, e.bitwise_xor
    __lshift__, __rshift__ = e.bitwise_left_shift, e.bitwise_right_shift
    __radd__, __rmul__ = _commuting(e.add), _commuting(e.mul)
    __rand__, __ror__, __rxor__ = map(_commuting, (e.bitwise_and, e.bitwise_or, e.bitwise_xor))
    __rsub__ = e.rsub
    __lt__, __le__, __gt__, __ge__ = e.lt, e.le, e.gt, e.ge

    def __eq__(self, other: Any) -> Any:
        return e.eq(self, other) if _comparable(other) else NotImplemented

    def __ne__(self, other: Any) -> Any:
        return e.ne(self, other) if _comparable(other) else NotImplemented

    def __rtruediv__(self, other: Any) -> Tensor:
        return e.div(other, require_tensor("division", self))

    __rdiv__ = __rtruediv__

    def __rfloordiv__(self, other: Any) -> Tensor:
        return e.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return e.remainder(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return e.pow(other, self)

    def __rlshift__(self, other: Any) -> Tensor:
        return e.bitwise_left_shift(other, self)

    def __rrshift__(self, other: Any) -> Tensor:
        return e.bitwise_right_shift(other, self)

    def __rmatmul__(self, other: Any) -> Tensor:
        return la.matmul(as_tensor(other), self)

    __iadd__, __isub__, __imul__, __itruediv__ = i.add_, i.sub_, i.mul_, i.div_
    __ipow__, __ifloordiv__, __imod__ = i.pow_, i.floor_divide_, i.remainder_
    __iand__, __ior__, __ixor__ = i.bitwise_and_, i.bitwise_or_, i.bitwise_xor_
    __ilshift__, __irshift__ = i.bitwise_left_shift_, i.bitwise_right_shift_
    __getitem__ = ix.get_item
    __setitem__ = i.set_item

    def __delitem__(self, key: Any) -> None:
        raise DTypeError(
            "elements of a tensor cannot be deleted: its shape is fixed",
            hint="keep the others: x[keep], with keep = retrograd.tensor([True, False, ...])",
        )

    if not TYPE_CHECKING:  # a type checker would take every name for known

        def __getattr__(self, name: str) -> Any:  # called only where the ordinary look-up finds nothing
            if hasattr(type(self), name):  # a property whose own code misses something: say what
                return object.__getattribute__(self, name)
            raise Missing("Tensor", name, () if name.startswith("_") else dir(type(self)))
