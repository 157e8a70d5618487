"""What happens around a compiled function: changes of its module, and writes into its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import TraceError

BACKENDS = ["reference", "native"]


def test_changes_are_noticed_at_any_call() -> None:
    """Also after several calls that found nothing changed."""
    model = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.BatchNorm1d(3))
    compiled = rg.compile(model)
    x = rg.rand(8, 3)

    def calls() -> Any:
        with rg.no_grad():
            return [compiled(x).numpy() for _ in range(3)][-1]

    calls()
    model.eval()
    with rg.no_grad():
        np.testing.assert_allclose(calls(), model(x).numpy(), rtol=1e-6)
    assert compiled.retraces == 1
    model.train()
    calls()
    assert compiled.retraces == 1
    model[1].p = 0.0
    np.testing.assert_allclose(calls().mean(0), np.zeros(3), atol=1e-5)
    assert compiled.retraces == 2
    handle = model[0].register_forward_hook(lambda module, args, out: out * 0)
    assert not calls().any()
    handle.remove()
    assert calls().any()
    model[0].weight = nn.Parameter(rg.zeros(3, 3))
    model[0].bias.data = rg.zeros(3)
    assert not calls().any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_argument_changed_in_place(backend: str) -> None:
    def f(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        x.add_(1)
        y[0] = 7.0
        return x * 2

    compiled = rg.compile(f, backend=backend)
    for _ in range(2):
        x, y = rg.ones(3), rg.zeros(2)
        assert compiled(x, y).tolist() == [4, 4, 4]
        assert (x.tolist(), y.tolist()) == ([2, 2, 2], [7, 0])
    with pytest.raises(TraceError, match="in place"):
        rg.compile(lambda x, w: x.add_(w))(rg.ones(3), rg.ones(3, requires_grad=True))


def test_an_option_that_begins_or_is_another_tensor() -> None:
    """A momentum of 0 is no variable of the graph, and a rate that is a tensor is that tensor."""
    for key, first, then in (
        ("momentum", 0.0, 0.9),
        ("lr", rg.tensor(0.5), 0.25),
        ("lr", 0.5, rg.tensor(0.25)),
    ):
        weights = []
        for compiled in (False, True):
            w = rg.ones(2, requires_grad=True)
            optimizer = optim.SGD([w], **{"lr": 0.5, key: first})

            def step(w: rg.Tensor = w, optimizer: Any = optimizer) -> None:
                optimizer.zero_grad()
                (w * w * w).sum().backward()
                optimizer.step()

            run = rg.compile(step) if compiled else step
            run(), run()
            optimizer.param_groups[0][key] = then
            run(), run(), run()
            weights.append(w.detach().numpy())
        np.testing.assert_allclose(weights[1], weights[0], rtol=1e-6, err_msg=f"{key}: {first!r}, {then!r}")
