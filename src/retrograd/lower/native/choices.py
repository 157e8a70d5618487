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
    ("avx512", 4): Costs(0.275, 0.14, 1.08, 0.01, 0.275, 11.0, 0.5, 3.0, 0.5, 0.1, 0.05, 3 << 20, NEVER),
}


def costs_of(level: str, size: int) -> Costs:
    """The prices at a level for elements of so many bytes; those of a relative where nothing was measured."""
    size = 8 if size == 8 else 4
    return TABLE.get((level, size)) or TABLE.get(("baseline", size)) or TABLE["avx512", 4]
