"""Schedules against PyTorch: 200 steps with every option, states in both directions, warnings and refusals."""

from __future__ import annotations

import itertools
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch
from retrograd import nn, optim
from retrograd.errors import RetrogradError

STEPS = 200
# The optimisers here step before the schedule is made, which PyTorch does not count.
pytestmark = pytest.mark.filterwarnings("ignore:Detected call of")


class Halving:
    """A rate function with attributes of its own, which are saved."""

    def __init__(self, every: int) -> None:
        self.every = every

    def __call__(self, epoch: float) -> float:
        return 0.5 ** (epoch // self.every)


def method_of(lib: Any, kind: str = "SGD", groups: int = 2, lr: Any = 0.1) -> Any:
    """An optimiser of two groups, with rates of their own and momentum, that has taken a step."""
    parameter = nn.Parameter if lib is rg else torch.nn.Parameter
    made = [{"params": [parameter(lib.ones(1))]} for _ in range(groups)]
    if groups > 1:
        made[1]["lr"] = 0.03
    extra = {"momentum": 0.9} if kind == "SGD" else {}
    made_by = getattr(optim if lib is rg else torch.optim, kind)
    method = made_by(made, lr=lr, **extra)
    method.step()
    return method


Make = Callable[[Any, Any], Any]
"""From the module of schedules (ours or PyTorch's) and an optimiser to a schedule."""


def one(name: str, **options: Any) -> tuple[str, Make]:
    shown = ", ".join(f"{k}={getattr(v, '__name__', v)}" for k, v in options.items())
    shown = re.sub(
        r" (object )?at 0x[0-9a-f]+", "", shown
    )  # an address would differ from one test process to the next
    return f"{name}({shown})", lambda s, o: getattr(s, name)(o, **options)


SCHEDULES: list[tuple[str, Make]] = [
    one("LambdaLR", lr_lambda=lambda k: 0.9**k),
    one("LambdaLR", lr_lambda=[lambda k: 1 / (k + 1), Halving(7)]),
    one("MultiplicativeLR", lr_lambda=lambda k: 0.99),
    one("MultiplicativeLR", lr_lambda=[lambda k: 1 - 0.01 * (k % 3), Halving(150)]),
    *[one("StepLR", step_size=n, gamma=g) for n, g in itertools.product((1, 7), (0.1, 0.97))],
    *[one("MultiStepLR", milestones=m, gamma=g) for m in ([30, 80], [5, 5, 9, 100], []) for g in (0.1, 0.7)],
    *[one("ConstantLR", factor=f, total_iters=n) for f, n in itertools.product((1 / 3, 1.0), (0, 1, 50))],
    *[
        one("LinearLR", start_factor=a, end_factor=b, total_iters=n)
        for a, b, n in itertools.product((1 / 3, 1.0), (1.0, 0.25), (1, 50))
    ],
    *[one("ExponentialLR", gamma=g) for g in (0.9, 1.0, 1.01)],
    *[one("PolynomialLR", total_iters=n, power=p) for n, p in itertools.product((1, 60, 300), (1.0, 0.5, 2))],
    *[one("CosineAnnealingLR", T_max=n, eta_min=e) for n, e in itertools.product((1, 2, 30, 300), (0.0, 0.01))],
    *[
        one("CosineAnnealingWarmRestarts", T_0=n, T_mult=m, eta_min=e)
        for n, m, e in itertools.product((1, 10), (1, 2, 3), (0, 0.01))
    ],
    *[
        one("CyclicLR", base_lr=0.01, max_lr=0.5, step_size_up=u, step_size_down=d, mode=m, gamma=0.99, cycle_momentum=c)
        for u, d, m, c in itertools.product(
            (1, 13), (None, 7), ("triangular", "triangular2", "exp_range"), (True, False)
        )
    ],
    one("CyclicLR", base_lr=[0.01, 0.2], max_lr=[0.5, 0.3], step_size_up=9, base_momentum=[0.1, 0.2], max_momentum=[0.3, 0.9]),
    one("CyclicLR", base_lr=0.01, max_lr=0.5, step_size_up=9, scale_fn=lambda x: 1 / (5**(x * 0.01)), scale_mode="iterations"),
    one("CyclicLR", base_lr=0.01, max_lr=0.5, step_size_up=9, scale_fn=Halving(2), scale_mode="cycle"),
    *[
        one("OneCycleLR", max_lr=0.5, pct_start=p, anneal_strategy=a, three_phase=t, cycle_momentum=c, total_steps=201)
        for p, a, t, c in itertools.product((0.2, 0.3), ("cos", "linear"), (True, False), (True, False))
    ],
    one("OneCycleLR", max_lr=[0.5, 0.1], epochs=20, steps_per_epoch=11, div_factor=10.0, final_div_factor=100.0),
    one("OneCycleLR", max_lr=0.5, total_steps=201, base_momentum=[0.1, 0.2], max_momentum=[0.5, 0.9]),
    ("sequential", lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=10), s.CosineAnnealingLR(o, 50), s.StepLR(o, 5)], [10, 60])),
    ("sequential, restarts", lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.2, 5), s.CosineAnnealingWarmRestarts(o, 7), s.ExponentialLR(o, 0.9)], [5, 40])),
    ("sequential, at once", lambda s, o: s.SequentialLR(o, [s.ExponentialLR(o, 0.9), s.StepLR(o, 3)], [0])),
    ("sequential, chained inside", lambda s, o: s.SequentialLR(
        o, [s.ChainedScheduler([s.LinearLR(o), s.ExponentialLR(o, 0.99)]), s.PolynomialLR(o, 40)], [20])),
    ("chained", lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 20), s.ExponentialLR(o, 0.99)])),
    ("chained, cosine", lambda s, o: s.ChainedScheduler(
        [s.LinearLR(o, 0.2, total_iters=30), s.CosineAnnealingLR(o, 90, 0.001), s.MultiStepLR(o, [50, 70])], o)),
]  # fmt: skip


def same(mine: Any, other: Any, ours: Any, its: Any, what: str) -> None:
    """Rates, momenta, and what the schedules tell of them."""
    for a, b in zip(mine.param_groups, other.param_groups, strict=True):
        assert a["lr"] == pytest.approx(b["lr"], rel=1e-11, abs=1e-15), what
        assert a.get("momentum", 0.0) == pytest.approx(b.get("momentum", 0.0), rel=1e-11), what
        assert a.get("betas", ()) == pytest.approx(b.get("betas", ()), rel=1e-11), what
    assert ours.get_last_lr() == pytest.approx(its.get_last_lr(), rel=1e-11, abs=1e-15), what


def plain(value: Any) -> Any:
    """A state as it looks in PyTorch and here alike."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value


EACH = [(n, m, kind) for n, m in SCHEDULES for kind in ("SGD", "AdamW") if kind == "SGD" or "Cycl" in n]


@pytest.mark.parametrize(("make", "kind"), [(m, k) for _, m, k in EACH], ids=[f"{n}-{k}" for n, _, k in EACH])
def test_two_hundred_steps(make: Make, kind: str) -> None:
    mine, other = method_of(rg, kind), method_of(torch, kind)
    ours, its = make(optim.lr_scheduler, mine), make(torch.optim.lr_scheduler, other)
    same(mine, other, ours, its, "at first")
    for step in range(STEPS):
        if (
            step == 77
        ):  # somebody turns the rate by hand: schedules that go on from the present rate keep that
            for group in (*mine.param_groups, *other.param_groups):
                group["lr"] *= 0.5
        ours.step()
        its.step()
        same(mine, other, ours, its, f"step {step}")
    missing = plain(its.state_dict()).keys() - plain(ours.state_dict()).keys()
    assert missing <= {"_get_lr_called_within_step", "_is_initial"}


@pytest.mark.parametrize("make", [m for _, m in SCHEDULES[::2]], ids=[n for n, _ in SCHEDULES[::2]])
@pytest.mark.parametrize("at", [1, 41])
def test_states_travel(make: Make, at: int) -> None:
    """Saved in the middle and loaded into a fresh one; from PyTorch into ours as well."""
    mine, other = method_of(rg), method_of(torch)
    ours, its = make(optim.lr_scheduler, mine), make(torch.optim.lr_scheduler, other)
    for _ in range(at):
        ours.step(), its.step()
    for state, optimizer_state in (
        (ours.state_dict(), mine.state_dict()),
        (its.state_dict(), other.state_dict()),
    ):
        fresh = method_of(rg, lr=7.0)
        again = make(optim.lr_scheduler, fresh)
        fresh.load_state_dict(optimizer_state)
        again.load_state_dict(state)
        far = method_of(torch)
        there = make(torch.optim.lr_scheduler, far)
        far.load_state_dict(other.state_dict())
        there.load_state_dict(its.state_dict())
        for step in range(at, at + 60):
            again.step(), there.step()
            same(fresh, far, again, there, f"step {step}")


CLOSED = [
    "StepLR",
    "MultiStepLR",
    "ConstantLR",
    "LinearLR",
    "ExponentialLR",
    "PolynomialLR",
    "CosineAnnealingLR",
]
WITHOUT = ["LambdaLR", "CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


@pytest.mark.parametrize("name", CLOSED + WITHOUT)
def test_jumps_to_an_epoch(name: str) -> None:
    """step(epoch) is deprecated, with a warning, and jumps; with fractions where restarts are warm."""
    for label, make in SCHEDULES:
        if not label.startswith(f"{name}("):
            continue
        mine, other = method_of(rg), method_of(torch)
        ours, its = make(optim.lr_scheduler, mine), make(torch.optim.lr_scheduler, other)
        for epoch in (3, 40, 12, 41.5 if name == "CosineAnnealingWarmRestarts" else 41):
            if name == "CosineAnnealingWarmRestarts":
                ours.step(epoch), its.step(epoch)
                same(mine, other, ours, its, f"{label} at {epoch}")
                continue
            with pytest.warns(UserWarning, match="deprecated"):
                ours.step(epoch)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                its.step(epoch)
            if "total_iters=0" not in label:
                same(mine, other, ours, its, f"{label} at {epoch}")


@pytest.mark.parametrize(
    "name", ["CosineAnnealingLR", "StepLR", "LambdaLR", "OneCycleLR", "LinearLR", "CyclicLR"]
)
def test_made_again_in_the_middle(name: str) -> None:
    """With last_epoch, on an optimiser whose groups remember their first rate."""
    options = {
        "CosineAnnealingLR": {"T_max": 30}, "StepLR": {"step_size": 7}, "LambdaLR": {"lr_lambda": lambda k: 0.9**k},
        "OneCycleLR": {"max_lr": 0.5, "total_steps": 300}, "LinearLR": {"total_iters": 40},
        "CyclicLR": {"base_lr": 0.01, "max_lr": 0.5, "step_size_up": 9},
    }[name]  # fmt: skip
    runs = []
    for lib, s in ((rg, optim.lr_scheduler), (torch, torch.optim.lr_scheduler)):
        method = method_of(lib)
        first = getattr(s, name)(method, **options)
        for _ in range(20):
            first.step()
        again = getattr(s, name)(method, **options, last_epoch=19)
        runs.append((method, again))
    (mine, ours), (other, its) = runs
    for step in range(30):
        same(mine, other, ours, its, f"step {step}")
        ours.step(), its.step()


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_reduce_on_plateau(mode: str, threshold_mode: str) -> None:
    for patience, cooldown, min_lr, factor in [(3, 0, 0.0, 0.5), (0, 4, 1e-3, 0.1), (5, 2, [1e-2, 0.0], 0.7)]:
        mine, other = method_of(rg), method_of(torch)
        options = {
            "mode": mode, "threshold_mode": threshold_mode, "patience": patience, "cooldown": cooldown,
            "min_lr": min_lr, "factor": factor, "threshold": 0.05,
        }  # fmt: skip
        ours = optim.lr_scheduler.ReduceLROnPlateau(mine, **options)
        its = torch.optim.lr_scheduler.ReduceLROnPlateau(other, **options)
        random = np.random.default_rng(3)
        for step in range(STEPS):
            loss = float(np.exp(-step / 30) + 0.05 * random.normal()) * (-1 if step % 50 > 40 else 1)
            if step % 31 == 30:
                loss = float("nan")
            ours.step(rg.tensor(loss, dtype=rg.float64) if step % 2 else loss)
            its.step(loss)
            same(mine, other, ours, its, f"step {step}")
            if step == 60:
                state = its.state_dict()
                assert state.keys() == ours.state_dict().keys()
                ours = optim.lr_scheduler.ReduceLROnPlateau(mine, **options)
                ours.load_state_dict(state)
        assert ours.in_cooldown == its.in_cooldown
        ours._reset(), its._reset()
        assert (ours.best, ours.num_bad_epochs) == (its.best, its.num_bad_epochs)


@pytest.mark.filterwarnings("default:Detected call of")
def test_warnings_are_those_of_pytorch() -> None:
    for lib, s in ((rg, optim.lr_scheduler), (torch, torch.optim.lr_scheduler)):
        method = (optim if lib is rg else torch.optim).SGD([lib.ones(1, requires_grad=True)], lr=1.0)
        schedule = s.StepLR(method, 2)
        with pytest.warns(UserWarning, match=r"before `?optimizer\.step\(\)"):
            schedule.step()
        with pytest.warns(UserWarning, match="get_last_lr"):
            schedule.get_lr()


REFUSED: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("not an optimiser", lambda s, o: s.StepLR(1, 1)),
    ("not an optimiser", lambda s, o: s.ReduceLROnPlateau([1])),
    ("no first rate", lambda s, o: s.StepLR(o, 1, last_epoch=5)),
    ("too many functions", lambda s, o: s.LambdaLR(o, [lambda k: 1.0])),
    ("too many functions", lambda s, o: s.MultiplicativeLR(o, [lambda k: 1.0] * 3)),
    ("no function", lambda s, o: s.MultiplicativeLR(o, 0.9)),
    ("factor", lambda s, o: s.ConstantLR(o, 1.5)),
    ("factor", lambda s, o: s.ConstantLR(o, -0.1)),
    ("start", lambda s, o: s.LinearLR(o, 0.0)),
    ("start", lambda s, o: s.LinearLR(o, 1.1)),
    ("end", lambda s, o: s.LinearLR(o, 0.5, -0.1)),
    ("end", lambda s, o: s.LinearLR(o, 0.5, 1.1)),
    ("T_0", lambda s, o: s.CosineAnnealingWarmRestarts(o, 0)),
    ("T_0", lambda s, o: s.CosineAnnealingWarmRestarts(o, 1.5)),
    ("T_mult", lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 0)),
    ("T_mult", lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 1.5)),
    ("eta_min", lambda s, o: s.CosineAnnealingWarmRestarts(o, 5, 1, "low")),
    ("negative epoch", lambda s, o: s.CosineAnnealingWarmRestarts(o, 5).step(-1)),
    ("mode", lambda s, o: s.CyclicLR(o, 0.1, 0.2, mode="square")),
    ("lengths", lambda s, o: s.CyclicLR(o, [0.1], 0.2)),
    ("lengths", lambda s, o: s.CyclicLR(o, 0.1, [0.2, 0.3, 0.4])),
    ("no end", lambda s, o: s.OneCycleLR(o, 0.1)),
    ("no end", lambda s, o: s.OneCycleLR(o, 0.1, epochs=3)),
    ("total_steps", lambda s, o: s.OneCycleLR(o, 0.1, total_steps=0)),
    ("total_steps", lambda s, o: s.OneCycleLR(o, 0.1, total_steps=1.5)),
    ("epochs", lambda s, o: s.OneCycleLR(o, 0.1, epochs=0, steps_per_epoch=5)),
    ("steps_per_epoch", lambda s, o: s.OneCycleLR(o, 0.1, epochs=1, steps_per_epoch=-5)),
    ("pct_start", lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, pct_start=1.5)),
    ("strategy", lambda s, o: s.OneCycleLR(o, 0.1, total_steps=5, anneal_strategy="steep")),
    ("lengths", lambda s, o: s.OneCycleLR(o, [0.1], total_steps=5)),
    ("no schedule", lambda s, o: s.SequentialLR(o, [], [])),
    ("no schedule", lambda s, o: s.ChainedScheduler([])),
    ("milestones", lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1)], [3])),
    ("not a schedule", lambda s, o: s.SequentialLR(o, [1, 2], [3])),
    ("not a schedule", lambda s, o: s.ChainedScheduler([s.StepLR(o, 1), 3])),
    ("plateau", lambda s, o: s.SequentialLR(o, [s.StepLR(o, 1), s.ReduceLROnPlateau(o)], [3])),
    ("plateau", lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)])),
    ("factor", lambda s, o: s.ReduceLROnPlateau(o, factor=1.0)),
    ("mode", lambda s, o: s.ReduceLROnPlateau(o, mode="best")),
    ("threshold_mode", lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="best")),
    ("min_lr", lambda s, o: s.ReduceLROnPlateau(o, min_lr=[0.1])),
]  # fmt: skip


@pytest.mark.parametrize("make", [m for _, m in REFUSED], ids=[n for n, _ in REFUSED])
def test_what_pytorch_refuses(make: Make) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        make(torch.optim.lr_scheduler, method_of(torch))
    with pytest.raises(RetrogradError) as refused:
        make(optim.lr_scheduler, method_of(rg))
    assert refused.value.hint


def test_momentum_needs_something_to_cycle() -> None:
    for name, options in (
        ("CyclicLR", {"base_lr": 0.1, "max_lr": 0.2}),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 5}),
    ):
        with pytest.raises(ValueError):
            getattr(torch.optim.lr_scheduler, name)(method_of(torch, "Adagrad"), **options)
        with pytest.raises(RetrogradError, match="no momentum to cycle"):
            getattr(optim.lr_scheduler, name)(method_of(rg, "Adagrad"), **options)
        getattr(optim.lr_scheduler, name)(method_of(rg, "Adagrad"), **options, cycle_momentum=False)


def test_several_optimisers_do_not_mix() -> None:
    for lib, s in ((rg, optim.lr_scheduler), (torch, torch.optim.lr_scheduler)):
        a, b = method_of(lib), method_of(lib)
        for combine in (
            lambda x, y, s=s, a=a: s.SequentialLR(a, [x, y], [3]),
            lambda x, y, s=s: s.ChainedScheduler([x, y]),
        ):
            with pytest.raises(ValueError):
                combine(s.StepLR(a, 1), s.StepLR(b, 1))


def test_a_schedule_of_ones_own() -> None:
    """A subclass with get_lr, as PyTorch's documentation has it."""
    rates = []
    for lib, s in ((rg, optim.lr_scheduler), (torch, torch.optim.lr_scheduler)):

        class Inverse(s.LRScheduler):  # type: ignore[name-defined]
            def __init__(self, optimizer: Any, slope: float, last_epoch: int = -1) -> None:
                self.slope = slope
                super().__init__(optimizer, last_epoch)

            def get_lr(self) -> list[float]:
                return [base / (1 + self.slope * self.last_epoch) for base in self.base_lrs]

        method = method_of(lib)
        schedule, seen = Inverse(method, 0.1), []
        for _ in range(10):
            schedule.step()
            seen += schedule.get_last_lr()
        rates.append(seen)
    assert rates[0] == pytest.approx(rates[1])


def test_rates_that_are_tensors_stay_the_same_tensors() -> None:
    for label, make in SCHEDULES:
        tensors = rg.tensor(0.1, dtype=rg.float64), torch.tensor(0.1, dtype=torch.float64)
        mine, other = method_of(rg, groups=1, lr=tensors[0]), method_of(torch, groups=1, lr=tensors[1])
        try:
            its = make(torch.optim.lr_scheduler, other)
        except ValueError:
            continue  # this one has values for two groups
        ours = make(optim.lr_scheduler, mine)
        for step in range(25):
            ours.step(), its.step()
            assert mine.param_groups[0]["lr"] is tensors[0]
            assert tensors[0].item() == pytest.approx(tensors[1].item(), rel=1e-9, abs=1e-15), (
                f"{label} {step}"
            )
