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

from .errors import UsageError
from .graph import Graph
from .op import context
from .specialization import STATIC, Trace
from .tensor import Tensor
from .tree import flatten

_MANY = {16 << k for k in range(20)}
"""At so many programs a function says that each call costs a new one."""


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
    if isinstance(leaf, STATIC):
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


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: str | None = None,
    mode: str | None = None,
    options: Any = None,
    disable: bool = False,
    isolate_recompiles: bool = False,
) -> Any:
    """The function as one program: traced at its first call, then run without Python for each op.

    Takes a function of tensors, a module, or a whole training step with `zero_grad`, `backward`, `step` and schedules.
    What it changes (parameters, buffers, `.grad`, an optimiser's state, random generators) is changed as by the function
    itself; `.grad` is then the same tensor after every call, with new values.  Another shape, dtype or plain argument makes
    another program.  ``backend``: "native", "reference" (NumPy, op by op), or None for the best there is, as PyTorch's
    "inductor" is.  ``fullgraph``, ``dynamic``, ``mode``, ``options`` and ``isolate_recompiles`` of PyTorch are taken and
    without effect: it is always one whole program.

    >>> import retrograd as rg
    >>> f = compile(lambda x: (x * 2 + 1).sum())
    >>> f(rg.ones(3))
    tensor(9.)
    """
    if backend not in (None, "native", "reference", "inductor"):
        raise UsageError(
            f"compile has no backend {backend!r}",
            hint="compile(fn, backend='native'), or 'reference', or none",
        )
    if model is None:
        return functools.partial(compile, backend=backend, disable=disable)
    if not callable(model):
        raise UsageError(
            f"compile takes a function or a module, got {type(model).__name__}", hint="compile(model)"
        )
    return model if disable else Compiled(model, None if backend == "inductor" else backend)


__all__ = ["Compiled", "compile"]
