"""Matrix products as dot products: where rows of A meet rows of B, and there are few of one or of the other.

Each lane sums every so-many-th product along k; then neighbouring lanes are added, pair by pair.  This order is the same for
every shape and split.
"""

from __future__ import annotations

from dataclasses import dataclass

from .edge import FUSED, TRUTH, Epilogue, ProductFunction, multiply_add
from .emit import Value, lanes_of, vector
from .kernel import Kernel
from .transpose import joined


@dataclass(frozen=True, slots=True)
class Dots:
    """How many rows of A and of B (a power of two) are summed at once."""

    element: str
    lanes: int
    rows: int
    columns: int
    how: str = FUSED

    def __str__(self) -> str:
        return f"dots {self.rows}x{self.columns} of {self.lanes} {self.element}"


def dot_kernel(dots: Dots, epilogue: Epilogue | None) -> Kernel:
    """The kernel of A[m, k] B[n, k] transposed; ``b_step`` goes from row to row of B, a block of columns is counted in groups."""
    f = ProductFunction(f"product, {dots}", dots.element, epilogue)
    with f.blocks() as (batch, row_block, column_block):
        a = f.at(f["a"], (batch, f["a_batch"]))
        b = f.at(f["b"], (batch, f["b_batch"]))
        c = f.at(f["c"], (batch, f["c_batch"]))
        rows = f.span(row_block, f["block_rows"], f["m"])
        columns = f.span(column_block, f.mul(f["block_columns"], dots.columns), f["n"])
        with f.loop(*columns, dots.columns) as j, f.loop(*rows, dots.rows) as i:
            of_a = _lines(f, a, i, f["m"], f["a_row"], dots.rows)
            of_b = _lines(f, b, j, f["n"], f["b_step"], dots.columns)
            sums = _sums(f, dots, of_a, of_b)
            mask = f.lanes_left(j, dots.columns, f["n"]) if dots.columns > 1 else None
            for r in range(dots.rows):
                row = f.add(i, r)
                with f.when(f.compare("lt", row, rows[1])):
                    acc = added_lanes(f, dots.how, sums[r])
                    f.finish_vector(batch, row, j, acc, mask, f.at(c, (row, f["c_row"])))
    return f.finish()


def _lines(
    f: ProductFunction, start: Value, first: Value, end: Value, stride: Value, count: int
) -> list[Value]:
    """Where rows begin; in the place of those that do not exist, the last one."""
    last = f.sub(end, 1)
    return [f.at(start, (f.minimum(f.add(first, r), last), stride)) for r in range(count)]


def _sums(f: ProductFunction, dots: Dots, of_a: list[Value], of_b: list[Value]) -> list[list[Value]]:
    kind, element = vector(dots.element, dots.lanes), dots.element
    sums = [[f.variable(kind, 0) for _ in of_b] for _ in of_a]
    whole = f.mul(f.bit("udiv", f["k"], dots.lanes), dots.lanes)

    def step(k: Value, mask: Value | None) -> None:
        right = [f.load(f.element(line, k, element), kind, mask) for line in of_b]
        for r, line in enumerate(of_a):
            left = f.load(f.element(line, k, element), kind, mask)
            for s, x in enumerate(right):
                sums[r][s].set(multiply_add(f, dots.how, left, x, sums[r][s].get()))

    with f.loop(0, whole, dots.lanes) as k:
        step(k, None)
    with f.when(f.compare("lt", whole, f["k"])):
        step(whole, f.lanes_left(whole, dots.lanes, f["k"]))
    return [[s.get() for s in line] for line in sums]


def added_lanes(f: ProductFunction, how: str, vectors: list[Value]) -> Value:
    """The sum of the lanes of each vector, side by side in one: neighbours are added until no lanes are left to add."""
    count = len(vectors)
    while len(vectors) * lanes_of(vectors[0].type) > count:
        if lanes_of(vectors[0].type) == 2 and len(vectors) == 1:
            return _plus(f, how, f.extract(vectors[0], 0), f.extract(vectors[0], 1))
        pairs = list(zip(vectors[::2], vectors[1::2])) or [(vectors[0], vectors[0])]
        lanes = lanes_of(vectors[0].type) * (2 if len(vectors) > 1 else 1)
        even, odd = range(0, lanes, 2), range(1, lanes, 2)
        vectors = [_plus(f, how, f.shuffle(x, y, even), f.shuffle(x, y, odd)) for x, y in pairs]
    return joined(f, vectors)


def _plus(f: ProductFunction, how: str, x: Value, y: Value) -> Value:
    return f.bit("or", x, y) if how == TRUTH else f.add(x, y)
