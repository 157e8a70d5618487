"""What `benchmarks/products.py` measured: prices of the parts of a product, in nanoseconds, by CPU level and element size.

Written by that script; a change here changes the bits of results.
"""

from __future__ import annotations

from typing import NamedTuple


class Costs(NamedTuple):
    """Prices on one thread."""

    fma: float
    """A vector's multiply-add among many."""
    half: float
    """The same of a narrower vector."""
    least: float
    """A step of a chain of them: the latency."""
    load: float
    """What a row or a vector more adds to a step of a tile."""
    read: float
    """A vector read from the first cache."""
    tile: float
    """The start of a tile."""
    store: float
    """A vector of a tile stored."""
    group: float
    """The start of a group of dots."""
    dot: float
    """The lanes of one sum added, and it stored."""
    turn: float
    """A number of a transposed operand laid out anew."""
    copy: float
    """A number of another operand laid out anew."""
    far: float
    """Bytes of B from which it is worth while to lay it out anew."""
    openblas: float
    """Multiply-adds of a product from which OpenBLAS is faster."""


NEVER = float("inf")

TABLE: dict[tuple[str, int], Costs] = {
    ("avx512", 4): Costs(
        0.2858, 0.1947, 0.757, 0.0114, 0.282, 16.3842, 0.3403, 2.0887, 0.9929, 0.0834, 0.0789, 2097152, NEVER
    ),
    ("avx512", 8): Costs(
        0.2835, 0.1808, 0.5999, 0.0113, 0.3151, 18.0454, 0.006, 1.622, 0.9673, 0.1533, 0.1594, 2097152, NEVER
    ),
    ("avx2", 4): Costs(
        0.1482, 0.148, 0.5982, 0.0059, 0.1082, 14.3305, 0.3941, 5.9146, 0.9656, 0.0585, 0.051, 524288, NEVER
    ),
    ("avx2", 8): Costs(
        0.1192, 0.1192, 0.3135, 0.0048, 0.1389, 16.9181, 0.5096, 3.07, 1.025, 0.0414, 0.0793, 1048576, NEVER
    ),
    ("baseline", 4): Costs(
        0.2065, 0.2065, 0.3762, 0.0083, 0.1872, 18.5006, 0.076, 1.6537, 0.9564, 0.0706, 0.0405, 524288, NEVER
    ),
    ("baseline", 8): Costs(
        0.1826, 0.1826, 0.1356, 0.0073, 0.1719, 18.7104, 0.1732, 1.7373, 0.8453, 0, 0, 2097152, 1048576
    ),
}


def costs_of(level: str, size: int) -> Costs:
    """The prices at a level for elements of so many bytes; those of a relative where nothing was measured."""
    size = 8 if size == 8 else 4
    return TABLE.get((level, size)) or TABLE.get(("baseline", size)) or TABLE["avx512", 4]
