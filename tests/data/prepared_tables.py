"""An invented table with every kind of column, and a preparation learnt from it."""

from __future__ import annotations

import numpy as np

from retrograd.data import Preparation, Table, Task, infer_task, read_table, split_rows


def table_of(n: int = 400, seed: int = 0) -> Table:
    r = np.random.default_rng(seed)
    gaps = r.random(n) < 0.1
    return read_table(
        {
            "size": r.normal(50, 20, n),
            "tail": r.lognormal(3, 2, n),
            "age": np.where(gaps, np.nan, r.normal(40, 10, n)),
            "garden": r.random(n) < 0.4,
            "town": r.choice(["Ulm", "Bonn", "Kiel"], n),
            "street": [f"s{k}" for k in r.integers(0, 60, n)],
            "day": np.datetime64("2019-01-01", "s") + r.integers(0, 1000, n) * np.timedelta64(86400, "s"),
            "row": np.arange(n),
            "kind": r.choice(["flat", "house", "hut"], n, p=[0.6, 0.38, 0.02]),
            "price": np.round(r.lognormal(12, 0.6, n)),
        }
    )


def fitted(
    table: Table, target: str = "price", rows: np.ndarray | None = None, task: Task | None = None
) -> Preparation:
    rows = split_rows(table, target=target).train if rows is None else rows
    return Preparation.fit(table, rows, target=target, task=task or infer_task(table.columns[target]))
