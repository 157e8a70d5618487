"""What backward costs beside forward, timed; and what finite differences would cost, on the same plot.

    python benchmarks/backward_cost.py [--compiled] [--out FILE.json] [--plot FILE.svg] [--repeats N]

``--compiled``: the loss as one program, and the loss with all gradients as another; backward is what the second one takes
longer.  One thread, float32, batch 64.  Each figure is the median of N repeats after two unmeasured ones.  Bound, fixed before the
first run: backward takes at most 4 times as long as forward, for every depth from 2 to 64 and width from 16 to 1024.
The control is a plain NumPy matrix product timed between the cases: where it varies, the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np

import retrograd as rg
from retrograd import nn

BOUND = 4.0
BATCH = 64
DEPTHS, WIDTHS = (2, 4, 8, 16, 32, 64), (16, 64, 256, 1024)
LARGEST = 20_000_000
"""Parameters above which a case is left out: 64 layers of 1024 would take minutes and show nothing new."""


def median(run: Callable[[], Any], repeats: int) -> float:
    """Median seconds of one call, of this thread's own time: other programs count less."""
    seconds = []
    for k in range(repeats + 2):
        start = time.thread_time()
        run()
        if k >= 2:
            seconds.append(time.thread_time() - start)
    return statistics.median(seconds)


def measure(depth: int, width: int, repeats: int, compiled: bool) -> dict[str, Any]:
    """Seconds of the forward pass, of the backward pass, and of central differences for all parameters (2P forwards)."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Linear(width, width), nn.ReLU()]
    net = nn.Sequential(*layers)
    x = rg.randn(BATCH, width)
    parameters = list(net.parameters())
    timed = as_programs if compiled else eagerly
    ahead, back = timed(lambda x: (net(x) ** 2).mean(), parameters, x, repeats)
    count = sum(p.numel() for p in parameters)
    return {
        "depth": depth,
        "width": width,
        "parameters": count,
        "forward_seconds": ahead,
        "backward_seconds": back,
        "ratio": back / ahead,
        "finite_difference_seconds": 2 * count * ahead,
    }


def eagerly(
    loss: Callable[[rg.Tensor], rg.Tensor], parameters: list[rg.Tensor], x: rg.Tensor, repeats: int
) -> tuple[float, float]:
    """Seconds of forward, and of backward alone."""
    ahead = median(lambda: loss(x), repeats)
    backward = []
    for k in range(repeats + 2):
        value = loss(x)
        start = time.thread_time()
        rg.autograd.grad(value, parameters)
        if k >= 2:
            backward.append(time.thread_time() - start)
    return ahead, statistics.median(backward)


def as_programs(
    loss: Callable[[rg.Tensor], rg.Tensor], parameters: list[rg.Tensor], x: rg.Tensor, repeats: int
) -> tuple[float, float]:
    """Seconds of the program of forward, and what a step of both takes longer.

    The gradients go to ``.grad``, as in training; to return them would be to copy them once more.
    """

    def step(x: rg.Tensor) -> rg.Tensor:
        for p in parameters:
            p.grad = None
        value = loss(x)
        value.backward()
        return value

    forward, both = rg.compile(lambda x: loss(x).detach()), rg.compile(step)
    ahead, longer = [], []
    for k in range(repeats + 2):  # in turn: whatever slows the machine down slows both
        spent = []
        for run in (forward, both):
            run(x)
            start = time.thread_time()
            run(x)
            spent.append(time.thread_time() - start)
        if k >= 2:
            ahead.append(spent[0])
            longer.append(spent[1] - spent[0])
    return statistics.median(ahead), statistics.median(longer)


def control(repeats: int) -> float:
    """Seconds of one NumPy matrix product: the machine itself."""
    a = np.ones((512, 512), np.float32)
    return median(lambda: a @ a, repeats)


def plot(cases: list[dict[str, Any]], path: Path) -> None:
    """Time against the number of parameters: backward beside forward and finite differences."""
    from matplotlib.figure import Figure

    cases = sorted(cases, key=lambda c: c["parameters"])
    figure = Figure(figsize=(7, 4.5))
    axes = figure.subplots()
    for key, marker in (
        ("forward_seconds", "o"),
        ("backward_seconds", "s"),
        ("finite_difference_seconds", "^"),
    ):
        axes.loglog(
            [c["parameters"] for c in cases], [c[key] for c in cases], marker, label=key.replace("_", " ")
        )
    axes.set_xlabel("parameters")
    axes.set_ylabel("seconds")
    axes.legend()
    figure.savefig(path, bbox_inches="tight")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--out", type=Path, help="write the figures as JSON")
    arguments.add_argument("--plot", type=Path, help="draw them (SVG)")
    arguments.add_argument("--repeats", type=int, default=9)
    arguments.add_argument("--compiled", action="store_true", help="programs instead of eager calls")
    given = arguments.parse_args()
    rg.manual_seed(0)
    rg.set_num_threads(1)
    cases, controls = [], []
    print(
        f"{'depth':>5} {'width':>5} {'parameters':>11} {'forward':>10} {'backward':>10} {'ratio':>6} {'differences':>12}"
    )
    for width in WIDTHS:
        for depth in DEPTHS:
            if depth * width * width > LARGEST:
                continue
            controls.append(control(given.repeats))
            case = measure(depth, width, given.repeats, given.compiled)
            cases.append(case)
            print(
                f"{depth:5d} {width:5d} {case['parameters']:11,d} {case['forward_seconds'] * 1e3:8.3f}ms "
                f"{case['backward_seconds'] * 1e3:8.3f}ms {case['ratio']:6.2f} {case['finite_difference_seconds']:11.1f}s"
            )
    worst = max(case["ratio"] for case in cases)
    spread = max(controls) / min(controls)
    print(f"worst ratio {worst:.2f} (bound {BOUND}); the control varied by a factor of {spread:.2f}")
    if given.out:
        machine = {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.machine(),
        }
        facts = {
            "compiled": given.compiled,
            "bound": BOUND,
            "worst": worst,
            "control_seconds": controls,
            "cases": cases,
            **machine,
        }
        given.out.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    if given.plot:
        plot(cases, given.plot)
    return 0 if worst <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
