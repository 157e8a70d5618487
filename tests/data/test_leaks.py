"""Leaks: ten are planted into six real tables and found; the six tables as they are give no alarm, nor do honest strong columns."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.planted_leaks import LEAKS, TABLES, Leak
from retrograd.data import Finding, Table, infer_task, read_table, split_rows
from retrograd.data.leaks import find_leaks


@cache
def table_at(path: Path) -> Table:
    return read_table(path)


def leaks_in(table: Table, target: str) -> list[Finding]:
    split = split_rows(table, target=target)
    findings = find_leaks(table, target=target, task=infer_task(table.columns[target]), split=split)
    for finding in findings:  # what is merely strong is told without the advice to leave it out
        strong = finding.severity == "note"
        assert finding.code == ("strong_column" if strong else "leak")
        assert finding.hint.startswith("--exclude") != strong
    return findings


def told(findings: list[Finding]) -> set[str]:
    return {name for finding in findings for name in finding.columns}


@pytest.mark.row("PRB-11")
@pytest.mark.parametrize("leak", LEAKS, ids=[leak.name for leak in LEAKS])
def test_a_planted_leak_is_found(data_dir: Path, leak: Leak) -> None:
    table = table_at(data_dir / leak.file)
    for seed in (0, 1):
        findings = leaks_in(leak.plant(table, seed), leak.target)
        assert told(findings) == {leak.name}, leak.what
        assert findings[0].severity in ("warning", "problem")


@pytest.mark.row("PRB-11")
@pytest.mark.parametrize("file", TABLES)
def test_no_leak_is_reported_on_a_clean_table(data_dir: Path, file: str) -> None:
    assert leaks_in(table_at(data_dir / file), TABLES[file]) == []


@pytest.mark.row("PRB-11")
@pytest.mark.parametrize("leak", LEAKS, ids=[leak.name for leak in LEAKS])
def test_the_same_values_in_another_order_are_no_leak(data_dir: Path, leak: Leak) -> None:
    """The control of each planted leak: its column, shuffled, has the same values and gives nothing away."""
    planted = leak.plant(table_at(data_dir / leak.file))
    order = np.random.default_rng(2).permutation(planted.n_rows)
    shuffled = Table({**planted.columns, leak.name: planted.columns[leak.name].take(order)})
    assert leaks_in(shuffled, leak.target) == []


def test_all_leaks_of_one_table_at_once(data_dir: Path) -> None:
    """Leaks do not excuse each other."""
    for file, target in TABLES.items():
        leaks = [leak for leak in LEAKS if leak.file == file]
        table = table_at(data_dir / file)
        for leak in leaks:
            table = leak.plant(table)
        assert told(leaks_in(table, target)) == {leak.name for leak in leaks}


@pytest.mark.parametrize(
    "file, target",
    [
        ("abalone/abalone.csv", "c9"),
        ("german-credit/german.csv", "c21"),
        ("heart-disease/processed.cleveland.data", "c14"),
        ("penguins/penguins.csv", "species"),
        ("penguins/penguins.csv", "body_mass_g"),
        ("wine-quality/winequality-red.csv", "c12"),
        ("movielens-latest-small/ratings.csv", "rating"),
        ("titanic/titanic.csv", "fare"),
    ],
)
def test_no_leak_is_reported_on_other_real_tables(data_dir: Path, file: str, target: str) -> None:
    assert leaks_in(table_at(data_dir / file), target) == []


def test_the_numbers_of_a_schooling_are_given_away_by_its_name(data_dir: Path) -> None:
    """Two columns of one thing, as shipped: whoever wants to predict the one has to be told of the other."""
    findings = leaks_in(table_at(data_dir / "adult-income/adult-train.csv"), "c5")
    assert [(finding.columns, finding.severity) for finding in findings] == [(["c4"], "problem")]


# --- invented tables, where what is honest is known ------------------------------------------------------------------------

r = np.random.default_rng(0)
N = 800
X = r.normal(size=(N, 4))
Y = X @ [1.0, 0.7, -0.5, 0.3] + r.normal(size=N)
GROUP = r.integers(0, 40, N)


def base(y: np.ndarray = Y) -> dict[str, Any]:
    return {**{f"x{i}": X[:, i] for i in range(4)}, "group": [f"g{k}" for k in GROUP], "y": y}


def mean_of_the_others(y: np.ndarray, group: np.ndarray) -> np.ndarray:
    sums, counts = np.bincount(group, y)[group], np.bincount(group)[group]
    return (sums - y) / np.maximum(counts - 1, 1)


def of_group(statistic: Any, group: np.ndarray = GROUP) -> np.ndarray:
    values = np.array([statistic(Y[group == k]) for k in range(group.max() + 1)])
    return values[group]


CLASS = np.where(np.quantile(Y, 0.7) < Y, "good", "bad")
HIDDEN = {
    "copy": Y,
    "rounded": np.round(Y),
    "negative cube": -(Y**3),
    "ranks": np.argsort(np.argsort(Y)).astype(float) * 3,
    "noise of a tenth": Y + 0.1 * r.normal(size=N),
    "known for a few": np.where(r.random(N) < 0.2, 2 * Y, np.nan),
    "in a text": [f"about {v:.2f} EUR" for v in Y],
    "in an id": [f"R-{k:06d}" for k in np.argsort(np.argsort(Y))],
    "ten bands": [f"band {k}" for k in np.digitize(Y, np.quantile(Y, np.arange(0.1, 1, 0.1)))],
    "above the median": (np.median(Y) < Y).astype(float),
    "quarters": [f"Q{k}" for k in np.digitize(Y, np.quantile(Y, [0.25, 0.5, 0.75]))],
    "mean of the group": of_group(np.mean),
    "median of the group": of_group(np.median),
    "largest of the group": of_group(np.max),
    "mean of the others in the group": mean_of_the_others(Y, GROUP),
    "in the money of the group": Y * (1 + GROUP),
}


@pytest.mark.parametrize("how", HIDDEN)
def test_hidden_numbers_are_found(how: str) -> None:
    assert told(leaks_in(read_table({**base(), "z": HIDDEN[how]}), "y")) == {"z"}


HIDDEN_CLASSES = {
    "copy": CLASS,
    "other words": np.where(CLASS == "good", "passed", "failed"),
    "pure categories": np.where(CLASS == "good", r.integers(0, 5, N), r.integers(5, 9, N)).astype(str),
    "a threshold": np.where(CLASS == "good", 5.0, 0.0) + r.normal(size=N) * 0.7,
    "a gap": np.where(CLASS == "good", r.normal(size=N), np.nan),
    "last digit": 10.0 * r.permutation(N) + (CLASS == "good"),
    "prefix of a code": [f"{'A' if c == 'good' else 'B'}-{k}" for c, k in zip(CLASS, r.permutation(N))],
    "share of the group": np.bincount(GROUP, CLASS == "good")[GROUP] / np.bincount(GROUP)[GROUP],
    "numbers given out class by class": np.argsort(np.argsort(CLASS, kind="stable"), kind="stable") * 2.0,
}


@pytest.mark.parametrize("how", HIDDEN_CLASSES)
def test_hidden_classes_are_found(how: str) -> None:
    data = {**base(), "y": CLASS, "z": HIDDEN_CLASSES[how]}
    assert told(leaks_in(read_table(data), "y")) == {"z"}


def test_parts_of_a_sum_and_of_a_product() -> None:
    a, b = r.lognormal(size=N), r.lognormal(size=N)
    for y in (a + b, 3 * a - b, np.round(a * b, 6)):
        findings = leaks_in(read_table({**base(y), "a": a, "b": b}), "y")
        assert told(findings) == {"a", "b"}
    # control: a little noise and it is no equation any more
    assert leaks_in(read_table({**base(a + b + 0.3 * r.normal(size=N)), "a": a, "b": b}), "y") == []


def test_what_is_learnt_from_training_rows_is_no_leak() -> None:
    """The mean of a group over the training rows is an honest way to encode the group."""
    table = read_table(base())
    train = split_rows(table, target="y").train
    sums, counts = np.bincount(GROUP[train], Y[train], 40), np.bincount(GROUP[train], minlength=40)
    encoded = (sums / np.maximum(counts, 1))[GROUP]
    assert leaks_in(read_table({**base(), "z": encoded}), "y") == []


def test_honest_strong_columns() -> None:
    # one that explains 80 %
    assert leaks_in(read_table({**base(), "z": Y + 0.6 * r.normal(size=N)}), "y") == []
    # one that is nearly perfect, in company that is as good
    strong = {f"size{i}": Y + 0.2 * r.normal(size=N) for i in range(4)}
    assert all(f.severity == "note" for f in leaks_in(read_table({**base(), **strong}), "y"))
    # the input itself, where there is no other
    assert leaks_in(read_table({"z": X[:, 0], "y": 2 * X[:, 0]}), "y") == []
    assert leaks_in(read_table({"row": np.arange(N), "z": X[:, 0], "y": 2 * X[:, 0]}), "y") == []


def test_the_one_good_predictor_among_useless_ones_is_not_accused() -> None:
    """Temperature and heating, a season and a date, a zip code and a price, a threshold: honest, and strong."""
    g = np.random.default_rng(3)
    noise = {"wind": g.normal(size=365)}
    cold = g.uniform(-5, 25, 365)
    day = np.arange(365) * 2
    season = np.sin(2 * np.pi * day / 365.25)
    code = g.integers(0, 30, 365)
    height = g.normal(size=30)[code]
    tables = {
        "heating": {"temp": cold, **noise, "y": 60 - 2 * cold + g.normal(0, 5, 365)},
        "date": {
            "day": np.datetime64("2022-01-01", "s") + day * np.timedelta64(86400, "s"),
            **noise,
            "y": season + g.normal(0, 0.18, 365),
        },
        "zip": {"zip": [f"0{100 + k}" for k in code], **noise, "y": height + g.normal(0, 0.2, 365)},
        "threshold": {"temp": cold, **noise, "y": np.where(cold + g.normal(0, 1, 365) > 10, "off", "on")},
    }
    for name, data in tables.items():
        findings = leaks_in(read_table(data), "y")
        assert {finding.severity for finding in findings} <= {"note"}, name
    # control: a copy beside the same useless column
    copied = leaks_in(read_table({**tables["heating"], "z": 2 * tables["heating"]["y"]}), "y")
    assert [(f.columns, f.severity) for f in copied if f.code == "leak"] == [(["z"], "problem")]


@pytest.mark.parametrize("n, columns", [(12, 3), (40, 60), (150, 200)])
def test_chance_is_no_leak(n: int, columns: int) -> None:
    """Few rows and many columns: one of them fits by chance, and is not accused."""
    for seed in range(4 if n < 100 else 1):
        g = np.random.default_rng(seed)
        noise = {f"x{i}": g.normal(size=n) for i in range(columns)}
        words = {f"w{i}": g.choice(list("abcdef"), n) for i in range(columns // 4)}
        for y in (g.normal(size=n), np.where(np.arange(n) % 2 == 0, "a", "b"), g.integers(0, 4, n)):
            assert leaks_in(read_table({**noise, **words, "y": y}), "y") == []


def test_odd_tables_are_looked_at_without_harm() -> None:
    odd = {
        "huge": np.where(r.random(N) < 0.01, 1e308, X[:, 0]),
        "infinite": np.where(r.random(N) < 0.5, np.inf, -np.inf),
        "empty": [None] * N,
        "nearly empty": [1.5] + [None] * (N - 1),
        "one value": [3] * N,
        "dates": np.datetime64("2020-01-01", "s") + r.integers(0, 900, N) * np.timedelta64(86400, "s"),
        "tiny": 1e-308 * X[:, 1],
    }
    for y in (Y, Y * 1e300, Y * 1e-300, CLASS, r.integers(0, 3, N)):
        assert leaks_in(read_table({**base(), **odd, "y": y}), "y") == []
    gaps = Y.copy()
    gaps[::3] = np.nan
    assert leaks_in(read_table({**base(), "y": gaps}), "y") == []
