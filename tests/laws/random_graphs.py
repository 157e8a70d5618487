"""Random graphs of elementwise ops, views, reductions, products and gathers, whose numbers stay small and smooth.

Only ops that are continuous are applied to floating numbers: two ways of computing one value may then be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import numpy as np

from retrograd.graph import Equation, Graph, Var
from retrograd.op import registry, type_of
from retrograd.types import TensorType, dtype_of

Array = np.ndarray[Any, Any]
SIZES = (1, 2, 3, 5, 8, 17, 33, 70)
LARGEST = 1e3
UNARY = ("tanh", "sigmoid", "relu", "neg", "abs", "exp", "sin", "softplus")
BINARY = ("add", "sub", "mul", "maximum", "minimum", "where")


class Builder:
    """A graph that grows; the values of its variables are known."""

    def __init__(self, seed: int, dtype: str) -> None:
        self.r = np.random.default_rng(seed)
        self.dtype = dtype
        self.inputs: list[Var] = []
        self.values: dict[Var, Array] = {}
        self.equations: list[Equation] = []
        for _ in range(3):
            shape = tuple(int(n) for n in self.r.choice(SIZES, self.r.integers(0, 4)))
            self.given(self.r.uniform(-1, 1, shape).astype(dtype))

    def given(self, a: Array) -> Var:
        v = Var(f"x{len(self.inputs)}", TensorType(a.shape, dtype_of(a.dtype)))
        self.inputs.append(v)
        self.values[v] = a
        return v

    def put(self, name: str, *inputs: Var, **params: Any) -> Var | None:
        """One more equation, unless its values would grow too large."""
        op = registry[name]
        kinds = type_of(op, [v.type for v in inputs], params)
        with np.errstate(all="ignore"):
            found = op.eval(*(self.values[v] for v in inputs), **params)
        arrays = [found] if op.n_outputs == 1 else list(found)
        if any(a.size > 20000 or (a.size and np.abs(a.astype(float)).max() > LARGEST) for a in arrays):
            return None
        outs = tuple(Var(f"v{len(self.equations)}_{k}", kind) for k, kind in enumerate(kinds))
        self.values.update(zip(outs, (np.asarray(a) for a in arrays), strict=True))
        self.equations.append(Equation(op, inputs, params, outs))
        return outs[0]

    def pick(self, fits: Callable[[Var], bool] = lambda v: True) -> Var | None:
        """A floating variable, rather a late one."""
        found = [v for v in self.values if v.type.dtype.name == self.dtype and fits(v)]
        return found[-1 - int(self.r.integers(0, len(found)) * self.r.uniform())] if found else None

    def like(self, shape: tuple[int, ...]) -> Var:
        """A variable of that shape: one that there is, or a smaller one repeated, or a new input."""
        there = self.pick(lambda v: v.type.shape == shape)
        small = self.pick(lambda v: len(v.type.shape) <= len(shape) and _fits(v.type.shape, shape))
        if small is not None and self.r.uniform() < 0.5:
            repeated = self.put("broadcast", small, shape=shape)
            if repeated is not None:
                return repeated
        return there or self.given(self.r.uniform(-1, 1, shape).astype(self.dtype))

    def step(self) -> None:
        x = self.pick()
        assert x is not None
        getattr(
            self, str(self.r.choice(("unary", "binary", "binary", "view", "view", "fold", "product", "take")))
        )(x)

    def unary(self, x: Var) -> None:
        self.put(str(self.r.choice(UNARY)), x)

    def binary(self, x: Var) -> None:
        name, y = str(self.r.choice(BINARY)), self.like(x.type.shape)
        if name == "where":
            self.put(name, self.given(self.r.integers(0, 2, x.type.shape).astype(bool)), x, y)
        else:
            self.put(name, x, y)

    def view(self, x: Var) -> None:
        shape, r = x.type.shape, self.r
        kind = int(r.integers(0, 6))
        if kind == 0:
            self.put("permute", x, dims=tuple(int(d) for d in r.permutation(len(shape))))
        elif kind == 1:
            self.put("reshape", x, shape=(int(np.prod(shape)),))
        elif kind == 2:
            self.put("flip", x, dims=tuple(d for d in range(len(shape)) if r.integers(0, 2)))
        elif kind == 3:
            starts = [int(r.integers(0, max(1, n // 2))) for n in shape]
            self.put(
                "slice",
                x,
                index=tuple((a, n, int(r.integers(1, 3))) for a, n in zip(starts, shape, strict=True)),
            )
        elif kind == 4 and shape:
            index = tuple((1, 1 + n, 1) for n in shape)
            self.put("place", x, shape=tuple(n + 2 for n in shape), index=index)
        elif shape:
            self.put("cat", x, self.like(shape), x, dim=int(r.integers(0, len(shape))))

    def fold(self, x: Var) -> None:
        shape = x.type.shape
        dims = tuple(d for d in range(len(shape)) if self.r.integers(0, 2))
        name = str(self.r.choice(("sum", "amax", "amin", "softmax", "cumsum")))
        if name in ("softmax", "cumsum"):
            if shape:
                self.put(name, x, dim=int(self.r.integers(0, len(shape))))
        elif 0 not in (shape[d] for d in dims):
            self.put(name, x, dim=dims, keepdim=bool(self.r.integers(0, 2)))

    def product(self, x: Var) -> None:
        if len(x.type.shape) == 2:
            n = int(self.r.choice(SIZES))
            m = x.type.shape[0]
            ta = bool(self.r.integers(0, 2))
            k = m if ta else x.type.shape[1]
            self.put("matmul", x, self.like((k, n)), ta=ta, tb=False)

    def take(self, x: Var) -> None:
        shape = x.type.shape
        if shape and shape[0]:
            count = int(self.r.choice(SIZES))
            index = self.given(self.r.integers(0, shape[0], (count,)))
            rows = self.put("index", x, index)
            if rows is not None and self.r.uniform() < 0.5:
                self.put("index_add", rows, index, shape=shape)

    def graph(self, outputs: list[Var]) -> Graph:
        return Graph(self.inputs, {}, self.equations, outputs)

    def needed(self, outputs: list[Var], given: Container[Var] = ()) -> tuple[Graph, list[Array]]:
        """Only what these outputs need, and its inputs; what is ``given`` is an input as well."""
        wanted, equations = set(outputs), []
        for eq in reversed(self.equations):
            if any(v in wanted and v not in given for v in eq.outputs):
                equations.append(eq)
                wanted.update(eq.inputs)
        made = {v for eq in equations for v in eq.outputs}
        inputs = [v for v in self.values if v in wanted and (v in given or v not in made)]
        return Graph(inputs, {}, equations[::-1], outputs), [self.values[v] for v in inputs]


def _fits(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    return all(n in (1, m) for n, m in zip(reversed(shape), reversed(to), strict=False))


def grown(seed: int, dtype: str, most: int = 40) -> Builder:
    """A graph of 5 to ``most`` equations."""
    out = Builder(seed, dtype)
    wanted = int(out.r.integers(5, most + 1))
    while len(out.equations) < wanted:
        out.step()
    return out
