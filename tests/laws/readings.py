"""Laws about other readings of an op: batched it is stacked, and traced it gives the same bits."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from laws.basis import Array, Broken, apply, close, demand, differentiable, evaluate, weights
from retrograd.backward import grad
from retrograd.errors import RetrogradError
from retrograd.functions import create as c
from retrograd.graph import Graph
from retrograd.op import Op, Sample, bind
from retrograd.tensor import Tensor
from retrograd.trace import trace


def batching_is_stacking(op: type[Op], sample: Sample) -> None:
    """`batch` on three examples equals three evaluations, whichever of the inputs have a batch axis."""
    examples = [[_variant(x, k) for x in sample.inputs] for k in range(3)]
    n = len(sample.inputs)
    for flags in itertools.product((False, True), repeat=n):
        if not any(flags):
            continue
        stacked = [np.stack([e[i] for e in examples]) if flags[i] else sample.inputs[i] for i in range(n)]
        tensors = [c.from_array(x) for x in stacked]
        try:
            out = op.batch(flags, *tensors, **sample.params)
        except RetrogradError as error:
            demand(op.eager_only and error.hint, op, "batch", f"refused: {error}")
            continue
        results = (out,) if op.n_outputs == 1 else tuple(out)
        each = [
            evaluate(op, [e[i] if flags[i] else sample.inputs[i] for i in range(n)], sample.params)
            for e in examples
        ]
        for k, t in enumerate(results):
            expected = np.stack([values[k] for values in each])
            found = t.detach().numpy()
            precise = 1e-5 if expected.dtype == np.float32 else 1e-12
            demand(
                found.dtype == expected.dtype and close(found, expected, precise),
                op,
                "batch",
                f"batched={flags}, result {k} of {sample}: {found.shape} {found.dtype} against {expected.shape}",
            )


def _variant(x: Array, k: int) -> Array:
    """Another input of the same kind: the same entries, moved on by k places."""
    return np.roll(x.reshape(-1), k).reshape(x.shape)


def staged(op: type[Op], sample: Sample) -> Graph:
    """The graph of the op alone."""
    return trace(lambda *xs: bind(op, *xs, **sample.params))(*(c.from_array(x) for x in sample.inputs))


def tracing_gives_the_same_bits(op: type[Op], sample: Sample) -> None:
    """Staged, evaluated, written as JSON, read, evaluated: bit for bit the eager values, and gradients too."""
    if op.eager_only:
        try:
            staged(op, sample)
        except RetrogradError as error:
            demand(error.hint, op, "trace", "refused without a hint")
            return
        raise Broken(f"{op.name} breaks the law 'trace': it is eager only, but was staged")
    eager = [t.numpy() for t in apply(op, [c.from_array(x) for x in sample.inputs], sample.params)]
    graph = staged(op, sample)
    readings = [
        graph.evaluate(*sample.inputs),
        [t.numpy() for t in graph.apply(*(c.from_array(x) for x in sample.inputs))],
    ]
    if op.name in _registered():
        readings.append(Graph.from_json(graph.to_json(), graph.constants).evaluate(*sample.inputs))
    for values in readings:
        for a, b in zip(eager, values, strict=True):
            same = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
            demand(same, op, "trace", f"{sample}: traced values differ from eager ones")
    positions = differentiable(op, sample)
    if not positions:
        return
    w = weights(op, sample.inputs, sample.params)

    def gradient(*xs: Any) -> Any:
        out = apply(op, xs, sample.params)
        pairs = [(out[k], c.from_array(g)) for k, g in w.items() if out[k].requires_grad]
        if not pairs:
            return ()
        found = grad(
            [y for y, _ in pairs], [xs[k] for k in positions], [g for _, g in pairs], allow_unused=True
        )
        return tuple(g for g in found if g is not None)

    def leaves() -> list[Tensor]:
        tensors = [c.from_array(x) for x in sample.inputs]
        for k in positions:
            tensors[k].requires_grad_()
        return tensors

    eager = [g.numpy() for g in gradient(*leaves())]
    for a, b in zip(eager, trace(gradient)(*leaves()).evaluate(*sample.inputs), strict=True):
        demand(
            a.tobytes() == np.asarray(b).tobytes(),
            op,
            "trace",
            f"{sample}: gradients differ from eager ones",
        )


def _registered() -> dict[str, Any]:
    from retrograd.op import registry

    return registry
