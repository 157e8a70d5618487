"""Small networks in double precision, and derivatives of their loss by central differences."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

import retrograd as rg
from retrograd import nn


def double(net: nn.Module) -> nn.Module:
    return net.to(rg.float64)


def random_network(seed: int) -> tuple[nn.Module, rg.Tensor, Callable[[rg.Tensor], rg.Tensor]]:
    """A random dense network with random smooth units, one random batch, and a random loss."""
    r = np.random.default_rng(seed)
    rg.manual_seed(seed)
    sizes = [int(v) for v in r.integers(1, 6, int(r.integers(2, 5)))]
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [
            nn.Linear(a, b),
            [nn.Tanh, nn.Sigmoid, nn.GELU, nn.Softplus, nn.SiLU][int(r.integers(5))](),
        ]
    if r.random() < 0.5 and sizes[-1] > 1:
        layers.append(nn.LayerNorm(sizes[-1]))
    net = double(nn.Sequential(*layers))
    n = int(r.integers(1, 6))
    x = rg.tensor(r.normal(size=(n, sizes[0])))
    if r.random() < 0.5:
        target = rg.tensor(r.normal(size=(n, sizes[-1])))
        return net, x, lambda out: nn.functional.mse_loss(out, target)
    labels = rg.tensor(r.integers(0, sizes[-1], n))
    return net, x, lambda out: nn.functional.cross_entropy(out, labels)


def numeric(p: rg.Tensor, value: Callable[[], float]) -> np.ndarray[Any, Any]:
    """Five-point central differences of ``value`` with respect to every entry of ``p``."""
    array = p.detach().numpy()
    out = np.zeros_like(array)
    h = 1e-3
    for at in np.ndindex(*array.shape):
        old = array[at]
        ends = []
        for k in (-2, -1, 1, 2):
            array[at] = old + k * h
            ends.append(value())
        array[at] = old
        out[at] = ((ends[0] - ends[3]) + 8 * (ends[2] - ends[1])) / (12 * h)
    return out
