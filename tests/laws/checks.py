"""The laws that every op obeys, each one a function of an op and a sample; a broken one raises `Broken`.

They ask nothing of an op but what its contract promises, so they serve for an op of one's own as well::

    from laws.checks import check
    check(MyOp)

Derivatives are compared with five-point central differences in float64, entry by entry: the truncation error is of
order h⁴ and the rounding error of order 1e-16/h, so that h = 1e-3 leaves some nine digits.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from retrograd.backward import grad
from retrograd.errors import GradError, RetrogradError
from retrograd.functions import create as c
from retrograd.graph import Graph
from retrograd.op import Op, Sample, bind, kept, type_of
from retrograd.tensor import Tensor
from retrograd.trace import trace
from retrograd.types import TensorType, dtype_of

Array = np.ndarray[Any, Any]

STEP = 1e-3
RELATIVE = 1e-6
"""Bound on the relative error of a derivative, at first and at second order."""
ABSOLUTE = 1e-9


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


# --- values ----------------------------------------------------------------------------------------------------------


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
            demand(_close(a, b, 1e-6 if a.dtype == np.float32 else 1e-13), op, "layout", f"{sample}")


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
            demand(_close(a, b, 2e-6), op, "float32", f"float32 {a} against float64 {b}")


def _close(a: Array, b: Array, relative: float) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        return bool(np.array_equal(a, b))
    with np.errstate(all="ignore"):
        near = np.abs(a.astype(np.float64) - b) <= relative * (np.abs(b) + 1e-3)
    return bool(np.all(near | (a == b) | (np.isnan(a) & np.isnan(b))))


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


# --- derivatives -----------------------------------------------------------------------------------------------------


def central_differences(
    value: Callable[[list[Array]], list[Array]], arrays: list[Array], k: int, w: list[Array]
) -> tuple[Array, Array]:
    """d(Σ w·value)/d(arrays[k]), entry by entry, and how far rounding may have carried each entry.

    Five points: (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h.
    """
    out = np.zeros(arrays[k].shape)
    noise = np.zeros(arrays[k].shape)
    for at in np.ndindex(*out.shape):
        slope, size = 0.0, 0.0
        ends = []
        for steps in (-2, -1, 1, 2):
            moved = [a.copy() if i == k else a for i, a in enumerate(arrays)]
            moved[k][at] += steps * STEP
            ends.append(value(moved))
        for far_below, below, above, far_above, g in zip(*ends, w, strict=True):
            change = (far_below - far_above) + 8.0 * (above - below)
            slope += float(np.sum(g * change)) / (12 * STEP)
            size += float(np.sum(np.abs(g * above)[change != 0]))
        out[at], noise[at] = slope, 2e-12 * size
    return out, noise


def agree(ours: Array, true: Array, noise: Array) -> Array:
    """Which entries agree, relative to their own size."""
    with np.errstate(all="ignore"):
        return np.abs(ours - true) <= RELATIVE * np.maximum(np.abs(true), np.abs(ours)) + ABSOLUTE + noise


def _compare(op: type[Op], law: str, what: str, ours: Array, true: Array, noise: Array) -> None:
    demand(ours.shape == true.shape, op, law, f"{what}: shape {ours.shape} instead of {true.shape}")
    right = agree(ours, true, noise)
    if not np.all(right):
        at = tuple(int(i) for i in np.argwhere(~right)[0])
        raise Broken(
            f"{op.name} breaks the law '{law}': {what}, entry {at}: {ours[at]:.12g}, differences {true[at]:.12g}"
        )


def _gradients(
    op: type[Op], arrays: list[Array], params: dict[str, Any], w: dict[int, Array], positions: Sequence[int]
) -> list[Array]:
    """Σ w·results differentiated by the engine with respect to the inputs at ``positions``."""
    tensors = [c.from_array(a) for a in arrays]
    for k in positions:
        tensors[k].requires_grad_()
    out = apply(op, tensors, params)
    pairs = [(out[k], c.from_array(g)) for k, g in w.items() if out[k].requires_grad]
    if not pairs:
        return [np.zeros(arrays[k].shape) for k in positions]
    found = grad(
        [y for y, _ in pairs], [tensors[k] for k in positions], [g for _, g in pairs], allow_unused=True
    )
    return [
        np.zeros(arrays[k].shape) if g is None else g.numpy() for k, g in zip(positions, found, strict=True)
    ]


def first_derivative(op: type[Op], sample: Sample) -> None:
    """The reverse rule equals central differences of `eval`."""
    positions = differentiable(op, sample)
    if sample.kink or sample.order < 1 or not positions:
        return
    arrays = in_double(sample)
    w = weights(op, arrays, sample.params)

    def value(xs: list[Array]) -> list[Array]:
        results = evaluate(op, xs, sample.params)
        return [results[k] for k in w]

    for k, ours in zip(positions, _gradients(op, arrays, sample.params, w, positions), strict=True):
        true, noise = central_differences(value, arrays, k, list(w.values()))
        _compare(op, "first derivative", f"input {k} of {sample}", ours, true, noise)


def each_cotangent_alone(op: type[Op], sample: Sample) -> None:
    """A cotangent is the same whether the others are wanted or not: `reads` names all that its rule reads."""
    positions = differentiable(op, sample)
    if len(positions) < 2:
        return
    w = weights(op, sample.inputs, sample.params)
    together = _gradients(op, sample.inputs, sample.params, w, positions)
    for k, expected in zip(positions, together, strict=True):
        (alone,) = _gradients(op, sample.inputs, sample.params, w, (k,))
        demand(alone.tobytes() == expected.tobytes(), op, "each cotangent alone", f"input {k} of {sample}")


def second_derivative(op: type[Op], sample: Sample) -> None:
    """The reverse rule, differentiated by the engine, equals central differences of the reverse rule.

    With respect to the inputs, and to the cotangent as well: a rule must be made of ops all the way.
    """
    positions = differentiable(op, sample)
    if sample.kink or sample.order < 2 or not positions:
        return
    arrays = in_double(sample)
    w = weights(op, arrays, sample.params)
    u = [np.random.default_rng(2).normal(size=arrays[k].shape) for k in positions]
    tensors = [c.from_array(a) for a in arrays]
    for k in positions:
        tensors[k].requires_grad_()
    cotangents = {k: c.from_array(g.copy()).requires_grad_() for k, g in w.items()}
    out = apply(op, tensors, sample.params)
    if not any(out[k].requires_grad for k in w):
        return
    leaves = [tensors[k] for k in positions]
    pulled = grad(
        [out[k] for k in w], leaves, list(cotangents.values()), create_graph=True, allow_unused=True
    )
    pairs = [
        (p, c.from_array(v)) for p, v in zip(pulled, u, strict=True) if p is not None and p.requires_grad
    ]
    wanted = [*leaves, *cotangents.values()]
    found: Sequence[Any] = [None] * len(wanted)
    if pairs:
        found = grad([p for p, _ in pairs], wanted, [v for _, v in pairs], allow_unused=True)
    both = [*arrays, *w.values()]
    names = [f"input {k}" for k in positions] + [f"cotangent {k}" for k in w]
    places = [*positions, *range(len(arrays), len(both))]

    def value(xs: list[Array]) -> list[Array]:
        moved = dict(zip(w, xs[len(arrays) :], strict=True))
        return _gradients(op, xs[: len(arrays)], sample.params, moved, positions)

    for name, place, g in zip(names, places, found, strict=True):
        true, noise = central_differences(value, both, place, u)
        ours = np.zeros(true.shape) if g is None else g.numpy()
        _compare(op, "second derivative", f"{name} of {sample}", ours, true, noise)


def pull(op: type[Op], arrays: Sequence[Array], params: dict[str, Any], w: dict[int, Array]) -> list[Any]:
    """`vjp` called by hand, exactly as the engine does: bare types where the rule says that it reads no value."""
    types = kinds(arrays)
    results = evaluate(op, arrays, params)
    out_types = type_of(op, types, params)
    g = tuple(
        c.from_array(w[k]) if k in w else c.from_array(np.zeros(t.shape, t.dtype.numpy))
        for k, t in enumerate(out_types)
    )
    keeps_result, *keeps = kept(op, (True,) * len(arrays))
    y = tuple(c.from_array(v) for v in results) if keeps_result else out_types
    inputs = [c.from_array(a) if keep else t for a, t, keep in zip(arrays, types, keeps, strict=True)]
    single = op.n_outputs == 1
    with np.errstate(all="ignore"):
        pulled = op.vjp(g[0] if single else g, y[0] if single else y, *inputs, **params)
        return [x() if callable(x) else x for x in pulled]


def cotangents_have_the_types_of_the_inputs(op: type[Op], sample: Sample) -> None:
    """One cotangent for each input, of its shape and dtype; None through integers, never zeros."""
    positions = differentiable(op, sample)
    if not positions:
        return
    w = weights(op, sample.inputs, sample.params)
    pulled = pull(op, sample.inputs, sample.params, w)
    law = "cotangent types"
    demand(
        len(pulled) == len(sample.inputs),
        op,
        law,
        f"{len(pulled)} cotangents for {len(sample.inputs)} inputs",
    )
    for k, (p, t) in enumerate(zip(pulled, kinds(sample.inputs), strict=True)):
        if not t.dtype.is_floating_point:
            demand(p is None, op, law, f"input {k} is {t!r}, its cotangent must be None")
        elif p is not None:
            demand(p._type == t, op, law, f"input {k} is {t!r}, its cotangent {p._type!r}, for {sample}")


def reverse_rule_is_linear(op: type[Op], sample: Sample) -> None:
    """vjp(2.5 g - 1.5 h) = 2.5 vjp(g) - 1.5 vjp(h), and vjp(0) = 0."""
    if not differentiable(op, sample):
        return
    arrays = in_double(sample)
    w, v = (weights(op, arrays, sample.params, seed) for seed in (3, 4))
    mixed = {k: np.asarray(2.5 * w[k] - 1.5 * v[k], w[k].dtype) for k in w}
    none = {k: np.zeros_like(w[k]) for k in w}
    pulls = [pull(op, arrays, sample.params, g) for g in (w, v, mixed, none)]
    precise = 1e-6 if any(g.dtype == np.float32 for g in w.values()) else 1e-11
    for k, (a, b, m, zero) in enumerate(zip(*pulls, strict=True)):
        if k not in sample.grad:
            continue
        if a is None:
            demand(m is None, op, "linear in g", f"input {k}: sometimes None")
            continue
        expected = 2.5 * a.numpy() - 1.5 * b.numpy()
        size = np.max(np.abs(expected), initial=0.0)
        gap = np.max(np.abs(m.numpy() - expected), initial=0.0)
        demand(gap <= precise * (size + 1e-2), op, "linear in g", f"input {k} of {sample}: off by {gap:.3g}")
        demand(not zero.numpy().any(), op, "linear in g", f"input {k} of {sample}: vjp(0) is not 0")


def forward_mode_by_transposing(op: type[Op], sample: Sample) -> None:
    """Transposing the reverse rule (it is linear in g) gives the forward derivative: J·t equals differences along t."""
    positions = differentiable(op, sample)
    if sample.kink or sample.order < 1 or not positions:
        return
    arrays = in_double(sample)
    w = weights(op, arrays, sample.params)
    r = np.random.default_rng(5)
    tangents = {k: r.normal(size=arrays[k].shape) for k in positions}
    tensors = [c.from_array(a) for a in arrays]
    for k in positions:
        tensors[k].requires_grad_()
    out = apply(op, tensors, sample.params)
    if not any(out[k].requires_grad for k in w):
        return
    dummies = [c.from_array(g).requires_grad_() for g in w.values()]
    pulled = grad(
        [out[k] for k in w], [tensors[k] for k in positions], dummies, create_graph=True, allow_unused=True
    )
    pairs = [
        (p, c.from_array(tangents[k]))
        for k, p in zip(positions, pulled, strict=True)
        if p is not None and p.requires_grad
    ]
    pushed: Sequence[Any] = [None] * len(dummies)
    if pairs:
        pushed = grad([p for p, _ in pairs], dummies, [t for _, t in pairs], allow_unused=True)
    ends = []
    for steps in (-2, -1, 1, 2):
        moved = [a + steps * STEP * tangents[k] if k in tangents else a for k, a in enumerate(arrays)]
        results = evaluate(op, moved, sample.params)
        ends.append([results[k] for k in w])
    for k, (a, b, d, e), p in zip(w, zip(*ends, strict=True), pushed, strict=True):
        true = ((a - e) + 8.0 * (d - b)) / (12 * STEP)
        ours = np.zeros(true.shape) if p is None else p.numpy()
        _compare(
            op,
            "forward mode",
            f"result {k} of {sample}",
            ours,
            true,
            1e-11 * np.abs(d) + 1e-8 * np.max(np.abs(true), initial=0.0),
        )


def derivatives_at_kinks_are_finite(op: type[Op], sample: Sample) -> None:
    """Where the derivative is a convention, it is a number."""
    if not sample.kink or not op.differentiable:
        return
    w = weights(op, sample.inputs, sample.params)
    for k, p in enumerate(pull(op, sample.inputs, sample.params, w)):
        demand(p is None or np.isfinite(p.numpy()).all(), op, "kinks", f"input {k} of {sample}: not finite")


def saved_values_are_read(op: type[Op], seed: int = 0) -> None:
    """A value that a rule keeps in memory is read by it: spoiling it changes some cotangent, in some sample.

    The other half (a rule reads nothing that it does not keep) needs no check of its own: `pull` hands it bare types.
    """
    if not op.differentiable:
        return
    n = len(samples(op, seed)[0].inputs)
    flags = kept(op, (True,) * n)
    unread = {
        name for name, keep in zip(["result", *(f"input {i}" for i in range(n))], flags, strict=True) if keep
    }
    for sample in samples(op, seed):
        if not sample.grad or any(x.size == 0 for x in sample.inputs):
            continue
        w = weights(op, sample.inputs, sample.params)
        usual = _bits(pull(op, sample.inputs, sample.params, w))
        for name in list(unread):
            if _bits(_pull_spoilt(op, sample, w, name)) != usual:
                unread.discard(name)
    demand(
        not unread,
        op,
        "saved values",
        f"kept but never read: {sorted(unread)}; name the argument with a leading _",
    )


def _bits(pulled: list[Any]) -> list[bytes]:
    return [b"" if p is None else p.numpy().tobytes() for p in pulled]


def _pull_spoilt(op: type[Op], sample: Sample, w: dict[int, Array], name: str) -> list[Any]:
    """`pull` with one kept value replaced by another one."""
    inputs = list(sample.inputs)
    if name.startswith("input"):
        i = int(name.split()[1])
        x = inputs[i]
        other = (
            ~x if x.dtype == bool else (x * 0.37 + 0.11 if x.dtype.kind == "f" else np.where(x > 0, x - 1, x))
        )
        results = evaluate(op, inputs, sample.params)
        inputs[i] = other.astype(x.dtype)
        return _pull_with(op, inputs, results, sample.params, w)
    results = tuple(
        ~v if v.dtype == bool else (1 - v if v.dtype.kind == "f" else np.flip(v))
        for v in evaluate(op, inputs, sample.params)
    )
    return _pull_with(op, inputs, results, sample.params, w)


def _pull_with(
    op: type[Op], inputs: list[Array], results: Sequence[Array], params: dict[str, Any], w: dict[int, Array]
) -> list[Any]:
    class Given(op, register=False):  # type: ignore[misc, valid-type]
        name = op.name

        def eval(*_: Any, **__: Any) -> Any:
            return results[0] if op.n_outputs == 1 else tuple(results)

    return pull(Given, inputs, params, w)


def no_derivative_has_a_reason(op: type[Op], sample: Sample) -> None:
    """An op without a derivative says why, and asking for one gives an error that repeats the reason."""
    if op.differentiable:
        return
    demand(op.why_not, op, "why not", "it has no derivative and does not say why")
    tensors = [c.from_array(x) for x in sample.inputs]
    floating = [t for t in tensors if t.dtype.is_floating_point]
    if not floating or op.n_outputs != 1:
        return
    for t in floating:
        t.requires_grad_()
    (out,) = apply(op, tensors, sample.params)
    try:
        out.backward(c.ones(out.shape).to(out.dtype))
    except GradError as error:
        demand(op.why_not in error.message, op, "why not", f"the error does not say it: {error.message!r}")
    else:
        raise Broken(f"{op.name} breaks the law 'why not': backward was accepted")


# --- other readings --------------------------------------------------------------------------------------------------


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
                found.dtype == expected.dtype and _close(found, expected, precise),
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


LAWS: tuple[Callable[[type[Op], Sample], None], ...] = (
    types_are_those_of_the_values,
    evaluation_is_pure,
    layout_in_memory_does_not_matter,
    float32_is_close_to_float64,
    cotangents_have_the_types_of_the_inputs,
    first_derivative,
    each_cotangent_alone,
    second_derivative,
    reverse_rule_is_linear,
    forward_mode_by_transposing,
    derivatives_at_kinks_are_finite,
    no_derivative_has_a_reason,
    batching_is_stacking,
    tracing_gives_the_same_bits,
)
"""Laws about an op and one of its samples."""

LAWS_OF_THE_OP: tuple[Callable[[type[Op]], None], ...] = (bad_inputs_are_refused, saved_values_are_read)
"""Laws about an op as a whole."""


def violations(op: type[Op], seed: int = 0) -> Iterator[str]:
    """Every law that the op breaks, in words; an exception inside a rule counts as well."""
    try:
        chosen = samples(op, seed)
    except Broken as error:
        yield str(error)
        return
    cases: list[tuple[str, Callable[[], None]]] = [
        (law.__name__, lambda law=law, sample=sample: law(op, sample)) for law in LAWS for sample in chosen
    ]
    cases += [(law.__name__, lambda law=law: law(op)) for law in LAWS_OF_THE_OP]
    for name, case in cases:
        try:
            case()
        except Broken as error:
            yield str(error)
        except Exception as error:
            yield f"{op.name} breaks the law '{name}': it raises {type(error).__name__}: {error}"


def check(op: type[Op], seed: int = 0) -> None:
    """Raise `Broken` with the first law that the op does not obey."""
    for message in violations(op, seed):
        raise Broken(message)
