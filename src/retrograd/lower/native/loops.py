"""Writing the kernel of a fused loop: nested loops, the innermost one in vectors, folds in fixed order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...graph import Var
from ...types import DType
from .emit import Value, Variable, lanes_of, literal, vector
from .fuse import Member
from .kernel import Kernel, KernelFunction
from .scalars import as_in_memory, in_memory, in_register, read, write
from .views import View

if TYPE_CHECKING:
    from .nest import LoopLowering

IDENTITY = {"sum": 0, "prod": 1}


class LoopWriter:
    """Writes the kernel of one loop."""

    def __init__(self, low: LoopLowering) -> None:
        self.low, self.loop, self.nest = low, low.loop, low.nest
        self.f = KernelFunction(low.title())
        self.lanes = self._lanes()
        depth = len(self.nest.sizes)
        self.rows = self.f.word(0)
        self.sizes = [self.f.word(1 + d) for d in range(depth)]
        first = 1 + depth
        self.pointers, self.strides = [], []
        for k in range(len(low.accesses)):
            at = first + k * (1 + depth)
            self.pointers.append(self.f.pointer(at))
            self.strides.append([self.f.word(at + 1 + d) for d in range(depth)])
        self.kept = self.f.word(first + len(low.accesses) * (1 + depth)) if low.partial else None
        self.part: tuple[Value, Value] | None = None
        """Of a sum in parts: the entries of its first dimension that this part adds up."""

    def _lanes(self) -> int:
        if self.loop.reductions:  # the order of a sum depends on nothing but its shape
            return self.low.level.lanes("float")
        kinds = {
            in_register(v.type.dtype) for m in (*self.loop.members, *self.loop.reductions) for v in (m.out,)
        }
        kinds |= {in_register(a.dtype) for a in self.low.accesses}
        return self.low.level.lanes(
            "float" if "float" in kinds or not kinds & {"double", "i64"} else "double"
        )

    def kernel(self) -> Kernel:
        if not self.nest.sizes:
            accumulators = self._start(1)
            self._body([None] * 0, self.pointers, literal("i64", 0), 1, None, accumulators)
            self._finish(accumulators, self.pointers, 1)
            return self.f.finish()
        if self.kept is not None:
            with self.f.slabs() as slab:
                start = self.f.mul(slab, self.rows)
                self.part = start, self.f.minimum(self.f.add(start, self.rows), self.sizes[0])
                pointers = list(self.pointers)
                for k in range(self.low.loads + len(self.loop.stores), len(pointers)):
                    kind = in_memory(self.low.accesses[k].dtype)
                    pointers[k] = self.f.element(pointers[k], self.f.mul(slab, self.kept), kind)
                self._loops(pointers, None)
        else:
            self._loops(self.pointers, self.low.outer())
        return self.f.finish()

    def _loops(self, pointers: list[Value], outer: int | None) -> None:
        depth, folded = len(self.nest.sizes), self.nest.reduced
        kept = [d for d in range(depth) if not folded[d]]
        inside = [d for d in range(depth) if folded[d]]
        if not self.loop.reductions:
            self._kept(kept[:-1], pointers, outer, lambda p: self._vectors(p, kept[-1], outer))
        elif folded[-1]:
            self._kept(kept, pointers, outer, lambda p: self._fold_rows(p, inside))
        else:
            self._kept(kept[:-1], pointers, outer, lambda p: self._fold_columns(p, inside, kept[-1], outer))

    # -- loops -------------------------------------------------------------------------------------------------------

    def _range(self, d: int, outer: int | None) -> tuple[Value, Value]:
        """The part of a dimension that this call does: its slabs of the outermost kept one, all of any other."""
        f = self.f
        if d == 0 and self.part:
            return self.part
        if d != outer:
            return literal("i64", 0), self.sizes[d]
        return f.mul(f.begin, self.rows), f.minimum(f.mul(f.end, self.rows), self.sizes[d])

    def _moved(self, pointers: list[Value], d: int, i: Value) -> list[Value]:
        """The addresses at entry ``i`` of dimension ``d``."""
        out = []
        for k, p in enumerate(pointers):
            if self.nest.strides[k][d] == 0:
                out.append(p)
                continue
            kind = in_memory(self.low.accesses[k].dtype)
            out.append(self.f.element(p, self.f.mul(i, self.strides[k][d]), kind))
        return out

    def _kept(
        self, dims: list[int], pointers: list[Value], outer: int | None, inner: Callable[[list[Value]], None]
    ) -> None:
        if not dims:
            inner(pointers)
            return
        with self.f.loop(*self._range(dims[0], outer)) as i:
            self._kept(dims[1:], self._moved(pointers, dims[0], i), outer, inner)

    def _walk(self, start: Value, stop: Value, body: Callable[[Value, int, Value | None], None]) -> None:
        """``body(i, lanes, mask)`` over a range: in wide steps, then in vectors of which the last is masked."""
        f, narrow = self.f, self.lanes
        wide = narrow * self._unroll()
        length = f.sub(stop, start)
        middle = f.sub(stop, f.bit("urem", length, wide)) if wide > 1 else stop
        with f.loop(start, middle, wide) as i:
            body(i, wide, None)
        if wide == 1:
            return
        with f.loop(middle, stop, narrow) as i:
            numbers = f.add(f.iota(vector("i64", narrow)), i)
            body(i, narrow, f.compare("lt", numbers, stop) if narrow > 1 else None)

    def _unroll(self) -> int:
        return 1 if len(self.loop.members) > 12 and not self.loop.reductions else 2

    def _vectors(self, pointers: list[Value], d: int, outer: int | None) -> None:
        start, stop = self._range(d, outer)
        once = self._once(pointers, d)
        self._walk(start, stop, lambda i, lanes, mask: self._body(once, pointers, i, lanes, mask, []))

    def _fold_rows(self, pointers: list[Value], inside: list[int]) -> None:
        wide, narrow = self._start(self.lanes * self._unroll()), self._start(self.lanes)

        def innermost(at: list[Value]) -> None:
            once = self._once(at, inside[-1])
            self._walk(
                *self._range(inside[-1], None),
                lambda i, lanes, mask: self._body(
                    once, at, i, lanes, mask, narrow if mask is not None or lanes == self.lanes else wide
                ),
            )

        self._kept(inside[:-1], pointers, None, innermost)
        if self._unroll() > 1:
            for (m, total), (_, part) in zip(narrow, wide, strict=True):
                whole = part.get()
                for k in range(lanes_of(whole.type) // self.lanes):
                    piece = (
                        self.f.shuffle(whole, whole, range(k * self.lanes, (k + 1) * self.lanes))
                        if self.lanes > 1
                        else self.f.extract(whole, k)
                    )
                    total.set(self._combine(m, total.get(), piece))
        self._finish(narrow, pointers, 1)

    def _fold_columns(self, pointers: list[Value], inside: list[int], d: int, outer: int | None) -> None:
        start, stop = self._range(d, outer)

        def columns(i: Value, lanes: int, mask: Value | None) -> None:
            accumulators = self._start(lanes)

            def row(at: list[Value]) -> None:
                self._body(self._once(at, d), at, i, lanes, mask, accumulators)

            self._kept(inside, pointers, None, row)
            at = []
            for k, p in enumerate(pointers):
                kind = in_memory(self.low.accesses[k].dtype)
                at.append(self.f.element(p, i, kind) if self.nest.strides[k][d] else p)
            self._finish(accumulators, at, lanes, mask)

        self._walk(start, stop, columns)

    # -- one step ----------------------------------------------------------------------------------------------------

    def _once(self, pointers: list[Value], d: int) -> dict[int, Value]:
        """What does not change along the innermost dimension is read before its loop."""
        return {
            k: read(self.f, pointers[k], a.dtype, 1, None)
            for k, a in enumerate(self.low.accesses[: self.low.loads])
            if self.nest.strides[k][d] == 0
        }

    def _load(
        self, k: int, once: Any, pointers: list[Value], i: Value, lanes: int, mask: Value | None
    ) -> Value:
        f, access = self.f, self.low.accesses[k]
        if once and k in once:
            return f.splat(once[k], lanes)
        steps = self.nest.strides[k]
        kind = in_memory(access.dtype)
        if not steps:
            return read(f, pointers[k], access.dtype, 1, None)
        inner = self._inner()
        if steps[inner] == 1:
            return read(f, f.element(pointers[k], i, kind), access.dtype, lanes, mask)
        numbers = f.mul(f.add(f.iota(vector("i64", lanes)), i), self.strides[k][inner])
        raw = f.gather(pointers[k], numbers, kind, mask)
        return f.compare("ne", raw, 0) if access.dtype.name == "bool" else raw

    def _inner(self) -> int:
        return len(self.nest.sizes) - 1

    def _body(
        self, once: Any, pointers: list[Value], i: Value, lanes: int, mask: Value | None, accumulators: Any
    ) -> None:
        f, low = self.f, self.low
        values: dict[Var, Value] = {}
        loaded: dict[int, Value] = {}

        def operand(x: Any) -> Value:
            if not isinstance(x, View):
                return values[x]
            number = low.number(x)
            if number is not None:
                return literal(vector(in_register(x.root.type.dtype), lanes), number)
            k = low.index_of(x)
            if k not in loaded:
                loaded[k] = self._load(k, once, pointers, i, lanes, mask)
            return loaded[k]

        for m in self.loop.members:
            values[m.out] = self._value(m, [operand(x) for x in m.operands], lanes)
        for k, v in enumerate(self.loop.stores, low.loads):
            kind = in_memory(v.type.dtype)
            steps = self.nest.strides[k]
            if steps and steps[-1] != 1:
                numbers = f.mul(f.add(f.iota(vector("i64", lanes)), i), self.strides[k][-1])
                f.scatter(as_in_memory(f, values[v], v.type.dtype), pointers[k], numbers, mask)
                continue
            at = f.element(pointers[k], i, kind) if steps else pointers[k]
            write(f, values[v], at, v.type.dtype, mask)
        for m, total in accumulators:
            x = operand(m.operands[0])
            if mask is not None:
                x = f.select(mask, x, self._identity(m, x.type))
            total.set(self._combine(m, total.get(), x))

    def _value(self, m: Member, values: list[Value], lanes: int) -> Value:
        if m.equation is None:
            return values[0]
        eq = m.equation
        given = tuple(v.type.dtype for v in eq.inputs)
        result = self.low.expressions[eq.op.name](self.f, given, m.out.type.dtype, eq.params, *values)
        wanted = vector(in_register(m.out.type.dtype), lanes)
        if result.type != wanted:
            raise TypeError(f"the expression of {eq.op.name} gives {result.type}, expected {wanted}")
        return result

    # -- folding -----------------------------------------------------------------------------------------------------

    def _start(self, lanes: int) -> list[tuple[Member, Variable]]:
        out = []
        for m in self.loop.reductions:
            kind = vector(in_register(m.out.type.dtype), lanes)
            total = self.f.variable(kind)
            total.set(self._identity(m, kind))
            out.append((m, total))
        return out

    def _identity(self, m: Member, kind: str) -> Value:
        name = m.equation.op.name  # type: ignore[union-attr]
        if name in IDENTITY:  # -0 leaves every number as it is, -0 too
            floating = m.out.type.dtype.is_floating_point
            return literal(kind, -0.0 if name == "sum" and floating else IDENTITY[name])
        return literal(kind, _extreme(m.out.type.dtype, largest=name == "amin"))

    def _combine(self, m: Member, a: Value, b: Value) -> Value:
        f, name, dtype = self.f, m.equation.op.name, m.out.type.dtype  # type: ignore[union-attr]
        if dtype.name == "bool":
            word = {"sum": "or", "amax": "or", "prod": "and", "amin": "and"}[name]
            return f.bit(word, a, b)
        if name in ("sum", "prod"):
            return f.add(a, b) if name == "sum" else f.mul(a, b)
        if dtype.name == "uint8":
            return f.intrinsic("umax" if name == "amax" else "umin", a, b)
        return f.maximum(a, b) if name == "amax" else f.minimum(a, b)

    def _finish(
        self, accumulators: Any, pointers: list[Value], lanes: int, mask: Value | None = None
    ) -> None:
        first = self.low.loads + len(self.loop.stores)
        for k, (m, total) in enumerate(accumulators, first):
            value = total.get()
            while lanes_of(value.type) > lanes:
                half = lanes_of(value.type) // 2
                low, high = (
                    (self.f.extract(value, 0), self.f.extract(value, 1))
                    if half == 1
                    else (
                        self.f.shuffle(value, value, range(half)),
                        self.f.shuffle(value, value, range(half, 2 * half)),
                    )
                )
                value = self._combine(m, low, high)
            write(self.f, value, pointers[k], m.out.type.dtype, mask)


def _extreme(dtype: DType, largest: bool) -> Any:
    if dtype.is_floating_point:
        return float("inf") if largest else float("-inf")
    if dtype.name == "bool":
        return largest
    bits = dtype.itemsize * 8
    if dtype.name == "uint8":
        return 255 if largest else 0
    return 2 ** (bits - 1) - 1 if largest else -(2 ** (bits - 1))
