"""A table: named columns of one length, where they came from, and a fingerprint of what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from ..errors import DataError
from .column import Column
from .hashing import hash_rows


class Table:
    """Columns in order.  ``source`` names the file, ``notes`` say what was decided while reading.

    >>> table = Table([Column("a", "number", np.array([1.0, 2.0]), "as given")])
    >>> table
    Table(2 rows, 1 column: a number)
    >>> table.select([1]).columns["a"].values
    array([2.])
    """

    def __init__(
        self,
        columns: Iterable[Column],
        *,
        source: str = "table",
        fingerprint: str | None = None,
        notes: Sequence[str] = (),
        header: bool = True,
    ) -> None:
        self.columns: dict[str, Column] = {}
        for column in columns:
            if column.name in self.columns:
                raise DataError(
                    f"two columns of {source} are called {column.name!r}", hint="give each column a name of its own"
                )
            self.columns[column.name] = column
        lengths = {len(column) for column in self.columns.values()}
        if len(lengths) > 1:
            raise DataError(
                f"the columns of {source} have different lengths: "
                + ", ".join(f"{name} has {len(column)}" for name, column in list(self.columns.items())[:5]),
                hint="give each column one value per row",
            )
        self.n_rows: int = lengths.pop() if lengths else 0
        self.source = source
        self.notes: list[str] = list(notes)
        self.header = header
        self._fingerprint = fingerprint

    def __repr__(self) -> str:
        shown = ", ".join(f"{column.name} {column.kind}" for column in list(self.columns.values())[:6])
        count = len(self.columns)
        more = ", ..." if count > 6 else ""
        return f"Table({self.n_rows} rows, {count} column{'s' if count != 1 else ''}: {shown}{more})"

    def __len__(self) -> int:
        return self.n_rows

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the file's bytes, or of names and values where there was no file."""
        if self._fingerprint is None:
            digest = hashlib.sha256("\0".join(self.columns).encode("utf-8", "surrogatepass"))
            digest.update(self.row_hashes().tobytes())
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def select(self, rows: np.ndarray | Sequence[int]) -> Table:
        """A table of only these rows, in this order; kinds and reasons stay as they are."""
        rows = np.asarray(rows, dtype=np.int64)
        chosen = Table(
            (column.select(rows) for column in self.columns.values()),
            source=self.source,
            notes=self.notes,
            header=self.header,
        )
        chosen.n_rows = len(rows)
        return chosen

    def row_hashes(self, exclude: Collection[str] = ()) -> np.ndarray:
        """A 64-bit hash for each row, uint64 (n,): equal rows have equal hashes, in every process."""
        return hash_rows((c for c in self.columns.values() if c.name not in exclude), self.n_rows)
