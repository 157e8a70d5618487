"""A table of a network's layers: shapes, parameters, connections and the operations that one forward pass takes.

Shapes and operations are read from the traced graph, so they are those of what really runs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, NamedTuple

from ..graph import Equation
from ..ops.matmul import Matmul
from ..tensor import Tensor
from ..trace import trace
from .linear import Linear
from .module import Module


class Row(NamedTuple):
    """One layer.  ``name``: dotted path, "" for the whole; ``output``: shape, or None where it is not one tensor."""

    name: str
    kind: str
    input: tuple[int, ...] | None
    output: tuple[int, ...] | None
    parameters: int
    trainable: int
    connections: int
    multiply_adds: int
    operations: int


class Summary:
    """What `summary` found; printed as a table.  ``rows`` are the layers that compute, in running order."""

    def __init__(self, title: str, rows: list[Row], parameters: int, trainable: int) -> None:
        self.title = title
        self.rows = rows
        self.parameters = parameters
        """Number of parameters; shared ones count once."""
        self.trainable = trainable
        self.connections = sum(row.connections for row in rows)
        """Weights between units of dense layers."""
        self.multiply_adds = sum(row.multiply_adds for row in rows)
        """Multiplications followed by an addition, in matrix products."""
        self.operations = sum(row.operations for row in rows)
        """Numbers computed by all other operations."""

    def __str__(self) -> str:
        head = ("layer", "kind", "output", "parameters", "multiply-adds", "other operations")
        body = [
            (
                r.name or "(itself)",
                r.kind,
                str(r.output or ""),
                f"{r.parameters:,}",
                f"{r.multiply_adds:,}",
                f"{r.operations:,}",
            )
            for r in self.rows
        ]
        total = ("total", "", "", f"{self.parameters:,}", f"{self.multiply_adds:,}", f"{self.operations:,}")
        widths = [max(len(line[i]) for line in [head, *body, total]) for i in range(len(head))]

        def text(line: tuple[str, ...]) -> str:
            cells = [c.ljust(w) if i < 3 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths))]
            return "  ".join(cells).rstrip()

        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        note = f"{self.trainable:,} trainable parameters, {self.connections:,} connections"
        return "\n".join([self.title, text(head), rule, *map(text, body), rule, text(total), note])

    __repr__ = __str__


def multiply_adds(equation: Equation) -> int:
    """Multiply-adds of one op: rows·inner·columns of a matrix product, 0 for anything else."""
    if equation.op is not Matmul:
        return 0
    inner = equation.inputs[0].type.shape[-2 if equation.params["ta"] else -1]
    return math.prod(equation.outputs[0].type.shape) * inner


def operations(equation: Equation) -> int:
    """Numbers computed by one op that is neither a matrix product nor a mere rearrangement."""
    if equation.op is Matmul or equation.op.view:
        return 0
    return max(sum(math.prod(v.type.shape) for v in part) for part in (equation.outputs, equation.inputs))


def summary(module: Module, *inputs: Tensor) -> Summary:
    """Trace ``module`` for inputs of these shapes and count.  Nothing is changed, in training mode neither.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> found = summary(net, rg.zeros(1, 3))
    >>> found.connections, found.parameters, found.multiply_adds
    (20, 26, 20)
    """
    shapes: dict[str, tuple[Any, Any]] = {}
    order: list[str] = []
    handles = []
    for name, part in module.named_modules():

        def note(_: Module, args: Any, output: Any, name: str = name) -> None:
            if name not in shapes:
                order.append(name)
            shapes[name] = (_shape(args[0] if args else None), _shape(output))

        handles.append(part.register_forward_hook(note))
    try:
        graph = trace(module)(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    work: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    root = type(module).__name__
    for equation in graph.equations:
        path = equation.scope.removeprefix(root).removeprefix(".")
        work[path][0] += multiply_adds(equation)
        work[path][1] += operations(equation)
    modules = dict(module.named_modules())
    names = [
        n for n in order if not list(modules[n].children()) or work[n][0] or work[n][1] or _own(modules[n])
    ]
    unused = [n for n, m in modules.items() if n not in shapes and _own(m)]
    rows = [_row(n, modules[n], shapes.get(n, (None, None)), work[n]) for n in names + unused]
    everything = list(module.parameters())
    return Summary(
        root, rows, sum(p.numel() for p in everything), sum(p.numel() for p in everything if p.requires_grad)
    )


def _own(module: Module) -> list[Any]:
    return list(module.parameters(recurse=False))


def _row(name: str, module: Module, shapes: tuple[Any, Any], work: list[int]) -> Row:
    own = _own(module)
    return Row(
        name,
        type(module).__name__,
        *shapes,
        sum(p.numel() for p in own),
        sum(p.numel() for p in own if p.requires_grad),
        module.weight.numel() if isinstance(module, Linear) else 0,
        *work,
    )


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None
