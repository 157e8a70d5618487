"""Watching one forward and one backward pass: which layers were visited, in what order, with what values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class PassLog:
    """``forward``: (layer, output) in the order of computation; ``backward``: (layer, dloss/doutput) in its order."""

    forward: list[tuple[str, np.ndarray]] = field(default_factory=list)
    backward: list[tuple[str, np.ndarray]] = field(default_factory=list)


@contextmanager
def observe(model: Any) -> Iterator[PassLog]:
    """Log every layer without sub-layers while the block runs; nothing that is computed changes.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> with observe(model) as log:
    ...     model(rg.ones(4, 2)).sum().backward()
    >>> [name for name, _ in log.forward], [name for name, _ in log.backward]
    (['0', '1', '2'], ['2', '1', '0'])
    """
    log = PassLog()
    handles = []
    for name, module in model.named_modules():
        if not list(module.children()):
            handles.append(module.register_forward_hook(_watcher(log, name)))
    try:
        yield log
    finally:
        for handle in handles:
            handle.remove()


def _watcher(log: PassLog, name: str) -> Any:
    def watch(module: Any, inputs: Any, output: Any) -> None:
        log.forward.append((name, output.detach().numpy().copy()))
        if output.requires_grad:
            output.register_hook(
                lambda gradient: log.backward.append((name, gradient.detach().numpy().copy()))
            )

    return watch
