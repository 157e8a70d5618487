"""CSV and its relatives: looked over once in Python (hash, encoding, delimiter, header), then read by DuckDB."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from retrograd.data.cells import Typed, type_columns
from retrograd.data.sniff import Dialect, encoding_of, sniff
from retrograd.errors import DataError

_CHUNK = 1 << 20
_SAMPLE = 1 << 18


def read_text_file(
    path: Path, connection: Any, header: bool | None
) -> tuple[list[str], list[Typed], str, list[str]]:
    """Names, typed columns, SHA-256 and notes of a delimited text file; `DataError` says what is wrong with it."""
    start, fingerprint, utf8, carriage_returns = _look_over(path)
    encoding = encoding_of(start, utf8)
    # "ignore": the sample may end in the middle of a character
    text = start.decode(encoding, "ignore").lstrip("\ufeff")
    dialect = sniff(text, complete=len(start) < _SAMPLE, header=header)
    if not dialect.names:
        raise DataError(
            "the file holds no rows, only blank lines", where=str(path), hint="give a file with data"
        )
    demand_distinct(dialect.names, str(path))
    notes = [] if dialect.header else [f"no header row ({dialect.why_header}): columns are named c1, c2, ..."]
    if encoding not in ("utf-8", "utf-8-sig"):
        notes.append(f"read as {encoding}")
    rewrite = (
        encoding not in ("utf-8", "utf-8-sig")
        or carriage_returns
        or dialect.delimiter == " "
        or dialect.first_line > 0
    )
    # gzip is known by its first bytes: it need not be called .gz
    if rewrite or _is_gzip(path) or path.suffix.lower() == ".gz":
        with _rewritten(path, encoding, dialect) as plain:
            typed = _read(connection, plain, dialect, path, notes)
    else:
        typed = _read(connection, path, dialect, path, notes)
    if len(typed[0].values) == 0:
        raise DataError(
            "the file has a header row and no rows under it", where=str(path), hint="give a file with data"
        )
    return dialect.names, typed, fingerprint, notes


def _read(connection: Any, plain: Path, dialect: Dialect, path: Path, notes: list[str]) -> list[Typed]:
    import duckdb

    delimiter = "\t" if dialect.delimiter == " " else dialect.delimiter
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(dialect.names)))
    options = (
        f"delim={_quoted(delimiter)}, quote='\"', escape='\"', header={str(dialect.header).lower()}, "
        f"auto_detect=false, columns={{{columns}}}, max_line_size=16777216"
    )
    source = f"read_csv({_quoted(str(plain))}, {options}"
    try:
        try:
            connection.execute(f"CREATE OR REPLACE TEMP TABLE raw AS SELECT * FROM {source})")
        except duckdb.InvalidInputException as error:
            if "unterminated quote" not in str(error):
                raise
            # a lone quotation mark inside a text is common; lines then count as they stand
            connection.execute(
                f"CREATE OR REPLACE TEMP TABLE raw AS SELECT * FROM {source}, strict_mode=false)"
            )
        swallowed = _swallowed(connection, dialect)
        if swallowed:
            notes.append(swallowed)
        return type_columns(connection, "raw", dialect.names, semicolons=dialect.delimiter != ",")
    except duckdb.Error as error:
        raise _explained(error, dialect, path, plain) from None


def _swallowed(connection: Any, dialect: Dialect) -> str:
    """A sentence about cells that span lines which look like rows: a quotation mark without its partner makes them."""
    if len(dialect.names) < 2:
        return ""
    cells = [f"c{i}" for i in range(len(dialect.names))]
    marks = len(dialect.names) // 2  # of a row cut in two, one part has at least so many delimiters
    sign = _quoted("\t" if dialect.delimiter == " " else dialect.delimiter)
    torn = " OR ".join(
        f"coalesce(contains({c}, chr(10)) AND length({c}) - length(replace({c}, {sign}, '')) >= {marks}, false)"
        for c in cells
    )
    (count,) = connection.execute(f"SELECT count(*) FROM raw WHERE {torn}").fetchone()
    if not count:
        return ""
    more = " + ".join(f"coalesce(length({c}) - length(replace({c}, chr(10), '')), 0)" for c in cells)
    before = "coalesce(sum(more) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
    (line,) = connection.execute(
        f"SELECT min(line) FROM (SELECT torn, {before} + row_number() OVER () AS line "
        f"FROM (SELECT ({torn}) AS torn, {more} AS more FROM raw)) WHERE torn"
    ).fetchone()
    first = int(line) + dialect.header + dialect.first_line
    rows = "1 row holds" if count == 1 else f"{count} rows hold"
    return (
        f"{rows} a quoted cell that spans lines which look like rows of their own, the first from line {first}: "
        "a quotation mark is probably missing there"
    )


def _explained(error: Exception, dialect: Dialect, path: Path, plain: Path) -> DataError:
    text = str(error)
    line = re.search(r"on Line: (\d+)", text)
    widths = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    shown = {"\t": "tab", " ": "blank"}.get(dialect.delimiter, repr(dialect.delimiter))
    number = int(line[1]) + dialect.first_line if line else None
    where = f"{path}, line {number}" if number else str(path)
    ragged = _first_ragged(plain, dialect)
    if ragged is None and widths and number:
        ragged = number - dialect.first_line, int(widths[2]), ""
    if ragged is not None:
        number, cells, line_ = ragged[0] + dialect.first_line, ragged[1], ragged[2]
        names = (
            f"the header has {len(dialect.names)}" if dialect.header else f"most have {len(dialect.names)}"
        )
        hint = f"mend it: sed -n {number}p {path}"
        if line_.startswith(("#", "%")) or (dialect.header and dialect.names[0].startswith(("#", "%"))):
            hint = f"take the comment lines away: grep -v '^[#%]' {path} > clean.csv"
        elif dialect.delimiter == " " and cells < len(dialect.names):
            hint = f"a name or a cell has a blank in it: put it in quotation marks or use commas; sed -n 1,{number}p {path}"
        return DataError(
            f"this line has {cells} {'cell' if cells == 1 else 'cells'}, {names} (the delimiter is {shown})",
            where=f"{path}, line {number}",
            hint=hint,
        )
    if "state machine" in text or "new line" in text.lower():
        return DataError(
            "the lines of this file do not end alike (some in CR LF, some in LF)",
            where=where,
            hint=f"tr -d '\\r' < {path} > clean.csv",
        )
    first = re.sub(r"^[\w ]*Error:\s*", "", text.splitlines()[0])
    return DataError(f"this file cannot be read as a table: {first}", where=where, hint="is it a CSV file?")


def _first_ragged(plain: Path, dialect: Dialect) -> tuple[int, int, str] | None:
    """Line, number of cells and text of the first row that has not as many cells as there are columns."""
    delimiter = "\t" if dialect.delimiter == " " else dialect.delimiter
    try:
        with plain.open(encoding="utf-8", errors="replace", newline="") as file:
            reader, start = csv.reader(file, delimiter=delimiter), 1
            for row in reader:
                if row and len(row) != len(dialect.names):
                    return start, len(row), row[0]
                start = reader.line_num + 1
    except csv.Error:
        return None
    return None


def _look_over(path: Path) -> tuple[bytes, str, bool, bool]:
    """The first bytes, the SHA-256 of the file, whether all of it is UTF-8, and whether lines end in CR alone
    or now so, now so."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    start, utf8 = b"", True
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _unpacked(path) as file:
        while chunk := file.read(_CHUNK):
            if not start:
                start = chunk[:_SAMPLE]
                _demand_text(start, path)
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                utf8 = False
                break
        else:
            try:
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                utf8 = False
    if not start.strip(b" \t\r\n\xef\xbb\xbf"):
        raise DataError("the file is empty", where=str(path), hint="give a file with a header row and data")
    ends = start[:-1]  # the last byte may be half of a line end
    mixed = b"\r" in ends and ends.count(b"\r\n") != ends.count(b"\n") + (ends.endswith(b"\r"))
    return start, digest.hexdigest(), utf8, mixed or (b"\r" in ends and b"\n" not in ends)


@contextmanager
def _unpacked(path: Path) -> Iterator[BinaryIO]:
    """The bytes of the file, unpacked where it is gzip, whatever its name."""
    packed = _is_gzip(path)
    with path.open("rb") as raw:
        try:
            if packed:
                with gzip.open(raw) as file:
                    yield file  # type: ignore[misc]
            else:
                yield raw
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"the compressed file is damaged: {error}",
                where=str(path),
                hint=f"gzip -t {path}; get it again",
            ) from None


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _demand_text(start: bytes, path: Path) -> None:
    known = {
        b"PK\x03\x04": "a zip archive or an Excel workbook", b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image",
        b"%PDF": "a PDF document", b"\x7fELF": "a program", b"\xd0\xcf\x11\xe0": "an old Excel workbook",
        b"\x80\x04": "a pickle", b"\x93NUMPY": "a NumPy array", b"BZh": "a bzip2 archive", b"\x28\xb5\x2f\xfd": "a zstd archive",
    }  # fmt: skip
    for mark, name in known.items():
        if start.startswith(mark):
            raise DataError(
                f"this is {name}, not a table",
                where=str(path),
                hint="export it as CSV, TSV, Parquet or JSON lines",
            )
    zeros = start.count(0)
    if zeros and encoding_of(start, True) not in ("utf-16", "utf-16-le", "utf-32"):
        raise DataError(
            "this is a binary file, not a table", where=str(path), hint="give CSV, TSV, Parquet or JSON lines"
        )


@contextmanager
def _rewritten(path: Path, encoding: str, dialect: Dialect) -> Iterator[Path]:
    """A temporary copy in UTF-8 with plain line ends, from the first row on; blanks between cells become tabs."""
    handle, name = tempfile.mkstemp(suffix=".csv")
    try:
        with _unpacked(path) as raw, os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            reader = codecs.getreader(encoding)(raw, "replace")
            reader_lines = _lines(reader)
            for i, line in enumerate(reader_lines):
                if i < dialect.first_line:
                    continue
                out.write("\t".join(line.split()) + "\n" if dialect.delimiter == " " else line)
        yield Path(name)
    finally:
        os.unlink(name)


def _lines(reader: Any) -> Iterator[str]:
    """Lines with \\n, \\r\\n or \\r ends, each given as \\n; a byte-order mark left out."""
    rest, first = "", True
    while chunk := reader.read(_CHUNK):
        text = rest + chunk
        if first:
            text, first = text.lstrip("\ufeff"), False
        # a \r at the end may be half of \r\n
        keep = text.endswith("\r")
        text = (text[:-1] if keep else text).replace("\r\n", "\n").replace("\r", "\n")
        *whole, rest = text.split("\n")
        rest += "\r" if keep else ""
        for line in whole:
            yield line + "\n"
    if rest:
        yield rest.rstrip("\r") + "\n"


def demand_distinct(names: list[str], where: str) -> None:
    """`DataError` where a column name occurs twice."""
    seen: dict[str, int] = {}
    for i, name in enumerate(names, 1):
        if name in seen:
            raise DataError(
                f"two columns are called {name!r}: number {seen[name]} and number {i}",
                where=where,
                hint="rename one of them, or use --no-header if the first row holds data",
            )
        seen[name] = i


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
