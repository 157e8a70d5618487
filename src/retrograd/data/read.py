"""`read_table`: anything that holds a table becomes a `Table`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from retrograd.data.cells import Typed, as_floats, type_columns
from retrograd.data.frames import columns_of, type_arrays
from retrograd.data.kinds import kind_of
from retrograd.data.table import Column, Table
from retrograd.data.text_file import demand_distinct, read_text_file
from retrograd.errors import DataError, UsageError

_JSON_LINES = (".jsonl", ".ndjson", ".json", ".jsonlines")


def read_table(source: Any, *, header: bool | None = None) -> Table:
    """Read a table and find the kind of each column.

    ``source``: the path of a CSV file (any delimiter, encoding, decimal comma; gzip), TSV, Parquet or JSON lines; a
    DuckDB relation; a pandas or polars frame; a dict of arrays; a list of dicts.  ``header``: whether the first row of
    a text file holds names; found out when not given.  Raises `DataError` saying what is wrong with the data.

    >>> table = read_table({"size": [50, 80, None], "town": ["Ulm", "Bonn", "Ulm"]})
    >>> [(column.name, column.kind, column.n_missing) for column in table.columns.values()]
    [('size', 'number', 1), ('town', 'category', 0)]
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, (str, os.PathLike)):
        return _read_path(Path(source), header)
    columns = columns_of(source)
    if columns is None:
        raise UsageError(
            f"no table can be read from {type(source).__name__}",
            hint="give a path, a frame, a dict of arrays or a list of dicts",
        )
    if not columns:
        raise DataError("the table has no columns", hint="{'column': [value, value, ...]}")
    names = list(columns)
    return _table(names, type_arrays(columns), "table", "", [])


def _read_path(path: Path, header: bool | None) -> Table:
    where = str(path)
    try:
        if path.is_dir():
            raise DataError(
                "this is a folder, not a table", where=where, hint=f"ls {path}; give one file in it"
            )
        if not path.is_file():
            raise DataError("no such file", where=where, hint=_similar(path))
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}", where=where, hint=f"ls -l {path}"
        ) from None
    if size == 0:
        raise DataError("the file is empty", where=where, hint="give a file with a header row and data")
    import duckdb

    with duckdb.connect() as connection:
        if start == b"PAR1" or path.suffix.lower() in (".parquet", ".pq"):
            names, typed = _read_with(connection, f"read_parquet({_quoted(where)})", path, "Parquet")
            return _table(names, typed, where, _sha256(path), [])
        kind = path.name.lower().removesuffix(".gz")
        if kind.endswith(_JSON_LINES):
            names, typed = _read_with(
                connection,
                f"read_json({_quoted(where)}, format='auto', maximum_object_size=67108864)",
                path,
                "JSON lines",
            )
            return _table(names, typed, where, _sha256(path), [])
        names, typed, fingerprint, notes = read_text_file(path, connection, header)
    return _table(names, typed, where, fingerprint, notes)


def _read_with(connection: Any, source: str, path: Path, words: str) -> tuple[list[str], list[Typed]]:
    """Columns of a file that has types of its own; what is neither number nor date passes as text."""
    import duckdb

    try:
        relation = connection.sql(f"SELECT * FROM {source}")
        names, types = list(relation.columns), [str(each) for each in relation.types]
        demand_distinct(names, str(path))
        chosen = []
        for i, (name, kind) in enumerate(zip(names, types)):
            quoted = '"' + name.replace('"', '""') + '"'
            target = "DOUBLE" if _is_number(kind) else "VARCHAR"
            chosen.append(f"CAST({quoted} AS {target}) AS c{i}")
        connection.execute(f"CREATE TEMP TABLE typed AS SELECT {', '.join(chosen)} FROM {source}")
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise DataError(
            f"this file cannot be read as {words}: {first}",
            where=str(path),
            hint="get it again, or export it as CSV",
        ) from None
    numbers = [i for i, kind in enumerate(types) if _is_number(kind)]
    texts = [i for i in range(len(names)) if i not in numbers]
    result: dict[int, Typed] = {}
    if numbers:
        arrays = connection.execute(f"SELECT {', '.join(f'c{i}' for i in numbers)} FROM typed").fetchnumpy()
        result.update((i, Typed(as_floats(arrays[f"c{i}"]))) for i in numbers)
    if texts:
        chosen = ", ".join(f"c{i} AS c{k}" for k, i in enumerate(texts))
        read = type_columns(connection, f"(SELECT {chosen} FROM typed)", [names[i] for i in texts])
        result.update(zip(texts, read))
    if names and len(result[0].values) == 0:
        raise DataError("the file has no rows", where=str(path), hint="give a file with data")
    return names, [result[i] for i in range(len(names))]


def _is_number(kind: str) -> bool:
    return kind.endswith(("INT", "INTEGER", "DOUBLE", "FLOAT")) or kind.startswith("DECIMAL")


def _table(names: list[str], typed: list[Typed], source: str, fingerprint: str, notes: list[str]) -> Table:
    columns = {}
    for name, each in zip(names, typed, strict=True):
        kind, reason, values = kind_of(name, each.values)
        columns[name] = Column(name, values, kind, reason, each.reading, each.raw)
    return Table(columns, source, fingerprint, [*notes, *(each.note for each in typed if each.note)])


def _similar(path: Path) -> str:
    import difflib

    folder = path.parent
    names = sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {folder / near[0]}?" if near else f"ls {folder}; check the name and the folder"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
