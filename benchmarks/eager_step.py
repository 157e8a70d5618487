"""One eager training step (forward, backward, Adam, float32), ours against PyTorch's eager mode, in turn on one thread.

    python benchmarks/eager_step.py [ROUNDS]

Each round runs both libraries in a fresh process, pinned to the same core, so that a slow moment of the machine falls on
both; the ratio is that of the medians.  A control (a plain NumPy loop of the same matrix products) shows the machine.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise

NETS = {
    "784-512-256-10": ([784, 512, 256, 10], 128),
    "13-64-64-1": ([13, 64, 64, 1], 32),
    "64-128-10": ([64, 128, 10], 64),
}
STEPS = 60


def measure(peer: str, net: str) -> float:
    """Median milliseconds of a step in this process."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    import numpy as np

    sizes, batch = NETS[net]
    random = np.random.default_rng(0)
    x = random.standard_normal((batch, sizes[0])).astype("float32")
    if peer == "numpy":
        weights = [random.standard_normal((a, b)).astype("float32") for a, b in pairwise(sizes)]
        inputs = [random.standard_normal((batch, n)).astype("float32") for n in sizes]

        def step() -> None:
            for k, w in enumerate(weights):
                _ = inputs[k] @ w, inputs[k].T @ inputs[k + 1]
                if k:
                    _ = inputs[k + 1] @ w.T
    else:
        if peer == "torch":
            import torch as lib

            lib.set_num_threads(1)
        else:
            import retrograd as lib
        nn, F = lib.nn, lib.nn.functional
        layers = []
        for k, (a, b) in enumerate(pairwise(sizes)):
            layers += [nn.Linear(a, b)] + ([nn.ReLU()] if k < len(sizes) - 2 else [])
        model = nn.Sequential(*layers)
        optimizer = lib.optim.Adam(
            model.parameters(), lr=1e-3, **({"fused": True} if peer == "torch" else {})
        )
        inputs_, regression = lib.tensor(x), sizes[-1] == 1
        targets = lib.tensor(
            random.standard_normal((batch, 1)).astype("float32")
            if regression
            else random.integers(0, sizes[-1], batch)
        )
        loss_of = F.mse_loss if regression else F.cross_entropy

        def step() -> None:
            optimizer.zero_grad()
            loss_of(model(inputs_), targets).backward()
            optimizer.step()

    for _ in range(10):
        step()
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def main(rounds: int) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for net in NETS:
        times: dict[str, list[float]] = {"retrograd": [], "torch": [], "numpy": []}
        for _ in range(rounds):
            for peer, found in times.items():
                command = [sys.executable, __file__, "--one", peer, net]
                found.append(
                    float(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
                )
        median = {peer: round(statistics.median(found), 3) for peer, found in times.items()}
        ratio = round(median["retrograd"] / median["torch"], 3)
        print(
            json.dumps(
                {
                    "net": net,
                    "batch": NETS[net][1],
                    "threads": 1,
                    "ms": median,
                    "ratio_to_torch": ratio,
                    "rounds": rounds,
                }
            )
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(measure(*sys.argv[2:4]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
