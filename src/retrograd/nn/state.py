"""State dicts: the parameters and buffers of a module by name, out and back in, with every disagreement named."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..errors import StateError, UsageError
from ..functions.create import tensor
from ..modes import no_grad
from ..tensor import Tensor
from .hooks import RemovableHandle, add_hook
from .parameter import Parameter
from .parts import Parts

EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What a state dict lacked and what it had too much; both empty if it fits."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class StateDict(OrderedDict[str, Any]):
    """What `Module.state_dict` returns: a dict, with the versions of the modules in ``_metadata``."""

    _metadata: dict[str, dict[str, Any]]


class _Loading(OrderedDict[str, Any]):
    """The state dict while it is loaded, with what is to be written once everything fits."""

    writes: list[Callable[[], None]]


class Stateful(Parts):
    """The part of `Module` that gives its state away and takes it back."""

    _version: int = 1
    _state_dict_pre_hooks: OrderedDict[int, Any]
    _state_dict_hooks: OrderedDict[int, Any]
    _load_state_dict_pre_hooks: OrderedDict[int, Any]
    _load_state_dict_post_hooks: OrderedDict[int, Any]

    def _init_state(self) -> None:
        for name in ("_state_dict_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks"):
            self.__dict__[name] = OrderedDict()
        self.__dict__["_load_state_dict_post_hooks"] = OrderedDict()

    def get_extra_state(self) -> Any:
        """State that is neither parameter nor buffer, to be saved with them; subclasses may define it."""
        raise UsageError(
            f"{type(self).__name__} has no extra state",
            hint="define get_extra_state() and set_extra_state(state)",
        )

    def set_extra_state(self, state: Any) -> None:
        """Take back what `get_extra_state` gave; subclasses that define the one define the other."""
        raise UsageError(
            f"{type(self).__name__} cannot take extra state back",
            hint="define set_extra_state(state) in the class",
        )

    def _has_extra(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(Stateful, name)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(module, prefix, keep_vars)`` before the state dict is made."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(module, state_dict, prefix, local_metadata)`` after the state dict is made; it may change it."""
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`` before
        the module is loaded; it may change the state dict, for example rename keys of an older version.
        """
        return add_hook(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """``hook(module, incompatible_keys)`` after the module is loaded; it may change the lists of keys."""
        return add_hook(self._load_state_dict_post_hooks, hook)

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> StateDict:
        """Parameters and persistent buffers by dotted name, sharing storage with the module; keys as in PyTorch."""
        out: Any = destination
        if out is None:
            out = StateDict()
            out._metadata = OrderedDict()
        notes = {"version": self._version}
        if hasattr(out, "_metadata"):
            out._metadata[prefix[:-1]] = notes
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(out, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=out, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            hook(self, out, prefix, notes)
        return out

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        """The module's own part of its state dict."""
        for kind in (self._parameters, self._buffers):
            for name, value in kind.items():
                if value is not None and name not in self._non_persistent_buffers_set:
                    destination[prefix + name] = value if keep_vars else value.detach()
        if self._has_extra("get_extra_state"):
            destination[prefix + EXTRA] = self.get_extra_state()

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values (tensors or arrays) into the parameters and buffers of the same names.

        A shape that differs raises StateError, and so do missing and unexpected keys unless ``strict`` is False; then
        nothing is changed.  ``assign``: the given tensors themselves become the parameters and buffers, in their dtypes.
        """
        if not isinstance(state_dict, Mapping):
            raise UsageError(
                f"load_state_dict takes a dict of tensors, got {type(state_dict).__name__}",
                hint="model.load_state_dict(other.state_dict())",
            )
        state = _Loading(state_dict)
        state.writes = []
        keys, problems = IncompatibleKeys([], []), []
        metadata = getattr(state_dict, "_metadata", {})
        walked = list(_with_prefixes(self, ""))
        for prefix, module in walked:
            notes = {**metadata.get(prefix[:-1], {}), "assign_to_params_buffers": assign}
            module._load_from_state_dict(state, prefix, notes, strict, *keys, problems)
        watched = [m for _, m in walked if m._load_state_dict_post_hooks]
        if problems or not watched:
            _refuse(self, keys, problems, strict)
        with no_grad():
            for write in state.writes:
                write()
        for module in reversed(watched):
            for hook in module._load_state_dict_post_hooks.values():
                hook(module, keys)
        _refuse(self, keys, problems, strict)
        return keys

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Note what is to be written into the module's own parameters and buffers, and what does not fit."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        own = {
            name: value
            for kind in (self._parameters, self._buffers)
            for name, value in kind.items()
            if value is not None and name not in self._non_persistent_buffers_set
        }
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, target in own.items():
            key = prefix + name
            if key not in state_dict:
                missing_keys.append(key)
                continue
            given = state_dict[key]
            if hasattr(given, "materialize"):
                continue  # a lazy parameter that had no shape yet
            value = given if isinstance(given, Tensor) else tensor(np.asarray(given))
            if target.ndim == 0 and tuple(value.shape) == (1,):
                value = value[0]  # scalars were saved as vectors once
            if tuple(value.shape) != tuple(target.shape):
                error_msgs.append(
                    f"size mismatch for {key}: the state dict has shape {tuple(value.shape)}, "
                    f"the module {tuple(target.shape)}"
                )
                continue
            state_dict.writes.append(_write(self, name, target, value, assign))
        extra = prefix + EXTRA
        if self._has_extra("set_extra_state"):
            if extra in state_dict:
                state_dict.writes.append(lambda: self.set_extra_state(state_dict[extra]))
            else:
                missing_keys.append(extra)
        elif extra in state_dict:
            unexpected_keys.append(extra)
        for key in state_dict:
            if key.startswith(prefix) and key != extra:
                name, *deeper = key[len(prefix) :].split(".", 1)
                if name not in own and not (deeper and self._modules.get(name) is not None):
                    unexpected_keys.append(key)


def _with_prefixes(module: Any, prefix: str) -> Any:
    """Every module below with the prefix of its keys; a shared one under each of its names."""
    yield prefix, module
    for name, child in module._modules.items():
        if child is not None:
            yield from _with_prefixes(child, f"{prefix}{name}.")


def _write(module: Any, name: str, target: Tensor, value: Tensor, assign: bool) -> Callable[[], None]:
    def copied() -> None:
        target.copy_(value.detach())

    def assigned() -> None:
        new = value
        if isinstance(target, Parameter):
            if not isinstance(new, Parameter):
                new = Parameter(new.detach(), requires_grad=target.requires_grad)
            else:
                new.requires_grad_(target.requires_grad)
        setattr(module, name, new)

    return assigned if assign else copied


def _refuse(module: Any, keys: IncompatibleKeys, problems: list[str], strict: bool) -> None:
    missing, unexpected = keys
    said = []
    if strict and missing:
        said.append(f"missing key(s): {_list(missing)}")
    if strict and unexpected:
        said.append(f"unexpected key(s): {_list(unexpected)}")
    said += problems
    if said:
        raise StateError(
            f"the state dict does not fit {type(module).__name__}:\n    " + "\n    ".join(said),
            hint=_hint(missing, unexpected, len(said)),
        )


def _list(keys: list[str]) -> str:
    shown = ", ".join(map(repr, keys[:20]))
    return shown + (f" and {len(keys) - 20} more" if len(keys) > 20 else "")


def _hint(missing: list[str], unexpected: list[str], n_problems: int) -> str:
    for key in unexpected:
        near = difflib.get_close_matches(key, missing, 1, 0.0) if missing else []
        if near and (key.endswith("." + near[0]) or near[0].endswith("." + key)):
            return f"names differ by a prefix: {key!r} may be {near[0]!r}; rename the keys"
    if n_problems == 1 and (missing or unexpected):
        return "load_state_dict(state, strict=False) loads what fits"
    return "build the module with the sizes it was saved with"
