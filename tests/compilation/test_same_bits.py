"""The bits of a result do not depend on what else a program computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg

FUNCTIONS: dict[str, Callable[..., list[rg.Tensor]]] = {
    "a sum of a chain": lambda x, b: [x, x + b, (x + b).exp(), ((x + b).exp()).sum()],
    "rows": lambda x, b: [(x * b).sum(1), (x * b).tanh().sum(1), x.amax(1)],
    "columns and all": lambda x, b: [(x * b).sum(0), (x * b).sum(), ((x * b) ** 2).mean()],
    "means and deviations": lambda x, b: [x - x.mean(1, keepdim=True), x.var(1), (x - x.mean()).std()],
    "a long chain": lambda x, b: _chain(x, b),
    "softmax": lambda x, b: [rg.softmax(x + b, 1), (rg.softmax(x + b, 1) * x).sum()],
    "products": lambda x, b: [x @ x.t(), (x @ x.t()).relu().sum(0), ((x @ x.t()) + 1).tanh()],
    "double": lambda x, b: [x.double().sum(), (x.double() * 3).sum(1).float()],
}


def _chain(x: rg.Tensor, b: rg.Tensor) -> list[rg.Tensor]:
    out = [x]
    for k in range(20):
        out.append((out[-1] * 1.01 + b).tanh() if k % 3 else out[-1] - b * 0.1)
    return [*out, out[-1].sum(), out[-1].sum(0)]


@pytest.mark.parametrize("shape", [(7, 10), (33, 65), (64, 1), (1, 17), (128, 48)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_result_alone_and_among_others(name: str, shape: tuple[int, int]) -> None:
    fn = FUNCTIONS[name]
    r = np.random.default_rng(len(name))
    x = rg.tensor(r.normal(size=shape).astype("float32"))
    b = rg.tensor(r.normal(size=shape[1:]).astype("float32"))
    every = rg.compile(fn, backend="native")(x, b)
    for k, together in enumerate(every):

        def one(x: rg.Tensor, b: rg.Tensor, k: int = k) -> rg.Tensor:
            return fn(x, b)[k]

        alone: Any = rg.compile(one, backend="native")(x, b)
        assert alone.numpy().tobytes() == together.numpy().tobytes(), f"result {k}"
