"""In-place operations, views, and what they mean for gradients.

Views share memory and a version counter with their base, as in PyTorch.  Writing through a view gives the base the
derivative of "everything as before, except here"; the other views of the same base learn of it when they are used next.
Where no gradient is recorded, a write goes straight into the memory.  Under tracing nothing is overwritten: the tensor
gets a new variable, and the tracer notes that its state changed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..errors import DTypeError, GradError, ShapeError
from ..functions import elementwise as e
from ..functions import scatter as sc
from ..functions._arguments import expand
from ..op import bind, constant, context
from ..types import size


def refresh(view: Any) -> None:
    """Bring a view whose base was changed under autograd or tracing up to date."""
    parent = view._parent
    if parent._parent is not None and parent._stamp != parent._base._edits:
        refresh(parent)
    op, params = view._replay
    outer, context.grad_enabled = context.grad_enabled, True
    try:
        again = bind(op, parent, **params)
    finally:
        context.grad_enabled = outer
    if not view._unrecorded:
        _become(view, again)
    if context.tracer is not None:
        context.tracer.rebind(view, again._value)  # type: ignore[attr-defined]
    view._stamp = view._base._edits


def _become(x: Any, result: Any) -> None:
    """``x`` is from now on ``result`` in the graph; a ``.grad`` that it retains is that of its new value."""
    old = x._node
    if x._retains and old is not None and old.retained:
        reference = old.retained.get(x._slot)
        if reference is not None and reference() is x and result._node is not None:
            del old.retained[x._slot]
            result._node.retained = {**(result._node.retained or {}), result._slot: reference}
    x._node, x._slot = result._node, result._slot


def check_target(x: Any) -> None:
    base, owner = x._base if x._base is not None else x, x
    while owner._parent is not None and not owner._requires:
        owner = owner._parent
    if owner._requires and owner._node is None and context.grad_enabled:
        what = "a leaf tensor" if owner is x else "a view of a leaf tensor"
        raise GradError(
            f"{what} that requires a gradient is changed in place",
            hint="wrap the change in `with retrograd.no_grad():`",
        )
    if x._unrecorded and context.grad_enabled:
        if not base._requires and base._node is None:  # it was detached since: nothing can be missed
            x._unrecorded = False
            return
        raise GradError(
            "a view that was made without recording is changed in place with recording: its base would not learn of it",
            hint="make the view outside of no_grad(), or wrap the change in `with retrograd.no_grad():` as well",
        )


def write(x: Any, result: Any) -> Any:
    """Make ``x`` hold ``result`` (a tensor that broadcasts to it), with the gradient that belongs to it."""
    check_target(x)
    if result._type.dtype is not x._type.dtype:
        if result._type.dtype.category > x._type.dtype.category:
            raise DTypeError(
                f"a result of {result._type.dtype!r} cannot be written in place into {x._type.dtype!r}",
                hint="use the out-of-place form, or convert the target first",
            )
        result = e.to_dtype(result, x._type.dtype)
    if result._type.shape != x._type.shape:
        try:
            result = expand(result, x._type.shape)
        except ShapeError:
            raise ShapeError(
                f"a result of shape {tuple(result._type.shape)} cannot be written in place into shape {tuple(x._type.shape)}",
                hint="in-place operations never change the shape of their target",
            ) from None
    tracer = context.tracer
    if result._requires and x._base is None:
        result = result.clone()  # x becomes a copy of the leaf, not the leaf
    wants = context.grad_enabled and (x.requires_grad or result.requires_grad)
    if tracer is None and not wants:
        _copy(x, result._value)
        return x
    if x._base is not None:
        _write_view(x, result)
        return x
    if tracer is not None:
        tracer.rebind(x, result._value)  # type: ignore[attr-defined]
        if x._owner is not None:  # x.data and x.detach() are other names of one state
            tracer.rebind(x._owner, result._value)  # type: ignore[attr-defined]
    else:
        _copy(x, result._value)
    _become(x, result)
    x._edits += 1
    return x


def _copy(x: Any, value: np.ndarray[Any, Any]) -> None:
    array = x._value
    if array.size and any(
        n > 1 and stride == 0 for n, stride in zip(array.shape, array.strides, strict=True)
    ):
        _demand_one_value(x, value)
    if array.flags.writeable:
        np.copyto(array, value, casting="same_kind")
    elif (
        x._base is not None and x._base._value.flags.writeable
    ):  # NumPy lets nobody write through an expanded array
        x._base._value.flat[places_of(x).reshape(-1)] = np.broadcast_to(value, array.shape).reshape(-1)
    else:
        raise GradError("the memory of this tensor is read-only", hint="call .clone() first")
    x._version[0] += 1


def memory(x: Any) -> Any:
    """The array of ``x`` for another tensor that shares its memory; an expanded one can be written to where its base can.

    NumPy marks what it broadcasts as read-only.  A view is written through its base; what is detached has none.
    """
    array = x._value
    if x._base is None or not isinstance(array, np.ndarray) or array.flags.writeable:
        return array
    whole = x._base._value
    if not whole.flags.writeable:
        return array
    place = {**array.__array_interface__, "data": (array.__array_interface__["data"][0], False)}
    return np.asarray(SimpleNamespace(__array_interface__=place, array=whole))


def _demand_one_value(x: Any, value: np.ndarray[Any, Any]) -> None:
    """Elements of ``x`` share memory: only what gives all that share a place the same value may be written."""
    array = x._value
    wide = np.broadcast_to(value, array.shape)
    repeated = [n > 1 and stride == 0 for n, stride in zip(array.shape, array.strides, strict=True)]
    needed = repeated if any(repeated) else [n > 1 for n in array.shape]
    told = x._base is not None or array.flags.writeable
    if not told or any(r and stride for r, stride in zip(needed, wide.strides, strict=True)):
        raise GradError(
            "an expanded tensor is written in place: several elements share one memory",
            hint="call .clone() first",
        )


def places_of(view: Any) -> np.ndarray[Any, Any]:
    """Where the elements of a view lie in its base."""
    shape = view._base._type.shape
    return replay(view, np.arange(size(shape)).reshape(shape))


def _write_view(x: Any, result: Any) -> None:
    """The base becomes itself with the viewed elements replaced; reverse: their gradient goes to the new value."""
    base = x._base
    places = places_of(x)
    if np.unique(places).size != places.size:
        _demand_one_value(x, result._value)
    if context.tracer is None:
        before = base._alias()
        changed = sc.put_flat(before, constant(places), result)
        _copy(x, result._value)
        _become(base, changed)
    else:
        changed = sc.put_flat(base, constant(places), result)
        context.tracer.rebind(base, changed._value)  # type: ignore[attr-defined]
        _become(base, changed)
    base._edits += 1
    refresh(x)


def replay(view: Any, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What ``view`` sees of ``array``, which stands for the memory of its base."""
    chain = []
    while view._parent is not None:
        chain.append(view._replay)
        view = view._parent
    for op, params in reversed(chain):
        array = op.eval(array, **params)
    return np.asarray(array)


def direct(x: Any, *others: Any) -> bool:
    """True if nothing but the memory of ``x`` has to change: no gradient, no tracing, a plain writable array."""
    if context.tracer is not None:
        return False
    if context.grad_enabled and (
        x._unrecorded or x.requires_grad or any(getattr(o, "requires_grad", False) for o in others)
    ):
        return False
    array = x._value
    return array.flags.writeable and (0 not in array.strides or array.size <= 1)


def before(x: Any, *others: Any) -> Any:
    """``x`` as it is now, for a rule that may need the value which is about to be overwritten."""
    if context.tracer is not None or not context.grad_enabled:
        return x
    if not (x.requires_grad or any(getattr(o, "requires_grad", False) for o in others)):
        return x
    kept = x._alias()
    kept._value, kept._version, kept._requires = x._value.copy(), [0], x._requires
    return kept


def overwriting(x: Any, result: Any) -> Any:
    """``result``, in whose place ``x`` was: what ``x`` was made of gets a gradient of 0, as in PyTorch."""
    if x._base is not None or not context.grad_enabled or not x.requires_grad or x.is_leaf:
        return result
    if result._type.dtype.category > x._type.dtype.category:
        return result  # which cannot be written
    return e.where(constant(True), e.to_dtype(result, x._type.dtype), x._alias())


def in_place(function: Callable[..., Any], ufunc: Any = None) -> Callable[..., Any]:
    """The method ``function_`` that writes the result of ``function`` into its first argument.

    ``ufunc``: NumPy's form, which writes straight into the memory where nothing else has to be known.
    """

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if (
            ufunc is not None
            and not args
            and not kwargs
            and direct(self)
            and self._type.dtype.is_floating_point
        ):
            with np.errstate(all="ignore"):
                ufunc(self._value, out=self._value)
            self._version[0] += 1
            return self
        result = function(before(self, *args, *kwargs.values()), *args, **kwargs)
        return write(self, result if result.requires_grad else overwriting(self, result))

    method.__name__ = method.__qualname__ = function.__name__ + "_"
    method.__doc__ = f"self = {function.__doc__}"
    method.__wrapped__ = function  # type: ignore[attr-defined]  # whose signature it has
    return method
