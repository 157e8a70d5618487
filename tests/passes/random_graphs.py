"""Small graphs made at random over the registry's ops, and an evaluation of them that knows nothing but `eval`."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from retrograd.errors import RetrogradError
from retrograd.graph import Equation, Graph, Var
from retrograd.op import registry, type_of
from retrograd.types import TensorType, bool_, dtype_of, float32, float64, int32, int64, size, uint8

ODD = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -4.0, 3.7, np.nan, np.inf, -np.inf, 1e-40, 1e30, -7e-3, -0.0, 0.1]
LITERALS = [0.0, -0.0, 1.0, 2.0, 0.0, 0.5, 3.7, -1.0, -0.0, 1.0, -4.0, 0.1, np.nan, 1e30, np.inf, 1e-40]
SHAPES = [(2, 3), (), (1,), (3,), (1, 3), (2, 1, 3), (3, 3), (0, 2), (6,), (1, 1), (3, 3, 3), (2, 1, 1)]
DTYPES = [float32, float64, int32, int64, uint8, bool_]
UNARY = ["neg", "abs", "sign", "floor", "exp", "sqrt", "tanh", "relu", "bit_not", "detach", "log1p"]
BINARY = [
    *("add", "sub", "mul", "div", "pow", "add", "sub", "mul", "div"),
    *("maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge", "bit_and", "bit_or", "bit_xor", "masked_by"),
]
STEPS = (
    *(("unary", name) for name in UNARY),
    *(("binary", name) for name in (*BINARY, *BINARY)),
    *(
        (name, name)
        for name in ("where", "where", "cast", "cast", "reshape", "reshape", "permute", "permute")
    ),
    *(
        (name, name)
        for name in ("broadcast", "broadcast", "broadcast", "slice", "slice", "place", "cat", "cat")
    ),
    *(
        (name, name)
        for name in ("flip", "matmul", "matmul", "uniform", "argmax", "softmax", "cumsum", "swap")
    ),
    *(("reduce", name) for name in ("sum", "sum", "prod", "amax")),
)
Recipe = list[tuple[int, int, int, int]]
recipes = st.lists(
    st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 5), st.integers(0, 5), st.integers(0, 95)),
    min_size=1,
    max_size=14,
)


def numbers(kind: TensorType, seed: int) -> np.ndarray:
    """Numbers of a type, special ones among them."""
    r = np.random.default_rng(seed)
    odd = np.where(r.random(kind.shape) < 0.6, r.choice(ODD, kind.shape), r.normal(size=kind.shape) * 3)
    if not kind.dtype.is_floating_point:
        odd = r.integers(0, 9, kind.shape) - (4 if kind.dtype.is_signed else 0)
    return np.asarray(odd).astype(kind.dtype.numpy).reshape(kind.shape)


class Builder:
    """Makes a graph from a recipe; steps whose types do not fit are left out."""

    def __init__(self) -> None:
        self.count = 0
        self.inputs = [self.var(TensorType((2, 3), float32)), self.var(TensorType((3,), float64))]
        self.inputs.append(self.var(TensorType((1, 3), int64)))
        self.held: dict[Var, Any] = {}
        self.sources: dict[Var, Any] = {}
        self.equations: list[Equation] = []
        self.known = list(self.inputs)
        for kind in (TensorType((2, 3), float32), TensorType((), float64), TensorType((2, 3), bool_)):
            v = self.constant(numbers(kind, 7))  # state of a tensor outside
            self.sources[v] = object()
            self.known.append(v)

    def var(self, kind: TensorType) -> Var:
        self.count += 1
        return Var(f"v{self.count}", kind)

    def constant(self, array: np.ndarray) -> Var:
        v = self.var(TensorType(array.shape, next(d for d in DTYPES if d.numpy == array.dtype)))
        self.held[v] = array
        return v

    def add(self, name: str, *inputs: Var, **params: Any) -> Var | None:
        op = registry[name]
        try:
            kinds = type_of(op, (v.type for v in inputs), params)
        except RetrogradError:
            return None
        if any(size(kind.shape) > 200 for kind in kinds):
            return None
        outs = tuple(map(self.var, kinds))
        self.equations.append(
            Equation(op, inputs, params, outs, f"line {self.count}", f"scope{self.count % 3}")
        )
        self.known += outs[:1]
        return outs[0]

    def literal(self, kind: TensorType, k: int) -> Var:
        """A number of the program repeated to a type, or (seldom) a literal array."""
        if k % 16 == 7:
            return self.constant(numbers(kind, k))
        if kind.dtype.is_floating_point:
            value = LITERALS[k // 3 % len(LITERALS)]
        else:
            value = [0, 1, 2, 255 if kind.dtype is uint8 else -1][k // 3 % 4]
        inner = ((), (1,), (1, 1))[k % 3 if len(kind.shape) > 1 and k > 40 else 0]
        v = self.constant(np.full(inner, value).astype(kind.dtype.numpy))
        return self.add("broadcast", v, shape=kind.shape) or v

    def like(self, kind: TensorType, j: int, k: int) -> Var:
        """Another operand of a type: a variable, or a literal."""
        fitting = [v for v in self.known if v.type == kind]
        return fitting[-1 - j % len(fitting)] if fitting and k % 2 else self.literal(kind, k)

    def step(self, what: str, name: str, i: int, j: int, k: int) -> None:
        x = self.known[-1 - i % len(self.known)]
        shape = x.type.shape
        rank = len(shape)
        dim = j % rank if rank else 0
        if what == "unary":
            self.add(name, x)
        elif what == "binary":
            pair = (x, self.like(x.type, j, k))
            self.add(name, *(pair[::-1] if k % 5 == 4 else pair))
        elif what == "where":
            c = self.like(TensorType(shape, bool_), j, k)
            self.add(name, c, x, self.like(x.type, j, k // 2))
        elif what == "cast":
            self.add(name, x, dtype=DTYPES[k % 6])
        elif what == "reshape":
            fitting = [s for s in (*SHAPES, (1, *shape), (*shape, 1)) if size(s) == size(shape)]
            self.add(name, x, shape=fitting[k % len(fitting)])
        elif what == "permute":
            r = np.random.default_rng(k)
            made = self.add(name, x, dims=tuple(r.permutation(rank).tolist()))
            if made is not None and k % 2:
                self.add(name, made, dims=tuple(r.permutation(rank).tolist()))
        elif what == "swap" and rank > 1:
            self.add("permute", x, dims=(*range(rank - 2), rank - 1, rank - 2))
        elif what == "broadcast":
            fitting = [s for s in (*SHAPES, (2, *shape), (1, *shape), shape) if self.spreads(shape, s)]
            self.add(name, x, shape=fitting[k % len(fitting)])
        elif what in ("slice", "place"):
            self.cut(what, x, k)
        elif what == "cat" and rank:
            self.add(name, *(self.like(x.type, j + n, k + n) for n in range(k % 3)), x, dim=dim)
        elif what == "flip" and rank:
            self.add(name, x, dims=(dim,))
        elif what == "matmul":
            n = k % len(self.known)
            self.add(name, x, self.known[n], ta=bool(j & 1), tb=bool(j & 2))
            self.add(name, x, x, ta=bool(k & 1), tb=not k & 1)
        elif what == "uniform":
            v = self.constant(np.array([j, 0], np.int64))
            self.add(name, v, shape=(2, 3), dtype=float32)
        elif what in ("argmax", "softmax", "cumsum") and rank:
            self.add(name, x, dim=dim)
        elif what == "reduce":
            self.add(name, x, dim=tuple(d for d in range(rank) if k >> d & 1), keepdim=bool(k & 8))

    @staticmethod
    def spreads(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
        return len(to) >= len(shape) and all(n in (1, m) for n, m in zip(shape[::-1], to[::-1], strict=False))

    def cut(self, what: str, x: Var, k: int) -> None:
        """A slice that is often whole, often a half, and a place for it that is often there before."""
        r = np.random.default_rng(k % 12)
        if what == "slice":
            index = []
            for n in x.type.shape:
                a = int(r.integers(0, n + 1)) if r.random() < 0.5 else 0
                b = int(r.integers(a, n + 1)) if r.random() < 0.5 else n
                index.append((a, b, int(r.integers(1, 3))))
            self.add(what, x, index=tuple(index))
        else:
            before = [int(n) for n in r.integers(0, 2, len(x.type.shape))]
            index = tuple((a, a + n, 1) for a, n in zip(before, x.type.shape, strict=True))
            shape = tuple(b + k % 2 for _, b, _ in index)
            made = self.add(what, x, shape=shape, index=index)
            if made is not None and k % 4 == 3:
                self.add("slice", made, index=index)

    def graph(self) -> Graph:
        # all values are looked at, or the last ones alone, so that others become dead
        outputs = self.known[len(self.inputs) :] if self.count % 3 else self.known[-2:]
        graph = Graph(self.inputs, self.held, self.equations, outputs)
        graph.sources = self.sources
        graph.states = [("value", t, v) for t, v in zip(self.sources.values(), self.known[-4:], strict=False)]
        return graph.verify()


def build(recipe: Recipe) -> Graph:
    """The graph of a recipe."""
    b = Builder()
    for step, i, j, k in recipe:
        b.step(*STEPS[step], i, j, k)
    return b.graph()


def results(graph: Graph, seed: int) -> list[np.ndarray]:
    """Outputs and new states, each op on arrays in plain order, so that no memory layout decides how a sum is rounded.

    A repeated exponent is given as such, as a broadcast gives it: NumPy squares for it.
    """
    env: dict[Var, Any] = {v: numbers(v.type, seed + k) for k, v in enumerate(graph.inputs)}
    env |= graph.captured
    with np.errstate(all="ignore"):
        for eq in graph.equations:
            params = dict(eq.params)
            given = [env[v] for v in eq.inputs]
            if eq.op.name == "matmul":
                flags = params.pop("ta"), params.pop("tb")
                given = [
                    np.array(np.swapaxes(a, -1, -2) if t else a, order="C")
                    for a, t in zip(given, flags, strict=True)
                ]
                params = {"ta": False, "tb": False}
            elif (
                eq.op.name == "pow"
                and given[1].size
                and same([given[1]], [np.full_like(given[1], given[1].flat[0])])
            ):
                given[1] = np.broadcast_to(given[1].reshape(-1)[0], given[1].shape)
            values = eq.op.eval(*given, **params)
            for v, value in zip(eq.outputs, values if eq.op.n_outputs > 1 else (values,), strict=True):
                env[v] = np.array(value, order="C")
                assert TensorType(env[v].shape, dtype_of(env[v].dtype)) == v.type
    return [env[v] for v in (*graph.outputs, *(v for _, _, v in graph.states))]


def same(before: list[np.ndarray], after: list[np.ndarray]) -> bool:
    """The same bits; NaN counts as one value."""
    return len(before) == len(after) and all(map(_same, before, after))


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind == "f":
        if not np.array_equal(np.isnan(a), np.isnan(b)):
            return False
        a, b = np.where(np.isnan(a), 0, a), np.where(np.isnan(b), 0, b)
    return a.astype(a.dtype, order="C").tobytes() == b.astype(b.dtype, order="C").tobytes()


def written(graph: Graph) -> tuple[Any, ...]:
    """Everything that a graph is, for comparing it with what it was."""
    return (
        str(graph),
        [id(v) for v in graph.inputs],
        [(id(v), id(a), a.tobytes()) for v, a in graph.captured.items()],
        [(eq.op, [id(v) for v in (*eq.inputs, *eq.outputs)], str(eq.params)) for eq in graph.equations],
        [id(v) for v in graph.outputs],
        [(kind, id(t), id(v)) for kind, t, v in graph.states],
        [(id(v), id(t)) for v, t in graph.sources.items()],
    )
