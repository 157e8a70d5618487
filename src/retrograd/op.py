"""The contract of an op, the registry of all ops, and `bind`, the one door through which every op is applied.

An op is a class with plain functions (no ``self``), written once::

    class Exp(Unary):
        "y = e^x.   x̄ = ȳ·y"
        def eval(x): return np.exp(x)
        def vjp(g, y, _x): return (g * y,)

`eval` is the NumPy reference.  `vjp` is the reverse rule: from the cotangent ``g`` of the result it makes the cotangents
of the inputs, using op functions only, so the backward pass is made of ops again and can be differentiated, traced,
vectorised and compiled like any other computation.  An argument whose name starts with ``_`` is not needed by the rule:
it is not kept in memory, and the rule gets only its :class:`TensorType` (shape and dtype).

`bind` hands the op to the current *context*: eager (compute now, remember how) or tracing (put it into a graph).
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Protocol

import numpy as np

from .errors import RetrogradError
from .types import TensorType

Array = np.ndarray[Any, Any]


class Sample:
    """Inputs worth testing: arrays (or plain numbers), the op's parameters, and which derivatives exist there.

    ``grad``: positions of the inputs to differentiate (default: all floating ones).  ``kink``: at a point where the
    derivative is a convention, so that finite differences do not apply.  ``order``: highest order to check.
    """

    def __init__(
        self,
        *inputs: Any,
        grad: tuple[int, ...] | None = None,
        kink: bool = False,
        order: int = 2,
        **params: Any,
    ) -> None:
        self.inputs = [np.asarray(x) for x in inputs]
        self.params = params
        self.kink = kink
        self.order = order
        floating = tuple(i for i, x in enumerate(self.inputs) if x.dtype.kind == "f")
        self.grad = floating if grad is None else grad

    def __repr__(self) -> str:
        shapes = ", ".join(f"{x.dtype}{list(x.shape)}" for x in self.inputs)
        return f"Sample({shapes}{''.join(f', {k}={v!r}' for k, v in self.params.items())})"


class Bad:
    """Inputs that must be refused, and a piece of the message that the refusal must contain."""

    def __init__(self, *inputs: Any, message: str, **params: Any) -> None:
        self.inputs = [np.asarray(x) for x in inputs]
        self.params = params
        self.message = message


class Op:
    """A primitive operation: everything that is known about it, in one place.

    Subclasses define, as plain functions:

    ``type(*types, **params)``      result type(s) from input types; raises the error a person will read
    ``eval(*arrays, **params)``     the value, in NumPy; float64 capable; a tuple when there are several results
    ``vjp(g, y, *inputs, **params)`` cotangents of the inputs, one each; None where there is none
    ``batch(batched, *inputs, **params)`` the same op with one more leading axis on inputs whose ``batched`` is true
    ``samples(r)``, ``errors(r)``   inputs for the laws, from a NumPy generator ``r``
    """

    name: ClassVar[str] = ""
    abstract: ClassVar[bool] = True
    n_outputs: ClassVar[int] = 1
    differentiable: ClassVar[bool] = True
    why_not: ClassVar[str] = ""
    """For ops without a derivative: the reason, shown when a gradient is asked for."""
    view: ClassVar[bool] = False
    """True where `eval` may return a view of its first input: results then share storage, as in PyTorch."""
    eager_only: ClassVar[str] = ""
    """For ops that cannot be staged (result shapes that depend on values): the reason."""
    ufunc: ClassVar[Any] = None
    """NumPy's ufunc where `eval` is just that: lets in-place operations write straight into their target."""
    reads: ClassVar[tuple[str, ...]] = ()
    """Where the cotangents of `vjp` read different values: for each input, the names of the arguments that its cotangent
    (given as a function) reads.  A value that only an unwanted cotangent would read is then not kept."""
    saved: ClassVar[tuple[str, ...]] = ()
    """Names of the arguments of `vjp`, the result first; ``_x`` is not saved.  The last one stands for any further ones."""

    type: ClassVar[Callable[..., Any]]
    eval: ClassVar[Callable[..., Any]]
    vjp: ClassVar[Callable[..., Any]]
    batch: ClassVar[Callable[..., Any]]
    samples: ClassVar[Callable[..., Iterable[Sample]]]
    errors: ClassVar[Callable[..., Iterable[Bad]]]

    def __init_subclass__(cls, abstract: bool = False, register: bool = True, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for key in ("type", "eval", "vjp", "batch", "samples", "errors"):
            rule = cls.__dict__.get(key)
            if inspect.isfunction(rule):
                setattr(cls, key, staticmethod(rule))
        cls.abstract = abstract
        if abstract:
            return
        if not cls.__dict__.get("name"):
            cls.name = _snake(cls.__name__)
        if cls.differentiable:
            cls.saved = _arguments(cls.vjp)
        if register:
            if cls.name in registry and registry[cls.name].__module__ != cls.__module__:
                raise RetrogradError(
                    f"an op named {cls.name!r} exists already, in {registry[cls.name].__module__}",
                    hint="give the class another name, or set name = '...' in it",
                )
            registry[cls.name] = cls


registry: dict[str, type[Op]] = {}


def _snake(name: str) -> str:
    return "".join(("_" if c.isupper() and i else "") + c.lower() for i, c in enumerate(name))


def _arguments(vjp: Callable[..., Any]) -> tuple[str, ...]:
    """Names of a reverse rule's arguments after the cotangent: the result, then the inputs."""
    kinds = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return tuple(p.name for p in inspect.signature(vjp).parameters.values() if p.kind in kinds)[1:]


@functools.cache
def kept(op: type[Op], wanted: tuple[bool, ...]) -> tuple[bool, ...]:
    """Which values the reverse rule reads to make the wanted cotangents: the result first, then each input."""
    names = [op.saved[min(i, len(op.saved) - 1)] for i in range(len(wanted) + 1)]
    if not op.reads:
        return tuple(not name.startswith("_") for name in names)
    read = {name for reads, w in zip(op.reads, wanted, strict=True) if w for name in reads.split()}
    return tuple(name in read for name in names)


class Context(Protocol):
    """Where ops go: computed at once (eager) or staged into a graph (tracing)."""

    def bind(self, op: type[Op], inputs: tuple[Any, ...], params: dict[str, Any]) -> Any: ...

    def constant(self, value: Any, dtype: Any = None) -> Any: ...


class _ThreadState(threading.local):
    """Per thread: is a gradient recorded, searched for NaN, kept by hooks; which context takes the ops; which module runs."""

    grad_enabled: bool = True
    anomaly: bool = False
    saved_hooks: tuple[Callable[[Any], Any], Callable[[Any], Any]] | None = None
    applied: list[tuple[Any, tuple[Any, ...]]] | None = None
    """A list, while `gradcheck` wants to know which functions with a backward of their own are applied to what."""
    inference: bool = False
    tracer: Context | None = None
    scope: tuple[Any, Any] | None = (
        None  # linked cells (outer cell, module): the layer path, walked only when asked
    )


class Changes:
    """Counts changes of what programs are: modules and their parts, which tensors want gradients, where their data lies.

    A compiled function that has seen no change since its last call need not look at each of these again.
    """

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


changes = Changes()
context = _ThreadState()
_eager: Context | None = None
_make: Callable[..., Any] | None = None


def install_eager(eager: Context, make: Callable[..., Any]) -> None:
    """Called once by ``tensor.py``, which lies above this floor: the eager context, and how a tensor is made."""
    global _eager, _make
    _eager, _make = eager, make


def make_tensor(value: Any, kind: TensorType, node: Any = None, slot: int = 0) -> Any:
    """A tensor of a value (an array, or a graph's variable) that result ``slot`` of ``node`` has, if there is one."""
    return _make(value, kind, node, slot)  # type: ignore[misc]


def current_context() -> Context:
    """The context that takes ops now: the tracer of this thread, or eager."""
    tracer = context.tracer
    if tracer is not None:
        return tracer
    assert _eager is not None, "retrograd.tensor was not imported"
    return _eager


def bind(op: type[Op], *inputs: Any, **params: Any) -> Any:
    """Apply ``op`` to tensors in the current context; inputs already have the shapes and dtypes that the op takes."""
    tracer = context.tracer
    return (tracer or _eager).bind(op, inputs, params)  # type: ignore[union-attr]


def constant(value: Any, dtype: Any = None) -> Any:
    """A tensor without gradient from a number or array, in the current context."""
    return current_context().constant(value, dtype)


def type_of(op: type[Op], types: Iterable[TensorType], params: dict[str, Any]) -> tuple[TensorType, ...]:
    """Result types as a tuple, also for a single result."""
    out = op.type(*types, **params)
    return (out,) if op.n_outputs == 1 else tuple(out)


@functools.cache
def accepts(op: type[Op], inputs: int, params: tuple[str, ...]) -> bool:
    """True if ``op`` takes that many inputs, and parameters of these names."""
    try:
        inspect.signature(op.eval).bind(*[None] * inputs, **dict.fromkeys(params))
    except TypeError:
        return False
    return True


def all_ops() -> Iterator[type[Op]]:
    """Every registered op, sorted by name."""
    return iter(sorted(registry.values(), key=lambda op: op.name))
