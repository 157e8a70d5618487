"""Keys to index with: whole numbers, slices, None, an ellipsis, masks, arrays of whole numbers, and mixtures of them.

PyTorch's rule differs from NumPy's in one point: a whole number takes its entry first, and only then do arrays of whole
numbers meet, so that ``x[0, :, [1, 2]]`` keeps the place of the list.  `by_numpy` applies NumPy in these two steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from laws.arrays import Array

Key = tuple[Any, ...]


@st.composite
def keys(draw: st.DrawFn, shape: tuple[int, ...], *, advanced: bool = True) -> Key:
    """A key that fits an array of ``shape``, as a tuple; masks and arrays are NumPy's."""
    left = list(shape)
    parts: list[Any] = []
    common = draw(st.sampled_from([(), (1,), (2,), (3, 1), (2, 2), (0,)])) if advanced else ()
    ellipsis = False
    while True:
        kinds = ["None", "stop"]
        if not ellipsis:
            kinds.append("ellipsis")
        if left:
            kinds += ["slice", "slice"]
            if left[0]:
                kinds.append("number")
            if advanced:
                kinds.append("mask")
                if left[0] or 0 in common:
                    kinds += ["array", "array"]
        kind = draw(st.sampled_from(kinds)) if len(parts) < 6 else "stop"
        if kind == "stop":
            break
        if kind == "None":
            parts.append(None)
        elif kind == "ellipsis":
            parts.append(...)
            ellipsis = True
            left = left[draw(st.integers(0, len(left))) :]
            # what the ellipsis has passed over must be passed over by it: the key ends with all that is left
            parts += [draw(_slices(n)) for n in left]
            break
        elif kind == "slice":
            parts.append(draw(_slices(left.pop(0))))
        elif kind == "number":
            n = left.pop(0)
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "array":
            parts.append(draw(_arrays(left.pop(0), common)))
        else:
            count = draw(st.integers(1, min(2, len(left))))
            size = tuple(left[:count])
            del left[:count]
            mask = np.asarray(np.random.default_rng(draw(st.integers(0, 99))).random(size) < 0.4)
            if any(isinstance(p, np.ndarray) for p in parts) or 0 in common:
                mask[...] = False
                if mask.size:
                    mask.reshape(-1)[draw(st.integers(0, mask.size - 1))] = (
                        True  # one entry meets any other array
                    )
                elif any(isinstance(p, np.ndarray) and p.size != 0 for p in parts):
                    parts += [slice(None)] * count  # no entry meets only arrays of one
                    continue
            common = (1,) if int(mask.sum()) == 1 else (int(mask.sum()),)
            parts.append(mask)
    return tuple(parts)


@st.composite
def _slices(draw: st.DrawFn, n: int) -> slice:
    ends = st.none() | st.integers(-n - 2, n + 2)
    return slice(draw(ends), draw(ends), draw(st.none() | st.integers(1, 3)))


@st.composite
def _arrays(draw: st.DrawFn, n: int, common: tuple[int, ...]) -> Array:
    """Whole numbers below n in size, of a shape that meets ``common``."""
    if n == 0:
        return np.zeros(common, np.int64)
    shape = draw(st.sampled_from([common, common[-1:], tuple(1 for _ in common)]))
    r = np.random.default_rng(draw(st.integers(0, 99)))
    return np.asarray(r.integers(-n, n, shape), np.int64)


def by_numpy(array: Array, key: Key) -> Array:
    """``array[key]`` after PyTorch's rule, by NumPy."""
    key = _numbered(key)
    try:
        return array[_numbers_only(array, key)][_without_numbers(key)]
    except IndexError:  # a number for a dimension of size 0
        reject()


def _numbered(key: Key) -> Key:
    """Arrays without dimensions are whole numbers."""
    return tuple(
        int(part) if isinstance(part, np.ndarray) and not part.ndim and part.dtype != bool else part
        for part in key
    )


def _width(part: Any) -> int:
    """How many dimensions a part of a key uses up."""
    if part is None or part is ...:
        return 0
    return part.ndim if isinstance(part, np.ndarray) and part.dtype == bool else 1


def _numbers_only(array: Array, key: Key) -> Key:
    used = sum(map(_width, key))
    out: list[Any] = []
    for part in key:
        if part is ...:
            out += [slice(None)] * (array.ndim - used)
        elif part is not None:
            out += [part] if isinstance(part, int) else [slice(None)] * _width(part)
    return tuple(out)


def _without_numbers(key: Key) -> Key:
    return tuple(part for part in key if not isinstance(part, int))


def is_basic(key: Key) -> bool:
    """True where the result is a view: no masks and no arrays."""
    return not any(isinstance(part, np.ndarray) for part in _numbered(key))
