"""Averaged weights against PyTorch's, and under tracing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import UsageError
from retrograd.optim import swa_utils as ours

torch = pytest.importorskip("torch")
theirs = torch.optim.swa_utils


def network(lib: Any) -> Any:
    m = nn if lib is rg else torch.nn
    net = m.Sequential(m.Linear(3, 4), m.BatchNorm1d(4), m.Linear(4, 2)).double()
    random = np.random.default_rng(0)
    net.load_state_dict(
        {
            k: lib.tensor(random.normal(size=tuple(v.shape)) if v.ndim else 0)
            for k, v in net.state_dict().items()
        }
    )
    return net


def change(net: Any, lib: Any, seed: int) -> None:
    random = np.random.default_rng(seed)
    with lib.no_grad():
        for p in net.parameters():
            p.copy_(lib.tensor(random.normal(size=tuple(p.shape))))
        for b in net.buffers():
            if b.ndim:
                b.copy_(lib.tensor(random.normal(size=tuple(b.shape))))


WAYS: dict[str, Any] = {
    "mean": lambda s: {},
    "mean, buffers too": lambda s: {"use_buffers": True},
    "forgetting": lambda s: {"avg_fn": s.get_ema_avg_fn(0.7)},
    "forgetting, lists": lambda s: {"multi_avg_fn": s.get_ema_multi_avg_fn(0.7), "use_buffers": True},
    "mean, lists": lambda s: {"multi_avg_fn": s.get_swa_multi_avg_fn()},
    "of ones own": lambda s: {"avg_fn": lambda a, w, n: a + (w - a) / (n + 2)},
}


@pytest.mark.parametrize("way", WAYS)
def test_averages(way: str) -> None:
    saved = []
    for lib, s in ((rg, ours), (torch, theirs)):
        net = network(lib)
        average = s.AveragedModel(net, **WAYS[way](s))
        for seed in range(5):
            change(net, lib, seed)
            average.update_parameters(net)
        saved.append({k: v.numpy().copy() for k, v in average.state_dict().items()})
        assert average(lib.ones(2, 3, dtype=lib.float64)).shape == (2, 2)
    assert list(saved[0]) == list(saved[1])
    for key, value in saved[1].items():
        # PyTorch reckons 1/(n + 1) in float32 where it works on lists.
        np.testing.assert_allclose(saved[0][key], value, rtol=1e-5 if "lists" in way else 1e-10, err_msg=key)


def test_statistics_are_reckoned_anew() -> None:
    random = np.random.default_rng(1)
    batches = [random.normal(size=(n, 3)) for n in (8, 8, 4)]
    saved = []
    for lib, s in ((rg, ours), (torch, theirs)):
        net = network(lib)
        net.eval()
        s.update_bn([(lib.tensor(b), None) for b in batches], net)
        assert not net.training
        assert net[1].momentum == 0.1
        saved.append({k: v.numpy().copy() for k, v in net.state_dict().items()})
    for key, value in saved[1].items():
        np.testing.assert_allclose(saved[0][key], value, rtol=1e-10, err_msg=key)
    ours.update_bn([], nn.Linear(1, 1))  # nothing to do


@pytest.mark.parametrize("kind", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 10])
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_rates(kind: str, epochs: int) -> None:
    paths = []
    for lib, s, module in ((rg, ours, optim), (torch, theirs, torch.optim)):
        groups = [
            {"params": [lib.ones(1, requires_grad=True)]},
            {"params": [lib.ones(1, requires_grad=True)], "lr": 0.5},
        ]
        method = module.SGD(groups, lr=0.1)
        method.step()
        schedule = s.SWALR(method, swa_lr=[0.05, 0.2], anneal_epochs=epochs, anneal_strategy=kind)
        path = [schedule.get_last_lr()]
        for k in range(30):
            schedule.step()
            path.append(schedule.get_last_lr())
            if k == 5:
                state = schedule.state_dict()
                schedule = s.SWALR(method, swa_lr=[0.05, 0.2], anneal_epochs=3)
                for group, rate in zip(method.param_groups, path[-1], strict=True):
                    group["lr"] = rate
                schedule.load_state_dict(state)
        paths.append(path)
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-12)


def test_refusals() -> None:
    method = optim.SGD([rg.ones(1, requires_grad=True)])
    for call in (
        lambda: ours.get_ema_avg_fn(1.5),
        lambda: ours.get_ema_multi_avg_fn(-0.1),
        lambda: ours.AveragedModel(nn.Linear(1, 1), avg_fn=ours.get_swa_avg_fn(), multi_avg_fn=ours.get_swa_multi_avg_fn()),
        lambda: ours.SWALR(method, 0.1, anneal_strategy="steep"),
        lambda: ours.SWALR(method, 0.1, anneal_epochs=-1),
        lambda: ours.SWALR(method, [0.1, 0.2]),
    ):  # fmt: skip
        with pytest.raises(UsageError) as refused:
            call()
        assert refused.value.hint


def test_an_update_that_is_traced() -> None:
    net = nn.Linear(2, 1, bias=False)
    eager, traced = (ours.AveragedModel(net, avg_fn=ours.get_ema_avg_fn(0.5)) for _ in range(2))

    def update() -> rg.Tensor:
        traced.update_parameters(net)
        return traced.n_averaged * 1

    graph = rg.trace(update)()
    for value in (1.0, 2.0, 4.0):
        nn.init.constant_(net.weight, value)
        eager.update_parameters(net)
        env = graph.evaluate(every=True)
        for _, t, new in [(k, t, rg.tensor(env[v.name])) for k, t, v in graph.states]:
            with rg.no_grad():
                t.copy_(new)
        np.testing.assert_array_equal(
            traced.module.weight.detach().numpy(), eager.module.weight.detach().numpy()
        )
    assert traced.n_averaged.item() == 3
