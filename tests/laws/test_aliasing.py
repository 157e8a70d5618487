"""Which results share memory with which, and who sees a write: as in PyTorch, for chains of views made at random."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from laws.programs import attempt, environment, tensors, torch, view
from retrograd.errors import GradError


@st.composite
def chains(draw: st.DrawFn) -> list[str]:
    """A base, now and then transposed in memory, and views of it and of each other, as lines of Python."""
    base = draw(
        st.sampled_from(
            ["plain(3, 4)", "plain(2, 3, 2)", "plain(4)", "plain(2, 1, 3)", "plain()", "plain(0, 3)"]
        )
    )
    lines = [f"x0 = {base}"]
    if draw(st.booleans()):
        lines = [
            f"y = {base}",
            f"x0 = {draw(st.sampled_from(['y.T', 'y[..., ::2]', 'y.clone()', 'y.unsqueeze(1)']))}",
        ]
    names = environment(torch)
    for line in lines:
        if attempt(line, names) is not None:  # a number has no last dimension
            lines[-1] = "x0 = y"
            attempt("x0 = y", names)
    for k in range(1, draw(st.integers(3, 7))):
        known = tensors(names)
        name = draw(st.sampled_from(list(known)))
        line = f"x{k} = {view(draw, name, known[name], names)}"
        if attempt(line, names) is not None:
            line = f"x{k} = {name}[...]"
            attempt(line, names)
        lines.append(line)
    return lines


def place(t: Any) -> tuple[tuple[int, ...], bool]:
    """Steps in memory, in elements, along the dimensions that have several entries; and whether rows follow rows."""
    array = t.detach().numpy()
    return tuple(
        s // array.itemsize for s, n in zip(array.strides, array.shape, strict=True) if n > 1
    ), t.is_contiguous()


def check(lines: list[str]) -> None:
    ours, theirs = environment(rg), environment(torch)
    told = "\n".join(lines)
    for line in lines:
        refusals = [attempt(line, names) for names in (theirs, ours)]
        assert (refusals[0] is None) == (refusals[1] is None), f"{refusals}\n{told}"
    mine, others = tensors(ours), tensors(theirs)
    for name, t in others.items():
        assert tuple(mine[name].shape) == tuple(t.shape), f"{name} of\n{told}"
        if t.numel():
            assert place(mine[name]) == place(t), f"{name}: {place(mine[name])}, PyTorch {place(t)}\n{told}"
    for a, b in itertools.combinations(others, 2):
        shared = [np.shares_memory(p[a].numpy(), p[b].numpy()) for p in (mine, others)]
        assert shared[0] == shared[1], f"{a} and {b} share memory: {shared[0]}, PyTorch {shared[1]}\n{told}"
    for k, name in enumerate(others):
        for p in (mine, others):
            p[name].fill_(10.0 + k)
        for other, t in others.items():
            assert np.array_equal(mine[other].numpy(), t.numpy()), (
                f"{other} after {name}.fill_({10 + k})\n{told}"
            )


@settings(max_examples=200)
@given(chains())
def test_views_share_memory_as_in_pytorch(lines: list[str]) -> None:
    check(lines)


@pytest.mark.slow
@settings(max_examples=1000)
@given(chains())
def test_views_share_memory_as_in_pytorch_at_length(lines: list[str]) -> None:
    check(lines)


@pytest.mark.parametrize("cut", ["detach()", "data", "detach().detach()", "data[0:1].detach()"])
def test_an_expanded_tensor_that_is_detached_is_filled_as_in_pytorch(cut: str) -> None:
    """What is expanded from one place and then cut off from its base is memory like any other."""
    for m in (rg, torch):
        x = m.zeros(4)
        y = eval(f"x.select(0, 0).broadcast_to((2,)).{cut}", {"x": x})
        y.fill_(3.0)
        assert x.tolist() == [3.0, 0.0, 0.0, 0.0]
        with pytest.raises((GradError, RuntimeError), match=r"one memory|single memory"):
            y.expand(2).mul_(2.0)


def test_an_array_that_numpy_protects_is_not_written_to() -> None:
    x = rg.from_numpy(np.broadcast_to(np.zeros(3), (2, 3)))
    for y in (x, x.detach(), x[0].detach(), x.data):
        with pytest.raises(GradError, match="memory"):
            y.fill_(1.0)


@given(st.integers(1, 5), st.integers(0, 3), st.sampled_from(["copy_", "add_", "mul_", "set", "index"]))
def test_a_value_that_overlaps_its_target_is_read_first(n: int, shift: int, kind: str) -> None:
    """Where source and target share memory the result is as if the source had been copied before."""
    array = np.arange(1.0, n + shift + 1)
    expected = array.copy()
    x = rg.tensor(array)
    target, source = slice(shift, None), slice(0, n)
    before = array[source].copy()
    if kind == "add_":
        expected[target] += before
        x[target].add_(x[source])
    elif kind == "mul_":
        expected[target] *= before
        x[target].mul_(x[source])
    else:
        expected[target] = before
        if kind == "copy_":
            x[target].copy_(x[source])
        elif kind == "set":
            x[target] = x[source]
        else:
            x[rg.arange(shift, n + shift)] = x[source]
    assert np.array_equal(x.numpy(), expected)


def test_a_value_that_is_its_own_transpose_is_read_first() -> None:
    array = np.arange(9.0).reshape(3, 3)
    x = rg.tensor(array)
    x.copy_(x.T)
    assert np.array_equal(x.numpy(), array.T)
    x += x.T
    assert np.array_equal(x.numpy(), array.T + array)
