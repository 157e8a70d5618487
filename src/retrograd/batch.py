"""Vectorising: the same graph with one more leading axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .errors import ShapeError
from .functions import shape as s
from .graph import Graph
from .op import bind, make_tensor
from .tensor import Tensor
from .trace import trace
from .types import TensorType

__all__ = ["apply_batched", "vmap"]


def apply_batched(graph: Graph, tensors: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """The outputs of ``graph`` for inputs with a leading batch axis where ``batched`` says so; every output gets one.

    Each op is applied once, by its own batching rule; what does not depend on a batched input is computed once.
    """
    env: dict[str, tuple[Any, bool]] = {
        v.name: (t, b) for v, t, b in zip(graph.inputs, tensors, batched, strict=True)
    }
    n = next((t.shape[0] for t, b in zip(tensors, batched, strict=True) if b), None)
    if n is None:
        raise ShapeError("no input has a batch axis", hint="at least one entry of in_dims must not be None")
    env |= {v.name: (graph.held(v), False) for v in graph.captured}
    for eq in graph.equations:
        values = [env[v.name][0] for v in eq.inputs]
        flags = tuple(env[v.name][1] for v in eq.inputs)
        out = eq.op.batch(flags, *values, **eq.params) if any(flags) else bind(eq.op, *values, **eq.params)
        for v, t in zip(eq.outputs, (out,) if eq.op.n_outputs == 1 else out, strict=True):
            env[v.name] = (t, any(flags))
    results = []
    for v in graph.outputs:
        t, has = env[v.name]
        results.append(t if has else s.broadcast_to(t, (n, *t.shape)))
    return results


def vmap(fn: Callable[..., Any], in_dims: Any = 0, out_dims: int = 0) -> Callable[..., Any]:
    """``fn`` on one example, applied to a whole batch at once.

    ``in_dims``: the batch dimension of each argument (None: not batched).  ``fn`` is traced on one example's types, and
    each op of the graph is applied to the batch by its batching rule; gradients pass through.

    >>> import retrograd as rg
    >>> rg.vmap(lambda a, b: (a * b).sum())(rg.ones(4, 3), rg.ones(4, 3)).shape
    (4,)
    """

    def mapped(*args: Any) -> Any:
        dims = (in_dims,) * len(args) if in_dims is None or isinstance(in_dims, int) else tuple(in_dims)
        if len(dims) != len(args):
            raise ShapeError(
                f"in_dims has {len(dims)} entries for {len(args)} arguments", hint="one entry per argument"
            )
        tensors = [a if d in (None, 0) else s.movedim(a, d, 0) for a, d in zip(args, dims, strict=True)]
        examples = [
            t if d is None else make_tensor(None, TensorType(tuple(t.shape[1:]), t.dtype))
            for t, d in zip(tensors, dims, strict=True)
        ]
        structure: list[Any] = []

        def noted(*xs: Any) -> Any:
            structure.append(fn(*xs))
            return structure[0]

        graph = trace(noted)(*examples)
        results = apply_batched(graph, tensors, [d is not None for d in dims])
        if out_dims:
            results = [s.movedim(t, 0, out_dims) for t in results]
        return results[0] if isinstance(structure[0], Tensor) else type(structure[0])(results)

    return mapped
