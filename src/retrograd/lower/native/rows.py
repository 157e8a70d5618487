"""softmax and log_softmax: three walks over a row while it is in the cache."""

from __future__ import annotations

from typing import Any

from ...types import size
from .emit import Value, lanes_of, literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .level import Level
from .mathematics import exp, log
from .scalars import in_register
from .singles import Site, lowers
from .views import whole

_made: dict[Any, Kernel] = {}
ROWS = 4096
"""Elements of one slab."""


@lowers("softmax", "log_softmax")
def along_rows(site: Site, single: Single) -> list[Command] | None:
    """One dimension of any array: the elements along it are ``step`` apart, in the input as in the result."""
    eq, x = single.equation, single.operands[0]
    shape, dim = x.shape, eq.params["dim"] if x.shape else 0
    out = whole(eq.outputs[0])
    if not x.contiguous or not size(shape):
        return None if size(shape) else []
    n = shape[dim] if shape else 1
    inner = size(shape[dim + 1 :])
    element = in_register(eq.outputs[0].type.dtype)
    logarithm = eq.op.name == "log_softmax"
    if inner != 1:
        return None
    key = (site.level.name, element, logarithm)
    kernel = _made.get(key)
    if kernel is None:
        kernel = _made[key] = _kernel(site.level, element, logarithm)
    rows = size(shape) // max(n, 1)
    per_slab = max(1, ROWS // n)
    words = [site.locate(x), site.locate(out), rows, n, per_slab]
    return [Command(kernel, words, -(-rows // per_slab), rows * n * 2.0)]


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
        largest = f.splat(_folded(f, top.get(), f.maximum), lanes)
        for i, mask in _vectors(f, n, lanes):
            with i as k:
                on = mask(k)
                shifted = f.sub(f.load(f.element(at, k, element), kind, on), largest)
                e = exp(f, shifted)
                total.set(f.add(total.get(), f.select(on, e, 0.0)))
                f.store(shifted if logarithm else e, f.element(to, k, element), on)
        whole_sum = _folded(f, total.get(), f.add)
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


def _folded(f: KernelFunction, v: Value, combine: Any) -> Value:
    """All lanes as one, halves first."""
    while lanes_of(v.type) > 1:
        half = lanes_of(v.type) // 2
        if half == 1:
            return combine(f.extract(v, 0), f.extract(v, 1))
        v = combine(f.shuffle(v, v, range(half)), f.shuffle(v, v, range(half, 2 * half)))
    return v
