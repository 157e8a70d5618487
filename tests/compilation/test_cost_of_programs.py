"""What a compiled step costs: memory said before and in the plan (PRB-04), backward beside forward by counting (ENG-10).

Memory: the estimate lies within a factor of three of what is measured, the factor that was fixed for eager steps.  It counts
the parameters four times (weight, gradient, two moments) and every intermediate value once, where eager steps hold each one
twice: a program puts the gradient of a value in the place of one that is read no more.  Work, fixed beforehand: two products
go back for each one that went forward, and at most five calls of kernels for each; one more layer costs as many calls in a
deep net as in a shallow one.
"""

from __future__ import annotations

import re
import tracemalloc
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn.summary import multiply_adds
from retrograd.train.cost import count_work

pytest.importorskip("llvmlite")

FACTOR, PRODUCTS, CALLS = 3.0, 2.0, 5.0
SAID = {"ops": "ops", "calls": "calls", "kernels": "kernels", "own": "bytes of its own", "state": "of state"}
SMALL = 16_384
"""Bytes of Python's own objects that a call may make: its arguments, its result."""


def dense(width: int, layers: int, features: int = 20) -> nn.Module:
    parts: list[nn.Module] = [nn.Linear(features, width), nn.ReLU()]
    for _ in range(layers - 1):
        parts += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(width, 1))


def compiled_step(model: nn.Module) -> Any:
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    @rg.compile
    def step(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def planned(compiled: Any) -> dict[str, int]:
    """Ops, calls, kernels and bytes, as the plan says them in its first line."""
    said = compiled.plan().splitlines()[0]
    found = {name: re.search(rf"([\d,]+) {words}", said) for name, words in SAID.items()}
    assert all(found.values()), said
    return {name: int(match[1].replace(",", "")) for name, match in found.items() if match}


def rows(batch: int) -> tuple[rg.Tensor, rg.Tensor]:
    x = np.random.default_rng(0).normal(size=(batch, 20)).astype(np.float32)
    return rg.from_numpy(x), rg.from_numpy(x[:, :1].copy())


@pytest.mark.row("PRB-04")
@pytest.mark.parametrize("batch", [16, 128, 1024])
@pytest.mark.parametrize("width, layers", [(16, 1), (64, 2), (128, 4), (64, 16)])
def test_the_memory_of_a_program_is_known_before(width: int, layers: int, batch: int) -> None:
    model = dense(width, layers)
    x, y = rows(batch)
    parameters, _, values = count_work(model, x.numpy())
    estimate = 4 * (4 * parameters + values * batch)
    step = compiled_step(model)
    step(x, y)
    plan = planned(step)
    assert plan["state"] >= 16 * parameters
    assert 1 / FACTOR < estimate / (plan["own"] + plan["state"]) < FACTOR


@pytest.mark.row("PRB-04")
def test_the_plan_names_all_the_memory_there_is() -> None:
    """Its bytes are taken at the first call, and later calls take nothing of that size again."""
    model = dense(64, 4)
    x, y = rows(1024)
    step = compiled_step(model)
    tracemalloc.start()
    step(x, y)
    first = tracemalloc.get_traced_memory()[1]
    for _ in range(2):
        step(x, y)
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        step(x, y)
    later = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    size = planned(step)["own"]
    assert size <= first  # the control: it was seen
    assert later <= SMALL < size


@pytest.mark.row("PRB-04")
def test_memory_and_calls_grow_with_layers_and_with_the_batch_as_they_should() -> None:
    found = {}
    for layers in (2, 4, 8):
        step = compiled_step(dense(64, layers))
        step(*rows(512))
        found[layers] = planned(step)
    assert found[2]["own"] < found[4]["own"] < found[8]["own"] < 4 * found[2]["own"]
    assert found[2]["calls"] < found[4]["calls"] < found[8]["calls"] < 4 * found[2]["calls"]
    assert found[8]["kernels"] <= found[2]["kernels"] + 4  # more layers are more calls, not more kernels
    step = compiled_step(dense(64, 4))
    step(*rows(1024))
    assert 1.6 < planned(step)["own"] / found[4]["own"] < 2.2


def forward_and_both(depth: int, width: int) -> tuple[Any, Any]:
    """The loss of a net as a program, and the loss with the gradients of all parameters."""
    parts: list[nn.Module] = []
    for _ in range(depth):
        parts += [nn.Linear(width, width), nn.ReLU()]
    net = nn.Sequential(*parts)
    parameters = list(net.parameters())

    def loss(x: rg.Tensor) -> rg.Tensor:
        return (net(x) ** 2).mean()

    forward = rg.compile(lambda x: loss(x).detach())
    both = rg.compile(lambda x: rg.autograd.grad(loss(x), parameters))
    x = rg.rand(8, width)
    forward(x), both(x)
    return forward, both


@pytest.mark.row("ENG-10")
@pytest.mark.parametrize("width", [16, 128])
def test_backward_costs_a_small_constant_times_forward_compiled(width: int) -> None:
    """Counted in the programs: products, and calls of kernels, for depths 2 to 32."""
    calls = {}
    for depth in (2, 8, 32):
        forward, both = forward_and_both(depth, width)
        ahead, whole = (sum(map(multiply_adds, f.graph.equations)) for f in (forward, both))
        assert ahead == depth * 8 * width * width
        assert whole - ahead <= PRODUCTS * ahead
        calls[depth] = [planned(f)["calls"] for f in (forward, both)]
        assert calls[depth][1] - calls[depth][0] <= CALLS * calls[depth][0]
        differences = (
            2 * depth * (width * width + width) * ahead
        )  # the control: two forward passes a parameter
        assert differences > 100 * whole
    for k in (0, 1):  # one more layer costs the same, whatever the depth
        shallow = (calls[8][k] - calls[2][k]) / 6
        deep = (calls[32][k] - calls[8][k]) / 24
        assert abs(deep - shallow) <= 1
