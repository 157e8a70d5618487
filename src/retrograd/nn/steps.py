"""One forward pass in slow motion: every unit's weighted sum, term by term, and what the activation makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import ShapeError
from ..modes import no_grad
from ..tensor import Tensor
from .linear import Linear
from .module import Module
from .units import units


def forward_steps(module: Module, row: Tensor, inputs: Sequence[str] | None = None) -> str:
    """The computation for one row as text, in the order in which it happens; numbers are written in full.

    A dense layer gives one line per unit: its sources times its weights, plus the bias, is the weighted sum.  Any other
    layer gives one line per unit it changes.  ``row``: shape (features,) or (1, features); ``inputs`` names them.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> net = nn.Sequential({"hidden": nn.Linear(2, 1), "relu": nn.ReLU()})
    >>> _ = nn.init.constant_(net.hidden.weight, 0.5), nn.init.constant_(net.hidden.bias, -2.0)
    >>> print(forward_steps(net, rg.tensor([3.0, 2.0]), inputs=["bedrooms", "bathrooms"]))
    hidden[0] = 3.0 (bedrooms) * 0.5 + 2.0 (bathrooms) * 0.5 + -2.0 (bias) = 0.5
    relu: hidden[0] 0.5 -> 0.5
    """
    if row.ndim > 2 or (row.ndim == 2 and row.shape[0] != 1):
        raise ShapeError(f"forward_steps takes one row, got shape {tuple(row.shape)}", hint="pass x[0]")
    seen: list[tuple[str, Module, Any, Any]] = []
    handles = []
    for name, part in module.named_modules():
        if not list(part.children()):

            def note(m: Module, args: Any, output: Any, name: str = name) -> None:
                seen.append((name or type(m).__name__.lower(), m, _flat(args[0]), _flat(output)))

            handles.append(part.register_forward_hook(note))
    try:
        with no_grad():
            module(row.detach())
    finally:
        for handle in handles:
            handle.remove()
    return "\n".join(line for lines in _told(seen, units(module, inputs)) for line in lines)


def _flat(value: Tensor) -> list[float]:
    return np.asarray(value.detach().numpy(), dtype=np.float64).ravel().tolist()


def _told(seen: list[tuple[str, Module, Any, Any]], names: dict[str, list[str]]) -> list[list[str]]:
    now = names["input"]
    out = []
    for name, part, before, after in seen:
        if isinstance(part, Linear):
            sources = now if len(now) == len(before) else [f"{name}.in[{j}]" for j in range(len(before))]
            now = names[name]
            out.append([_sum(part, i, unit, sources, before, after[i]) for i, unit in enumerate(now)])
        else:
            if len(after) != len(now):
                now = [f"{name}[{i}]" for i in range(len(after))]
            if len(before) == len(after):
                out.append(
                    [f"{name}: {u} {b!r} -> {a!r}" for u, b, a in zip(now, before, after, strict=True)]
                )
    return out


def _sum(layer: Linear, i: int, unit: str, sources: list[str], before: list[float], result: float) -> str:
    weights = _flat(layer.weight[i])
    terms = [f"{x!r} ({source}) * {w!r}" for x, source, w in zip(before, sources, weights, strict=True)]
    if layer.bias is not None:
        terms.append(f"{_flat(layer.bias)[i]!r} (bias)")
    return f"{unit} = {' + '.join(terms)} = {result!r}"
