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
        0.2811, 0.1909, 0.7946, 0.0112, 0.2661, 6.9314, 0.6065, 2.288, 0.9213, 0.0771, 0.0764, 4194304, NEVER
    ),
    ("avx512", 8): Costs(
        0.2756, 0.1896, 0.6227, 0.011, 0.3333, 8.2233, 0.2792, 5.5768, 0.5806, 0.1673, 0.1683, 1048576, NEVER
    ),
    ("avx2", 4): Costs(
        0.12, 0.12, 0.6332, 0.0048, 0.1142, 3.9803, 2.2586, 5.0461, 1.0237, 0.0597, 0.056, 4194304, 33554432
    ),
    ("avx2", 8): Costs(
        0.1278, 0.1278, 0.6045, 0.0051, 0.2057, 15.3378, 0, 2.2179, 1.3101, 0, 0, 1048576, 536870912
    ),
    ("baseline", 4): Costs(
        0.1729, 0.1729, 0.4531, 0.0069, 0.1848, 9.8105, 1.5497, 1.6526, 0.8328, 0.022, 0.0455, 524288, NEVER
    ),
    ("baseline", 8): Costs(
        0.1891, 0.1891, 0.341, 0.0076, 0.1891, 12.2117, 0, 1.7807, 0.7244, 0, 0, 16777216, 1048576
    ),
}


def costs_of(level: str, size: int) -> Costs:
    """The prices at a level for elements of so many bytes; those of a relative where nothing was measured."""
    size = 8 if size == 8 else 4
    return TABLE.get((level, size)) or TABLE.get(("baseline", size)) or TABLE["avx512", 4]
