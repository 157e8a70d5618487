"""In-place operations, views, and what they mean for gradients.

Views share memory and a version counter with their base, as in PyTorch.  Writing through a view gives the base the
derivative of "everything as before, except here"; the other views of the same base learn of it when they are used next.
Where no gradient is recorded, a write goes straight into the memory.  Under tracing nothing is overwritten: the tensor
gets a new variable, and the tracer notes that its state changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import DTypeError, GradError, ShapeError
from .functions import elementwise as e
from .functions import scatter as sc
from .functions._arguments import expand, in_dtype
from .op import bind, constant, context
from .types import size


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
    view._node, view._slot = again._node, again._slot
    if context.tracer is not None:
        context.tracer.rebind(view, again._value)  # type: ignore[attr-defined]
    view._stamp = view._base._edits


def _check_target(x: Any) -> None:
    base = x._base if x._base is not None else x
    if base._requires and base._node is None and context.grad_enabled:
        what = "a leaf tensor" if base is x else "a view of a leaf tensor"
        raise GradError(
            f"{what} that requires a gradient is changed in place",
            hint="wrap the change in `with retrograd.no_grad():`",
        )


def write(x: Any, result: Any) -> Any:
    """Make ``x`` hold ``result`` (a tensor that broadcasts to it), with the gradient that belongs to it."""
    _check_target(x)
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
    x._node, x._slot = result._node, result._slot
    x._edits += 1
    return x


def _copy(x: Any, value: np.ndarray[Any, Any]) -> None:
    array = x._value
    if 0 in array.strides and array.size > 1:
        raise GradError(
            "an expanded tensor is written in place: several elements share one memory",
            hint="call .clone() first",
        )
    if not array.flags.writeable:
        raise GradError("the memory of this tensor is read-only", hint="call .clone() first")
    np.copyto(array, value, casting="same_kind")
    x._version[0] += 1


def _write_view(x: Any, result: Any) -> None:
    """The base becomes itself with the viewed elements replaced; reverse: their gradient goes to the new value."""
    base = x._base
    places = replay(x, np.arange(size(base._type.shape)).reshape(base._type.shape))
    if np.unique(places).size != places.size:
        raise GradError(
            "an expanded tensor is written in place: several elements share one memory",
            hint="call .clone() first",
        )
    if context.tracer is None:
        before = base._alias()
        changed = sc.put_flat(before, constant(places), result)
        _copy(x, result._value)
        base._node, base._slot = changed._node, changed._slot
    else:
        changed = sc.put_flat(base, constant(places), result)
        context.tracer.rebind(base, changed._value)  # type: ignore[attr-defined]
        base._node, base._slot = changed._node, changed._slot
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


def _direct(x: Any, *others: Any) -> bool:
    """True if nothing but the memory of ``x`` has to change: no gradient, no tracing, a plain writable array."""
    if context.tracer is not None:
        return False
    if context.grad_enabled and (x.requires_grad or any(getattr(o, "requires_grad", False) for o in others)):
        return False
    array = x._value
    return array.flags.writeable and (0 not in array.strides or array.size <= 1)


def _before(x: Any, *others: Any) -> Any:
    """``x`` as it is now, for a rule that may need the value which is about to be overwritten."""
    if context.tracer is not None or not context.grad_enabled:
        return x
    if not (x.requires_grad or any(getattr(o, "requires_grad", False) for o in others)):
        return x
    kept = x._alias()
    kept._value, kept._version, kept._requires = x._value.copy(), [0], x._requires
    return kept


def _operand(x: Any, other: Any) -> Any:
    """The array or number to hand to NumPy, or None where the general way is needed."""
    kind = getattr(other, "_type", None)
    if kind is None:
        if isinstance(other, bool) or not isinstance(other, int | float):
            return None
        return (
            other
            if x._type.dtype.is_floating_point or (isinstance(other, int) and x._type.dtype.category == 1)
            else None
        )
    if kind.dtype is not x._type.dtype or kind.shape not in (x._type.shape, ()):
        return None
    return other._value


def _arithmetic(ufunc: Any, general: Any, x: Any, other: Any) -> Any:
    if (
        _direct(x, other)
        and (operand := _operand(x, other)) is not None
        and (ufunc is not np.divide or x.dtype.is_floating_point)
    ):
        with np.errstate(all="ignore"):
            ufunc(x._value, operand, out=x._value)
        x._version[0] += 1
        return x
    return write(x, general(_before(x, other), other))


def add_(self: Any, other: Any, *, alpha: Any = 1) -> Any:
    """self += alpha·other"""
    return _arithmetic(np.add, e.add, self, other if e.is_one(alpha) else e.mul(other, alpha))


def sub_(self: Any, other: Any, *, alpha: Any = 1) -> Any:
    """self -= alpha·other"""
    return _arithmetic(np.subtract, e.sub, self, other if e.is_one(alpha) else e.mul(other, alpha))


def mul_(self: Any, other: Any) -> Any:
    """self *= other"""
    return _arithmetic(np.multiply, e.mul, self, other)


def div_(self: Any, other: Any) -> Any:
    """self /= other"""
    return _arithmetic(np.divide, e.div, self, other)


def pow_(self: Any, exponent: Any) -> Any:
    """self **= exponent"""
    return write(self, e.pow(_before(self, exponent), exponent))


def floor_divide_(self: Any, other: Any) -> Any:
    """self //= other"""
    return write(self, e.floor_divide(_before(self), other))


def remainder_(self: Any, other: Any) -> Any:
    """self %= other"""
    return write(self, e.remainder(_before(self), other))


BLOCK = 16384
"""Elements handled at a time by the updates below: their temporary stays in the cache, and off the system's allocator,
which for arrays of megabytes costs more than the arithmetic."""


def _blocks(x: Any, *others: Any) -> list[tuple[Any, ...]] | None:
    """Pieces of the flattened arrays, with a scratch piece last; None where the general way is needed."""
    tensors = (x, *others)
    if not all(hasattr(t, "_type") for t in others) or not _direct(x, *others):
        return None
    if (
        any(t._type != x._type or not t._value.flags.c_contiguous for t in tensors)
        or not x._type.dtype.is_floating_point
    ):
        return None
    arrays = [t._value.reshape(-1) for t in tensors]
    n = arrays[0].size
    scratch = np.empty(min(n, BLOCK), arrays[0].dtype)
    x._version[0] += 1
    return [(*(a[k : k + BLOCK] for a in arrays), scratch[: min(BLOCK, n - k)]) for k in range(0, n, BLOCK)]


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


def addcmul_(self: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """self += value·tensor1·tensor2"""
    if _number(value) and (blocks := _blocks(self, tensor1, tensor2)) is not None:
        for x, a, b, product in blocks:
            np.multiply(a, b, out=product)
            product *= value
            x += product
        return self
    return add_(self, e.mul(e.mul(tensor1, tensor2), value))


def addcdiv_(self: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """self += value·tensor1/tensor2"""
    if _number(value) and (blocks := _blocks(self, tensor1, tensor2)) is not None:
        with np.errstate(all="ignore"):
            for x, a, b, quotient in blocks:
                np.divide(a, b, out=quotient)
                quotient *= value
                x += quotient
        return self
    return add_(self, e.mul(e.div(tensor1, tensor2), value))


def lerp_(self: Any, end: Any, weight: Any) -> Any:
    """self += weight·(end - self)"""
    if _number(weight) and (blocks := _blocks(self, end)) is not None:
        for x, goal, gap in blocks:
            np.subtract(goal, x, out=gap)
            gap *= weight
            x += gap
        return self
    return add_(self, e.mul(e.sub(end, _before(self, end, weight)), weight))


def _unary(ufunc: Any, general: Any, name: str, doc: str) -> Any:
    def method(self: Any) -> Any:
        if ufunc is not None and _direct(self) and self._type.dtype.is_floating_point:
            with np.errstate(all="ignore"):
                ufunc(self._value, out=self._value)
            self._version[0] += 1
            return self
        return write(self, general(_before(self)))

    method.__name__ = method.__qualname__ = name
    method.__doc__ = doc
    return method


neg_ = _unary(np.negative, e.neg, "neg_", "self = -self")
abs_ = _unary(np.absolute, e.abs, "abs_", "self = |self|")
exp_ = _unary(np.exp, e.exp, "exp_", "self = e^self")
log_ = _unary(np.log, e.log, "log_", "self = ln self")
sqrt_ = _unary(np.sqrt, e.sqrt, "sqrt_", "self = √self")
rsqrt_ = _unary(None, e.rsqrt, "rsqrt_", "self = 1/√self")
square_ = _unary(np.square, e.square, "square_", "self = self²")
reciprocal_ = _unary(np.reciprocal, e.reciprocal, "reciprocal_", "self = 1/self")
floor_ = _unary(np.floor, e.floor, "floor_", "self = ⌊self⌋")
ceil_ = _unary(np.ceil, e.ceil, "ceil_", "self = ⌈self⌉")
round_ = _unary(np.rint, e.round, "round_", "self rounded")
trunc_ = _unary(np.trunc, e.trunc, "trunc_", "self without its fraction")
sign_ = _unary(None, e.sign, "sign_", "self = sign(self)")
tanh_ = _unary(np.tanh, e.tanh, "tanh_", "self = tanh self")
sigmoid_ = _unary(None, e.sigmoid, "sigmoid_", "self = 1/(1 + e^-self)")
relu_ = _unary(None, e.relu, "relu_", "self = max(0, self)")
sin_ = _unary(np.sin, e.sin, "sin_", "self = sin self")
cos_ = _unary(np.cos, e.cos, "cos_", "self = cos self")


def clamp_(self: Any, min: Any = None, max: Any = None) -> Any:
    """self limited to [min, max]"""
    return write(self, e.clamp(_before(self), min, max))


def copy_(self: Any, src: Any) -> Any:
    """self = src, converted and broadcast"""
    src = in_dtype(src, self._type.dtype)
    if self._base is None and context.grad_enabled and self.requires_grad and not self.is_leaf:
        src = e.where(
            constant(True), src, self._alias()
        )  # what it was made of gets a gradient of 0, as in PyTorch
    return write(self, src)


def fill_(self: Any, value: Any) -> Any:
    """self = value everywhere"""
    return copy_(self, value)


def zero_(self: Any) -> Any:
    """self = 0 everywhere"""
    return copy_(self, 0)


def masked_fill_(self: Any, mask: Any, value: Any) -> Any:
    """self = value where mask holds"""
    return write(self, e.masked_fill(_before(self), mask, value))
