"""What the passes make of whole training steps: how much shorter, and with which bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from passes.random_graphs import same, written
from retrograd import nn
from retrograd.capture import Capture
from retrograd.graph import Graph
from retrograd.ops.reduce import Sum
from retrograd.passes import standard
from retrograd.trace import stage


def step(model: nn.Module, loss: Callable[..., Any], *batch: rg.Tensor) -> Graph:
    """The graph of a training step with Adam, as compiling captures it."""
    optimizer = rg.optim.Adam(model.parameters())

    def train(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    return stage(train, batch, Capture())


def regression() -> Graph:
    model = nn.Sequential(nn.Linear(13, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    return step(model, F.mse_loss, rg.randn(8, 13), rg.randn(8, 1))


def norms() -> Graph:
    model = nn.Sequential(
        nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.3), nn.LayerNorm(6), nn.BatchNorm1d(6), nn.Linear(6, 3)
    )
    return step(model, F.cross_entropy, rg.randn(8, 4), rg.randint(0, 3, (8,)))


def words() -> Graph:
    model = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.GELU(), nn.Linear(8, 3))
    return step(model, F.cross_entropy, rg.randint(0, 5, (8, 2)), rg.randint(0, 3, (8,)))


def deep() -> Graph:
    layers = [layer for _ in range(8) for layer in (nn.Linear(8, 8), nn.ReLU())]
    return step(
        nn.Sequential(*layers, nn.Linear(8, 3)), F.cross_entropy, rg.randn(4, 8), rg.randint(0, 3, (4,))
    )


@pytest.mark.parametrize("make", [regression, norms, words, deep])
def test_a_training_step_shrinks_and_keeps_its_bits(make: Callable[[], Graph]) -> None:
    rg.manual_seed(0)
    graph = make()
    was = written(graph)
    new = standard(graph).verify()
    assert written(graph) == was
    assert standard(new) is new
    print(f"{make.__name__}: {len(graph.equations)} equations before, {len(new.equations)} after")
    assert len(new.equations) < 0.8 * len(graph.equations)
    assert len(new.captured) < 0.5 * len(graph.captured)
    assert [(kind, t) for kind, t, _ in new.states] == [(kind, t) for kind, t, _ in graph.states]
    given = [
        np.ones(v.type.shape, v.type.dtype.numpy)
        if v.type.dtype is rg.int64
        else np.random.default_rng(0).normal(size=v.type.shape).astype(v.type.dtype.numpy)
        for v in graph.inputs
    ]
    assert same(everything(graph, given), everything(new, given))


def everything(graph: Graph, given: list[np.ndarray]) -> list[np.ndarray]:
    """Outputs and new states."""
    env = graph.evaluate(*given, every=True)
    return [env[v.name] for v in (*graph.outputs, *(v for _, _, v in graph.states))]


def test_counters_of_different_parameters_stay_apart() -> None:
    """The steps of two parameters are equal now and need not be later: a parameter that is unfrozen starts at 0."""
    graph = standard(regression())
    counters = [t for t in graph.sources.values() if not t.shape and t.dtype is rg.float32]
    assert len(counters) == 6  # one for each weight and bias
    changed = [v for kind, t, v in graph.states if any(t is c for c in counters)]
    assert len(set(changed)) == 6


def test_rates_stay_run_time_state() -> None:
    graph = regression()
    live = [v for v in graph.sources if v.type.dtype is rg.float64]
    new = standard(graph)
    assert live
    assert set(live) <= set(new.sources)
    assert set(live) <= set(new.captured)


def test_random_numbers_stay_random() -> None:
    """Equal requests of one place in the stream are one; the state is read when the program runs."""
    graph = standard(norms())
    drawn = [eq for eq in graph.equations if eq.op.name == "uniform"]
    assert len(drawn) == 1
    assert drawn[0].inputs[0] in graph.sources


def test_sums_of_one_row_are_no_sums() -> None:
    rg.manual_seed(0)
    graph = standard(step(nn.Linear(3, 2), F.mse_loss, rg.randn(1, 3), rg.randn(1, 2)))
    bias = [eq for eq in graph.equations if eq.op is Sum and eq.outputs[0].type.shape == (2,)]
    assert not bias


def test_ten_thousand_equations_in_a_chain() -> None:
    """No pass calls itself from one equation to the next."""

    def chain(x: rg.Tensor) -> rg.Tensor:
        for _ in range(5000):
            x = -(x * 1.0)
        return x

    graph = stage(chain, [rg.randn(3)], Capture())
    assert len(graph.equations) > 10000
    assert not standard(graph).equations
