"""Modules made of modules: Sequential, ModuleList, ModuleDict and the residual wrapper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import ShapeError, UsageError
from ..tensor import Tensor
from .module import Module


def _require_module(owner: str, value: Any) -> Module:
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
                self.register_module(name, _require_module("Sequential", module))
        else:
            for i, module in enumerate(args):
                self.register_module(str(i), _require_module("Sequential", module))

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
        return items[_position(index, len(items))][1]

    def __setitem__(self, index: int, module: Module) -> None:
        name = list(self._modules)[_position(index, len(self))]
        self._modules[name] = _require_module("Sequential", module)

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self._modules.values())
        del kept[index]
        self._modules = {str(i): module for i, module in enumerate(kept)}

    def append(self, module: Module) -> Sequential:
        """Add one at the end."""
        self.register_module(str(len(self)), _require_module("Sequential", module))
        return self

    def extend(self, modules: Iterable[Module]) -> Sequential:
        """Add several at the end."""
        for module in modules:
            self.append(module)
        return self


def _position(index: int, n: int) -> int:
    if not -n <= index < n:
        raise IndexError(f"index {index} is out of range for {n} modules")
    return index % n


class ModuleList(Module):
    """A list whose modules are registered; it has no forward of its own.

    >>> from retrograd import nn
    >>> layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
    >>> len(layers), len(list(layers.parameters()))
    (3, 6)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())  # type: ignore[arg-type]

    def __getitem__(self, index: int | slice) -> Any:
        modules = list(self._modules.values())
        if isinstance(index, slice):
            return type(self)(modules[index])  # type: ignore[arg-type]
        return modules[_position(index, len(modules))]

    def __setitem__(self, index: int, module: Module) -> None:
        self._modules[str(_position(index, len(self)))] = _require_module("ModuleList", module)

    def __delitem__(self, index: int | slice) -> None:
        self._renumber_without(index)

    def _renumber_without(self, index: int | slice) -> None:
        kept = list(self._modules.values())
        del kept[index]
        self._modules = {str(i): module for i, module in enumerate(kept)}

    def append(self, module: Module) -> ModuleList:
        """Add one at the end."""
        self.register_module(str(len(self)), _require_module("ModuleList", module))
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add several at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put one in front of position ``index``."""
        modules = list(self._modules.values())
        modules.insert(index, _require_module("ModuleList", module))
        self._modules = {str(i): m for i, m in enumerate(modules)}

    def __repr__(self) -> str:
        """Equal neighbours are counted, as in PyTorch: ``(0-2): 3 x Linear(...)``."""
        blocks: list[tuple[int, int, str]] = []
        for i, module in enumerate(self):
            text = repr(module)
            if blocks and blocks[-1][2] == text:
                blocks[-1] = (blocks[-1][0], i, text)
            else:
                blocks.append((i, i, text))
        if not blocks:
            return "ModuleList()"
        lines = [f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}" for a, b, text in blocks]
        return "ModuleList(\n  " + "\n  ".join(line.replace("\n", "\n  ") for line in lines) + "\n)"


class ModuleDict(Module):
    """A dict whose modules are registered; it has no forward of its own.

    >>> from retrograd import nn
    >>> heads = nn.ModuleDict({"price": nn.Linear(8, 1), "kind": nn.Linear(8, 3)})
    >>> list(heads)
    ['price', 'kind']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        super().__init__()
        self.update(modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]  # type: ignore[return-value]

    def __setitem__(self, key: str, module: Module) -> None:
        self.register_module(key, _require_module("ModuleDict", module))

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._modules.values()  # type: ignore[return-value]

    def items(self) -> Iterable[tuple[str, Module]]:
        """Names with modules."""
        return self._modules.items()  # type: ignore[return-value]

    def pop(self, key: str) -> Module:
        """Take one out."""
        module = self[key]
        del self[key]
        return module

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add or replace several."""
        for name, module in dict(modules).items():
            self[name] = module


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
