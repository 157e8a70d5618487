"""Modules made of modules, with a forward: Sequential and the residual wrapper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import ShapeError, UsageError
from ..tensor import Tensor
from .module import Module


def require_module(owner: str, value: Any) -> Module:
    if not isinstance(value, Module):
        called = f" (write {value.__name__}())" if isinstance(value, type) else ""
        raise UsageError(
            f"{owner} holds modules, not {value!r}{called}",
            hint="pass module instances, for example nn.ReLU()",
        )
    return value


class Sequential(Module):
    """Modules applied one after the other: each gets what the one before gives.

    Takes modules, named "0", "1", ..., or one dict of names and modules.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))(rg.zeros(5, 3)).shape
    (5, 2)
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.register_module(name, require_module("Sequential", module))
        else:
            for i, module in enumerate(args):
                self.register_module(str(i), require_module("Sequential", module))

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def __getitem__(self, index: int | slice) -> Any:
        items = list(self._modules.items())
        if isinstance(index, slice):
            return type(self)(dict(items[index]))
        return items[position(index, len(items))][1]

    def __setitem__(self, index: int, module: Module) -> None:
        name = list(self._modules)[position(index, len(self))]
        self._modules[name] = require_module("Sequential", module)

    def _renumber(self, modules: Iterable[Any]) -> None:
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self._modules.values())
        del kept[index]
        self._renumber(kept)

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise UsageError(
                f"Sequential + {type(other).__name__}", hint="add another Sequential, or use .append(module)"
            )
        return Sequential(*self, *other)

    def __iadd__(self, other: Sequential) -> Sequential:
        return self.extend(require_module("Sequential", other))  # type: ignore[arg-type]

    def __mul__(self, n: int) -> Sequential:
        if not isinstance(n, int) or n < 1:
            raise UsageError(f"Sequential * {n!r}", hint="multiply by a whole number of at least 1")
        return Sequential(*list(self) * n)

    __rmul__ = __mul__

    def __imul__(self, n: int) -> Sequential:
        self._renumber((self * n)._modules.values())
        return self

    def pop(self, key: int | slice) -> Any:
        """Take one, or several, out."""
        taken = self[key]
        del self[key]
        return taken

    def insert(self, index: int, module: Module) -> Sequential:
        """Put one in front of position ``index``."""
        modules = list(self)
        if not -len(modules) <= index <= len(modules):
            raise IndexError(f"index {index} is out of range for {len(modules)} modules")
        modules.insert(index, require_module("Sequential", module))
        self._renumber(modules)
        return self

    def append(self, module: Module) -> Sequential:
        """Add one at the end."""
        self.register_module(str(len(self)), require_module("Sequential", module))
        return self

    def extend(self, modules: Iterable[Module]) -> Sequential:
        """Add several at the end."""
        for module in modules:
            self.append(module)
        return self


def position(index: int, n: int) -> int:
    if not -n <= index < n:
        raise IndexError(f"index {index} is out of range for {n} modules")
    return index % n


class Residual(Module):
    """y = x + block(x): what the block learns is added to its input, so a gradient always has a short way back.

    With ``shortcut`` (for example ``nn.Linear(8, 16)``) the input is first brought to the block's output shape.

    He et al., "Deep residual learning for image recognition", CVPR 2016.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> nn.Residual(nn.Linear(3, 3), nn.ReLU())(rg.zeros(2, 3)).shape
    (2, 3)
    """

    def __init__(self, *block: Module, shortcut: Module | None = None) -> None:
        super().__init__()
        self.block = block[0] if len(block) == 1 else Sequential(*block)
        self.shortcut = shortcut

    def forward(self, input: Tensor) -> Tensor:
        change = self.block(input)
        kept = input if self.shortcut is None else self.shortcut(input)
        if tuple(change.shape) != tuple(kept.shape):
            raise ShapeError(
                f"Residual adds shape {tuple(kept.shape)} to the block's result of shape {tuple(change.shape)}",
                hint=f"let the block keep the shape, or add shortcut=nn.Linear({input.shape[-1]}, {change.shape[-1]})",
            )
        return kept + change
