"""Real data as plain NumPy arrays, for tests that need no table reader."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def standardised(x: Array) -> Array:
    """Columns with mean 0 and standard deviation 1."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


def breast_cancer(folder: Path) -> tuple[Array, Array]:
    """569 cases: 30 standardised measurements, and 1 for malignant."""
    with open(folder / "breast-cancer-wdbc" / "wdbc.data", newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    x = np.array([[float(v) for v in row[2:]] for row in rows])
    return standardised(x), np.array([row[1] == "M" for row in rows], dtype=np.int64)


def red_wine(folder: Path) -> tuple[Array, Array]:
    """1,599 red wines: 11 standardised measurements, and the quality from 0 to 10."""
    table = np.genfromtxt(folder / "wine-quality" / "winequality-red.csv", delimiter=",")
    return standardised(table[:, :-1]), table[:, -1]


def digits(folder: Path, rows: int, start: int = 0) -> tuple[Array, Array]:
    """Handwritten digits of MNIST's training set, 2 x 2 pixels averaged: float32 (rows, 196) in 0 to 1, and labels."""
    with gzip.open(folder / "mnist" / "train-images-idx3-ubyte.gz") as file:
        file.seek(16 + 784 * start)
        x = np.frombuffer(file.read(784 * rows), np.uint8).reshape(rows, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    with gzip.open(folder / "mnist" / "train-labels-idx1-ubyte.gz") as file:
        file.seek(8 + start)
        y = np.frombuffer(file.read(rows), np.uint8).astype(np.int64)
    return x.reshape(rows, 196).astype(np.float32), y
