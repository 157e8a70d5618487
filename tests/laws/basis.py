"""What the laws stand on: an op's samples, its values by `eval` and by `bind`, and `Broken` for a broken law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.op import Op, Sample, bind, type_of
from retrograd.tensor import Tensor
from retrograd.types import TensorType, dtype_of

Array = np.ndarray[Any, Any]


class Broken(AssertionError):
    """A law that an op does not obey."""


def demand(holds: Any, op: type[Op], law: str, message: str) -> None:
    if not holds:
        raise Broken(f"{op.name} breaks the law '{law}': {message}")


def samples(op: type[Op], seed: int = 0) -> list[Sample]:
    """The op's own samples; an op without any breaks a law."""
    found = list(op.samples(np.random.default_rng(seed))) if hasattr(op, "samples") else []
    demand(found, op, "samples", "it gives no samples to test it on")
    return found


def kinds(arrays: Sequence[Array]) -> list[TensorType]:
    return [TensorType(a.shape, dtype_of(a.dtype)) for a in arrays]


def evaluate(op: type[Op], arrays: Sequence[Array], params: dict[str, Any]) -> tuple[Array, ...]:
    """The results of `eval`, always as a tuple."""
    with np.errstate(all="ignore"):
        values = op.eval(*arrays, **params)
    return tuple(np.asarray(v) for v in ((values,) if op.n_outputs == 1 else values))


def apply(op: type[Op], tensors: Sequence[Tensor], params: dict[str, Any]) -> tuple[Tensor, ...]:
    """The results of `bind`, always as a tuple."""
    out = bind(op, *tensors, **params)
    return (out,) if op.n_outputs == 1 else tuple(out)


def in_double(sample: Sample) -> list[Array]:
    """The inputs with float32 made float64: derivatives are judged there."""
    return [x.astype(np.float64) if x.dtype.kind == "f" else x for x in sample.inputs]


def weights(op: type[Op], arrays: Sequence[Array], params: dict[str, Any], seed: int = 1) -> dict[int, Array]:
    """A fixed random cotangent for each floating result, by its position."""
    r = np.random.default_rng(seed)
    types = type_of(op, kinds(arrays), params)
    return {
        k: r.normal(size=t.shape).astype(t.dtype.numpy)
        for k, t in enumerate(types)
        if t.dtype.is_floating_point
    }


def differentiable(op: type[Op], sample: Sample) -> tuple[int, ...]:
    """Positions of the inputs whose derivative a sample stands for."""
    return sample.grad if op.differentiable else ()


def close(a: Array, b: Array, relative: float) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    with np.errstate(all="ignore"):
        near = np.abs(a.astype(np.float64) - b) <= relative * (np.abs(b) + 1e-3)
    return bool(np.all(near | (a == b) | (np.isnan(a) & np.isnan(b))))
