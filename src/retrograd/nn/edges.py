"""The edges of one call of a module, where backward hooks see gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd import Function
from ..errors import GradError
from ..functions.create import zeros
from ..op import context
from ..tensor import Tensor


class _Edge(Function):
    """Several tensors as they are; backward, their gradients pass a function together."""

    @staticmethod
    def forward(ctx: Any, passing: Callable[..., Any], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.passing = passing
        return tensors

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        return (None, *ctx.passing(grads))


def _gate(tensors: list[Tensor], passing: Callable[..., Any]) -> list[Tensor]:
    """The same values, whose gradients go through ``passing`` on their way back."""
    if len(tensors) == 1:  # a view, so that a change in place of the inside reaches the outside
        (x,) = tensors
        inside = x.view_as(x)
        inside.register_hook(lambda grad: passing((grad,))[0])
        return [inside]
    return list(_Edge.apply(passing, *tensors))


class BackwardEdges:
    """Catches the gradients at the edges of one call of a module and gives them to its backward hooks."""

    def __init__(
        self, module: Any, pre: Sequence[Callable[..., Any]], full: Sequence[Callable[..., Any]]
    ) -> None:
        self.module = module
        self.pre = pre
        self.full = full
        self.kinds: list[Any] = []
        self.where: list[int] = []
        self.inside: list[tuple[Tensor, int]] = []
        self.grad_outputs: tuple[Any, ...] | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those with a gradient through a gate."""
        self.kinds = [x._type if isinstance(x, Tensor) else None for x in args]
        self.where = [i for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
        if not self.where or not self.full or not context.grad_enabled:
            return args
        out = list(args)
        gated = _gate([args[i] for i in self.where], self._arrived)
        for i, x in zip(self.where, gated, strict=True):
            out[i] = x
        if len(gated) > 1:
            self.inside = [(x, x._version[0]) for x in gated]
        return tuple(out)

    def leave(self, output: Any) -> Any:
        """The output, whose tensors with a gradient go through a gate."""
        if any(x._version[0] != version for x, version in self.inside):
            raise GradError(
                f"{type(self.module).__name__} has a backward hook and several inputs, and changes one of them in place",
                hint="compute out of place in its forward (inplace=False), or remove the hook",
            )
        results = output if isinstance(output, tuple) else (output,)
        where = [i for i, y in enumerate(results) if isinstance(y, Tensor) and y.requires_grad]
        if not where or not context.grad_enabled:
            return output
        out = list(results)
        gated = _gate([results[i] for i in where], lambda grads: self._left(grads, where, len(results)))
        for i, y in zip(where, gated, strict=True):
            out[i] = y
        return (
            (type(output)(*out) if hasattr(output, "_fields") else tuple(out))
            if isinstance(output, tuple)
            else out[0]
        )

    def _left(self, grads: tuple[Any, ...], where: list[int], n: int) -> list[Any]:
        """Gradients of the results: through the pre-hooks; where no input wants one, to the hooks at once."""
        now = tuple(_placed(grads, where, n))
        for hook in self.pre:
            now = self._replaced(hook(self.module, now), now, "pre-hook", "grad_output")
        self.grad_outputs = now
        if self.full and not self.where:
            warnings.warn(
                f"a backward hook of {type(self.module).__name__} runs with the gradients of the results only, as no "
                "input requires one; hint: x.requires_grad_()",
                UserWarning,
                stacklevel=2,
            )
            for hook in self.full:
                given = hook(self.module, (None,) * len(self.kinds), now)
                if given is not None and any(g is not None for g in given):
                    raise GradError(
                        f"a backward hook of {type(self.module).__name__} returned gradients for inputs that want none",
                        hint="return None",
                    )
            self.grad_outputs = None
        return [now[i] for i in where]

    def _arrived(self, grads: tuple[Any, ...]) -> list[Any]:
        """Gradients of the inputs: through the hooks."""
        if self.grad_outputs is None:  # nothing came through the results: this backward ran inside the module
            return list(grads)
        placed = _placed(grads, self.where, len(self.kinds))
        # A tensor that wants no gradient gets zeros, as in PyTorch; None is for what is no tensor.
        now = tuple(
            zeros(kind.shape, dtype=kind.dtype) if g is None and kind is not None else g
            for g, kind in zip(placed, self.kinds, strict=True)
        )
        for hook in self.full:
            now = self._replaced(hook(self.module, now, self.grad_outputs), now, "hook", "grad_input")
        self.grad_outputs = None
        return [now[i] for i in self.where]

    def _replaced(self, given: Any, before: tuple[Any, ...], kind: str, what: str) -> tuple[Any, ...]:
        if given is None:
            return before
        out = given if isinstance(given, tuple) else (given,)
        if len(out) != len(before):
            raise GradError(
                f"a backward {kind} of {type(self.module).__name__} returned {len(out)} gradients, {what} has {len(before)}",
                hint=f"return None, or a tuple as long as {what}",
            )
        return out


def _placed(values: Sequence[Any], where: Sequence[int], n: int) -> list[Any]:
    """Values at their places, None at the others."""
    out: list[Any] = [None] * n
    for i, value in zip(where, values, strict=True):
        out[i] = value
    return out
