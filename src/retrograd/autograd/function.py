"""`Function`: an operation with a derivative of its own, written by the user."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..batch import Batched
from ..errors import GradError, UsageError, describe, user_place
from ..functions.create import zeros
from ..grad import Node, Saved, _counter
from ..modes import no_grad
from ..op import Op, context, make_tensor
from ..tensor import Tensor

__all__ = ["Function", "FunctionCtx", "once_differentiable"]


class FunctionCtx:
    """What `Function.forward` leaves for `Function.backward`; any attribute may be set on it."""

    needs_input_grad: tuple[bool, ...] = ()
    materialize_grads: bool = True

    def __init__(self) -> None:
        self._kept: list[Any] = []
        self._dirty: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._node: FunctionNode | None = None

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors (inputs, results or others) for `backward`; a later in-place change of one is an error there."""
        for t in tensors:
            if t is not None and not isinstance(t, Tensor):
                raise UsageError(
                    f"save_for_backward takes tensors, got {type(t).__name__}",
                    hint="keep anything else as an attribute: ctx.n = n",
                )
        self._kept = list(tensors)

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors that `save_for_backward` kept."""
        if self._node is not None:
            return self._node.kept_tensors()
        return tuple(self._kept)

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Accepted and without effect: forward mode is the transpose of `backward`, and no ``jvp`` of one's own is called."""

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say which inputs were changed in place; they must be returned."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say which results have no derivative."""
        self._constant = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """False: `backward` gets None instead of zeros for results that nothing depends on."""
        self.materialize_grads = value


class FunctionNode(Node):
    """A node whose reverse rule is a user's `backward`."""

    __slots__ = ("arguments", "ctx", "function", "kept")

    def __init__(
        self, function: type[Function], ctx: FunctionCtx, args: Sequence[Any], outputs: Sequence[Any]
    ) -> None:
        inputs = [a for a in args if isinstance(a, Tensor)]
        self.op = _op_of(function, len(outputs))
        self.params = {}
        self.order = next(_counter)
        self.freed = False
        self.input_types = [t._type for t in inputs]
        self.targets = [t._node if t._node is not None else (t if t._requires else None) for t in inputs]
        self.slots = [t._slot for t in inputs]
        self.inputs, self.outputs = [], None
        self.output_types = tuple(t._type for t in outputs)
        self.hooks = self.retained = None
        self.ahead = self.after = None
        self.place = user_place(3)
        self.scope = context.scope
        self.function = function
        self.ctx = ctx
        self.arguments = [isinstance(a, Tensor) for a in args]
        self.kept: list[Any] = []

    def keep(self, raw: Sequence[Any], outputs: Sequence[Any]) -> None:
        """Take the context's tensors: results by their place (a reference would be a circle), others as they are."""
        places = {id(r): k for k, r in enumerate(raw)}
        for t in self.ctx._kept:
            k = places.get(id(t)) if t is not None else None
            target = None if t is None else (outputs[k] if k is not None else t)
            saved = None if target is None else Saved(target._value, target._version)
            self.kept.append(
                (saved, None if k is not None else t, k, target._type if target is not None else None)
            )
        self.ctx._kept = []

    def kept_tensors(self) -> tuple[Any, ...]:
        """The saved tensors, at their places in the graph."""
        self._refuse_freed()
        out: list[Any] = []
        for saved, tensor, k, kind in self.kept:
            if saved is None:
                out.append(None)
                continue
            if saved.cell[0] != saved.version:
                raise GradError(
                    f"a tensor of shape {tuple(kind.shape)} that {self.function.__name__} saved for its backward was "
                    "changed in place afterwards",
                    where=f"{self.function.__name__} was applied at {describe(self.place)}",
                    hint="use the out-of-place form there, or x.clone() before the change",
                )
            out.append(tensor if tensor is not None else make_tensor(saved.value, kind, self, k))
        return tuple(out)

    def _refuse_freed(self) -> None:
        if self.freed:
            raise GradError(
                "the values needed for this backward pass were freed by an earlier one",
                where=f"{self.function.__name__} was applied at {describe(self.place)}",
                hint="call backward(retain_graph=True) the first time, or run the forward pass again",
            )

    def pull(self, cotangents: Sequence[Any], differentiable: bool) -> Sequence[Any]:
        self._refuse_freed()
        given = [
            zeros(k.shape, dtype=k.dtype) if g is None and self.ctx.materialize_grads else g
            for g, k in zip(cotangents, self.output_types, strict=True)
        ]
        found = self.function.backward(self.ctx, *given)
        found = found if isinstance(found, tuple) else (found,)
        name = self.function.__name__
        if len(found) < len(self.arguments) or any(g is not None for g in found[len(self.arguments) :]):
            raise GradError(
                f"{name}.backward returned {len(found)} gradients for {len(self.arguments)} inputs",
                where=f"{name} was applied at {describe(self.place)}",
                hint="return one gradient, or None, for each argument of forward (ctx not counted)",
            )
        pulled = [g for g, is_tensor in zip(found, self.arguments, strict=False) if is_tensor]
        for i, (g, kind) in enumerate(zip(pulled, self.input_types, strict=True)):
            if g is None or self.targets[i] is None:
                continue
            if not isinstance(g, Tensor) or g.dtype is not kind.dtype:
                what = g._type if isinstance(g, Tensor) else type(g).__name__
                raise GradError(
                    f"{name}.backward returned {what!r} as the gradient of an input of {kind!r}",
                    where=f"{name} was applied at {describe(self.place)}",
                    hint="a gradient has the dtype and shape of its input",
                )
            if tuple(g.shape) != tuple(kind.shape):
                pulled[i] = _summed(g, tuple(kind.shape), name, self.place)
        return pulled

    def free(self) -> None:
        self.freed = bool(self.kept)
        self.kept = []


def _summed(g: Tensor, shape: tuple[int, ...], name: str, place: Any) -> Tensor:
    """A gradient of a broadcast shape, added up to the shape of its input, as in PyTorch."""
    extra = g.ndim - len(shape)
    fits = extra >= 0 and all(n in (1, m) for n, m in zip(shape, g.shape[extra:], strict=True))
    if not fits:
        raise GradError(
            f"{name}.backward returned a gradient of shape {tuple(g.shape)} for an input of shape {shape}",
            where=f"{name} was applied at {describe(place)}",
            hint="a gradient has the shape of its input",
        )
    dims = (*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 and g.shape[extra + i] != 1))
    return g.sum(dims).reshape(shape) if dims else g


@functools.cache
def _op_of(function: type[Function], n: int) -> type[Op]:
    """What the engine reads of a node's op: a name, and how many results it has."""

    class Custom(Op, abstract=True):
        __doc__ = function.__doc__

    Custom.__name__ = Custom.__qualname__ = Custom.name = function.__name__
    Custom.n_outputs = n
    return Custom


class Function:
    """An operation with its own derivative: subclass it with static methods `forward` and `backward`, call ``apply``.

    ``forward(ctx, *args)`` computes with any means and keeps what `backward` needs; ``backward(ctx, *grads)`` returns one
    gradient (or None) for each argument.  When `setup_context(ctx, inputs, output)` is defined, `forward` takes no ``ctx``.
    A `backward` made of tensor operations can be differentiated again.

    >>> import retrograd as rg
    >>> class Cube(rg.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x * x * grad
    >>> x = rg.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The value."""
        raise UsageError("a Function needs a static method forward", hint="define forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments."""
        raise GradError("this Function has no backward", hint="define a static method backward(ctx, *grads)")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep what `backward` needs; optional."""

    def __init__(self, *_: Any) -> None:
        raise UsageError(
            f"{type(self).__name__} is not to be instantiated", hint=f"call {type(self).__name__}.apply(...)"
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute the value and note the derivative."""
        if context.applied is not None:
            context.applied.append((cls, args))
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        wants = context.grad_enabled and any(ctx.needs_input_grad)
        if context.tracer is not None:
            _refuse_own_rule(cls, args)
            if context.grad_enabled:
                _refuse_outer_gradients(cls, args)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(ctx, *args)
            else:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
        if not wants:
            return result
        raw = list(result) if isinstance(result, tuple) else [result]
        tensors = [t for t in raw if isinstance(t, Tensor)]
        constant = {id(t) for t in ctx._constant}
        given = {id(a) for a in args if isinstance(a, Tensor)}
        dirty = {id(t) for t in ctx._dirty}
        # every result gets a place of its own; an input that is handed on unchanged stays what it was
        made = [
            t if id(t) in dirty else t._alias() if id(t) in given else make_tensor(t._value, t._type)
            for t in tensors
        ]
        node = FunctionNode(cls, ctx, args, made)
        for slot, (old, new) in enumerate(zip(tensors, made, strict=True)):
            new._node, new._slot, new._requires = None, 0, False
            new._version = old._version
            if new._type.dtype.is_floating_point and id(old) not in constant:
                new._node, new._slot = node, slot
        node.keep(tensors, made)
        ctx._node = node
        new_of = iter(made)
        out = [next(new_of) if isinstance(t, Tensor) else t for t in raw]
        return tuple(out) if isinstance(result, tuple) else out[0]


def _refuse_own_rule(cls: type[Function], args: Sequence[Any]) -> None:
    """A batching rule of one's own would be passed over: `vmap` batches the operations of `forward` and `backward`."""
    if hasattr(cls, "vmap") and any(isinstance(getattr(t, "_value", None), Batched) for t in args):
        raise UsageError(
            f"{cls.__name__} has a vmap of its own, which is not called here",
            hint="delete it: forward and backward are vectorised op by op",
        )


def _refuse_outer_gradients(cls: type[Function], args: Sequence[Any]) -> None:
    """Inside vmap an outer derivative would meet the operations of `forward`, not `backward`: refuse it."""
    for t in args:
        inside = getattr(t, "_value", None)
        while isinstance(inside, Batched):
            if inside.tensor.requires_grad:
                raise UsageError(
                    f"{cls.__name__} (a Function with its own backward) inside vmap is to be differentiated outside",
                    hint="take the gradient inside: vmap(grad(f)) instead of grad(vmap(f))",
                )
            inside = inside.tensor._value


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """For a `backward` that cannot be differentiated itself: a second derivative through it is an error."""

    @functools.wraps(fn)
    def once(ctx: Any, *grads: Any) -> Any:
        differentiable = context.grad_enabled
        with no_grad():
            found = fn(ctx, *grads)
        if not differentiable:
            return found
        out = found if isinstance(found, tuple) else (found,)
        barred = tuple(
            _Barred.apply(g, *(x for x in grads if isinstance(x, Tensor))) if isinstance(g, Tensor) else g
            for g in out
        )
        return barred if isinstance(found, tuple) else barred[0]

    return once


class _Barred(Function):
    """The value, with a backward that refuses."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, *_: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise GradError(
            "a second derivative goes through a backward that is marked once_differentiable",
            hint="write that backward with tensor operations and drop the mark",
        )
