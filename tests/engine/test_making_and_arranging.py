"""Tensors from numbers, and functions that pad, join, turn and split: against NumPy, and at their edges."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from retrograd.errors import RetrogradError

torch = pytest.importorskip("torch")
from engine.both import both  # noqa: E402

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["constant", *MODES]))
def test_padding_is_numpys(seed: int, mode: str) -> None:
    """Up to three dimensions behind two others, as much as each mode allows; the gradient adds up where it was read."""
    r = np.random.default_rng(seed)
    count = int(r.integers(1, 4))
    x = r.normal(size=(2, 1, *r.integers(2, 5, count)))
    most = [n - (mode == "reflect") for n in x.shape[2:]]
    widths = [(int(r.integers(0, m + 1)), int(r.integers(0, m + 1))) for m in most]
    flat = [w for pair in reversed(widths) for w in pair]
    t = rg.tensor(x, requires_grad=True)
    if mode == "constant":
        out = rg.nn.functional.pad(t, flat, value=2.5)
        expected = np.pad(x, [(0, 0), (0, 0), *widths], constant_values=2.5)
    else:
        out = rg.nn.functional.pad(t, flat, mode=mode)
        expected = np.pad(x, [(0, 0), (0, 0), *widths], mode=MODES[mode])  # type: ignore[call-overload]
    assert np.array_equal(out.detach().numpy(), expected)
    weight = rg.tensor(r.normal(size=expected.shape))
    (out * weight).sum().backward()
    # A linear function: <pad(x), w> - <pad(0), w> = <x, gradient>.
    blank = rg.nn.functional.pad(rg.zeros_like(t), flat, mode=mode, value=2.5 if mode == "constant" else None)
    assert ((out - blank) * weight).sum().item() == pytest.approx((t * t.grad).sum().item(), abs=1e-9)


PADS: dict[str, tuple[tuple[int, ...], Callable[[Any, Any], Any]]] = {
    "crop and pad": ((3, 4), lambda m, x: m.nn.functional.pad(x, (-1, 2, 1, -2), value=9.0)),
    "crop all": ((3, 4), lambda m, x: m.nn.functional.pad(x, (-2, -2))),
    "crop and reflect": ((1, 5), lambda m, x: m.nn.functional.pad(x, (-1, 2), mode="reflect")),
    "crop and wrap": ((1, 2, 5), lambda m, x: m.nn.functional.pad(x, (3, -2), mode="circular")),
    "bools": ((2, 2), lambda m, x: m.nn.functional.pad(x > 0, (1, 1), value=True)),
    "nothing": ((2, 2), lambda m, x: m.nn.functional.pad(x, ())),
    # refused by both
    "reflect too far": ((1, 4), lambda m, x: m.nn.functional.pad(x, (4, 0), mode="reflect")),
    "wrap too far": ((1, 4), lambda m, x: m.nn.functional.pad(x, (5, 0), mode="circular")),
    "crop too much": ((1, 4), lambda m, x: m.nn.functional.pad(x, (-3, -2))),
    "odd": ((1, 4), lambda m, x: m.nn.functional.pad(x, (1, 2, 3))),
    "too many": ((4,), lambda m, x: m.nn.functional.pad(x, (1, 2, 3, 4))),
    "a vector reflected": ((4,), lambda m, x: m.nn.functional.pad(x, (1, 1), mode="reflect")),
    "unknown mode": ((1, 4), lambda m, x: m.nn.functional.pad(x, (1, 1), mode="mirror")),
    "value and mode": ((1, 4), lambda m, x: m.nn.functional.pad(x, (1, 1), mode="reflect", value=1.0)),
    "empty replicated": ((1, 0), lambda m, x: m.nn.functional.pad(x, (1, 1), mode="replicate")),
}


@pytest.mark.parametrize("name", PADS)
def test_pad(name: str) -> None:
    shape, fn = PADS[name]
    both(fn, np.random.default_rng(0).normal(size=shape))


def test_joining_is_numpys() -> None:
    r = np.random.default_rng(0)
    a, b, c = r.normal(size=3), r.normal(size=3), r.normal(size=(3, 2))
    t = lambda *xs: [rg.tensor(x) for x in xs]  # noqa: E731
    for mine, other, arrays in (
        (rg.hstack, np.hstack, (a, b)),
        (rg.vstack, np.vstack, (a, b)),
        (rg.dstack, np.dstack, (a, b)),
        (rg.column_stack, np.column_stack, (a, c)),
        (rg.hstack, np.hstack, (c, c)),
    ):
        assert np.array_equal(mine(t(*arrays)).numpy(), other(arrays))
    for indexing in ("ij", "xy"):
        for mine, other in zip(
            rg.meshgrid(*t(a, b), indexing=indexing), np.meshgrid(a, b, indexing=indexing), strict=True
        ):
            assert np.array_equal(mine.numpy(), other)
    assert rg.block_diag(rg.ones(2), rg.tensor(3), rg.zeros(0, 1)).tolist() == [[1, 1, 0, 0], [0, 0, 3, 0]]
    assert rg.cat([rg.tensor([True]), rg.tensor([2], dtype=rg.uint8), rg.tensor([0.5])]).dtype is rg.float32


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_turning_is_numpys(seed: int) -> None:
    r = np.random.default_rng(seed)
    x = r.normal(size=tuple(r.integers(1, 5, r.integers(2, 4))))
    t, k = rg.tensor(x), int(r.integers(-5, 6))
    a, b = r.permutation(x.ndim)[:2].tolist()
    assert np.array_equal(t.rot90(k, (a, b)).numpy(), np.rot90(x, k, (a, b)))
    assert np.array_equal(t.roll((k, 1), (a, b)).numpy(), np.roll(x, (k, 1), (a, b)))
    assert np.array_equal(t.roll(k).numpy(), np.roll(x, k))
    assert np.array_equal(t.flip(a, b).numpy(), np.flip(x, (a, b)))
    assert np.array_equal(t.movedim(a, b).numpy(), np.moveaxis(x, a, b))
    n = int(r.integers(1, 6))
    for mine, other in zip(t.tensor_split(n, a), np.array_split(x, n, a), strict=True):
        assert np.array_equal(mine.numpy(), other)
    times = r.integers(0, 4, x.shape[a])
    assert np.array_equal(t.repeat_interleave(rg.tensor(times), a).numpy(), np.repeat(x, times, a))
    assert np.array_equal(t.diagonal(k, a, b).numpy(), np.diagonal(x, k, a, b))
    window = int(r.integers(1, x.shape[a] + 1))
    sliding = np.lib.stride_tricks.sliding_window_view(x, window, a)
    assert np.array_equal(t.unfold(a, window, 1).numpy(), sliding)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_what_is_taken_apart_can_be_put_together(seed: int) -> None:
    r = np.random.default_rng(seed)
    x = rg.tensor(r.normal(size=tuple(r.integers(0, 5, r.integers(1, 4)))))
    d = int(r.integers(x.ndim))
    n = int(r.integers(1, 6))
    for pieces in (x.chunk(n, d), x.split(n, d), x.tensor_split(n, d), x.unsafe_split(n, d)):
        assert rg.cat(list(pieces), d).tolist() == x.tolist()
    if x.shape[d]:
        assert rg.stack(list(x.unbind(d)), d).tolist() == x.tolist()
    assert x.movedim(d, -1).movedim(-1, d).tolist() == x.tolist()
    assert x.flip(d).flip(d).tolist() == x.tolist()
    assert x.roll(n, d).roll(-n, d).tolist() == x.tolist()
    assert x.diag_embed(n).diagonal(n, -2, -1).tolist() == x.tolist()
    assert (
        (x.unsqueeze(0).tril() + x.unsqueeze(0).triu(1)).tolist() == x.unsqueeze(0).tolist()
        if x.ndim > 1
        else True
    )


# --- creation --------------------------------------------------------------------------------------------------------

MADE: dict[str, Callable[[Any], Any]] = {
    "sizes by keyword": lambda m: m.zeros(size=(2, 3)),
    "no sizes": lambda m: m.ones(()),
    "full of a tensor": lambda m: m.full((2,), m.tensor(3)),
    "full wraps": lambda m: m.full((2,), -1, dtype=m.uint8),
    "arange of a tensor": lambda m: m.arange(m.tensor(4)),
    "arange of bools": lambda m: m.arange(True),
    "arange by halves": lambda m: m.arange(0, 2, 0.5),
    "arange of integers by halves": lambda m: m.arange(0, 3, 1.5, dtype=m.int64),
    "arange by keyword": lambda m: m.arange(start=1, end=4),
    "linspace of integers": lambda m: m.linspace(0, 10, 4, dtype=m.int64),
    "linspace between tensors": lambda m: m.linspace(m.tensor(1.0), m.tensor(2.0), 3),
    "logspace of base 2": lambda m: m.logspace(0, 4, 5, base=2),
    "eye with a gradient": lambda m: m.eye(2, requires_grad=True),
    "tensor of float64 tensors": lambda m: m.tensor([m.tensor(1.0, dtype=m.float64)]),
    "tensor of rows of tensors": lambda m: m.tensor([[m.tensor(1), m.tensor(2)], [m.tensor(3), m.tensor(4)]]),
    "asarray": lambda m: m.asarray([1.5, 2]),
    "as_tensor of another dtype": lambda m: m.as_tensor(m.ones(2), dtype=m.int64),
    "from_numpy": lambda m: m.from_numpy(np.arange(3, dtype="int32")),
    "scalar_tensor": lambda m: m.scalar_tensor(3),
    "empty": lambda m: m.empty(0, 3),
    "tril_indices": lambda m: m.tril_indices(3, 2, -1),
    "triu_indices": lambda m: m.triu_indices(2, 4, 1, dtype=m.int32),
    "hann_window": lambda m: m.hann_window(5, dtype=m.float64),
    "kaiser_window": lambda m: m.kaiser_window(6, False, 8.0, dtype=m.float64),
    # refused by both
    "tensor too large": lambda m: m.tensor(300, dtype=m.uint8),
    "list too large": lambda m: m.tensor([1, 300], dtype=m.uint8),
    "beyond int64": lambda m: m.tensor(2**63),
    "list beyond int64": lambda m: m.tensor([2**63]),
    "negative size": lambda m: m.zeros(2, -1),
    "size of a float": lambda m: m.ones(2.0),
    "eye of less": lambda m: m.eye(-1),
    "arange the wrong way": lambda m: m.arange(3, 0),
    "arange by nothing": lambda m: m.arange(0, 3, 0),
    "arange to infinity": lambda m: m.arange(0, float("inf")),
    "linspace of less": lambda m: m.linspace(0, 1, -1),
    "linspace of vectors": lambda m: m.linspace(m.ones(2), 1, 3),
    "integers with a gradient": lambda m: m.zeros(2, dtype=m.int64, requires_grad=True),
    "another device": lambda m: m.zeros(2, device="nowhere"),
    "from_numpy of a list": lambda m: m.from_numpy([1, 2]),
    "from_numpy of text": lambda m: m.from_numpy(np.array(["a"])),
}


@pytest.mark.parametrize("name", MADE)
def test_made(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both(lambda m: MADE[name](m))


def test_memory_is_shared_where_it_is_said() -> None:
    array = np.arange(3.0)
    shared = [rg.from_numpy(array), rg.as_tensor(array), rg.asarray(array), rg.asarray(array, copy=False)]
    apart = [rg.tensor(array), rg.asarray(array, copy=True), rg.as_tensor(array, dtype=rg.float32)]
    array[0] = 7.0
    assert [t[0].item() for t in shared] == [7.0] * 4
    assert [t[0].item() for t in apart] == [0.0] * 3
    t = rg.ones(2)
    assert rg.as_tensor(t) is t
    assert rg.asarray(t, requires_grad=True).requires_grad
    with pytest.raises(RetrogradError, match="must copy"):
        rg.asarray([1.0], copy=False)


def test_spaced_numbers_end_where_they_are_told_to() -> None:
    """Counted from both ends: the last number is the end itself, and the middle is symmetric."""
    for n in (2, 3, 10, 101):
        x = rg.linspace(-0.3, 0.3, n, dtype=rg.float64).numpy()
        assert x[0] == -0.3
        assert x[-1] == 0.3
        assert np.array_equal(x, -x[::-1])
