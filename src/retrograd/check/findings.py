"""What a check reports."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is wrong: a short code, where it is, what was seen, and what to do about it.

    >>> print(Finding("nan input", "column 3", "2 of 100 rows are NaN", "fill or drop them"))
    nan input (column 3): 2 of 100 rows are NaN
      hint: fill or drop them
    """

    code: str
    where: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.code} ({self.where}): {self.message}\n  hint: {self.hint}"
