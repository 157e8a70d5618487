"""A whole training step staged into one graph: the eager numbers, and nothing touched outside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import TraceError


def data() -> tuple[rg.Tensor, rg.Tensor]:
    r = np.random.default_rng(0)
    return rg.tensor(r.normal(size=(8, 3)).astype("float32")), rg.tensor(r.integers(0, 2, 8))


def network() -> nn.Sequential:
    rg.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def by_hand(net: nn.Module, x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
    """zero_grad, forward, backward, and an update written out under no_grad."""
    for p in net.parameters():
        p.grad = None
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    with rg.no_grad():
        for p in net.parameters():
            p -= 0.1 * p.grad
    return loss


def results(graph: rg.Graph, *given: rg.Tensor) -> tuple[list[Any], dict[tuple[str, int], Any]]:
    """Outputs, and the new states by (kind, id of the tensor)."""
    env = graph.evaluate(*(t.numpy() for t in given), every=True)
    outputs = [env[v.name] for v in graph.outputs]
    return outputs, {(kind, id(t)): env[v.name] for kind, t, v in graph.states}


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_step_written_by_hand(rounds: int) -> None:
    net, (x, y) = network(), data()
    for _ in range(rounds - 1):
        by_hand(net, x, y)  # .grad is there already in the second round
    before = {n: p.detach().clone() for n, p in net.named_parameters()}
    grads = {n: p.grad for n, p in net.named_parameters()}
    graph = rg.trace(lambda x, y: by_hand(net, x, y))(x, y)

    for n, p in net.named_parameters():
        assert p.detach().numpy().tobytes() == before[n].numpy().tobytes(), f"{n} was changed by tracing"
        assert p.grad is grads[n], f"the gradient of {n} was changed by tracing"
        assert p.is_leaf
        assert p.requires_grad
    changed = {(kind, id(t)) for kind, t, _ in graph.states}
    assert changed == {(kind, id(p)) for p in net.parameters() for kind in ("value", "grad")}

    (loss,), states = results(graph, x, y)
    eager = by_hand(net, x, y)
    assert loss.tobytes() == eager.detach().numpy().tobytes()
    for p in net.parameters():
        assert states["value", id(p)].tobytes() == p.detach().numpy().tobytes()
        assert states["grad", id(p)].tobytes() == p.grad.numpy().tobytes()


def test_gradients_accumulate_under_tracing() -> None:
    """A step without zero_grad: the staged gradient is the sum of the one before and the new one."""
    net, (x, y) = network(), data()

    def step(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        return loss

    step(x, y)
    graph = rg.trace(step)(x, y)
    _, states = results(graph, x, y)
    step(x, y)
    for p in net.parameters():
        np.testing.assert_allclose(states["grad", id(p)], p.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    "make", [lambda p: optim.SGD(p, lr=0.1), lambda p: optim.SGD(p, lr=0.1, momentum=0.9)]
)
def test_a_step_with_an_optimiser(make: Any) -> None:
    net, (x, y) = network(), data()
    optimizer = make(net.parameters())

    def step(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    step(x, y)  # state that is made lazily exists
    before = [p.detach().clone() for p in net.parameters()]
    graph = rg.trace(step)(x, y)
    for p, b in zip(net.parameters(), before, strict=True):
        assert p.detach().numpy().tobytes() == b.numpy().tobytes()
    (loss,), states = results(graph, x, y)
    eager = step(x, y)
    assert loss.tobytes() == eager.detach().numpy().tobytes()
    for p in net.parameters():
        assert states["value", id(p)].tobytes() == p.detach().numpy().tobytes()


def test_in_place_becomes_functional() -> None:
    """Writes to inputs, through views and in loops, under tracing and without: the same values, inputs untouched."""

    def fn(x: rg.Tensor) -> rg.Tensor:
        y = x * 2
        y[0] = 1.0
        view = y[1:]
        view += 3
        y[:, 0].mul_(x[:, 0])
        y.t()[1].zero_()
        return y

    x = rg.tensor(np.random.default_rng(0).normal(size=(3, 4)))
    graph = rg.trace(fn)(x)
    kept = x.numpy().copy()
    assert graph(x.numpy())[0].tobytes() == fn(x).numpy().tobytes()
    assert x.numpy().tobytes() == kept.tobytes()
    assert graph.states == []


def test_gradients_through_in_place_changes_under_tracing() -> None:
    def gradient(x: rg.Tensor) -> Any:
        y = x * 2
        y[0] *= x.sum()
        y[:, 1] = x[:, 0]
        return rg.autograd.grad((y * y).sum(), x)

    x = rg.tensor(np.random.default_rng(0).normal(size=(3, 4)), requires_grad=True)
    assert rg.trace(gradient)(x)(x.detach().numpy())[0].tobytes() == gradient(x)[0].numpy().tobytes()


def test_what_is_a_copy_in_eager_mode_is_one_under_tracing() -> None:
    """x.t().reshape(-1) must copy, so a write into it does not reach x; x.reshape(-1) is a view, so it does."""

    def fn(x: rg.Tensor) -> Any:
        y, z = x * 1, x * 1
        y.t().reshape(-1).zero_()
        z.reshape(-1).zero_()
        return y, z

    y, z = rg.trace(fn)(rg.ones(2, 3))(np.ones((2, 3), "float32"))
    assert (y.sum(), z.sum()) == (6.0, 0.0) == tuple(t.sum().item() for t in fn(rg.ones(2, 3)))


def test_random_numbers_move_on_under_tracing() -> None:
    """Each draw takes its own numbers; the generator's state is an output, and the generator stays where it was."""
    rg.manual_seed(7)
    expected = [rg.rand(3).numpy(), rg.rand(3).numpy()]
    rg.manual_seed(7)
    graph = rg.trace(lambda: (rg.rand(3), rg.rand(3)))()
    assert rg.default_generator.counter == 0
    found, states = results(graph)
    for a, b in zip(found, expected, strict=True):
        assert a.tobytes() == b.tobytes()
    assert states["random", id(rg.default_generator)].tolist() == [7, 2]


def test_dropout_masks_are_those_of_eager() -> None:
    layer, x = nn.Dropout(0.5), rg.ones(4, 5)
    rg.manual_seed(3)
    eager = layer(x).numpy()
    rg.manual_seed(3)
    assert rg.trace(layer)(x)(x.numpy())[0].tobytes() == eager.tobytes()


def test_layers_are_noted_in_the_graph() -> None:
    net, (x, _) = network(), data()
    text = str(rg.trace(net, names=net.state_dict())(x))
    assert "# Sequential.0" in text
    assert "const 0.weight" in text


def test_an_error_inside_leaves_everything_as_it_was() -> None:
    net, (x, y) = network(), data()
    before = [p.detach().clone() for p in net.parameters()]

    def step(x: rg.Tensor) -> rg.Tensor:
        by_hand(net, x, y)
        raise KeyError("planted")

    with pytest.raises(KeyError):
        rg.trace(step)(x)
    for p, b in zip(net.parameters(), before, strict=True):
        assert p.detach().numpy().tobytes() == b.numpy().tobytes()
        assert p.grad is None
    assert rg.is_grad_enabled()
    (rg.ones(2, requires_grad=True) * 2).sum().backward()  # eager works again


def test_tracing_twice_gives_the_same_graph() -> None:
    net, (x, y) = network(), data()
    first, second = (rg.trace(lambda x, y: by_hand(net, x, y))(x, y) for _ in range(2))
    assert str(first) == str(second)


def test_what_a_traced_function_returns() -> None:
    x = rg.ones(2)
    assert len(rg.trace(lambda x: {"a": x * 1, "b": [x, (x,)]})(x).outputs) == 3
    assert rg.trace(lambda x: x)(x)(np.zeros(2, "float32"))[0].tolist() == [0.0, 0.0]
    with pytest.raises(TraceError, match="returned int"):
        rg.trace(lambda x: 3)(x)
    with pytest.raises(TraceError, match="returned Graph"):
        rg.trace(lambda x: rg.trace(lambda y: y)(x))(x)


def test_a_function_traced_inside_a_traced_one() -> None:
    x = rg.tensor([1.0, 2.0])

    def outer(x: rg.Tensor) -> rg.Tensor:
        inner = rg.trace(lambda y: y * x)(x)
        (out,) = inner.apply(x + 1)
        with pytest.raises(rg.errors.GraphError, match="has no value"):
            inner(np.zeros(2, "float32"))
        return out

    np.testing.assert_array_equal(rg.trace(outer)(x)(x.numpy())[0], [2, 6])


def test_the_derivative_of_a_graph_stops_where_that_of_the_function_stops() -> None:
    def fn(x: rg.Tensor) -> rg.Tensor:
        with rg.no_grad():
            scale = x * 2
        return (x.detach() * x + scale * x).sum()

    x = rg.tensor([3.0], requires_grad=True)
    fn(x).backward()
    graph = rg.trace(fn)(x)
    assert x.grad is not None
    np.testing.assert_array_equal(graph.gradients(np.array([3.0], "float32"))["x0"], x.grad.numpy())
    again = rg.Graph.from_json(graph.to_json(), graph.constants)
    np.testing.assert_array_equal(again.gradients(np.array([3.0], "float32"))["x0"], x.grad.numpy())
