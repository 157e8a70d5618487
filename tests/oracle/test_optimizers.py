"""Optimisers, schedules and clipping against PyTorch: 50 optimiser steps and 100 schedule steps with every option."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import close, theirs, torch
from retrograd import nn, optim

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    *[
        ("SGD", {"lr": 0.05, "momentum": m, "dampening": d, "weight_decay": w, "nesterov": n})
        for m, d, w, n in itertools.product((0.0, 0.9), (0.0, 0.3), (0.0, 0.1), (False, True))
        if not n or (m and not d)
    ],
    *[
        (name, {"lr": 0.05, "betas": b, "eps": e, "weight_decay": w, "amsgrad": a})
        for name in ("Adam", "AdamW")
        for b, e, w, a in itertools.product(
            ((0.9, 0.999), (0.5, 0.9)), (1e-8, 1e-2), (0.0, 0.1), (False, True)
        )
    ],
    *[
        ("RMSprop", {"lr": 0.02, "alpha": a, "weight_decay": w, "momentum": m, "centered": c})
        for a, w, m, c in itertools.product((0.99, 0.5), (0.0, 0.1), (0.0, 0.9), (False, True))
    ],
    *[
        ("Adagrad", {"lr": 0.1, "lr_decay": d, "weight_decay": w, "initial_accumulator_value": i})
        for d, w, i in itertools.product((0.0, 0.01), (0.0, 0.1), (0.0, 0.5))
    ],
    ("SGD", {"lr": 0.01, "momentum": 0.9, "maximize": True}),
    ("Adam", {"lr": 0.01, "maximize": True}),
    ("RMSprop", {"lr": 0.01, "maximize": True}),
    ("Adagrad", {"lr": 0.01, "maximize": True}),
]


def pair(seed: int = 0, dtype: str = "float64") -> tuple[list[Any], list[Any]]:
    """The same three starting tensors twice."""
    random = np.random.default_rng(seed)
    arrays = [random.normal(size=s).astype(dtype) for s in ((3, 4), (4,), ())]
    return [nn.Parameter(rg.tensor(a)) for a in arrays], [torch.nn.Parameter(theirs(a)) for a in arrays]


def together(parameters: list[Any]) -> np.ndarray[Any, Any]:
    """All parameters as one vector."""
    return np.concatenate([p.detach().numpy().ravel() for p in parameters])


def gradients(step: int, like: list[Any]) -> Iterator[np.ndarray[Any, Any]]:
    """Gradients of a step: of very different sizes, and now and then all zero."""
    random = np.random.default_rng(step)
    for p in like:
        yield random.normal(size=tuple(p.shape)) * 10.0 ** random.integers(-3, 2) * (step % 7 != 3)


def advance(mine: Any, other: Any, x: list[Any], t: list[Any], steps: range, dtype: str = "float64") -> None:
    for step in steps:
        for p, q, g in zip(x, t, gradients(step, t), strict=True):
            p.grad, q.grad = rg.tensor(g.astype(dtype)), theirs(g.astype(dtype))
        mine.step()
        other.step()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("name", "options"), OPTIONS, ids=lambda o: o if isinstance(o, str) else "-".join(map(str, o.values()))
)
def test_fifty_steps(name: str, options: dict[str, Any], dtype: str) -> None:
    x, t = pair(dtype=dtype)
    mine, other = getattr(optim, name)(x, **options), getattr(torch.optim, name)(t, **options)
    advance(mine, other, x, t, range(50), dtype)
    # Taken together: a single number that happens to pass 0 has no relative error to speak of.
    close(together(x), together(t), dtype, name)
    saved, expected = mine.state_dict(), other.state_dict()
    assert saved["state"].keys() == expected["state"].keys()
    for number, state in expected["state"].items():
        for key, value in state.items():
            if value is None or (name == "RMSprop" and key in saved["state"][number] and value.numel() == 0):
                continue
            close(saved["state"][number][key], value, "float32" if key == "step" else dtype, f"{name} {key}")


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_groups_with_options_of_their_own(name: str) -> None:
    x, t = pair(1)
    groups = [{"params": [0], "lr": 0.2}, {"params": [1, 2], "weight_decay": 0.3}]
    mine = getattr(optim, name)([{**g, "params": [x[i] for i in g["params"]]} for g in groups], lr=0.01)
    other = getattr(torch.optim, name)(
        [{**g, "params": [t[i] for i in g["params"]]} for g in groups], lr=0.01
    )
    advance(mine, other, x, t, range(10))
    for p, q in zip(x, t, strict=True):
        close(p, q, "float64", name)


@pytest.mark.parametrize(("name", "options"), [o for i, o in enumerate(OPTIONS) if i % 5 == 0])
def test_state_of_torch_continues_here(name: str, options: dict[str, Any]) -> None:
    """A run saved by PyTorch's optimiser goes on here as it would have gone on there; and ours, saved and loaded."""
    x, t = pair(2)
    mine, other = getattr(optim, name)(x, **options), getattr(torch.optim, name)(t, **options)
    advance(mine, other, x, t, range(10))
    fresh = getattr(optim, name)(x, **{**options, "lr": 123.0})
    state = copy.deepcopy(other.state_dict())
    for values in state["state"].values():
        for key, value in values.items():
            values[key] = value.numpy() if hasattr(value, "numpy") else value
    fresh.load_state_dict(state)
    assert fresh.param_groups[0]["lr"] == options["lr"]
    advance(fresh, other, x, t, range(10, 20))
    again = getattr(optim, name)(x, **options)
    again.load_state_dict(fresh.state_dict())
    advance(again, other, x, t, range(20, 30))
    for p, q in zip(x, t, strict=True):
        close(p, q, "float64", name)


SCHEDULES: list[tuple[str, dict[str, Any], str]] = [
    ("StepLR", {"step_size": 7}, "SGD"),
    ("StepLR", {"step_size": 1, "gamma": 0.97}, "Adam"),
    ("CosineAnnealingLR", {"T_max": 100}, "SGD"),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.01}, "SGD"),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 101}, "SGD"),
    ("OneCycleLR", {"max_lr": [0.5, 0.1], "epochs": 10, "steps_per_epoch": 11}, "Adam"),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 110, "three_phase": True, "pct_start": 0.2}, "SGD"),
    (
        "OneCycleLR",
        {"max_lr": 0.5, "total_steps": 101, "anneal_strategy": "linear", "cycle_momentum": False},
        "RMSprop",
    ),
    ("LambdaLR", {"lr_lambda": lambda k: 0.9**k}, "SGD"),
    ("LambdaLR", {"lr_lambda": [lambda k: 1 / (k + 1), lambda k: 1 + k % 3]}, "SGD"),
]


@pytest.mark.parametrize(("name", "options", "method"), SCHEDULES)
def test_schedule_over_a_hundred_steps(name: str, options: dict[str, Any], method: str) -> None:
    x, t = pair()
    extra = {"momentum": 0.9} if method == "SGD" else {}
    mine = getattr(optim, method)([{"params": x[:1]}, {"params": x[1:], "lr": 0.03}], lr=0.1, **extra)
    other = getattr(torch.optim, method)([{"params": t[:1]}, {"params": t[1:], "lr": 0.03}], lr=0.1, **extra)
    ours, its = (
        getattr(optim.lr_scheduler, name)(mine, **options),
        getattr(torch.optim.lr_scheduler, name)(other, **options),
    )
    for step in range(100):
        mine.step()
        other.step()
        for a, b in zip(mine.param_groups, other.param_groups, strict=True):
            assert a["lr"] == pytest.approx(b["lr"], rel=1e-10, abs=1e-14), f"step {step}"
            assert a.get("momentum", 0.0) == pytest.approx(b.get("momentum", 0.0), rel=1e-10)
            assert a.get("betas", ()) == pytest.approx(b.get("betas", ()), rel=1e-10)
        if step == 40:  # saved and loaded in the middle, nothing changes
            state, optimizer_state = copy.deepcopy(ours.state_dict()), mine.state_dict()
            mine = getattr(optim, method)([{"params": x[:1]}, {"params": x[1:], "lr": 0.03}], lr=0.1, **extra)
            ours = getattr(optim.lr_scheduler, name)(mine, **options)
            mine.load_state_dict(optimizer_state)
            ours.load_state_dict(state)
        ours.step()
        its.step()
        assert ours.get_last_lr() == pytest.approx(its.get_last_lr(), rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_reduce_on_plateau_over_a_hundred_steps(mode: str, threshold_mode: str) -> None:
    for patience, cooldown, min_lr, factor in [(3, 0, 0.0, 0.5), (0, 4, 1e-3, 0.1), (5, 2, [1e-2, 0.0], 0.7)]:
        x, t = pair()
        mine = optim.SGD([{"params": x[:1]}, {"params": x[1:], "lr": 0.03}], lr=0.1)
        other = torch.optim.SGD([{"params": t[:1]}, {"params": t[1:], "lr": 0.03}], lr=0.1)
        options = {
            "mode": mode, "threshold_mode": threshold_mode, "patience": patience, "cooldown": cooldown,
            "min_lr": min_lr, "factor": factor, "threshold": 0.05,
        }  # fmt: skip
        ours, its = (
            optim.lr_scheduler.ReduceLROnPlateau(mine, **options),
            torch.optim.lr_scheduler.ReduceLROnPlateau(other, **options),
        )
        random = np.random.default_rng(3)
        for step in range(100):
            loss = float(np.exp(-step / 30) + 0.05 * random.normal())
            ours.step(loss)
            its.step(loss)
            assert [g["lr"] for g in mine.param_groups] == pytest.approx(
                [g["lr"] for g in other.param_groups], rel=1e-12
            )


def test_clipping() -> None:
    for kind, limit in itertools.product((2.0, 1.0, 3.0, float("inf")), (0.1, 1.0, 1e6)):
        x, t = pair(4)
        for p, q, g in zip(x, t, gradients(1, t), strict=True):
            p.grad, q.grad = rg.tensor(g), theirs(g)
        close(
            nn.utils.clip_grad_norm_(x, limit, kind),
            torch.nn.utils.clip_grad_norm_(t, limit, kind),
            "float64",
            "norm",
        )
        for p, q in zip(x, t, strict=True):
            close(p.grad, q.grad, "float64", f"clipped {kind} {limit}")
    nn.utils.clip_grad_value_(x, 0.01)
    torch.nn.utils.clip_grad_value_(t, 0.01)
    for p, q in zip(x, t, strict=True):
        close(p.grad, q.grad, "float64", "clipped by value")


def test_a_training_run_is_the_same() -> None:
    """200 steps of a real loop, float64: forward, loss, backward, clipping, AdamW, schedule."""
    random = np.random.default_rng(5)
    data, labels = random.normal(size=(64, 6)), random.integers(0, 3, size=64)
    results = []
    start = None
    for lib, m, o, s in (
        (torch, torch.nn, torch.optim, torch.optim.lr_scheduler),
        (rg, nn, optim, optim.lr_scheduler),
    ):
        net = m.Sequential(m.Linear(6, 16), m.ReLU(), m.BatchNorm1d(16), m.Linear(16, 3)).double()
        if start is None:
            start = {k: v.numpy().copy() for k, v in net.state_dict().items()}
        else:
            net.load_state_dict(start)
        optimizer = o.AdamW(net.parameters(), lr=0.01)
        schedule = s.OneCycleLR(optimizer, 0.02, total_steps=200)
        criterion = m.CrossEntropyLoss(label_smoothing=0.05)
        for step in range(200):
            rows = slice(16 * (step % 4), 16 * (step % 4) + 16)
            optimizer.zero_grad()
            loss = criterion(net(lib.tensor(data[rows])), lib.tensor(labels[rows]))
            loss.backward()
            m.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        results.append(
            {k: v.detach().numpy().copy() for k, v in net.state_dict().items()}
            | {"loss": loss.detach().numpy()}
        )
    for key, value in results[0].items():
        np.testing.assert_allclose(results[1][key], value, rtol=1e-7, atol=1e-9, err_msg=key)
