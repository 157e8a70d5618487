"""Laws about derivatives: the engine's, at first and second order and forward, equal central differences.

Five points in float64, entry by entry: the truncation error is of order h⁴ and the rounding error of order 1e-16/h, so
that h = 1e-3 leaves some nine digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from laws.basis import Array, Broken, apply, demand, differentiable, evaluate, in_double, weights
from retrograd.backward import grad
from retrograd.functions import create as c
from retrograd.op import Op, Sample

STEP = 1e-3
RELATIVE = 1e-6
"""Bound on the relative error of a derivative, at first and at second order."""
ABSOLUTE = 1e-9


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
