"""The eager context: compute at once with NumPy, and record the op when a gradient is wanted."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ops  # noqa: F401  (importing the ops fills the registry)
from .errors import RetrogradError, TraceError
from .functions.create import array_of, from_array
from .grad import Node, record
from .inplace import refresh, replay
from .op import Op, context, install_eager
from .tensor import Tensor
from .types import TensorType, dtype_of


class Eager:
    """The context that computes at once with NumPy, and records the op when a gradient is wanted."""

    def bind(self, op: type[Op], inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
        wants = False
        for t in inputs:
            if t._parent is not None and t._stamp != t._base._edits:
                refresh(t)
            if t._requires or t._node is not None:
                wants = True
        kinds = op.type(*[t._type for t in inputs], **params)
        try:
            with np.errstate(all="ignore"):
                values = op.eval(*[t._value for t in inputs], **params)
        except (TypeError, AttributeError, ValueError) as error:
            _explain(op, inputs, error)
            raise
        if op.n_outputs == 1:
            out = _make(
                values if type(values) is np.ndarray else np.asarray(values),
                kinds if op.eager_only == "" else None,
            )
            if op.view:
                link_view(out, op, inputs[0], params)
                out._unrecorded = inputs[0]._unrecorded or (wants and not context.grad_enabled)
            if wants and context.grad_enabled:
                if op.differentiable:
                    record(op, params, inputs, (out,))
                else:
                    out._why = f"{op.name}: {op.why_not}"
            return out
        outs = tuple(_make(np.asarray(v), k) for v, k in zip(values, kinds, strict=True))
        if wants and context.grad_enabled and op.differentiable:
            record(op, params, inputs, outs)
        return outs

    def constant(self, value: Any, dtype: Any = None) -> Tensor:
        return from_array(array_of(value, dtype, copy=False))


def _explain(op: type[Op], inputs: tuple[Tensor, ...], error: Exception) -> None:
    """Turn NumPy's complaint about a traced variable into a clear one; anything else goes on as it is."""
    if isinstance(error, RetrogradError):
        return
    if any(not isinstance(t._value, np.ndarray) for t in inputs):
        raise TraceError(
            f"{op.name} meets a tensor that belongs to a function traced earlier",
            hint="return the value from the traced function instead of storing it",
        ) from None


def _make(value: Any, kind: TensorType | None, node: Node | None = None, slot: int = 0) -> Tensor:
    out = Tensor.__new__(Tensor)
    out._value = value
    out._type = kind if kind is not None else TensorType(value.shape, dtype_of(value.dtype))
    out._version = [0]
    if node is not None:
        out._node = node
        out._slot = slot
    return out


def link_view(out: Tensor, op: type[Op], source: Tensor, params: dict[str, Any]) -> None:
    """Note that ``out`` looks into the memory of ``source``, unless the op had to copy."""
    base = source._base if source._base is not None else source
    seen, looked_at = out._value, source._value
    if not isinstance(
        seen, np.ndarray
    ):  # a variable of a graph: would it copy, if the base lay in memory row by row?
        looked_at = replay(source, np.empty(base._type.shape, np.bool_))
        seen = op.eval(looked_at, **params)
    if seen.size and not np.may_share_memory(seen, looked_at):
        return
    out._version = source._version
    out._parent = source
    out._base = base
    out._replay = (op, params)
    out._stamp = base._edits
    base._viewed = True


install_eager(Eager(), _make)
