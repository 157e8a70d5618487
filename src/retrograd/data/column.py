"""A column of a table: its values, what kind of values they are, and why we think so."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ..errors import DataError

Kind = Literal["number", "category", "boolean", "date", "id", "text", "constant"]
KINDS: tuple[str, ...] = ("number", "category", "boolean", "date", "id", "text", "constant")


@dataclass(frozen=True)
class BadCells:
    """Cells of a column of numbers that hold no usable number: stray text, or an infinity.

    ``rows`` count from 0 in the table as it was read and do not change when rows are selected: a column is damaged or
    it is not, whichever rows one looks at.
    """

    rows: np.ndarray
    texts: list[str]

    @property
    def infinite(self) -> list[int]:
        """Positions (in ``rows``) of the infinities; the others are stray text."""
        return [i for i, text in enumerate(self.texts) if _is_infinite(text)]

    def example(self) -> str:
        """``'n/k' (row 17), 'none' (row 40)``, rows counted from 1."""
        shown = [f"{text!r} (row {row + 1})" for row, text in zip(self.rows[:3].tolist(), self.texts[:3])]
        return ", ".join(shown) + (", ..." if len(self.texts) > 3 else "")


def _is_infinite(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


@dataclass(frozen=True, eq=False)
class Column:
    """One column: ``values`` (n,) as float64 with NaN, as str objects with None, or as datetime64[s] with NaT.

    ``kind`` is one of `KINDS` and ``reason`` says why.  ``unit`` is a currency sign or "%" that all cells carried;
    ``date_format`` the strptime format that was read; ``ambiguous`` is true for dates whose day and month could be
    exchanged.

    >>> Column("age", "number", np.array([31.0, np.nan]), "as given").n_missing
    1
    """

    name: str
    kind: str
    values: np.ndarray
    reason: str
    unit: str | None = None
    date_format: str | None = None
    ambiguous: bool = False
    bad: BadCells | None = None

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def missing(self) -> np.ndarray:
        """True where the cell is empty, (n,)."""
        if self.values.dtype.kind == "f":
            return np.isnan(self.values)
        if self.values.dtype.kind == "M":
            return np.isnat(self.values)
        return np.equal(self.values, None).astype(bool)

    @cached_property
    def n_missing(self) -> int:
        """Number of empty cells."""
        return int(self.missing.sum())

    @cached_property
    def n_distinct(self) -> int:
        """Number of different values, empty cells not counted."""
        return len(self.levels)

    @cached_property
    def _factors(self) -> tuple[np.ndarray, list[str]]:
        if self.values.dtype == object:
            # A dict beats sorting: most columns of words have few of them.
            levels = sorted({value for value in self.values.tolist() if value is not None})
            code_of: dict[str | None, int] = {level: code for code, level in enumerate(levels)}
            code_of[None] = -1
            codes = np.fromiter(map(code_of.__getitem__, self.values.tolist()), np.int64, len(self.values))
            return codes, levels
        known = ~self.missing
        distinct, inverse = np.unique(self.values[known], return_inverse=True)
        codes = np.full(len(self.values), -1, dtype=np.int64)
        codes[known] = inverse
        return codes, [value_text(value) for value in distinct]

    @property
    def codes(self) -> np.ndarray:
        """For each cell the position of its value in ``levels``, or -1 where it is empty; int64 (n,)."""
        return self._factors[0]

    @property
    def levels(self) -> list[str]:
        """The different values as text: words in alphabetical order, numbers and dates in their own."""
        return self._factors[1]

    def select(self, rows: np.ndarray) -> Column:
        """The same column with only these rows, in this order."""
        return replace(self, values=self.values[rows])

    def as_numbers(self) -> np.ndarray:
        """The values as float64 with NaN; `DataError` names the first cell that is not a number.

        >>> Column("x", "category", np.array(["1.5", None], dtype=object), "").as_numbers()
        array([1.5, nan])
        """
        if self.values.dtype.kind == "f":
            return self.values
        if self.values.dtype.kind == "M":
            raise DataError(
                f"column {self.name!r} holds dates where numbers are expected",
                hint=f"give numbers in {self.name!r}, as in the training data",
            )
        parsed = np.full(len(self.levels) + 1, np.nan)  # the last is for code -1
        for code, level in enumerate(self.levels):
            number = parse_number(level)
            if number is None:
                row = int(np.argmax(self.codes == code))
                raise DataError(
                    f"column {self.name!r} holds {level!r} (row {row + 1}) where a number is expected",
                    hint=f"give numbers in {self.name!r}, or leave the cell empty",
                )
            parsed[code] = number
        return parsed[self.codes]

    def as_dates(self, day_first: bool = False) -> np.ndarray:
        """The values as datetime64[s] with NaT; `DataError` names the first cell that is not a date."""
        if self.values.dtype.kind == "M":
            return exchange_day_and_month(self.values) if self.ambiguous and day_first else self.values
        if self.n_missing == len(self):
            return np.full(len(self), np.datetime64("NaT", "s"))
        example = self.levels[0]
        raise DataError(
            f"column {self.name!r} holds {example!r} where a date is expected",
            hint=f"write dates in {self.name!r} as 2026-05-31, or leave the cell empty",
        )


def parse_number(text: str) -> float | None:
    """A finite float, or None.

    >>> parse_number("1e3"), parse_number("old"), parse_number("inf")
    (1000.0, None, None)
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def value_text(value: object) -> str:
    """How a value is named as a category: whole numbers without a point, dates as in ISO 8601.

    >>> value_text(98178.0), value_text(2.5), value_text("red")
    ('98178', '2.5', 'red')
    """
    if isinstance(value, np.datetime64):
        text = str(value.astype("datetime64[s]"))
        return text.removesuffix("T00:00:00")
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return str(value)


def exchange_day_and_month(dates: np.ndarray) -> np.ndarray:
    """Read 03/04 as the other of its two meanings; only for dates whose day is at most 12.

    >>> exchange_day_and_month(np.array(["2026-04-03"], dtype="datetime64[s]")).astype("datetime64[D]")
    array(['2026-03-04'], dtype='datetime64[D]')
    """
    months = dates.astype("datetime64[M]")
    days = (dates.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)  # day - 1
    in_year = months.astype(np.int64) % 12  # month - 1; NaT gives some number and stays NaT below
    time_of_day = dates - dates.astype("datetime64[D]")
    years = months.astype("datetime64[Y]")
    known = ~np.isnat(dates)
    result = dates.copy()
    swapped = (years[known].astype("datetime64[M]") + days[known]).astype("datetime64[D]") + in_year[known]
    result[known] = swapped.astype("datetime64[s]") + time_of_day[known]
    return result
