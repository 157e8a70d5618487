"""One iteration on rows of a data set, as one program where that pays: `programs` says where.

The program holds the data.  It is given row numbers, gathers the rows, and does all four steps of learning: forward pass,
error, backward pass, update; clipping, the schedule and the running average of the weights are in it, too.  A batch of
another length (the last of an epoch) is another program of the same function: nothing is padded.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import retrograd as rg
from retrograd.errors import RetrogradError
from retrograd.train.arrays import is_mapped
from retrograd.train.programs import ALWAYS, batch_calls, watched

if TYPE_CHECKING:
    from retrograd.train.trainer import Trainer

_SHARE_OF_MEMORY = 0.25


class Updates:
    """``updates(rows)``: one iteration of ``trainer`` on these rows of the data; loss before the update, gradient's norm.

    ``epochs`` is how many there will be in all, by which it is decided what becomes a program.
    """

    def __init__(
        self, trainer: Trainer, inputs: Sequence[np.ndarray], targets: np.ndarray, epochs: int
    ) -> None:
        self.trainer, self.inputs, self.targets = trainer, inputs, targets
        calls = batch_calls(len(targets), trainer.batch_size, epochs)
        self.policy = policy = trainer.policy.job(sum(calls.values()), len(trainer.parameters))
        self._lengths = {length for length, n in calls.items() if policy.pays(n, length)}
        if policy != ALWAYS and watched(trainer.model):
            self._lengths = set()
        self._held: list[Any] | None = None
        self._program: Any = None

    def __call__(self, rows: np.ndarray) -> tuple[float, float]:
        if len(rows) not in self._lengths:
            return self._eager(rows)
        trainer = self.trainer
        if self._program is None:
            self._held = held(self.inputs, self.targets)
            trainer.average.start()
            self._program = rg.compile(self._update)
        if trainer.history.steps < 3:
            trainer.optimizer.zero_grad()
            trainer.demand_cleared_gradients()
        weight = rg.tensor(trainer.average.weight(trainer.history.steps + 1), dtype=rg.float64)
        batch = [rows] if self._held else [array[rows] for array in (*self.inputs, self.targets)]
        try:
            found = self._program(weight, *map(rg.from_numpy, batch))
        except RetrogradError:
            # What Python must see the values of has no program.  A wrong shape has none either: eagerly it says so again.
            if self.policy == ALWAYS:
                raise
            self._lengths = set()
            return self._eager(rows)
        trainer.history.steps += 1
        loss, norm = found.tolist()
        return loss, norm

    def _eager(self, rows: np.ndarray) -> tuple[float, float]:
        return self.trainer.step([array[rows] for array in self.inputs], self.targets[rows])

    def _update(self, weight: Any, *batch: Any) -> Any:
        """What is compiled: `Trainer.step` on tensors only; ``batch`` is the row numbers, or the rows themselves."""
        trainer, optimizer = self.trainer, self.trainer.optimizer
        if self._held is not None:
            batch = tuple(rg.index_select(t, 0, batch[0]) for t in self._held)
        optimizer.zero_grad()
        loss = trainer.loss(trainer.model(*batch[:-1]), batch[-1])
        loss.backward()
        norm = clip(trainer.parameters, trainer.clip_norm)
        optimizer.step()
        trainer.step_schedule()
        trainer.average.follow(weight)
        return rg.stack([loss.detach().double(), norm])


def clip(parameters: Sequence[Any], largest: float | None) -> Any:
    """The gradient's norm, float64, NaN where it is not finite; beyond ``largest`` all gradients are scaled to that norm."""
    with rg.no_grad():
        gradients = [p.grad for p in parameters if p.grad is not None]
        total = rg.zeros((), dtype=rg.float64)
        for g in gradients:
            total = total + (g * g).sum().double()
        norm = rg.where(total.isfinite(), total.sqrt(), float("nan"))
        if largest is not None:
            scale = rg.where(norm > largest, largest / (norm + 1e-6), 1.0)
            for g in gradients:
                g.mul_(scale.to(g.dtype))
    return norm


def held(inputs: Sequence[np.ndarray], targets: np.ndarray) -> list[Any] | None:
    """The data as tensors that a program can hold; None where that would fill the memory.

    Arrays that lie row by row in memory are taken as they are; others are copied if all of them are small beside it.
    """
    arrays = [*inputs, targets]
    as_they_are = [a.flags.c_contiguous and a.flags.writeable and not is_mapped(a) for a in arrays]
    copied = sum(a.nbytes for a, right in zip(arrays, as_they_are, strict=True) if not right)
    if copied > _SHARE_OF_MEMORY * _memory():
        return None
    return [
        rg.from_numpy(a if right else np.array(a, order="C"))
        for a, right in zip(arrays, as_they_are, strict=True)
    ]


def _memory() -> float:
    """Bytes of the machine's memory; 8 GB where the system does not say (Windows)."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return 8e9
