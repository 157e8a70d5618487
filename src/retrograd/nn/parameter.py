"""Parameters: the tensors that training changes; buffers: those that it does not."""

from __future__ import annotations

from typing import Any

from ..functions._arguments import as_tensor
from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module registers when it is assigned to an attribute, and that asks for a gradient.

    Shares the storage of ``data``.

    >>> import retrograd as rg
    >>> Parameter(rg.zeros(2)).requires_grad
    True
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        super().__init__(() if data is None else as_tensor(data), requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(Tensor):
    """A tensor that a module registers as a buffer when it is assigned to an attribute.

    ``persistent``: it is saved in the state dict.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> net = nn.Module()
    >>> net.mean = Buffer(rg.zeros(2))
    >>> list(net.state_dict())
    ['mean']
    """

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(() if data is None else as_tensor(data))
        self.persistent = persistent
