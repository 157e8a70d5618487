"""The problem: one table read, its target and task found, its rows divided, its columns prepared.

Everything that learns from the data (training, tuning the rate, learning curves, benchmarks) starts from here, so all
of them see the same rows, prepared with the statistics of the training rows only.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd.data import (
    Finding,
    Preparation,
    Split,
    Table,
    Task,
    examine,
    infer_task,
    propose_target,
    read_table,
    split_rows,
)
from retrograd.errors import DataError, UsageError

FEWEST_ROWS = 10


@dataclass(frozen=True)
class Part:
    """The rows of one split: numbers in the file, inputs of the network, encoded and actual target."""

    rows: np.ndarray
    inputs: tuple[np.ndarray, np.ndarray]
    target: np.ndarray
    actual: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


@dataclass
class Problem:
    """A table ready for training; made by `read_problem`."""

    table: Table
    target: str
    target_reason: str
    task: Task
    split: Split
    preparation: Preparation
    row_numbers: np.ndarray
    test_table: Table | None = None
    test_row_numbers: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    _parts: dict[str, Part] = field(default_factory=dict)

    def part(self, name: str) -> Part:
        """The rows of "train", "validation" or "test", prepared once."""
        if name not in self._parts:
            own_test = name == "test" and self.test_table is not None
            table = self.test_table if own_test else self.table
            numbers = self.test_row_numbers if own_test else self.row_numbers
            rows = getattr(self.split, name)
            assert table is not None and numbers is not None
            chosen = table.select(rows)
            prepared = self.preparation.transform(chosen)
            encoded = self.preparation.encode_target(chosen)
            self._parts[name] = Part(
                rows=numbers[rows],
                inputs=(prepared.numbers, prepared.categories),
                target=encoded,
                actual=actual_values(chosen, self.target, self.task, encoded),
            )
        return self._parts[name]

    def examine(self) -> list[Finding]:
        """What the data checker finds; see `retrograd.data.examine`."""
        return examine(self.table, target=self.target, task=self.task, split=self.split)

    @property
    def n_classes(self) -> int:
        """Number of classes; 0 for regression."""
        return len(self.task.classes) if self.task.classes else 0


def read_problem(
    data: Any,
    target: str | int | None = None,
    *,
    group: str | None = None,
    time: str | None = None,
    test: Any = None,
    header: bool | None = None,
    exclude: Sequence[str] = (),
    seed: int = 0,
) -> Problem:
    """Read ``data``, find target and task, divide the rows, prepare the columns; see `retrograd.train.fit`."""
    table = data if isinstance(data, Table) else read_table(data, header=header)
    name, reason = _find_target(table, target)
    notes = list(table.notes)
    unknown = [column for column in (*exclude, group, time) if column and column not in table.columns]
    if unknown:
        raise UsageError(f"no column {unknown[0]!r} in {table.source}", hint=_nearest(unknown[0], table))
    table, numbers, dropped = _with_target(table, name)
    if dropped:
        notes.append(f"{dropped} rows have no {name} and were left out")
    if table.n_rows < FEWEST_ROWS:
        raise DataError(
            f"{table.source} has {table.n_rows} rows with a target; training needs at least {FEWEST_ROWS}",
            hint="give a table with more rows",
        )
    task = infer_task(table.columns[name])
    test_table, test_numbers = None, None
    if test is not None:
        read = test if isinstance(test, Table) else read_table(test, header=header)
        if name not in read.columns:
            raise DataError(f"the test data {read.source} has no column {name!r}", hint=_nearest(name, read))
        test_table, test_numbers, missing = _with_target(read, name)
        if missing:
            notes.append(f"{missing} test rows have no {name} and were left out")
    split = split_rows(table, target=name, group=group, time=time, test=test_table, seed=seed)
    left_out = [*exclude, *([group] if group and group not in exclude else [])]
    preparation = Preparation.fit(table, split.train, target=name, task=task, exclude=tuple(left_out))
    return Problem(
        table=table,
        target=name,
        target_reason=reason,
        task=task,
        split=split,
        preparation=preparation,
        row_numbers=numbers,
        test_table=test_table,
        test_row_numbers=test_numbers,
        notes=notes,
        left_out=left_out,
    )


def _find_target(table: Table, target: str | int | None) -> tuple[str, str]:
    names = list(table.columns)
    if target is None:
        return propose_target(table)
    if isinstance(target, str) and target in table.columns:
        return target, "as you asked"
    if isinstance(target, int) or str(target).lstrip("-").isdigit():
        number = int(target)
        if 1 <= number <= len(names):
            return names[number - 1], f"column number {number}, as you asked"
        if -len(names) <= number < 0:
            return names[number], f"column number {number} (from the end), as you asked"
        raise DataError(
            f"there is no column number {number}; the table has {len(names)}", hint=f"--target {names[-1]}"
        )
    raise DataError(f"no column {target!r} in {table.source}", hint=_nearest(str(target), table))


def _nearest(name: str, table: Table) -> str:
    names = list(table.columns)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    by_case = [other for other in names if other.lower() == name.lower()]
    found = by_case or near
    if found:
        return f"did you mean {' or '.join(map(repr, found))}?"
    return f"columns: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}"


def _with_target(table: Table, name: str) -> tuple[Table, np.ndarray, int]:
    """The rows that have a target, their numbers in the file, and how many had none."""
    missing = missing_values(table.columns[name].values)
    rows = np.flatnonzero(~missing)
    if len(rows) == 0:
        raise DataError(
            f"the target {name!r} is missing in every row", hint="choose another column with --target"
        )
    return (table.select(rows) if len(rows) < table.n_rows else table), rows, int(missing.sum())


def missing_values(values: np.ndarray) -> np.ndarray:
    """True where a value is NaN, NaT or None.

    >>> missing_values(np.array(["a", None], dtype=object)).tolist()
    [False, True]
    """
    if values.dtype == object:
        return np.array([value is None or value != value for value in values], dtype=bool)
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    return np.zeros(len(values), dtype=bool)


def actual_values(table: Table, target: str, task: Task, encoded: np.ndarray) -> np.ndarray:
    """Values in the target's own units (float64), or class codes (int64)."""
    if task.kind == "regression":
        return np.asarray(table.columns[target].values, dtype=np.float64)
    return np.asarray(encoded, dtype=np.int64)
