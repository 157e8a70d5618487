"""cholesky and qr of small matrices, a stack at a time; larger ones are left to LAPACK (see `dense`)."""

from __future__ import annotations

from ...types import TensorType, size
from .dense import Rows, in_place, made, small
from .emit import Value, literal, vector
from .fuse import Single
from .kernel import Command, Kernel, KernelFunction
from .rows import folded
from .singles import Site, lowers, row_by_row
from .views import whole


@lowers("cholesky")
def cholesky(site: Site, single: Single) -> list[Command] | None:
    """Row by row: each entry is what is left of the matrix's after a product of two finished rows."""
    eq = single.equation
    out, info = eq.outputs
    if not small(out.type.shape):
        return None
    (a,), before = row_by_row(site, *single.operands)
    count, n = size(a.shape[:-2]), a.shape[-1]
    if not count:
        return []
    kernel = made(
        site,
        ("cholesky", eq.params["check"]),
        out.type.dtype,
        lambda e, k: _cholesky(e, k, eq.params["check"]),
    )
    words = [*map(site.locate, (a, whole(out), whole(info))), n, site.status, site.checked(single)]
    return [*before, Command(kernel, words, count, count * n**3 * 0.1)]


def _cholesky(element: str, lanes: int, check: bool) -> Kernel:
    f = KernelFunction("cholesky")
    given, out, info, n, status, number = (
        f.pointer(0), f.pointer(1), f.pointer(2), f.word(3), f.pointer(4), f.word(5),
    )  # fmt: skip
    kind = vector(element, lanes)
    with f.slabs() as slab:
        start = f.mul(slab, f.mul(n, n))
        a = Rows(f, f.element(given, start, element), n, element, lanes)
        low = Rows(f, f.element(out, start, element), n, element, lanes)
        low.fill(n, n, 0.0)
        bad = f.variable("i64")
        bad.set(0)
        total = f.variable(kind)
        with f.loop(0, n) as i, f.loop(0, f.add(i, 1)) as j:
            total.set(0.0)
            with low.across(literal("i64", 0), j) as (c, on):
                total.set(f.add(total.get(), f.mul(low.take(i, c, on), low.take(j, c, on))))
            entry = f.mul(f.add(a.get(i, j), a.get(j, i)), 0.5)
            rest = f.sub(entry, folded(f, total.get(), f.add))
            diagonal = f.compare("eq", i, j)
            root = f.intrinsic("sqrt", rest)
            low.set(i, j, f.select(diagonal, root, f.div(rest, low.get(j, j))))
            fails = f.bit("and", diagonal, f.compare("le", rest, 0.0))
            first = f.bit("and", fails, f.compare("eq", bad.get(), 0))
            bad.set(f.select(first, f.add(i, 1), bad.get()))
        f.store(f.convert(bad.get(), "i32"), f.element(info, slab, "i32"))
        with f.when(f.compare("ne", bad.get(), 0)):
            low.fill(n, n, float("nan"))
            if check:
                f.store(number, status)
    return f.finish()


@lowers("qr")
def qr(site: Site, single: Single) -> list[Command] | None:
    """Householder's reflections, with LAPACK's signs; Q is made by applying them to the unit matrix."""
    x, (q, r) = single.operands[0], single.equation.outputs
    if not small(x.shape, q.type.shape):
        return None
    count, (m, n) = size(x.shape[:-2]), x.shape[-2:]
    k = q.type.shape[-1]
    if not count:
        return []
    dtype = q.type.dtype
    copy, before = in_place(site, x)
    width = max(n, k)
    scales = site.buffer(TensorType((count, max(min(m, n), 1)), dtype))
    sums = site.buffer(TensorType((count, max(width, 1)), dtype))
    kernel = made(site, "qr", dtype, _qr)
    words = [*map(site.locate, (copy, whole(q), whole(r), scales, sums)), m, n, k]
    return [*before, Command(kernel, words, count, count * m * n * width * 0.5)]


def _qr(element: str, lanes: int) -> Kernel:
    f = KernelFunction("qr")
    given, q_out, r_out, all_scales, all_sums = (f.pointer(k) for k in range(5))
    m, n, k = f.word(5), f.word(6), f.word(7)
    steps = f.minimum(m, n)
    with f.slabs() as slab:

        def rows(pointer: Value, height: Value, width: Value) -> Rows:
            return Rows(
                f, f.element(pointer, f.mul(slab, f.mul(height, width)), element), width, element, lanes
            )

        one = literal("i64", 1)
        a, q, r = rows(given, m, n), rows(q_out, m, k), rows(r_out, k, n)
        scales = rows(all_scales, one, f.maximum(steps, 1))
        sums = rows(all_sums, one, f.maximum(f.maximum(n, k), 1))
        with f.loop(0, steps) as j:
            scales.set(literal("i64", 0), j, _reflection(f, a, j, m))
            _reflect(f, a, a, sums, j, m, f.add(j, 1), n, scales.get(literal("i64", 0), j))
        q.fill(m, k, 0.0)
        with f.loop(0, k) as j:
            q.set(j, j, literal(element, 1.0))
        with f.loop(0, steps) as t:
            j = f.sub(f.sub(steps, 1), t)
            _reflect(f, q, a, sums, j, m, j, k, scales.get(literal("i64", 0), j))
        r.fill(k, n, 0.0)
        with f.loop(0, f.minimum(k, m)) as i, f.loop(i, n) as j:
            r.set(i, j, a.get(i, j))
    return f.finish()


def _reflection(f: KernelFunction, a: Rows, j: Value, m: Value) -> Value:
    """The vector that turns column j below the diagonal to 0, kept there without its first entry, 1; gives its scale."""
    below, scale = f.variable(a.element), f.variable(a.element)
    below.set(0.0)
    with f.loop(f.add(j, 1), m) as i:
        below.set(f.add(below.get(), f.mul(a.get(i, j), a.get(i, j))))
    scale.set(0.0)
    with f.when(f.compare("ne", f.intrinsic("fabs", below.get()), 0.0)):
        head = a.get(j, j)
        length = f.intrinsic("sqrt", f.add(f.mul(head, head), below.get()))
        turned = f.neg(f.intrinsic("copysign", length, head))
        scale.set(f.div(f.sub(turned, head), turned))
        away = f.sub(head, turned)
        with f.loop(f.add(j, 1), m) as i:
            a.set(i, j, f.div(a.get(i, j), away))
        a.set(j, j, turned)
    return scale.get()


def _reflect(
    f: KernelFunction,
    to: Rows,
    a: Rows,
    sums: Rows,
    j: Value,
    m: Value,
    low: Value,
    high: Value,
    scale: Value,
) -> None:
    """Apply reflection j of ``a`` to the columns low..high of ``to``."""
    zero = literal("i64", 0)
    after = f.add(j, 1)
    with sums.across(low, high) as (c, on):
        sums.put(zero, c, on, to.take(j, c, on))
    with f.loop(after, m) as i:
        entry = f.splat(a.get(i, j), to.lanes)
        with sums.across(low, high) as (c, on):
            sums.put(zero, c, on, f.add(sums.take(zero, c, on), f.mul(entry, to.take(i, c, on))))
    spread = f.splat(scale, to.lanes)
    with sums.across(low, high) as (c, on):
        scaled = f.mul(spread, sums.take(zero, c, on))
        sums.put(zero, c, on, scaled)
        to.put(j, c, on, f.sub(to.take(j, c, on), scaled))
    with f.loop(after, m) as i:
        entry = f.splat(a.get(i, j), to.lanes)
        with sums.across(low, high) as (c, on):
            to.put(i, c, on, f.sub(to.take(i, c, on), f.mul(entry, sums.take(zero, c, on))))
