"""Programs made at random give PyTorch's values, gradients and refusals, line by line."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from laws.programs import attempt, environment, programs, tensors, torch, unrecorded
from retrograd.errors import RetrogradError

ALLOWED: dict[str, str] = {
    "is the output of a function that returns multiple views": (
        "the views that chunk, split and unbind return are views like any others here, and may be written to"
    ),
    "A view was created in no_grad mode and": (
        "a view of a tensor that required no gradient when it was made is recorded from the first write that requires one"
    ),
    "Can't detach views in-place": "a view that is detached in place becomes what detach() gives",
    "detached in-place, i.e. with .detach_": "what was computed before is still recorded",
    "leaf variable has been moved into the graph interior": (
        "a leaf that was detached and then written with a recorded value: the uses before that are still recorded"
    ),
    "element 0 of tensors does not require grad": "a gradient that is zero everywhere may still be a recorded one",
    "more than one element of the written-to tensor": (
        "one number written to places that share memory is that number there"
    ),
    "some elements of the input tensor and the written-to tensor refer to a single memory location": (
        "a value is read before anything is written"
    ),
}
"""What PyTorch refuses and we may answer: a part of its message -> the reason."""


def allowed(error: Exception, line: str) -> bool:
    if "a leaf Variable that requires grad is being used" in str(error) and re.search(r"\] [+*]= ", line):
        return (
            True  # x[key] += w, x a view of a plain tensor: PyTorch takes x for a leaf between the two writes
        )
    return any(re.search(pattern, str(error)) for pattern in ALLOWED)


def compare_state(ours: Any, theirs: Any, what: str) -> None:
    """Values, and whether they are recorded."""
    close(ours.data, theirs.data, what)
    if unrecorded(theirs):
        return
    expected = theirs.requires_grad, theirs.is_leaf
    found = ours.requires_grad, ours.is_leaf
    assert found == expected, f"{what}: (requires_grad, is_leaf) = {found}, PyTorch {expected}"


def close(ours: Any, theirs: Any, what: str) -> None:
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    assert a.shape == b.shape, f"{what}: shape {a.shape}, PyTorch {b.shape}"
    size = max(1.0, float(np.abs(b).max(initial=0.0)))
    assert np.allclose(a, b, rtol=0, atol=1e-8 * size, equal_nan=True), f"{what}:\n{a}\nPyTorch\n{b}"


def gradients(ours: dict[str, Any], theirs: dict[str, Any], told: str) -> None:
    for name, t in tensors(theirs).items():
        mine = tensors(ours)[name]
        if unrecorded(t) or not (t.is_leaf or t.retains_grad):
            continue
        if t._is_view() and t.retains_grad:
            continue  # after a change through it PyTorch retains nothing there, for reasons of its own
        if t.grad is not None and not t.numel() and mine.grad is None:
            continue  # a write without elements leaves no trace here
        if t.grad is None:
            assert mine.grad is None, f"{name}.grad is {mine.grad}, PyTorch's None{told}"
        else:
            assert mine.grad is not None, f"{name}.grad is None, PyTorch's {t.grad}{told}"
            # PyTorch's second derivative of a deviation of 0 is NaN, which says nothing
            close(
                mine.grad.where(~rg.tensor(t.grad.isnan().numpy()), float("nan")),
                t.grad,
                f"{name}.grad{told}",
            )


OVERWRITTEN = "has been modified by an inplace operation"
"""We keep the result of an op apart from the memory that an in-place form of it wrote to."""


def with_copies(lines: list[str]) -> dict[str, Any]:
    """PyTorch once more, with copies of all that its backward pass needs, so that nothing can be overwritten."""
    names = environment(torch)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        for line in lines:
            attempt(line, names)
    return names


def check(program: list[str], ending: int, twice: bool) -> None:
    """Run it in both libraries; ``ending`` chooses what is differentiated at the end."""
    ours, theirs = environment(rg), environment(torch)
    for k, line in enumerate(program):
        told = " after\n" + "\n".join(program[: k + 1])
        refusal, mine = attempt(line, theirs), attempt(line, ours)
        if refusal is not None and mine is None:
            if OVERWRITTEN in str(refusal):
                theirs = with_copies(program[: k + 1])
                continue
            assert allowed(refusal, line), f"we answer, PyTorch refuses: {refusal}{told}"
            return
        if refusal is None:
            assert mine is None, f"PyTorch answers, we refuse: {mine!r}{told}"
        elif not isinstance(mine, RetrogradError):
            raise AssertionError(f"not an error of ours: {mine!r}{told}") from mine
        for name, t in tensors(theirs).items():
            compare_state(tensors(ours)[name], t, name + told)
    told = " after\n" + "\n".join(program)
    recorded = [name for name, t in tensors(theirs).items() if not unrecorded(t)]
    names = [name for k, name in enumerate(recorded) if ending >> k & 1] or recorded
    loss = " + ".join(f"({name} * {0.5 + 0.25 * k}).sum()" for k, name in enumerate(names))
    lines = [f"loss = {loss}", "loss.backward()"]
    leaves = ", ".join(
        name for name, t in tensors(theirs).items() if not unrecorded(t) and t.is_leaf and t.requires_grad
    )
    # A rule may go by way of its result, which a hook then sees twice: which rules do is nobody's promise.
    if twice and leaves and "register_hook" not in "".join(program):
        lines = [
            f"loss = {loss}",
            f"found = m.autograd.grad(loss * loss * 0.1 + loss, [{leaves}], create_graph=True, allow_unused=True)",
            "second = sum(((g * g.sin()).sum() for g in found if g is not None and g.requires_grad), start=m.zeros(()))",
            "second.backward()",
        ]
    for k, line in enumerate(lines):
        told += "\n" + line
        refusal, mine = attempt(line, theirs), attempt(line, ours)
        if refusal is not None:
            if mine is None and OVERWRITTEN in str(refusal):
                theirs = with_copies([*program, *lines[: k + 1]])
                continue
            refused = isinstance(mine, RetrogradError) or not isinstance(refusal, RuntimeError)
            assert refused or allowed(refusal, line), f"we answer, PyTorch refuses: {refusal}, {mine!r}{told}"
            return
        assert mine is None, f"PyTorch answers, we refuse: {mine!r}{told}"
    gradients(ours, theirs, told)


@pytest.mark.row("ENG-01")
@settings(max_examples=250)
@given(programs(), st.integers(0, 2**16 - 1), st.booleans())
def test_random_programs(program: list[str], ending: int, twice: bool) -> None:
    check(program, ending, twice)


@pytest.mark.slow
@settings(max_examples=500)
@given(programs(), st.integers(0, 2**16 - 1), st.booleans())
def test_random_programs_at_length(program: list[str], ending: int, twice: bool) -> None:
    check(program, ending, twice)
