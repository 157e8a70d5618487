"""Parameters: the tensors that training changes."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module registers when it is assigned to an attribute, and that asks for a gradient.

    Shares the storage of ``data``.

    >>> import retrograd as rg
    >>> Parameter(rg.zeros(2)).requires_grad
    True
    """

    def __init__(self, data: Any = (), requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
