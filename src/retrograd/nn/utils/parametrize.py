"""Parametrizations: a parameter that is computed from others each time it is read.

A module's ``weight`` becomes a property; what training changes is ``module.parametrizations.weight.original``.  State
dicts have PyTorch's keys.  `cached` computes each parametrized tensor once inside its block.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import UsageError
from ...modes import no_grad
from ...tensor import Tensor
from ..lists import ModuleDict, ModuleList
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip


class _Cache:
    depth = 0
    values: dict[tuple[int, str], Tensor] = {}


@contextlib.contextmanager
def cached() -> Iterator[None]:
    """Inside the block every parametrized tensor is computed once, at its first reading.

    For networks that read one weight many times, such as recurrent ones.
    """
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.values = {}


def _own(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _same_kind(what: str, before: Tensor, after: Any) -> None:
    if (
        not isinstance(after, Tensor)
        or after.dtype is not before.dtype
        or tuple(after.shape) != tuple(before.shape)
    ):
        have = f"{after.dtype!r} of shape {tuple(after.shape)}" if isinstance(after, Tensor) else repr(after)
        raise UsageError(
            f"{what} must keep dtype and shape, {before.dtype!r} and {tuple(before.shape)}; it gives {have}",
            hint="mend it, or pass unsafe=True where another shape is meant",
        )


class ParametrizationList(ModuleList):
    """The modules through which one parametrized tensor goes, and the ``original`` (or ``original0``, ...) it comes from."""

    original: Any

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise UsageError(
                "a parametrization list holds at least one module", hint="pass [parametrization]"
            )
        super().__init__(modules)
        self.unsafe = unsafe
        before = original.detach().clone()
        new = self._inverted(original)
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        if self.is_tensor:
            if not unsafe and new.dtype is not before.dtype:
                _same_kind("right_inverse", before, new)
            if new is not original:
                original.data = new.detach().clone()
            _own(self, "original", original)
        else:
            for i, part in enumerate(new):
                made = part.detach().clone()
                if isinstance(original, Parameter):
                    made = Parameter(made, original.requires_grad)
                _own(self, f"original{i}", made)
        if not unsafe:
            _same_kind("a parametrization", before, self())

    def _inverted(self, value: Any) -> Any:
        """What the first parametrization must be given so that ``value`` comes out at the end, as far as that is known."""
        with no_grad():
            for module in reversed(list(self)):
                with contextlib.suppress(NotImplementedError):
                    value = module.right_inverse(value) if hasattr(module, "right_inverse") else value
        return value

    def originals(self) -> list[Tensor]:
        """The tensors that training changes."""
        if self.is_tensor:
            return [self.original]
        return [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the parametrized tensor becomes ``value``."""
        with no_grad():
            new: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise _no_inverse(module)
                new = module.right_inverse(new)
            parts = [new] if isinstance(new, Tensor) else list(new)
            if len(parts) != self.ntensors:
                raise UsageError(
                    f"right_inverse gives {len(parts)} tensors, there are {self.ntensors} originals",
                    hint="return as many as at registration",
                )
            for old, part in zip(self.originals(), parts, strict=True):
                old.copy_(part)

    def forward(self) -> Tensor:
        first, *rest = list(self)
        value = first(*self.originals())
        for module in rest:
            value = module(value)
        return value


def _no_inverse(module: Module) -> UsageError:
    return UsageError(
        f"{type(module).__name__} has no right_inverse, so the parametrized tensor cannot be assigned",
        hint="define right_inverse(self, value) in it, or change parametrizations.<name>.original",
    )


def _deepcopied(self: Any, memo: dict[int, Any]) -> Any:
    """A copy with a class of its own: removing a parametrization from one must leave the other as it is."""
    base: Any = type_before_parametrizations(self)
    twin = base.__new__(base)
    memo[id(self)] = twin
    twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
    _give_class(twin)
    for name in twin.parametrizations:
        _give_property(twin, name)
    return twin


def _give_class(module: Module) -> None:
    """A class of this one module, to which properties can be added."""
    base = type(module)
    module.__class__ = type(f"Parametrized{base.__name__}", (base,), {"__deepcopy__": _deepcopied})


def _give_property(module: Module, name: str) -> None:
    def read(self: Any) -> Tensor:
        parametrization = self.parametrizations[name]
        if not _Cache.depth:
            return parametrization()
        key = (id(self), name)
        if key not in _Cache.values:
            _Cache.values[key] = parametrization()
        return _Cache.values[key]

    def assign(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, assign))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """True if the module has parametrizations, or one of that name."""
    found = module._modules.get("parametrizations") if isinstance(module, Module) else None
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Compute ``module.<tensor_name>`` as ``parametrization(original)`` from now on; returns the module.

    A second one is applied to the result of the first.  ``parametrization.right_inverse(value)``, where defined, turns
    the present value into the original (or a tuple of originals), and makes the tensor assignable.  ``unsafe``: no check
    that dtype and shape stay.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).mT
    >>> layer = register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.mT).all()), list(layer.state_dict())
    (True, ['bias', 'parametrizations.weight.original'])
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        listed: Any = module.parametrizations[tensor_name]
        if not unsafe:
            with no_grad():
                now = getattr(module, tensor_name)
                after = parametrization(now)
                _same_kind(f"{type(parametrization).__name__}", now, after)
                if hasattr(parametrization, "right_inverse"):
                    back: Any = parametrization.right_inverse(after)
                    _same_kind(f"{type(parametrization).__name__}.right_inverse", now, back)
        listed.append(parametrization)
        listed.unsafe |= unsafe
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        known = [*module._parameters, *module._buffers]
        raise UsageError(
            f"{type(module).__name__} has no parameter or buffer {tensor_name!r}",
            hint=f"there are: {', '.join(known) or 'none'}",
        )
    original = getattr(module, tensor_name)
    listed = ParametrizationList([parametrization], original, unsafe)
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _give_class(module)
        module.parametrizations = ModuleDict()
    _give_property(module, tensor_name)
    module.parametrizations[tensor_name] = listed
    return module


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make ``module.<tensor_name>`` an ordinary parameter again; returns the module.

    With its present value, or with the original's where ``leave_parametrized`` is False.

    >>> from retrograd import nn
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> type(layer).__name__, type(remove_parametrizations(layer, "weight")).__name__
    ('ParametrizedLinear', 'Linear')
    """
    if not is_parametrized(module, tensor_name):
        raise UsageError(
            f"{type(module).__name__} has no parametrization on {tensor_name!r}",
            hint="nn.utils.parametrize.is_parametrized(module, name) tells",
        )
    listed: Any = module.parametrizations[tensor_name]
    if not listed.is_tensor and not leave_parametrized:
        raise UsageError(
            f"{tensor_name!r} comes from {listed.ntensors} tensors, so there is no single original to leave",
            hint="remove_parametrizations(module, name, leave_parametrized=True)",
        )
    value = getattr(module, tensor_name)
    if listed.is_tensor:
        kept = listed.original
        if leave_parametrized:
            with no_grad():
                kept.data = value.detach().clone()
    else:
        kept = Parameter(value.detach().clone()) if value.requires_grad else value.detach()
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    _own(module, tensor_name, kept)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before it was parametrized."""
    own = type(module)
    return own.__bases__[0] if own.__name__.startswith("Parametrized") and is_parametrized(module) else own


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give ``to_module`` the parametrizations of ``from_module`` (or the one of that name), with their originals."""
    if not is_parametrized(from_module):
        return to_module
    every: Any = from_module.parametrizations
    for name in [tensor_name] if tensor_name is not None else list(every):
        if name not in every:
            continue
        if not hasattr(to_module, name):
            _own(to_module, name, copy.deepcopy(every[name].originals()[0]))
        for parametrization in every[name]:
            register_parametrization(to_module, name, parametrization, unsafe=True)
        with no_grad():
            target: Any = to_module.parametrizations
            for old, new in zip(target[name].originals(), every[name].originals(), strict=True):
                old.data = new.detach().clone()
    return to_module
