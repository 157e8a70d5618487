"""The cells of a column as training read them, one by one, so that a cell means the same beside any others."""

from __future__ import annotations

import numpy as np

from retrograd.data.cells import DATE_READINGS, read_again
from retrograd.data.kinds import dates_from_digits
from retrograd.data.table import Column
from retrograd.errors import DataError


def numbers_of(column: Column, reading: str = "") -> np.ndarray:
    """The values as float64; with a ``reading``, texts that are no numbers are NaN, without one they raise `DataError`.

    Each cell is read by itself, so that it means the same beside any others.  `DataError` where no cell can be read.
    """
    again = _read_again(column, reading or "numbers")
    if again is not None:
        bad = np.isnan(again) & ~_absent(column)
        if bad.any() and (not reading or not np.isfinite(again).any()):
            _refuse(
                column,
                bad,
                "numbers",
                f"correct that cell, or leave it empty: a missing {column.name} is allowed",
            )
        return again
    if column.values.dtype.kind == "M":
        raise DataError(
            f"column {column.name!r} held numbers in training, and holds dates here",
            hint="give the column as it was in the training data",
        )
    return column.values.astype(np.float64, copy=False)


def dates_of(column: Column, reading: str = "dates") -> np.ndarray:
    """The values as datetime64[s], each cell read by itself; `DataError` where no cell can be read."""
    if column.values.dtype.kind == "M" and column.reading not in DATE_READINGS:
        return column.values.astype("datetime64[s]")
    found = _read_again(column, reading)
    if found is None and column.values.dtype.kind == "M":
        return column.values.astype("datetime64[s]")
    if found is None:
        found = dates_from_digits(column.values)
    bad = np.isnat(found) & ~_absent(column)
    if bad.any() and np.isnat(found).all():
        _refuse(column, bad, "dates", "write dates as 2024-12-31, or leave the cell empty")
    return found


def _texts(column: Column) -> np.ndarray | None:
    return column.values if column.values.dtype == object else column.raw


def _absent(column: Column) -> np.ndarray:
    """Where the cell itself is empty."""
    texts = _texts(column)
    return column.missing if texts is None else np.array([text is None for text in texts], dtype=bool)


def _read_again(column: Column, reading: str) -> np.ndarray | None:
    """The cells as ``reading`` says, each by itself; None where that is what the values are."""
    texts = _texts(column)
    if texts is None:
        return None
    if (
        column.values.dtype != object
        and column.reading == reading
        and column.n_missing == _absent(column).sum()
    ):
        return None
    codes, names = Column(column.name, texts).codes
    gap = np.datetime64("NaT", "s") if reading in DATE_READINGS else np.nan
    return np.append(read_again(names, reading), gap)[codes]


def _refuse(column: Column, bad: np.ndarray, words: str, hint: str) -> None:
    row = int(np.argmax(bad))
    raise DataError(
        f"column {column.name!r} held {words} in training, and holds {_cell(column, row)} in row {row + 1}",
        hint=hint,
    )


def _cell(column: Column, row: int) -> str:
    texts = _texts(column)
    return repr(column.text()[row] if texts is None else texts[row])[:42]


def stray_cells(column: Column, missing: np.ndarray, what: str) -> list[str]:
    """A sentence about cells that hold something and are missing all the same, or nothing."""
    bad = np.flatnonzero(missing & ~_absent(column))
    if not len(bad):
        return []
    shown = ", ".join(f"{_cell(column, int(row))} in row {row + 1}" for row in bad[:3])
    cells = "1 cell is" if len(bad) == 1 else f"{len(bad)} cells are"
    more = ", ..." if len(bad) > 3 else ""
    return [f"{column.name}: {cells} not {what} and counted as missing ({shown}{more})"]
