"""What training was said to cost beside what it took, over a grid of depths and widths.

    python benchmarks/cost.py [--plot FILE.svg]

For each net the meter counts and times a few steps, then three epochs are trained and timed; one thread.  Factor, fixed
before the first run: the estimate of the time lies within 2 of the measured one for every net of the grid.  Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import itertools

import numpy as np

import retrograd as rg
from retrograd import nn, optim
from retrograd.train import Trainer
from retrograd.train.cost import measure_cost

DEPTHS, WIDTHS = (1, 2, 4, 8), (32, 128, 512)
ROWS, FEATURES, BATCH, EPOCHS, FACTOR = 2048, 64, 64, 3, 2.0


def measure(depth: int, width: int, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Said and measured seconds of three epochs of one net."""

    def make() -> Trainer:
        rg.manual_seed(0)
        sizes = [FEATURES, *[width] * depth]
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise(sizes):
            layers += [nn.Linear(a, b), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(width, 1))
        optimizer = optim.Adam(model.parameters(), lr=1e-3)
        return Trainer(model, optimizer, nn.MSELoss(), batch_size=BATCH, seed=0, restore_best=False)

    meter = measure_cost(make, x, y)
    said = meter.estimate(EPOCHS)
    trainer = make()
    started = time.perf_counter()
    trainer.fit(x, y, epochs=EPOCHS)
    took = time.perf_counter() - started
    return {
        "depth": depth,
        "width": width,
        "parameters": meter.parameters,
        "operations": said.operations,
        "said_seconds": round(said.seconds, 3),
        "measured_seconds": round(took, 3),
        "ratio": round(said.seconds / took, 2),
    }


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """Measured (dots) and said (lines) seconds against the number of parameters, a line for each depth."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6.5, 4))
    for depth, marker in zip(DEPTHS, "os^D", strict=True):
        rows = [row for row in found if row["depth"] == depth]
        sizes = [row["parameters"] for row in rows]
        (line,) = axes.plot(sizes, [row["said_seconds"] for row in rows], linewidth=1)
        took = [row["measured_seconds"] for row in rows]
        axes.plot(
            sizes,
            took,
            marker,
            color=line.get_color(),
            label=f"{depth} hidden layer{'s' if depth > 1 else ''}",
        )
    axes.set(
        xscale="log", yscale="log", xlabel="parameters", ylabel=f"seconds for {EPOCHS} epochs of {ROWS} rows"
    )
    axes.legend(title="dots: measured, lines: said before", frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description="What training was said to cost beside what it took.")
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    random = np.random.default_rng(0)
    x = random.standard_normal((ROWS, FEATURES)).astype("float32")
    y = x[:, :1] * 2 - x[:, 1:2]
    found = [measure(depth, width, x, y) for depth in DEPTHS for width in WIDTHS]
    within = all(1 / FACTOR <= row["ratio"] <= FACTOR for row in found)
    print(
        json.dumps(
            {
                "cpu": platform.machine(),
                "threads": 1,
                "factor": FACTOR,
                "within_factor": within,
                "nets": found,
            }
        )
    )
    if arguments.plot:
        draw(found, arguments.plot)


if __name__ == "__main__":
    main()
