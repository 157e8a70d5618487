"""What a user hands over as rows, as NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.errors import UsageError


def as_array(value: Any) -> np.ndarray:
    """A NumPy array from an array, a Tensor or a list."""
    return value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)


def as_arrays(inputs: Any) -> list[np.ndarray]:
    """One array per argument of the model."""
    return [as_array(item) for item in inputs] if isinstance(inputs, (tuple, list)) else [as_array(inputs)]


def demand_equal_rows(inputs: Sequence[np.ndarray], targets: np.ndarray) -> None:
    """Raises `UsageError` where inputs and targets differ in length."""
    counts = [len(array) for array in inputs] + [len(targets)]
    if len(set(counts)) != 1:
        raise UsageError(
            f"inputs and targets have different numbers of rows: {', '.join(map(str, counts))}",
            hint="give arrays whose first axis is the row; several inputs as a tuple",
        )


def is_mapped(array: np.ndarray) -> bool:
    """True for an array, or a view of one, whose memory is a file (`numpy.memmap`)."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False
