"""Ops that run along one dimension: each line of elements by itself, a vector of neighbouring lines at a time.

The array lies row by row as [outer, n, inner]: the elements of one line are ``inner`` apart, and neighbouring lines lie
side by side.  Where ``inner`` is 1 each line is walked by scalars.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ...types import DType, Shape, size
from .emit import Value, vector
from .kernel import KernelFunction
from .level import Level
from .scalars import in_memory, in_register, read, write

WORDS = 5
"""Words of a kernel that say where its lines are."""
SLAB = 4096
"""Elements of one slab."""


@dataclass(slots=True)
class Line:
    """One line, or a vector of neighbouring ones, inside a kernel."""

    f: KernelFunction
    n: Value
    step: Value
    start: Value
    lanes: int
    mask: Value | None

    def read(self, array: Value, i: Value, dtype: DType) -> Value:
        """Entry ``i`` of the line in an array."""
        return read(self.f, self._at(array, i, dtype), dtype, self.lanes, self.mask)

    def write(self, value: Value, array: Value, i: Value, dtype: DType) -> None:
        write(self.f, value, self._at(array, i, dtype), dtype, self.mask)

    def _at(self, array: Value, i: Value, dtype: DType) -> Value:
        return self.f.element(array, self.f.add(self.start, self.f.mul(i, self.step)), in_memory(dtype))


def lanes(shape: Shape, dim: int, level: Level, dtype: DType) -> int:
    """How many lines are walked at a time."""
    if size(shape[dim + 1 :]) == 1:
        return 1
    return min(level.lanes(in_register(dtype)), level.lanes("float"))


def words(shape: Shape, dim: int, lanes: int) -> tuple[list[int], int]:
    """The words of a kernel over the lines of an array, and its slabs."""
    n, inner = shape[dim] if shape else 1, size(shape[dim + 1 :])
    blocks = -(-inner // lanes)
    units = size(shape[:dim]) * blocks
    per_slab = max(1, SLAB // max(1, n * lanes))
    return [units, per_slab, blocks, n, inner], -(-units // per_slab)


@contextmanager
def lines(f: KernelFunction, lanes: int, first: int = 0) -> Iterator[Line]:
    """The loop over the lines of a kernel's slabs, whose `words` begin at number ``first``."""
    units, per_slab, blocks, n, inner = (f.word(first + k) for k in range(WORDS))
    stop = f.minimum(f.mul(f.end, per_slab), units)
    with f.loop(f.mul(f.begin, per_slab), stop) as unit:
        if lanes == 1:
            yield Line(f, n, inner, f.mul(unit, n), 1, None)
            return
        row, block = f.bit("udiv", unit, blocks), f.bit("urem", unit, blocks)
        column = f.mul(block, lanes)
        mask = f.compare("lt", f.add(f.iota(vector("i64", lanes)), column), inner)
        yield Line(f, n, inner, f.add(f.mul(f.mul(row, n), inner), column), lanes, mask)


def ahead(f: KernelFunction, dtype: DType, a: Value, b: Value, largest: bool) -> Value:
    """Does ``a`` come before ``b`` where the largest (or smallest) number is looked for?  NaN comes before all numbers."""
    how = "gt" if largest else "lt"
    if not dtype.is_floating_point:
        return f.compare(f"u{how}" if dtype.name in ("uint8", "bool") else how, a, b)
    fresh = f.bit("and", f.compare("ne", a, a), f.compare("eq", b, b))
    return f.bit("or", f.compare(how, a, b), fresh)


def cost(shape: Sequence[int], each: float) -> float:
    """Predicted nanoseconds."""
    return size(tuple(shape)) * each
