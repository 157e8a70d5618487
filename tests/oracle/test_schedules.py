"""Schedules against PyTorch."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from oracle.compare import torch
from oracle.test_optimizers import pair
from retrograd import optim

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
