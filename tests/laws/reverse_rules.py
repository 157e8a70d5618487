"""Laws about the reverse rule itself: types of its cotangents, linearity, kinks, what it saves, why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from laws.basis import (
    Array,
    Broken,
    apply,
    demand,
    differentiable,
    evaluate,
    in_double,
    kinds,
    samples,
    weights,
)
from retrograd.errors import GradError
from retrograd.functions import create as c
from retrograd.op import Op, Sample, kept, type_of


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
        return [_made(x) for x in pulled]


def _made(cotangent: Any) -> Any:
    """A cotangent; one that is refused when somebody wants it counts as none."""
    try:
        return cotangent() if callable(cotangent) else cotangent
    except GradError:
        return None


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
