"""Scripts of libraries that are none."""

from __future__ import annotations

from pathlib import Path

from retrograd.bench import Peer

FAKE = """
import numpy as np

VERSION = "1.2"


def training(sizes, x, y):
    weights, more = np.zeros((sizes[0], sizes[1]), "float32"), np.ones(1 << 20)

    def run(n):
        for _ in range(n):
            x @ weights
        return 0.5 * more[0]

    return run


prediction = training


def digits(x, y, epochs):
    print("this goes to standard error")
    assert x.shape == (1797, 64)
    assert 0 <= x.min() and x.max() == 1
    assert set(y) == set(range(10))
    return 0.25
"""


def write_peer(folder: Path, name: str, text: str = FAKE) -> Peer:
    """A peer that needs NumPy and no more."""
    path = folder / f"{name}.txt"
    path.write_text(text, encoding="utf-8")
    return Peer(name, "numpy", path)
