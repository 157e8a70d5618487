"""Derivatives of functions: PyTorch's `torch.func` as oracle, nested in every way, traced, and inside one another."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch
from retrograd import func, nn
from retrograd.errors import RetrogradError
from retrograd.tree import flatten

R = np.random.default_rng(0)
A, V, W = R.normal(size=(4, 3)), R.normal(size=3), R.normal(size=(3, 2))


def outer_gradient(m: Any, f: Any, x: Any) -> Any:
    x = x.requires_grad_()
    f.vmap(f.grad(lambda v: (v**3).sum()))(x).sum().backward()
    return x.grad


def outer_gradient_of_a_hessian(m: Any, f: Any, x: Any) -> Any:
    x = x.requires_grad_()
    (f.hessian(lambda v: v.sin().sum() * v.sum())(x) ** 2).sum().backward()
    return x.grad


def detached_inside(m: Any, f: Any, x: Any) -> Any:
    x = x.requires_grad_()
    f.vmap(lambda v: v.detach() * v)(x).sum().backward()
    return x.grad


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "grad": (lambda m, f, x: f.grad(lambda x: (x.sin() * x).sum())(x), (V,)),
    "grad of two": (lambda m, f, x: f.grad(lambda x, y: (x * y.exp()).sum(), argnums=(0, 1))(x, x), (V,)),
    "grad of the last": (lambda m, f, x: f.grad(lambda x, y: (x * y.exp()).sum(), argnums=-1)(x, x), (V,)),
    "grad of an unused": (lambda m, f, x: f.grad(lambda x, y: (x * x).sum(), argnums=1)(x, x), (V,)),
    "grad of a constant": (lambda m, f, x: f.grad(lambda x: m.tensor(1.0))(x), (V,)),
    "grad, aux": (
        lambda m, f, x: f.grad_and_value(lambda d: ((d["a"] ** 2).sum(), d["b"]), has_aux=True)({"a": x, "b": x}),
        (V,),
    ),
    "third derivative": (
        lambda m, f, x: f.grad(lambda y: f.grad(lambda z: f.grad(lambda w: w**4)(z))(y))(x.sum()),
        (V,),
    ),
    "vmap grad": (lambda m, f, x: f.vmap(f.grad(lambda x: (x.sin() * x).sum()))(x), (A,)),
    "jacrev": (lambda m, f, x: f.jacrev(lambda x: x.sin() * x.sum())(x), (V,)),
    "jacfwd": (lambda m, f, x: f.jacfwd(lambda x: x.sin() * x.sum())(x), (V,)),
    "jacrev, nested": (
        lambda m, f, x, w: f.jacrev(lambda x, w: {"a": x @ w, "b": (w.sum(),)}, argnums=(0, 1))(x, w),
        (A, W),
    ),
    "jacfwd, nested": (
        lambda m, f, x, w: f.jacfwd(lambda x, w: {"a": x @ w, "b": (w.sum(),)}, argnums=(0, 1))(x, w),
        (A, W),
    ),
    "jacrev, chunks": (lambda m, f, x: f.jacrev(lambda x: x.tanh(), chunk_size=2)(x), (V,)),
    "jacfwd, aux": (lambda m, f, x: f.jacfwd(lambda x: (x.tanh(), x), has_aux=True)(x), (V,)),
    "jacrev, aux": (lambda m, f, x: f.jacrev(lambda x: (x.tanh(), x), has_aux=True)(x), (V,)),
    "hessian": (lambda m, f, x: f.hessian(lambda x: (x.sin() * x.sum()).prod())(x), (V,)),
    "hessian of two": (
        lambda m, f, x: f.hessian(lambda x, y: (x * x * y).sum(), argnums=(0, 1))(x, x + 1),
        (V,),
    ),
    "vmap hessian": (lambda m, f, x: f.vmap(f.hessian(lambda x: (x.sin() * x.sum()).prod()))(x), (A,)),
    "jacrev thrice": (lambda m, f, x: f.jacrev(f.jacrev(f.jacrev(lambda x: (x**3).sum())))(x), (V,)),
    "jacfwd thrice": (lambda m, f, x: f.jacfwd(f.jacfwd(f.jacfwd(lambda x: (x**4).sum())))(x), (V,)),
    "grad vmap grad": (
        lambda m, f, x: f.grad(lambda x: f.vmap(f.grad(lambda y: (y**3).sum()))(x).pow(2).sum())(x),
        (A,),
    ),
    "vmap vmap": (
        lambda m, f, x: f.vmap(f.vmap(lambda a, b: a * b, in_dims=(0, None)), in_dims=(None, 0))(x, x),
        (V,),
    ),
    "matrix product by vmap": (
        lambda m, f, x, w: f.vmap(f.vmap(m.dot, in_dims=(None, 1)), in_dims=(0, None))(x, w),
        (A, W),
    ),
    "vmap out_dims": (
        lambda m, f, x: f.vmap(lambda x: (x.max(0).values, x.sort().values, x[1:].cumsum(0)), out_dims=(0, 0, 1))(x),
        (A,),
    ),
    "vmap nested in_dims": (
        lambda m, f, x: f.vmap(lambda d, s: d["a"] * d["b"] + s, in_dims=({"a": 0, "b": None}, None))(
            {"a": x, "b": x[0]}, 2.0
        ),
        (A,),
    ),
    "vmap keywords": (lambda m, f, x: f.vmap(lambda x, *, y: x * y)(x, y=x), (A,)),
    "vmap chunks": (lambda m, f, x: f.vmap(lambda x: x.sum(), chunk_size=3)(x), (A,)),
    "vmap in place": (lambda m, f, x: f.vmap(lambda x: x.clone().mul_(2).add_(x))(x), (A,)),
    "jvp": (lambda m, f, x: f.jvp(lambda x: x.exp() * 2, (x,), (m.ones_like(x),)), (V,)),
    "jvp of grad": (lambda m, f, x: f.jvp(f.grad(lambda x: (x**3).sum()), (x,), (x,)), (V,)),
    "jvp of jvp": (
        lambda m, f, x: f.jvp(lambda y: f.jvp(lambda z: z.sin() * z, (y,), (y,))[1], (x,), (x,)),
        (V,),
    ),
    "jvp of a constant": (lambda m, f, x: f.jvp(lambda x: x.round(), (x,), (x,)), (V,)),
    "grad of jvp": (lambda m, f, x: f.grad(lambda y: f.jvp(lambda z: z.sin(), (y,), (y,))[1].sum())(x), (V,)),
    "vmap jvp": (
        lambda m, f, x: f.vmap(lambda t: f.jvp(lambda x: x.tanh(), (x,), (t,))[1])(m.eye(3, dtype=m.float64)),
        (V,),
    ),
    "vjp": (lambda m, f, x: f.vjp(lambda x: x.tanh(), x)[0], (V,)),
    "vjp pulled": (lambda m, f, x: f.vjp(lambda x, y: (x * y, x.sum()), x, x)[1]((x, x.sum())), (V,)),
    "vmap of a pull": (
        lambda m, f, x: f.vmap(f.vjp(lambda x: x.tanh(), x)[1])(m.eye(3, dtype=m.float64)),
        (V,),
    ),
    "linearize": (lambda m, f, x: f.linearize(lambda x: x.tanh(), x)[1](x), (V,)),
    "outer gradient": (outer_gradient, (A,)),
    "outer gradient of a hessian": (outer_gradient_of_a_hessian, (V,)),
    "detached inside": (detached_inside, (A,)),
    "no_grad around": (lambda m, f, x: _under_no_grad(m, f, x), (V,)),
}  # fmt: skip


def _under_no_grad(m: Any, f: Any, x: Any) -> Any:
    with m.no_grad():
        return f.grad(lambda x: (x * x).sum())(x)


@pytest.mark.parametrize("name", CASES)
def test_as_pytorch(name: str) -> None:
    fn, arrays = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = flatten(fn(torch, torch.func, *map(torch.tensor, arrays)))[0]
    found = flatten(fn(rg, func, *map(rg.tensor, arrays)))[0]
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert tuple(a.shape) == tuple(b.shape)
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-9, atol=1e-12)
        assert a.requires_grad == b.requires_grad


TRACEABLE = [n for n in CASES if not n.startswith(("outer", "detached", "no_grad", "grad of a constant"))]


@pytest.mark.parametrize("name", TRACEABLE)
def test_all_of_it_can_be_traced(name: str) -> None:
    fn, arrays = CASES[name]
    tensors = [rg.tensor(a) for a in arrays]
    expected = flatten(fn(rg, func, *tensors))[0]
    graph = rg.trace(lambda *x: tuple(flatten(fn(rg, func, *x))[0]))(*tensors)
    for a, b in zip(graph(*arrays), expected, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-12, atol=1e-14)


def test_changes_in_place_under_vmap_are_those_of_a_loop() -> None:
    def cleared(x: rg.Tensor) -> rg.Tensor:
        return x.clone().zero_()

    def through_a_view(x: rg.Tensor) -> rg.Tensor:
        y = x.clone()
        y[0:2].zero_()
        return y

    def seen_in_a_view(x: rg.Tensor) -> rg.Tensor:
        y = x.clone()
        z = y[0:2]
        y.fill_(3)
        return z * 2 + x[0]

    def made_inside(x: rg.Tensor) -> rg.Tensor:
        table = rg.zeros(3, dtype=rg.float64)
        table[1] = x[0]
        table += 1
        return table

    x = rg.tensor(A)
    for fn in (cleared, through_a_view, seen_in_a_view, made_inside):
        np.testing.assert_array_equal(rg.vmap(fn)(x).numpy(), rg.stack([fn(row) for row in x]).numpy())


def test_hvp_is_the_hessian_times_a_vector() -> None:
    def fn(x: rg.Tensor) -> rg.Tensor:
        return (x.sin() * x.sum()).prod()

    x, v = rg.tensor(V), rg.tensor(R.normal(size=3))
    value, product = func.hvp(fn, (x,), (v,))
    np.testing.assert_allclose(value.numpy(), fn(x).numpy())
    np.testing.assert_allclose(product.numpy(), (func.hessian(fn)(x) @ v).numpy(), rtol=1e-10)
    # the control: with another vector it is another product
    assert abs(func.hvp(fn, (x,), (v * 2,))[1].numpy() - product.numpy()).max() > 1e-3


def test_gradients_of_single_examples() -> None:
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    params = {k: v.detach() for k, v in net.named_parameters()}
    x, y = rg.tensor(A.astype("float32")), rg.tensor(R.normal(size=(4, 1)).astype("float32"))

    def loss(p: Any, x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        return ((func.functional_call(net, p, (x,)) - y) ** 2).mean()

    each = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(params, x, y)
    for i in range(4):
        net.zero_grad()
        ((net(x[i]) - y[i]) ** 2).mean().backward()
        for name, p in net.named_parameters():
            assert p.grad is not None
            np.testing.assert_allclose(each[name][i].numpy(), p.grad.numpy(), rtol=2e-5, atol=1e-6)


def test_many_models_at_once() -> None:
    models = [nn.Linear(3, 2) for _ in range(5)]
    params, buffers = func.stack_module_state(models)
    x = rg.randn(7, 3)
    out = func.vmap(lambda p, b, x: func.functional_call(models[0], (p, b), (x,)), (0, 0, None))(
        params, buffers, x
    )
    for k, model in enumerate(models):
        np.testing.assert_allclose(out[k].detach().numpy(), model(x).detach().numpy(), rtol=1e-6, atol=1e-6)


def test_functional_call_leaves_the_module_as_it_is() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    given = {k: rg.zeros_like(v) for k, v in net.named_parameters()}
    out = func.functional_call(net, given, (rg.randn(4, 2),))
    assert not out.numpy().any()
    net.eval()
    func.functional_call(net, dict(net.named_buffers()), (rg.randn(4, 2),))
    assert all(
        (net.state_dict()[k].numpy() == v.numpy()).all()
        for k, v in before.items()
        if "running" not in k and "num" not in k
    )
    with pytest.raises(RetrogradError, match="no parameter or buffer is called 'weight'"):
        func.functional_call(net, {"weight": rg.zeros(2, 2)}, (rg.randn(4, 2),), strict=True)
    with pytest.raises(RetrogradError, match="is not given"):
        func.functional_call(net, {}, (rg.randn(4, 2),), strict=True)


def test_tied_weights_are_replaced_together() -> None:
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    x = rg.tensor([[1.0, 2.0]])
    double = {"0.weight": rg.eye(2) * 2}
    assert func.functional_call(net, double, x).tolist() == [[4.0, 8.0]]
    untied = func.functional_call(net, double, x, tie_weights=False)
    assert untied.tolist() == (x * 2 @ net[1].weight.T).tolist()


def test_randomness_in_vmap() -> None:
    def fn(x: rg.Tensor) -> rg.Tensor:
        return x + rg.rand(3)

    x = rg.zeros(4, 3)
    with pytest.raises(RetrogradError, match="random numbers are drawn inside vmap"):
        rg.vmap(fn)(x)
    same = rg.vmap(fn, randomness="same")(x).numpy()
    assert (same == same[0]).all()
    rg.manual_seed(3)
    different = rg.vmap(fn, randomness="different")(x).numpy()
    assert len(np.unique(different)) == 12
    assert (rg.vmap(fn, randomness="different")(x).numpy() != different).all(), "the stream moves on"
    rg.manual_seed(3)
    assert (rg.vmap(fn, randomness="different")(x).numpy() == different).all()
    nested = rg.vmap(rg.vmap(fn, randomness="different"), randomness="different")(rg.zeros(2, 4, 3)).numpy()
    assert len(np.unique(nested)) == 24
    dropped = rg.vmap(lambda x: nn.functional.dropout(x, 0.5), randomness="different")(rg.ones(64, 8)).numpy()
    assert len({tuple(row) for row in dropped}) > 40


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: rg.vmap(lambda a: a, in_dims=2)(x), "in_dims has 2"),
        (lambda x: rg.vmap(lambda a: a, in_dims=None)(x), "no input has a batch axis"),
        (lambda x: rg.vmap(lambda a: a, in_dims=(0, 0))(x), "2 entries for 1 arguments"),
        (lambda x: rg.vmap(lambda a, b: a)(x, x[:2]), "different sizes"),
        (lambda x: rg.vmap(lambda a: a)(3.0), "float, which has no batch dimension"),
        (lambda x: rg.vmap(lambda a: 3)(x), "returned int"),
        (lambda x: rg.vmap(lambda a: a, out_dims=5)(x), "out_dims has 5"),
        (lambda x: rg.vmap(lambda a: a.item())(x[:, 0]), "no value"),
        (lambda x: rg.vmap(lambda a: a if a > 0 else -a)(x[:, 0]), "no value"),
        (lambda x: rg.vmap(lambda a: a[a > 0])(x), "cannot be vectorised"),
        (lambda x: rg.vmap(lambda a: x.add_(1) + a)(x), "made outside"),
        (lambda x: rg.vmap(lambda a: a, randomness="some")(x), "randomness='some'"),
        (lambda x: func.grad(lambda a: a)(x), "returned a tensor of shape"),
        (lambda x: func.grad(lambda a: 3.0)(x), "returned float"),
        (lambda x: func.grad(lambda a: (a, a))(x), "returned tuple"),
        (lambda x: func.grad(lambda a: a.sum())(x.long()), "int64"),
        (lambda x: func.grad(lambda a: a.sum(), argnums=1)(x), "argnums has 1"),
        (lambda x: func.grad(lambda a: a.sum(), has_aux=True)(x), r"\(result, aux\)"),
        (lambda x: func.jvp(lambda a: a, (x,), (x[0],)), "tangents: "),
        (lambda x: func.jvp(lambda a: a, (x,), (x, x)), "1 primals and 2 tangents"),
        (lambda x: func.jvp(lambda a: a, x, x), "as tuples"),
        (lambda x: func.vjp(lambda a: a, x)[1](x[0]), "cotangents"),
        (lambda x: func.jacrev(lambda a: 3)(x), "returned int"),
    ],
)  # fmt: skip
def test_errors_with_a_hint(call: Callable[[rg.Tensor], Any], message: str) -> None:
    with pytest.raises(RetrogradError, match=message) as caught:
        call(rg.tensor(A))
    assert caught.value.hint
    assert rg.ones(2).sum().item() == 2.0, "nothing stays behind"


def test_a_tensor_of_a_function_that_has_ended() -> None:
    kept: list[rg.Tensor] = []
    rg.vmap(lambda a: kept.append(a) or a)(rg.ones(3, 2))
    with pytest.raises(RetrogradError, match=r"ended|no value|traced"):
        kept[0] + 1
