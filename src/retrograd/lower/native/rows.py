"""softmax and log_softmax: three walks over a row while it is in the cache."""

from __future__ import annotations

from typing import Any

from ...types import DType, size
from . import along, written
from .emit import Value, lanes_of, literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .level import Level
from .mathematics import exp, log
from .scalars import in_register
from .singles import Site, lowers, row_by_row
from .views import whole

ROWS = 4096
"""Elements of one slab."""


@lowers("softmax", "log_softmax")
def softmax(site: Site, single: Single) -> list[Command]:
    """Along the last dimension a row at a time, along another one a vector of neighbouring columns at a time."""
    eq = single.equation
    (x,), before = row_by_row(site, *single.operands)
    shape, dim, out = x.shape, eq.params["dim"], whole(eq.outputs[0])
    if not size(shape):
        return []
    n, dtype = shape[dim], eq.outputs[0].type.dtype
    element = in_register(dtype)
    logarithm = eq.op.name == "log_softmax"
    work = size(shape) * 2.0
    places = [site.locate(x), site.locate(out)]
    if size(shape[dim + 1 :]) == 1:
        kernel = written.kernel(
            (eq.op.name, element), site.level, lambda: _kernel(site.level, element, logarithm)
        )
        rows = size(shape) // n
        per_slab = max(1, ROWS // n)
        return [*before, Command(kernel, [*places, rows, n, per_slab], -(-rows // per_slab), work)]
    lanes = along.lanes(shape, dim, site.level, dtype)
    kernel = written.kernel(
        ("columns", eq.op.name, element), site.level, lambda: _columns(dtype, lanes, logarithm)
    )
    words, slabs = along.words(shape, dim, lanes)
    return [*before, Command(kernel, [*words, *places], slabs, work)]


def _columns(dtype: DType, lanes: int, logarithm: bool) -> Kernel:
    f = KernelFunction("columns of log_softmax" if logarithm else "columns of softmax")
    x, y = f.pointer(along.WORDS), f.pointer(along.WORDS + 1)
    kind = vector(in_register(dtype), lanes)
    with along.lines(f, lanes) as line:
        top, total = f.variable(kind), f.variable(kind)
        top.set(float("-inf"))
        total.set(0.0)
        with f.loop(0, line.n) as i:
            top.set(f.maximum(top.get(), line.read(x, i, dtype)))
        with f.loop(0, line.n) as i:
            shifted = f.sub(line.read(x, i, dtype), top.get())
            e = exp(f, shifted)
            total.set(f.add(total.get(), e))
            line.write(shifted if logarithm else e, y, i, dtype)
        last = log(f, total.get()) if logarithm else total.get()
        with f.loop(0, line.n) as i:
            v = line.read(y, i, dtype)
            line.write(f.sub(v, last) if logarithm else f.div(v, last), y, i, dtype)
    return f.finish()


def _kernel(level: Level, element: str, logarithm: bool) -> Kernel:
    f = KernelFunction("log_softmax" if logarithm else "softmax")
    x, y, rows, n, per_slab = f.pointer(0), f.pointer(1), f.word(2), f.word(3), f.word(4)
    lanes = level.lanes(element)
    kind = vector(element, lanes)
    lowest = literal(kind, float("-inf"))
    with f.loop(f.mul(f.begin, per_slab), f.minimum(f.mul(f.end, per_slab), rows)) as row:
        at, to = f.element(x, f.mul(row, n), element), f.element(y, f.mul(row, n), element)
        top, total = f.variable(kind, lowest), f.variable(kind, 0.0)
        top.set(lowest)
        total.set(0.0)
        for i, mask in _vectors(f, n, lanes):
            with i as k:
                on = mask(k)
                top.set(
                    f.maximum(top.get(), f.select(on, f.load(f.element(at, k, element), kind, on), lowest))
                )
        largest = f.splat(folded(f, top.get(), f.maximum), lanes)
        for i, mask in _vectors(f, n, lanes):
            with i as k:
                on = mask(k)
                shifted = f.sub(f.load(f.element(at, k, element), kind, on), largest)
                e = exp(f, shifted)
                total.set(f.add(total.get(), f.select(on, e, 0.0)))
                f.store(shifted if logarithm else e, f.element(to, k, element), on)
        whole_sum = folded(f, total.get(), f.add)
        last = log(f, whole_sum) if logarithm else whole_sum
        spread = f.splat(last, lanes)
        for i, mask in _vectors(f, n, lanes):
            with i as k:
                on = mask(k)
                v = f.load(f.element(to, k, element), kind, on)
                f.store(f.sub(v, spread) if logarithm else f.div(v, spread), f.element(to, k, element), on)
    return f.finish()


def _vectors(f: KernelFunction, n: Value, lanes: int) -> Any:
    """One masked loop over a row."""

    def mask(k: Value) -> Value:
        numbers = f.add(f.iota(vector("i64", lanes)), k)
        return f.compare("lt", numbers, n)

    return [(f.loop(0, n, lanes), mask)]


def folded(f: KernelFunction, v: Value, combine: Any) -> Value:
    """All lanes as one, halves first."""
    while lanes_of(v.type) > 1:
        half = lanes_of(v.type) // 2
        if half == 1:
            return combine(f.extract(v, 0), f.extract(v, 1))
        v = combine(f.shuffle(v, v, range(half)), f.shuffle(v, v, range(half, 2 * half)))
    return v
