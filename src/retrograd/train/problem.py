"""The problem: one table read, its target and task found, its rows divided, its columns prepared.

Everything that learns from the data (training, tuning the rate, learning curves, benchmarks) starts from here, so all
of them see the same rows, prepared with the statistics of the training rows only.
"""

from __future__ import annotations

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
    find_column,
    infer_task,
    propose_target,
    read_table,
    split_rows,
)
from retrograd.errors import DataError, UsageError
from retrograd.report.words import row_count

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
    fingerprint: str
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
            assert table is not None
            assert numbers is not None
            chosen = table.select(rows)
            try:
                prepared = self.preparation.transform(chosen)
                encoded = self.preparation.encode_target(chosen)
            except DataError as error:
                error.where = error.where or chosen.source  # one of two files: say which
                raise
            self._parts[name] = Part(
                rows=numbers[rows],
                inputs=(prepared.numbers, prepared.categories),
                target=encoded,
                actual=actual_values(chosen, self.target, self.task, encoded),
            )
        return self._parts[name]

    def examine(self) -> list[Finding]:
        """What the data checker finds; see `retrograd.data.examine`."""
        return examine(
            self.table, target=self.target, task=self.task, split=self.split, exclude=self.left_out
        )

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
    notes, fingerprint = list(table.notes), table.fingerprint
    exclude = [_option(table, "exclude", column, name) for column in exclude]
    group = None if group is None else _option(table, "group", group, name)
    time = None if time is None else _option(table, "time", time, name)
    table, numbers, dropped = _with_target(table, name)
    if dropped:
        notes.append(f"left out: {row_count(dropped)} without {name}")
    if table.n_rows < FEWEST_ROWS:
        raise DataError(
            f"{table.source} has {row_count(table.n_rows)} with a target; training needs at least {FEWEST_ROWS}",
            hint="give a table with more rows",
        )
    task = infer_task(table.columns[name])
    test_table, test_numbers = None, None
    if test is not None:
        read = test if isinstance(test, Table) else read_table(test, header=header)
        find_column(read, name)
        test_table, test_numbers, missing = _with_target(read, name)
        if missing:
            notes.append(f"left out: {row_count(missing, 'test row')} without {name}")
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
        fingerprint=fingerprint,
        test_table=test_table,
        test_row_numbers=test_numbers,
        notes=notes,
        left_out=left_out,
    )


def _option(table: Table, option: str, column: str, target: str) -> str:
    """The column that an option names; `UsageError` where there is none, or where it is the target."""
    try:
        found = find_column(table, column)
    except DataError as error:
        raise UsageError(f"--{option}: {error.message}", hint=error.hint, where=error.where) from None
    if found == target:
        raise UsageError(
            f"--{option} {column}: this is the target, the column to predict",
            hint=f"leave --{option} out, or choose another target with --target",
        )
    return found


def _find_target(table: Table, target: str | int | None) -> tuple[str, str]:
    if target is None:
        return propose_target(table)
    try:
        name = find_column(table, target)
    except DataError as error:
        raise UsageError(error.message, hint=error.hint, where=error.where) from None
    return name, "as you asked" if name == target else f"column number {target}, as you asked"


def _with_target(table: Table, name: str) -> tuple[Table, np.ndarray, int]:
    """The rows that have a target, their numbers in the file, and how many had none."""
    missing = table.columns[name].missing
    rows = np.flatnonzero(~missing)
    if len(rows) == 0:
        raise DataError(
            f"the target {name!r} is missing in every row", hint="choose another column with --target"
        )
    return (table.select(rows) if len(rows) < table.n_rows else table), rows, int(missing.sum())


def actual_values(table: Table, target: str, task: Task, encoded: np.ndarray) -> np.ndarray:
    """Values in the target's own units (float64), or class codes (int64)."""
    if task.kind == "regression":
        return np.asarray(table.columns[target].values, dtype=np.float64)
    return np.asarray(encoded, dtype=np.int64)
