"""What a column is: number, category, boolean, date, id, text or constant, and why we think so."""

from __future__ import annotations

import re

import numpy as np

from retrograd.data.table import Column, Kind

_YES_NO = (
    {"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"on", "off"}, {"ja", "nein"}, {"oui", "non"},
)  # fmt: skip
_MOMENT_NAME = re.compile(
    r"(^|[_ .-])(year|month|week|day|hour|minute|second|quarter|season|age|time|step|epoch|jahr|monat|woche|tag|alter)"
    r"(s|$|[_ .-])",
    re.IGNORECASE,
)
_YES = {"true", "yes", "y", "t", "on", "ja", "oui", "1"}
_NO = {"false", "no", "n", "f", "off", "nein", "non", "0"}
_ID_NAME = re.compile(
    r"(^|_| |-|\.)(id|uuid|guid|identifier|rownum|row_number)$|^(id|uid|pid)([_ .-]|$)|[a-z]I[Dd]$|^unnamed: ?0$",
    re.IGNORECASE,
)
_CODE_NAME = re.compile(
    r"(^|[_ .-])(zip|zip_?code|postcode|postal|postal_?code|plz|fips|code)($|[_ .-])", re.IGNORECASE
)
_DATE_NAME = re.compile(r"date|day|datum|time", re.IGNORECASE)

TEXT_WORDS = 4.0
"""Average number of words from which on a column of (nearly) all different values is running text."""


def kind_of(name: str, values: np.ndarray) -> tuple[Kind, str, np.ndarray]:
    """Kind, reason, and the values in the form of that kind.

    >>> kind_of("zipcode", np.array([98178.0, 98125.0, 98178.0, 98178.0]))[0::2]
    ('category', array(['98178', '98125', '98178', '98178'], dtype=object))
    >>> kind_of("age", np.array([22.0, 38.0, np.nan]))[:2]
    ('number', 'numbers')
    """
    column = Column(name, values)
    known = len(values) - column.n_missing
    if known == 0:
        return "constant", "no value in any row", values
    if values.dtype.kind == "M":
        return "date", "dates", values
    distinct = column.n_distinct
    if distinct == 1 and column.n_missing == 0:
        return "constant", f"the same value in every row: {column.codes[1][0]}", values
    if values.dtype == object:
        return _kind_of_text(name, column, known, distinct)
    return _kind_of_numbers(name, column, known, distinct)


def _kind_of_numbers(name: str, column: Column, known: int, distinct: int) -> tuple[Kind, str, np.ndarray]:
    values = column.values
    present = values[~column.missing]
    if distinct == 2 and set(np.unique(present).tolist()) == {0.0, 1.0}:
        return "boolean", "only 0 and 1", values
    whole = bool(np.isfinite(present).all() and (present == np.floor(present)).all())
    if whole and _DATE_NAME.search(name) and present.min() >= 19000101 and present.max() <= 21001231:
        dates = dates_from_digits(values)
        if (np.isnat(dates) == column.missing).all():
            return "date", "dates written as YYYYMMDD", dates
    if whole and _ID_NAME.search(name) and distinct >= max(0.2 * known, 3):
        return "id", f"called {name!r}, {distinct} different numbers in {known} rows", values
    if whole and distinct == len(values) >= 20:
        steps = np.diff(present)
        if (steps == 1).all() and not _MOMENT_NAME.search(name):
            return "id", "counts the rows", values
        if name == "c1" and present.min() > 0 and present.max() > 100 * len(values):
            return "id", "a different large whole number in every row of the first, nameless column", values
    if whole and _CODE_NAME.search(name) and distinct <= 0.5 * known and present.min() >= 0:
        return "category", f"called {name!r}: codes, not amounts", column.text()
    return "number", "numbers", values


def _kind_of_text(name: str, column: Column, known: int, distinct: int) -> tuple[Kind, str, np.ndarray]:
    values, names = column.values, column.codes[1]
    lowered = {text.lower() for text in names}
    if distinct == 2 and any(lowered == pair for pair in _YES_NO):
        return "boolean", f"only {names[0]} and {names[1]}", values
    if distinct > 20:
        sample = names[:2000]
        words = sum(text.count(" ") + 1 for text in sample) / len(sample)
        if distinct > 0.5 * known and words >= TEXT_WORDS:
            return "text", f"running text, {words:.0f} words on average; not used in this version", values
        if distinct > 0.9 * known:
            return "id", f"{distinct} different values in {known} rows", values
        if _ID_NAME.search(name) and distinct >= 0.2 * known:
            return "id", f"called {name!r}, {distinct} different values in {known} rows", values
    return "category", f"{distinct} different values", values


def dates_from_digits(values: np.ndarray) -> np.ndarray:
    """20141013.0 to 2014-10-13, datetime64[s]; NaT where that is no date.

    >>> dates_from_digits(np.array([20141013.0, 7.0])).astype(str).tolist()
    ['2014-10-13T00:00:00', 'NaT']
    """
    fits = np.isfinite(values) & (values >= 10000101) & (values <= 99991231) & (values == np.floor(values))
    digits = np.where(fits, values, 19700101).astype(np.int64)
    year, month, day = digits // 10000, digits // 100 % 100, digits % 100
    fits &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    months = (year - 1970) * 12 + (np.clip(month, 1, 12) - 1)
    dates = (months.astype("datetime64[M]").astype("datetime64[D]") + (day - 1)).astype("datetime64[s]")
    dates[~fits] = np.datetime64("NaT")
    return dates


def truth_of(text: str) -> bool | None:
    """True or False for the usual spellings of yes and no, in any case; None for other texts.

    >>> [truth_of(text) for text in ("YES", "0", "maybe")]
    [True, False, None]
    """
    lowered = text.strip().lower()
    return True if lowered in _YES else False if lowered in _NO else None
