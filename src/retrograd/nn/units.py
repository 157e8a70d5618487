"""The units (neurons) of a network and the connections between them, by name: ``hidden1[3] <- bedrooms``.

Dense layers are taken in the order in which they are registered; each one's sources are the units of the dense layer
before it where the widths agree, and otherwise numbered inputs of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import UsageError
from ..modes import no_grad
from ..tensor import Tensor
from .activations import ReLU
from .linear import Linear
from .module import Module


class Connection:
    """One weight between a unit and one of its sources."""

    __slots__ = ("column", "layer", "name", "row", "source", "unit")

    def __init__(self, layer: Linear, row: int, column: int, unit: str, source: str) -> None:
        self.layer = layer
        self.row = row
        self.column = column
        self.unit = unit
        self.source = source
        self.name = f"{unit} <- {source}"

    @property
    def weight(self) -> float:
        """Its strength: what the unit gains when the source grows by 1."""
        return self.layer.weight.detach()[self.row, self.column].item()

    @weight.setter
    def weight(self, value: float) -> None:
        with no_grad():
            self.layer.weight[self.row, self.column] = value

    def cut(self) -> None:
        """Set the weight to 0: the unit no longer hears the source."""
        self.weight = 0.0

    def __repr__(self) -> str:
        return f"{self.name}: {self.weight:.4g}"


def _dense(module: Module) -> list[tuple[str, Linear]]:
    return [
        (name or type(m).__name__.lower(), m) for name, m in module.named_modules() if isinstance(m, Linear)
    ]


def units(module: Module, inputs: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Names of the units of each dense layer, and of the inputs (under "input").

    >>> from retrograd import nn
    >>> net = nn.Sequential({"hidden": nn.Linear(2, 3), "relu": nn.ReLU(), "out": nn.Linear(3, 1)})
    >>> units(net, inputs=["bedrooms", "bathrooms"])["hidden"]
    ['hidden[0]', 'hidden[1]', 'hidden[2]']
    """
    layers = _dense(module)
    width = layers[0][1].in_features if layers else 0
    if inputs is not None and len(inputs) != width:
        raise UsageError(
            f"{len(inputs)} input names for a first layer with {width} inputs", hint="give one name per input"
        )
    out = {"input": list(inputs) if inputs is not None else [f"input[{j}]" for j in range(width)]}
    for name, layer in layers:
        out[name] = [f"{name}[{i}]" for i in range(layer.out_features)]
    return out


def connections(module: Module, inputs: Sequence[str] | None = None) -> Iterator[Connection]:
    """All connections, layer by layer and unit by unit.

    >>> from retrograd import nn
    >>> net = nn.Sequential({"hidden": nn.Linear(2, 3), "relu": nn.ReLU(), "out": nn.Linear(3, 1)})
    >>> [c.name for c in connections(net, inputs=["bedrooms", "bathrooms"])][:2]
    ['hidden[0] <- bedrooms', 'hidden[0] <- bathrooms']
    """
    names = units(module, inputs)
    before = names["input"]
    for name, layer in _dense(module):
        sources = (
            before
            if len(before) == layer.in_features
            else [f"{name}.in[{j}]" for j in range(layer.in_features)]
        )
        for i, unit in enumerate(names[name]):
            for j, source in enumerate(sources):
                yield Connection(layer, i, j, unit, source)
        before = names[name]


def dead_units(module: Module, *inputs: Tensor) -> dict[str, list[int]]:
    """For every ReLU layer, the units that give 0 for all rows of ``inputs``: no gradient passes them, they stay dead.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> net = nn.Sequential(nn.Linear(1, 2), nn.ReLU())
    >>> _ = net[0].bias.detach().copy_(rg.tensor([-100.0, 100.0]))
    >>> dead_units(net, rg.rand(8, 1))
    {'1': [0]}
    """
    alive: dict[str, np.ndarray] = {}
    handles = []
    for name, part in module.named_modules():
        if isinstance(part, ReLU):

            def note(m: Module, args: Any, output: Any, name: str = name) -> None:
                values = output.detach().numpy()
                some = (values > 0).reshape(-1, values.shape[-1]).any(axis=0)
                alive[name] = alive.get(name, False) | some  # a layer used twice is alive if it is once

            handles.append(part.register_forward_hook(note))
    try:
        with no_grad():
            module(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return {name: np.flatnonzero(~some).tolist() for name, some in alive.items()}
