"""What kind of text file this is: encoding, delimiter, header row; decided from its beginning, and said."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass

MISSING = ("", "?", "na", "n/a", "nan", "null", "none", "#n/a", "<na>", "nat")
"""What stands for a missing value, in any case, blanks around it ignored."""

_DELIMITERS = (",", ";", "\t", "|", " ", ":", "~", "^")
_NUMBER = re.compile(r"[+-]?[$€£]?(\d+|\d{1,3}([,. ']\d{3})+)?([.,]\d*)?([eE][+-]?\d+)?\s*[%€$£]?")


@dataclass(frozen=True)
class Dialect:
    """How to take a text file apart; ``header`` says whether its first row holds names."""

    delimiter: str
    header: bool
    names: list[str]
    first_line: int = 0
    why_header: str = ""


def encoding_of(start: bytes, valid_utf8: bool) -> str:
    """The encoding, by byte-order mark, then UTF-8 if the whole file is valid, else Windows-1252.

    >>> encoding_of(b"caf\\xe9", False)
    'cp1252'
    """
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # every other byte zero: UTF-16 without its mark
    if len(start) >= 4 and start[1:40:2].count(0) > len(start[1:40:2]) // 2:
        return "utf-16-le"
    return "utf-8" if valid_utf8 else "cp1252"


def looks_numeric(cell: str) -> bool:
    """True for what a person would call a number.

    >>> [looks_numeric(cell) for cell in ("3,5", "1e-3", "$1,200", "A1", "-", "")]
    [True, True, True, False, False, False]
    """
    cell = cell.strip()
    return any(sign.isdigit() for sign in cell) and _NUMBER.fullmatch(cell) is not None


def is_missing(cell: str) -> bool:
    """True for a cell that stands for no value.

    >>> is_missing(" NA "), is_missing("0")
    (True, False)
    """
    return cell.strip().lower() in MISSING


def sniff(text: str, *, complete: bool, header: bool | None = None) -> Dialect:
    """The dialect of a file that begins with ``text``; ``complete`` when that is all of it.

    >>> sniff("a;b\\n1,5;2\\n", complete=True)
    Dialect(delimiter=';', header=True, names=['a', 'b'], first_line=0, why_header='names over numbers')
    >>> sniff("5.1 3.5 x\\n4.9 3.0 y\\n", complete=True).names
    ['c1', 'c2', 'c3']
    """
    lines = text.splitlines()
    if not complete and len(lines) > 1:
        lines.pop()  # it may be cut in the middle
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    declared = None
    if lines and re.fullmatch(r"sep=.", lines[first].strip(), re.IGNORECASE):  # a habit of spreadsheets
        declared = lines[first].strip()[-1]
        first += 1
    sample = [line for line in lines[first : first + 200] if line.strip()]
    delimiter = declared or _delimiter(sample)
    rows = cells_of(sample, delimiter)
    if not rows:
        return Dialect(delimiter, bool(header), [], first)
    found, why = (header, "as you said") if header is not None else _has_header(rows)
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    if found:
        names = [cell.strip() or f"c{i}" for i, cell in enumerate(rows[0], 1)]
    else:
        names = [f"c{i}" for i in range(1, width + 1)]
    return Dialect(delimiter, found, names, first, why)


def cells_of(lines: list[str], delimiter: str) -> list[list[str]]:
    """The cells of some lines."""
    if delimiter == " ":
        return [line.split() for line in lines]
    try:
        return [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
    except csv.Error:
        return [line.split(delimiter) for line in lines]


def _delimiter(lines: list[str]) -> str:
    """The delimiter that gives most lines the same number of cells, more than one; early candidates win ties."""
    best, best_score = ",", (0.0, 0.0)
    if not lines:
        return best
    for candidate in _DELIMITERS:
        counts = Counter(len(row) for row in cells_of(lines, candidate))
        if not counts:
            continue
        width, times = counts.most_common(1)[0]
        if width < 2:
            continue
        share = times / sum(counts.values())
        rare = candidate in " :~^"  # these stand in texts and times as well
        if rare and share < 0.95:
            continue
        score = (round(share, 1) - (0.5 if rare else 0.0), float(width))
        # a decimal comma makes a comma look like a delimiter: a stronger one that fits as well is meant
        if best == "," and candidate in ";\t|" and share >= 0.9 and best_score[0] > 0:
            score = (score[0] + 1.0, score[1])
        if score > best_score:
            best, best_score = candidate, score
    if best == "," and "," not in lines[0] and all(_one_number(line) for line in lines[1:]):
        return ";"  # a single column of numbers with a decimal comma, under its name
    return best


def _one_number(line: str) -> bool:
    cell = line.strip().strip('"')
    return is_missing(cell) or re.fullmatch(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?", cell) is not None


def _has_header(rows: list[list[str]]) -> tuple[bool, str]:
    first, rest = rows[0], rows[1:]
    if any(looks_numeric(cell) for cell in first):
        return False, "the first row holds numbers"
    if all(is_missing(cell) for cell in first):
        return False, "the first row is empty"
    if not rest:
        return True, "a single row without numbers"
    for i in range(len(first)):
        below = [row[i] for row in rest if i < len(row) and not is_missing(row[i])]
        if below and sum(looks_numeric(cell) for cell in below) > 0.5 * len(below):
            return True, "names over numbers"
    repeated = sum(
        any(i < len(row) and row[i].strip() == cell.strip() for row in rest) for i, cell in enumerate(first)
    )
    if repeated or len(set(first)) < len(first):
        return False, "the first row looks like the others"
    return True, "the first row occurs nowhere else"
