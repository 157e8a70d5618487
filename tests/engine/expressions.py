"""Expressions as text, computed by Retrograd and by PyTorch.

In them ``m`` is the library, ``t`` its function ``tensor``, ``n`` is NaN and ``inf`` infinity.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

import retrograd as rg
from oracle.compare import torch


def by_function(text: str) -> list[tuple[str, list[str]]]:
    """The lines, grouped by the function that they call first."""
    groups: dict[str, list[str]] = {}
    for line in filter(None, text.splitlines()):
        found = re.search(r"m\.(\w+)\(", line)
        groups.setdefault(found[1] if found else line, []).append(line)
    return list(groups.items())


def flat(out: Any) -> Iterator[Any]:
    """The tensors and numbers of a result."""
    if isinstance(out, tuple | list):
        for item in out:
            yield from flat(item)
    else:
        yield out


def computed(line: str, library: Any) -> Any:
    """The value of an expression, or the exception that it raises."""
    names = {"m": library, "t": library.tensor, "n": math.nan, "inf": math.inf}
    try:
        return eval(line, names)
    except Exception as error:
        return error


def difference(line: str) -> str | None:
    """In what the two differ, if they do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns of degrees of freedom
        theirs = computed(line, torch)
    ours = computed(line, rg)
    if isinstance(theirs, Exception):
        if isinstance(ours, rg.errors.RetrogradError):
            return None if ours.hint else f"no hint: {ours}"
        return f"PyTorch refuses ({theirs}), we give {ours!r}"
    if isinstance(ours, Exception):
        return f"we refuse: {ours!r}"
    a, b = list(flat(ours)), list(flat(theirs))
    if len(a) != len(b):
        return f"{len(a)} results, PyTorch {len(b)}"
    for mine, other in zip(a, b, strict=True):
        if not isinstance(other, torch.Tensor):
            if mine != other:
                return f"{mine!r}, PyTorch {other!r}"
            continue
        x, y = mine.numpy(), other.numpy()
        if x.shape != y.shape or x.dtype != y.dtype:
            return f"{x.dtype}{x.shape}, PyTorch {y.dtype}{y.shape}"
        if not np.allclose(x, y, rtol=1e-6, atol=1e-7, equal_nan=True):
            return f"{x}, PyTorch {y}"
    return None


def agree(lines: list[str]) -> None:
    """Same shapes, dtypes and values to float32 accuracy, or a refusal with a hint where PyTorch refuses."""
    wrong = [f"{line}\n    {said}" for line in lines if (said := difference(line))]
    assert not wrong, "\n".join(wrong)
