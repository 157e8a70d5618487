"""Where every buffer of a program lies: one block of memory, in which buffers that are never alive together share places."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...graph import Var
from ...op import Array
from ...types import size
from .fuse import Schedule, read_by

ALIGNMENT = 64
END = 1 << 60


def bytes_of(v: Var) -> int:
    """Bytes of a variable's buffer, in whole cache lines."""
    return -(-size(v.type.shape) * v.type.dtype.itemsize // ALIGNMENT) * ALIGNMENT


def last_reads(schedule: Schedule, kept: Iterable[Var]) -> dict[Var, int]:
    """The group that reads each buffer last; those of ``kept`` are read after all."""
    last: dict[Var, int] = {}
    for k, group in enumerate(schedule.groups):
        for view in read_by(group):
            last[view.root] = k
    for v in kept:
        last[schedule.view(v).root] = END
    return last


class Layout:
    """Offsets of buffers in the block, found in the order of execution."""

    def __init__(self, start: int = 0) -> None:
        self.offsets: dict[Var, int] = {}
        self.size = start
        self._free: list[tuple[int, int]] = []  # offset, bytes

    def take(self, v: Var, n: int) -> int:
        """A place of ``n`` bytes: the smallest free one that is large enough, else at the end."""
        fits = [(have, at) for at, have in self._free if have >= n]
        if fits and n:
            have, at = min(fits)
            self._free.remove((at, have))
            if have > n:
                self._free.append((at + n, have - n))
        else:
            at, self.size = self.size, self.size + n
        self.offsets[v] = at
        return at

    def give(self, at: int, n: int) -> None:
        """Free a place; neighbours grow together."""
        if not n:
            return
        for other in list(self._free):
            if other[0] + other[1] == at:
                self._free.remove(other)
                at, n = other[0], n + other[1]
            elif at + n == other[0]:
                self._free.remove(other)
                n += other[1]
        self._free.append((at, n))


def lay_out(
    schedule: Schedule, elsewhere: Mapping[Var, Any], kept: Iterable[Var], given: Iterable[Var], start: int
) -> Layout:
    """Places for all buffers that groups write and that lie nowhere else, and for what is ``given`` from the start."""
    last = last_reads(schedule, kept)
    layout = Layout(start)
    for v in given:
        layout.take(v, bytes_of(v))
    ends: dict[int, list[Var]] = {}
    for k, group in enumerate(schedule.groups):
        for v in group.writes:
            if v not in elsewhere:
                layout.take(v, bytes_of(v))
                ends.setdefault(max(k, last.get(v, k)), []).append(v)
        for v in ends.get(k, ()):
            layout.give(layout.offsets[v], bytes_of(v))
    return layout


def aligned(n: int) -> np.ndarray[Any, Any]:
    """Zeroed bytes that begin at a cache line."""
    raw = np.zeros(n + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + n]


def apart(arrays: Iterable[Array]) -> bool:
    """True if no two arrays share memory."""
    ends = sorted(np.lib.array_utils.byte_bounds(a) for a in arrays if a.size)
    return all(a[1] <= b[0] for a, b in itertools.pairwise(ends))
