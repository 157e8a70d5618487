"""Ten leaks as they happen in practice, each planted into one of six real tables: what a checker of data must find.

Each is a function of the table's own columns and a random generator and gives the values of one new column.  They were
written from what people report of leaks, before and without regard to how any detector works.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retrograd.data import Table, read_table

Rng = np.random.Generator

TABLES = {
    "king-county-houses/kc_house_data.csv": "price",
    "california-housing/housing.csv": "median_house_value",
    "adult-income/adult-train.csv": "c15",
    "wine-quality/winequality-white.csv": "c12",
    "breast-cancer-wdbc/wdbc.data": "c2",
    "titanic/titanic.csv": "survived",
}
"""The six tables, with their targets."""


@dataclass(frozen=True)
class Leak:
    """``make(table, rng)`` gives the values of column ``name``, planted into ``file``; ``what`` happened, in words."""

    name: str
    file: str
    what: str
    make: Callable[[Table, Rng], list[object]]

    @property
    def target(self) -> str:
        return TABLES[self.file]

    def plant(self, table: Table, seed: int = 0) -> Table:
        """The table with the leaking column at the end."""
        values = self.make(table, np.random.default_rng(seed))
        column = read_table({self.name: values}).columns[self.name]
        return Table({**table.columns, self.name: column}, table.source)


def _price_eur(table: Table, rng: Rng) -> list[object]:
    return np.round(table.columns["price"].values * 0.87, -2).tolist()


def _agent_fee(table: Table, rng: Rng) -> list[object]:
    price = table.columns["price"].values
    fee = np.round(0.06 * price**0.9 * np.exp(rng.normal(0, 0.05, len(price))), 2)
    fee[rng.random(len(price)) < 0.2] = np.nan
    return fee.tolist()


def _neighbourhood_price(table: Table, rng: Rng) -> list[object]:
    price, zips, grades = (table.columns[name] for name in ("price", "zipcode", "grade"))
    _, group = np.unique(zips.codes[0] * 100 + grades.codes[0], return_inverse=True)
    means = np.bincount(group, price.values) / np.bincount(group)
    return np.round(means[group], 2).tolist()


def _assessment(table: Table, rng: Rng) -> list[object]:
    level = np.log(table.columns["median_house_value"].values)
    return np.round(12 - 3 * level + rng.normal(0, 0.3 * level.std(), len(level)), 3).tolist()


def _bracket(table: Table, rng: Rng) -> list[object]:
    rich = table.columns["c15"].text() == ">50K"
    rich = rich ^ (rng.random(len(rich)) < 0.01)
    codes = np.array(["T11", "T12", "T20", "T31", "T07", "T44", "T45", "T09", "T18", "T25", "T26", "T38"])
    order = rng.permutation(12)
    pick = np.where(rich, order[rng.integers(0, 4, len(rich))], order[rng.integers(4, 12, len(rich))])
    return codes[pick].tolist()


def _bonus(table: Table, rng: Rng) -> list[object]:
    """Filled in for those who earn much; what stands there says nothing."""
    rich = table.columns["c15"].text() == ">50K"
    there = rich ^ (rng.random(len(rich)) < 0.02)
    return np.where(there, np.round(rng.normal(1000, 300, len(rich)), 0), np.nan).tolist()


def _verdict(table: Table, rng: Rng) -> list[object]:
    words = {3: "faulty", 4: "poor", 5: "plain", 6: "good", 7: "fine", 8: "excellent", 9: "great"}
    return [words[int(quality)] for quality in table.columns["c12"].values]


def _biopsy_score(table: Table, rng: Rng) -> list[object]:
    malignant = table.columns["c2"].text() == "M"
    return np.round(np.where(malignant, 3.0, 0.0) + rng.normal(0, 0.6, len(malignant)), 2).tolist()


def _boat(table: Table, rng: Rng) -> list[object]:
    """The lifeboat: nearly all who lived have one, and a few of those who died."""
    lived = table.columns["survived"].values == 1
    boats = np.array([*map(str, range(1, 17)), "A", "B", "C", "D"], dtype=object)
    aboard = rng.random(len(lived)) < np.where(lived, 0.97, 0.02)
    return np.where(aboard, boats[rng.integers(0, 20, len(lived))], None).tolist()


def _register_number(table: Table, rng: Rng) -> list[object]:
    """Numbers given out to the rescued first and then to the others."""
    lived = table.columns["survived"].values == 1
    order = np.lexsort((rng.random(len(lived)), ~lived))
    numbers = np.empty(len(lived))
    numbers[order] = 1000 + np.cumsum(rng.integers(1, 4, len(lived)))
    return numbers.tolist()


_KC, _CALIFORNIA, _ADULT, _WINE, _WDBC, _TITANIC = TABLES
LEAKS = [
    Leak("price_eur", _KC, "the target in another currency, rounded", _price_eur),
    Leak("agent_fee", _KC, "a fee that follows from the price, with noise and gaps", _agent_fee),
    Leak(
        "neighbourhood_price",
        _KC,
        "the mean target of a group, the row itself included",
        _neighbourhood_price,
    ),
    Leak("assessment", _CALIFORNIA, "a falling function of the target with noise", _assessment),
    Leak("bracket", _ADULT, "codes that follow from the class, 1 % of them wrong", _bracket),
    Leak("bonus", _ADULT, "filled in for one class only, 2 % of the rows wrong", _bonus),
    Leak("verdict", _WINE, "the target in words", _verdict),
    Leak("biopsy_score", _WDBC, "a number that is large for one class", _biopsy_score),
    Leak("boat", _TITANIC, "known only after the fact, mostly for one class", _boat),
    Leak("register_number", _TITANIC, "numbers given out class by class", _register_number),
]
