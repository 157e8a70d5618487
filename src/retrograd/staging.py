"""What all contexts share in which ops are not computed at once: tracing (`trace.py`) and vectorising (`batch.py`).

A tensor then holds something that stands for its value.  In-place changes give it another stand-in, and what they changed
outside is put back at the end; autograd's nodes are recorded as always, so that a derivative can be taken inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .eager import link_view
from .errors import TraceError
from .grad import record
from .op import Op, context, make_tensor, type_of
from .tensor import Tensor
from .types import TensorType


class Staging:
    """A context that takes ops without computing them; ``apply`` and ``stand_in`` say what it does instead."""

    where = "traced"

    def __init__(self) -> None:
        self.outer: Any = context.tracer
        self._before: dict[int, tuple[Tensor, Any, Any, int, int]] = {}
        self._gradients: dict[int, tuple[Tensor, Any]] = {}
        self._born: dict[int, Tensor] = {}

    def apply(
        self, op: type[Op], inputs: tuple[Tensor, ...], params: dict[str, Any], kinds: Any
    ) -> Sequence[Any]:
        """What stands for the results."""
        raise NotImplementedError

    def stand_in(self, t: Tensor) -> Any:
        """What stands for the value of a tensor that may be a plain one."""
        raise NotImplementedError

    def bind(self, op: type[Op], inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
        if op.eager_only:
            raise TraceError(
                f"{op.name} cannot be {self.where}: {op.eager_only}",
                hint=f"use retrograd.where(condition, a, b) instead of a mask, or do this outside the {self.where} function",
            )
        self.freshen(inputs)
        kinds = type_of(op, (t._type for t in inputs), params)
        values = self.apply(op, inputs, params, kinds)
        outs = tuple(make_tensor(v, k) for v, k in zip(values, kinds, strict=True))
        if op.view:
            link_view(outs[0], op, inputs[0], params)
        if (
            op.differentiable
            and context.grad_enabled
            and any(t._requires or t._node is not None for t in inputs)
        ):
            record(op, params, inputs, outs)
        return outs[0] if op.n_outputs == 1 else outs

    @staticmethod
    def freshen(inputs: Sequence[Tensor]) -> None:
        """Bring views whose base has changed up to date."""
        for t in inputs:
            if t._parent is not None and t._stamp != t._base._edits:
                from .inplace import refresh

                refresh(t)

    def constant(self, value: Any, dtype: Any = None) -> Any:
        from .op import _eager

        assert _eager is not None
        return _eager.constant(value, dtype)

    # What compiling notes beside the ops (`capture.py`); nothing in other contexts.

    def live(self, key: Any, read: Callable[[], Any]) -> Any:
        """A number that may be another one at the next call."""
        return read()

    def host(self, action: Callable[[], Any]) -> None:
        """Something that Python does at every call."""
        action()

    def guard(self, what: str, read: Callable[[], Any]) -> None:
        """A fact that the ops rely on."""

    def entered(self, module: Any) -> None:
        """A module runs."""

    def gradient_read(self, t: Tensor) -> None:
        """The ``.grad`` of a tensor is looked at."""

    def detached(self, t: Tensor) -> Tensor:
        """The value of ``t`` without its derivative, at this level and at those outside."""
        raise NotImplementedError

    def born(self, t: Tensor) -> None:
        """Note a plain tensor that was made inside: changing it changes nothing outside."""
        self._born[id(t)] = t

    def rebind(self, t: Tensor, value: Any) -> None:
        """Give a tensor another stand-in, remembering what it was before."""
        if id(t) not in self._before:
            self._before[id(t)] = (t, t._value, t._node, t._slot, t._edits)
        t._value = value

    def note_gradient(self, t: Tensor) -> None:
        """Remember the ``.grad`` that a tensor had before."""
        self._gradients.setdefault(id(t), (t, t._gradient))

    def finish(self) -> tuple[list[tuple[Tensor, Any]], list[tuple[Tensor, Any]]]:
        """Put back everything that was changed outside: what the values and the gradients had become."""
        values, gradients = [], []
        # a gradient that was changed in place is what it has become, so it is looked up before anything is put back
        now = {
            id(t): (t._gradient, t._gradient._value)
            for t, _ in self._gradients.values()
            if t._gradient is not None
        }
        for t, value, node, slot, edits in self._before.values():
            if not self.own(value) and id(t) not in self._born:
                values.append((t, t._value))
            t._value, t._node, t._slot, t._edits = value, node, slot, edits
        for t, before in self._gradients.values():
            if id(t) in now and now[id(t)][0] is not before:
                after, value = now[id(t)]
                gradients.append((t, make_tensor(value, after._type, after._node, after._slot)))
            t._gradient = before
        return values, gradients

    def own(self, value: Any) -> bool:
        """True if ``value`` is a stand-in that this context made."""
        raise NotImplementedError


class within:
    """``with within(c):`` ops go to the context ``c`` (None: computed at once)."""

    __slots__ = ("_before", "_context")

    def __init__(self, c: Any) -> None:
        self._context = c

    def __enter__(self) -> None:
        self._before = context.tracer
        context.tracer = self._context

    def __exit__(self, *_: Any) -> None:
        context.tracer = self._before


__all__ = ["Staging", "TensorType", "within"]
