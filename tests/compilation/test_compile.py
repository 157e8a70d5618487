"""A compiled function gives what the function gives, and changes what it changes."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import TraceError, UsageError

BACKENDS = ["reference", "native"]
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.05},
    "SGD momentum": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 0.01},
    "AdamW": {"lr": 0.01, "amsgrad": True},
    "RMSprop": {"lr": 0.01, "momentum": 0.5},
    "NAdam": {"lr": 0.01},
    "RAdam": {"lr": 0.01},
    "Adagrad": {"lr": 0.05},
    "Adadelta": {"lr": 1.0},
    "Adamax": {"lr": 0.01},
    "ASGD": {"lr": 0.05},
    "Rprop": {"lr": 0.01},
    "Lion": {"lr": 0.001},
    "Adafactor": {"lr": 0.01},
}


def data(rows: int = 32, dtype: str = "float64") -> tuple[rg.Tensor, rg.Tensor]:
    r = np.random.default_rng(3)
    return rg.tensor(r.normal(size=(rows, 5)).astype(dtype)), rg.tensor(
        r.normal(size=(rows, 1)).astype(dtype)
    )


def make(name: str, layers: Callable[[], nn.Module], schedule: bool = False, clip: bool = False) -> Any:
    """(model, optimiser, step): the same weights every time."""
    rg.manual_seed(0)
    model = layers().double()
    optimizer = getattr(optim, name.split()[0])(model.parameters(), **OPTIMIZERS[name])
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7) if schedule else None

    def step(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        return loss

    return model, optimizer, step


def dense() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 17), nn.ReLU(), nn.Linear(17, 9), nn.Tanh(), nn.Linear(9, 1))


def normed() -> nn.Module:
    return nn.Sequential(
        nn.Linear(5, 12), nn.BatchNorm1d(12), nn.GELU(), nn.Dropout(0.4), nn.Linear(12, 8), nn.LayerNorm(8), nn.Linear(8, 1)
    )  # fmt: skip


def everything(model: nn.Module, optimizer: optim.Optimizer) -> dict[str, np.ndarray]:
    out = {f"model {k}": v.detach().numpy() for k, v in model.state_dict().items()}
    out |= {f"grad {k}": p.grad.numpy() for k, p in model.named_parameters() if p.grad is not None}
    for n, state in enumerate(optimizer.state.values()):
        out |= {f"state {n} {k}": v.numpy() for k, v in state.items() if isinstance(v, rg.Tensor)}
    return out


def assert_same(a: dict[str, np.ndarray], b: dict[str, np.ndarray], rtol: float = 1e-10) -> None:
    assert a.keys() == b.keys()
    for key in a:
        np.testing.assert_allclose(b[key], a[key], rtol=rtol, atol=1e-11, err_msg=key)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_compiled_step_is_the_step(name: str, backend: str) -> None:
    """Losses, parameters, gradients and the optimiser's state, step by step."""
    x, y = data()
    model, optimizer, step = make(name, dense)
    losses = [step(x, y).item() for _ in range(8)]
    model2, optimizer2, step2 = make(name, dense)
    compiled = rg.compile(step2, backend=backend)
    np.testing.assert_allclose([compiled(x, y).item() for _ in range(8)], losses, rtol=1e-11)
    assert_same(everything(model, optimizer), everything(model2, optimizer2))
    assert compiled.retraces == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_dropout_running_statistics_schedule_and_clipping(backend: str) -> None:
    x, y = data()
    model, optimizer, step = make("AdamW", normed, schedule=True, clip=True)
    rg.manual_seed(9)
    losses = [step(x, y).item() for _ in range(9)]
    after = rg.rand(3).numpy()
    model2, optimizer2, step2 = make("AdamW", normed, schedule=True, clip=True)
    rg.manual_seed(9)
    compiled = rg.compile(step2, backend=backend)
    np.testing.assert_allclose([compiled(x, y).item() for _ in range(9)], losses, rtol=1e-10)
    # Before a batch norm a bias has no gradient but rounding errors, and Adam makes steps of their signs.
    assert_same(everything(model, optimizer), everything(model2, optimizer2), rtol=1e-7)
    assert optimizer.param_groups[0]["lr"] == optimizer2.param_groups[0]["lr"]
    assert compiled.retraces == 0, "a schedule must not retrace"
    np.testing.assert_array_equal(rg.rand(3).numpy(), after)  # the random stream has moved on as far


def test_a_rate_changed_by_hand_is_used_at_once_and_an_option_traces_again() -> None:
    x, y = data()
    _, optimizer, step = make("SGD momentum", dense)
    _, optimizer2, step2 = make("SGD momentum", dense)
    compiled = rg.compile(step2)
    for k in range(4):
        for o in (optimizer, optimizer2):
            o.param_groups[0]["lr"] = 0.1 / (k + 1)
            o.param_groups[0]["momentum"] = 0.5 + 0.1 * k
        assert compiled(x, y).item() == pytest.approx(step(x, y).item(), rel=1e-11)
    assert compiled.retraces == 0
    for o in (optimizer, optimizer2):
        o.param_groups[0]["weight_decay"] = 0.1
    for _ in range(2):
        assert compiled(x, y).item() == pytest.approx(step(x, y).item(), rel=1e-11)
    assert compiled.retraces == 1
    assert "option" in compiled.causes[0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_add_up_without_zero_grad(backend: str) -> None:
    x, y = data()
    rg.manual_seed(0)
    model = dense().double()
    other = copy.deepcopy(model)

    def backward(m: nn.Module, x: rg.Tensor) -> None:
        nn.functional.mse_loss(m(x), y).backward()

    compiled = rg.compile(lambda x: backward(other, x), backend=backend)
    for _ in range(3):
        backward(model, x)
        compiled(x)
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_allclose(q.grad.numpy(), p.grad.numpy(), rtol=1e-11)
    assert compiled.retraces == 1
    assert ".grad" in compiled.causes[0]
    other.zero_grad()
    compiled(x)
    assert compiled.retraces == 1, "the first program fits again"


def test_gradients_left_at_none_are_none() -> None:
    x, y = data()
    model, optimizer, step = make("Adam", dense)

    def step_and_clear(x: rg.Tensor, y: rg.Tensor) -> None:
        step(x, y)
        optimizer.zero_grad()

    compiled = rg.compile(step_and_clear)
    for p in model.parameters():
        p.grad = rg.ones_like(p)
    compiled(x, y)
    assert all(p.grad is None for p in model.parameters())


def test_what_makes_another_program_is_named() -> None:
    x, y = data()
    model, _, step = make("Adam", normed)
    compiled = rg.compile(step)
    compiled(x, y)
    compiled(x[:20], y[:20])
    assert "(32, 5)" in compiled.causes[-1].replace("[", "(").replace("]", ")")
    model.eval()
    compiled(x, y)
    assert "training" in compiled.causes[-1]
    model.train()
    compiled(x, y)
    assert compiled.retraces == 2, "the first program fits again"
    next(model.parameters()).requires_grad_(False)
    compiled(x, y)
    assert "requires" in compiled.causes[-1] or "option" in compiled.causes[-1]
    scaled = rg.compile(lambda x, k: x * k)
    assert scaled(x, 2).numpy() == pytest.approx(x.numpy() * 2)
    assert scaled(x, 3).numpy() == pytest.approx(x.numpy() * 3)
    assert scaled.causes == ["argument 1 was 2 and is 3"]


def test_loading_weights_and_state_is_noticed() -> None:
    x, y = data()
    model, optimizer, step = make("Adam", dense)
    model2, optimizer2, step2 = make("Adam", dense)
    compiled = rg.compile(step2)
    for _ in range(3):
        step(x, y), compiled(x, y)
    saved, saved_optimizer = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    for _ in range(2):
        step(x, y), compiled(x, y)
    for m, o in ((model, optimizer), (model2, optimizer2)):
        m.load_state_dict(saved)
        o.load_state_dict(saved_optimizer)
    for _ in range(3):
        assert compiled(x, y).item() == pytest.approx(step(x, y).item(), rel=1e-11)
    assert_same(everything(model, optimizer), everything(model2, optimizer2))


@pytest.mark.parametrize("backend", BACKENDS)
def test_results_never_share_memory_with_the_program(backend: str) -> None:
    w = rg.ones(3, requires_grad=False)

    def f(x: rg.Tensor) -> Any:
        w.add_(x)
        return {"w": w, "twice": [w * 2, 7], "x": x}

    compiled = rg.compile(f, backend=backend)
    first = compiled(rg.ones(3))
    assert first["twice"][1] == 7
    first["w"].fill_(99)
    second = compiled(rg.ones(3))
    assert w.tolist() == second["w"].tolist() == [3, 3, 3]
    assert first["twice"][0].tolist() == [4, 4, 4]
    assert second["twice"][0].tolist() == [6, 6, 6]
    assert first["x"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_states_may_be_exchanged_and_read_through_views(backend: str) -> None:
    a, b = rg.tensor([1.0, 2.0, 3.0]), rg.tensor([4.0, 5.0, 6.0])
    c = rg.arange(6.0).reshape(2, 3)

    def swap() -> rg.Tensor:
        old = a.clone()
        a.copy_(b.flip(0))
        b.copy_(old)
        c[0].add_(c[1])
        c.t()[0].mul_(10)
        return c.sum()

    a2, b2, c2 = a.clone(), b.clone(), c.clone()
    compiled = rg.compile(swap, backend=backend)
    for _ in range(3):
        total = compiled()
    for _ in range(3):
        old = a2.clone()
        a2.copy_(b2.flip(0))
        b2.copy_(old)
        c2[0].add_(c2[1])
        c2.t()[0].mul_(10)
    assert a.tolist() == a2.tolist()
    assert b.tolist() == b2.tolist()
    assert c.tolist() == c2.tolist()
    assert total.item() == c2.sum().item()


def test_a_compiled_function_has_derivatives() -> None:
    f = rg.compile(lambda x, w: (x @ w).tanh())
    x, w = rg.rand(4, 3), rg.rand(3, 2, requires_grad=True)
    f(x, w).sum().backward()
    want = rg.autograd.grad((x @ w).tanh().sum(), w)[0]
    np.testing.assert_allclose(w.grad.numpy(), want.numpy(), rtol=1e-6)
    model = dense()
    compiled = rg.compile(model)
    loss = compiled(rg.ones(2, 5)).sum()
    loss.backward()
    assert all(p.grad is not None for p in model.parameters())


def test_a_module_compiles_itself() -> None:
    model = normed().eval()
    x = rg.rand(3, 5)
    with rg.no_grad():
        want = model(x)
        model.compile()
        np.testing.assert_allclose(model(x).numpy(), want.numpy(), rtol=1e-5)
        twin = copy.deepcopy(model)
        np.testing.assert_allclose(twin(x).numpy(), want.numpy(), rtol=1e-5)


def test_calls_from_several_threads() -> None:
    weights = rg.zeros(64)

    def f(x: rg.Tensor) -> rg.Tensor:
        weights.add_(x)
        return x * 2

    compiled = rg.compile(f)
    compiled(rg.zeros(64))
    wrong: list[int] = []

    def call(k: int) -> None:
        for _ in range(100):
            if (compiled(rg.full((64,), float(k))) != 2.0 * k).any():
                wrong.append(k)

    threads = [threading.Thread(target=call, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong
    assert weights.tolist() == [600.0] * 64


def test_what_cannot_be_compiled_says_so() -> None:
    x = rg.rand(4)
    with pytest.raises(TraceError, match="where"):
        rg.compile(lambda x: x[x > 0.5])(x)
    with pytest.raises(TraceError):
        rg.compile(lambda x: x if x.sum() > 0 else -x)(x)
    with pytest.raises(TraceError):
        rg.compile(lambda x: object())(x)
    w = rg.rand(3, requires_grad=True)
    lbfgs = optim.LBFGS([w])

    def step() -> None:
        lbfgs.step(lambda: (w * w).sum())

    with pytest.raises(TraceError, match="LBFGS"):
        rg.compile(step)()
    with pytest.raises(UsageError):
        rg.compile(3)
    with pytest.raises(UsageError):
        rg.compile(lambda x: x, backend="fast")


def test_a_decorator_with_and_without_options() -> None:
    @rg.compile
    def double(x: rg.Tensor) -> rg.Tensor:
        return x * 2

    @rg.compile(backend="reference")
    def triple(x: rg.Tensor) -> rg.Tensor:
        return x * 3

    assert double(rg.ones(2)).tolist() == [2, 2]
    assert triple(rg.ones(2)).tolist() == [3, 3]
    assert double.__name__ == "double"
    assert "mul" in str(double.graph)
    assert "native" in double.plan()
    assert rg.compile(lambda x: x, disable=True)(3) == 3


def test_a_loop_around_a_compiled_model() -> None:
    """Only the model is compiled; loss, backward and step are not: PyTorch's usual form."""
    x, y = data()
    losses = []
    for compiled in (False, True):
        model, optimizer, _ = make("Adam", normed)
        rg.manual_seed(4)
        run = rg.compile(model) if compiled else model
        losses.append([])
        for _ in range(5):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(run(x), y)
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-10)


def test_second_derivatives_through_a_compiled_function() -> None:
    x = rg.tensor([0.3, -0.7], dtype=rg.float64, requires_grad=True)
    f = rg.compile(lambda x: (x**3).sin().sum())
    (first,) = rg.autograd.grad(f(x), x, create_graph=True)
    (second,) = rg.autograd.grad(first.sum(), x)
    (want,) = rg.autograd.grad((x**3).sin().sum(), x, create_graph=True)
    np.testing.assert_allclose(first.detach().numpy(), want.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(second.numpy(), rg.autograd.grad(want.sum(), x)[0].numpy(), rtol=1e-12)
    rg.autograd.gradcheck(f, (x,))
