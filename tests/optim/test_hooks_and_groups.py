"""What a program may hang on an optimiser, what parameter groups hold, and optimisers written by users."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import UsageError

try:
    import torch
except ImportError:
    torch = None


def made(lib: Any = rg) -> tuple[Any, Any]:
    w = (nn.Parameter if lib is rg else lib.nn.Parameter)(lib.ones(2))
    w.grad = lib.ones(2)
    module = optim if lib is rg else lib.optim
    return w, module.Adam([w], lr=0.1)


def libraries() -> Iterator[Any]:
    yield rg
    if torch is not None:
        yield torch


def test_step_hooks_in_order() -> None:
    """Those of all optimisers, those of this one, the step, and after it the other way round; removed, they are gone."""
    seen = []
    for lib in libraries():
        log: list[str] = []
        face = importlib.import_module(f"{lib.__name__}.optim.optimizer")
        w, method = made(lib)

        def note(text: str, w: Any = w, log: list[str] = log) -> Callable[..., None]:
            return lambda opt, args, kwargs: log.append(
                f"{text} {float(w.detach()[0]):.3f} {len(args)} {len(kwargs)}"
            )

        handles = [
            method.register_step_pre_hook(note("own before")),
            method.register_step_post_hook(note("own after")),
            face.register_optimizer_step_pre_hook(note("all before")),
            face.register_optimizer_step_post_hook(note("all after")),
        ]
        method.step()
        method.step(closure=lambda: 1)
        for handle in handles:
            handle.remove()
        method.step()
        seen.append(log)
    assert seen[0] == [
        "all before 1.000 1 0", "own before 1.000 1 0", "own after 0.900 1 0", "all after 0.900 1 0",
        "all before 0.900 1 1", "own before 0.900 1 1", "own after 0.800 1 1", "all after 0.800 1 1",
    ]  # fmt: skip
    assert all(log == seen[0] for log in seen)


def test_a_hook_may_give_the_step_another_closure() -> None:
    for lib in libraries():
        _, method = made(lib)
        method.register_step_pre_hook(lambda opt, args, kwargs: ((*args, lambda: 42), kwargs))
        assert method.step() == 42
        method.register_step_pre_hook(lambda opt, args, kwargs: "nonsense")
        with pytest.raises((UsageError, RuntimeError), match="args"):
            method.step()


def test_state_dict_hooks() -> None:
    for lib in libraries():
        w, method = made(lib)
        method.step()
        log: list[str] = []
        method.register_state_dict_pre_hook(lambda opt, log=log: log.append("before saving"))
        method.register_state_dict_post_hook(lambda opt, state: {**state, "extra": 1})
        method.register_state_dict_post_hook(
            lambda opt, state, log=log: log.append(f"first {'extra' in state}"), prepend=True
        )
        state = method.state_dict()
        assert state["extra"] == 1
        method.register_load_state_dict_pre_hook(lambda opt, state: {**state, **state.pop("inside")})
        method.register_load_state_dict_post_hook(
            lambda opt, log=log: log.append(f"after loading {opt.param_groups[0]['lr']}")
        )
        inside = copy.deepcopy({k: v for k, v in state.items() if k != "extra"})
        inside["param_groups"][0]["lr"] = 0.5
        given = {"inside": inside}
        method.load_state_dict(given)
        assert given == {"inside": inside}, "what was given is not changed"
        assert log == ["before saving", "first False", "after loading 0.5"]
        del w


def test_names_travel_with_the_state() -> None:
    net = nn.Linear(2, 3)
    method = optim.SGD(net.named_parameters(), lr=0.1)
    assert method.param_groups[0]["param_names"] == ["weight", "bias"]
    assert method.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    plain = optim.SGD(net.parameters(), lr=0.1).state_dict()
    method.load_state_dict(plain)
    assert method.param_groups[0]["param_names"] == ["weight", "bias"]
    for wrong in (
        [("weight", net.weight), net.bias],
        [{"params": [net.weight]}, {"params": [("bias", net.bias)]}],
        [{"params": [("weight", net.weight)]}, {"params": [net.bias]}],
    ):
        with pytest.raises(UsageError, match="some parameters with a name and some without"):
            optim.SGD(wrong)


def test_groups_keep_labels_and_refuse_misspelt_options() -> None:
    w = nn.Parameter(rg.ones(2))
    method = optim.AdamW([{"params": w, "name": "head", "layer": 3}])
    assert (method.param_groups[0]["name"], method.param_groups[0]["layer"]) == ("head", 3)
    assert method.state_dict()["param_groups"][0]["name"] == "head"
    for wrong, near in (("weight_decy", "weight_decay"), ("beta", "betas"), ("lrs", "lr")):
        with pytest.raises(UsageError, match=f"no option '{wrong}'") as refused:
            optim.AdamW([{"params": w, wrong: 0.1}])
        assert refused.value.hint == f"did you mean {near!r}?"
    for given in ({w}, [{"params": {w}}]):
        with pytest.raises(UsageError, match="set of parameters"):
            optim.SGD(given)
    with pytest.raises(UsageError, match="got int"):
        optim.SGD(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"lr is a number, got '0\.1'"):
        optim.SGD([w], lr="0.1")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a tensor given as lr has one element"):
        optim.SGD([w], lr=rg.ones(2))
    for options in ({"foreach": True}, {"differentiable": True}):
        with pytest.raises(UsageError, match="exclude each other"):
            optim.SGD([w], fused=True, **options)
    optim.Adam([w], fused=True, capturable=True)  # one way of computing serves for all of these
    with pytest.raises(UsageError, match="LBFGS takes one group"):
        optim.LBFGS([{"params": [w]}, {"params": [nn.Parameter(rg.ones(1))]}])
    with pytest.raises(UsageError, match="line_search_fn"):
        optim.LBFGS([w], line_search_fn="armijo")


def test_an_optimiser_of_ones_own() -> None:
    """Written for PyTorch: a subclass with its own step, its state made by defaultdict, hooks and schedules all the same."""
    paths = []
    for lib in libraries():
        base = optim.Optimizer if lib is rg else lib.optim.Optimizer

        class Signs(base):  # type: ignore[misc,valid-type]
            def __init__(self, params: Any, lr: float = 0.1) -> None:
                super().__init__(params, {"lr": lr})

            def step(self, closure: Any = None, lib: Any = lib) -> Any:
                loss = None if closure is None else closure()
                with lib.no_grad():
                    for group in self.param_groups:
                        for p in group["params"]:
                            if p.grad is not None:
                                self.state[p]["seen"] = self.state[p].get("seen", 0) + 1
                                p.add_(p.grad.sign(), alpha=-group["lr"])
                return loss

        w = lib.tensor([1.0, -3.0], requires_grad=True)
        method = Signs([w])
        calls: list[int] = []
        method.register_step_post_hook(lambda *_, calls=calls: calls.append(1))
        schedule = (optim if lib is rg else lib.optim).lr_scheduler.StepLR(method, 1, 0.5)
        for _ in range(3):
            method.zero_grad()
            (w * w).sum().backward()
            method.step()
            schedule.step()
        assert len(calls) == 3
        assert method.state_dict()["state"] == {0: {"seen": 3}}
        paths.append(w.detach().numpy().copy())
    np.testing.assert_allclose(paths[0], paths[-1])


def test_zeroed_gradients_stay_the_same_tensors() -> None:
    w, method = made()
    gradient = w.grad
    method.zero_grad(set_to_none=False)
    assert w.grad is gradient
    assert gradient.tolist() == [0.0, 0.0]
    (w.sin().sum()).backward(create_graph=True)
    method.zero_grad(set_to_none=False)
    assert w.grad is not None
    assert not w.grad.requires_grad


def test_copies_are_independent() -> None:
    w, method = made()
    method.step()
    twin = copy.deepcopy(method)
    (v,) = twin.param_groups[0]["params"]
    assert v is not w
    assert v.tolist() == w.tolist()
    v.grad = rg.ones(2)
    twin.step()
    assert v.tolist() != w.tolist()
    assert method.state[w]["step"].item() == 1
    assert twin.state[v]["step"].item() == 2


def test_lion_by_its_paper() -> None:
    """Algorithm 2 of Chen et al. 2023, line by line in NumPy; and the saved state is the momentum alone."""
    random = np.random.default_rng(0)
    start = random.normal(size=5)
    for lr, (b1, b2), decay, sign in (
        (0.01, (0.9, 0.99), 0.0, 1),
        (0.1, (0.5, 0.9), 0.3, 1),
        (0.1, (0.9, 0.99), 0.1, -1),
    ):
        w = nn.Parameter(rg.tensor(start))
        method = optim.Lion([w], lr=lr, betas=(b1, b2), weight_decay=decay, maximize=sign < 0)
        theta, m = start.copy(), np.zeros(5)
        for _ in range(50):
            g = random.normal(size=5)
            w.grad = rg.tensor(g)
            method.step()
            g = sign * g
            c = b1 * m + (1 - b1) * g
            theta = theta - lr * (np.sign(c) + decay * theta)
            m = b2 * m + (1 - b2) * g
        np.testing.assert_allclose(w.detach().numpy(), theta, rtol=1e-10)
        assert method.state_dict()["state"][0].keys() == {"exp_avg"}
        np.testing.assert_allclose(method.state[w]["exp_avg"].numpy(), m, rtol=1e-10)
    with pytest.raises(UsageError, match="betas lie in"):
        optim.Lion([w], betas=(0.9, 1.0))
