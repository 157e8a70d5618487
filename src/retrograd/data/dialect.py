"""How a text table is written: encoding, delimiter, quotes, whether its first line names the columns.

Everything is decided from the first rows, by rules that can be read here, and said in the table's notes; DuckDB is
then told and has nothing to guess.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
SAMPLE_CHARACTERS = 1 << 18
SAMPLE_ROWS = 500
MISSING = ("", "?", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "Null", "null", "None", "-", "--")
"""Cells that hold nothing, whatever the column."""

_NUMBER = re.compile(r"[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?")
_SIGNATURES = {
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet or document",
    b"\x7fELF": "a program",
    b"\x93NUMPY": "a NumPy array",
    b"\x80\x04\x95": "a pickle, which is never opened here",
}


def binary_kind(head: bytes) -> str | None:
    """What a file is when it is no text, from its first bytes; None for text.

    >>> binary_kind(bytes([0x89]) + b"PNG..."), binary_kind("größe;preis".encode("latin-1"))
    ('a PNG picture', None)
    """
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return kind
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    control = sum(byte < 9 or 13 < byte < 27 for byte in head)
    return "a binary file" if b"\0" in head or control > len(head) // 50 else None


def find_encoding(head: bytes, is_utf8: bool) -> str:
    """The encoding from a byte order mark, from being valid UTF-8, or else what Windows writes in western countries.

    >>> find_encoding(b"a,b", True), find_encoding(b"a,b", False)
    ('utf-8', 'cp1252')
    """
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8" if is_utf8 else "cp1252"


@dataclass(frozen=True)
class Dialect:
    """Delimiter (" " stands for any run of blanks), quote and escape characters, and what the first lines are.

    ``skip`` lines of a title come before the table; ``names`` is None without a header line; ``trailing`` says that
    every line ends with one delimiter too many; ``spaced`` that blanks follow delimiters before quotes.
    """

    delimiter: str
    quote: str
    escape: str
    width: int
    skip: int
    names: list[str] | None
    trailing: bool = False
    spaced: bool = False


def find_dialect(sample: str, complete: bool, header: bool | None = None) -> Dialect | None:
    """The dialect of a table from its first characters; None when there is no line with anything in it.

    ``complete`` says that the sample is the whole file; otherwise its last line is cut and not looked at.

    >>> find_dialect("a;b\\n1,5;2\\n", True)
    Dialect(delimiter=';', quote='"', escape='"', width=2, skip=0, names=['a', 'b'], trailing=False, spaced=False)
    """
    sample = sample.replace("\r\n", "\n").replace("\r", "\n")
    if not complete and "\n" in sample:
        sample = sample[: sample.rindex("\n")]
    if not sample.strip():
        return None
    quote = '"'
    if '"' not in sample and re.search(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\n]|$)", sample):
        quote = "'"
    escape = "\\" if f"\\{quote}" in sample and quote * 2 not in sample.replace(f"{quote}{quote}\n", "") else quote
    best: tuple[float, int, str, list[list[str]]] | None = None
    for delimiter in (*DELIMITERS, " "):
        rows = sample_rows(sample, delimiter, quote, escape)
        widths = Counter(len(row) for row in rows if len(row) > 1)
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        share = count / len(rows)
        # Blanks also occur between the words of a sentence, so they count only where every line agrees.
        if delimiter == " " and (best is not None or share < 1.0):
            continue
        if best is None or (round(share, 2), width) > (round(best[0], 2), best[1]):
            best = (share, width, delimiter, rows)
    if best is None:
        rows = sample_rows(sample, ",", quote, escape)
        best = (1.0, 1, ",", rows)
    _, width, delimiter, rows = best
    skip = 0
    while skip < min(len(rows) - 1, 20) and len(rows[skip]) != width and len(rows[skip]) + 1 != width:
        skip += 1
    rows = rows[skip:]
    first, body = rows[0], [row for row in rows[1:] if len(row) == width]
    trailing = width > 1 and bool(body) and all(row[-1] == "" for row in body) and (
        len(first) == width - 1 or first[-1] == ""
    )
    named = looks_like_header(first, body) if header is None else header
    spaced = delimiter != " " and f"{delimiter} {quote}" in sample
    return Dialect(delimiter, quote, escape, width, skip, first if named else None, trailing, spaced)


def sample_rows(sample: str, delimiter: str, quote: str, escape: str) -> list[list[str]]:
    """The first rows as lists of stripped cells; blank lines do not count."""
    if delimiter == " ":
        return [line.split() for line in sample.split("\n")[:SAMPLE_ROWS] if line.strip()]
    reader = csv.reader(
        sample.split("\n")[: SAMPLE_ROWS * 2],
        delimiter=delimiter,
        quotechar=quote,
        doublequote=escape == quote,
        escapechar=None if escape == quote else escape,
        skipinitialspace=True,
    )
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
            if len(rows) >= SAMPLE_ROWS:
                break
    except csv.Error:  # a quote that never closes: with this delimiter the text is no table
        return rows
    return rows


def looks_like_header(first: list[str], body: list[list[str]]) -> bool:
    """Whether the first row names the columns: different words, unlike what stands below them.

    >>> looks_like_header(["age", "job"], [["39", "clerk"], ["50", "clerk"]])
    True
    >>> looks_like_header(["39", "clerk"], [["50", "clerk"], ["38", "cook"]])
    False
    >>> looks_like_header(["0", "1", "2"], [["5.1", "3.5", "1.4"]])  # as pandas numbers columns
    True
    """
    if len(first) >= 3 and any(first == [str(i + start) for i in range(len(first))] for start in (0, 1)):
        return not all(_NUMBER.fullmatch(cell) and "." not in cell for row in body[:1] for cell in row)
    named = [cell for cell in first if cell]
    if not named or len(named) < len(first) - 1 or any(_is_value(cell) for cell in named):
        return False
    if not body:
        return True
    for position, cell in enumerate(first):
        column = [row[position] for row in body if position < len(row)]
        known = [value for value in column if value not in MISSING]
        if cell in column and len(first) > 1:
            return False  # a name does not occur among the values
        if known and sum(_is_value(value) for value in known) > 0.9 * len(known):
            return True  # a word above numbers or dates
    # Nothing but words: data repeat themselves from row to row, names do not repeat within a row.
    return len(set(named)) == len(named)


def _is_value(cell: str) -> bool:
    return cell in MISSING or bool(_NUMBER.fullmatch(cell.strip("$€£% "))) or bool(re.fullmatch(r"\d[\d.:/T+Z -]{5,}", cell))
