"""The split: by the row itself, so that neither order nor new rows nor copies of rows move anything to another part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrograd.data import Split, Table, read_table, split_rows
from retrograd.data.split import SHARES
from retrograd.errors import DataError, UsageError

SIZES = [200, 8000]  # on both sides of the number of rows below which shares are kept exactly


def table_of(n: int, seed: int = 0) -> Table:
    r = np.random.default_rng(seed)
    return read_table(
        {
            "x": r.normal(size=n),
            "town": r.choice(["Ulm", "Bonn", "Kiel"], n),
            "y": r.normal(size=n),
            "g": r.integers(0, n // 5, n),
        }
    )


def part_of(split: Split, n: int) -> np.ndarray:
    """0, 1 or 2 for each row, each row exactly once."""
    part = np.full(n, -1)
    for k, rows in enumerate((split.train, split.validation, split.test)):
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()
        assert (part[rows] == -1).all()
        part[rows] = k
    assert (part >= 0).all()
    return part


@pytest.mark.parametrize("n", SIZES)
def test_shares_and_words(n: int) -> None:
    split = split_rows(table_of(n), target="y")
    shares = np.bincount(part_of(split, n)) / n
    np.testing.assert_allclose(shares, SHARES, atol=0.011 if n < 5000 else 0.02)
    assert "hash" in split.how


@pytest.mark.parametrize("n", SIZES)
def test_the_order_of_the_rows_does_not_matter(n: int) -> None:
    table = table_of(n)
    before = part_of(split_rows(table, target="y"), n)
    order = np.random.default_rng(1).permutation(n)
    after = part_of(split_rows(table.select(order), target="y"), n)
    np.testing.assert_array_equal(after, before[order])
    turned = Table(dict(reversed(table.columns.items())))
    np.testing.assert_array_equal(part_of(split_rows(turned, target="y"), n), before)


def test_new_rows_do_not_move_the_old_ones() -> None:
    table = table_of(8000)
    before = part_of(split_rows(table.select(np.arange(6000)), target="y"), 6000)
    after = part_of(split_rows(table, target="y"), 8000)
    np.testing.assert_array_equal(after[:6000], before)


def test_the_seed_draws_another_split() -> None:
    table = table_of(500)
    parts = [part_of(split_rows(table, target="y", seed=seed), 500) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(parts[0], parts[1])
    assert (parts[0] != parts[2]).mean() > 0.3


@settings(max_examples=16)
@given(st.integers(0, 1000), st.sampled_from([40, 6000]))
def test_equal_rows_stay_on_one_side(seed: int, n: int) -> None:
    r = np.random.default_rng(seed)
    rows = r.integers(0, n, n)  # many rows several times, in any order
    table = table_of(n).select(rows)
    part = part_of(split_rows(table, target="y"), n)
    for row in np.unique(rows)[:200]:
        assert len(set(part[rows == row])) == 1


def test_rows_that_differ_in_their_id_alone_are_equal() -> None:
    table = table_of(300).select(np.repeat(np.arange(150), 2))
    ids = read_table({"id": np.arange(300)}).columns["id"]
    assert ids.kind == "id"
    part = part_of(split_rows(Table({"id": ids, **table.columns}), target="y"), 300)
    np.testing.assert_array_equal(part[::2], part[1::2])


def test_repeated_ids_are_noticed_and_stay_together() -> None:
    table = table_of(300)
    numbers = np.repeat(np.random.default_rng(2).permutation(10_000)[:150], 2)
    ids = read_table({"patient_id": numbers}).columns["patient_id"]
    split = split_rows(Table({**table.columns, "patient_id": ids}), target="y")
    part = part_of(split, 300)
    np.testing.assert_array_equal(part[::2], part[1::2])
    assert split.notes == ["patient_id repeats in 150 rows: rows with one patient_id stay in one part"]
    # control: without that column the pairs are torn
    apart = part_of(split_rows(table, target="y"), 300)
    assert (apart[::2] != apart[1::2]).mean() > 0.3


@pytest.mark.parametrize("n", SIZES)
def test_groups_stay_together(n: int) -> None:
    table = table_of(n)
    split = split_rows(table, target="y", group="g")
    part, group = part_of(split, n), table.columns["g"].values
    for value in np.unique(group):
        assert len(set(part[group == value])) == 1
    assert (np.abs(np.bincount(part) / n - SHARES) < 0.08).all()
    assert "g" in split.how
    # a group goes to the same part whatever else is in the table
    fewer = table.select(np.flatnonzero(group < n // 10))
    if n >= 5000:
        known = dict(zip(group, part))
        again = part_of(
            split_rows(fewer.select(np.arange(fewer.n_rows)), target="y", group="g"), fewer.n_rows
        )
        if fewer.n_rows >= 5000:
            assert all(known[g] == p for g, p in zip(fewer.columns["g"].values, again))


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    table = table_of(400)
    group = np.where(np.arange(400) < 200, np.nan, np.arange(400) // 10)
    split = split_rows(
        Table({**table.columns, "h": read_table({"h": group}).columns["h"]}), target="y", group="h"
    )
    assert len(set(part_of(split, 400)[:200])) == 3


@pytest.mark.parametrize("kind", ["date", "number", "text"])
def test_time(kind: str) -> None:
    n = 500
    order = np.random.default_rng(3).permutation(n)
    moments = {
        "date": np.datetime64("2020-01-01", "s") + order // 3 * np.timedelta64(86400, "s"),
        "number": (order // 3).astype(float),
        "text": np.array([f"week {k:05d}" for k in order // 3], dtype=object),
    }[kind]
    table = Table({**table_of(n).columns, "when": read_table({"when": moments}).columns["when"]})
    split = split_rows(table, target="y", time="when")
    part = part_of(split, n)
    when = order // 3
    assert when[part == 0].max() < when[part == 1].min()
    assert when[part == 1].max() < when[part == 2].min()
    np.testing.assert_allclose(np.bincount(part) / n, SHARES, atol=0.02)
    assert ("alphabetical" in " ".join(split.notes)) == (kind == "text")


def test_rows_without_a_time_train() -> None:
    table = table_of(300)
    when = np.where(np.arange(300) % 30 == 0, np.nan, np.arange(300) + 0.5)
    split = split_rows(
        Table({**table.columns, "when": read_table({"when": when}).columns["when"]}), target="y", time="when"
    )
    part = part_of(split, 300)
    assert (part[::30] == 0).all()
    assert "10 rows have no when: they train" in split.notes


def test_an_own_test_table() -> None:
    table, other = table_of(300), table_of(80, seed=9)
    split = split_rows(table, target="y", test=other)
    assert (len(split.train) + len(split.validation), len(split.test)) == (300, 80)
    assert len(split.validation) == 60
    assert split.test_table is other
    assert split.notes == []
    shared = split_rows(table, target="y", test=table.select(np.arange(7)))
    assert shared.notes == ["7 rows of table occur in table as well"]


@pytest.mark.parametrize("target", ["label", "grade"])
def test_every_class_is_in_every_part_of_a_small_table(target: str) -> None:
    n = 100
    table = table_of(n)
    labels = {
        "label": np.where(np.arange(n) < 8, "rare", "common"),
        "grade": np.where(np.arange(n) < 8, 2.0, 1.0),
    }
    column = read_table({target: labels[target]}).columns[target]
    split = split_rows(Table({**table.columns, target: column}), target=target)
    for rows in (split.train, split.validation, split.test):
        assert len(set(labels[target][rows])) == 2


def test_a_table_of_few_different_rows() -> None:
    """Where equal rows cannot stay together, that is said."""
    table = read_table({"x": [0, 1] * 30, "y": [0.5, 1.5] * 30})
    split = split_rows(table, target="y")
    assert (np.bincount(part_of(split, 60)) > 0).all()
    assert any("equal rows had to be put on both sides" in note for note in split.notes)


def test_what_cannot_be_divided() -> None:
    table = table_of(100)
    with pytest.raises(DataError) as caught:
        split_rows(table, target="y", group="twon")
    assert caught.value.hint == "did you mean 'town'?"
    with pytest.raises(UsageError):
        split_rows(table, target="y", group="g", time="x")
    same = Table({**table.columns, "one": read_table({"one": [1.0] * 99 + [2.0]}).columns["one"]})
    for how in ({"group": "one"}, {"time": "one"}):
        with pytest.raises(DataError) as told:
            split_rows(same, target="y", **how)  # type: ignore[arg-type]
        assert "no rows are left" in str(told.value)
        assert "one" in str(told.value.hint)


def test_real_tables_keep_their_shares(data_dir: Path) -> None:
    for file, target in (
        ("king-county-houses/kc_house_data.csv", "price"),
        ("titanic/titanic.csv", "survived"),
    ):
        table = read_table(data_dir / file)
        part = part_of(split_rows(table, target=target), table.n_rows)
        np.testing.assert_allclose(np.bincount(part) / table.n_rows, SHARES, atol=0.02)


@pytest.mark.parametrize("n", range(10, 26))
def test_few_rows_leave_two_for_each_part(n: int) -> None:
    g = np.random.default_rng(n)
    targets = {"number": g.normal(size=n), "flag": np.arange(n) % 2, "label": [f"c{k % 4}" for k in range(n)],
               "whole": g.integers(0, 8, n)}  # fmt: skip
    for target in targets.values():
        table = read_table({"x": g.normal(size=n), "y": target})
        split = split_rows(table, target="y")
        assert min(len(split.train), len(split.validation), len(split.test)) >= 2
        assert len(split.train) >= n // 2
