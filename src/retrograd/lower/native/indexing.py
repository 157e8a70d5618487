"""Reading and adding at places that an index names: gather, scatter_add, index (embedding) and index_add."""

from __future__ import annotations

from typing import Any

from ...types import size
from .emit import Value, literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .scalars import in_memory
from .singles import Site, lowers
from .views import whole

_made: dict[Any, Kernel] = {}


def _index_kernel(name: str, element: str, index: str, write: Any) -> Kernel:
    key = (name, element, index)
    if key not in _made:
        _made[key] = write(element, index)
    return _made[key]


def _refuse(f: KernelFunction, i: Value, n: Value, status: Value, number: Value) -> Value:
    """``i`` where it lies in 0..n-1; otherwise 0, and the status word says which op met it."""
    bad = f.compare("uge", i, n)
    with f.when(bad):
        f.store(number, status)
    return f.select(bad, literal("i64", 0), i)


@lowers("gather", "scatter_add")
def along(site: Site, single: Single) -> list[Command] | None:
    """x[a, i[a, b, c], c] for all a, b, c; scatter_add adds there."""
    eq, dim = single.equation, single.equation.params["dim"]
    adding = eq.op.name == "scatter_add"
    x, index = single.operands
    out = whole(eq.outputs[0])
    table = out if adding else x
    if not (x.contiguous and index.contiguous) or not table.shape:
        return None
    # Only where the index covers the other dimensions: what lies beside it would need a walk of its own.
    if any(a != b for d, (a, b) in enumerate(zip(table.shape, index.shape, strict=True)) if d != dim):
        return None
    element, whole_number = in_memory(eq.outputs[0].type.dtype), in_memory(eq.inputs[1].type.dtype)
    if element == "i8" and adding:
        return None
    kernel = _index_kernel(eq.op.name, element, whole_number, _scatter if adding else _gather)
    before, inner = size(index.shape[:dim]), size(index.shape[dim + 1 :])
    words = [
        site.locate(x), site.locate(index), site.locate(out),
        table.shape[dim], index.shape[dim], inner, size(out.shape), site.status, site.checked(single),
    ]  # fmt: skip
    return [Command(kernel, words, before, size(index.shape) * 1.0)] if size(out.shape) else []


def _gather(element: str, whole_number: str) -> Kernel:
    f = KernelFunction("gather")
    x, index, out = f.pointer(0), f.pointer(1), f.pointer(2)
    n, m, inner = f.word(3), f.word(4), f.word(5)
    status, number = f.pointer(7), f.word(8)
    with f.slabs() as a, f.loop(0, m) as b, f.loop(0, inner) as c:
        at = f.add(f.mul(f.add(f.mul(a, m), b), inner), c)
        i = f.convert(f.load(f.element(index, at, whole_number), whole_number), "i64")
        i = _refuse(f, i, n, status, number)
        source = f.add(f.mul(f.add(f.mul(a, n), i), inner), c)
        f.store(f.load(f.element(x, source, element), element), f.element(out, at, element))
    return f.finish()


def _scatter(element: str, whole_number: str) -> Kernel:
    f = KernelFunction("scatter_add")
    x, index, out = f.pointer(0), f.pointer(1), f.pointer(2)
    n, m, inner = f.word(3), f.word(4), f.word(5)
    status, number = f.pointer(7), f.word(8)
    block = f.mul(n, inner)
    with f.slabs() as a:
        with f.loop(0, block) as k:
            f.store(literal(element, 0), f.element(out, f.add(f.mul(a, block), k), element))
        with f.loop(0, m) as b, f.loop(0, inner) as c:
            at = f.add(f.mul(f.add(f.mul(a, m), b), inner), c)
            i = f.convert(f.load(f.element(index, at, whole_number), whole_number), "i64")
            i = _refuse(f, i, n, status, number)
            to = f.element(out, f.add(f.mul(f.add(f.mul(a, n), i), inner), c), element)
            f.store(f.add(f.load(to, element), f.load(f.element(x, at, element), element)), to)
    return f.finish()


@lowers("index", "index_add")
def rows(site: Site, single: Single) -> list[Command] | None:
    """Whole slices of a table by one index: an embedding, and its gradient."""
    eq = single.equation
    adding = eq.op.name == "index_add"
    if len(single.operands) != 2:
        return None
    x, index = single.operands
    out = whole(eq.outputs[0])
    table = out if adding else x
    if not (x.contiguous and index.contiguous) or not size(out.shape):
        return None if size(out.shape) else []
    element, whole_number = in_memory(eq.outputs[0].type.dtype), in_memory(eq.inputs[1].type.dtype)
    if element == "i8" and adding:
        return None
    lanes = site.level.lanes(element)
    kernel = _index_kernel(
        f"{eq.op.name} {lanes}", element, whole_number, _add_rows(lanes) if adding else _take_rows(lanes)
    )
    width, count = size(table.shape[1:]), size(index.shape)
    if adding:  # one slab for each block of columns: each row of the table is then one thread's
        block = max(lanes, 64)
        slabs = -(-width // block)
    else:
        block = max(1, 8192 // max(1, width))
        slabs = -(-count // block)
    words = [
        site.locate(x), site.locate(index), site.locate(out), table.shape[0], count, width, block,
        site.status, site.checked(single),
    ]  # fmt: skip
    return [Command(kernel, words, slabs, size(x.shape) * 0.2)]


def _take_rows(lanes: int) -> Any:
    def write(element: str, whole_number: str) -> Kernel:
        f = KernelFunction("index")
        x, index, out = f.pointer(0), f.pointer(1), f.pointer(2)
        n, count, width, block = (f.word(k) for k in range(3, 7))
        status, number = f.pointer(7), f.word(8)
        with f.loop(f.mul(f.begin, block), f.minimum(f.mul(f.end, block), count)) as b:
            i = f.convert(f.load(f.element(index, b, whole_number), whole_number), "i64")
            i = _refuse(f, i, n, status, number)
            source, to = f.element(x, f.mul(i, width), element), f.element(out, f.mul(b, width), element)
            with f.loop(0, width, lanes) as c:
                on = f.compare("lt", f.add(f.iota(vector("i64", lanes)), c), width)
                v = f.load(f.element(source, c, element), vector(element, lanes), on)
                f.store(v, f.element(to, c, element), on)
        return f.finish()

    return write


def _add_rows(lanes: int) -> Any:
    def write(element: str, whole_number: str) -> Kernel:
        f = KernelFunction("index_add")
        x, index, out = f.pointer(0), f.pointer(1), f.pointer(2)
        n, count, width, block = (f.word(k) for k in range(3, 7))
        status, number = f.pointer(7), f.word(8)
        kind = vector(element, lanes)
        low, high = f.mul(f.begin, block), f.minimum(f.mul(f.end, block), width)

        def columns(body: Any) -> None:
            with f.loop(low, high, lanes) as c:
                body(c, f.compare("lt", f.add(f.iota(vector("i64", lanes)), c), high))

        with f.loop(0, n) as r:
            row = f.element(out, f.mul(r, width), element)
            columns(lambda c, on: f.store(literal(kind, 0), f.element(row, c, element), on))
        with f.loop(0, count) as b:
            i = f.convert(f.load(f.element(index, b, whole_number), whole_number), "i64")
            i = _refuse(f, i, n, status, number)
            to, source = f.element(out, f.mul(i, width), element), f.element(x, f.mul(b, width), element)

            def add(c: Value, on: Value, to: Value = to, source: Value = source) -> None:
                at = f.element(to, c, element)
                f.store(f.add(f.load(at, kind, on), f.load(f.element(source, c, element), kind, on)), at, on)

            columns(add)
        return f.finish()

    return write
