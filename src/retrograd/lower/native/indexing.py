"""Reading and adding at places that an index names: gather, scatter_add, index (embedding), index_add and segment_max.

No index is trusted: one that is out of range is taken for 0, so that nothing outside is touched, and the status word says
which op met it.  What is added to one place is added in the order in which it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops.index import lowest
from ...types import DType, bool_, size
from . import written
from .copying import fill
from .emit import Value, literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .scalars import as_in_memory, in_memory, read, write
from .singles import Site, lowers, row_by_row
from .views import whole


def refused(f: KernelFunction, i: Value, n: Value, status: Value, number: Value) -> Value:
    """``i`` where it lies in 0..n-1; otherwise 0, and the status word says which op met it."""
    bad = f.compare("uge", i, n)
    with f.when(bad):
        f.store(number, status)
    return f.select(bad, literal("i64", 0), i)


def _sum(f: KernelFunction, dtype: DType, a: Value, b: Value) -> Value:
    return f.bit("or", a, b) if dtype is bool_ else f.add(a, b)


@lowers("gather", "scatter_add")
def along(site: Site, single: Single) -> list[Command] | None:
    """y[a, b, c] = x[a, i[a, b, c], c]; scatter_add adds x[a, b, c] to y[a, i[a, b, c], c]."""
    eq, dim = single.equation, single.equation.params["dim"]
    adding = eq.op.name == "scatter_add"
    x, index = single.operands
    out, rank = whole(eq.outputs[0]), len(index.shape)
    dtype = out.root.type.dtype
    table, other = (out, x) if adding else (x, out)
    before = fill(site, out.root, 0) if adding else []
    if not size(index.shape):
        return before
    if not rank or not size(table.shape):
        return None  # nothing that an index could name
    sizes, steps = index.shape, [table.strides, index.strides, other.strides]
    kernel = written.kernel(
        (eq.op.name, dtype.name, rank, dim), site.level, lambda: _along(dtype, rank, dim, adding)
    )
    words = [*map(site.locate, (table, index, other)), table.shape[dim], site.status, site.checked(single)]
    for d in range(rank):
        words += [sizes[d], *(s[d] for s in steps)]
    # Lines of a scatter may meet at one place only along dim.
    slabs = 1 if adding and dim == 0 else sizes[0]
    return [*before, Command(kernel, words, slabs, size(sizes) * 1.0)]


def _along(dtype: DType, rank: int, dim: int, adding: bool) -> Kernel:
    f = KernelFunction("scatter_add" if adding else "gather")
    table, index, other, n, status, number = (
        f.pointer(0), f.pointer(1), f.pointer(2), f.word(3), f.pointer(4), f.word(5),
    )  # fmt: skip
    element = in_memory(dtype)
    sizes = [f.word(6 + 4 * d) for d in range(rank)]
    steps = [[f.word(6 + 4 * d + k) for k in (1, 2, 3)] for d in range(rank)]

    def walk(d: int, at: list[Value]) -> None:
        if d == rank:
            i = refused(f, f.load(f.element(index, at[1], "i64"), "i64"), n, status, number)
            place = f.element(table, f.add(at[0], f.mul(i, steps[dim][0])), element)
            beside = f.element(other, at[2], element)
            if adding:
                total = _sum(f, dtype, read(f, place, dtype, 1, None), read(f, beside, dtype, 1, None))
                write(f, total, place, dtype, None)
            else:
                f.store(f.load(place, element), beside)
            return
        whole_range = d or (adding and dim == 0)
        with f.loop(0, sizes[d]) if whole_range else f.slabs() as k:
            moved = [f.add(a, f.mul(k, s)) for a, s in zip(at, steps[d], strict=True)]
            walk(d + 1, [at[0] if d == dim else moved[0], *moved[1:]])

    walk(0, [literal("i64", 0)] * 3)
    return f.finish()


@lowers("index", "index_add")
def rows(site: Site, single: Single) -> list[Command] | None:
    """Whole slices of a table by one or more index tensors: an embedding, and its gradient."""
    eq = single.equation
    adding = eq.op.name == "index_add"
    (x, *index), before = row_by_row(site, *single.operands)
    out, k = whole(eq.outputs[0]), len(index)
    table = out if adding else x
    if not size(out.shape) or not size(x.shape):
        return None if size(index[0].shape) else [*before, *fill(site, out.root, 0)]
    dtype = out.root.type.dtype
    lanes = min(site.level.lanes(in_memory(dtype)), site.level.lanes("float"))
    kernel = written.kernel(
        (eq.op.name, dtype.name, k),
        site.level,
        lambda: (_add_rows if adding else _take_rows)(dtype, lanes, k),
    )
    width, count = size(table.shape[k:]), size(index[0].shape)
    if adding:  # one slab for each block of columns: each row of the table is then one thread's
        block = max(lanes, 64)
        slabs = -(-width // block)
    else:
        block = max(1, 8192 // max(1, width))
        slabs = -(-count // block)
    words = [
        site.locate(x), site.locate(out), size(table.shape[:k]), count, width, block, site.status, site.checked(single),
    ]  # fmt: skip
    for i, n in zip(index, table.shape, strict=False):
        words += [site.locate(i), n]
    return [*before, Command(kernel, words, slabs, size(x.shape) * 0.2)]


def _place(f: KernelFunction, k: int) -> Callable[[Value], Value]:
    """The row of the table that entry ``b`` of the index tensors names."""
    status, number = f.pointer(6), f.word(7)
    given = [(f.pointer(8 + 2 * d), f.word(9 + 2 * d)) for d in range(k)]

    def row(b: Value) -> Value:
        at: Value | None = None
        for index, n in given:
            i = refused(f, f.load(f.element(index, b, "i64"), "i64"), n, status, number)
            at = i if at is None else f.add(f.mul(at, n), i)
        assert at is not None
        return at

    return row


def _take_rows(dtype: DType, lanes: int, k: int) -> Kernel:
    f = KernelFunction("index")
    element = in_memory(dtype)
    kind = vector(element, lanes)
    x, out = f.pointer(0), f.pointer(1)
    count, width, block = (f.word(w) for w in (3, 4, 5))
    place = _place(f, k)
    with f.loop(f.mul(f.begin, block), f.minimum(f.mul(f.end, block), count)) as b:
        source = f.element(x, f.mul(place(b), width), element)
        to = f.element(out, f.mul(b, width), element)
        with f.loop(0, width, lanes) as c:
            on = f.compare("lt", f.add(f.iota(vector("i64", lanes)), c), width)
            f.store(f.load(f.element(source, c, element), kind, on), f.element(to, c, element), on)
    return f.finish()


def _add_rows(dtype: DType, lanes: int, k: int) -> Kernel:
    f = KernelFunction("index_add")
    element = in_memory(dtype)
    kind = vector(element, lanes)
    x, out = f.pointer(0), f.pointer(1)
    n, count, width, block = (f.word(w) for w in (2, 3, 4, 5))
    place = _place(f, k)
    with f.slabs() as slab:
        low = f.mul(slab, block)
        high = f.minimum(f.add(low, block), width)

        def columns(body: Callable[[Value, Value], Any]) -> None:
            with f.loop(low, high, lanes) as c:
                body(c, f.compare("lt", f.add(f.iota(vector("i64", lanes)), c), high))

        with f.loop(0, n) as r:
            row = f.element(out, f.mul(r, width), element)
            columns(lambda c, on: f.store(literal(kind, 0), f.element(row, c, element), on))
        with f.loop(0, count) as b:
            to = f.element(out, f.mul(place(b), width), element)
            source = f.element(x, f.mul(b, width), element)

            def add(c: Value, on: Value, to: Value = to, source: Value = source) -> None:
                at = f.element(to, c, element)
                here = f.load(f.element(source, c, element), kind, on)
                f.store(_sum(f, dtype, f.load(at, kind, on), here), at, on)

            columns(add)
    return f.finish()


@lowers("segment_max")
def segment_max(site: Site, single: Single) -> list[Command] | None:
    """Values and segments are walked through twice: for the maxima, and for where they are."""
    eq = single.equation
    (x, index), before = row_by_row(site, *single.operands)
    out, at = eq.outputs
    dtype = out.type.dtype
    if x.shape[0] and not out.type.shape[0]:
        return None  # every index is wrong
    before += fill(site, out, lowest(dtype.numpy))
    if not x.shape[0]:
        return before
    kernel = written.kernel(("segment_max", dtype.name), site.level, lambda: _segments(dtype))
    words = [*map(site.locate, (x, index, whole(out), whole(at))), x.shape[0], out.type.shape[0]]
    words += [site.status, site.checked(single)]
    return [*before, Command(kernel, words, 1, x.shape[0] * 2.0)]


def _segments(dtype: DType) -> Kernel:
    f = KernelFunction("segment_max")
    x, index, out, at = (f.pointer(k) for k in range(4))
    n, count, status, number = f.word(4), f.word(5), f.pointer(6), f.word(7)
    element = in_memory(dtype)

    def top(k: Value) -> tuple[Value, Value]:
        i = refused(f, f.load(f.element(index, k, "i64"), "i64"), count, status, number)
        return f.element(out, i, element), read(f, f.element(x, k, element), dtype, 1, None)

    with f.slabs():
        with f.loop(0, n) as k:
            place, here = top(k)
            there = read(f, place, dtype, 1, None)
            if dtype.name in ("uint8", "bool"):
                larger = f.select(f.compare("ugt", here, there), here, there)
            else:
                larger = f.maximum(here, there)
            write(f, larger, place, dtype, None)
        with f.loop(0, n) as k:
            place, here = top(k)
            there = read(f, place, dtype, 1, None)
            same = f.compare("eq", here, there)
            if dtype.is_floating_point:
                lost = f.bit("and", f.compare("ne", here, here), f.compare("ne", there, there))
                same = f.bit("or", same, lost)
            f.store(as_in_memory(f, same, bool_), f.element(at, k, "i8"))
    return f.finish()


@lowers("row_order")
def row_order(site: Site, single: Single) -> list[Command]:
    """The numbers of rows, exchanged one pair after the other."""
    eq = single.equation
    (pivots,), before = row_by_row(site, *single.operands)
    m, k = eq.params["size"], pivots.shape[-1]
    count = size(pivots.shape[:-1])
    if not m * count:
        return []
    kernel = written.kernel(("row_order",), site.level, _row_order)
    words = [site.locate(pivots), site.locate(whole(eq.outputs[0])), m, k, site.status, site.checked(single)]
    return [*before, Command(kernel, words, count, count * (m + 3.0 * k))]


def _row_order() -> Kernel:
    f = KernelFunction("row_order")
    pivots, out, m, k, status, number = (
        f.pointer(0), f.pointer(1), f.word(2), f.word(3), f.pointer(4), f.word(5),
    )  # fmt: skip
    with f.slabs() as slab:
        order = f.element(out, f.mul(slab, m), "i64")
        with f.loop(0, m) as i:
            f.store(i, f.element(order, i, "i64"))
        with f.loop(0, k) as i:
            p = f.load(f.element(pivots, f.add(f.mul(slab, k), i), "i32"), "i32")
            other = f.element(order, refused(f, f.sub(f.convert(p, "i64"), 1), m, status, number), "i64")
            here = f.element(order, i, "i64")
            a, b = f.load(here, "i64"), f.load(other, "i64")
            f.store(b, here)
            f.store(a, other)
    return f.finish()
