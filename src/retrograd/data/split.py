"""Which rows are trained on, which decide when to stop, and which judge: by a hash of the row itself.

Equal rows have equal hashes, so they land on one side, whatever their order; new rows do not move the old ones.  Rows
that belong together (a group, an id that repeats) stay together; where time matters, the last rows judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from retrograd.data.table import Column, Table, mix
from retrograd.data.task import nearest
from retrograd.errors import DataError, UsageError

SHARES = (0.64, 0.16, 0.20)
"""Of training, validation and test rows."""

_FEW = 5000  # below, shares are kept exactly and in each class
_MOST_STRATA = 50
_FEWEST = 2  # rows in each part, where there are ten of them or more


@dataclass(frozen=True)
class Split:
    """Row numbers (int64, ascending) of the three parts, and in words how they were chosen.

    ``test`` counts the rows of ``test_table`` where there is one.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    how: str
    notes: list[str] = field(default_factory=list)
    test_table: Table | None = None


def split_rows(
    table: Table,
    *,
    target: str,
    group: str | None = None,
    time: str | None = None,
    test: Table | None = None,
    seed: int = 0,
) -> Split:
    """Divide the rows: 64 % to train, 16 % to validate, 20 % to test, identical rows always on one side.

    ``group``: rows with one value of this column stay together.  ``time``: the earliest rows train, the latest test.
    ``test``: a table to test on; then all of ``table`` is divided in 80 % and 20 %.

    >>> from retrograd.data import read_table
    >>> table = read_table({"x": list(range(100)), "y": [i * 0.7 for i in range(100)]})
    >>> split = split_rows(table, target="y")
    >>> len(split.train), len(split.validation), len(split.test)
    (64, 16, 20)
    """
    for name in (group, time):
        if name is not None and name not in table.columns:
            raise DataError(
                f"no column {name!r}", where=table.source, hint=nearest(name, list(table.columns))
            )
    if group is not None and time is not None:
        raise UsageError("rows can be divided by group or by time, not by both", hint=f"--time {time}")
    shares = SHARES if test is None else (SHARES[0] + SHARES[2] * 0.8, SHARES[1] + SHARES[2] * 0.2, 0.0)
    notes: list[str] = []
    if time is not None:
        parts = _by_time(table.columns[time], shares, notes)
        how = f"by time: the earliest rows of {time} train, the latest {'validate' if test is not None else 'test'}"
    else:
        parts, how = _by_hash(table, target, group, shares, seed, notes)
    if test is not None:
        how += f"; tested on {test.source}"
        shared = np.isin(_content(test), _content(table)) if set(test.columns) >= set(table.columns) else []
        count = int(np.count_nonzero(shared))
        if count:
            rows = "row" if count == 1 else "rows"
            notes.append(f"{count} {rows} of {test.source} occur in {table.source} as well")
        parts = [parts[0], parts[1], np.arange(test.n_rows, dtype=np.int64)]
    for name, rows in zip(("training", "validation", "test"), parts):
        if len(rows) == 0:
            raise DataError(
                f"no rows are left for {name}",
                where=table.source,
                hint=f"--group and --time need a column with more different values than {group or time}"
                if group or time
                else "give more rows",
            )
    return Split(parts[0], parts[1], parts[2], how, notes, test)


def _by_hash(
    table: Table, target: str, group: str | None, shares: tuple[float, ...], seed: int, notes: list[str]
) -> tuple[list[np.ndarray], str]:
    content = _labels(_content(table))
    if group is not None:
        labels, how = (
            _group_labels(table.columns[group]),
            f"by a hash of {group}: its equal values stay together",
        )
        keys = table.columns[group].hashes()
        missing = table.columns[group].missing
        keys = np.where(missing, mix(_content(table)), keys)
        return _divide(labels, keys, None, shares, seed), how
    repeated = [
        column
        for column in table.columns.values()
        if column.kind == "id"
        and column.name != target
        and column.n_distinct < table.n_rows - column.n_missing
    ]
    labels, keys = content, _content(table)
    how = "by a hash of each row, so that equal rows stay together"
    for column in repeated:
        labels = _joined(labels, _group_labels(column))
        again = table.n_rows - column.n_missing - column.n_distinct
        notes.append(f"{column.name} repeats in {again} rows: rows with one {column.name} stay in one part")
        how = f"by a hash of each row; rows with one {column.name} stay together"
    strata = _strata(table.columns[target])
    # many small classes can leave a part empty, and so can few rows that are equal
    fewest = _FEWEST if table.n_rows >= 5 * _FEWEST else 1
    trials = [(strata, fewest), (None, fewest), (strata, 1), (None, 1)]
    for classes, least in trials if strata is not None else trials[1::2]:
        parts = _divide(labels, keys, classes, shares, seed)
        enough = all(len(part) >= least for part, share in zip(parts, shares) if share)
        if enough and len(parts[0]) >= 0.3 * table.n_rows:
            return parts, how
    notes.append("the rows repeat so often that equal rows had to be put on both sides")
    numbers = np.arange(table.n_rows)
    return _divide(
        numbers, mix(numbers.astype(np.uint64)), None, shares, seed
    ), "by a hash of the row's number"


def _divide(
    labels: np.ndarray, keys: np.ndarray, strata: np.ndarray | None, shares: tuple[float, ...], seed: int
) -> list[np.ndarray]:
    """Rows with one label go to one part.  Few rows keep the shares exactly, in each stratum; many by their hash alone."""
    n = len(labels)
    # one key for each label: the smallest of its rows, so that the order of rows does not matter
    smallest = np.full(int(labels.max()) + 1, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(smallest, labels, keys)
    draw = mix(smallest ^ mix(np.array([seed], dtype=np.uint64))) / 2.0**64
    if n >= _FEW:
        position = draw[labels]
    else:
        stratum = np.zeros(len(smallest), dtype=np.int64)
        if strata is not None:
            stratum[labels] = strata
        sizes = np.bincount(labels, minlength=len(smallest))
        position = np.empty(len(smallest))
        for each in np.unique(stratum):
            members = np.flatnonzero(stratum == each)
            members = members[np.argsort(draw[members], kind="stable")]
            ends = np.cumsum(sizes[members])
            # a label belongs where its middle row falls; a class of a single row trains
            position[members] = (ends - 0.5 * sizes[members]) / max(ends[-1], 1)
            if len(members) == 1 and strata is not None:
                position[members] = 0.0
        position = position[labels]
    edges = np.cumsum(shares)
    return [
        np.flatnonzero(position < edges[0]),
        np.flatnonzero((position >= edges[0]) & (position < edges[1] if shares[2] else True)),
        np.flatnonzero(position >= edges[1]) if shares[2] else np.empty(0, dtype=np.int64),
    ]


def _by_time(column: Column, shares: tuple[float, ...], notes: list[str]) -> list[np.ndarray]:
    if column.kind == "category" or column.values.dtype == object:
        names = sorted(column.codes[1])
        order = {name: i for i, name in enumerate(names)}
        places = np.array([*(order[name] for name in column.codes[1]), -1])[column.codes[0]]
        notes.append(
            f"{column.name} is neither a date nor a number: its texts are taken in alphabetical order"
        )
    else:
        _, places = np.unique(
            np.where(column.missing, column.values.min(), column.values), return_inverse=True
        )
        places = np.where(column.missing, -1, places)
    if column.n_missing:
        notes.append(f"{column.n_missing} rows have no {column.name}: they train")
    ordered = np.sort(places)
    # rows of one moment stay together: a cut is between two moments
    cuts = [float(ordered[min(round(edge * len(places)), len(places) - 1)]) for edge in np.cumsum(shares)[:2]]
    if not shares[2]:
        cuts[1] = np.inf
    return [
        np.flatnonzero(places < cuts[0]),
        np.flatnonzero((places >= cuts[0]) & (places < cuts[1])),
        np.flatnonzero(places >= cuts[1]),
    ]


def _content(table: Table) -> np.ndarray:
    """Hash of each row without its ids: two rows that differ in their number alone are the same row."""
    ids = [name for name, column in table.columns.items() if column.kind == "id"]
    return table.row_hashes(exclude=ids if len(ids) < len(table.columns) else ())


def _labels(keys: np.ndarray) -> np.ndarray:
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def _group_labels(column: Column) -> np.ndarray:
    """A number for each group; a row without a value is a group of its own."""
    codes = column.codes[0].copy()
    alone = np.flatnonzero(codes < 0)
    codes[alone] = len(column.codes[1]) + np.arange(len(alone))
    return codes


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Labels of the parts that hang together by either labelling: the smallest label spreads until nothing changes."""
    labels = first
    while True:
        least = np.full(int(second.max()) + 1, len(labels), dtype=np.int64)
        np.minimum.at(least, second, labels)
        spread = least[second]
        back = np.full(int(first.max()) + 1, len(labels), dtype=np.int64)
        np.minimum.at(back, first, spread)
        spread = back[first]
        if (spread == labels).all():
            return _labels(labels)
        labels = spread


def _strata(column: Column) -> np.ndarray | None:
    """Class codes, so that small tables have every class in every part; None for numbers."""
    if column.n_distinct > _MOST_STRATA or (column.kind == "number" and column.n_distinct > 20):
        return None
    return np.maximum(column.codes[0], 0)
