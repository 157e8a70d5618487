"""One story told by two libraries: a function of the library writes what it sees into a log, and the logs must agree."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import retrograd as rg
from oracle.compare import torch

__all__ = ["Story", "filled", "plain", "ramp", "same", "told"]

Story = list[Any]


def plain(x: Any) -> Any:
    """Tensors as nested lists, modules by class, tuples of them as tuples."""
    if hasattr(x, "detach"):
        return np.round(x.detach().numpy().astype("float64"), 6).tolist()
    if isinstance(x, tuple | list):
        return tuple(plain(v) for v in x)
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if hasattr(x, "named_modules"):
        return type(x).__name__
    return x


def ramp(lib: Any, *shape: int) -> Any:
    n = int(np.prod(shape))
    return lib.tensor(np.linspace(-1, 1, n).reshape(shape) if n else np.zeros(shape))


def filled(lib: Any, module: Any) -> Any:
    """The module in float64 with weights that both libraries know."""
    module.double()
    for k, p in enumerate(module.parameters()):
        p.data = ramp(lib, *p.shape) * (k + 1) / 3
    return module


def told(lib: Any, story: Callable[[Any, Story], None]) -> Story:
    log: Story = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        story(lib, log)
    return [plain(entry) for entry in log]


def same(story: Callable[[Any, Story], None]) -> None:
    """Both libraries tell the same."""
    mine, theirs = told(rg, story), told(torch, story)
    assert theirs, "nothing was told"
    for k, (a, b) in enumerate(zip(mine, theirs, strict=False)):
        assert a == b, f"entry {k}"
    assert len(mine) == len(theirs)
