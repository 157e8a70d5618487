"""Ops that put elements where others or zeros stand beside them: cat and place; and filling an array with one number."""

from __future__ import annotations

from typing import Any

from ...graph import Var
from ...types import size
from . import written
from .emit import literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .level import Level
from .scalars import in_memory
from .singles import Site, lowers
from .views import View, row_major, whole

SLAB = 16384
"""Elements of one slab."""


def fill(site: Site, out: Var, number: Any) -> list[Command]:
    """Write one number to all of a variable's buffer."""
    n = size(out.type.shape)
    if not n:
        return []
    element = in_memory(out.type.dtype)
    kernel = written.kernel(
        ("fill", element, repr(number)), site.level, lambda: _fill(site.level, element, number)
    )
    return [Command(kernel, [site.locate(whole(out)), n], -(-n // SLAB), n * 0.05)]


def _fill(level: Level, element: str, number: Any) -> Kernel:
    f = KernelFunction(f"fill {number}")
    out, n = f.pointer(0), f.word(1)
    lanes = level.lanes(element)
    value = literal(vector(element, lanes), number)
    stop = f.minimum(f.mul(f.end, SLAB), n)
    with f.loop(f.mul(f.begin, SLAB), stop, lanes) as i:
        on = f.compare("lt", f.add(f.iota(vector("i64", lanes)), i), stop)
        f.store(value, f.element(out, i, element), on)
    return f.finish()


@lowers("cat")
def cat(site: Site, single: Single) -> list[Command]:
    """Each input is copied to its part of the result."""
    out, dim = single.equation.outputs[0], single.equation.params["dim"]
    steps = row_major(out.type.shape)
    commands: list[Command] = []
    start = 0
    for x in single.operands:
        commands += site.copy(x, View(out, x.shape, steps, start * steps[dim]))
        start += x.shape[dim]
    return commands


@lowers("place")
def place(site: Site, single: Single) -> list[Command]:
    """Zeros, and the input among them."""
    (x,), out = single.operands, single.equation.outputs[0]
    index, steps = single.equation.params["index"], row_major(out.type.shape)
    to = View(
        out,
        x.shape,
        tuple(step * s for (_, _, step), s in zip(index, steps, strict=True)),
        sum(start * s for (start, _, _), s in zip(index, steps, strict=True)),
    )
    zeros = [] if size(x.shape) == size(out.type.shape) else fill(site, out, 0)
    return zeros + site.copy(x, to)


IDENTITY = {"sum": 0, "prod": 1}


@lowers("sum", "prod", "amax", "amin")
def of_nothing(site: Site, single: Single) -> list[Command]:
    """Reductions over no dimension, which copy, and over no elements, which give the number that changes nothing.

    All others are loops (see `fuse`).
    """
    (x,), (out, *places) = single.operands, single.equation.outputs
    if not single.equation.params["dim"]:
        return site.copy(x, View(out, x.shape, row_major(x.shape))) + [
            command for at in places for command in fill(site, at, 1)
        ]
    return fill(site, out, IDENTITY.get(single.equation.op.name, 0))
