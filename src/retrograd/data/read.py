"""Reading a table from whatever holds one: a file, a DuckDB relation, a frame, arrays, or rows."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, UsageError
from .engine import Source, connect, read_columns
from .table import Table
from .textfile import read_file


def read_table(source: Any, *, header: bool | None = None) -> Table:
    """Read a table and find out what kind of values each column holds.

    ``source`` is a path (CSV with any delimiter and encoding, decimal comma, byte order mark, CRLF, also gzipped; TSV;
    Parquet; JSON lines), a DuckDB relation, a pandas or polars frame, a dict of arrays, or a list of dicts.
    ``header`` says whether the first line names the columns; None finds out, and columns without names are called
    c1, c2, ...  Empty cells, "?" and "NA" are missing.  Raises `DataError` for everything that is no table.

    >>> table = read_table({"age": [31, None, 47], "job": ["cook", "clerk", "cook"]})
    >>> table.columns["age"].values
    array([31., nan, 47.])
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, (str, os.PathLike)):
        return read_file(Path(source), header)
    if header is not None:
        raise UsageError("header= is for text files; this source names its columns", hint="leave header= out")
    if hasattr(source, "fetchnumpy") and hasattr(source, "columns"):
        return _from_relation(source)
    if isinstance(source, Mapping):
        return _from_arrays({str(name): values for name, values in source.items()}, "dict of arrays")
    if hasattr(source, "columns") and hasattr(source, "__getitem__"):
        return _from_frame(source)
    if isinstance(source, Sequence) and not isinstance(source, (bytes, bytearray)):
        return _from_records(source)
    raise DataError(
        f"cannot read a table from {type(source).__name__}",
        hint="give a path, a DuckDB relation, a frame, a dict of arrays or a list of dicts",
    )


def _from_relation(relation: Any) -> Table:
    arrays = relation.fetchnumpy()  # the relation belongs to another connection, so its values are copied
    return _from_arrays({str(name): values for name, values in arrays.items()}, "DuckDB relation")


def _from_frame(frame: Any) -> Table:
    names = [str(name) for name in frame.columns]
    _refuse_duplicates(names, type(frame).__name__)
    arrays: dict[str, Any] = {}
    for name, original in zip(names, frame.columns):
        series = frame[original]
        arrays[name] = series.to_numpy() if hasattr(series, "to_numpy") else np.asarray(series)
    return _from_arrays(arrays, f"{type(frame).__module__.split('.')[0]} frame")


def _from_records(records: Sequence[Any]) -> Table:
    if not records:
        raise DataError("the list holds no rows", hint="give at least one row")
    if not all(isinstance(record, Mapping) for record in records):
        raise DataError(
            f"a list of {type(records[0]).__name__} is no table", hint='give a list of dicts: [{"age": 31}, ...]'
        )
    names = list(dict.fromkeys(str(name) for record in records for name in record))
    rows = [{str(name): value for name, value in record.items()} for record in records]
    return _from_arrays({name: [row.get(name) for row in rows] for name in names}, "list of dicts")


def _from_arrays(arrays: dict[str, Any], source: str) -> Table:
    if not arrays:
        raise DataError(f"the {source} has no columns", hint="give at least one column")
    prepared = {name: _plain_array(name, values) for name, values in arrays.items()}
    lengths = {len(values) for values in prepared.values()}
    if len(lengths) > 1:
        raise DataError(
            f"the columns of the {source} have different lengths: "
            + ", ".join(f"{name} has {len(values)}" for name, values in list(prepared.items())[:5]),
            hint="give each column one value per row",
        )
    if lengths == {0}:
        raise DataError(f"the {source} has no rows", hint="give at least one row")
    with connect() as connection:
        # Column names may differ only in case, which SQL does not see: inside they are called c0, c1, ...
        inside = {f"c{i}": values for i, values in enumerate(prepared.values())}
        connection.register("given", inside)
        relation = Source(connection, "given", list(prepared))
        columns = read_columns(relation)
    return Table(columns, source=source)


def _plain_array(name: str, values: Any) -> np.ndarray:
    """One dimension, and of a type that DuckDB takes: numbers, booleans, dates, or text with None."""
    array = np.ma.filled(values.astype(object), None) if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
    if array.ndim != 1:
        raise DataError(
            f"column {name!r} has shape {array.shape}; a column is one value per row",
            hint="give each feature a column of its own",
        )
    if array.dtype.kind in "iub":
        return array
    if array.dtype.kind == "f":
        return array.astype(np.float64)
    if array.dtype.kind == "M":
        return array.astype("datetime64[us]")
    return np.array([_plain_value(value) for value in array.tolist()], dtype=object)


def _plain_value(value: Any) -> Any:
    # NaN is not equal to itself; pandas.NA gives neither True nor False when compared
    if value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value):
        return None
    return value if isinstance(value, str) else str(value)


def _refuse_duplicates(names: Sequence[str], source: str) -> None:
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        raise DataError(
            f"{source} has more than one column called {', '.join(map(repr, repeated[:3]))}",
            hint="give each column a name of its own",
        )
