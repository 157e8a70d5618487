"""Tracing for compilation: what a traced function depends on beside its arguments, and what it does beside its results.

A graph alone knows constants and state outputs.  A compiled program is called again and again, so it must also know which
numbers are read anew at each call (rates, the place in a random stream), what Python itself does at each call (a schedule
moves on), and which facts, if they change, make the graph another one (`training`, options, which tensors want a gradient).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import TraceError
from .grad import Node
from .graph import Var
from .op import make_tensor
from .tensor import Tensor
from .trace import Tracer
from .types import TensorType, float64, int64

Read = Callable[[], Any]


class Capture(Tracer):
    """The tracer of `retrograd.compile`."""

    def __init__(self, names: dict[str, Tensor] | None = None) -> None:
        super().__init__(names)
        self.events: list[tuple[str, Any, Any]] = []
        """In order: ("read", tensor, its value's source), ("draw", tensor, (generator, n)), ("do", action, None)."""
        self.guards: list[tuple[str, Read]] = []
        """What it is, and how it is read."""
        self.modules: dict[int, Any] = {}
        self.slots: dict[int, tuple[Tensor, Tensor | None]] = {}
        """Tensors whose ``.grad`` was read before it was set, and what it was."""
        self._live: dict[Any, Tensor] = {}
        self._literals: dict[int, Any] = {}

    def constant(self, value: Any, dtype: Any = None) -> Any:
        out = super().constant(value, dtype)
        if not isinstance(value, np.ndarray) or value.ndim == 0:
            self._literals[id(out._value)] = out  # kept alive, so that its id stays its own
        return out

    def born(self, t: Tensor) -> None:
        super().born(t)
        self._literals[id(t._value)] = t  # made anew at every call, always the same

    def is_literal(self, value: Any) -> bool:
        return id(value) in self._literals

    def live(self, key: Any, read: Read) -> Any:
        """A number that is read anew at every call, as a float64 variable."""
        t = self._live.get(key)
        if t is None:
            t = self._live[key] = make_tensor(np.array(float(read())), TensorType((), float64))
            self.events.append(("read", t, read))
        return t

    def host(self, action: Callable[[], Any]) -> None:
        """Python's part of a call: done at every call, in the order in which numbers are read."""
        self.events.append(("do", action, None))
        self._live.clear()  # what it changed is read again

    def guard(self, what: str, read: Read) -> None:
        """A fact that the graph relies on, as it is after the trace."""
        self.guards.append((what, read))

    def entered(self, module: Any) -> None:
        self.modules[id(module)] = module

    def gradient_read(self, t: Tensor) -> None:
        if id(t) not in self._gradients and id(t) not in self.slots and not self.own(t._value):
            self.slots[id(t)] = (t, t._gradient)

    def random_state(self, generator: Any, n: int) -> Any:
        t = make_tensor(
            np.array([generator.initial_seed(), generator.counter], np.int64), TensorType((2,), int64)
        )
        self.events.append(("draw", t, (generator, n)))
        return t

    def cleared(self) -> list[Tensor]:
        """Tensors whose ``.grad`` the function leaves at None."""
        return [t for t, _ in self._gradients.values() if t._gradient is None]


def play(events: list[tuple[str, Any, Any]]) -> None:
    """Python's part of a call."""
    for kind, what, source in events:
        if kind == "read":
            what._value[()] = source()
        elif kind == "draw":
            generator, n = source
            what._value[0], what._value[1] = generator.initial_seed(), generator.counter
            generator.counter += n
        else:
            what()


def can_go_back(t: Tensor) -> bool:
    """True if a derivative of ``t`` can still be taken: it wants one, and no backward has freed what it needs."""
    if not t.requires_grad:
        return False
    waiting, seen = [t._node], set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Node) or node in seen:
            continue
        if node.freed:
            return False
        seen.add(node)
        waiting += node.targets
    return True


def refuse_traced(what: str, *given: Any) -> None:
    """Python's part of a call cannot depend on what is computed in it."""
    if any(isinstance(x, Tensor) and isinstance(x._value, Var) for x in given):
        raise TraceError(
            f"{what} needs a number, and in a compiled function there is none yet",
            hint="return the number from the compiled function, and call this outside of it",
        )
