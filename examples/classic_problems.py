"""Three small problems of 1986 that no single layer solves and that two layers learn: XOR, parity and symmetry.

    python examples/classic_problems.py

Rumelhart, Hinton and Williams (1986) showed with them that backpropagation finds useful hidden units.  Not from every
start, least of all with as few hidden units as can do it: each problem is tried from 20 starts, side by side, and those
that got stuck are named.

Why a single layer gets at most three of XOR's four points: it says yes where w1·x1 + w2·x2 + b > 0.  To be right
everywhere it needs, at (0, 0), (1, 1), (1, 0) and (0, 1),

    b <= 0    w1 + w2 + b <= 0    w1 + b > 0    w2 + b > 0.

The first two add up to w1 + w2 + 2b <= 0, the last two to w1 + w2 + 2b > 0: no numbers do both.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

import retrograd as rg
from retrograd import nn, optim

SEEDS = 20


def every(bits: int, rule: Callable[[tuple[int, ...]], bool]) -> tuple[rg.Tensor, rg.Tensor]:
    """All patterns of so many zeros and ones, and whether the rule holds for each."""
    patterns = list(itertools.product((0, 1), repeat=bits))
    return rg.tensor(patterns).float(), rg.tensor([rule(p) for p in patterns]).float()


PROBLEMS = {
    # name: (patterns and answers, hidden units: as few as can do it, as in 1986, and more)
    "xor": (every(2, lambda p: p[0] != p[1]), (2, 4)),
    "parity": (every(4, lambda p: sum(p) % 2 == 1), (4, 8)),
    "symmetry": (every(6, lambda p: p == p[::-1]), (2, 6)),
}


class SideBySide(nn.Module):
    """A layer of many networks at once, one for each seed: the first axis tells them apart."""

    def __init__(self, inputs: int, outputs: int, seeds: Sequence[int], layer: int) -> None:
        super().__init__()
        start = [np.random.default_rng([seed, layer]).normal(size=(inputs + 1, outputs)) for seed in seeds]
        weight, bias = np.split(np.stack(start).astype("float32"), [inputs], axis=1)
        self.weight, self.bias = nn.Parameter(rg.from_numpy(weight)), nn.Parameter(rg.from_numpy(bias))

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return x @ self.weight + self.bias


def networks(inputs: int, hidden: int, seeds: Sequence[int]) -> nn.Sequential:
    """(patterns, inputs) to scores of shape (networks, patterns, 1), with two layers, or with one (`hidden` 0)."""
    if not hidden:
        return nn.Sequential(SideBySide(inputs, 1, seeds, 0))
    return nn.Sequential(SideBySide(inputs, hidden, seeds, 0), nn.Tanh(), SideBySide(hidden, 1, seeds, 1))


def train(model: nn.Module, x: rg.Tensor, y: rg.Tensor, steps: int = 1000, rate: float = 0.05) -> np.ndarray:
    """The share of patterns that each network gets right after training.

    None knows of the others: the loss is a sum with a term for each, and Adam treats every weight by itself.
    """
    optimizer = optim.Adam(model.parameters(), lr=rate)
    signs = 2 * x - 1  # zeros and ones as -1 and 1
    for _ in range(steps):
        optimizer.zero_grad()
        scores = model(signs).squeeze(-1)
        wanted = y.expand_as(scores)
        loss = nn.functional.binary_cross_entropy_with_logits(scores, wanted, reduction="none")
        loss.mean(dim=1).sum().backward()
        optimizer.step()
    with rg.no_grad():
        return ((model(signs).squeeze(-1) > 0) == (y > 0)).float().mean(dim=1).numpy()


def main(steps: int = 1000) -> dict[tuple[str, int], np.ndarray]:
    """For each problem and number of hidden units (0: one layer): what was got right from each of the 20 starts."""
    results = {}
    for name, ((x, y), few_and_more) in PROBLEMS.items():
        print(f"{name}: {len(x)} patterns")
        for hidden in (0, *few_and_more):
            right = train(networks(x.shape[1], hidden, range(SEEDS)), x, y, steps)
            solved = int((right == 1.0).sum())
            layers = (
                f"two layers, {hidden} hidden units"
                if hidden
                else f"one layer, at best {right.max():.1%} right"
            )
            print(f"    {layers}: solved from {solved} of {SEEDS} starts")
            if hidden and solved < SEEDS:
                stuck = (f"{seed} ({right[seed]:.0%})" for seed in np.flatnonzero(right < 1.0))
                print(f"        stuck: start {', '.join(stuck)}")
            results[name, hidden] = right
    return results


if __name__ == "__main__":
    main()
