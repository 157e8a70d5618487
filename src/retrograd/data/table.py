"""A table in memory: named columns of one length, each with a kind and the reason for it.

Values are float64 with NaN, objects that are str or None, or datetime64[s] with NaT; nothing else, so that everything
above this file has three cases to think of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from retrograd.errors import DataError

Kind = Literal["number", "category", "boolean", "date", "id", "text", "constant"]


@dataclass(frozen=True)
class Column:
    """One column: ``values`` (n,), what they mean (``kind``) and why we think so (``reason``)."""

    name: str
    values: np.ndarray
    kind: Kind = "number"
    reason: str = ""
    reading: str = ""
    """How text became these values (see `retrograd.data.cells`), where it did."""
    raw: np.ndarray | None = None
    """That text, str or None, where it could be read in another way."""

    @cached_property
    def missing(self) -> np.ndarray:
        """True where there is no value, (n,) bool."""
        if self.values.dtype.kind == "M":
            return np.isnat(self.values)
        if self.values.dtype == object:
            return self.codes[0] < 0
        return np.isnan(self.values)

    @cached_property
    def n_missing(self) -> int:
        """How many values are missing."""
        return int(np.count_nonzero(self.missing))

    @cached_property
    def codes(self) -> tuple[np.ndarray, list[str]]:
        """Codes (n,) int64, -1 where missing, and the distinct values as text, in order of first appearance.

        >>> Column("c", np.array(["b", None, "b"], dtype=object)).codes
        (array([ 0, -1,  0]), ['b'])
        """
        if self.values.dtype == object:
            known: dict[str | None, int] = {}
            codes = np.fromiter(
                (known.setdefault(value, len(known)) for value in self.values), np.int64, len(self.values)
            )
            if None not in known:
                return codes, list(known)  # type: ignore[arg-type]
            gap = known.pop(None)  # the codes after it move up by one
            codes[codes == gap] = -1
            codes[codes > gap] -= 1
            return codes, list(known)  # type: ignore[arg-type]
        missing = self.missing
        distinct, inverse = np.unique(self.values[~missing], return_inverse=True)
        codes = np.full(len(self.values), -1, dtype=np.int64)
        codes[~missing] = inverse
        if self.values.dtype.kind == "M":
            return codes, [str(value) for value in distinct]
        return codes, [number_text(value) for value in distinct.tolist()]

    @property
    def n_distinct(self) -> int:
        """How many different values there are, missing ones not counted."""
        return len(self.codes[1])

    def take(self, rows: np.ndarray) -> Column:
        """The column with only these rows, in this order."""
        raw = None if self.raw is None else self.raw[rows]
        return Column(self.name, self.values[rows], self.kind, self.reason, self.reading, raw)

    def text(self) -> np.ndarray:
        """The values as objects, str or None; whole numbers without a decimal point."""
        if self.values.dtype == object:
            return self.values
        codes, names = self.codes
        return np.array([*names, None], dtype=object)[codes]

    def hashes(self) -> np.ndarray:
        """A uint64 for each value that depends on the value alone, in any process, on any machine."""
        if self.values.dtype == object:
            codes, names = self.codes
            known = [_text_hash(name) for name in names]
            return np.array([*known, _MISSING], dtype=np.uint64)[codes]
        if self.values.dtype.kind == "M":
            bits = self.values.astype("datetime64[s]").view(np.uint64)
        else:
            bits = (self.values + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0
        return np.where(self.missing, np.uint64(_MISSING), mix(bits))


_MISSING = 0x9AE16A3B2F90404F


def mix(bits: np.ndarray) -> np.ndarray:
    """Scatter uint64 values over all 64 bits: the finaliser of SplitMix64 (Steele, Lea and Flood 2014).

    >>> mix(np.array([0, 1], dtype=np.uint64)).tolist()
    [16294208416658607535, 10451216379200822465]
    """
    bits = bits + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _text_hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def number_text(value: float) -> str:
    """A number as one would write it: whole numbers without a decimal point.

    >>> number_text(3.0), number_text(2.5), number_text(7129300520.0)
    ('3', '2.5', '7129300520')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


@dataclass(frozen=True)
class Table:
    """Columns of one length; made by `read_table`.

    ``fingerprint`` is the SHA-256 of the file, or of the values where there is no file.  ``notes`` are sentences about
    what was noticed while reading.

    >>> table = Table({"a": Column("a", np.array([1.0, 2.0]))}, "example")
    >>> table.n_rows, list(table.select(np.array([1])).columns["a"].values)
    (2, [np.float64(2.0)])
    """

    columns: dict[str, Column]
    source: str = "table"
    file_fingerprint: str = ""
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        lengths = {name: len(column.values) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            named = ", ".join(f"{name} {length}" for name, length in list(lengths.items())[:8])
            raise DataError(
                f"the columns have different lengths: {named}",
                where=self.source,
                hint="give every column one value for each row",
            )

    @cached_property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())).values) if self.columns else 0

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hexadecimal: of the file, or of names and values."""
        if self.file_fingerprint:
            return self.file_fingerprint
        digest = hashlib.sha256()
        for name, column in self.columns.items():
            digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
            digest.update(column.hashes().tobytes())
        return digest.hexdigest()

    def select(self, rows: np.ndarray) -> Table:
        """The table with only these rows, in this order."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return Table(columns, self.source, "", self.notes)

    def permuted(self, orders: Mapping[str, np.ndarray]) -> Table:
        """The table with the rows of some columns in another order, each its own; the other columns stay."""
        moved = {name: self.columns[name].take(order) for name, order in orders.items()}
        return replace(self, columns={**self.columns, **moved}, file_fingerprint="")

    def row_hashes(self, exclude: Iterable[str] = ()) -> np.ndarray:
        """A uint64 for each row from names and values; equal rows have equal ones, in whatever order columns stand."""
        left_out = set(exclude)
        total = np.zeros(self.n_rows, dtype=np.uint64)
        for name, column in self.columns.items():
            if name not in left_out:
                total += mix(column.hashes() ^ np.uint64(_text_hash(name)))
        return mix(total)
