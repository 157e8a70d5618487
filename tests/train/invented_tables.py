"""Small invented tables to train on: prices of houses, and kinds of fruit."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

QUICK = {"hidden": (8,), "epochs": 6, "lr": 0.01}


def houses(rows: int = 240, seed: int = 0) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    size, town = rng.uniform(40, 200, rows), rng.choice(["Ulm", "Bonn", "Kiel"], rows)
    age = np.where(rng.random(rows) < 0.1, np.nan, rng.integers(0, 100, rows))
    price = (
        2000 * size
        + np.select([town == "Ulm", town == "Bonn"], [50_000, 20_000], 0)
        + rng.normal(0, 9000, rows)
    )
    return {
        "size": size.tolist(),
        "age": age.tolist(),
        "town": town.tolist(),
        "price": np.round(price, 2).tolist(),
    }


def fruit(rows: int = 240, classes: int = 3) -> dict[str, list]:
    rng = np.random.default_rng(1)
    kind = rng.integers(classes, size=rows)
    return {
        "weight": (kind * 30 + rng.normal(100, 15, rows)).tolist(),
        "sweet": (rng.normal(size=rows) - kind).tolist(),
        "fruit": np.array(["apple", "pear", "quince"])[kind].tolist(),
    }


def write_csv(path: Path, table: dict[str, list]) -> Path:
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows([["" if cell != cell else cell for cell in row] for row in zip(*table.values())])
    return path
