"""Ops that go along each line step by step: cumsum, recurrence and running_arg, in the order of their `eval`."""

from __future__ import annotations

from collections.abc import Callable

from ...types import DType, int64, size
from . import along, written
from .along import Line
from .emit import Value, Variable, literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .scalars import in_register
from .singles import Site, lowers, row_by_row
from .views import whole


@lowers("cumsum", "recurrence", "running_arg")
def step_by_step(site: Site, single: Single) -> list[Command]:
    """All of them give an array of the shape of their inputs."""
    eq = single.equation
    if not size(eq.outputs[0].type.shape):
        return []
    params = {k: v for k, v in eq.params.items() if k != "dim"}
    given, before = row_by_row(site, *single.operands)
    shape, dtype, dim = given[0].shape, given[0].root.type.dtype, eq.params["dim"]
    lanes = along.lanes(shape, dim, site.level, dtype)
    kernel = written.kernel(
        (eq.op.name, dtype.name, lanes, tuple(sorted(params.items()))),
        site.level,
        lambda: _KERNELS[eq.op.name](dtype, lanes, **params),
    )
    numbers, slabs = along.words(shape, dim, lanes)
    words = [*numbers, *map(site.locate, given), site.locate(whole(eq.outputs[0]))]
    return [*before, Command(kernel, words, slabs, along.cost(shape, 1.0))]


def _steps(
    f: KernelFunction, lanes: int, dtype: DType, body: Callable[[Line, Value, Variable, Variable], None]
) -> Kernel:
    """The lines of a kernel, with a value of ``dtype`` and a number that each step may change; they start at 0."""
    with along.lines(f, lanes) as line:
        held, place = f.variable(vector(in_register(dtype), lanes)), f.variable(vector("i64", lanes))
        held.set(literal(held.type, 0))
        place.set(literal(place.type, 0))
        with f.loop(0, line.n) as i:
            body(line, i, held, place)
    return f.finish()


def _cumsum(dtype: DType, lanes: int) -> Kernel:
    f = KernelFunction("cumsum")
    x, y = f.pointer(along.WORDS), f.pointer(along.WORDS + 1)

    def body(line: Line, i: Value, total: Variable, _place: Variable) -> None:
        here = line.read(x, i, dtype)
        added = f.bit("or", total.get(), here) if dtype.name == "bool" else f.add(total.get(), here)
        first = f.splat(f.compare("eq", i, 0), lanes)
        total.set(f.select(first, here, added))
        line.write(total.get(), y, i, dtype)

    return _steps(f, lanes, dtype, body)


def _recurrence(dtype: DType, lanes: int, reverse: bool) -> Kernel:
    f = KernelFunction("recurrence")
    a, b, y = (f.pointer(along.WORDS + k) for k in range(3))

    def body(line: Line, k: Value, before: Variable, _place: Variable) -> None:
        i = f.sub(f.sub(line.n, 1), k) if reverse else k
        first = line.read(b, i, dtype)
        later = f.add(first, f.mul(line.read(a, i, dtype), before.get()))
        # The first step has nothing before it, and infinity times that nothing would be NaN.
        before.set(f.select(f.splat(f.compare("eq", k, 0), lanes), first, later))
        line.write(before.get(), y, i, dtype)

    return _steps(f, lanes, dtype, body)


def _running_arg(dtype: DType, lanes: int, largest: bool) -> Kernel:
    f = KernelFunction("running_arg")
    x, y = f.pointer(along.WORDS), f.pointer(along.WORDS + 1)

    def body(line: Line, i: Value, extreme: Variable, place: Variable) -> None:
        here = line.read(x, i, dtype)
        # Equal ones move the place on as well: it stays only where the extreme is ahead of what is here.
        stays = along.ahead(f, dtype, extreme.get(), here, largest)
        moves = f.bit("or", f.bit("xor", stays, True), f.splat(f.compare("eq", i, 0), lanes))
        extreme.set(f.select(moves, here, extreme.get()))
        place.set(f.select(moves, f.splat(i, lanes), place.get()))
        line.write(place.get(), y, i, int64)

    return _steps(f, lanes, dtype, body)


_KERNELS: dict[str, Callable[..., Kernel]] = {
    "cumsum": _cumsum,
    "recurrence": _recurrence,
    "running_arg": _running_arg,
}
