"""The checker of data: what is planted is found, what is clean is left in peace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrograd.data import Finding, Split, Table, examine, infer_task, read_table, split_rows

r = np.random.default_rng(0)
N = 400


def clean(n: int = N) -> dict[str, Any]:
    """Nothing is wrong with this."""
    g = np.random.default_rng(5)
    size, age = g.normal(60, 15, n), g.normal(40, 12, n)
    town = g.choice(["Ulm", "Bonn", "Kiel"], n)
    return {"size": size, "age": age, "town": town, "rent": 10 * size - 3 * age + g.normal(0, 80, n)}


def check(table: Table, target: str = "rent", split: Split | None = None, **how: Any) -> list[Finding]:
    split = split or split_rows(table, target=target, **how)
    return examine(table, target=target, task=infer_task(table.columns[target]), split=split)


def only(findings: list[Finding], code: str) -> Finding:
    assert [finding.code for finding in findings] == [code]
    assert findings[0].hint
    assert findings[0].severity in ("note", "warning", "problem")
    return findings[0]


def test_a_clean_table_is_left_in_peace() -> None:
    assert check(read_table(clean())) == []


@pytest.mark.row("PRB-11")
def test_a_clean_real_table_is_left_in_peace(data_dir: Path) -> None:
    for file, target in (
        ("breast-cancer-wdbc/wdbc.data", "c2"),
        ("california-housing/housing.csv", "median_house_value"),
    ):
        assert check(read_table(data_dir / file), target) == []


@pytest.mark.row("PRB-11")
def test_planted_duplicates_are_found_in_a_real_table(data_dir: Path) -> None:
    table = read_table(data_dir / "breast-cancer-wdbc/wdbc.data")
    chosen = np.random.default_rng(1).permutation(table.n_rows)[:40]
    planted = table.select(np.concatenate([np.arange(table.n_rows), chosen]))
    found = {finding.code: finding for finding in check(planted, "c2")}
    assert set(found) == {"duplicate_rows", "repeated_ids"}
    assert found["duplicate_rows"].rows == list(range(569, 609))
    assert "40 rows repeat an earlier one (6.6%" in found["duplicate_rows"].message
    assert found["duplicate_rows"].severity == "warning"
    # with new numbers in the id column they are the same patients still
    ids = planted.columns["c1"].values.copy()
    ids[569:] = 1e9 + np.arange(40)
    renumbered = Table({**planted.columns, "c1": read_table({"c1": ids}).columns["c1"]})
    assert only(check(renumbered, "c2"), "duplicate_rows").rows == list(range(569, 609))


@pytest.mark.row("PRB-11")
def test_rows_in_two_parts_are_found_in_a_real_table(data_dir: Path) -> None:
    table = read_table(data_dir / "titanic/titanic.csv")
    split = split_rows(table, target="survived")
    own = [f for f in check(table, "survived", split) if f.code == "rows_in_two_splits"]
    assert own == []
    test = table.select(np.concatenate([split.train[:5], split.validation[:2], split.test]))
    train = table.select(np.concatenate([split.train, split.validation]))
    torn = split_rows(train, target="survived", test=test)
    (finding,) = [f for f in check(train, "survived", torn) if f.code == "rows_in_two_splits"]
    assert finding.rows == list(range(7))
    assert "7 test rows" in finding.message
    assert finding.severity == "problem"
    # control: the same test rows without the seven
    fair = split_rows(train, target="survived", test=table.select(split.test))
    assert [f for f in check(train, "survived", fair) if f.code == "rows_in_two_splits"] == []


def test_a_split_by_time_tears_equal_rows_apart_and_says_so() -> None:
    table = read_table(clean())
    rows = np.concatenate([np.arange(N), [3, 5]])
    doubled = {name: column.take(rows) for name, column in table.columns.items()}
    doubled["week"] = read_table({"week": np.arange(N + 2) // 4 + 0.0}).columns["week"]
    planted = Table(doubled)
    findings = check(
        Table({k: v for k, v in doubled.items() if k != "week"}),
        split=split_rows(planted, target="rent", time="week"),
    )
    assert [(f.code, f.severity) for f in findings] == [
        ("rows_in_two_splits", "problem"),
        ("duplicate_rows", "note"),
    ]
    assert findings[0].rows == [N, N + 1]


def test_a_column_read_as_another_type_in_the_test_table_is_compared_as_text() -> None:
    data = clean(60)
    table = read_table({**data, "zip": [str(10 + k % 7) for k in range(60)]})
    test = read_table({**{k: v[:9] for k, v in data.items()}, "zip": [float(10 + k % 7) for k in range(9)]})
    assert (table.columns["zip"].kind, test.columns["zip"].kind) == ("category", "number")
    split = split_rows(table, target="rent", test=test)
    assert {f.code for f in check(table, split=split)} >= {"rows_in_two_splits"}


PLANTED: dict[str, tuple[str, Callable[[dict[str, Any]], Any], list[str], list[int], str]] = {
    # code: (column, its values, columns told, rows told, words)
    "constant": ("unit", lambda d: ["m2"] * N, ["unit"], [], "unit is m2 in every row"),
    "infinite": (
        "ratio",
        lambda d: np.where(np.arange(N) == 8, np.inf, r.normal(size=N)),
        ["ratio"],
        [8],
        "in 1 row, for example row 9 (counted from 1)",
    ),
    "text_unused": (
        "note",
        lambda d: [f"a house of the sort {k}" for k in range(N)],
        ["note"],
        [],
        "running text",
    ),
    "many_missing": (
        "pool",
        lambda d: np.where(np.arange(N) % 5 == 0, r.normal(size=N), np.nan),
        ["pool"],
        [],
        "320 of 400 rows (80%)",
    ),
}


@pytest.mark.parametrize("code", PLANTED)
def test_what_is_planted_is_found(code: str) -> None:
    name, make, columns, rows, words = PLANTED[code]
    data = clean()
    finding = only(check(read_table({**data, name: make(data)})), code)
    assert (finding.columns, finding.rows) == (columns, rows)
    assert words in finding.message


def test_missing_targets() -> None:
    data = clean()
    data["rent"][[4, 9]] = np.nan
    finding = only(check(read_table(data)), "missing_target")
    assert finding.rows == [4, 9]
    assert "2 rows have no rent" in finding.message


def test_imbalance() -> None:
    data = clean(1000)
    for share, rare in ((0.02, True), (0.3, False)):
        label = np.where(np.arange(1000) < 1000 * share, "ill", "well")
        findings = check(read_table({**data, "state": label}), "state")
        assert bool(findings) == rare
    finding = only(
        check(read_table({**data, "state": np.where(np.arange(1000) < 20, "ill", "well")}), "state"),
        "imbalance",
    )
    assert "of 1000 rows, few are ill 20" in finding.message
    assert finding.rows == list(range(20))
    few = np.array(["a", "b", "c"])[np.where(np.arange(90) < 4, 2, np.arange(90) % 2)]
    codes = {f.code: f for f in check(read_table({**clean(90), "state": few}), "state")}
    assert set(codes) == {"imbalance", "few_rows"}
    assert "only 5" in codes["few_rows"].message  # rows to train on: 57 or so


def test_repeated_ids_together_and_torn() -> None:
    data = {**clean(), "patient_id": np.repeat(r.permutation(9000)[: N // 2], 2)}
    table = read_table(data)
    finding = only(check(table), "repeated_ids")
    assert (finding.severity, finding.hint) == ("note", "--group patient_id")
    assert "200 values" in finding.message
    torn = split_rows(read_table(clean()), target="rent")
    finding = only(check(table, split=torn), "repeated_ids")
    assert finding.severity == "warning"
    assert "in several parts" in finding.message


def test_many_columns_of_one_sort_are_told_together() -> None:
    table = read_table({**clean(), **{f"empty{k}": [0] * N for k in range(9)}})
    finding = only(check(table), "constant")
    assert len(finding.columns) == 9
    assert "8 more columns are like it" in finding.message


def test_nothing_is_said_about_columns_that_are_left_out() -> None:
    data = clean()
    table = read_table({**data, "unit": ["m2"] * N, "rent_usd": 1.1 * data["rent"]})
    split, task = split_rows(table, target="rent"), infer_task(table.columns["rent"])
    assert {f.code for f in examine(table, target="rent", task=task, split=split)} == {"constant", "leak"}
    assert examine(table, target="rent", task=task, split=split, exclude=["unit", "rent_usd"]) == []


def test_the_worst_comes_first_and_hints_can_be_pasted() -> None:
    data = clean()
    findings = check(read_table({**data, "rent in $": data["rent"], "a unit": ["m2"] * N}))
    assert [(f.code, f.severity) for f in findings] == [("leak", "problem"), ("constant", "note")]
    assert [f.hint for f in findings] == ["--exclude 'rent in $'", "--exclude 'a unit'"]
    assert str(findings[0]).startswith("problem: rent in $ gives rent away")


def test_rows_with_a_code_of_their_own_do_not_repeat() -> None:
    g = np.random.default_rng(1)
    data = {
        "code": [f"k{i}" for i in range(N)],
        "town": g.choice(["Ulm", "Bonn"], N),
        "rent": g.integers(1, 9, N),
    }
    assert [f.code for f in check(read_table(data)) if f.code == "duplicate_rows"] == []
    # control: rows that are equal in everything but their number, and the number is named
    rows = np.concatenate([np.arange(N), [3, 5]])
    table = read_table({**{k: np.asarray(v)[rows] for k, v in clean().items()}, "row": np.arange(N + 2)})
    (finding,) = [f for f in check(table) if f.code == "duplicate_rows"]
    assert finding.rows == [N, N + 1]
    assert "row aside" in finding.message


def test_test_rows_are_told_by_the_part_they_occur_in() -> None:
    table = read_table(clean(90))
    split = split_rows(table, target="rent", test=table)
    (finding,) = [f for f in check(table, split=split) if f.code == "rows_in_two_splits"]
    assert "90 test rows (100.0%)" in finding.message
    assert (
        f"{len(split.train)} in the training part, {len(split.validation)} in the validation part"
        in finding.message
    )
    assert "--test" in finding.hint
    assert "--group" not in finding.hint


def test_several_rows_of_one_patient_suggest_a_group() -> None:
    data = {"patient": [f"P{k // 5}" for k in range(N)], **clean()}
    table = read_table(data)
    finding = only(check(table), "repeated_ids")
    assert (finding.severity, finding.hint) == ("note", "--group patient")
    grouped = split_rows(table, target="rent", group="patient")
    assert check(table, split=grouped) == []
    # a column that is left out is not reported
    task, split = infer_task(table.columns["rent"]), split_rows(table, target="rent")
    assert examine(table, target="rent", task=task, split=split, exclude=["patient"]) == []
