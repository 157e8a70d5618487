"""Learning with and without backpropagation: same net, same start, same data, several seeds.

    python benchmarks/without_backprop.py [--out FILE.json] [--plot FILE.svg] [--seeds N] [--problems NAME ...]

Methods: gradient descent with momentum by backpropagation; the same with gradients from central differences (2P losses for P
parameters); random search (a random step is kept if the loss is lower: Rastrigin 1963); an evolution strategy with mirrored
samples (Salimans et al. 2017).  Controls: no update, and random updates of the lengths that backpropagation's had.  Every
method has as many loss evaluations, and as many sizes of its step to choose the best from afterwards.  A gradient by
backpropagation is counted as three evaluations: forward, and two products back for each one that went forward.

The loss of the point that a method holds is noted against evaluations and against the processor's time.  Bounds fixed before
the first run, for the nets of about a thousand parameters: after 6000 evaluations backpropagation's loss is at most half of
the best other method's, and it was there after at most a tenth of the evaluations; the controls gain less than a tenth.
Reasons: central differences have three steps for 6000 evaluations where backpropagation has 2000; a random direction among P
shares only 1/P of its squared length with the gradient.  Nothing is promised for the tiny net: there another may win.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np

import retrograd as rg
from retrograd import nn
from retrograd.func import functional_call, value_and_grad

BUDGET = 6000
"""Loss evaluations for every method."""
BACKWARD = 3
"""Evaluations that a gradient by backpropagation counts as."""
AHEAD, EARLIER, NEAR = 0.5, 0.1, 0.1
"""The bounds: final loss beside the best other's, share of the evaluations until there, gain of the controls."""
MOMENTUM = 0.9
Array = np.ndarray[Any, Any]


@dataclass
class Problem:
    """A net and its rows; ``seed`` decides the start."""

    name: str
    layers: tuple[int, ...]
    x: Array
    y: Array

    def net(self, seed: int) -> nn.Module:
        rg.manual_seed(seed)
        parts: list[nn.Module] = []
        for a, b in zip(self.layers, self.layers[1:], strict=False):
            parts += [nn.Linear(a, b), nn.Tanh()]
        return nn.Sequential(*parts[:-1]).double()


def curve() -> Problem:
    """A tiny net: 64 points of a sine, 13 parameters."""
    x = np.linspace(-1, 1, 64)[:, None]
    return Problem("curve", (1, 4, 1), x, np.sin(3 * x))


def classes() -> Problem:
    """300 rows whose class another net says, 970 parameters."""
    r = np.random.default_rng(0)
    x = r.normal(size=(300, 49))
    return Problem(
        "classes",
        (49, 16, 10),
        x,
        (np.tanh(x @ r.normal(size=(49, 8)) / 4) @ r.normal(size=(8, 10))).argmax(1),
    )


def digits(folder: Path) -> Problem:
    """300 handwritten digits of 7 by 7 dots, 970 parameters."""
    with gzip.open(folder / "mnist" / "train-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(16 + 300 * 784)[16:], np.uint8).reshape(300, 7, 4, 7, 4)
    with gzip.open(folder / "mnist" / "train-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(8 + 300)[8:], np.uint8)
    return Problem("digits", (49, 16, 10), x.mean(axis=(2, 4)).reshape(300, 49) / 255, y.astype(np.int64))


class Landscape:
    """The loss over all parameters in one vector; counts what it is asked, and keeps the curve of what was held."""

    def __init__(self, problem: Problem, seed: int, budget: int) -> None:
        net = problem.net(seed)
        parts = [(name, tuple(p.shape), p.numel()) for name, p in net.named_parameters()]
        x, y = rg.from_numpy(problem.x), rg.from_numpy(problem.y)
        compare = nn.functional.cross_entropy if problem.y.dtype == np.int64 else nn.functional.mse_loss

        def loss(theta: rg.Tensor) -> rg.Tensor:
            named, at = {}, 0
            for name, shape, count in parts:
                named[name] = theta[at : at + count].reshape(shape)
                at += count
            return compare(functional_call(net, named, (x,)), y)

        self.start = nn.utils.parameters_to_vector(net.parameters()).detach().numpy().copy()
        self.budget, self.spent = budget, 0
        self.curve: list[tuple[int, float, float]] = []
        self._loss, self._slope = rg.compile(loss), rg.compile(value_and_grad(loss))
        theta = rg.from_numpy(self.start)
        self._loss(theta), self._slope(theta)  # compiling is nobody's time
        self._began = time.process_time()

    def again(self) -> Landscape:
        """As new, for the next method."""
        self.spent, self.curve = 0, []
        self._began = time.process_time()
        return self

    @property
    def left(self) -> bool:
        return self.spent < self.budget

    def loss(self, theta: Array) -> float:
        self.spent += 1
        return self._loss(rg.from_numpy(theta)).item()

    def slope(self, theta: Array) -> tuple[float, Array]:
        self.spent += BACKWARD
        value, gradient = self._slope(rg.from_numpy(theta))
        return value.item(), gradient.numpy()

    def note(self, loss: float) -> None:
        """The loss of the point that the method holds now."""
        if self.spent <= self.budget:
            self.curve.append((self.spent, time.process_time() - self._began, loss))


def backprop(land: Landscape, r: np.random.Generator, size: float) -> list[float]:
    """θ ← θ + v, v ← 0.9 v - size·∇; gives the lengths of the steps."""
    theta, v, lengths = land.start.copy(), np.zeros_like(land.start), []
    land.note(land.loss(theta))
    while land.left:
        loss, gradient = land.slope(theta)
        land.note(loss)
        v = MOMENTUM * v - size * gradient
        theta = theta + v
        lengths.append(float(np.linalg.norm(v)))
    return lengths


def differences(land: Landscape, r: np.random.Generator, size: float) -> None:
    """The same rule; ∂L/∂θ_i is (L(θ + h e_i) - L(θ - h e_i)) / 2h."""
    theta, v, h = land.start.copy(), np.zeros_like(land.start), 1e-5
    land.note(land.loss(theta))
    while land.left:
        gradient = np.zeros_like(theta)
        for i in range(len(theta)):
            for sign in (1, -1):
                moved = theta.copy()
                moved[i] += sign * h
                gradient[i] += sign * land.loss(moved) / (2 * h)
        v = MOMENTUM * v - size * gradient
        theta = theta + v
        land.note(land.loss(theta))


def search(land: Landscape, r: np.random.Generator, size: float) -> None:
    """A step of normally distributed numbers, kept if the loss is lower."""
    theta = land.start.copy()
    best = land.loss(theta)
    land.note(best)
    while land.left:
        tried = theta + size * r.normal(size=theta.shape)
        loss = land.loss(tried)
        if loss < best:
            theta, best = tried, loss
        land.note(best)


def evolution(land: Landscape, r: np.random.Generator, size: float) -> None:
    """∇ ≈ mean of (L(θ + σε) - L(θ - σε)) ε / 2σ over ten pairs, in the same rule."""
    theta, v, sigma, pairs = land.start.copy(), np.zeros_like(land.start), 0.02, 10
    land.note(land.loss(theta))
    while land.left:
        gradient = np.zeros_like(theta)
        for _ in range(pairs):
            e = r.normal(size=theta.shape)
            gradient += (
                (land.loss(theta + sigma * e) - land.loss(theta - sigma * e)) * e / (2 * sigma * pairs)
            )
        v = MOMENTUM * v - size * gradient
        theta = theta + v
        land.note(land.loss(theta))


def nothing(land: Landscape, r: np.random.Generator, size: float) -> None:
    """The control without any update."""
    while land.left:
        land.note(land.loss(land.start))


def random_updates(land: Landscape, r: np.random.Generator, lengths: list[float]) -> None:
    """The control: as many steps as backpropagation's, of the same lengths, in random directions, all of them kept."""
    theta = land.start.copy()
    for length in lengths:
        land.note(land.loss(theta))
        land.spent += BACKWARD - 1
        step = r.normal(size=theta.shape)
        theta = theta + step * (length / np.linalg.norm(step))


# Widened, after the first run, until no rival did best at the end of its row; a fourth size for everybody.
METHODS: dict[str, tuple[Callable[..., Any], tuple[float, ...]]] = {
    "backprop": (backprop, (0.004, 0.02, 0.1, 0.5)),
    "finite differences": (differences, (0.1, 0.5, 2.5, 12.5)),
    "random search": (search, (0.001, 0.004, 0.016, 0.064)),
    "evolution": (evolution, (0.004, 0.02, 0.1, 0.5)),
}
CONTROLS = ("no update", "random updates")


@dataclass
class Result:
    """Curves of one problem: method -> seed -> points (evaluations, seconds, loss), with the best size for the method."""

    problem: str
    parameters: int
    curves: dict[str, list[list[tuple[int, float, float]]]] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)

    def last(self, method: str, seed: int) -> float:
        return self.curves[method][seed][-1][2]

    def best_other(self, seed: int) -> tuple[str, float]:
        """The best method without backpropagation, and its last loss."""
        return min(((m, self.last(m, seed)) for m in METHODS if m != "backprop"), key=lambda pair: pair[1])

    def until(self, loss: float, seed: int) -> tuple[float, float]:
        """Evaluations and seconds until backpropagation's loss was as low."""
        points = self.curves["backprop"][seed]
        return next(((n, s) for n, s, value in points if value <= loss), (float("inf"), float("inf")))


def compare(problem: Problem, seeds: int = 3, budget: int = BUDGET) -> Result:
    """All methods and controls on one problem, each with the size that had the lowest mean of its last losses."""
    lands = [Landscape(problem, seed, budget) for seed in range(seeds)]
    result = Result(problem.name, len(lands[0].start))
    lengths: list[list[float]] = []
    for name, (method, sizes) in METHODS.items():
        best = float("inf")
        for size in sizes:
            given, curves = [], []
            for seed, land in enumerate(lands):
                with np.errstate(all="ignore"):  # too large a size may go to infinity: then it is not chosen
                    given.append(method(land.again(), np.random.default_rng(seed), size))
                curves.append(land.curve)
            mean = statistics.fmean(curve[-1][2] for curve in curves)
            if mean < best:
                best, result.curves[name], result.sizes[name] = mean, curves, size
                lengths = given if name == "backprop" else lengths
    result.curves |= {name: [] for name in CONTROLS}
    for seed, land in enumerate(lands):
        nothing(land.again(), np.random.default_rng(seed), 0.0)
        result.curves["no update"].append(land.curve)
        random_updates(land.again(), np.random.default_rng(seed), lengths[seed])
        result.curves["random updates"].append(land.curve)
    return result


def held(result: Result) -> list[str]:
    """The bounds that a result breaks, in words."""
    broken = []
    for seed, points in enumerate(result.curves["backprop"]):
        other, loss = result.best_other(seed)
        where = f"{result.problem}, seed {seed}"
        if not points[-1][2] <= AHEAD * loss:
            broken.append(f"{where}: {points[-1][2]:.3g} by backpropagation, {loss:.3g} by {other}")
        if not result.until(loss, seed)[0] <= EARLIER * points[-1][0]:
            broken.append(f"{where}: {other}'s loss only after {result.until(loss, seed)[0]} evaluations")
        for control in CONTROLS:
            start, lowest = points[0][2], min(p[2] for p in result.curves[control][seed])
            if not lowest >= (1 - NEAR) * start:
                broken.append(f"{where}: {control} came from {start:.3g} to {lowest:.3g}")
    return broken


def plot(results: list[Result], path: Path) -> None:
    """Loss against evaluations (above) and against the processor's time (below); a line for each seed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(results), 6.5))
    rows = figure.subplots(2, len(results), squeeze=False)
    for column, result in enumerate(results):
        for row, axis in ((0, 0), (1, 1)):
            axes = rows[row][column]
            for k, (name, curves) in enumerate(result.curves.items()):
                for seed, points in enumerate(curves):
                    few = thinned(points)
                    axes.plot(
                        [p[axis] for p in few], [p[2] for p in few], color=f"C{k}", linewidth=1,
                        linestyle="--" if name in CONTROLS else "-", label=name if seed == 0 else None,
                    )  # fmt: skip
            axes.set(yscale="log", xlabel="processor time, s" if axis else "loss evaluations")
            axes.set(xscale="linear" if axis else "log")
        rows[0][column].set_title(f"{result.problem}: {result.parameters} parameters")
        rows[0][column].set_ylabel("loss")
        rows[1][column].set_ylabel("loss")
    rows[0][0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def thinned(points: list[Any], most: int = 80) -> list[Any]:
    """At most so many of the points, denser at the start."""
    n = len(points)
    if n <= most:
        return points
    picked = {int(k) for k in np.geomspace(1, n, most).round() - 1} | {0, n - 1}
    return [points[k] for k in sorted(picked)]


def show(result: Result) -> None:
    print(f"{result.problem}: {result.parameters} parameters; sizes {result.sizes}")
    for name, curves in result.curves.items():
        last = [points[-1] for points in curves]
        losses = " ".join(f"{p[2]:9.3g}" for p in last)
        print(f"  {name:20} {losses}   {statistics.median(p[1] for p in last):6.2f} s")
    for seed in range(len(result.curves["backprop"])):
        other, loss = result.best_other(seed)
        evaluations, seconds = result.until(loss, seed)
        spent = result.curves[other][seed][-1][1]
        print(f"  seed {seed}: {other} ended at {loss:.3g}; backprop was there after {evaluations} evaluations and "
              f"{seconds:.3f} s ({other}: {spent:.2f} s)")  # fmt: skip


def main() -> int:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--out", type=Path, help="write the curves as JSON")
    arguments.add_argument("--plot", type=Path, help="draw them (SVG or PNG)")
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--budget", type=int, default=BUDGET)
    given = arguments.parse_args()
    problems = [curve(), classes()]
    data = os.environ.get("RETROGRAD_DATA")
    if data:
        problems.append(digits(Path(data)))
    else:
        print("no digits: RETROGRAD_DATA is not set")
    results = [compare(problem, given.seeds, given.budget) for problem in problems]
    broken = []
    for result in results:
        show(result)
        if result.problem != "curve":
            broken += held(result)
    print("\n".join(broken) or "all bounds hold")
    if given.out:
        facts = [
            {"problem": r.problem, "parameters": r.parameters, "sizes": r.sizes,
             "curves": {name: [thinned(points) for points in curves] for name, curves in r.curves.items()}}
            for r in results
        ]  # fmt: skip
        machine = {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "machine": platform.machine(),
        }
        given.out.write_text(
            json.dumps({"budget": given.budget, **machine, "problems": facts}) + "\n", encoding="utf-8"
        )
    if given.plot:
        plot(results, given.plot)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
