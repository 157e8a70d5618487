"""Hooks: functions that run before and after a module, or when its gradients arrive."""

from __future__ import annotations

import itertools
import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..errors import UsageError
from ..op import changes
from .edges import BackwardEdges

_ids = itertools.count()


class RemovableHandle:
    """What registering a hook returns: ``handle.remove()`` takes it off; also a context manager."""

    def __init__(self, hooks: dict[int, Any], *notes: dict[int, bool]) -> None:
        self.hooks = hooks
        self.notes = notes
        self.id = next(_ids)

    def remove(self) -> None:
        """Take the hook off; a second call does nothing."""
        changes.count += 1
        for kept in (self.hooks, *self.notes):
            kept.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def add_hook(
    hooks: OrderedDict[int, Any], hook: Callable[..., Any], prepend: bool = False, *notes: dict[int, bool]
) -> RemovableHandle:
    """Keep a hook, and note its id in those of ``notes`` that apply to it."""
    changes.count += 1
    handle = RemovableHandle(hooks, *notes)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    for note in notes:
        note[handle.id] = True
    return handle


class Global:
    """Hooks of every module there is, kept apart from those of one."""

    forward_pre: OrderedDict[int, Any] = OrderedDict()
    forward: OrderedDict[int, Any] = OrderedDict()
    forward_with_kwargs: dict[int, bool] = {}
    forward_always: dict[int, bool] = {}
    backward_pre: OrderedDict[int, Any] = OrderedDict()
    backward: OrderedDict[int, Any] = OrderedDict()


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """``hook(module, args)`` before the forward of every module; for debugging and profiling."""
    return add_hook(Global.forward_pre, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """``hook(module, args, output)`` after the forward of every module; for debugging and profiling."""
    notes = [Global.forward_with_kwargs] * with_kwargs + [Global.forward_always] * always_call
    return add_hook(Global.forward, hook, False, *notes)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """``hook(module, grad_output)`` when the gradients of the results of any module have arrived."""
    return add_hook(Global.backward_pre, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """``hook(module, grad_input, grad_output)`` when the gradients of the inputs of any module have arrived."""
    return add_hook(Global.backward, hook)


class Hooked:
    """The part of `Module` that runs hooks around ``forward``."""

    _forward_pre_hooks: OrderedDict[int, Any]
    _forward_pre_hooks_with_kwargs: dict[int, bool]
    _forward_hooks: OrderedDict[int, Any]
    _forward_hooks_with_kwargs: dict[int, bool]
    _forward_hooks_always_called: dict[int, bool]
    _backward_pre_hooks: OrderedDict[int, Any]
    _backward_hooks: OrderedDict[int, Any]

    def _init_hooks(self) -> None:
        own = self.__dict__
        for name in ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks"):
            own[name] = OrderedDict()
        for name in ("_forward_pre_hooks_with_kwargs", "_forward_hooks_with_kwargs"):
            own[name] = {}
        own["_forward_hooks_always_called"] = {}

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """``hook(module, args)`` before forward; what it returns (if not None) replaces the arguments.

        ``with_kwargs``: ``hook(module, args, kwargs)``, which returns None or (args, kwargs).  ``prepend``: runs before
        those registered already.
        """
        notes = [self._forward_pre_hooks_with_kwargs] * with_kwargs
        return add_hook(self._forward_pre_hooks, hook, prepend, *notes)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """``hook(module, args, output)`` after forward; what it returns (if not None) replaces the output.

        ``with_kwargs``: ``hook(module, args, kwargs, output)``.  ``always_call``: also where forward raised, with None
        as the output.
        """
        notes = [self._forward_hooks_with_kwargs] * with_kwargs + [
            self._forward_hooks_always_called
        ] * always_call
        return add_hook(self._forward_hooks, hook, prepend, *notes)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """``hook(module, grad_output)`` when the gradients of the results have arrived; a result replaces them."""
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """``hook(module, grad_input, grad_output)`` when the gradients of the inputs have arrived; a result replaces them.

        The gradients are those of positional arguments: zeros for tensors that want none, None for what is no tensor.
        """
        return add_hook(self._backward_hooks, hook, prepend)

    def _has_hooks(self) -> bool:
        return bool(
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or Global.forward
            or Global.forward_pre
            or Global.backward
            or Global.backward_pre
        )

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        module: Any = self
        called: set[int] = set()
        given = args
        try:
            args, kwargs = given, kwargs = self._run_pre_hooks(args, kwargs)
            edges = None
            pre = [*Global.backward_pre.values(), *self._backward_pre_hooks.values()]
            full = [*Global.backward.values(), *self._backward_hooks.values()]
            if pre or full:
                edges = BackwardEdges(module, pre, full)
                args = edges.enter(args)
            output = module.forward(*args, **kwargs)
            for k, hook, with_kwargs in self._after():
                called.add(k)
                changed = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
                output = output if changed is None else changed
            return output if edges is None else edges.leave(output)
        except Exception:
            for k, hook, with_kwargs in self._after():
                always = k in self._forward_hooks_always_called or k in Global.forward_always
                if always and k not in called:
                    _quietly(hook, *((self, given, kwargs, None) if with_kwargs else (self, given, None)))
            raise

    def _run_pre_hooks(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        hooks = [*Global.forward_pre.items(), *self._forward_pre_hooks.items()]
        for k, hook in hooks:
            if k in self._forward_pre_hooks_with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is None:
                    continue
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise UsageError(
                        f"a forward pre-hook with kwargs returned {changed!r}",
                        hint="return None, or both: return args, kwargs",
                    )
                args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        return args, kwargs

    def _after(self) -> list[tuple[int, Callable[..., Any], bool]]:
        """The hooks after forward: id, hook, and whether it wants the keyword arguments."""
        everywhere = [(k, h, k in Global.forward_with_kwargs) for k, h in Global.forward.items()]
        return everywhere + [
            (k, h, k in self._forward_hooks_with_kwargs) for k, h in self._forward_hooks.items()
        ]


def _quietly(hook: Callable[..., Any], *args: Any) -> None:
    """Run a hook after an error; an error of its own must not hide the first one."""
    try:
        hook(*args)
    except Exception as error:
        warnings.warn(
            f"a forward hook with always_call=True raised {error!r} after forward had failed; hint: mend forward first",
            RuntimeWarning,
            stacklevel=4,
        )
