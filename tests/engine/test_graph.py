"""Graphs: counted by hand, printed, written, read, verified; and hostile ones refused."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from retrograd.errors import GraphError, RetrogradError
from retrograd.graph import Equation, Graph, Var
from retrograd.op import registry
from retrograd.types import TensorType, float32


def network(x: rg.Tensor, w: rg.Tensor, b: rg.Tensor) -> rg.Tensor:
    return ((x @ w + b).tanh() ** 2).mean()


def arrays() -> list[np.ndarray[Any, Any]]:
    r = np.random.default_rng(0)
    return [r.normal(size=s).astype("float32") for s in ((4, 3), (3, 2), (2,))]


GRAPH = rg.trace(network)(*map(rg.tensor, arrays()))


@pytest.mark.row("ENG-03")
@pytest.mark.parametrize(
    ("fn", "inputs", "nodes", "edges"),
    [
        # x·x + x:        mul(x, x), add(mul, x)                                   -> 2 ops, 4 edges
        (lambda x: x * x + x, 1, 2, 4),
        # exp(x)·sin(y):  exp(x), sin(y), mul(exp, sin)                            -> 3 ops, 4 edges
        (lambda x, y: x.exp() * y.sin(), 2, 3, 4),
        # σ(x@y + z)²:    matmul(x, y), broadcast(z), add, sigmoid, mul(s, s)      -> 5 ops, 8 edges
        (lambda x, y, z: (x @ y + z).sigmoid() ** 2, 3, 5, 8),
    ],
)
def test_nodes_and_edges_are_those_counted_by_hand(fn: Any, inputs: int, nodes: int, edges: int) -> None:
    """Three fixed expressions."""
    shapes = [(2, 2), (2, 2), (2,)][:inputs] if inputs == 3 else [(2, 2)] * inputs
    graph = rg.trace(fn)(*(rg.ones(s) for s in shapes))
    assert len(graph.equations) == nodes
    assert sum(len(eq.inputs) for eq in graph.equations) == edges
    dot = graph.to_dot()
    assert dot.count("->") == edges + len(graph.outputs)
    assert dot.count("shape=box") == nodes


@pytest.mark.row("ENG-03")
def test_every_number_drawn_is_the_engines() -> None:
    """The drawing with values and gradients: each box shows what the engine computed there."""
    given = arrays()
    values, gradients = GRAPH.evaluate(*given, every=True), GRAPH.gradients(*given)
    boxes = dict(re.findall(r'"(\w+)" \[shape=\w+, label="(.*?)"\]', GRAPH.to_dot(values, gradients)))
    leaves = [rg.tensor(a, requires_grad=True) for a in given]
    loss = network(*leaves)
    loss.backward()
    for k, leaf in enumerate(leaves):
        assert gradients[f"x{k}"].tobytes() == leaf.grad.numpy().tobytes()
    assert set(boxes) == set(values)
    for name, label in boxes.items():
        for word, numbers in (("value", values), ("gradient", gradients)):
            shown = re.search(rf"{word} (?:mean )?([^,\\]+)(?:, largest ([^,\\]+))?", label)
            if name not in numbers:
                assert shown is None
                continue
            assert float(shown[1]) == pytest.approx(float(numbers[name].mean()), rel=1e-5)
            if shown[2]:
                assert float(shown[2]) == pytest.approx(float(np.abs(numbers[name]).max()), rel=1e-5)
    assert f"value {loss.item():.6g}" in boxes[GRAPH.outputs[0].name]


@pytest.mark.row("ENG-03")
def test_the_exported_graph_gives_the_loss_bit_for_bit() -> None:
    text = json.dumps(GRAPH.to_json())
    again = Graph.from_json(json.loads(text), GRAPH.constants)
    given = arrays()
    expected = network(*map(rg.tensor, given)).numpy()
    assert again(*given)[0].tobytes() == expected.tobytes()
    assert str(again) == str(GRAPH)
    assert json.dumps(again.to_json()) == text


@pytest.mark.row("ENG-03")
def test_a_cyclic_graph_is_refused() -> None:
    kind = TensorType((2,), float32)
    x, a, b = Var("x", kind), Var("a", kind), Var("b", kind)
    add = registry["add"]
    with pytest.raises(GraphError, match="cycle"):
        Graph([x], {}, [Equation(add, (x, b), {}, (a,)), Equation(add, (a, x), {}, (b,))], [b]).verify()
    with pytest.raises(GraphError, match="cycle"):
        Graph([x], {}, [Equation(add, (a, x), {}, (a,))], [a]).verify()
    # control: the same equations without the loop
    Graph([x], {}, [Equation(add, (x, x), {}, (a,)), Equation(add, (a, x), {}, (b,))], [b]).verify()


def test_the_gradient_of_a_graph_is_a_graph() -> None:
    """backward under tracing: the same numbers as eager, bit for bit."""

    def gradients(x: rg.Tensor, w: rg.Tensor, b: rg.Tensor) -> Any:
        return rg.autograd.grad(network(x, w, b), [w, b])

    leaves = [rg.tensor(a, requires_grad=k > 0) for k, a in enumerate(arrays())]
    graph = rg.trace(gradients)(*leaves)
    for traced, eager in zip(graph(*arrays()), gradients(*leaves), strict=True):
        assert traced.tobytes() == eager.numpy().tobytes()


def test_a_graph_applied_to_tensors_can_be_differentiated() -> None:
    leaves = [rg.tensor(a, requires_grad=True) for a in arrays()]
    (loss,) = GRAPH.apply(*leaves)
    loss.backward()
    again = [rg.tensor(a, requires_grad=True) for a in arrays()]
    network(*again).backward()
    for a, b in zip(leaves, again, strict=True):
        assert a.grad.numpy().tobytes() == b.grad.numpy().tobytes()


def test_constants_are_named_and_gradients_reach_them() -> None:
    w = rg.tensor([1.0, 2.0], requires_grad=True)
    graph = rg.trace(lambda x: (x * w).sum(), names={"weight": w})(rg.ones(2))
    assert list(graph.constants) == ["weight"]
    graph.apply(rg.tensor([3.0, 4.0]))[0].backward()
    assert w.grad.tolist() == [3.0, 4.0]


def test_wrong_inputs_are_refused() -> None:
    with pytest.raises(GraphError, match="takes 3 inputs"):
        GRAPH(arrays()[0])
    with pytest.raises(GraphError, match="x0"):
        GRAPH(np.zeros((5, 3), "float32"), *arrays()[1:])
    with pytest.raises(GraphError, match="float64"):
        GRAPH(arrays()[0].astype("float64"), *arrays()[1:])


# --- hostile files ---------------------------------------------------------------------------------------------------


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in nested JSON data."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path] + [p for key, value in inner for p in places(value, (*path, key))]


POISON = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5), st.just([]), st.just({}),
    st.just([[]]), st.just({"dtype": "complex128"}), st.just({"dtype": "float32"}), st.just([-1]), st.just([2**62, 2**62]),
    st.sampled_from(["matmul", "uniform", "reshape", "__class__", "x0", "v0", "float64", "object", "../../etc/passwd"]),
)  # fmt: skip


@settings(max_examples=250)
@given(st.data())
def test_hostile_json_raises_graph_errors_only(data: st.DataObject) -> None:
    """Anything in any place: a verified graph that runs, or one of our errors; never another exception."""
    document = copy.deepcopy(GRAPH.to_json())
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(document)))
        if not path:
            document = copy.deepcopy(data.draw(POISON))
            break
        node = document
        for key in path[:-1]:
            node = node[key]
        if data.draw(st.booleans()):
            node[path[-1]] = copy.deepcopy(data.draw(POISON))
        else:
            del node[path[-1]]
    try:
        graph = Graph.from_json(document, GRAPH.constants)
    except GraphError as error:
        assert error.hint  # noqa: PT017
        return
    zeros = [
        np.zeros(v.type.shape, v.type.dtype.numpy)
        for v in graph.inputs
        if np.prod(v.type.shape, dtype=float) < 1e6
    ]
    if len(zeros) == len(graph.inputs):
        with contextlib.suppress(RetrogradError):
            graph(*zeros)


@pytest.mark.parametrize(
    "document", [None, [], 3, "graph", {}, {"format": 1}, {"format": 2}, {"format": 1, "inputs": 3}]
)
def test_no_graph_at_all(document: Any) -> None:
    with pytest.raises(GraphError):
        Graph.from_json(document, {})


def test_missing_constants_and_unknown_ops() -> None:
    graph = rg.trace(lambda x: x * 3.5)(rg.ones(2))
    with pytest.raises(GraphError, match="missing"):
        Graph.from_json(graph.to_json(), {})
    document = graph.to_json()
    document["equations"][0]["op"] = "system"
    with pytest.raises(GraphError, match="unknown op 'system'"):
        Graph.from_json(document, graph.constants)


def test_a_constant_of_another_shape_is_refused() -> None:
    graph = rg.trace(lambda x: x * 3.5)(rg.ones(2))
    (name,) = graph.constants
    with pytest.raises(GraphError):
        Graph.from_json(graph.to_json(), {name: np.zeros((7, 7))})
    with pytest.raises(GraphError):
        Graph.from_json(graph.to_json(), {name: "not an array"})  # type: ignore[dict-item]
    with pytest.raises(GraphError):
        Graph.from_json(graph.to_json(), {name: np.array([object()])})
