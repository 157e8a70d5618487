"""Points on a graph, and a smooth curve through them whose coefficients are found by following their gradients.

    python examples/curve_fitting.py                  # points made from known coefficients, and noise
    python examples/curve_fitting.py --every 1        # the gradients of every single step
    python examples/curve_fitting.py houses.csv --x sqft_living --y price --degree 2

The curve is a polynomial, c0 + c1·x + c2·x² + ...; the loss is the mean squared distance of the points from it.  There
is an exact solution (`numpy.polyfit`), which is printed at the end to see whether the gradients led there.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass

import numpy as np

import retrograd as rg
from retrograd import nn, optim

KNOWN = (0.5, -1.0, -1.5, 2.0)
NOISE = 0.1


class Polynomial(nn.Module):
    """c0 + c1·x + c2·x² + ..., by Horner's rule; starts as the line at 0."""

    def __init__(self, degree: int) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(rg.zeros(degree + 1, dtype=rg.float64))

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        y = rg.zeros_like(x)
        for k in reversed(range(len(self.coefficients))):
            y = y * x + self.coefficients[k]
        return y


@dataclass
class Step:
    """One step of gradient descent: where the coefficients were, how far off, and where their gradients pointed."""

    coefficients: np.ndarray
    loss: float
    gradient: np.ndarray


def largest_safe_rate(x: np.ndarray, degree: int) -> float:
    """Below it the loss falls at every step: 2 over the steepest curvature of the loss."""
    powers = np.vander(x, degree + 1, increasing=True)
    return 2.0 / float(np.linalg.eigvalsh(2.0 * powers.T @ powers / len(x)).max())


def fit(x: np.ndarray, y: np.ndarray, degree: int, steps: int, rate: float) -> list[Step]:
    """Every step of the descent, the last one being where it ended."""
    curve = Polynomial(degree)
    optimizer = optim.SGD(curve.parameters(), lr=rate)
    inputs, targets = rg.from_numpy(np.asarray(x, float)), rg.from_numpy(np.asarray(y, float))
    history = []
    for _ in range(steps + 1):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(curve(inputs), targets)
        loss.backward()
        c = curve.coefficients
        history.append(Step(c.detach().numpy().copy(), loss.item(), c.grad.numpy().copy()))
        optimizer.step()
    return history


def picture(x: np.ndarray, y: np.ndarray, coefficients: np.ndarray, width: int = 70, height: int = 18) -> str:
    """Points (o) and curve (*) in letters."""
    columns = np.linspace(x.min(), x.max(), width)
    curve = np.polynomial.polynomial.polyval(columns, coefficients)
    low, high = min(y.min(), curve.min()), max(y.max(), curve.max())
    rows = [[" "] * width for _ in range(height)]

    def put(column: float, value: float, sign: str) -> None:
        rows[round((high - value) / (high - low) * (height - 1))][round(column)] = sign

    for a, b in zip(x, y, strict=True):
        put((a - x.min()) / (x.max() - x.min()) * (width - 1), b, "o")
    for k, b in enumerate(curve):
        put(k, b, "*")
    return "\n".join("    " + "".join(row).rstrip() for row in rows)


def made_points(rows: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points between -1 and 1 from the known coefficients, with normal noise."""
    random = np.random.default_rng(seed)
    x = np.sort(random.uniform(-1, 1, rows))
    return x, np.polynomial.polynomial.polyval(x, KNOWN) + random.normal(0, NOISE, rows)


def read_points(path: str, x: str, y: str) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of a CSV file."""
    with open(path, newline="") as file:
        rows = [(float(row[x]), float(row[y])) for row in csv.DictReader(file)]
    return np.array([a for a, _ in rows]), np.array([b for _, b in rows])


def numbers(values: np.ndarray) -> str:
    return " ".join(f"{v:+10.6f}" for v in values)


def main(arguments: list[str] | None = None) -> list[Step]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", nargs="?", help="a CSV file with a header row; without it, points are made")
    parser.add_argument("--x", default="x", help="column across")
    parser.add_argument("--y", default="y", help="column up")
    parser.add_argument("--degree", type=int, default=3)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--every", type=int, default=200, help="print every so many steps")
    parser.add_argument("--rate", type=float, help="learning rate; by default half of the largest safe one")
    chosen = parser.parse_args(arguments)
    if chosen.file:
        x, y = read_points(chosen.file, chosen.x, chosen.y)
        # Powers of 2,000 square feet and a loss in squared dollars are no numbers to walk on: same points, other units.
        print(
            f"{chosen.x}: in units of {x.std():,.4g} from {x.mean():,.4g}; {chosen.y}: likewise {y.std():,.4g}, {y.mean():,.4g}"
        )
        x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    else:
        x, y = made_points()
    safe = largest_safe_rate(x, chosen.degree)
    rate = chosen.rate or safe / 2
    print(
        f"{len(x)} points, degree {chosen.degree}, rate {rate:.4f} (up to {safe:.4f} the loss falls at every step)"
    )
    history = fit(x, y, chosen.degree, chosen.steps, rate)
    for k, step in enumerate(history):
        if k % chosen.every == 0:
            print(f"step {k:5d}  loss {step.loss:.6f}\n    coefficients {numbers(step.coefficients)}")
            print(f"    gradient     {numbers(step.gradient)}")
    print(picture(x, y, history[-1].coefficients))
    print("found:  ", numbers(history[-1].coefficients))
    print("polyfit:", numbers(np.polyfit(x, y, chosen.degree)[::-1]))
    if not chosen.file:
        print("known:  ", numbers(np.array(KNOWN)))
    return history


if __name__ == "__main__":
    main()
