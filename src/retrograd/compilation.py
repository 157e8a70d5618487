"""`compile`: a function of tensors, or a whole training step, as one program."""

from __future__ import annotations

import copy
import functools
import os
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from .autograd import Function
from .backward import grad
from .capture import Capture, can_go_back
from .errors import TraceError, UsageError
from .graph import Graph
from .lower.program import Program, make_program
from .modes import set_grad_enabled
from .op import changes, context, make_tensor
from .tensor import Tensor
from .trace import stage
from .tree import flatten, unflatten

_MANY = {16 << k for k in range(20)}
"""At so many programs a function says that each call costs a new one."""
_STATIC = (bool, int, float, str, bytes, type(None))


_every: weakref.WeakSet[Compiled] = weakref.WeakSet()


def _with_new_locks() -> None:
    """After a fork: a lock that another thread held would never be released in the child."""
    for compiled in list(_every):
        compiled._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_with_new_locks)


class Compiled:
    """What `compile` gives: called like the function, it runs one program for each kind of arguments.

    ``graph`` and ``plan()`` show the program that ran last, ``retraces`` counts the programs, and ``causes`` says why each
    one after the first was made.
    """

    def __init__(self, fn: Callable[..., Any], backend: str | None = None) -> None:
        functools.update_wrapper(self, fn, updated=())
        self.fn = fn
        self.backend = backend
        self.causes: list[str] = []
        self.gradients: dict[int, tuple[Tensor, Tensor]] = {}
        self._programs: dict[Any, list[Trace]] = {}
        self._last: Trace | None = None
        self._lock = threading.RLock()
        _every.add(self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if context.tracer is not None:  # inside another traced function it is that function's
            return self.fn(*args, **kwargs)
        with self._lock:
            last = self._last
            if last is None or kwargs or not last.takes(args) or not last.holds():
                last = self._last = self._found(args, kwargs)
            return last.run()

    def _found(self, args: Any, kwargs: Any) -> Trace:
        leaves, form = flatten((args, kwargs))
        key = (form, context.grad_enabled, tuple(map(_kind, leaves)))
        for found in self._programs.get(key, ()):
            if found.holds():
                break
        else:
            found = self._trace(key, leaves, form)
        found.leaves = leaves
        return found

    @property
    def retraces(self) -> int:
        """How many programs were made after the first one."""
        return len(self.causes)

    @property
    def graph(self) -> Graph:
        """The graph of the program that ran last, after its passes."""
        return self._latest().program.graph

    def plan(self) -> str:
        """What the program that ran last consists of: memory, kernels, which op became what."""
        return self._latest().program.plan()

    def stages(self) -> dict[str, str]:
        """The program that ran last at each stage, to read: "traced", "graph", "plan", and native "llvm", "assembly"."""
        last = self._latest()
        return {
            "traced": str(last.traced),
            "graph": str(last.program.graph),
            "plan": last.program.plan(),
            **last.program.texts(),
        }

    def _latest(self) -> Trace:
        if self._last is None:
            raise UsageError("nothing was compiled yet", hint="call the function once")
        return self._last

    def _trace(self, key: Any, leaves: list[Any], form: Any) -> Trace:
        known = [t for traces in self._programs.values() for t in traces]
        if known:
            self.causes.append(_cause(known[-1], key, self._programs))
            if len(known) in _MANY:
                warnings.warn(
                    f"{self!r} has made {len(known)} programs; the last because {self.causes[-1]}",
                    RuntimeWarning,
                    stacklevel=4,
                )
        made = Trace(self, key, leaves, form)
        self._programs.setdefault(key, []).append(made)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Compiled:
        return Compiled(copy.deepcopy(self.fn, memo), self.backend)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self) -> str:
        return f"compile({getattr(self.fn, '__name__', self.fn)!r}, {self.retraces} retraces)"


def _kind(leaf: Any) -> Any:
    """What a program depends on of an argument: of arrays the type, of anything else the value."""
    if isinstance(leaf, Tensor):
        return (leaf._type, leaf._requires or leaf._node is not None)
    if isinstance(leaf, np.ndarray):
        return (leaf.shape, leaf.dtype)
    if isinstance(leaf, _STATIC):
        return (type(leaf), leaf)
    return id(leaf)


def _cause(last: Trace, key: Any, known: dict[Any, Any]) -> str:
    """Why the programs that there are do not fit, in words."""
    for trace in known.get(key, ()):
        return trace.changed() or "a fact changed"
    form, grad, kinds = last.key
    if form != key[0]:
        return "the arguments are nested in another way"
    if grad != key[1]:
        return f"gradients are {'recorded' if key[1] else 'not recorded'} now"
    for k, (was, now) in enumerate(zip(kinds, key[2], strict=True)):
        if was != now:
            return f"argument {k} was {_said(was)} and is {_said(now)}"
    return "other arguments"


def _said(kind: Any) -> str:
    if isinstance(kind, tuple) and isinstance(kind[0], type):
        return repr(kind[1])
    if isinstance(kind, tuple):
        return f"{kind[0]!r}" + (" that requires a gradient" if kind[1] is True else "")
    return "another object"


def _parts(module: Any) -> tuple[Any, ...]:
    """What a graph relies on of a module: whether it is training, and which tensors and modules it has."""
    own = module.__dict__
    return (
        own.get("training"),
        *(tuple(map(id, own[kind].values())) for kind in ("_parameters", "_buffers", "_modules")),
    )


class Trace:
    """One tracing of the function: its program, and the facts that it relies on."""

    def __init__(self, owner: Compiled, key: Any, leaves: list[Any], form: Any) -> None:
        self.key, self.owner = key, owner
        self._pulls: dict[tuple[bool, ...], Compiled] = {}
        self.places = [k for k, x in enumerate(leaves) if isinstance(x, Tensor | np.ndarray)]
        capture = Capture()
        result: list[Any] = []

        def staged(*tensors: Tensor) -> list[Tensor]:
            filled = list(leaves)
            for k, t in zip(self.places, tensors, strict=True):
                filled[k] = t
            args, kwargs = unflatten(filled, form)
            flat, shape = flatten(owner.fn(*args, **kwargs))
            tensors_out = [x for x in flat if isinstance(x, Tensor)]
            result.extend((flat, shape, [can_go_back(t) for t in tensors_out], capture.cleared()))
            return tensors_out

        graph = stage(staged, [leaves[k] for k in self.places], capture)
        flat, self.form, self.wanting, cleared = result
        self.flat = [None if isinstance(x, Tensor) else x for x in flat]
        self.returned = [k for k, x in enumerate(flat) if isinstance(x, Tensor)]
        for x in self.flat:
            if not isinstance(x, _STATIC):
                raise TraceError(
                    f"a compiled function returned {type(x).__name__}",
                    hint="return tensors and plain numbers, or tuples, lists and dicts of them",
                )
        self.events = capture.events
        self.guards = [(what, read, read()) for what, read in capture.guards]
        self.modules = [(m, _parts(m)) for m in capture.modules.values()]
        self.slots = list(capture.slots.values())
        self.traced = graph
        self.wants = [(t, t._requires, t._type) for t in graph.sources.values()]
        self.program: Program = make_program(
            graph, self.slots, cleared, capture.events, owner.gradients, owner.backend
        )
        self.recording = True in self.wanting
        self.kinds = [v.type for v in self.program.graph.outputs]
        self.leaves = leaves
        self.kept = [
            x for x in leaves if not isinstance(x, _STATIC)
        ]  # an object's id is its own while it lives
        self.seen = -1
        plain = form.children[1].n_leaves == 0 and all(c.kind is None for c in form.children[0].children)
        self.simple = (
            [(x._type, key[2][k][1]) for k, x in enumerate(leaves) if isinstance(x, Tensor)]
            if plain
            else None
        )
        if self.simple is not None and len(self.simple) != len(leaves):
            self.simple = None
        self.grad = key[1]
        self.single = self.returned == [0] and len(flat) == 1 and self.form.kind is None

    def takes(self, args: tuple[Any, ...]) -> bool:
        """True if these are tensors of the kinds that were traced; False may also mean: not as simple as that."""
        kinds = self.simple
        if kinds is None or len(args) != len(kinds) or context.grad_enabled is not self.grad:
            return False
        for t, (kind, requires) in zip(args, kinds):
            if (
                not isinstance(t, Tensor)
                or t._type != kind
                or (t._requires or t._node is not None) is not requires
            ):
                return False
        self.leaves = args
        return True

    def holds(self) -> bool:
        """True if everything that the graph relies on is as it was."""
        if changes.count == self.seen:
            for _, read, before in self.guards:
                if read() != before:
                    return False
            return not self.slots or self.changed() is None
        now = changes.count
        if self.changed() is not None:
            return False
        self.program.look()
        self.seen = now
        return True

    def changed(self) -> str | None:
        """The first fact that is not as it was, in words."""
        for module, parts in self.modules:
            if _parts(module) != parts:
                return f"a part of {type(module).__name__}, or whether it is training, changed"
        for t, requires, kind in self.wants:
            if t._requires != requires:
                return f"a tensor of shape {tuple(t.shape)} {'requires' if t._requires else 'no longer requires'} a gradient"
            if t._type != kind:
                return f"a tensor was {kind!r} and is {t._type!r}"
        for t, before in self.slots:
            if (t._gradient is None) != (before is None):
                return f"the .grad of a tensor of shape {tuple(t.shape)} {'is None' if t._gradient is None else 'exists'} now"
        for what, read, before in self.guards:
            if read() != before:
                return f"{what} changed"
        return None

    def pull(self, needed: list[bool]) -> Compiled:
        """The compiled way back, to the inputs that need it."""
        key = tuple(needed)
        if key not in self._pulls:
            self._pulls[key] = Compiled(_puller(self, needed), self.owner.backend)
        return self._pulls[key]

    def run(self) -> Any:
        """The results for these arguments."""
        leaves = self.leaves
        given = [leaves[k] for k in self.places]
        if self.recording:
            outs = self.recorded(given)
        else:
            arrays = [x._value if isinstance(x, Tensor) else x for x in given]
            outs = [make_tensor(a, k) for a, k in zip(self.program(arrays), self.kinds)]
            if self.single:
                return outs[0]
        flat = list(self.flat)
        for k, t in zip(self.returned, outs, strict=True):
            flat[k] = t
        return unflatten(flat, self.form)

    def recorded(self, given: list[Any]) -> list[Tensor]:
        """The results with their derivatives, which are a compiled function, too."""
        tensors = [
            x if isinstance(x, Tensor) else make_tensor(x, v.type)
            for x, v in zip(given, self.traced.inputs, strict=True)
        ]
        outs = WithDerivative.apply(self, *tensors, *(t for t, requires, _ in self.wants if requires))
        return list(outs)


class WithDerivative(Function):
    """A program whose results can be differentiated: going back computes forward again, and from there the cotangents."""

    @staticmethod
    def forward(ctx: Any, trace: Trace, *tensors: Tensor) -> tuple[Tensor, ...]:
        n = len(trace.places)
        arrays = trace.program([t._value for t in tensors[:n]])
        ctx.save_for_backward(*tensors)
        ctx.trace = trace
        ctx.read = [what.clone() for kind, what, _ in trace.events if kind != "do"]
        outs = tuple(make_tensor(a, k) for a, k in zip(arrays, trace.kinds, strict=True))
        ctx.mark_non_differentiable(*(t for t, wants in zip(outs, trace.wanting, strict=True) if not wants))
        return outs

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Any, ...]:
        trace, tensors = ctx.trace, ctx.saved_tensors
        wanted = [g for g, wants in zip(cotangents, trace.wanting, strict=True) if wants]
        needed = list(ctx.needs_input_grad[1:])
        found = iter(trace.pull(needed)(list(tensors), ctx.read, wanted))
        return (None, *(next(found) if needs else None for needs in needed))


def _puller(trace: Trace, needed: list[bool]) -> Callable[..., Any]:
    """The function from what a program read, and the cotangents of its results, to the cotangents of what it read."""
    graph, n = trace.traced, len(trace.places)
    by_id = {id(t): v for v, t in graph.sources.items()}
    further = [by_id[id(t)] for t, requires, _ in trace.wants if requires]
    read = [by_id.get(id(what)) for kind, what, _ in trace.events if kind != "do"]

    def pull(tensors: list[Tensor], numbers: list[Tensor], cotangents: list[Tensor]) -> list[Any]:
        with set_grad_enabled(True):
            leaves = [
                t.detach().requires_grad_() if needs and not t.requires_grad else t
                for t, needs in zip(tensors, needed, strict=True)
            ]
            held = dict(zip(further, leaves[n:], strict=True))
            held |= {v: t for v, t in zip(read, numbers, strict=True) if v is not None}
            outs = graph.apply(*leaves[:n], held=held)
            outs = [t for t, wants in zip(outs, trace.wanting, strict=True) if wants]
            wanted = [t for t, needs in zip(leaves, needed, strict=True) if needs]
            return list(grad(outs, wanted, cotangents, materialize_grads=True, create_graph=True))

    return pull


def compile(fn: Any = None, *, backend: str | None = None, **options: Any) -> Any:
    """The function as one program: traced at its first call, then run without Python for each op.

    Takes a function of tensors, a module, or a whole training step with `zero_grad`, `backward`, `step` and schedules.
    What it changes (parameters, buffers, `.grad`, an optimiser's state, random generators) is changed as by the function
    itself; `.grad` is then the same tensor after every call, with new values.  Another shape, dtype or plain argument makes
    another program.  ``backend``: "native", "reference" (NumPy, op by op), or None for the best there is.  ``mode``,
    ``fullgraph`` and ``dynamic`` of PyTorch are taken and without effect: it is always one whole program.

    >>> import retrograd as rg
    >>> f = compile(lambda x: (x * 2 + 1).sum())
    >>> f(rg.ones(3))
    tensor(9.)
    """
    unknown = set(options) - {"mode", "fullgraph", "dynamic", "options", "disable"}
    if unknown:
        raise UsageError(f"compile has no option {min(unknown)!r}", hint="compile(fn, backend='native')")
    if fn is None:
        return functools.partial(compile, backend=backend, **options)
    if not callable(fn):
        raise UsageError(
            f"compile takes a function or a module, got {type(fn).__name__}", hint="compile(model)"
        )
    return fn if options.get("disable") else Compiled(fn, backend)


__all__ = ["Compiled", "compile"]
