"""Tables that are in memory already: dicts of arrays, lists of dicts, pandas and polars frames, DuckDB relations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.data.cells import Typed, type_columns
from retrograd.errors import DataError


def columns_of(source: Any) -> dict[str, Any] | None:
    """Name to array of whatever holds columns or rows; None when it is nothing of the kind."""
    if isinstance(source, Mapping):
        return {str(name): values for name, values in source.items()}
    if hasattr(source, "fetchnumpy"):  # a DuckDB relation
        return dict(source.fetchnumpy())
    if hasattr(source, "columns") and hasattr(source, "__getitem__") and not isinstance(source, np.ndarray):
        names = list(source.columns)
        if len(set(map(str, names))) < len(names):
            raise DataError("two columns of the frame have one name", hint="rename one of them")
        return {str(name): _frame_column(source[name]) for name in names}
    if isinstance(source, np.ndarray) and source.dtype.names:
        return {name: source[name] for name in source.dtype.names}
    if isinstance(source, np.ndarray) and source.ndim == 2:
        return {f"c{i}": source[:, i - 1] for i in range(1, source.shape[1] + 1)}
    if isinstance(source, Sequence) and not isinstance(source, (str, bytes)):
        if not source:
            raise DataError("the list has no rows", hint="give at least one row, as a dict of column: value")
        if all(isinstance(row, Mapping) for row in source):
            names = dict.fromkeys(str(name) for row in source for name in row)
            return {name: [row.get(name) for row in source] for name in names}
    return None


def _frame_column(series: Any) -> Any:
    values = series.to_numpy()
    return values if values.dtype != object else series.to_list()


def type_arrays(columns: Mapping[str, Any]) -> list[Typed]:
    """Typed columns from arrays or lists; text goes through the same rules as the cells of a file."""
    typed: list[Typed | None] = []
    texts: dict[str, list[str | None]] = {}
    for name, values in columns.items():
        array = _plain(name, values)
        if isinstance(array, list):
            texts[name] = array
            typed.append(None)
        else:
            typed.append(Typed(array))
    if texts:
        read = iter(_type_texts(texts))
        typed = [next(read) if each is None else each for each in typed]
    return [each for each in typed if each is not None]


def _type_texts(texts: dict[str, list[str | None]]) -> list[Typed]:
    import duckdb

    with duckdb.connect() as connection:
        lists = list(texts.values())
        if len({len(each) for each in lists}) > 1:
            raise DataError(
                "the columns have different lengths", hint="give every column one value for each row"
            )
        # unnest() of no rows and of one row alike
        chosen = ", ".join(f"unnest(CAST(? AS VARCHAR[])) AS c{i}" for i in range(len(lists)))
        connection.execute(f"CREATE TEMP TABLE raw AS SELECT {chosen}", lists)
        return type_columns(connection, "raw", list(texts))


def _plain(name: str, values: Any) -> np.ndarray | list[str | None]:
    """float64, datetime64[s], or a list of text."""
    if isinstance(values, np.ma.MaskedArray):
        values = [None if gone else value for value, gone in zip(values.tolist(), np.ma.getmaskarray(values))]
    if not isinstance(values, np.ndarray) and hasattr(values, "detach"):
        values = values.detach().numpy()
    array = values if isinstance(values, np.ndarray) else None
    if array is None:
        listed = (
            list(values) if hasattr(values, "__iter__") and not isinstance(values, (str, bytes)) else None
        )
        if listed is None:
            raise DataError(
                f"column {name!r} holds {type(values).__name__}, not a sequence of values",
                hint="{'column': [value, value, ...]}; one row is [{'column': value}]",
            )
        return _from_objects(listed)
    if array.ndim != 1:
        raise DataError(
            f"column {name!r} has shape {array.shape}",
            hint="one value for each row: an array with one dimension",
        )
    if array.dtype.kind == "M":
        return array.astype("datetime64[s]")
    if array.dtype.kind == "b":
        return ["true" if value else "false" for value in array.tolist()]
    if array.dtype.kind in "iuf":
        return array.astype(np.float64)
    if array.dtype.kind in "mc":
        raise DataError(f"column {name!r} holds {array.dtype}", hint="convert it to numbers first")
    return _from_objects(array.tolist())


def _from_objects(values: list[Any]) -> np.ndarray | list[str | None]:
    present = [value for value in values if not _is_nothing(value)]
    if present and all(_is_number(value) for value in present):
        return np.array([np.nan if _is_nothing(value) else float(value) for value in values])
    if present and all(isinstance(value, (dt.date, np.datetime64)) for value in present):
        return np.array(
            [np.datetime64("NaT") if _is_nothing(value) else _date(value) for value in values],
            dtype="datetime64[s]",
        )
    return [None if _is_nothing(value) else _text(value) for value in values]


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, (bool, np.bool_, str, np.ndarray))


def _is_nothing(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, (float, np.floating, np.datetime64)) and value != value


def _text(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    # a lone surrogate or a zero byte cannot pass through the reader of text
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _date(value: Any) -> np.datetime64:
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[s]")
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    return np.datetime64(value, "s")
