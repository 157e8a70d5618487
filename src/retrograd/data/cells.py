"""From text cells to typed columns, by DuckDB: numbers in many notations, dates in many formats, the rest as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.data.sniff import MISSING

STRAY_SHARE = 0.05
"""Up to this share of cells (or a single one) may be stray text in a column of numbers; they then count as missing."""

_NUMBER = "CASE WHEN contains({c}, '_') OR lower({c}) LIKE '%nan%' THEN NULL ELSE TRY_CAST({c} AS DOUBLE) END"
_BARE = "regexp_replace({c}, '^([+-]?)\\s*[$€£¥]\\s*|\\s*[%€$£¥]$', '\\1')"
_NOTATIONS = {
    "numbers": _NUMBER,
    "numbers with a unit": _NUMBER.format(c=f"({_BARE})"),
    "numbers with a decimal comma": (
        "CASE WHEN regexp_matches({c}, '^[+-]?([0-9]*|[0-9]{{1,3}}([. ''][0-9]{{3}})+)(,[0-9]+)?([eE][+-]?[0-9]+)?$') "
        "THEN TRY_CAST(replace(regexp_replace({c}, '[. '']', '', 'g'), ',', '.') AS DOUBLE) END"
    ).replace("{c}", f"({_BARE})".replace("{1,3}", "{{1,3}}")),
    "numbers with separated thousands": (
        "CASE WHEN regexp_matches({c}, '^[+-]?([0-9]+|[0-9]{{1,3}}([, ''][0-9]{{3}})+)([.][0-9]+)?$') "
        "THEN TRY_CAST(regexp_replace({c}, '[, '']', '', 'g') AS DOUBLE) END"
    ).replace("{c}", f"({_BARE})"),
}
_DATE_FORMATS = (
    "%Y%m%dT%H%M%S", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M", "%m/%d/%Y", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y", "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M", "%d-%m-%Y", "%d-%m-%Y %H:%M", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y",
    "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%b %Y", "%B %Y",
)  # fmt: skip
_LIKE_A_DATE = (
    r"^[0-9]{4}[-/.][0-9]{1,2}([-/.][0-9]{1,2})?([ T].*)?$|^[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}( .*)?$|"
    r"^[0-9]{8}T[0-9]{6}|^[0-9]{1,2}[ -][A-Za-z]{3,9}[ -][0-9]{2,4}$|^[A-Za-z]{3,9} ([0-9]{1,2}, )?[0-9]{4}$"
)


_SAMPLE = 1000


@dataclass(frozen=True)
class Typed:
    """Values of a column after typing, and what was noticed (a sentence, or nothing)."""

    values: np.ndarray
    note: str = ""


def type_columns(
    connection: Any, relation: str, names: list[str], *, semicolons: bool = False
) -> list[Typed]:
    """Types for the text columns c0, c1, ... of a DuckDB table; ``names`` are for the notes.

    ``semicolons``: cells are not separated by commas, so that "1,234" is more likely one and a quarter than a thousand.
    """
    columns = [f"c{i}" for i in range(len(names))]
    # trim() takes away blanks alone; the other white space comes from spreadsheets
    space = "' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(65279)"
    listed = ", ".join(f"'{word}'" for word in MISSING)
    connection.execute(
        "CREATE TEMP TABLE cells AS SELECT "
        + ", ".join(
            f"CASE WHEN length({c}) <= 6 AND lower({c}) IN ({listed}) THEN NULL ELSE {c} END AS {c}"
            for c in columns
        )
        + f" FROM (SELECT {', '.join(f'trim({c}, {space}) AS {c}' for c in columns)} FROM {relation})"
    )
    found = connection.execute(
        "SELECT "
        + ", ".join(
            # '00' <= c < '0:' is a nought before another digit: a code, as are more digits than a double can hold
            f"count({c}), count({_NUMBER.format(c=c)}), count(*) FILTER (({c} >= '00' AND {c} < '0:') OR "
            f"(length({c}) > 15 AND NOT contains({c}, '.') AND TRY_CAST({c} AS HUGEINT) IS NOT NULL))"
            for c in columns
        )
        + " FROM cells"
    ).fetchone()
    result: dict[str, Typed] = {}
    plain, others = [], []
    for i, column in enumerate(columns):
        known, numbers, codes = found[3 * i : 3 * i + 3]
        (plain if known == numbers and known > 0 and codes == 0 else others).append(column)
    if plain:
        arrays = connection.execute(
            "SELECT " + ", ".join(f"TRY_CAST({c} AS DOUBLE) AS {c}" for c in plain) + " FROM cells"
        ).fetchnumpy()
        result.update((column, Typed(as_floats(arrays[column]))) for column in plain)
    for column in others:
        i = int(column[1:])
        known, numbers, codes = found[3 * i : 3 * i + 3]
        result[column] = _type_text(connection, column, names[i], known, codes > 0, semicolons)
    connection.execute("DROP TABLE cells")
    return [result[column] for column in columns]


def _type_text(connection: Any, column: str, name: str, known: int, codes: bool, semicolons: bool) -> Typed:
    """A column that is not made of plain numbers alone: the notation or format that fits a sample is tried on all."""
    if known == 0:
        return Typed(np.full(_one(connection, "count(*)"), np.nan))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE sample AS SELECT {column} FROM cells WHERE {column} IS NOT NULL LIMIT {_SAMPLE}"
    )
    size = min(known, _SAMPLE)
    if not codes:
        notations = _ordered(semicolons)
        counts = _counts(connection, [expression.format(c=column) for _, expression in notations])
        for (words, expression), fits in zip(notations, counts):
            if fits < 0.8 * size:
                continue
            typed = _take_if_most(connection, column, name, known, expression.format(c=column), words)
            if typed is not None:
                return typed
    (dates,) = _counts(connection, [f"CASE WHEN regexp_matches({column}, '{_LIKE_A_DATE}') THEN 1 END"])
    if dates >= 0.8 * size:
        expressions = [f"TRY_CAST({column} AS TIMESTAMP)"]
        expressions += [f"try_strptime({column}, '{pattern}')" for pattern in _DATE_FORMATS]
        # "13/10/2014" further down decides whether days or months stand first, so formats that tie are tried on all
        counts = _counts(connection, expressions)
        tied = [i for i, count in enumerate(counts) if count == max(counts)]
        if len(tied) > 1:
            exact = _counts(connection, [expressions[i] for i in tied], "cells")
            tied = [i for i, count in zip(tied, exact) if count == max(exact)]
        best = tied[0]
        typed = _take_if_most(connection, column, name, known, expressions[best], "dates", "TIMESTAMP")
        if typed is not None:
            both = len(tied) > 1 and best > 0 and "%m/%d" in _DATE_FORMATS[best - 1]
            note = f"{name}: dates could be read month or day first; read month first" if both else typed.note
            return Typed(typed.values, note)
    return Typed(as_text(connection.execute(f"SELECT {column} FROM cells").fetchnumpy()[column]))


def _ordered(semicolons: bool) -> list[tuple[str, str]]:
    notations = list(_NOTATIONS.items())
    return notations if semicolons else [*notations[:2], notations[3], notations[2]]


def _take_if_most(
    connection: Any, column: str, name: str, known: int, expression: str, words: str, kind: str = "DOUBLE"
) -> Typed | None:
    """The column read by ``expression`` when that works for (nearly) all its cells; the others are told."""
    works = _one(connection, f"count({expression})")
    stray = known - works
    allowed = max(1 if known >= 10 else 0, int(STRAY_SHARE * known))
    if works == 0 or stray > allowed:
        return None
    note = ""
    if stray:
        examples = connection.execute(
            f"SELECT {column}, rownumber FROM (SELECT {column}, row_number() OVER () AS rownumber FROM cells) "
            f"WHERE {column} IS NOT NULL AND ({expression}) IS NULL ORDER BY rownumber LIMIT 3"
        ).fetchall()
        shown = ", ".join(f"{str(text)[:40]!r} in row {row}" for text, row in examples)
        more = ", ..." if stray > len(examples) else ""
        cells = "1 cell is" if stray == 1 else f"{stray} cells are"
        what = "a date" if words == "dates" else "a number"
        note = f"{name}: {cells} not {what} and counted as missing ({shown}{more})"
    elif words not in ("numbers", "dates"):
        note = f"{name}: {words}"
    array = connection.execute(f"SELECT CAST({expression} AS {kind}) AS v FROM cells").fetchnumpy()["v"]
    return Typed(as_floats(array) if kind == "DOUBLE" else as_dates(array), note)


def _counts(connection: Any, expressions: list[str], relation: str = "sample") -> list[int]:
    """For how many cells each expression has a value."""
    return list(
        connection.execute(
            f"SELECT {', '.join(f'count({each})' for each in expressions)} FROM {relation}"
        ).fetchone()
    )


def _one(connection: Any, expression: str) -> int:
    return int(connection.execute(f"SELECT {expression} FROM cells").fetchone()[0])


def as_floats(array: np.ndarray) -> np.ndarray:
    """float64 with NaN from an array of numbers, masked or not."""
    if isinstance(array, np.ma.MaskedArray):
        return np.ma.filled(array.astype(np.float64), np.nan)
    return np.asarray(array, dtype=np.float64)


def as_dates(array: np.ndarray) -> np.ndarray:
    """datetime64[s] with NaT from an array of datetimes, masked or not."""
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array, np.datetime64("NaT"))
    return np.asarray(array).astype("datetime64[s]")


def as_text(array: np.ndarray) -> np.ndarray:
    """Objects that are str or None, from an array of strings, masked or not."""
    if isinstance(array, np.ma.MaskedArray):
        filled = np.asarray(array.data, dtype=object).copy()
        filled[np.ma.getmaskarray(array)] = None
        return filled
    return np.asarray(array, dtype=object)
