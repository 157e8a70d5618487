"""``retrograd predict MODEL DATA``: one row out for every row in, in the same order."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from retrograd.cli import options
from retrograd.cli.console import Output
from retrograd.errors import UsageError

Columns = Mapping[str, np.ndarray]

_DELIMITERS = {".csv": ",", ".txt": ",", "": ",", ".tsv": "\t"}


def run(
    model: options.Model,
    data: options.Data,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Write here (.csv, .tsv, also .gz), not to standard output."
        ),
    ] = None,
    header: options.Header = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """A prediction for every row of a table, in order.

    Column "prediction" holds a number in the target's own units or a class; a class has a column
    "probability_CLASS" for each class besides.

        retrograd predict runs/houses-001 new-houses.csv --out prices.csv
    """
    delimiter = _delimiter(out)  # a wrong name is said before the work is done
    _demand_new(out)
    from retrograd.data import read_table
    from retrograd.train.predict import load

    output = Output(as_json, quiet)
    loaded, table = load(model), read_table(data, header=header)
    columns = loaded.predict_table(table)
    for note in loaded.notes(table):
        output.log(f"note: {note}")
    rows = len(next(iter(columns.values()), ()))
    if out is not None:
        _write(Path(out), columns, delimiter)
        output.json({"model": model, "data": data, "rows": rows, "out": out})
        output.log(f"{rows:,} prediction{'' if rows == 1 else 's'} in {out}")
    elif as_json:
        output.json({"model": model, "data": data, "rows": rows, "predictions": _plain(columns)})
    else:
        _write_rows(sys.stdout, columns, delimiter)
    return 0


def _delimiter(out: str | None) -> str:
    ending = "" if out is None else Path(out.removesuffix(".gz")).suffix.lower()
    if ending not in _DELIMITERS:
        raise UsageError(f"--out {out}: predictions are written as CSV or TSV", hint="--out predictions.csv")
    return _DELIMITERS[ending]


def _demand_new(out: str | None) -> None:
    """Nothing that exists is written over; pipes and devices are there to be written to."""
    path = Path(out or ".")
    if out is None or not path.exists():
        return
    if path.is_dir():
        raise UsageError(
            f"--out {out} is a folder", hint=f"--out {shlex.quote(str(path / 'predictions.csv'))}"
        )
    if path.is_file():
        stem, endings = path.name.split(".", 1)[0], "".join(path.suffixes)
        numbers = itertools.count(2)
        free = next(new for n in numbers if not (new := path.with_name(f"{stem}-{n}{endings}")).exists())
        raise UsageError(
            f"{out} exists already, and nothing is written over", hint=f"--out {shlex.quote(str(free))}"
        )


def _write(path: Path, columns: Columns, delimiter: str) -> None:
    from retrograd.files import write_atomically

    text = io.StringIO(newline="")
    _write_rows(text, columns, delimiter)
    content = text.getvalue().encode()
    packed = gzip.compress(content, mtime=0) if path.suffix == ".gz" else content
    try:
        if path.exists():  # a pipe or a device: a new file must not take its place
            path.write_bytes(packed)
        else:
            write_atomically(path, packed)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", hint="--out FILE in a folder you may write to"
        ) from None


def _write_rows(stream: Any, columns: Columns, delimiter: str) -> None:
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    # tolist: plain floats, written by the shortest text that reads back to the same number
    for cells in zip(*(values.tolist() for values in columns.values()), strict=True):
        writer.writerow(cells)


def _plain(columns: Columns) -> dict[str, list[Any]]:
    from retrograd.train.run_folder import plain

    return {name: plain(values) for name, values in columns.items()}
