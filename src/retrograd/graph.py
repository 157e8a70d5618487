"""A computation as data: typed variables, and ops applied to them in order.

A `Graph` can be printed, verified, evaluated by the NumPy reference, applied to tensors (and so differentiated, traced
again, or vectorised), and written as JSON.  A graph that was read is verified against the registry before anything runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .drawing import dot
from .errors import GraphError, RetrogradError
from .op import Array, Op, accepts, bind, constant, context, registry, type_of
from .types import DType, TensorType, dtype_named, dtype_of

FORMAT = 1


class Var:
    """A variable of a graph: a name and a type."""

    __slots__ = ("name", "type")

    def __init__(self, name: str, type: TensorType) -> None:
        self.name = name
        self.type = type

    def __repr__(self) -> str:
        return f"{self.name}: {self.type!r}"


class Equation(NamedTuple):
    """``outputs = op(inputs, params)``; ``where``: the user's source line, ``scope``: the layer path, when known.

    ``recorded``: False for what was computed under `no_grad`, through which no derivative goes.
    """

    op: type[Op]
    inputs: tuple[Var, ...]
    params: dict[str, Any]
    outputs: tuple[Var, ...]
    where: str | None = None
    scope: str = ""
    recorded: bool = True


class Graph:
    """Inputs, constants, equations in order, outputs.

    >>> import retrograd as rg
    >>> graph = rg.trace(lambda x: (x * x).sum())(rg.ones(3))
    >>> graph(np.array([1, 2, 3], "float32"))
    [array(14., dtype=float32)]
    """

    def __init__(
        self,
        inputs: Sequence[Var],
        constants: dict[Var, Any],
        equations: Sequence[Equation],
        outputs: Sequence[Var],
    ) -> None:
        self.inputs = list(inputs)
        self.captured = dict(constants)
        self.equations = list(equations)
        self.outputs = list(outputs)
        self.sources: dict[Var, Any] = {}
        """The tensors that constants were taken from, where they are at hand: gradients reach them."""
        self.states: list[tuple[str, Any, Var]] = []
        """What the traced function changed: ("value" | "grad", the tensor, the variable of its new value)."""

    @property
    def constants(self) -> dict[str, Array]:
        """Values that the traced function used without being given them, by name."""
        return {v.name: a for v, a in self.captured.items()}

    def __str__(self) -> str:
        lines = ["graph(" + ", ".join(map(repr, self.inputs)) + "):"]
        lines += [f"  const {v!r}" for v in self.captured]
        for eq in self.equations:
            params = "".join(f", {k}={v}" for k, v in eq.params.items())
            note = f"    # {eq.scope}" if eq.scope else ""
            lines.append(
                f"  {', '.join(map(repr, eq.outputs))} = {eq.op.name}({', '.join(v.name for v in eq.inputs)}{params}){note}"
            )
        lines += [f"  {kind} <- {v.name}" for kind, _, v in self.states]
        lines.append("  return " + ", ".join(v.name for v in self.outputs))
        return "\n".join(lines)

    def verify(self) -> Graph:
        """Check names, order and types; raises `GraphError`.  Returns the graph itself."""
        known: dict[str, Var] = {}
        made_later = {v.name for eq in self.equations for v in eq.outputs}

        def define(v: Var, where: str) -> None:
            if v.name in known:
                raise GraphError(
                    f"variable {v.name!r} is defined twice (second time: {where})",
                    hint="every variable has one definition",
                )
            known[v.name] = v

        for v in self.inputs:
            define(v, "inputs")
        for v, array in self.captured.items():
            define(v, "constants")
            if v in self.sources and not isinstance(array, np.ndarray):
                continue  # a variable of the function around the traced one
            if not isinstance(array, np.ndarray) or TensorType(array.shape, dtype_of(array.dtype)) != v.type:
                raise GraphError(
                    f"constant {v!r} holds {getattr(array, 'dtype', type(array))}{list(np.shape(array))}",
                    hint="the type and the value must agree",
                )
        for k, eq in enumerate(self.equations):
            where = f"equation {k} ({eq.op.name})"
            for v in eq.inputs:
                if v.name not in known:
                    cyclic = v.name in made_later
                    raise GraphError(
                        f"{where} uses {v.name!r} "
                        + (
                            "before it is made: the graph has a cycle or is out of order"
                            if cyclic
                            else "which nothing defines"
                        ),
                        hint="equations must stand in an order in which each one uses earlier results only",
                    )
                if known[v.name].type != v.type:
                    raise GraphError(
                        f"{where} takes {v!r}, defined as {known[v.name]!r}", hint="types must agree"
                    )
            if not accepts(eq.op, len(eq.inputs), tuple(eq.params)):
                raise GraphError(
                    f"{where} has {len(eq.inputs)} inputs and the parameters {sorted(eq.params)}, which it does not take",
                    hint="save the model again",
                )
            expected = type_of(eq.op, (v.type for v in eq.inputs), eq.params)
            if tuple(v.type for v in eq.outputs) != expected:
                raise GraphError(
                    f"{where} gives {expected}, declared {tuple(v.type for v in eq.outputs)}",
                    hint="types must agree",
                )
            for v in eq.outputs:
                define(v, where)
        for v in self.outputs:
            if v.name not in known:
                raise GraphError(
                    f"the output {v.name!r} is not defined", hint="return a variable of the graph"
                )
        return self

    def evaluate(self, *arrays: Any, every: bool = False) -> Any:
        """Values of the outputs by the NumPy reference; ``every``: of all variables, by name."""
        self._check_inputs(arrays)
        for v, value in self.captured.items():
            if not isinstance(value, np.ndarray):
                raise GraphError(
                    f"{v!r} is a variable of the function around the traced one: it has no value",
                    hint="use graph.apply(...) there, or pass the value as an argument",
                )
        env: dict[str, Array] = {v.name: np.asarray(a) for v, a in zip(self.inputs, arrays, strict=True)}
        env |= self.constants
        with np.errstate(all="ignore"):
            for eq in self.equations:
                try:
                    values = eq.op.eval(*(env[v.name] for v in eq.inputs), **eq.params)
                except (TypeError, ValueError, IndexError, OverflowError) as error:
                    if isinstance(error, RetrogradError):
                        raise
                    raise GraphError(
                        f"{eq.op.name} cannot be evaluated with {eq.params}: {error}",
                        hint="save the model again",
                    ) from error
                for v, value in zip(eq.outputs, (values,) if eq.op.n_outputs == 1 else values, strict=True):
                    env[v.name] = np.asarray(value)
        return env if every else [env[v.name] for v in self.outputs]

    __call__ = evaluate

    def _check_inputs(self, arrays: Sequence[Any]) -> None:
        if len(arrays) != len(self.inputs):
            raise GraphError(
                f"the graph takes {len(self.inputs)} inputs, got {len(arrays)}", hint=f"inputs: {self.inputs}"
            )
        for v, a in zip(self.inputs, arrays, strict=True):
            if tuple(np.shape(a)) != v.type.shape or np.asarray(a).dtype != v.type.dtype.numpy:
                raise GraphError(
                    f"input {v!r} got {np.asarray(a).dtype}{list(np.shape(a))}",
                    hint="trace again for other shapes",
                )

    def apply(self, *tensors: Any, held: dict[Var, Any] | None = None) -> list[Any]:
        """The outputs as tensors, each op bound again: in eager mode with gradients, under tracing staged anew.

        ``held``: other tensors in place of constants.
        """
        env = {v.name: t for v, t in zip(self.inputs, tensors, strict=True)}
        env |= {v.name: held[v] if held and v in held else self.held(v) for v in self.captured}
        for eq in self.equations:
            for v, t in zip(eq.outputs, _applied(eq, env), strict=True):
                env[v.name] = t
        return [env[v.name] for v in self.outputs]

    def held(self, v: Var) -> Any:
        """A constant as a tensor: the one it was taken from, if it is at hand."""
        source = self.sources.get(v)
        return constant(self.captured[v]) if source is None else source

    def gradients(self, *arrays: Any) -> dict[str, Array]:
        """d(first output)/d(variable) for every floating variable that it depends on, by name; the output is one number.

        >>> import retrograd as rg
        >>> graph = rg.trace(lambda x: (x * x).sum())(rg.ones(2))
        >>> graph.gradients(np.array([1, 3], "float32"))["x0"]
        array([2., 6.], dtype=float32)
        """
        self._check_inputs(arrays)
        env = {v.name: constant(np.array(a)) for v, a in zip(self.inputs, arrays, strict=True)}
        env |= {v.name: constant(a.copy()) for v, a in self.captured.items()}
        for t in env.values():
            t.requires_grad_(t.dtype.is_floating_point)
        for eq in self.equations:
            for v, t in zip(eq.outputs, _applied(eq, env), strict=True):
                env[v.name] = t
                if t.requires_grad:
                    t.retain_grad()
        env[self.outputs[0].name].backward()
        return {name: t.grad.numpy() for name, t in env.items() if t.grad is not None}

    def to_dot(
        self, values: dict[str, Array] | None = None, gradients: dict[str, Array] | None = None
    ) -> str:
        """The graph in Graphviz's language: a box per op, an arrow per use.

        ``values`` (`evaluate` with ``every=True``) and ``gradients`` put numbers on the boxes: one number as it is, of a
        tensor the mean and the largest size of its entries.

        >>> import retrograd as rg
        >>> print(rg.trace(lambda x: x.exp())(rg.ones(2)).to_dot())
        digraph {
          "x0" [shape=ellipse, label="x0: f32[2]"]
          "v0" [shape=box, label="exp\\nv0: f32[2]"]
          "x0" -> "v0"
          "result 0" [shape=plaintext]
          "v0" -> "result 0"
        }
        """

        return dot(self, values, gradients)

    def to_json(self) -> dict[str, Any]:
        """The structure as plain JSON data; the arrays of the constants travel beside it (`constants`)."""
        return {
            "format": FORMAT,
            "inputs": [_var(v) for v in self.inputs],
            "constants": [_var(v) for v in self.captured],
            "equations": [
                {
                    "op": eq.op.name,
                    "inputs": [v.name for v in eq.inputs],
                    "params": {k: _encode(p) for k, p in eq.params.items()},
                    "outputs": [_var(v) for v in eq.outputs],
                    **({"scope": eq.scope} if eq.scope else {}),
                    **({} if eq.recorded else {"recorded": False}),
                }
                for eq in self.equations
            ],
            "outputs": [v.name for v in self.outputs],
        }

    @staticmethod
    def from_json(data: Any, constants: dict[str, Array]) -> Graph:
        """A verified graph from `to_json` and the arrays of its constants; anything else raises `GraphError`."""
        try:
            return _read(data, constants).verify()
        except GraphError:
            raise
        except RetrogradError as error:
            raise GraphError(f"not a valid graph: {error.message}", hint="save the model again") from None
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            IndexError,
            RecursionError,
            OverflowError,
        ) as error:
            field = (
                f"the field {error} is missing" if isinstance(error, KeyError) else "a field has a wrong kind"
            )
            raise GraphError(f"not a valid graph: {field}", hint="save the model again") from None


def _applied(eq: Equation, env: dict[str, Any]) -> tuple[Any, ...]:
    """The results of an equation as tensors, without a derivative where none was recorded."""
    outer, context.grad_enabled = context.grad_enabled, context.grad_enabled and eq.recorded
    try:
        out = bind(eq.op, *(env[v.name] for v in eq.inputs), **eq.params)
    finally:
        context.grad_enabled = outer
    return (out,) if eq.op.n_outputs == 1 else tuple(out)


def _var(v: Var) -> dict[str, Any]:
    return {"name": v.name, "shape": list(v.type.shape), "dtype": v.type.dtype.name}


def _encode(p: Any) -> Any:
    if isinstance(p, DType):
        return {"dtype": p.name}
    if isinstance(p, tuple | list):
        return [_encode(x) for x in p]
    if p is None or isinstance(p, bool | int | float | str):
        return p
    raise GraphError(
        f"a parameter of type {type(p).__name__} cannot be written",
        hint="op parameters are numbers, strings and tuples",
    )


def _decode(p: Any) -> Any:
    if isinstance(p, dict):
        return dtype_named(str(p["dtype"]))
    if isinstance(p, list):
        return tuple(_decode(x) for x in p)
    if p is None or isinstance(p, bool | int | float | str):
        return p
    raise GraphError(f"a parameter {p!r}", hint="save the model again")


def _read_var(d: Any) -> Var:
    shape = tuple(d["shape"])
    if any(not isinstance(n, int) or isinstance(n, bool) or n < 0 for n in shape):
        raise GraphError(f"shape {shape} of {d['name']!r}", hint="sizes are non-negative integers")
    return Var(str(d["name"]), TensorType(shape, dtype_named(str(d["dtype"]))))


def _read(data: Any, constants: dict[str, Array]) -> Graph:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise GraphError(
            f"graph format {data.get('format') if isinstance(data, dict) else None!r}, expected {FORMAT}",
            hint="save it again",
        )
    inputs = [_read_var(d) for d in data["inputs"]]
    held = [_read_var(d) for d in data["constants"]]
    by_name = {v.name: v for v in (*inputs, *held)}
    equations: list[Equation] = []
    for d in data["equations"]:
        outputs = tuple(_read_var(o) for o in d["outputs"])
        for v in outputs:
            by_name.setdefault(v.name, v)
    for d in data["equations"]:
        op = registry.get(d["op"])
        if op is None:
            raise GraphError(
                f"unknown op {d['op']!r}", hint="the file was written by a newer version, or is damaged"
            )
        missing = [n for n in d["inputs"] if n not in by_name]
        if missing:
            raise GraphError(
                f"op {d['op']!r} uses {missing[0]!r}, which nothing defines", hint="save the model again"
            )
        outputs = tuple(_read_var(o) for o in d["outputs"])
        params = {str(k): _decode(p) for k, p in d["params"].items()}
        equations.append(
            Equation(
                op,
                tuple(by_name[n] for n in d["inputs"]),
                params,
                outputs,
                None,
                str(d.get("scope", "")),
                d.get("recorded", True) is not False,
            )
        )
    absent = [v.name for v in held if v.name not in constants]
    if absent:
        raise GraphError(
            f"the values of {absent[0]!r} are missing", hint="the file is incomplete; save the model again"
        )
    return Graph(
        inputs, {v: constants[v.name] for v in held}, equations, [by_name[n] for n in data["outputs"]]
    )
