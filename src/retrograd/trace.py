"""Staging: run a function once on variables instead of values, and get its `Graph`.

Everything that happens inside is staged, `backward` and in-place updates included, because they are made of ops, too.
Tensors that the function uses without being given them become named constants; tensors that it changes keep their values
outside, and their new variables are listed in ``graph.states``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import TraceError, describe, user_place
from .functions.linalg import trace as sum_of_diagonal
from .graph import Equation, Graph, Var
from .op import Op, bind, context, make_tensor
from .ops.control import Detach
from .staging import Staging, within
from .tensor import Tensor
from .tree import flatten
from .types import TensorType


class Tracer(Staging):
    """The context that puts ops into a graph."""

    def __init__(self, names: dict[str, Tensor] | None = None) -> None:
        super().__init__()
        self.equations: list[Equation] = []
        self.constants: dict[Var, Any] = {}
        self.sources: dict[Var, Tensor] = {}
        self._held: dict[int, tuple[Any, Var]] = {}  # by id of the value, which is kept alive
        self._names = {id(t._value): name for name, t in (names or {}).items()}
        self._used: set[str] = set()
        self._own: set[Var] = set()
        self._count = 0
        self._streams: dict[int, tuple[Any, Any]] = {}

    def fresh(self, kind: TensorType, name: str | None = None) -> Var:
        if name is None or name in self._used:
            name = f"v{self._count}"
            self._count += 1
        self._used.add(name)
        v = Var(name, kind)
        self._own.add(v)
        return v

    def own(self, value: Any) -> bool:
        return isinstance(value, Var) and value in self._own

    def is_literal(self, value: Any) -> bool:
        """True for the value of a plain number of the program, which is no state."""
        return False

    def stand_in(self, t: Tensor) -> Var:
        """The variable of a tensor; a tensor from outside becomes a constant of the graph."""
        value = t._value
        if self.own(value):
            return value
        if not isinstance(value, np.ndarray) and self.outer is None:
            raise TraceError(
                "a tensor that belongs to a function traced earlier is used",
                hint="return the value from the traced function instead of storing it",
            )
        held = self._held.get(id(value))
        if held is None:
            v = self.fresh(t._type, self._names.get(id(value)))
            held = self._held[id(value)] = (value, v)
            self.constants[v] = value
            if not self.is_literal(value):
                self.sources[v] = t
        return held[1]

    def apply(
        self, op: type[Op], inputs: tuple[Tensor, ...], params: dict[str, Any], kinds: Any
    ) -> Sequence[Any]:
        given = tuple(map(self.stand_in, inputs))  # first, so that names count up in the order of reading
        outs = tuple(self.fresh(k) for k in kinds)
        place = describe(user_place(4))
        self.equations.append(Equation(op, given, params, outs, place, scope_path(), context.grad_enabled))
        return outs

    def rebind(self, t: Tensor, value: Any) -> None:
        super().rebind(t, value if self.own(value) else self.stand_in(make_tensor(value, t._type)))

    def detached(self, t: Tensor) -> Tensor:
        out = bind(Detach, t)
        out._node = None
        return out

    def random_state(self, generator: Any, n: int) -> Any:
        """The state of a random stream as a variable, moved on by what was drawn before in this trace."""
        start = self._streams.get(id(generator))
        if start is None:
            if self.outer is not None:
                with within(self.outer):
                    return generator.take(n)
            start = (
                generator,
                self.constant(np.array([generator.initial_seed(), generator.counter], np.int64)),
            )
        state = start[1]
        self._streams[id(generator)] = (generator, state + self.constant(np.array([0, n], np.int64)))
        return state

    def states(self) -> list[tuple[str, Any, Var]]:
        """Put back everything that the trace changed outside; what the changes were, as state outputs."""
        values, gradients = self.finish()
        return [
            *(("value", t, value) for t, value in values),
            *(("grad", t, self.stand_in(g)) for t, g in gradients),
            *(("random", generator, self.stand_in(state)) for generator, state in self._streams.values()),
        ]


def layer_name(outer: Any, module: Any) -> str:
    """The dotted name that ``module`` has inside ``outer``, the module that called it; else its class name."""
    for name, child in getattr(outer, "_modules", {}).items():
        if child is module:
            return name
    named = getattr(outer, "named_modules", None)  # it may sit deeper: in a ModuleList, for instance
    for name, child in named() if named else ():
        if child is module and name:
            return name
    return type(module).__name__


def scope_path() -> str:
    """The path of the layer that is running, such as ``Sequential.0``; empty outside layers."""
    cell, parts = context.scope, []
    while cell is not None:
        outer, module = cell
        parts.append(layer_name(outer[1] if outer else None, module))
        cell = outer
    return ".".join(reversed(parts))


def _tensors(result: Any) -> list[Tensor]:
    leaves, _ = flatten(result)
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise TraceError(
                f"a traced function returned {type(leaf).__name__}",
                hint="return tensors, or tuples, lists and dicts of them",
            )
    return leaves


def trace(fn: Any = None, *, names: dict[str, Tensor] | None = None, input: Any = None) -> Any:
    """``trace(fn)(*args)``: the verified graph of ``fn`` for tensors of the shapes and dtypes of ``args``.

    ``names`` gives constants (parameters, for instance ``module.state_dict()``) the names they shall have in the graph.
    Of a matrix instead of a function, as in PyTorch: the sum of its diagonal.

    >>> import retrograd as rg
    >>> print(rg.trace(lambda x: x.exp() + 1)(rg.ones(2)))
    graph(x0: f32[2]):
      const v1: f32[]
      v0: f32[2] = exp(x0)
      v2: f32[2] = broadcast(v1, shape=(2,))
      v3: f32[2] = add(v0, v2)
      return v3
    >>> rg.trace(rg.eye(3))
    tensor(3.)
    """
    if isinstance(fn, Tensor) or fn is None:
        return sum_of_diagonal(input if fn is None else fn)

    def staged(*args: Any) -> Graph:
        return stage(fn, args, Tracer(names))

    return staged


def stage(fn: Callable[..., Any], args: Sequence[Any], tracer: Tracer) -> Graph:
    """The graph of ``fn(*args)``, written down by ``tracer``."""
    outer_grad = context.grad_enabled
    inputs, given = [], []
    for k, a in enumerate(args):
        source = a if isinstance(a, Tensor) else tracer.constant(a)
        v = tracer.fresh(source._type, f"x{k}")
        t = make_tensor(v, source._type)
        t._requires = source.requires_grad
        inputs.append(v)
        given.append(t)
    with within(tracer):
        try:
            outputs = [tracer.stand_in(t) for t in _tensors(fn(*given))]
        finally:
            context.grad_enabled = outer_grad
            states = tracer.states()
    graph = Graph(inputs, tracer.constants, tracer.equations, outputs)
    graph.states, graph.sources = states, tracer.sources
    return graph.verify()
