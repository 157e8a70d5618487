"""Whole graphs by native code: random ones, with results kept or not, and states that change places."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from laws import native_runs as runs
from laws.random_graphs import Builder, grown
from retrograd.graph import Equation, Graph, Var
from retrograd.lower.native import level
from retrograd.lower.native.executor import Native
from retrograd.lower.reference import Reference
from retrograd.op import registry, type_of
from retrograd.types import TensorType, dtype_of

Array = np.ndarray[Any, Any]
NEAR = {"float64": 1e-11, "float32": 2e-4}
GRAPHS = 40


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of objects of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETROGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def near(a: Array, b: Array, dtype: str) -> bool:
    if a.dtype.kind != "f":
        return np.array_equal(a, b)
    return np.allclose(a, b, rtol=NEAR[dtype], atol=NEAR[dtype] * max(1.0, float(np.abs(b).max(initial=0))))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("start", range(0, GRAPHS, 10))
def test_random_graphs(start: int, dtype: str) -> None:
    """All results, only the last, and from a result on that is given: as the reference has them, and of the same bits."""
    for seed in range(start, start + 10):
        built = grown(seed, dtype)
        every = [v for eq in built.equations for v in eq.outputs if v.type.dtype.name != "bool"]
        all_of_them, _ = runs.native(built.graph(every), [built.values[v] for v in built.inputs])
        for v, a in zip(every, all_of_them, strict=True):
            assert near(a, built.values[v], dtype), f"seed {seed}: {v} in\n{built.graph([v])}"
        for k in (-1, -2):
            graph, inputs = built.needed([every[k]])
            (alone,), _ = runs.native(graph, inputs)
            assert alone.tobytes() == all_of_them[k].tobytes(), (
                f"seed {seed}: the bits of {every[k]} in\n{graph}"
            )
        built.values.update(zip(every, all_of_them, strict=True))
        half = set(every[: len(every) // 2])
        graph, inputs = built.needed([every[-1]], half)
        (later,), _ = runs.native(graph, inputs)
        assert later.tobytes() == all_of_them[-1].tobytes(), (
            f"seed {seed}: the bits of {every[-1]} in\n{graph}"
        )


# -- states ------------------------------------------------------------------------------------------------------------


class States:
    """A graph over states, its changes, and what both executors make of it."""

    def __init__(self, *arrays: Array) -> None:
        self.cells = [Var(f"s{k}", TensorType(a.shape, dtype_of(a.dtype))) for k, a in enumerate(arrays)]
        self.arrays = arrays
        self.equations: list[Equation] = []

    def put(self, name: str, *inputs: Var, **params: Any) -> Var:
        kinds = type_of(registry[name], [v.type for v in inputs], params)
        outs = tuple(Var(f"v{len(self.equations)}_{k}", t) for k, t in enumerate(kinds))
        self.equations.append(Equation(registry[name], inputs, params, outs))
        return outs[0]

    def agree(self, changes: dict[int, Var], outputs: list[Var], calls: int = 3) -> None:
        """``changes``: the new value of each state, by its number."""
        graph = Graph([], dict(zip(self.cells, self.arrays, strict=True)), self.equations, outputs)
        graph.states = [("value", None, v) for v in changes.values()]
        ended = []
        for make in (Reference, lambda g: Native(g, level.current())):
            held = [a.copy() for a in self.arrays]
            executor: Any = make(graph)
            changed: dict[Var, list[Array]] = {}
            for k, v in changes.items():
                changed.setdefault(v, []).append(held[k])
            executor.bind(dict(zip(self.cells, held, strict=True)), changed)
            ended.append([[np.array(a) for a in executor.run([])] for _ in range(calls)] + [held])
        for want, got in zip(*ended, strict=True):
            for a, b in zip(got, want, strict=True):
                assert near(a, b, a.dtype.name), f"{graph}\n{a}\nexpected\n{b}"


def _swap(s: States) -> None:
    a, b, _ = s.cells
    s.agree({0: b, 1: a}, [a, b])


def _round(s: States) -> None:
    a, b, c = s.cells
    s.agree({0: b, 1: c, 2: a}, [c])


def _turned(s: States) -> None:
    a, b, _ = s.cells
    s.agree({0: s.put("permute", a, dims=(1, 0)), 1: s.put("flip", b, dims=(0, 1))}, [])


def _new_and_old(s: States) -> None:
    a, b, c = s.cells
    new = s.put("add", a, b)
    s.agree({0: new, 1: a, 2: s.put("mul", new, c)}, [a, new])


def _one_for_two(s: States) -> None:
    a, b, _ = s.cells
    new = s.put("tanh", s.put("sub", a, b))
    s.agree({0: new, 1: new}, [new, a])


def _read_later(s: States) -> None:
    a, b, _ = s.cells
    first = s.put("add", a, b)
    total = s.put("broadcast", s.put("sum", a, dim=(0,), keepdim=True), shape=a.type.shape)
    s.agree({0: first, 1: s.put("sub", total, first), 2: s.put("permute", first, dims=(1, 0))}, [total])


def _part_of_another(s: States) -> None:
    a, b, _ = s.cells
    n, m = a.type.shape
    half = s.put("slice", b, index=((0, n, 2), (0, m, 1)))
    twice = s.put("cat", half, half, dim=0)
    s.agree({0: s.put("slice", twice, index=((0, n, 1), (0, m, 1))), 1: a, 2: b}, [half])


def _product(s: States) -> None:
    a, b, _ = s.cells
    new = s.put("matmul", a, b, ta=False, tb=True)
    s.agree({0: s.put("mul", new, a), 1: s.put("add", a, new), 2: new}, [])


def _onto_itself(s: States) -> None:
    a, b, c = s.cells
    flat = s.put("reshape", c, shape=(c.type.shape[0] ** 2,))
    s.agree({0: a, 1: s.put("detach", b), 2: s.put("reshape", flat, shape=c.type.shape)}, [b])


@pytest.mark.parametrize(
    "change",
    [
        _swap,
        _round,
        _turned,
        _new_and_old,
        _one_for_two,
        _read_later,
        _part_of_another,
        _product,
        _onto_itself,
    ],
)
@pytest.mark.parametrize("n", [2, 6, 40])
def test_states_that_change_places(change: Callable[[States], None], n: int) -> None:
    r = np.random.default_rng(n)
    change(States(*(r.uniform(-1, 1, (n, n)).astype("float32") for _ in range(3))))


@pytest.mark.parametrize("seed", range(20))
def test_random_changes_of_states(seed: int) -> None:
    """States of one shape get new values from random graphs over them, some of them returned as well."""
    r = np.random.default_rng(seed)
    n = int(r.choice([2, 5, 17]))
    s = States(*(r.uniform(-1, 1, (n, n)) for _ in range(4)))
    built = Builder(seed, "float64")
    built.inputs, built.values, built.equations = list(s.cells), dict(zip(s.cells, s.arrays, strict=True)), []
    for _ in range(12):
        x, y = (list(built.values)[int(k)] for k in r.integers(0, len(built.values), 2))
        name = str(r.choice(["add", "mul", "tanh", "permute", "flip", "matmul", "softmax", "minimum"]))
        if name in ("tanh",):
            built.put(name, x)
        elif name in ("permute", "flip"):
            built.put(name, x, dims=(1, 0))
        elif name == "softmax":
            built.put(name, x, dim=int(r.integers(0, 2)))
        else:
            built.put(name, x, y, **({"ta": False, "tb": True} if name == "matmul" else {}))
    s.equations = built.equations
    values = list(built.values)
    changes = {k: values[int(r.integers(0, len(values)))] for k in range(4) if r.uniform() < 0.8}
    bounded = (
        {k: s.put("tanh", v) if v in s.cells else v for k, v in changes.items()} if seed % 2 else changes
    )
    s.agree(bounded, [values[int(k)] for k in r.integers(0, len(values), 3)], calls=2)
