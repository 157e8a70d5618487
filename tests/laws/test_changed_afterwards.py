"""What is changed in place after a function was applied: its result, or what it was applied to.

Where PyTorch can still go back, so can we, and the gradient is PyTorch's.  Where PyTorch must refuse, because a value
that it kept was overwritten, we may refuse or answer; then the gradient is that of PyTorch with copies of all it keeps.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from laws.test_every_function import CALLS, DIFFER, MAY_REFUSE, NAMES, Call, Inputs, flat, near, torch
from retrograd.errors import RetrogradError

KEEP_MORE = {
    "exp2", "expm1", "fmod", "inverse", "kron", "matrix_power", "pinverse", "qr", "reciprocal", "remainder", "tan",
    "vander",
}  # fmt: skip
"""These keep their input where PyTorch keeps the result or a factor alone: a change of the input is refused."""

OTHERWISE = {
    "unsafe_chunk": "views like chunk's", "unsafe_split": "views like split's",
    "unsafe_split_with_sizes": "views like split's",
}  # fmt: skip
SHAPES = [(3,), (2, 3), (3, 3), (2, 1, 2)]
REFUSED = "has been modified by an inplace operation"


def gradient(m: Any, name: str, arguments: Call, shape: tuple[int, ...], changed: str) -> Any:
    """The gradient of the sum of all results after a change in place; None if none is recorded; or the error."""
    inputs = Inputs(m, shape, "float64")
    leaf = inputs.x
    inputs.x = leaf * 1
    given, options = arguments(inputs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = [
                t for t in flat(getattr(m, name)(*given, **options)) if getattr(t, "requires_grad", False)
            ]
            if not results:
                return None
            for t in results if changed == "result" else [inputs.x]:
                t.mul_(2)
            sum((t.sum() for t in results[1:]), start=results[0].sum()).backward()
    except Exception as error:
        return error
    return None if leaf.grad is None else (leaf.grad + 0).numpy()


def with_copies(name: str, arguments: Call, shape: tuple[int, ...], changed: str) -> Any:
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        return gradient(torch, name, arguments, shape, changed)


def excused(name: str, changed: str, error: Exception) -> bool:
    """A refusal that has its reason."""
    if "changed in place" in str(error):
        return name in KEEP_MORE and changed == "input"
    return any(part in str(error) for f, part, _ in MAY_REFUSE if name in f.split("|"))


def check(name: str, *, all_shapes: bool) -> None:
    wrong = []
    for k, (told, arguments) in enumerate(CALLS.items()):
        for shape in SHAPES if all_shapes else [SHAPES[(k + len(name)) % len(SHAPES)]]:
            for changed in ("result", "input"):
                theirs = gradient(torch, name, arguments, shape, changed)
                refused = isinstance(theirs, Exception)
                if theirs is None or (refused and REFUSED not in str(theirs)):
                    continue
                ours = gradient(rg, name, arguments, shape, changed)
                if isinstance(ours, Exception):
                    if refused and isinstance(ours, RetrogradError):
                        continue
                    fine = excused(name, changed, ours)
                else:
                    true = with_copies(name, arguments, shape, changed) if refused else theirs
                    unknown = true is None or isinstance(true, Exception)
                    fine = unknown or near(np.zeros(shape) if ours is None else ours, true)
                if not fine:
                    wrong.append(f"{name}({told}), x of {shape}, {changed} changed: {ours}, PyTorch {theirs}")
    assert not wrong, "\n".join(wrong)


SUBJECTS = [name for name in NAMES if name not in DIFFER and name not in OTHERWISE]


@pytest.mark.parametrize("name", SUBJECTS)
def test_changed_afterwards(name: str) -> None:
    check(name, all_shapes=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", SUBJECTS)
def test_changed_afterwards_in_every_shape(name: str) -> None:
    check(name, all_shapes=True)
