"""argmax and argmin: the first of the extreme elements of each line, or the first NaN."""

from __future__ import annotations

from ...types import DType
from . import along, written
from .emit import literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .scalars import in_register
from .singles import Site, lowers, row_by_row
from .views import whole


@lowers("argmax", "argmin")
def extreme_place(site: Site, single: Single) -> list[Command]:
    """One number for each line."""
    eq, dim = single.equation, single.equation.params["dim"]
    (x,), before = row_by_row(site, *single.operands)
    dtype, largest = x.root.type.dtype, eq.op.name == "argmax"
    lanes = along.lanes(x.shape, dim, site.level, dtype)
    kernel = written.kernel(
        (eq.op.name, dtype.name, lanes), site.level, lambda: _kernel(dtype, largest, lanes)
    )
    numbers, slabs = along.words(x.shape, dim, lanes)
    words = [*numbers, site.locate(x), site.locate(whole(eq.outputs[0]))]
    return [*before, Command(kernel, words, slabs, along.cost(x.shape, 0.5))]


def _kernel(dtype: DType, largest: bool, lanes: int) -> Kernel:
    f = KernelFunction("argmax" if largest else "argmin")
    x, out = f.pointer(along.WORDS), f.pointer(along.WORDS + 1)
    numbers = vector("i64", lanes)
    zero = literal("i64", 0)
    with along.lines(f, lanes) as line:
        best = f.variable(vector(in_register(dtype), lanes))
        place = f.variable(numbers)
        best.set(line.read(x, zero, dtype))
        place.set(literal(numbers, 0))
        with f.loop(1, line.n) as i:
            here = line.read(x, i, dtype)
            better = along.ahead(f, dtype, here, best.get(), largest)
            best.set(f.select(better, here, best.get()))
            place.set(f.select(better, f.splat(i, lanes), place.get()))
        # The result has one entry where the line has n.
        row = f.bit("udiv", line.start, f.mul(line.n, line.step))
        column = f.bit("urem", line.start, line.step)
        at = f.element(out, f.add(f.mul(row, line.step), column), "i64")
        f.store(place.get(), at, line.mask)
    return f.finish()
