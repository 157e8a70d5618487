"""Functions with their own backward, hooks on what is saved, checkpoints, and the search for NaN."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.compare import torch
from retrograd import nn
from retrograd.errors import GradError, RetrogradError
from retrograd.utils.checkpoint import checkpoint, checkpoint_sequential


def functions(m: Any) -> dict[str, Any]:
    """The same classes for either library."""

    class Cube(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (x,) = ctx.saved_tensors
            return 3 * x * x * grad

    class Exp(m.autograd.Function):  # saves its result
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (y,) = ctx.saved_tensors
            return grad * y

    class Scaled(m.autograd.Function):  # setup_context, an argument that is no tensor, two results
        @staticmethod
        def forward(x: Any, factor: float, y: Any) -> Any:
            return x * factor, (x + y).round()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            _, ctx.factor, _ = inputs
            ctx.mark_non_differentiable(output[1])

        @staticmethod
        def backward(ctx: Any, g: Any, _: Any) -> Any:
            return g * ctx.factor, None, (g * 2 if ctx.needs_input_grad[2] else None)

    class Straight(m.autograd.Function):  # a straight-through estimator
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return (x > 0).to(x.dtype)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad

    class Dirty(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * 2

    class Same(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x, y * 2

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g * 10, h * 100

    class Lazy(m.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            assert h is None
            return g * 2

    return {c.__name__: c for c in (Cube, Exp, Scaled, Straight, Dirty, Same, Lazy)}


def run(m: Any, name: str) -> list[Any]:
    f = functions(m)
    x = m.tensor([1.0, -2.0, 0.5], dtype=m.float64, requires_grad=True)
    y = m.tensor([3.0, 4.0, -1.0], dtype=m.float64, requires_grad=True)
    if name in ("Cube", "Exp", "Straight"):
        out = f[name].apply(x * 1)
        (first,) = m.autograd.grad((out * y).sum(), x, create_graph=True)
        second = m.autograd.grad((first * first).sum() + 0 * (x * x).sum(), x)[0]
        return [out, first, second]
    if name == "Scaled":
        a, b = f[name].apply(x, 4.0, y)
        (a * y.detach()).sum().backward()
        return [a, b, x.grad, y.grad, b.requires_grad]
    if name == "Dirty":
        z = x * 1
        out = f[name].apply(z)
        assert out is z
        (out * y).sum().backward()
        return [out, x.grad, y.grad]
    if name == "Same":
        a, b = f[name].apply(x, y)
        (a.sum() + b.sum()).backward()
        return [a, b, x.grad, y.grad]
    a, _ = f[name].apply(x)
    a.sum().backward()
    return [a, x.grad]


@pytest.mark.parametrize("name", ["Cube", "Exp", "Scaled", "Straight", "Dirty", "Same", "Lazy"])
def test_as_pytorch(name: str) -> None:
    for a, b in zip(run(rg, name), run(torch, name), strict=True):
        if isinstance(b, bool):
            assert a == b
        else:
            np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-12)


def test_inside_vmap_and_trace() -> None:
    cube = functions(rg)["Cube"]
    x = rg.tensor([1.0, 2.0, 3.0])
    each = rg.func.vmap(rg.func.grad(lambda v: cube.apply(v)))(x)
    assert each.tolist() == [3.0, 12.0, 27.0]
    straight = functions(rg)["Straight"]
    assert rg.func.vmap(rg.func.grad(lambda v: straight.apply(v)))(x).tolist() == [1.0, 1.0, 1.0]
    graph = rg.trace(rg.func.grad(lambda v: cube.apply(v).sum()))(x)
    np.testing.assert_array_equal(graph(np.array([1, 2, 3], "float32"))[0], [3, 12, 27])
    with pytest.raises(RetrogradError, match="is to be differentiated outside"):
        rg.func.vmap(straight.apply)(x.clone().requires_grad_())


@pytest.mark.row("ENG-06")
def test_gradcheck_names_a_wrong_backward() -> None:
    class Wrong(rg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return 2 * ctx.saved_tensors[0] ** 2 * grad

    x = rg.tensor([1.0, 2.0], dtype=rg.float64, requires_grad=True)
    assert rg.autograd.gradcheck(functions(rg)["Cube"].apply, (x,))
    assert rg.autograd.gradgradcheck(functions(rg)["Cube"].apply, (x,))
    for call in (Wrong.apply, lambda x: (Wrong.apply(x.sin()).exp() * functions(rg)["Cube"].apply(x)).sum()):
        with pytest.raises(
            GradError,
            match=r"the backward of Wrong is wrong: the gradient of output \d, element \d by input 0",
        ):
            rg.autograd.gradcheck(call, (x,))


def test_errors_with_a_hint() -> None:
    class TooFew(rg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x * y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    class WrongShape(rg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.sum()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return rg.ones(5)

    class Once(rg.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @rg.autograd.function.once_differentiable
        def backward(ctx: Any, g: Any) -> Any:
            return 2 * ctx.saved_tensors[0] * g

    x = rg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GradError, match="1 gradients for 2 inputs") as caught:
        TooFew.apply(x, x).sum().backward()
    assert caught.value.hint
    assert "test_function.py" in str(caught.value)
    with pytest.raises(GradError, match="shape"):
        WrongShape.apply(x).backward()
    (g,) = rg.autograd.grad(Once.apply(x).sum(), x)
    assert g.tolist() == [2.0, 4.0]
    (g,) = rg.autograd.grad((Once.apply(x) * x).sum(), x, create_graph=True)
    with pytest.raises(GradError, match="once_differentiable"):
        g.sum().backward()
    with pytest.raises(RetrogradError, match="not to be instantiated"):
        Once()
    cube = functions(rg)["Cube"]
    z = x * 1
    y = cube.apply(z)
    z.add_(1)
    with pytest.raises(GradError, match="changed in place"):
        y.sum().backward()
    y = cube.apply(x).sum()
    y.backward()
    with pytest.raises(GradError, match="freed"):
        y.backward()


def test_a_batching_rule_of_ones_own_is_refused_not_passed_over() -> None:
    class Own(rg.autograd.Function):
        @staticmethod
        def forward(x: Any) -> Any:
            return x.sin()

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_forward(*inputs)

        @staticmethod
        def vmap(info: Any, in_dims: Any, x: Any) -> Any:
            return x * 10, in_dims[0]

    with pytest.raises(RetrogradError, match="vmap of its own"):
        rg.vmap(Own.apply)(rg.ones(2))
    assert Own.apply(rg.zeros(2)).tolist() == [0, 0]


def test_options_of_pytorch() -> None:
    x, y = rg.ones(2, requires_grad=True), rg.ones(2, requires_grad=True)
    (g, h) = rg.autograd.grad((x * 2).sum(), (x, y), only_inputs=True, materialize_grads=True)
    assert (g.tolist(), h.tolist()) == ([2, 2], [0, 0])
    with pytest.raises(GradError, match="is_grads_batched") as caught:
        rg.autograd.grad((x * 2).sum(), x, is_grads_batched=True)
    assert caught.value.hint
    (rows,) = rg.autograd.grad(x * 3, x, rg.eye(2), is_grads_batched=True)
    assert rows.tolist() == [[3, 0], [0, 3]]
    (x * y).sum().backward(inputs=[x])
    assert x.grad is not None
    assert y.grad is None
    assert (x * y).grad_fn.name() == "MulBackward"  # type: ignore[union-attr]
    with pytest.raises(GradError, match="int"):
        x.grad = 3  # type: ignore[assignment]
    entered: list[str] = []

    class Noted:
        def __init__(self, name: str) -> None:
            self.name = name

        def __enter__(self) -> None:
            entered.append(self.name)

        def __exit__(self, *_: object) -> None:
            pass

    out = checkpoint(
        lambda x: x.exp(), x, context_fn=lambda: (Noted("first"), Noted("again")), determinism_check="none"
    )
    out.sum().backward()
    assert entered == ["first", "again"]


def test_hooks_on_saved_tensors() -> None:
    packed: list[Any] = []

    def pack(t: Any) -> Any:
        packed.append(t)
        return t.numpy().astype("float16") if t.dtype is rg.float32 else t

    def unpack(a: Any) -> Any:
        return rg.from_numpy(a.astype("float32")) if isinstance(a, np.ndarray) else a

    x = rg.tensor([1.0, 2.0], requires_grad=True)
    with rg.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x.exp() * x).sum()
    assert len(packed) >= 3
    y.backward()
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.numpy(), np.exp([1, 2]) * [2, 3], rtol=2e-3)
    assert abs(x.grad.numpy() - np.exp([1, 2]) * [2, 3]).max() > 1e-6, (
        "the control: it did go through half precision"
    )
    with rg.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t[:1]):
        y = (x * x).sum()
    with pytest.raises(GradError, match="unpack hook"):
        y.backward()


def test_a_checkpoint_changes_memory_and_nothing_else() -> None:
    rg.manual_seed(1)
    block = nn.Sequential(
        *(layer for _ in range(8) for layer in (nn.Linear(64, 64), nn.Tanh(), nn.Dropout(0.2)))
    )

    def measured(run: Any) -> tuple[float, list[Any], float]:
        rg.manual_seed(2)
        x = rg.ones(2000, 64, requires_grad=True)
        block.zero_grad()
        tracemalloc.start()
        loss = run(x).square().mean()
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        loss.backward()
        return loss.item(), [p.grad.numpy().copy() for p in (x, *block.parameters())], kept  # type: ignore[union-attr]

    loss, gradients, memory = measured(block)
    for run in (
        lambda x: checkpoint(block, x, use_reentrant=False),
        lambda x: checkpoint_sequential(block, 4, x),
    ):
        again, same, less = measured(run)
        assert again == loss
        for a, b in zip(same, gradients, strict=True):
            np.testing.assert_array_equal(a, b)
        assert less < 0.5 * memory
    # the control: without the random state dropout differs
    _, other, _ = measured(lambda x: checkpoint(block, x, preserve_rng_state=False))
    assert any((a != b).any() for a, b in zip(other, gradients, strict=True))


def test_a_checkpointed_function_that_changes_its_mind() -> None:
    calls: list[int] = []

    def fickle(x: rg.Tensor) -> rg.Tensor:
        calls.append(1)
        return x.exp().sin().exp() if len(calls) == 1 else x * 2

    x = rg.ones(2, requires_grad=True)
    with pytest.raises(GradError, match=r"other values|unpack hook"):
        checkpoint(fickle, x).sum().backward()


def test_anomaly_names_the_op_and_the_line() -> None:
    x = rg.tensor([0.0, 1.0], requires_grad=True)
    y = (x.sqrt() * 0).sum()
    y.backward(retain_graph=True)
    assert x.grad is not None
    assert np.isnan(x.grad.numpy()[0])
    with (
        rg.autograd.detect_anomaly(),
        pytest.raises(GradError, match="sqrt with respect to its input 0 has 1 NaN of 2") as e,
    ):
        y.backward(retain_graph=True)
    assert "test_function.py" in str(e.value)
    assert not rg.autograd.is_anomaly_enabled()
    rg.autograd.set_detect_anomaly(True)
    assert rg.autograd.is_anomaly_enabled()
    rg.autograd.set_detect_anomaly(False)
    (rg.tensor([4.0], requires_grad=True).sqrt()).sum().backward()  # the control: a healthy pass goes through
    with rg.autograd.set_detect_anomaly(True):
        rg.tensor([4.0], requires_grad=True).sqrt().sum().backward()
    assert not rg.autograd.is_anomaly_enabled()
