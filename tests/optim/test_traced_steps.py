"""Steps of every optimiser staged into a graph: the numbers of eager steps, with counters and rates as variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import TraceError, UsageError

METHODS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"betas": (rg.tensor(0.5), rg.tensor([0.9]))}),
    ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RAdam", {"betas": (0.9, 0.9)}),
    ("RAdam", {}),
    ("Adamax", {}),
    ("Adadelta", {}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("RMSprop", {"centered": True, "momentum": 0.9}),
    ("ASGD", {"t0": 2}),
    ("Rprop", {}),
    ("Adafactor", {"weight_decay": 0.1}),
    ("Lion", {"weight_decay": 0.1}),
]


def run_graph(graph: rg.Graph) -> None:
    """Compute a traced step and put what it changed where it belongs, as a compiled step would."""
    env = graph.evaluate(every=True)  # its constants are the memory of the tensors themselves
    for kind, t, value in [(kind, t, rg.tensor(env[v.name])) for kind, t, v in graph.states]:
        if kind == "grad":
            t.grad = value
        else:
            with rg.no_grad():
                t.copy_(value)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("fresh", [True, False], ids=["first step", "later step"])
@pytest.mark.parametrize(("name", "options"), METHODS, ids=lambda v: v if isinstance(v, str) else "-".join(v))
def test_the_numbers_of_eager_steps(name: str, options: dict[str, Any], fresh: bool, dtype: str) -> None:
    """The same graph, traced once, computes seven steps in a row."""
    start = np.random.default_rng(0).normal(size=(2, 3)).astype(dtype)

    def made() -> tuple[Any, Any]:
        w = nn.Parameter(rg.tensor(start))
        method = getattr(optim, name)([w], lr=rg.tensor(0.05, dtype=rg.float64), **options)

        def step() -> rg.Tensor:
            method.zero_grad()
            loss = ((w - 1) ** 2).sum() + w.sin().sum()
            loss.backward()
            method.step()
            return loss

        return w, step

    (w, step), (v, traced) = made(), made()
    if not fresh:
        step(), traced()
    graph = rg.trace(traced)()
    assert v.detach().numpy().tobytes() == w.detach().numpy().tobytes(), "tracing changes nothing"
    for _ in range(7):
        step()
        run_graph(graph)
        np.testing.assert_allclose(
            v.detach().numpy(), w.detach().numpy(), rtol=1e-12 if dtype == "float64" else 1e-5
        )


def test_a_rate_that_is_a_tensor_is_a_variable_of_the_graph() -> None:
    rate = rg.tensor(0.1)
    w = nn.Parameter(rg.ones(2))
    method = optim.AdamW([w], lr=rate)
    schedule = optim.lr_scheduler.StepLR(method, 1, gamma=0.5)

    def step() -> rg.Tensor:
        method.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        method.step()
        return loss

    step()
    graph = rg.trace(step)()
    before = w.detach().numpy().copy()
    run_graph(graph)
    first = before - w.detach().numpy()
    schedule.step()  # writes into the same tensor
    assert rate.item() == pytest.approx(0.05)
    assert method.param_groups[0]["lr"] is rate
    before = w.detach().numpy().copy()
    run_graph(graph)
    np.testing.assert_allclose((before - w.detach().numpy()) / first, 0.5, rtol=0.05)


def test_what_cannot_be_traced_says_what_to_do() -> None:
    w = nn.Parameter(rg.ones(2))

    def closure() -> rg.Tensor:
        loss = (w * w).sum()
        loss.backward()
        return loss

    searching = optim.LBFGS([w])
    with pytest.raises(TraceError, match="LBFGS cannot be traced") as refused:
        rg.trace(lambda: searching.step(closure))()
    assert "outside the traced function" in str(refused.value.hint)
    with pytest.raises(UsageError, match="needs a closure"):
        searching.step()
    damped = optim.SGD([w], momentum=0.9, dampening=0.5)
    with pytest.raises(TraceError, match="dampening") as refused:
        rg.trace(lambda: damped.step(closure))()
    assert refused.value.hint == "call optimizer.step() once before tracing"
    damped.step(closure)
    rg.trace(lambda: damped.step(closure))()
