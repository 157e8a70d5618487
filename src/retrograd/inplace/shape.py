"""New shapes for the same tensor: views that take its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import GradError, TraceError
from ..functions import shape as s
from ..op import context, make_tensor
from .writing import check_target

__all__ = ["squeeze_", "swapaxes_", "swapdims_", "t_", "transpose_", "unsqueeze_"]


def _renewed(function: Callable[..., Any], name: str, doc: str) -> Callable[..., Any]:
    """The in-place form of a view: the tensor itself takes the new shape."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        check_target(self)
        if context.tracer is not None:
            raise TraceError(f"{name} cannot be traced", hint=f"use x = x.{name[:-1]}(...)")
        if self._viewed and self._base is None:
            raise GradError(
                f"{name} on a tensor of which views were taken: they would see another shape",
                hint=f"use x = x.{name[:-1]}(...)",
            )
        before = make_tensor(self._value, self._type, self._node, self._slot)
        before._version, before._edits = self._version, self._edits
        if self._base is not None:
            for key in ("_parent", "_base", "_replay", "_stamp"):
                setattr(before, key, getattr(self, key))
        seen = function(before, *args, **kwargs)
        self._value, self._type, self._node, self._slot = seen._value, seen._type, seen._node, seen._slot
        if self._base is not None:
            self._parent, self._base, self._replay, self._stamp = (
                seen._parent,
                seen._base,
                seen._replay,
                seen._stamp,
            )
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    method.__wrapped__ = function  # type: ignore[attr-defined]  # whose signature it has
    return method


squeeze_ = _renewed(s.squeeze, "squeeze_", "this tensor without its dimensions of size 1")
unsqueeze_ = _renewed(s.unsqueeze, "unsqueeze_", "this tensor with a new dimension of size 1")
t_ = _renewed(s.t, "t_", "this matrix transposed")
transpose_ = _renewed(s.transpose, "transpose_", "this tensor with two dimensions exchanged")
swapaxes_ = swapdims_ = transpose_
