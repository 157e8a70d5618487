"""Staging: run a function once on variables instead of values, and get its `Graph`.

Everything that happens inside is staged, `backward` and in-place updates included, because they are made of ops, too.
Tensors that the function uses without being given them become named constants; tensors that it changes keep their values
outside, and their new variables are listed in ``graph.states``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .eager import link_view
from .errors import TraceError, describe, user_place
from .grad import record
from .graph import Equation, Graph, Var
from .op import Op, context, make_tensor, type_of
from .tensor import Tensor
from .types import TensorType


class Tracer:
    """The context that stages ops."""

    def __init__(self, names: dict[str, Tensor] | None = None) -> None:
        self.equations: list[Equation] = []
        self.constants: dict[Var, np.ndarray[Any, Any]] = {}
        self.sources: dict[Var, Tensor] = {}
        self._held: dict[int, tuple[Any, Var]] = {}  # by id of the array, which is kept alive
        self._names = {id(t._value): name for name, t in (names or {}).items()}
        self._used: set[str] = set()
        self._count = 0
        self._before: dict[int, tuple[Tensor, Any, Any, int, int]] = {}
        self._gradients: dict[int, tuple[Tensor, Any]] = {}
        self._streams: dict[int, tuple[Any, int, Any]] = {}

    def fresh(self, kind: TensorType, name: str | None = None) -> Var:
        if name is None or name in self._used:
            name = f"v{self._count}"
            self._count += 1
        self._used.add(name)
        return Var(name, kind)

    def var(self, t: Tensor) -> Var:
        """The variable of a tensor; a tensor with a value becomes a constant of the graph."""
        value = t._value
        if isinstance(value, Var):
            return value
        held = self._held.get(id(value))
        if held is None:
            v = self.fresh(t._type, self._names.get(id(value)))
            held = self._held[id(value)] = (value, v)
            self.constants[v] = value
            self.sources[v] = t
        return held[1]

    def bind(self, op: type[Op], inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
        if op.eager_only:
            raise TraceError(
                f"{op.name} cannot be traced: {op.eager_only}",
                hint="use retrograd.where(condition, a, b) instead of a mask, or do this outside the traced function",
            )
        for t in inputs:
            if t._parent is not None and t._stamp != t._base._edits:
                from .inplace import refresh

                refresh(t)
        kinds = type_of(op, (t._type for t in inputs), params)
        given = tuple(map(self.var, inputs))  # first, so that names count up in the order of reading
        outs = tuple(make_tensor(self.fresh(k), k) for k in kinds)
        place = describe(user_place(3))
        self.equations.append(Equation(op, given, params, tuple(o._value for o in outs), place, scope_path()))
        if op.view:
            link_view(outs[0], op, inputs[0], params)
        if (
            op.differentiable
            and context.grad_enabled
            and any(t._requires or t._node is not None for t in inputs)
        ):
            record(op, params, inputs, outs)
        return outs[0] if op.n_outputs == 1 else outs

    def constant(self, value: Any, dtype: Any = None) -> Any:
        from .op import _eager

        assert _eager is not None
        return _eager.constant(value, dtype)

    def rebind(self, t: Tensor, value: Any) -> None:
        """Give a tensor another variable, remembering what it was before the trace."""
        if id(t) not in self._before:
            self._before[id(t)] = (t, t._value, t._node, t._slot, t._edits)
        t._value = value if isinstance(value, Var) else self.var(make_tensor(value, t._type))

    def note_gradient(self, t: Tensor) -> None:
        """Remember the ``.grad`` that a tensor had before the trace."""
        self._gradients.setdefault(id(t), (t, t._gradient))

    def random_state(self, generator: Any, n: int) -> Any:
        """The state of a random stream as a variable, moved on by what was drawn before in this trace."""
        start = self._streams.get(id(generator))
        if start is None:
            state = self.constant(np.array([generator.initial_seed(), generator.counter], np.int64))
            start = (generator, generator.counter, state)
        _, _, state = start
        moved = state + self.constant(np.array([0, n], np.int64))
        self._streams[id(generator)] = (generator, start[1], moved)
        return state

    def finish(self) -> list[tuple[str, Any, Var]]:
        """Put back everything that the trace changed outside; what the changes were, as state outputs."""
        states: list[tuple[str, Any, Var]] = []
        for t, value, node, slot, edits in self._before.values():
            if not isinstance(value, Var):
                states.append(("value", t, t._value))
            t._value, t._node, t._slot, t._edits = value, node, slot, edits
        for t, before in self._gradients.values():
            after = t._gradient
            if after is not None and after is not before:
                states.append(("grad", t, self.var(after)))
            t._gradient = before
        states.extend(
            ("random", generator, self.var(state)) for generator, _, state in self._streams.values()
        )
        return states


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


def _flatten(result: Any) -> list[Tensor]:
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, tuple | list):
        return [t for item in result for t in _flatten(item)]
    if result is None:
        return []
    raise TraceError(
        f"a traced function returned {type(result).__name__}",
        hint="return tensors, or tuples, lists and dicts of them",
    )


def trace(fn: Callable[..., Any], *, names: dict[str, Tensor] | None = None) -> Callable[..., Graph]:
    """``trace(fn)(*args)``: the verified graph of ``fn`` for tensors of the shapes and dtypes of ``args``.

    ``names`` gives constants (parameters, for instance ``module.state_dict()``) the names they shall have in the graph.

    >>> import retrograd as rg
    >>> print(rg.trace(lambda x: x.exp() + 1)(rg.ones(2)))
    graph(x0: f32[2]):
      const v1: f32[]
      v0: f32[2] = exp(x0)
      v2: f32[2] = broadcast(v1, shape=(2,))
      v3: f32[2] = add(v0, v2)
      return v3
    """

    def staged(*args: Any) -> Graph:
        tracer = Tracer(names)
        outer, outer_grad = context.tracer, context.grad_enabled
        if outer is not None:
            raise TraceError("trace inside a traced function", hint="trace the outer function only")
        inputs, given = [], []
        for k, a in enumerate(args):
            source = a if isinstance(a, Tensor) else tracer.constant(a)
            v = tracer.fresh(source._type, f"x{k}")
            t = make_tensor(v, source._type)
            t._requires = source.requires_grad
            inputs.append(v)
            given.append(t)
        context.tracer = tracer
        try:
            outputs = [tracer.var(t) for t in _flatten(fn(*given))]
        finally:
            context.tracer = None
            context.grad_enabled = outer_grad
            states = tracer.finish()
        graph = Graph(inputs, tracer.constants, tracer.equations, outputs)
        graph.states, graph.sources = states, tracer.sources
        return graph.verify()

    return staged
