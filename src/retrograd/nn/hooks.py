"""Hooks: functions that run before and after a module, or when its gradients arrive."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import GradError
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

_ids = itertools.count()


class RemovableHandle:
    """What registering a hook returns: ``handle.remove()`` takes it off; also a context manager."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.hooks = hooks
        self.id = next(_ids)

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def add_hook(hooks: dict[int, Any], hook: Callable[..., Any]) -> RemovableHandle:
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


class BackwardWatch:
    """Catches the gradients at the edges of one call of a module and gives them to its backward hooks.

    The inputs pass through an own view, so that the gradient seen is the module's share alone, also where the same
    tensor is used elsewhere.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.wanted: list[int] = []
        self.grad_inputs: list[Any] = []
        self.grad_outputs: list[Any] = []

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.grad_inputs = [None] * len(args)
        out = list(args)
        for i, x in enumerate(args):
            if isinstance(x, Tensor) and x.requires_grad:
                self.wanted.append(i)
                out[i] = x.view_as(x)
                out[i].register_hook(lambda grad, i=i: self._input(i, grad))
        return tuple(out)

    def leave(self, output: Any) -> Any:
        results = _as_tuple(output)
        self.grad_outputs = [None] * len(results)
        for i, y in enumerate(results):
            if isinstance(y, Tensor) and y.requires_grad:
                y.register_hook(lambda grad, i=i: self._output(i, grad))
        return output

    def _output(self, i: int, grad: Any) -> None:
        self.grad_outputs[i] = grad
        if not self.wanted and all(g is not None for g in self.grad_outputs):
            self._call()

    def _input(self, i: int, grad: Any) -> Any:
        self.grad_inputs[i] = grad
        if all(self.grad_inputs[k] is not None for k in self.wanted):
            return self._call()
        return None

    def _call(self) -> Any:
        replaced = None
        for hook in list(self.module._backward_hooks.values()):
            given = hook(self.module, tuple(self.grad_inputs), tuple(self.grad_outputs))
            if given is None:
                continue
            if len(self.wanted) != 1:
                raise GradError(
                    f"a backward hook of {type(self.module).__name__} returned new gradients, but the module has "
                    f"{len(self.wanted)} inputs with gradient",
                    hint="change gradients of several inputs with tensor.register_hook on each of them",
                )
            replaced = _as_tuple(given)[self.wanted[0]]
            self.grad_inputs[self.wanted[0]] = replaced
        return replaced
