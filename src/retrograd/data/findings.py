"""What a check of the data says: one thing noticed, how bad it is, where, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["note", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """One thing noticed in a table.

    ``severity``: a *note* is good to know, a *warning* may spoil the result, a *problem* makes it worthless.
    ``rows`` are row numbers of the table from 0, at most `MOST_ROWS` of them.

    >>> print(Finding("constant", "note", "town is Ulm in every row", ["town"]))
    note: town is Ulm in every row
    """

    code: str
    severity: Severity
    message: str
    columns: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.severity}: {self.message}"


MOST_ROWS = 1000
"""So many row numbers are listed in one finding; the message counts all of them."""
