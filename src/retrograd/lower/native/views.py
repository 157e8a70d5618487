"""Where the elements of a variable lie: in the buffer of another one, by strides.

Broadcasting, permuting, slicing and the like move no data: they change how a buffer is read.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...graph import Equation, Var
from ...types import Shape, size


@dataclass(frozen=True, slots=True)
class View:
    """Element i of the view is element ``offset`` + Σ i_d·strides_d of the buffer of ``root``."""

    root: Var
    shape: Shape
    strides: tuple[int, ...]
    offset: int = 0

    @property
    def contiguous(self) -> bool:
        """True if the elements lie row by row, one after the other."""
        return size(self.shape) == 0 or all(
            n == 1 or have == want
            for n, have, want in zip(self.shape, self.strides, row_major(self.shape), strict=True)
        )

    @property
    def whole(self) -> bool:
        """True if it is all of its root, row by row."""
        return self.offset == 0 and self.contiguous and size(self.shape) == size(self.root.type.shape)


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of an array that lies row by row.

    >>> row_major((2, 3, 4))
    (12, 4, 1)
    """
    out, step = [], 1
    for n in reversed(shape):
        out.append(step)
        step *= max(n, 1)
    return tuple(reversed(out))


@functools.lru_cache(1 << 14)
def whole(v: Var) -> View:
    """All of a variable's own buffer."""
    return View(v, tuple(v.type.shape), row_major(v.type.shape))


VIEWS = {"broadcast", "permute", "slice", "flip", "strided", "reshape", "detach"}
"""Ops that only change how a buffer is read; a reshape, where the strides allow it."""


def apply(eq: Equation, x: View) -> View | None:
    """The view that a view op makes of ``x``; None where data must move."""
    return _RULES[eq.op.name](x, eq.outputs[0].type.shape, **eq.params)


def _broadcast(x: View, to: Shape, **_: Any) -> View:
    lead = len(to) - len(x.shape)
    strides = [0] * lead + [s if n == m else 0 for n, m, s in zip(x.shape, to[lead:], x.strides, strict=True)]
    return View(x.root, tuple(to), tuple(strides), x.offset)


def _permute(x: View, to: Shape, dims: Sequence[int]) -> View:
    return View(x.root, tuple(to), tuple(x.strides[d] for d in dims), x.offset)


def _slice(x: View, to: Shape, index: Any) -> View:
    offset = x.offset + sum(start * s for (start, _, _), s in zip(index, x.strides, strict=True))
    if size(to) == 0:
        offset = x.offset
    strides = tuple(step * s for (_, _, step), s in zip(index, x.strides, strict=True))
    return View(x.root, tuple(to), strides, offset)


def _flip(x: View, to: Shape, dims: Sequence[int]) -> View:
    offset = x.offset + sum((x.shape[d] - 1) * x.strides[d] for d in dims if x.shape[d])
    strides = tuple(-s if d in dims else s for d, s in enumerate(x.strides))
    return View(x.root, tuple(to), strides, offset)


def _strided(x: View, to: Shape, start: Sequence[int], steps: Sequence[Sequence[int]], **_: Any) -> View:
    offset = x.offset + sum(a * s for a, s in zip(start, x.strides, strict=True))
    strides = tuple(sum(k * s for k, s in zip(step, x.strides, strict=True)) for step in steps)
    return View(x.root, tuple(to), strides, offset)


def _reshape(x: View, to: Shape, **_: Any) -> View | None:
    if x.contiguous:
        return View(x.root, tuple(to), row_major(to), x.offset)
    # Runs of old dimensions that lie evenly in memory may be cut anew; dimensions of size 1 do not count.
    old = [(n, s) for n, s in zip(x.shape, x.strides, strict=True) if n != 1]
    strides: list[int] = [0] * len(to)
    k = 0
    groups: list[tuple[int, int]] = []  # elements and innermost stride of each even run
    for n, s in old:
        if groups and groups[-1][1] == n * s:
            groups[-1] = (groups[-1][0] * n, s)
        else:
            groups.append((n, s))
    for count, inner in groups:
        left = count
        start = k
        while k < len(to) and left > 1:
            if left % to[k]:
                return None
            left //= to[k]
            k += 1
        if left != 1:
            return None
        step = inner
        for d in range(k - 1, start - 1, -1):
            strides[d] = step
            step *= to[d]
    return View(x.root, tuple(to), tuple(strides), x.offset) if all(n == 1 for n in to[k:]) else None


_RULES: dict[str, Any] = {
    "broadcast": _broadcast,
    "permute": _permute,
    "slice": _slice,
    "flip": _flip,
    "strided": _strided,
    "reshape": _reshape,
    "detach": lambda x, to, **_: x,
}
