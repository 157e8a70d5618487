"""A network's weights, taken out, put back and averaged; the norm of their gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

import retrograd as rg


def copy_weights(model: Any) -> dict[str, np.ndarray]:
    """Parameters and buffers by name, as arrays of their own."""
    return {name: tensor.detach().numpy().copy() for name, tensor in model.state_dict().items()}


def load_weights(model: Any, weights: Mapping[str, np.ndarray]) -> None:
    """Put back what `copy_weights` took."""
    model.load_state_dict({name: rg.from_numpy(array.copy()) for name, array in weights.items()})


def copied(value: Any) -> Any:
    """A nest of dicts, lists and tensors that later steps do not reach."""
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(copied(item) for item in value)
    if hasattr(value, "detach"):
        return rg.from_numpy(value.detach().numpy().copy())
    return value


def gradient_norm(parameters: Sequence[Any]) -> float:
    """‖∇‖₂ over all parameters together."""
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges is stopped by its loss, not here
        for parameter in parameters:
            if parameter.grad is not None:
                flat = parameter.grad.numpy().ravel()
                total += float(np.dot(flat, flat))
    return math.sqrt(total) if math.isfinite(total) else math.nan


class RunningAverage:
    """Of the weights that learn: θ̄ ← θ̄ + (1 - d)(θ - θ̄), with d growing from 0.1 to ``decay`` (Polyak and Juditsky 1992)."""

    def __init__(self, parameters: Sequence[Any], decay: float | None) -> None:
        self.parameters, self.decay = parameters, decay
        self.values: list[np.ndarray] | None = None
        self._tensors: list[Any] = []  # of the same memory as the values

    def weight(self, steps: int) -> float:
        """1 - d at step number ``steps``; the first step is taken as it is."""
        if self.decay is None:
            return 0.0
        return 1.0 if steps == 1 else 1.0 - min(self.decay, (1 + steps) / (10 + steps))

    def start(self) -> None:
        """Have an average, for `follow`; an array that cannot be written is replaced."""
        if self.decay is None:
            return
        if self.values is None:
            self.values = [parameter.detach().numpy().copy() for parameter in self.parameters]
        self.values = [value if value.flags.writeable else value.copy() for value in self.values]
        self._tensors = [rg.from_numpy(value) for value in self.values]

    def follow(self, weight: Any) -> None:
        """`update` for a program: ``weight`` is a number or a tensor of one."""
        if self.decay is None:
            return
        with rg.no_grad():
            for average, parameter in zip(self._tensors, self.parameters, strict=True):
                average.add_((parameter - average) * weight)

    def update(self, steps: int) -> None:
        """After step number ``steps``; without a decay there is no average."""
        if self.decay is None:
            return
        values = [parameter.detach().numpy() for parameter in self.parameters]
        if self.values is None:
            self.values = [value.copy() for value in values]
            return
        weight = self.weight(steps)
        for average, value in zip(self.values, values, strict=True):
            average += np.asarray(weight, average.dtype) * (value - average)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within it the parameters have the averaged values."""
        if self.values is None:
            yield
            return
        learning = [parameter.detach().numpy().copy() for parameter in self.parameters]
        self._put(self.values)
        try:
            yield
        finally:
            self._put(learning)

    def _put(self, values: Sequence[np.ndarray]) -> None:
        with rg.no_grad():
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.copy_(rg.from_numpy(value))

    def copies(self) -> list[np.ndarray] | None:
        """The averages, as arrays of their own."""
        return None if self.values is None else [value.copy() for value in self.values]
