"""Small matrices, a stack at a time, by plain loops: lu, solve, solve_triangular, det and slogdet.

One matrix is one slab.  Larger matrices are left to LAPACK, which works in blocks and is quicker there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...types import DType, TensorType, float32, float64, size
from . import written
from .along import ahead
from .emit import Value, literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .mathematics import exp, log
from .scalars import in_register
from .singles import Site, lowers, row_by_row
from .views import View, whole

LARGEST = 96
"""Rows or columns up to which a matrix is small."""
_FLOATS: dict[str, DType] = {"float": float32, "double": float64}


@dataclass(slots=True)
class Rows:
    """A matrix inside a kernel: ``step`` elements from row to row."""

    f: KernelFunction
    start: Value
    step: Value
    element: str
    lanes: int

    def at(self, i: Value, j: Value) -> Value:
        return self.f.element(self.start, self.f.add(self.f.mul(i, self.step), j), self.element)

    def get(self, i: Value, j: Value) -> Value:
        return self.f.load(self.at(i, j), self.element)

    def set(self, i: Value, j: Value, value: Value) -> None:
        self.f.store(value, self.at(i, j))

    @contextmanager
    def across(self, low: Value, high: Value) -> Iterator[tuple[Value, Value]]:
        """A loop over vectors of columns: the first column, and which lanes are columns at all."""
        with self.f.loop(low, high, self.lanes) as c:
            numbers = self.f.add(self.f.iota(vector("i64", self.lanes)), c)
            yield c, self.f.compare("lt", numbers, high)

    def take(self, i: Value, c: Value, on: Value) -> Value:
        """Neighbouring elements of row ``i``."""
        return self.f.load(self.at(i, c), vector(self.element, self.lanes), on)

    def put(self, i: Value, c: Value, on: Value, value: Value) -> None:
        self.f.store(value, self.at(i, c), on)

    def subtract(self, i: Value, j: Value, factor: Value, low: Value, high: Value) -> None:
        """Row i less a multiple of row j, in a range of columns."""
        f = self.f
        spread = f.splat(factor, self.lanes)
        with self.across(low, high) as (c, on):
            self.put(i, c, on, f.sub(self.take(i, c, on), f.mul(spread, self.take(j, c, on))))

    def divide(self, i: Value, by: Value, low: Value, high: Value) -> None:
        """Row i by a number, in a range of columns."""
        spread = self.f.splat(by, self.lanes)
        with self.across(low, high) as (c, on):
            self.put(i, c, on, self.f.div(self.take(i, c, on), spread))

    def exchange(self, i: Value, j: Value, high: Value) -> None:
        with self.across(_zero(), high) as (c, on):
            a, b = self.take(i, c, on), self.take(j, c, on)
            self.put(i, c, on, b)
            self.put(j, c, on, a)

    def fill(self, rows: Value, columns: Value, number: float) -> None:
        with self.f.loop(0, rows) as i, self.across(_zero(), columns) as (c, on):
            self.put(i, c, on, literal(vector(self.element, self.lanes), number))


def _zero() -> Value:
    return literal("i64", 0)


def _backwards(f: KernelFunction, n: Value, k: Value) -> Value:
    return f.sub(f.sub(n, 1), k)


def small(*shapes: tuple[int, ...]) -> bool:
    """True if no matrix of these stacks has more than `LARGEST` rows or columns."""
    return all(n <= LARGEST for shape in shapes for n in shape[-2:])


def made(site: Site, name: Any, dtype: DType, write: Callable[[str, int], Kernel]) -> Any:
    """The kernel for one dtype, which is given the element's type and the lanes."""
    element = in_register(dtype)
    lanes = site.level.lanes(element)
    return written.kernel(("dense", name, element), site.level, lambda: write(element, lanes))


def in_place(site: Site, view: View) -> tuple[View, list[Command]]:
    """A copy that the kernel may overwrite."""
    copy = site.buffer(TensorType(view.shape, view.root.type.dtype))
    return copy, site.copy(view, copy)


def eliminate(f: KernelFunction, a: Rows, m: Value, n: Value, each: Callable[[Value, Value], None]) -> None:
    """LU factors with partial pivoting, in place; ``each(c, p)``: rows c and p change places."""
    with f.loop(0, f.minimum(m, n)) as c:
        best, place = f.variable(a.element), f.variable("i64")
        best.set(f.intrinsic("fabs", a.get(c, c)))
        place.set(c)
        with f.loop(f.add(c, 1), m) as i:
            here = f.intrinsic("fabs", a.get(i, c))
            better = ahead(f, _FLOATS[a.element], here, best.get(), largest=True)
            best.set(f.select(better, here, best.get()))
            place.set(f.select(better, i, place.get()))
        a.exchange(c, place.get(), n)
        each(c, place.get())
        pivot = a.get(c, c)
        divisor = f.select(f.compare("eq", pivot, 0.0), 1.0, pivot)
        with f.loop(f.add(c, 1), m) as i:
            factor = f.div(a.get(i, c), divisor)
            a.set(i, c, factor)
            a.subtract(i, c, factor, f.add(c, 1), n)


@lowers("lu")
def lu(site: Site, single: Single) -> list[Command] | None:
    """The factors are made in the result."""
    (x,), (out, pivots) = single.operands, single.equation.outputs
    if not small(x.shape):
        return None
    if not size(x.shape):
        return []
    m, n = x.shape[-2:]
    kernel = made(site, "lu", out.type.dtype, _lu)
    words = [site.locate(whole(out)), site.locate(whole(pivots)), m, n]
    count = size(x.shape[:-2])
    return [*site.copy(x, whole(out)), Command(kernel, words, count, count * m * n * min(m, n) * 0.2)]


def _lu(element: str, lanes: int) -> Kernel:
    f = KernelFunction("lu")
    a, pivots, m, n = f.pointer(0), f.pointer(1), f.word(2), f.word(3)
    with f.slabs() as slab:
        mine = Rows(f, f.element(a, f.mul(slab, f.mul(m, n)), element), n, element, lanes)
        of_mine = f.element(pivots, f.mul(slab, f.minimum(m, n)), "i32")

        def note(c: Value, p: Value) -> None:
            f.store(f.convert(f.add(p, 1), "i32"), f.element(of_mine, c, "i32"))

        eliminate(f, mine, m, n, note)
    return f.finish()


@lowers("det", "slogdet")
def determinant(site: Site, single: Single) -> list[Command] | None:
    """The sign and the logarithm of the product of the pivots; det puts both together, as LAPACK's callers do."""
    x, outs = single.operands[0], single.equation.outputs
    name, count, n = single.equation.op.name, size(x.shape[:-2]), x.shape[-1]
    if not small(x.shape):
        return None
    if not count:
        return []
    copy, before = in_place(site, x)
    kernel = made(site, name, outs[0].type.dtype, lambda e, k: _determinant(e, k, name == "det"))
    words = [site.locate(copy), *(site.locate(whole(v)) for v in (outs[0], outs[-1])), n]
    return [*before, Command(kernel, words, count, count * n**3 * 0.2)]


def _determinant(element: str, lanes: int, together: bool) -> Kernel:
    f = KernelFunction("det" if together else "slogdet")
    a, first, second, n = f.pointer(0), f.pointer(1), f.pointer(2), f.word(3)
    with f.slabs() as slab:
        mine = Rows(f, f.element(a, f.mul(slab, f.mul(n, n)), element), n, element, lanes)
        sign, total = f.variable(element), f.variable(element)
        sign.set(1.0)
        total.set(0.0)

        def turn(c: Value, p: Value) -> None:
            sign.set(f.select(f.compare("eq", c, p), sign.get(), f.neg(sign.get())))

        eliminate(f, mine, n, n, turn)
        with f.loop(0, n) as i:
            pivot = mine.get(i, i)
            turned = f.select(f.compare("lt", pivot, 0.0), f.neg(sign.get()), sign.get())
            sign.set(f.select(f.compare("eq", pivot, 0.0), 0.0, turned))
            total.set(f.add(total.get(), log(f, f.intrinsic("fabs", pivot))))
        vanished = f.compare("eq", sign.get(), 0.0)
        size_of = f.select(vanished, float("-inf"), total.get())
        if together:
            value = f.select(vanished, 0.0, f.mul(sign.get(), exp(f, size_of)))
            f.store(value, f.element(first, slab, element))
        else:
            f.store(sign.get(), f.element(first, slab, element))
            f.store(size_of, f.element(second, slab, element))
    return f.finish()


@lowers("solve")
def solve(site: Site, single: Single) -> list[Command] | None:
    """Elimination, with the right-hand side's rows beside the matrix's; the solution is made in the result."""
    eq = single.equation
    (a, b), (out, info) = single.operands, eq.outputs
    if not small(a.shape):
        return None
    count, (n, k) = size(b.shape[:-2]), b.shape[-2:]
    if not count:
        return []
    turned = View(a.root, a.shape, (*a.strides[:-2], a.strides[-1], a.strides[-2]), a.offset)
    copy, before = in_place(site, turned if eq.params["ta"] else a)
    kernel = made(
        site, ("solve", eq.params["check"]), out.type.dtype, lambda e, w: _solve(e, w, eq.params["check"])
    )
    words = [*map(site.locate, (copy, whole(out), whole(info))), n, k, site.status, site.checked(single)]
    work = count * (n**3 * 0.2 + n * n * k * 0.2)
    return [*before, *site.copy(b, whole(out)), Command(kernel, words, count, work)]


def _solve(element: str, lanes: int, check: bool) -> Kernel:
    f = KernelFunction("solve")
    a, b, info, n, k = f.pointer(0), f.pointer(1), f.pointer(2), f.word(3), f.word(4)
    status, number = f.pointer(5), f.word(6)
    with f.slabs() as slab:
        mine = Rows(f, f.element(a, f.mul(slab, f.mul(n, n)), element), n, element, lanes)
        x = Rows(f, f.element(b, f.mul(slab, f.mul(n, k)), element), k, element, lanes)
        eliminate(f, mine, n, n, lambda c, p: x.exchange(c, p, k))
        bad = f.variable("i64")
        bad.set(0)
        with f.loop(0, n) as i:
            first = f.bit("and", f.compare("eq", mine.get(i, i), 0.0), f.compare("eq", bad.get(), 0))
            bad.set(f.select(first, f.add(i, 1), bad.get()))
        f.store(f.convert(bad.get(), "i32"), f.element(info, slab, "i32"))
        with f.loop(0, n) as i, f.loop(0, i) as j:
            x.subtract(i, j, mine.get(i, j), _zero(), k)
        with f.loop(0, n) as t:
            i = _backwards(f, n, t)
            with f.loop(f.add(i, 1), n) as j:
                x.subtract(i, j, mine.get(i, j), _zero(), k)
            x.divide(i, mine.get(i, i), _zero(), k)
        with f.when(f.compare("ne", bad.get(), 0)):
            x.fill(n, k, float("nan"))
            if check:
                f.store(number, status)
    return f.finish()


@lowers("solve_triangular")
def solve_triangular(site: Site, single: Single) -> list[Command] | None:
    """Substitution row by row; one slab for each matrix and block of columns."""
    eq = single.equation
    a, b = single.operands
    out = whole(eq.outputs[0])
    if not small(a.shape):
        return None
    if not size(b.shape):
        return []
    (t,), before = row_by_row(site, a)
    count, (n, k) = size(b.shape[:-2]), b.shape[-2:]
    trans, unit = eq.params["trans"], eq.params["unit"]
    upper = eq.params["upper"] != trans
    kernel = made(
        site, ("triangular", upper, unit), out.root.type.dtype, lambda e, w: _triangular(e, w, upper, unit)
    )
    block = max(site.level.lanes("float"), 32)
    blocks = -(-k // block)
    words = [site.locate(t), site.locate(out), n, k, block, blocks, *((1, n) if trans else (n, 1))]
    command = Command(kernel, words, count * blocks, count * n * n * k * 0.2)
    return [*before, *site.copy(b, out), command]


def _triangular(element: str, lanes: int, upper: bool, unit: bool) -> Kernel:
    f = KernelFunction("solve_triangular")
    a, b, n, k, block, blocks = f.pointer(0), f.pointer(1), f.word(2), f.word(3), f.word(4), f.word(5)
    down, over = f.word(6), f.word(7)
    with f.slabs() as slab:
        matrix, part = f.bit("udiv", slab, blocks), f.bit("urem", slab, blocks)
        low = f.mul(part, block)
        high = f.minimum(f.add(low, block), k)
        mine = f.element(a, f.mul(matrix, f.mul(n, n)), element)
        x = Rows(f, f.element(b, f.mul(matrix, f.mul(n, k)), element), k, element, lanes)

        def entry(i: Value, j: Value) -> Value:
            return f.load(f.element(mine, f.add(f.mul(i, down), f.mul(j, over)), element), element)

        with f.loop(0, n) as step:
            i = _backwards(f, n, step) if upper else step
            with f.loop(*((f.add(i, 1), n) if upper else (0, i))) as j:
                x.subtract(i, j, entry(i, j), low, high)
            if not unit:
                x.divide(i, entry(i, i), low, high)
    return f.finish()
