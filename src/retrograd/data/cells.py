"""From text cells to typed columns, by DuckDB: numbers in many notations, dates in many formats, the rest as text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retrograd.data.sniff import MISSING

STRAY_SHARE = 0.05
"""Up to this share of cells (or a single one) may be stray text in a column of numbers; they then count as missing."""

MARKED = 0.6
"""From this share of numbers on, the other cells count as missing if all of them are one word; else a note is due."""

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


NUMBER_READINGS = tuple(_NOTATIONS)
DATE_READINGS = ("dates", *_DATE_FORMATS)
"""Ways to read a cell; a preparation keeps the one of each column, so that a cell is read alike whatever surrounds it."""

_SAMPLE = 1000
_AMOUNTS = 20  # different numbers: fewer may be grades or cards, where a word is a value of its own
_KEEP_TEXT = 50_000  # rows up to which the text of plain numbers is kept where it matters


@dataclass(frozen=True)
class Typed:
    """Values of a column after typing, and what was noticed (a sentence, or nothing)."""

    values: np.ndarray
    note: str = ""
    reading: str = ""
    """How the cells were read: one of `NUMBER_READINGS` or `DATE_READINGS`; empty where they were no text or stayed text."""
    raw: np.ndarray | None = None
    """The text of the cells (str or None) where another reading of it is possible."""


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
        raw = _odd_texts(connection, plain) if len(arrays[plain[0]]) <= _KEEP_TEXT else {}
        result.update(
            (column, Typed(as_floats(arrays[column]), "", "numbers", raw.get(column))) for column in plain
        )
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
    size, note = min(known, _SAMPLE), ""
    if not codes:
        notations = _ordered(semicolons)
        counts = _counts(connection, [expression.format(c=column) for _, expression in notations])
        for (words, expression), fits in zip(notations, counts):
            if fits < MARKED * size:
                continue
            typed = _take_if_most(connection, column, name, known, expression.format(c=column), words)
            if typed is not None:
                return typed
            note = note or _mixed(connection, column, name, known, expression.format(c=column))
    (dates,) = _counts(connection, [f"CASE WHEN regexp_matches({column}, '{_LIKE_A_DATE}') THEN 1 END"])
    if dates >= 0.8 * size:
        expressions = [_date_expression(reading, column) for reading in DATE_READINGS]
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
            return replace(typed, note=note, reading=DATE_READINGS[best])
    return Typed(as_text(connection.execute(f"SELECT {column} FROM cells").fetchnumpy()[column]), note)


def _mixed(connection: Any, column: str, name: str, known: int, expression: str) -> str:
    """What to say of a column most of whose cells are numbers, too many of them are not, and texts it stays."""
    works, different = connection.execute(
        f"SELECT count({expression}), count(DISTINCT {expression}) FROM cells"
    ).fetchone()
    if works < MARKED * known or different < _AMOUNTS:
        return ""
    example, row = connection.execute(
        f"SELECT {column}, n FROM (SELECT {column}, row_number() OVER () AS n FROM cells) "
        f"WHERE {column} IS NOT NULL AND ({expression}) IS NULL ORDER BY n LIMIT 1"
    ).fetchone()
    return (
        f"{name}: {works} of {known} cells are numbers, the others are not ({example[:40]!r} in row {row}): "
        "all of them are taken as texts"
    )


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
        if kind != "DOUBLE" or works < MARKED * known or not _one_marker(connection, column, expression):
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
    raw = as_text(connection.execute(f"SELECT {column} FROM cells").fetchnumpy()[column])
    return Typed(as_floats(array) if kind == "DOUBLE" else as_dates(array), note, words, raw)


def _one_marker(connection: Any, column: str, expression: str) -> bool:
    """True where amounts (many different numbers) share their column with one word, such as "n.v." or "unknown"."""
    words, numbers = connection.execute(
        f"SELECT count(DISTINCT CASE WHEN ({expression}) IS NULL THEN {column} END), count(DISTINCT {expression}) "
        "FROM cells"
    ).fetchone()
    return words == 1 and numbers >= _AMOUNTS


def _odd_texts(connection: Any, columns: list[str]) -> dict[str, np.ndarray]:
    """The texts of columns of plain numbers where some may mean something else: 1.234 a thousand, 1.0 a code."""
    odd = (
        "NOT regexp_matches({c}, '^-?(0|[1-9][0-9]*)([.][0-9]*[1-9])?$') OR "
        "regexp_matches({c}, '^-?[0-9]{{1,3}}([.][0-9]{{3}})+$')"
    )
    found = connection.execute(
        f"SELECT {', '.join(f'bool_or({odd.format(c=c)})' for c in columns)} FROM cells"
    ).fetchone()
    chosen = [column for column, hit in zip(columns, found) if hit]
    if not chosen:
        return {}
    arrays = connection.execute(f"SELECT {', '.join(chosen)} FROM cells").fetchnumpy()
    return {column: as_text(arrays[column]) for column in chosen}


def read_again(texts: list[str], reading: str) -> np.ndarray:
    """Texts read one by one as ``reading`` says, float64 or datetime64[s]; what does not fit is NaN or NaT.

    A text that does not fit may be written in another way that allows no doubt: 1.5 among decimal commas, 2024-12-31
    among 31/12/2024.  What other texts stand beside it never matters.

    >>> read_again(["02/11/2023", "2023-11-02", "11/25/2023"], "%d/%m/%Y").astype(str).tolist()
    ['2023-11-02T00:00:00', '2023-11-02T00:00:00', 'NaT']
    >>> read_again(["1.234", "1,5", "2.5", "n.v."], "numbers with a decimal comma").tolist()
    [1234.0, 1.5, 2.5, nan]
    """
    import duckdb

    if reading in _NOTATIONS:
        kind = "DOUBLE"
        tried = [_NOTATIONS[reading].format(c="c"), _NOTATIONS["numbers"].format(c="c")]
        doubt = "regexp_matches(c, '^[+-]?[0-9]{1,3},[0-9]{3}$')"  # a thousand, or one and a bit
        others = [f"CASE WHEN NOT {doubt} THEN {each.format(c='c')} END" for each in _NOTATIONS.values()]
        tried += [*others, "CASE lower(c) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"]
    else:
        kind = "TIMESTAMP"
        order = "%m/%d" if reading.startswith("%m/%d") else "%d/%m" if reading.startswith("%d/%m") else ""
        clear = [each for each in DATE_READINGS[1:] if "/" not in each or each.startswith("%Y")]
        same = [each for each in DATE_READINGS[1:] if order and each.startswith(order)]
        own = [_date_expression(each, "c") for each in dict.fromkeys([reading, *same, "dates", *clear])]
        tried = [f"CASE WHEN regexp_matches(c, '{_LIKE_A_DATE}') THEN {each} END" for each in own]
        tried.append("CASE WHEN regexp_matches(c, '^(19|20)[0-9]{6}$') THEN try_strptime(c, '%Y%m%d') END")
    with duckdb.connect() as connection:
        array = connection.execute(
            f"SELECT CAST(COALESCE({', '.join(tried)}) AS {kind}) AS v FROM (SELECT unnest(CAST(? AS VARCHAR[])) AS c)",
            [texts],
        ).fetchnumpy()["v"]
    return as_floats(array) if kind == "DOUBLE" else as_dates(array)


def _date_expression(reading: str, column: str) -> str:
    if reading == "dates":
        return f"TRY_CAST({column} AS TIMESTAMP)"
    return f"try_strptime({column}, '{reading}')"


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
