"""A 64-bit hash for each row, the same on every machine and in every process.

Python's own ``hash`` of text changes from process to process, so words go through BLAKE2b (once for each different
word) and numbers through the finaliser of SplitMix64 (Steele, Lea, Flood 2014), which spreads every bit of the input
over all bits of the output.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from .column import Column


def mix(bits: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: a bijection of 64-bit words under which neighbours have nothing in common.

    >>> [hex(word) for word in mix(np.array([1, 2], dtype=np.uint64)).tolist()]
    ['0x5692161d100b05e5', '0xdbd238973a2b148a']
    """
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))


def hash_text(text: str) -> int:
    """64 bits of BLAKE2b of the text in UTF-8."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def hash_column(column: Column) -> np.ndarray:
    """A hash for each cell, uint64 (n,): equal for equal values, and one of its own for an empty cell."""
    values = column.values
    if values.dtype == object:
        table = np.array([hash_text(level) for level in column.levels] + [hash_text("\0missing")], dtype=np.uint64)
        return table[column.codes]
    if values.dtype.kind == "M":
        return mix(values.astype("datetime64[s]").astype(np.int64).view(np.uint64))
    # -0.0 is 0.0, and there is one NaN
    clean = np.where(np.isnan(values), np.nan, values + 0.0).astype(np.float64)
    return mix(clean.view(np.uint64))


def hash_rows(columns: Iterable[Column], n_rows: int) -> np.ndarray:
    """A hash for each row, uint64 (n,), which depends on names and values but not on the order of columns."""
    total = np.zeros(n_rows, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            # The name enters before the second mixing: the same number in two columns is two things.
            total += mix(hash_column(column) ^ np.uint64(hash_text(column.name)))
    return mix(total)


def uniform(hashes: np.ndarray, seed: int) -> np.ndarray:
    """For each hash a number in [0, 1) that another seed changes; float64 (n,)."""
    salted = mix(hashes ^ np.uint64(hash_text(f"seed {seed}")))
    return (salted >> np.uint64(11)).astype(np.float64) * 2.0**-53
