"""Laws about values: `eval` is a pure function of its inputs, of the type that was foretold; bad inputs are refused."""

from __future__ import annotations

import re

import numpy as np

from laws.basis import Array, Broken, apply, close, demand, evaluate, kinds
from retrograd.errors import RetrogradError
from retrograd.functions import create as c
from retrograd.op import Op, Sample, type_of
from retrograd.types import TensorType, dtype_of


def types_are_those_of_the_values(op: type[Op], sample: Sample) -> None:
    """`type` foretells shape and dtype of every result (-1 where only the values decide)."""
    foretold = type_of(op, kinds(sample.inputs), sample.params)
    values = evaluate(op, sample.inputs, sample.params)
    demand(len(foretold) == len(values) == op.n_outputs, op, "type == eval", f"{len(values)} results")
    for t, v in zip(foretold, values, strict=True):
        shape = tuple(
            n if m != -1 or not op.eager_only else -1 for n, m in zip(v.shape, t.shape, strict=False)
        )
        demand(
            len(v.shape) == len(t.shape) and shape == t.shape and dtype_of(v.dtype) is t.dtype,
            op,
            "type == eval",
            f"type foretells {t!r}, eval gives {TensorType(v.shape, dtype_of(v.dtype))!r} for {sample}",
        )


def evaluation_is_pure(op: type[Op], sample: Sample) -> None:
    """`eval` gives the same bits twice, changes no input, and shares memory with one only if it is a view."""
    inputs = [x.copy() for x in sample.inputs]
    first = [v.copy() for v in evaluate(op, inputs, sample.params)]
    second = evaluate(op, inputs, sample.params)
    for x, before in zip(inputs, sample.inputs, strict=True):
        demand(
            np.array_equal(x, before, equal_nan=x.dtype.kind == "f"),
            op,
            "pure",
            f"an input changed: {sample}",
        )
    for a, b in zip(first, second, strict=True):
        demand(a.tobytes() == b.tobytes(), op, "pure", f"two evaluations differ for {sample}")
        shared = any(np.shares_memory(b, x) for x in inputs)
        demand(
            not shared or op.view,
            op,
            "pure",
            f"a result shares memory with an input, but it is no view: {sample}",
        )


def layout_in_memory_does_not_matter(op: type[Op], sample: Sample) -> None:
    """Inputs that lie in memory column by column, or with gaps, give the same values."""
    expected = evaluate(op, sample.inputs, sample.params)
    for arranged in (_by_columns, _with_gaps):
        found = evaluate(op, [arranged(x) for x in sample.inputs], sample.params)
        for a, b in zip(expected, found, strict=True):
            demand(close(a, b, 1e-6 if a.dtype == np.float32 else 1e-13), op, "layout", f"{sample}")


def _by_columns(x: Array) -> Array:
    return x.copy(order="F")


def _with_gaps(x: Array) -> Array:
    if x.ndim == 0:
        return x
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


def float32_is_close_to_float64(op: type[Op], sample: Sample) -> None:
    """Values in float32 agree with those in float64 at the same (rounded) inputs, relative to the largest."""
    if not any(x.dtype.kind == "f" for x in sample.inputs) or sample.kink:
        return
    single = [x.astype(np.float32) if x.dtype.kind == "f" else x for x in sample.inputs]
    double = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in single]
    for a, b in zip(evaluate(op, single, sample.params), evaluate(op, double, sample.params), strict=True):
        if a.dtype.kind != "f":
            demand(a.shape == b.shape, op, "float32", f"shapes differ for {sample}")
            continue
        with np.errstate(over="ignore"):
            demand(close(a, b, 2e-6), op, "float32", f"float32 {a} against float64 {b}")


def bad_inputs_are_refused(op: type[Op], seed: int = 0) -> None:
    """Each bad input raises one of our errors, with the promised message and a hint; none slips through."""
    demand(hasattr(op, "errors"), op, "errors", "it does not say which inputs it refuses")
    for k, bad in enumerate(op.errors(np.random.default_rng(seed))):
        try:
            apply(op, [c.from_array(x) for x in bad.inputs], bad.params)
        except RetrogradError as error:
            demand(re.search(bad.message, error.message), op, "errors", f"bad input {k}: {error.message!r}")
            demand(error.hint, op, "errors", f"bad input {k}: no hint with {error.message!r}")
        except Exception as error:
            raise Broken(f"{op.name} breaks the law 'errors': bad input {k} raises {error!r}") from error
        else:
            raise Broken(f"{op.name} breaks the law 'errors': bad input {k} is accepted: {kinds(bad.inputs)}")
