"""`examine`: what is wrong with a table, before a network is trained on it.

Each check is a function of the table, its target, its task and its split that gives findings; most give none.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from retrograd.data.encoders import MOST_LEVELS
from retrograd.data.findings import MOST_ROWS, Finding, Severity
from retrograd.data.leaks import find_leaks
from retrograd.data.split import Split
from retrograd.data.table import Column, Table
from retrograd.data.task import Task

MOST_ALIKE = 3
"""Findings of one sort about single columns; more of them are told together."""
FEW_ROWS = 100
"""Fewer training rows than this can hardly fix the weights of a network."""
RARE_CLASS = 0.05
"""A class with a smaller share of the rows (of the share it would have if all were equal: twice that) is rare."""
FEW_OF_A_CLASS = 10
"""Fewer rows of one class than this cannot be divided in three parts that mean anything."""
SUBJECT = re.compile(
    r"(^|[_ .-])(pat|patient|subject|person|user|customer|client|student|animal|household|device|group)"
    r"($|[_ .-]|id$|no$|nr$)",
    re.IGNORECASE,
)
"""Names of what several rows may be about."""
FEWEST_SUBJECTS = 10
MOST_OF_A_SUBJECT = 50  # rows on average
MANY_EQUAL = 0.05
"""A larger share of rows that repeat earlier ones is a warning: there is less to learn from than it seems."""
MOST_EQUAL = 0.5
"""A larger share of rows that are equal but for their numbers says that the columns are coarse, not that rows repeat."""
MANY_MISSING = 0.5
"""A column with a larger share of missing values is told."""


def examine(
    table: Table, *, target: str, task: Task, split: Split, exclude: Iterable[str] = ()
) -> list[Finding]:
    """What is noteworthy about the data, worst first: leaks, equal rows, rare classes, columns that are not used.

    ``exclude``: columns that are left out anyway; nothing is said about them.

    >>> from retrograd.data import infer_task, read_table, split_rows
    >>> table = read_table({"x": [i * 0.5 for i in range(300)], "town": ["Ulm"] * 300, "y": [i * 7 % 100 for i in range(300)]})
    >>> split = split_rows(table, target="y")
    >>> task = infer_task(table.columns["y"])
    >>> [str(finding) for finding in examine(table, target="y", task=task, split=split)]
    ['note: town is Ulm in every row, so it is not used']
    """
    left_out = set(exclude)
    seen = Table(
        {name: column for name, column in table.columns.items() if name not in left_out}, table.source
    )
    findings = [
        *find_leaks(seen, target=target, task=task, split=split),
        *_equal_rows(table),
        *_rows_in_two_parts(table, split),
        *_repeated_ids(seen, target, split),
        *_repeated_subjects(seen, target, split),
        *_target(table, target),
        *_classes(table, target, task),
        *_few_rows(split),
        *_columns(seen, target),
    ]
    order = ("problem", "warning", "note")
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def _equal_rows(table: Table) -> list[Finding]:
    """Rows that say what an earlier row says already, their ids aside."""
    names, counters = _shared_names(table, table), []
    # a row's number says nothing about it; a code that is a text may be all that is known of a row
    if len(names) < len(table.columns):
        counters = [name for name in table.columns if name not in names and _is_counter(table.columns[name])]
        names = [name for name in table.columns if name not in counters]
    hashes = _content(table, names)
    _, first, where = np.unique(hashes, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[where] != np.arange(table.n_rows))
    if not len(again):
        return []
    share = len(again) / table.n_rows
    if counters and share > MOST_EQUAL:  # a few coarse columns cannot tell rows apart; that is no repetition
        return []
    aside = f", {', '.join(counters)} aside" if counters else ""
    severity: Severity = "warning" if share > MANY_EQUAL else "note"
    noun = "row repeats" if len(again) == 1 else "rows repeat"
    return [
        Finding(
            "duplicate_rows",
            severity,
            f"{len(again)} {noun} an earlier one ({share:.1%} of all){aside}, for example {_numbers(again)}",
            [],
            _listed(again),
            "remove them if nothing was observed twice; equal rows are kept in one part of the split",
        )
    ]


def _rows_in_two_parts(table: Table, split: Split) -> list[Finding]:
    """Rows of the training part that are judged on as well: they reward remembering."""
    test = table if split.test_table is None else split.test_table
    names = _shared_names(table, test)
    if not names:
        return []
    own, others = _content(table, names, test), _content(test, names, table)
    found = []
    train, validation, judged = own[split.train], own[split.validation], others[split.test]
    for words, rows, mask in (
        ("validation", split.validation, np.isin(validation, train)),
        ("test", split.test, np.isin(judged, np.concatenate([train, validation]))),
    ):
        count = int(np.count_nonzero(mask))
        if not count:
            continue
        where = "occur in the training part as well"
        if words == "test":
            learnt = int(np.count_nonzero(np.isin(judged, train)))
            if learnt < count:
                where = (
                    f"occur among the rows that the network was made with as well ({learnt} in the training part, "
                    f"{count - learnt} in the validation part alone)"
                )
        own_test = words == "test" and split.test_table is not None
        cure = "use neither --group nor --time: then equal rows stay together"
        if own_test:
            cure = "give other rows with --test, or none: then a part of the table is set aside"
        elif not split.how.startswith("by time") and "its equal values" not in split.how:
            cure = "say which column groups them: --group COLUMN"
        share = count / len(rows)
        severity: Severity = "problem" if share > 0.01 else "warning"
        found.append(
            Finding(
                "rows_in_two_splits",
                severity,
                f"{count} {words} {'row' if count == 1 else 'rows'} ({share:.1%}) {where}, "
                f"for example {_numbers(rows[mask])}",
                [],
                _listed(rows[mask]),
                f"the result is better than it will be on new rows; remove these rows, or {cure}",
            )
        )
    return found


def _repeated_ids(table: Table, target: str, split: Split) -> list[Finding]:
    """Ids that stand in several rows: those rows belong together."""
    found = []
    parts = np.zeros(table.n_rows, dtype=np.int64)
    parts[split.validation] = 1
    if split.test_table is None:
        parts[split.test] = 2
    for name, column in table.columns.items():
        if column.kind != "id" or name == target:
            continue
        codes = column.codes[0]
        known = codes >= 0
        again = int(np.count_nonzero(known)) - column.n_distinct
        if again <= 0:
            continue
        low = np.full(column.n_distinct, 3)
        high = np.full(column.n_distinct, -1)
        np.minimum.at(low, codes[known], parts[known])
        np.maximum.at(high, codes[known], parts[known])
        divided = int(np.count_nonzero(low < high))
        counts = np.bincount(codes[known], minlength=column.n_distinct)
        rows = np.flatnonzero(known & (counts[codes] > 1))
        what = (
            f"{divided} of them in several parts of the split"
            if divided
            else "their rows stay in one part of the split"
        )
        found.append(
            Finding(
                "repeated_ids",
                "warning" if divided else "note",
                f"{name} has {int((counts > 1).sum())} values that stand in several rows; {what}",
                [name],
                _listed(rows),
                f"--group {shlex.quote(name)}",
            )
        )
    return found


def _is_counter(column: Column) -> bool:
    return column.kind == "id" and column.values.dtype.kind == "f"


def _repeated_subjects(table: Table, target: str, split: Split) -> list[Finding]:
    """A column of many values, each in a few rows and with nearly one target: rows of one subject that are divided."""
    found = []
    parts = np.full(table.n_rows, 2)
    parts[split.train], parts[split.validation] = 0, 1
    for name, column in table.columns.items():
        named = SUBJECT.search(name)
        if name == target or column.kind not in ("category", "number") or not named:
            continue
        codes = column.codes[0]
        counts = np.bincount(codes[codes >= 0], minlength=column.n_distinct)
        few = len(counts) >= FEWEST_SUBJECTS and 2 <= counts.mean() <= MOST_OF_A_SUBJECT
        if not few or column.n_missing > 0.1 * table.n_rows:
            continue
        present = np.zeros((column.n_distinct, 3), dtype=bool)
        present[codes[codes >= 0], parts[codes >= 0]] = True
        divided = int(np.count_nonzero(present.sum(axis=1) > 1))
        if divided > 0.2 * column.n_distinct:
            found.append(
                Finding(
                    "repeated_ids",
                    "note",
                    f"{name} has {column.n_distinct} values with {counts.mean():.3g} rows each, {divided} of them in several "
                    "parts of the split: if the rows of one belong together, the result is too good for a new one",
                    [name],
                    [],
                    f"--group {shlex.quote(name)}",
                )
            )
    return found


def _target(table: Table, target: str) -> list[Finding]:
    column = table.columns[target]
    if not column.n_missing:
        return []
    rows = np.flatnonzero(column.missing)
    noun = "row has" if len(rows) == 1 else "rows have"
    return [
        Finding(
            "missing_target",
            "note",
            f"{len(rows)} {noun} no {target} and cannot be learnt from, for example {_numbers(rows)}",
            [target],
            _listed(rows),
            f"fill in {target}, or leave these rows out",
        )
    ]


def _classes(table: Table, target: str, task: Task) -> list[Finding]:
    """Classes so rare that they are easily overlooked."""
    if task.classes is None:
        return []
    codes, values = table.columns[target].codes
    frequencies = np.bincount(codes[codes >= 0], minlength=len(values)).tolist()
    counts = dict.fromkeys(task.classes, 0) | dict(zip(values, frequencies))
    total = max(1, sum(counts.values()))
    rare = [
        name
        for name, count in counts.items()
        if count < FEW_OF_A_CLASS or count / total < 2 * RARE_CLASS / len(task.classes)
    ]
    if not rare:
        return []
    shown = ", ".join(f"{name} {counts[name]}" for name in sorted(rare, key=counts.__getitem__)[:8])
    return [
        Finding(
            "imbalance",
            "warning",
            f"{target} is unbalanced: of {total} rows, few are {shown}{', ...' if len(rare) > 8 else ''}",
            [target],
            _listed(np.flatnonzero(np.isin(codes, [i for i, value in enumerate(values) if value in rare]))),
            "judge by balanced_accuracy, which counts every class alike; more rows of the rare classes help most",
        )
    ]


def _few_rows(split: Split) -> list[Finding]:
    if len(split.train) >= FEW_ROWS:
        return []
    return [
        Finding(
            "few_rows",
            "warning",
            f"only {len(split.train)} rows to train on and {len(split.test)} to judge by: every number is uncertain",
            hint="collect more rows of the same kind",
        )
    ]


def _columns(table: Table, target: str) -> list[Finding]:
    """Columns that cannot be used, or not as they stand; many of one sort make one finding."""
    sorts: dict[str, list[Finding]] = {}
    for name, column in table.columns.items():
        if name != target:
            for finding in _column(name, column, table.n_rows):
                sorts.setdefault(finding.code, []).append(finding)
    return [merged for same in sorts.values() for merged in _merged(same)]


def _merged(same: list[Finding]) -> list[Finding]:
    if len(same) <= MOST_ALIKE:
        return same
    first, names = same[0], [name for finding in same for name in finding.columns]
    return [
        replace(first, message=f"{first.message}; {len(names) - 1} more columns are like it", columns=names)
    ]


def _column(name: str, column: Column, n: int) -> list[Finding]:
    found = []
    if column.kind == "constant":
        value = "missing" if column.n_missing == n else column.codes[1][0]
        found.append(
            Finding(
                "constant",
                "note",
                f"{name} is {value} in every row, so it is not used",
                [name],
                [],
                f"--exclude {shlex.quote(name)}",
            )
        )
    if column.kind == "text":
        found.append(
            Finding(
                "text_unused",
                "note",
                f"{name} holds running text, which is not used in this version",
                [name],
                [],
                "turn what matters in it into columns of numbers or categories",
            )
        )
    if column.values.dtype.kind == "f":
        infinite = np.flatnonzero(np.isinf(column.values))
        if len(infinite):
            found.append(
                Finding(
                    "infinite",
                    "warning",
                    f"{name} is infinite in {len(infinite)} {'row' if len(infinite) == 1 else 'rows'}, "
                    f"for example {_numbers(infinite)}; there it counts as missing",
                    [name],
                    _listed(infinite),
                    f"mend these cells of {name}: a division by zero or an overflow made them",
                )
            )
    if column.kind == "category" and column.n_distinct > MOST_LEVELS:
        found.append(
            Finding(
                "many_categories",
                "warning",
                f"{name} has {column.n_distinct} different values in {n} rows: only the {MOST_LEVELS} most frequent "
                "have a code of their own",
                [name],
                [],
                f"group the values of {name} into fewer, or --exclude {shlex.quote(name)}",
            )
        )
    if column.kind not in ("constant", "id", "text") and column.n_missing > MANY_MISSING * n:
        found.append(
            Finding(
                "many_missing",
                "note",
                f"{name} is missing in {column.n_missing} of {n} rows ({column.n_missing / n:.0%})",
                [name],
                [],
                f"--exclude {shlex.quote(name)} if its gaps mean nothing",
            )
        )
    return found


def _shared_names(table: Table, other: Table) -> list[str]:
    """Columns of both by which rows are compared: all but ids, or all where there is nothing else."""
    names = [name for name in table.columns if name in other.columns]
    return [name for name in names if table.columns[name].kind != "id"] or names


def _content(table: Table, names: Sequence[str], other: Table | None = None) -> np.ndarray:
    """Hashes of the rows; a column that was read as another type in the other table is compared as text."""
    columns = {}
    for name in names:
        column = table.columns[name]
        if other is not None and other.columns[name].values.dtype.kind != column.values.dtype.kind:
            column = Column(name, column.text())
        columns[name] = column
    return Table(columns).row_hashes()


def _listed(rows: np.ndarray) -> list[int]:
    return [int(row) for row in rows[:MOST_ROWS]]


def _numbers(rows: np.ndarray) -> str:
    """Row numbers for people: from 1, the header not counted."""
    shown = ", ".join(str(int(row) + 1) for row in rows[:3])
    return f"row {shown} (counted from 1)" if len(rows) == 1 else f"rows {shown} (counted from 1)"
