"""The chain rule, spelled out: the local derivatives along every path from a value back to a tensor.

dy/dx = Σ over paths of Π over steps of (local derivative).  The engine never lists paths (there can be exponentially
many); this reading does, for small graphs and for people who want to see why a gradient is what it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .errors import GradError, describe
from .functions.create import from_array
from .grad import Node
from .tensor import Tensor
from .types import size

__all__ = ["Path", "Step", "path_factors", "print_paths"]

LARGEST = 256
"""Most elements of a value on a path: the local derivatives are written out as matrices."""
MOST_PATHS = 1000


class Step(NamedTuple):
    """One op on a path: its name, the user's line, and d(result)/d(input) as a matrix (result size, input size)."""

    op: str
    where: str | None
    factor: np.ndarray[Any, Any]


class Path(NamedTuple):
    """The steps from the result back to the tensor, in that order."""

    steps: tuple[Step, ...]

    @property
    def product(self) -> np.ndarray[Any, Any]:
        """What this path contributes to the derivative: the matrix product of its factors."""
        out = self.steps[0].factor
        for step in self.steps[1:]:
            out = out @ step.factor
        return out

    def __str__(self) -> str:
        numbers = all(step.factor.size == 1 for step in self.steps)
        factors = [
            f"{float(s.factor.item()):.6g} ({s.op})" if numbers else f"{s.op}{list(s.factor.shape)}"
            for s in self.steps
        ]
        total = (
            f"{self.product.item():.6g}"
            if self.product.size == 1
            else np.array2string(self.product, precision=4)
        )
        return " * ".join(factors) + f" = {total}"


def path_factors(result: Tensor, tensor: Tensor) -> list[Path]:
    """Every path from ``result`` back to ``tensor``, with its factors; their products add up to d(result)/d(tensor).

    To be called before `backward`, which frees what the factors are made of.

    >>> import retrograd as rg
    >>> x = rg.tensor(2.0, requires_grad=True)
    >>> for path in path_factors((x * x).sin(), x):
    ...     print(path)
    -0.653644 (sin) * 2 (mul) = -1.30729
    -0.653644 (sin) * 2 (mul) = -1.30729
    """
    if not result.requires_grad or not tensor.requires_grad:
        raise GradError(
            "there is no path: one of the two requires no gradient", hint="make x with requires_grad=True"
        )
    goal = tensor.grad_fn if tensor.grad_fn is not None else tensor
    start = result.grad_fn
    if start is None or start is goal:
        raise GradError(
            "the value and the tensor are one and the same", hint="pass a value computed from the tensor"
        )
    found: list[Path] = []
    known: dict[tuple[int, int], list[Any]] = {}
    open_paths: list[tuple[Node, int, tuple[Step, ...]]] = [(start, result._slot, ())]
    while open_paths:
        node, slot, steps = open_paths.pop()
        if (id(node), slot) not in known:
            known[id(node), slot] = _local_derivatives(node, slot)
        for i in reversed(range(len(node.targets))):
            target, factor = node.targets[i], known[id(node), slot][i]
            if target is None or factor is None:
                continue
            longer = (*steps, Step(node.op.name, describe(node.place), factor))
            if target is goal and (not isinstance(target, Node) or node.slots[i] == tensor._slot):
                found.append(Path(longer))
            elif isinstance(target, Node):
                open_paths.append((target, node.slots[i], longer))
        if len(found) + len(open_paths) > MOST_PATHS:
            raise GradError(
                f"more than {MOST_PATHS} paths", hint="ask for a shorter piece of the computation"
            )
    return found


def _local_derivatives(node: Node, slot: int) -> list[Any]:
    """d(result ``slot``)/d(input i) for each input, as matrices, row by row from unit cotangents."""
    kind = node.output_types[slot]
    n = size(kind.shape)
    if max([n, *(size(t.shape) for t in node.input_types)]) > LARGEST:
        raise GradError(
            f"{node.op.name} on a path has more than {LARGEST} elements", hint="ask for a smaller example"
        )
    rows: list[list[Any]] = [[] for _ in node.targets]
    for k in range(n):
        cotangents = [from_array(np.zeros(t.shape, t.dtype.numpy)) for t in node.output_types]
        cotangents[slot]._value.reshape(-1)[k] = 1
        for i, pulled in enumerate(node.pull(cotangents, False)):
            if node.targets[i] is None or pulled is None:
                continue
            row: Any = pulled() if callable(pulled) else pulled
            if row is not None:
                rows[i].append(row.numpy().reshape(-1))
    return [np.array(r) if r else None for r in rows]


def print_paths(result: Tensor, tensor: Tensor) -> None:
    """Print the factors of every path and their sum.

    >>> import retrograd as rg
    >>> x = rg.tensor(3.0, requires_grad=True)
    >>> print_paths(x * x + 5 * x, x)
    1 (add) * 3 (mul) = 3
    1 (add) * 3 (mul) = 3
    1 (add) * 5 (mul) = 5
    sum of 3 paths = 11
    """
    paths = path_factors(result, tensor)
    for path in paths:
        print(path)
    total = np.sum([path.product for path in paths], axis=0)
    text = f"{total.item():.6g}" if np.size(total) == 1 else np.array2string(np.asarray(total), precision=4)
    print(f"sum of {len(paths)} paths = {text}")
