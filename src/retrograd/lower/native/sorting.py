"""sort: merging upwards, stable, NaN behind all numbers; and search_sorted: halving."""

from __future__ import annotations

from ...types import DType, TensorType, int64, size
from . import along, written
from .emit import Value
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .scalars import in_memory, read, write
from .singles import Site, lowers, row_by_row
from .views import View, whole


@lowers("sort")
def sort(site: Site, single: Single) -> list[Command]:
    """Lines that do not lie in one piece are copied, sorted, and copied back."""
    eq = single.equation
    dim, descending = eq.params["dim"], eq.params["descending"]
    x = single.operands[0]
    if not size(x.shape):
        return []
    dtype, rank = x.root.type.dtype, len(x.shape)
    turn = (*(d for d in range(rank) if d != dim), dim)
    shape = tuple(x.shape[d] for d in turn)
    (given,), before = row_by_row(site, View(x.root, shape, tuple(x.strides[d] for d in turn), x.offset))
    outs = [whole(v) for v in eq.outputs]
    between = [site.buffer(TensorType(shape, t)) for t in (dtype, int64)]
    results, after = outs, []
    if dim != rank - 1:
        results = [site.buffer(TensorType(shape, t)) for t in (dtype, int64)]
        for result, out in zip(results, outs, strict=True):
            after += site.copy(result, View(out.root, shape, tuple(out.strides[d] for d in turn), out.offset))
    kernel = written.kernel(("sort", dtype.name, descending), site.level, lambda: _sort(dtype, descending))
    n, rows = shape[-1], size(shape[:-1])
    passes = (n - 1).bit_length()
    words = [site.locate(v) for v in (given, *results, *between)] + [n, passes]
    command = Command(kernel, words, rows, along.cost(shape, 2.0 + 5.0 * passes))
    return [*before, command, *after]


def _sort(dtype: DType, descending: bool) -> Kernel:
    """Runs of 1, 2, 4, ... elements are merged, to and fro between two buffers, so that the last pass ends in the results."""
    f = KernelFunction("sort descending" if descending else "sort")
    x, y, order, other, other_order, n, passes = (
        *(f.pointer(k) for k in range(5)),
        f.word(5),
        f.word(6),
    )
    element = in_memory(dtype)

    def put(value: Value, place: Value, values: Value, places: Value, at: Value) -> None:
        write(f, value, f.element(values, at, element), dtype, None)
        f.store(place, f.element(places, at, "i64"))

    def get(values: Value, at: Value) -> Value:
        return read(f, f.element(values, at, element), dtype, 1, None)

    with f.slabs() as row:
        start = f.mul(row, n)
        ends = [f.element(p, start, e) for p, e in ((y, element), (order, "i64"))]
        others = [f.element(p, start, e) for p, e in ((other, element), (other_order, "i64"))]
        odd = f.compare("eq", f.bit("and", passes, 1), 1)
        first = [f.select(odd, b, a) for a, b in zip(ends, others, strict=True)]
        with f.loop(0, n) as i:
            put(get(f.element(x, start, element), i), i, first[0], first[1], i)
        with f.loop(0, passes) as k:
            width = f.bit("shl", 1, k)
            turned = f.compare("eq", f.bit("and", f.add(k, passes), 1), 1)
            source = [f.select(turned, b, a) for a, b in zip(ends, others, strict=True)]
            target = [f.select(turned, a, b) for a, b in zip(ends, others, strict=True)]
            with f.loop(0, n, f.add(width, width)) as low:
                middle = f.minimum(f.add(low, width), n)
                high = f.minimum(f.add(middle, width), n)
                left, right = f.variable("i64", low), f.variable("i64", middle)
                left.set(low)
                right.set(middle)
                with f.loop(low, high) as at:
                    i, j = left.get(), right.get()
                    # What is at an end is not taken, so any element that exists may be read in its place.
                    safe_i, safe_j = f.minimum(i, f.sub(middle, 1)), f.minimum(j, f.sub(n, 1))
                    a, b = get(source[0], safe_i), get(source[0], safe_j)
                    before = f.bit("and", f.compare("lt", j, high), _before(f, dtype, b, a, descending))
                    second = f.bit("or", f.compare("ge", i, middle), before)
                    place = f.load(f.element(source[1], f.select(second, safe_j, safe_i), "i64"), "i64")
                    put(f.select(second, b, a), place, target[0], target[1], at)
                    right.set(f.add(j, f.convert(second, "i64")))
                    left.set(f.add(i, f.convert(f.bit("xor", second, True), "i64")))
    return f.finish()


def _before(f: KernelFunction, dtype: DType, a: Value, b: Value, descending: bool) -> Value:
    """Must ``a`` stand before ``b``?  NaN is above all numbers."""
    if descending:
        return along.ahead(f, dtype, a, b, largest=True)
    if not dtype.is_floating_point:
        return along.ahead(f, dtype, a, b, largest=False)
    number = f.compare("eq", a, a)
    return f.bit("and", number, f.bit("xor", f.compare("le", b, a), True))


@lowers("search_sorted")
def search_sorted(site: Site, single: Single) -> list[Command]:
    """Each wanted number by itself, in its own row."""
    eq = single.equation
    (s, x), before = row_by_row(site, *single.operands)
    n, m, rows = s.shape[-1], x.shape[-1], size(x.shape[:-1])
    if not rows * m:
        return []
    dtype, right = x.root.type.dtype, eq.params["right"]
    kernel = written.kernel(("search_sorted", dtype.name, right), site.level, lambda: _search(dtype, right))
    steps = n.bit_length()
    words = [*map(site.locate, (s, x, whole(eq.outputs[0]))), n, m, steps]
    return [*before, Command(kernel, words, rows, along.cost(x.shape, 1.0 + 2.0 * steps))]


def _search(dtype: DType, right: bool) -> Kernel:
    f = KernelFunction("search_sorted")
    s, x, out, n, m, steps = *(f.pointer(k) for k in range(3)), *(f.word(3 + k) for k in range(3))
    element = in_memory(dtype)
    with f.slabs() as row, f.loop(f.mul(row, m), f.mul(f.add(row, 1), m)) as at:
        wanted = read(f, f.element(x, at, element), dtype, 1, None)
        line = f.element(s, f.mul(row, n), element)
        low, high = f.variable("i64"), f.variable("i64")
        low.set(0)
        high.set(n)
        with f.loop(0, steps):
            a, b = low.get(), high.get()
            some = f.compare("lt", a, b)
            with f.when(some):
                middle = f.bit("lshr", f.add(a, b), 1)
                entry = read(f, f.element(line, middle, element), dtype, 1, None)
                if right:
                    up = f.bit("xor", _before(f, dtype, wanted, entry, False), True)
                else:
                    up = _before(f, dtype, entry, wanted, False)
                low.set(f.select(up, f.add(middle, 1), a))
                high.set(f.select(up, b, middle))
        f.store(low.get(), f.element(out, at, "i64"))
    return f.finish()
