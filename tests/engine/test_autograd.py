"""backward, grad, hooks, modes and orders of derivative: PyTorch's behaviour, and the laws of a gradient."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import GradError


def leaf(*values: float) -> rg.Tensor:
    return rg.tensor(list(values), dtype=rg.float64, requires_grad=True)


def test_a_value_used_twice_gets_the_sum_of_its_paths() -> None:
    x = leaf(2.0, -1.0)
    y = x * 3
    (y * y + y.sin() + y).sum().backward()
    np.testing.assert_allclose(
        x.grad.numpy(), 3 * (2 * 3 * x.detach().numpy() + np.cos(3 * x.detach().numpy()) + 1)
    )


def test_gradients_accumulate_until_they_are_cleared() -> None:
    x = leaf(1.0, 2.0)
    for k in (1, 2, 3):
        (x * x).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), k * np.array([2.0, 4.0]))
    x.grad = None
    (x * x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [2.0, 4.0])


def test_grad_does_not_touch_dot_grad() -> None:
    x = leaf(3.0)
    (g,) = rg.autograd.grad((x * x).sum(), x)
    assert g.item() == 6.0
    assert x.grad is None


def test_gradients_of_two_leaves_do_not_share_memory() -> None:
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = rg.ones(2, dtype=rg.float64)
    (a + b).backward(seed)
    a.grad.add_(1)
    assert b.grad.tolist() == [1.0, 1.0]
    assert seed.tolist() == [1.0, 1.0]


@pytest.mark.row("ENG-02")
def test_ten_thousand_ops() -> None:
    """Depth costs no recursion: neither going forward, nor back, nor letting go of the graph."""
    x = leaf(0.5)
    y = x
    for _ in range(10_000):
        y = y * 1.0001 + 0.0
    y.sum().backward()
    np.testing.assert_allclose(x.grad.item(), 1.0001**10_000, rtol=1e-9)
    del y
    gc.collect()


def test_any_order() -> None:
    """The first six derivatives of x⁵·e^(2x) at a point, by Leibniz's rule."""
    x = leaf(0.7)
    y = x**5 * (2 * x).exp()
    found = []
    for _ in range(6):
        (y,) = rg.autograd.grad(y.sum(), x, create_graph=True)
        found.append(y.item())
    poly, v = np.polynomial.Polynomial([0, 0, 0, 0, 0, 1]), 0.7
    for k, value in enumerate(found):
        poly = poly.deriv() + 2 * poly
        np.testing.assert_allclose(value, poly(v) * np.exp(2 * v), rtol=1e-10, err_msg=f"order {k + 1}")


def test_hessian_is_symmetric() -> None:
    x = leaf(0.3, -0.5, 0.8)
    w = rg.tensor(np.random.default_rng(0).normal(size=(3, 3)))
    y = ((w @ x).tanh() * x.exp()).sum()
    (g,) = rg.autograd.grad(y, x, create_graph=True)
    rows = [rg.autograd.grad(g[i], x, retain_graph=True)[0].numpy() for i in range(3)]
    np.testing.assert_allclose(np.array(rows), np.array(rows).T, atol=1e-14)


def test_backward_with_create_graph_and_grad_of_grad() -> None:
    x = leaf(2.0)
    (x**3).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    first = x.grad
    x.grad = None
    first.sum().backward()
    assert x.grad.item() == pytest.approx(12.0)


def test_retain_grad_and_hooks() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    seen: list[str] = []
    y.register_hook(lambda g: seen.append("y"))
    handle = x.register_hook(lambda g: g * 10)
    (y * y).sum().backward()
    assert y.grad.tolist() == [4.0, 8.0]
    assert x.grad.tolist() == [80.0, 160.0]
    assert seen == ["y"]
    handle.remove()
    handle.remove()
    x.grad = None
    (x * 1).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_hooks_run_once_with_the_whole_gradient() -> None:
    """A value that is used twice: its hook sees the sum, once; a replacement goes on to what lies before it."""
    x = leaf(1.0)
    y = x * 1
    seen: list[float] = []

    def hook(g: rg.Tensor) -> rg.Tensor:
        seen.append(g.item())
        return g * 0.5

    y.register_hook(hook)
    (y * 3 + y * 4).sum().backward()
    assert seen == [7.0]
    assert x.grad.item() == 3.5


def test_no_grad_detach_and_modes() -> None:
    x = leaf(1.0)
    with rg.no_grad():
        assert not rg.is_grad_enabled()
        y = x * 2
        assert not y.requires_grad
        with rg.enable_grad():
            assert (x * 2).requires_grad
    assert rg.is_grad_enabled()
    with rg.inference_mode():
        assert not (x * 2).requires_grad
    assert not x.detach().requires_grad
    assert np.shares_memory(x.detach().numpy(), x.detach().numpy())
    with rg.set_grad_enabled(False):
        assert not (x * 2).requires_grad

    @rg.no_grad()
    def silent() -> rg.Tensor:
        return x * 2

    assert not silent().requires_grad
    with pytest.raises(ZeroDivisionError), rg.no_grad():
        1 / 0  # noqa: B018
    assert rg.is_grad_enabled(), "an exception leaves the mode as it was"


def test_detached_paths_carry_nothing() -> None:
    x = leaf(3.0)
    (x * x.detach()).sum().backward()
    assert x.grad.item() == 3.0


def test_unused_inputs() -> None:
    x, z = leaf(1.0), leaf(2.0)
    with pytest.raises(GradError, match="not used"):
        rg.autograd.grad((x * 2).sum(), [x, z])
    assert rg.autograd.grad((x * 2).sum(), [x, z], allow_unused=True)[1] is None


def test_several_outputs_and_their_cotangents() -> None:
    x = leaf(1.0, 2.0)
    y, z = x * 2, x.exp()
    gy, gz = rg.ones(2, dtype=rg.float64), rg.full((2,), 3.0, dtype=rg.float64)
    (g,) = rg.autograd.grad([y, z], x, [gy, gz])
    np.testing.assert_allclose(g.numpy(), 2 + 3 * np.exp([1.0, 2.0]))


def test_gradient_with_respect_to_something_in_between() -> None:
    x = leaf(2.0)
    y = x * x
    (g,) = rg.autograd.grad((y * y).sum(), y)
    assert g.item() == 8.0
    assert x.grad is None


def test_only_what_leads_to_the_inputs_is_computed() -> None:
    x, z = leaf(2.0), leaf(3.0)
    visited: list[str] = []
    a = x * 2
    b = z * 3
    b.register_hook(lambda g: visited.append("b"))
    rg.autograd.grad((a + b).sum(), x)
    assert visited == []


def test_backward_inputs_only() -> None:
    x, z = leaf(2.0), leaf(3.0)
    rg.autograd.backward([(x * z).sum()], inputs=[x])
    assert x.grad.item() == 3.0
    assert z.grad is None


def test_the_graph_is_freed_with_the_loss() -> None:
    x = leaf(1.0, 2.0)
    y = x.exp()
    saved = weakref.ref(y)
    loss = y.sum()
    loss.backward()
    del y, loss
    gc.collect()
    assert saved() is None


def test_retain_graph() -> None:
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0
    with pytest.raises(GradError, match="freed"):
        y.backward()


@pytest.mark.row("ENG-06")
def test_gradcheck_names_op_and_entry() -> None:
    """A user's op with a wrong derivative: the check fails, and says which op and which entry."""
    from retrograd.op import Op, bind

    class Cube(Op, register=False):
        """y = x³, with a wrong reverse rule: 2.5 instead of 3"""

        def type(x):  # type: ignore[no-untyped-def]
            return x

        def eval(x):  # type: ignore[no-untyped-def]
            return x**3

        def vjp(g, _y, x):  # type: ignore[no-untyped-def]
            return (g * x * x * 2.5,)

    class RightCube(Cube, register=False):
        """y = x³"""

        def vjp(g, _y, x):  # type: ignore[no-untyped-def]
            return (g * x * x * 3,)

    x = leaf(0.1, 2.0, 0.3)
    with pytest.raises(GradError, match=r"input 0\[1\].*op 'cube'.*entry \(1,\)") as caught:
        rg.autograd.gradcheck(lambda v: bind(Cube, v.sin() + v).sum(), x)
    assert "test_autograd.py" in str(caught.value)
    assert rg.autograd.gradcheck(lambda v: bind(RightCube, v.sin() + v).sum(), x)
    assert not rg.autograd.gradcheck(lambda v: bind(Cube, v).sum(), x, raise_exception=False)
    with pytest.raises(GradError, match="float64"):
        rg.autograd.gradcheck(lambda v: v.sum(), rg.ones(2, requires_grad=True))
    with pytest.raises(GradError, match="nothing to check"):
        rg.autograd.gradcheck(lambda v: v.sum(), rg.ones(2))


@pytest.mark.row("ENG-06", "ENG-01")
@pytest.mark.parametrize("activation", ["Tanh", "Sigmoid", "GELU", "SiLU", "Softplus", "ELU"])
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_gradcheck_of_whole_networks(activation: str, loss: str) -> None:
    """Modules and losses, at first and at second order, over random shapes."""
    from retrograd import nn

    r = np.random.default_rng(len(activation))
    n, d, h, k = (int(v) for v in r.integers(2, 5, 4))
    net = nn.Sequential(nn.Linear(d, h), getattr(nn, activation)(), nn.LayerNorm(h), nn.Linear(h, k)).to(
        rg.float64
    )
    x = rg.tensor(r.normal(size=(n, d)), requires_grad=True)
    y = rg.tensor(r.normal(size=(n, k))) if loss == "mse" else rg.tensor(r.integers(0, k, n))
    criterion = nn.MSELoss() if loss == "mse" else nn.CrossEntropyLoss()

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, v: rg.Tensor) -> rg.Tensor:
            return criterion(self.net(v), y)

    assert rg.autograd.gradcheck(Whole(), x, atol=1e-7, rtol=1e-6)
    assert rg.autograd.gradgradcheck(Whole(), x, atol=1e-6, rtol=1e-5)
