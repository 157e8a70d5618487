"""What a network says about many rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.errors import RetrogradError
from retrograd.train.arrays import as_arrays
from retrograd.train.programs import ALWAYS, NEVER, Policy, batch_calls, watched

EVALUATION_ROWS = 4096
"""Rows per batch where nothing is learnt: large enough to be fast, small enough to fit."""


class Outputs:
    """Outputs of ``model`` for all rows, in order, in evaluation mode and without gradients; the mode is put back.

    Where it pays, a program computes them; ``often``: sets of so many rows are asked for so many times.

    >>> from retrograd import nn
    >>> Outputs(nn.Linear(2, 1))(np.ones((5, 2), np.float32)).shape
    (5, 1)
    """

    def __init__(self, model: Any, policy: Policy = NEVER, often: Mapping[int, int] | None = None) -> None:
        self.model, self.policy, self.often = model, policy, dict(often or {})
        self._program: Any = None

    def __call__(self, inputs: Any) -> np.ndarray:
        arrays = as_arrays(inputs)
        rows = len(arrays[0])
        calls = batch_calls(rows, EVALUATION_ROWS, self.often.get(rows, 1))
        compiled = {length for length, n in calls.items() if self.policy.pays(n, length)}
        if compiled and self.policy != ALWAYS and watched(self.model):
            compiled = set()
        training = self.model.training
        self.model.eval()
        try:
            with rg.no_grad():
                parts = []
                for start in range(0, max(1, rows), EVALUATION_ROWS):
                    part = [rg.from_numpy(array[start : start + EVALUATION_ROWS]) for array in arrays]
                    run = self._run if len(part[0]) in compiled else self.model
                    parts.append(run(*part).numpy())
        finally:
            self.model.train(training)
        return np.concatenate(parts)

    def _run(self, *part: Any) -> Any:
        if self._program is None:
            self._program = rg.compile(lambda *inputs: self.model(*inputs))
        try:
            return self._program(*part)
        except RetrogradError:
            if self.policy == ALWAYS:
                raise
            self.policy = NEVER  # what Python must see the values of has no program
            return self.model(*part)


def predict(model: Any, inputs: Any) -> np.ndarray:
    """The outputs of ``model`` for all rows, op by op."""
    return Outputs(model)(inputs)
