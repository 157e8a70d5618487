"""Optimisers and clipping against PyTorch: 50 steps with every option, states in both directions, refusals."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import close, theirs, torch
from retrograd import nn, optim
from retrograd.errors import RetrogradError

with warnings.catch_warnings():  # PyTorch's own test material warns about its own future
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

OURS = {info.name: info for info in optim_db if hasattr(optim, info.name)}


def of_torch(name: str) -> list[tuple[str, dict[str, Any]]]:
    """The option combinations that PyTorch tests its own optimiser with."""
    return [(name, made.kwargs) for made in OURS[name].optim_inputs_func(device="cpu", dtype=torch.float64)]


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
        (name, {"lr": 0.05, "betas": b, "eps": e, "weight_decay": w})
        for name in ("NAdam", "RAdam", "Adamax")
        for b, e, w in itertools.product(((0.9, 0.999), (0.5, 0.9)), (1e-8, 1e-2), (0.0, 0.1))
    ],
    *[
        ("RMSprop", {"lr": 0.02, "alpha": a, "weight_decay": w, "momentum": m, "centered": c})
        for a, w, m, c in itertools.product((0.99, 0.5), (0.0, 0.1), (0.0, 0.9), (False, True))
    ],
    *[
        ("Adagrad", {"lr": 0.1, "lr_decay": d, "weight_decay": w, "initial_accumulator_value": i})
        for d, w, i in itertools.product((0.0, 0.01), (0.0, 0.1), (0.0, 0.5))
    ],
    *[
        ("ASGD", {"lr": 0.1, "lambd": l, "alpha": a, "t0": t, "weight_decay": w})
        for l, a, t, w in itertools.product((1e-4, 0.1), (0.75, 0.5), (1e6, 20), (0.0, 0.1))
    ],
    *[
        ("Rprop", {"lr": l, "etas": e, "step_sizes": s})
        for l, e, s in itertools.product((0.01, 0.3), ((0.5, 1.2), (0.3, 2.0)), ((1e-6, 50), (0.02, 0.5)))
    ],
    *[
        ("Adafactor", {"lr": l, "beta2_decay": b, "d": d, "weight_decay": w, "eps": e})
        for l, b, d, w, e in itertools.product(
            (0.01, 1.0), (-0.8, -0.3), (1.0, 3.0), (0.0, 0.1), ((None, 1e-3), (1e-3, 0.5))
        )
    ],
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "maximize": True}),
    ("RMSprop", {"lr": 0.01, "maximize": True}),
    ("ASGD", {"lr": 0.01, "maximize": True}),
    *[pair for name in sorted(OURS.keys() - {"LBFGS"}) for pair in of_torch(name)],
]


def pair(seed: int = 0, dtype: str = "float64", empty: bool = True) -> tuple[list[Any], list[Any]]:
    """The same starting tensors twice."""
    random = np.random.default_rng(seed)
    arrays = [random.normal(size=s).astype(dtype) for s in ((3, 4), (4,), (), (0, 2))[: 3 + empty]]
    return [nn.Parameter(rg.tensor(a)) for a in arrays], [torch.nn.Parameter(theirs(a)) for a in arrays]


def make(name: str, x: Any, t: Any, options: dict[str, Any]) -> tuple[Any, Any]:
    """The same optimiser twice."""
    return getattr(optim, name)(x, **here(options)), getattr(torch.optim, name)(t, **options)


def here(value: Any) -> Any:
    """Options or state of PyTorch with our tensors in place of its own."""
    if isinstance(value, dict):
        return {k: here(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(here(v) for v in value)
    return rg.tensor(value.detach().numpy().copy()) if isinstance(value, torch.Tensor) else value


def there(value: Any) -> Any:
    """State of ours with PyTorch's tensors in place of our own."""
    if isinstance(value, dict):
        return {k: there(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(there(v) for v in value)
    return torch.tensor(value.detach().numpy().copy()) if isinstance(value, rg.Tensor) else value


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


def same_state(mine: Any, other: Any, dtype: str, what: str) -> None:
    """Same keys, same shapes and dtypes, same numbers; and the same groups."""
    saved, expected = mine.state_dict(), other.state_dict()
    assert saved["state"].keys() == expected["state"].keys()
    for number, state in expected["state"].items():
        assert saved["state"][number].keys() == state.keys()
        for key, value in state.items():
            close(
                saved["state"][number][key], value, "float32" if value.ndim == 0 else dtype, f"{what} {key}"
            )
    for group, theirs_ in zip(saved["param_groups"], expected["param_groups"], strict=True):
        assert group.keys() == theirs_.keys()
        for key, value in theirs_.items():
            assert str(there(group[key])) == str(value), f"{what} {key}"


def named(value: Any) -> str:
    return value if isinstance(value, str) else "-".join(f"{k}={v}" for k, v in value.items()) or "default"


EACH = [(*o, "float64") for o in OPTIONS] + [(*o, "float32") for o in OPTIONS[::3]]


@pytest.mark.parametrize(("name", "options", "dtype"), EACH, ids=named)
def test_fifty_steps(name: str, options: dict[str, Any], dtype: str) -> None:
    x, t = pair(dtype=dtype, empty=name != "Adafactor")  # PyTorch divides by its size
    mine, other = make(name, x, t, options)
    advance(mine, other, x, t, range(50), dtype)
    # Taken together: a single number that happens to pass 0 has no relative error to speak of.
    close(together(x), together(t), dtype, name)
    same_state(mine, other, dtype, name)


def test_every_optimiser_of_pytorch_is_here() -> None:
    missing = {info.name for info in optim_db} - OURS.keys()
    assert missing <= {"Muon", "SparseAdam"}


@pytest.mark.parametrize("name", sorted(OURS.keys() - {"LBFGS"}))
def test_groups_with_options_of_their_own(name: str) -> None:
    x, t = pair(1)
    decay = {} if name == "Rprop" else {"weight_decay": 0.3}
    groups = [{"params": [0], "lr": 0.2}, {"params": [1, 2], "maximize": True, **decay}]

    def grouped(p: list[Any]) -> list[dict[str, Any]]:
        return [{**g, "params": [p[i] for i in g["params"]]} for g in groups]

    mine, other = getattr(optim, name)(grouped(x), lr=0.01), getattr(torch.optim, name)(grouped(t), lr=0.01)
    advance(mine, other, x, t, range(5))
    if name not in ("Adagrad", "Adafactor"):  # PyTorch's cannot step what is added later, or empty
        mine.add_param_group({"params": x[3], "lr": 0.5})
        other.add_param_group({"params": t[3], "lr": 0.5})
    advance(mine, other, x, t, range(5, 10))
    for p, q in zip(x, t, strict=True):
        close(p, q, "float64", name)


@pytest.mark.parametrize(("name", "options", "dtype"), EACH[::5], ids=named)
def test_states_travel_in_both_directions(name: str, options: dict[str, Any], dtype: str) -> None:
    """A run saved by PyTorch goes on here, and one saved here goes on there, as if nobody had interrupted it."""
    x, t = pair(2, dtype, empty=name != "Adafactor")
    mine, other = make(name, x, t, options)
    advance(mine, other, x, t, range(10), dtype)
    fresh, far = make(name, x, t, {**options, "lr": 123.0})
    fresh.load_state_dict(here(other.state_dict()))
    far.load_state_dict(there(mine.state_dict()))
    assert fresh.param_groups[0]["lr"] == mine.param_groups[0]["lr"]
    advance(fresh, far, x, t, range(10, 20), dtype)
    again = getattr(optim, name)(x, **here(options))
    again.load_state_dict(fresh.state_dict())
    advance(again, far, x, t, range(20, 30), dtype)
    close(together(x), together(t), dtype, name)


@pytest.mark.parametrize("name", sorted(OURS))
def test_what_pytorch_refuses(name: str) -> None:
    cases = OURS[name].optim_error_inputs_func(device="cpu", dtype=torch.float32)
    assert len(cases) >= 6
    for case in cases:
        made = case.optimizer_error_input
        given = [torch.nn.Parameter(torch.ones(2))] if made.params is None else made.params
        if case.error_on is OptimizerErrorEnum.STEP_ERROR:
            assert "complex" in made.desc
            continue
        found: dict[int, Any] = {}  # one tensor of ours for each of PyTorch's: it may stand there twice

        def ours(value: Any, found: dict[int, Any] = found) -> Any:
            if isinstance(value, torch.Tensor):
                return found.setdefault(id(value), nn.Parameter(rg.tensor(value.detach().numpy())))
            if isinstance(value, dict):
                return {k: ours(v) for k, v in value.items()}
            return type(value)(ours(v) for v in value) if isinstance(value, list | tuple) else value

        with pytest.raises(RetrogradError) as refused:
            getattr(optim, name)(ours(given), **here(made.kwargs))
        assert refused.value.hint, made.desc


LINE = [
    {}, {"lr": 0.01, "max_iter": 5}, {"tolerance_grad": 1e-3}, {"history_size": 3}, {"max_iter": 3}, {"max_eval": 5},
    {"tolerance_change": 1e-3}, {"lr": torch.tensor(0.1, dtype=torch.float64), "max_iter": 5},
]  # fmt: skip


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("options", LINE, ids=named)
def test_lbfgs_takes_the_same_path(options: dict[str, Any], search: str | None) -> None:
    """Loss, weights and number of evaluations at every step; the saved state goes on in both directions."""
    random = np.random.default_rng(0)
    start, rows = random.normal(size=6), random.normal(size=(8, 6))

    def problem(lib: Any, p: list[Any]) -> Any:
        q = lib.cat([p[0].reshape(-1), p[1]])
        if search is None:
            return 0.01 * ((lib.tensor(rows) @ q) ** 2).sum() + (q**4).sum()
        return (100 * (q[1:] - q[:-1] ** 2) ** 2 + (1 - q[:-1]) ** 2).sum()

    runs = []
    for lib, module in ((rg, optim), (torch, torch.optim)):
        p = [
            lib.tensor(start[:4].reshape(2, 2), requires_grad=True),
            lib.tensor(start[4:], requires_grad=True),
        ]
        method = module.LBFGS(p, line_search_fn=search, **(here(options) if lib is rg else options))
        runs.append((lib, method, p))

    def step(lib: Any, method: Any, p: list[Any]) -> float:
        def closure() -> Any:
            method.zero_grad()
            loss = problem(lib, p)
            loss.backward()
            return loss

        return method.step(closure).item()

    for k in range(12):
        mine, other = (step(*run) for run in runs)
        assert mine == pytest.approx(other, rel=1e-9, abs=1e-9), f"step {k}"
        # A line search divides differences of nearly equal numbers: rounding errors grow along the path.
        np.testing.assert_allclose(together(runs[0][2]), together(runs[1][2]), rtol=1e-7, atol=1e-9)
        a, b = (run[1].state_dict()["state"][0] for run in runs)
        assert (a["n_iter"], a["func_evals"]) == (b["n_iter"], b["func_evals"])
        if k == 4:  # exchange the states
            saved = here(runs[1][1].state_dict()), there(runs[0][1].state_dict())
            for run, state in zip(runs, saved, strict=True):
                run[1].load_state_dict(state)


@pytest.fixture
def in_float64() -> Iterator[None]:
    """Counters and products in float64, too: the derivative of a step is compared to many digits."""
    torch.set_default_dtype(torch.float64)
    rg.set_default_dtype(rg.float64)
    yield
    torch.set_default_dtype(torch.float32)
    rg.set_default_dtype(rg.float32)


DIFFERENTIABLE = [
    ("SGD", {"momentum": 0.9, "nesterov": True}), ("SGD", {}), ("Adam", {"amsgrad": True}), ("Adam", {"weight_decay": 0.1}),
    ("AdamW", {}), ("NAdam", {}), ("RAdam", {"betas": (0.9, 0.5)}), ("RAdam", {}), ("Adamax", {}), ("Adadelta", {}),
    ("Adagrad", {"lr_decay": 0.1}), ("RMSprop", {"centered": True, "momentum": 0.9}), ("RMSprop", {}), ("ASGD", {"t0": 1}),
    ("Rprop", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), DIFFERENTIABLE, ids=named)
@pytest.mark.usefixtures("in_float64")
def test_the_derivative_of_steps(name: str, options: dict[str, Any]) -> None:
    """With differentiable=True, three steps can be differentiated by the start, by the gradients and by the rate."""
    random = np.random.default_rng(3)
    arrays = [random.normal(size=3) for _ in range(4)] + [np.array(0.05)]

    def run(lib: Any, module: Any, values: list[Any], grad: bool = True) -> Any:
        leaves = [lib.tensor(a, requires_grad=grad) for a in values]
        rate = leaves[-1] if lib is rg else values[-1].item()
        w = leaves[0] * 1.0
        if grad:
            w.retain_grad()
        method = getattr(module, name)([w], differentiable=grad, lr=rate, **options)
        for g in leaves[1:-1]:
            w.grad = g * g * g
            method.step()
        return leaves, (w**2).sum()

    leaves, loss = run(rg, optim, arrays)
    found = rg.autograd.grad(loss, leaves, allow_unused=True)
    for which, (a, g) in enumerate(zip(arrays, found, strict=True)):
        for place in np.ndindex(a.shape):
            ends = []
            for h in (-1e-6, 1e-6):
                moved = [v.copy() for v in arrays]
                moved[which][place] += h
                ends.append(run(rg, optim, moved, grad=False)[1].item())
            expected, mine = (ends[1] - ends[0]) / 2e-6, 0.0 if g is None else g.numpy()[place]
            # What is copied from a gradient or rate at the first step is a constant, as in PyTorch.
            constant = ("SGD", 1) if "momentum" in options else None
            if (name, which) not in (constant, ("ASGD", 4), ("Rprop", 4)):
                assert mine == pytest.approx(expected, rel=1e-4, abs=1e-6), f"input {which}{place}"
    try:
        others, end = run(torch, torch.optim, arrays)
        theirs_ = torch.autograd.grad(end, others, allow_unused=True)
    except (
        RuntimeError
    ) as error:  # several of PyTorch's write over what the derivative of an earlier step needs
        if "inplace" not in str(error):
            raise
        return
    for mine, other in zip(found[:-1], theirs_[:-1], strict=True):
        if other is not None:
            np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-8, atol=1e-12)


def test_clipping() -> None:
    for kind, limit in itertools.product((2.0, 1.0, 3.0, float("inf")), (0.1, 1.0, 1e6)):
        x, t = pair(4)
        x, t = x[:3], t[:3]
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
