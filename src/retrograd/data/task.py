"""Which column to predict, and what kind of prediction that is; every choice with its reason."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from retrograd.data.table import Column, Table, number_text
from retrograd.errors import DataError

TaskKind = Literal["regression", "binary", "multiclass"]

MOST_CLASSES = 1000
_NUMBER_CLASSES = 20
_FEW_GRADES = 40
_TARGET_NAMES = (
    r"target|label|labels|class|y|outcome|response|diagnosis|survived|species|digit|cultivar|churn|churned|default|fraud",
    r"price|saleprice|sale_price|median_house_value|medv|value|quality|rating|score|income|salary|charges|cost|progression",
    r".*(target|label|class|outcome|price|churn|default)",
)


@dataclass(frozen=True)
class Task:
    """What to predict: a number, or one of ``classes`` (in the order of their codes), and why we think so."""

    kind: TaskKind
    classes: list[str] | None
    reason: str


def propose_target(table: Table) -> tuple[str, str]:
    """Name of the column to predict and the reason, for a table whose owner named none.

    >>> from retrograd.data import read_table
    >>> propose_target(read_table({"price": [1.5, 2.5, 9.0], "rooms": [1, 2, 3.5]}))
    ('price', "called 'price'; name another with --target")
    """
    usable = {
        name: column
        for name, column in table.columns.items()
        if column.kind in ("number", "category", "boolean")
    }
    other = "name another with --target"
    if not usable:
        raise DataError(
            "no column can be predicted: all are ids, dates, texts or constant", hint="--target COLUMN"
        )
    for pattern in _TARGET_NAMES:
        for name in usable:
            if re.fullmatch(pattern, name.strip(), re.IGNORECASE):
                return name, f"called {name!r}; {other}"
    names = list(usable)
    nameless = all(re.fullmatch(r"c\d+", name) for name in table.columns)
    classes = [name for name in names if usable[name].kind != "number" and usable[name].n_distinct <= 20]
    if nameless and len(classes) == 1 and len(names) > 2 and not _counts_last(table, usable):
        return classes[0], f"the only column of classes among numbers; {other}"
    return names[-1], f"the last column that can be predicted; {other}"


def _counts_last(table: Table, usable: dict[str, Column]) -> bool:
    """True where the last column holds few different whole numbers, and most others measure: a count or grade to predict."""
    *others, last = table.columns.values()
    measures = [column for column in others if column.kind == "number" and column.name in usable]
    fractions = sum(not _whole(column) for column in measures)
    return (
        last.kind == "number"
        and _whole(last)
        and last.n_distinct <= _FEW_GRADES
        and fractions > 0.5 * len(measures)
    )


def _whole(column: Column) -> bool:
    known = column.values[np.isfinite(column.values)]
    return bool((known == np.floor(known)).all())


def find_column(table: Table, column: str | int) -> str:
    """The name of a column given by name or by number (from 1; negative from the end).

    >>> from retrograd.data import read_table
    >>> find_column(read_table({"size": [1.0], "price": [2.0]}), 2)
    'price'
    """
    names = list(table.columns)
    if isinstance(column, str) and column in table.columns:
        return column
    if isinstance(column, int) or re.fullmatch(r"-?\d+", column.strip()):
        number = int(column)
        if 1 <= number <= len(names) or -len(names) <= number < 0:
            return names[number - 1 if number > 0 else number]
        raise DataError(
            f"there is no column number {number}; the table has {len(names)}",
            where=table.source,
            hint=f"--target {names[-1]}",
        )
    raise DataError(f"no column {column!r}", where=table.source, hint=nearest(column, names))


def nearest(name: str, names: list[str]) -> str:
    """A hint with the names that ``name`` was probably meant to be.

    >>> nearest("Prise", ["price", "size"])
    "did you mean 'price'?"
    """
    lowered = {each.lower(): each for each in names}
    found = [lowered[name.lower()]] if name.lower() in lowered else []
    found = found or [
        lowered[each] for each in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)
    ]
    if found:
        return f"did you mean {' or '.join(map(repr, found))}?"
    return f"the columns are {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"


def infer_task(column: Column, n_rows: int | None = None) -> Task:
    """Regression or classification, from the values of the target.

    Two different values are classes; so are words, and whole numbers that count up from 0 or 1 without a gap and all
    occur often.  Everything else is a number to be estimated.  `DataError` where nothing can be learnt.

    >>> infer_task(Column("y", np.array([0.0, 1.0, 0.0]), "boolean")).classes
    ['0', '1']
    >>> infer_task(Column("y", np.array([221900.0, 538000.0, 180000.0]))).kind
    'regression'
    """
    rows = len(column.values) if n_rows is None else n_rows
    known = len(column.values) - column.n_missing
    _demand_learnable(column, known)
    distinct = column.n_distinct
    if column.values.dtype == object:
        classes = sorted(column.codes[1])
        if distinct > MOST_CLASSES or distinct > 0.5 * known:
            raise DataError(
                f"the target {column.name!r} has {distinct} different texts in {rows} rows: too many to be classes",
                hint="choose a column with numbers or with few classes: --target COLUMN",
            )
        kind: TaskKind = "binary" if distinct == 2 else "multiclass"
        return Task(kind, classes, f"{column.name} has {distinct} different values: {_listed(classes)}")
    values, counts = np.unique(column.values[~column.missing], return_counts=True)
    classes = [number_text(value) for value in values.tolist()]
    if distinct == 2:
        return Task("binary", classes, f"{column.name} has two different values: {_listed(classes)}")
    if column.kind == "category":
        return Task(
            "multiclass", classes, f"{column.name} has {distinct} different values: {_listed(classes)}"
        )
    gapless = values[0] in (0.0, 1.0) and bool((np.diff(values) == 1).all())
    if (
        gapless
        and distinct <= _NUMBER_CLASSES
        and distinct <= 0.2 * known
        and counts.min() >= max(2, 0.002 * known)
    ):
        return Task("multiclass", classes, f"{column.name} counts {distinct} classes: {_listed(classes)}")
    return Task("regression", None, f"{column.name} is a number with {distinct} different values")


def _demand_learnable(column: Column, known: int) -> None:
    choose = "choose another column with --target"
    if known == 0:
        raise DataError(f"the target {column.name!r} is missing in every row", hint=choose)
    if column.n_distinct == 1:
        raise DataError(
            f"the target {column.name!r} has the same value in every row: {column.codes[1][0]}", hint=choose
        )
    if column.values.dtype.kind == "M":
        raise DataError(f"the target {column.name!r} is a date; dates cannot be predicted", hint=choose)
    if column.kind == "text":
        raise DataError(f"the target {column.name!r} is running text; texts cannot be predicted", hint=choose)
    if column.values.dtype.kind == "f":
        infinite = np.flatnonzero(np.isinf(column.values))
        if len(infinite):
            raise DataError(
                f"the target {column.name!r} is infinite in {len(infinite)} rows, the first is row {infinite[0] + 1}",
                hint="mend or remove these rows",
            )


def _listed(classes: list[str]) -> str:
    return ", ".join(classes[:8]) + (", ..." if len(classes) > 8 else "")
