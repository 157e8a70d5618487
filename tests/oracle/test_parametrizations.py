"""Parametrizations against PyTorch: values, gradients, keys, printed forms, and what is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.stories import Story, filled, plain, ramp, same


def linear(lib: Any, n_in: int = 3, n_out: int = 4) -> Any:
    return filled(lib, lib.nn.Linear(n_in, n_out))


def seen(lib: Any, log: Story, m: Any) -> None:
    """Everything that shows: printed form, names, state, output, gradients."""
    log.append(repr(m))
    log.append([n for n, _ in m.named_parameters()])
    log.append(plain(dict(m.state_dict())))  # now: what is assigned later must not show
    for p in m.parameters():
        p.grad = None
    x = ramp(lib, 5, 3).requires_grad_()
    y = m(x)
    log.append(y)
    (y * ramp(lib, *y.shape)).sum().backward()
    log.append(x.grad)
    log.extend(p.grad for p in m.parameters())


def symmetric(lib: Any) -> Any:
    class Symmetric(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            return x.triu() + x.triu(1).transpose(-1, -2)

        def right_inverse(self, x: Any) -> Any:
            return x.triu()

    return Symmetric()


def doubled(lib: Any) -> Any:
    class Doubled(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            return x * 2

    return Doubled()


def halves(lib: Any) -> Any:
    class Halves(lib.nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return a + b

        def right_inverse(self, x: Any) -> Any:
            return x / 4, x * 0.75

    return Halves()


def weight_norm(lib: Any, log: Story) -> None:
    for dim in (0, 1, -1, None):
        m = linear(lib)
        before = plain(m.weight)
        lib.nn.utils.parametrizations.weight_norm(m, dim=dim)
        log.append(np.abs(np.array(plain(m.weight)) - before).max() < 1e-9)
        seen(lib, log, m)
        with lib.no_grad():
            m.parametrizations.weight.original0.mul_(2)
        seen(lib, log, m)
        lib.nn.utils.parametrize.remove_parametrizations(m, "weight")
        seen(lib, log, m)


def weight_norm_from_the_older_form(lib: Any, log: Story) -> None:
    m = lib.nn.utils.parametrizations.weight_norm(linear(lib))
    m.load_state_dict({"weight_g": ramp(lib, 4, 1), "weight_v": ramp(lib, 4, 3), "bias": ramp(lib, 4)})
    seen(lib, log, m)


def spectral_norm(lib: Any, log: Story) -> None:
    for options in ({}, {"n_power_iterations": 3}, {"dim": 1}):
        m = lib.nn.utils.parametrizations.spectral_norm(linear(lib), **options)
        inner = m.parametrizations.weight[0]
        for name in ("_u", "_v"):  # PyTorch and Retrograd draw other starts
            vector = ramp(lib, *getattr(inner, name).shape) + 0.3
            getattr(inner, name).copy_(vector / (vector * vector).sum().sqrt())
        seen(lib, log, m)
        log.append(dict(m.state_dict()))
        m.eval()
        seen(lib, log, m)
        state = copy.deepcopy(dict(m.state_dict()))
        other = lib.nn.utils.parametrizations.spectral_norm(linear(lib), **options).eval()
        other.load_state_dict(state)
        seen(lib, log, other)
        lib.nn.utils.parametrize.remove_parametrizations(m, "weight")
        log.append(repr(m))
    vector = lib.nn.utils.parametrizations.spectral_norm(linear(lib), "bias")
    seen(lib, log, vector)


def orthogonal(lib: Any, log: Story) -> None:
    for n_in, n_out, kind in (
        (3, 3, None),
        (3, 3, "cayley"),
        (3, 4, None),
        (3, 2, "householder"),
        (3, 2, "cayley"),
    ):
        for trivial in (True, False):
            m = linear(lib, n_in, n_out)
            m.weight.data = ramp(lib, n_out, n_in) ** 3 + lib.eye(n_out, n_in, dtype=lib.float64) / 3
            if n_in != n_out and trivial:
                continue  # the base is completed at random
            if kind != "cayley" and n_in != n_out:
                continue  # without a trivialization PyTorch inverts the reflections
            lib.nn.utils.parametrizations.orthogonal(m, orthogonal_map=kind, use_trivialization=trivial)
            seen(lib, log, m)
            if trivial:
                m.weight = ramp(lib, n_out, n_in) ** 2 + lib.eye(n_out, dtype=lib.float64)
                seen(lib, log, m)


def own_parametrizations(lib: Any, log: Story) -> None:
    tools = lib.nn.utils.parametrize
    m = linear(lib, 3, 3)
    tools.register_parametrization(m, "weight", symmetric(lib))
    log.append(
        (tools.is_parametrized(m), tools.is_parametrized(m, "weight"), tools.is_parametrized(m, "bias"))
    )
    seen(lib, log, m)
    m.weight = ramp(lib, 3, 3) + ramp(lib, 3, 3).T
    seen(lib, log, m)
    tools.register_parametrization(m, "weight", doubled(lib))
    tools.register_parametrization(m, "bias", halves(lib))
    seen(lib, log, m)
    log.append((type(m).__name__, tools.type_before_parametrizations(m).__name__))
    tools.remove_parametrizations(m, "weight", leave_parametrized=False)
    seen(lib, log, m)
    tools.remove_parametrizations(m, "bias")
    log.append(tools.is_parametrized(m))
    seen(lib, log, m)


def caching(lib: Any, log: Story) -> None:
    tools = lib.nn.utils.parametrize
    calls: list[int] = []

    class Counted(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            calls.append(1)
            return x * 2

    m = tools.register_parametrization(linear(lib), "weight", Counted())
    calls.clear()
    with tools.cached():
        log.append(m.weight is m.weight)
        log.append(len(calls))
    log.append(m.weight is m.weight)
    log.append(len(calls))


def transfer(lib: Any, log: Story) -> None:
    tools = lib.nn.utils.parametrize
    source = tools.register_parametrization(linear(lib, 3, 3), "weight", symmetric(lib))
    target = filled(lib, lib.nn.Linear(3, 3))
    tools.transfer_parametrizations_and_params(source, target)
    seen(lib, log, target)


def buffers_and_refusals(lib: Any, log: Story) -> None:
    tools = lib.nn.utils.parametrize
    m = lib.nn.BatchNorm1d(3).double()
    tools.register_parametrization(m, "running_var", doubled(lib))
    log.append(dict(m.state_dict()))
    log.append(m.running_var)

    class Shrinks(lib.nn.Module):
        def forward(self, x: Any) -> Any:
            return x[:1]

    for attempt in (
        lambda: tools.register_parametrization(linear(lib), "nope", doubled(lib)),
        lambda: tools.register_parametrization(linear(lib), "weight", Shrinks()),
        lambda: tools.remove_parametrizations(linear(lib), "weight"),
        lambda: tools.remove_parametrizations(
            tools.register_parametrization(linear(lib), "bias", halves(lib)), "bias", leave_parametrized=False
        ),
        lambda: setattr(
            tools.register_parametrization(linear(lib), "weight", doubled(lib)), "weight", ramp(lib, 4, 3)
        ),
        lambda: lib.nn.utils.parametrizations.spectral_norm(linear(lib), n_power_iterations=0),
        lambda: lib.nn.utils.parametrizations.spectral_norm(linear(lib), dim=5),
        lambda: lib.nn.utils.parametrizations.spectral_norm(linear(lib), "nope"),
        lambda: lib.nn.utils.parametrizations.orthogonal(linear(lib), "nope"),
        lambda: lib.nn.utils.parametrizations.orthogonal(linear(lib), "bias"),
        lambda: lib.nn.utils.parametrizations.orthogonal(linear(lib), orthogonal_map="nope"),
        lambda: setattr(lib.nn.utils.parametrizations.orthogonal(linear(lib)), "weight", ramp(lib, 3, 3)),
    ):
        try:
            attempt()
        except Exception:
            log.append("refused")
        else:
            log.append("accepted")
    tools.register_parametrization(linear(lib), "weight", Shrinks(), unsafe=True)


STORIES = [
    weight_norm, weight_norm_from_the_older_form, spectral_norm, orthogonal, own_parametrizations, caching, transfer,
    buffers_and_refusals,
]  # fmt: skip


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_story_is_the_same(story: Callable[[Any, Story], None]) -> None:
    same(story)


def test_a_copy_has_parametrizations_of_its_own() -> None:
    m = rg.nn.utils.parametrizations.weight_norm(linear(rg))
    twin = copy.deepcopy(m)
    with rg.no_grad():
        twin.parametrizations.weight.original0.zero_()
    assert m.weight.detach().numpy().any()
    assert not twin.weight.detach().numpy().any()
    rg.nn.utils.parametrize.remove_parametrizations(m, "weight")
    assert rg.nn.utils.parametrize.is_parametrized(twin)
    assert twin(rg.zeros(1, 3, dtype=rg.float64)).shape == (1, 4)


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
@pytest.mark.parametrize("kind", ["matrix_exp", "cayley", "householder"])
def test_orthogonal_weights_stay_orthogonal(shape: tuple[int, int], kind: str) -> None:
    layer = rg.nn.utils.parametrizations.orthogonal(
        rg.nn.Linear(shape[1], shape[0], dtype=rg.float64), orthogonal_map=kind
    )
    optimizer = rg.optim.SGD(layer.parameters(), lr=0.1)
    x = ramp(rg, 6, shape[1])
    before = None
    for _ in range(5):
        optimizer.zero_grad()
        loss = ((layer(x) - 1) ** 2).mean()
        loss.backward()
        optimizer.step()
        w = layer.weight.detach().numpy()
        gram = w.T @ w if shape[0] >= shape[1] else w @ w.T
        np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-12)
        assert before is None or loss.item() < before
        before = loss.item()


def test_a_traced_training_step_with_parametrized_weights() -> None:
    """What an optimiser changes, and the vectors of the power iteration, are states of the graph."""
    net = rg.nn.utils.parametrizations.spectral_norm(linear(rg))
    rg.nn.utils.parametrizations.weight_norm(net, "bias", dim=None)
    optimizer = rg.optim.SGD(net.parameters(), lr=0.1)
    x = ramp(rg, 5, 3)

    def step(x: rg.Tensor) -> rg.Tensor:
        optimizer.zero_grad()
        loss = (net(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    before = {k: v.numpy().copy() for k, v in net.state_dict().items()}
    graph = rg.trace(step)(x)
    after = {k: v.numpy() for k, v in net.state_dict().items()}
    assert all((before[k] == after[k]).all() for k in before), "tracing changes nothing"
    found = graph(x.numpy())[0]
    assert found == pytest.approx(step(x).item(), rel=1e-12)
