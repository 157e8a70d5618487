"""What a network says about many rows."""

from __future__ import annotations

from typing import Any

import numpy as np

import retrograd as rg
from retrograd.train.arrays import as_arrays

EVALUATION_ROWS = 4096
"""Rows per batch where nothing is learnt: large enough to be fast, small enough to fit."""


def predict(model: Any, inputs: Any) -> np.ndarray:
    """Outputs of `model` for all rows, in order, in evaluation mode and without gradients; the mode is put back."""
    arrays = as_arrays(inputs)
    training = model.training
    model.eval()
    try:
        with rg.no_grad():
            parts = [
                model(*[rg.from_numpy(array[start : start + EVALUATION_ROWS]) for array in arrays]).numpy()
                for start in range(0, max(1, len(arrays[0])), EVALUATION_ROWS)
            ]
    finally:
        model.train(training)
    return np.concatenate(parts)
