"""Python's operators on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import inplace as i
from .functions import create as c
from .functions import elementwise as e
from .functions import index as ix
from .functions import linalg as la

if TYPE_CHECKING:
    from .tensor import Tensor


class Operators:
    """``+ - * / // % ** @ & | ^ ~ < <= == != > >=``, their in-place forms, and ``[]``."""

    __neg__, __pos__, __abs__, __invert__ = e.neg, e.positive, e.abs, e.bitwise_not
    __add__, __sub__, __mul__, __truediv__ = e.add, e.sub, e.mul, e.div
    __floordiv__, __mod__, __pow__, __matmul__ = e.floor_divide, e.remainder, e.pow, la.matmul
    __and__, __or__, __xor__ = e.bitwise_and, e.bitwise_or, e.bitwise_xor
    __rand__, __ror__, __rxor__ = e.bitwise_and, e.bitwise_or, e.bitwise_xor
    __radd__, __rmul__, __rsub__ = e.add, e.mul, e.rsub
    __lt__, __le__, __gt__, __ge__ = e.lt, e.le, e.gt, e.ge

    def __eq__(self, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else e.eq(self, other)

    def __ne__(self, other: Any) -> Any:
        return NotImplemented if other is None or isinstance(other, str) else e.ne(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return e.div(other, self)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return e.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Tensor:
        return e.remainder(other, self)

    def __rpow__(self, other: Any) -> Tensor:
        return e.pow(other, self)

    def __rmatmul__(self, other: Any) -> Tensor:
        return la.matmul(c.as_tensor(other), self)

    __iadd__, __isub__, __imul__, __itruediv__ = i.add_, i.sub_, i.mul_, i.div_
    __ipow__, __ifloordiv__, __imod__ = i.pow_, i.floor_divide_, i.remainder_
    __getitem__ = ix.get_item
    __setitem__ = i.set_item
