"""Writing LLVM's language: a `Function` takes down instructions and gives back `Value`s.

Values are scalars or vectors of one width; every arithmetic method takes both.  No instruction carries a fast-math flag:
what is rounded once is written as `fma`, and nothing else may be contracted or reordered, so the same function gives the
same bits on every machine that has the instructions.

>>> f = Function("double_it", ("ptr", "i64"))
>>> x, n = f.arguments
>>> with f.loop(0, n) as i:
...     p = f.element(x, i, "float")
...     f.store(f.add(f.load(p, "float"), f.load(p, "float")), p)
>>> print(f.text().splitlines()[0])
define void @double_it(ptr %a0, i64 %a1) nounwind {
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .value import (
    BITS,
    FLOATS,
    Operand,
    Value,
    element_of,
    lanes_of,
    literal,
    suffix,
    vector,
    with_element,
)

__all__ = [
    "BITS", "FLOATS", "Function", "Operand", "Value", "Variable", "element_of", "lanes_of", "literal", "module",
    "vector", "with_element",
]  # fmt: skip


class Function:
    """One function being written; ``arguments`` are its values.  ``apart``: its pointers never overlap."""

    def __init__(
        self, name: str, arguments: Sequence[str], result: str = "void", apart: bool = False
    ) -> None:
        self.name = name
        self.result = result
        self.arguments = [Value(f"%a{k}", kind) for k, kind in enumerate(arguments)]
        self.declared: set[str] = set()
        self.globals: dict[str, str] = {}
        self._apart = apart
        self._entry: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        self._block = "entry"

    # -- text ------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The definition alone; `module` gives what can be compiled."""
        note = " noalias" if self._apart else ""
        given = ", ".join(f"{a.type}{note if a.type == 'ptr' else ''} {a.text}" for a in self.arguments)
        end = ["  ret void"] if self.result == "void" else []
        lines = [f"define {self.result} @{self.name}({given}) nounwind {{", "entry:"]
        return "\n".join([*lines, *self._entry, *self._lines, *end, "}"])

    def emit(self, text: str) -> None:
        """One line, as it is."""
        self._lines.append("  " + text)

    def name_of_next(self) -> str:
        self._count += 1
        return f"%v{self._count}"

    def make(self, kind: str, text: str) -> Value:
        """The value of an instruction."""
        out = Value(self.name_of_next(), kind)
        self.emit(f"{out.text} = {text}")
        return out

    def _label(self, name: str) -> None:
        self._lines.append(f"{name}:")
        self._block = name

    # -- values ----------------------------------------------------------------------------------------------------

    def like(self, number: Operand, kind: str) -> Value:
        """A plain number, or a scalar where a vector is wanted, as a value of the type ``kind``."""
        if not isinstance(number, Value):
            return literal(kind, number)
        if number.type == kind:
            return number
        if number.type != element_of(kind):
            raise TypeError(f"{number.type} where {kind} is wanted")
        return self.splat(number, lanes_of(kind))

    def splat(self, scalar: Value, lanes: int) -> Value:
        """The same number in every lane."""
        if lanes == 1:
            return scalar
        kind = vector(scalar.type, lanes)
        one = self.make(kind, f"insertelement {kind} poison, {scalar}, i64 0")
        return self.shuffle(one, one, [0] * lanes)

    def shuffle(self, a: Value, b: Value, picks: Sequence[int]) -> Value:
        """Lanes of two vectors, by number: those of ``b`` count on from those of ``a``; -1 is any."""
        mask = ", ".join("i32 poison" if p < 0 else f"i32 {p}" for p in picks)
        kind = vector(element_of(a.type), len(picks))
        return self.make(kind, f"shufflevector {a}, {b}, <{len(picks)} x i32> <{mask}>")

    def extract(self, v: Value, lane: Operand) -> Value:
        """One lane as a scalar."""
        if lanes_of(v.type) == 1:
            return v
        return self.make(element_of(v.type), f"extractelement {v}, {self.like(lane, 'i64')}")

    def insert(self, v: Value, scalar: Value, lane: Operand) -> Value:
        """``v`` with another number in one lane."""
        return self.make(v.type, f"insertelement {v}, {scalar}, {self.like(lane, 'i64')}")

    def iota(self, kind: str) -> Value:
        """0, 1, 2, ... in the lanes of an integer type."""
        lanes, element = lanes_of(kind), element_of(kind)
        if lanes == 1:
            return literal(kind, 0)
        return Value("<" + ", ".join(f"{element} {k}" for k in range(lanes)) + ">", kind)

    def _pair(self, a: Operand, b: Operand) -> tuple[Value, Value]:
        values = [v for v in (a, b) if isinstance(v, Value)]
        kind = max((v.type for v in values), key=lanes_of)
        return self.like(a, kind), self.like(b, kind)

    def _binary(self, floating: str, whole: str, a: Operand, b: Operand) -> Value:
        x, y = self._pair(a, b)
        name = floating if element_of(x.type) in FLOATS else whole
        return self.make(x.type, f"{name} {x}, {y.text}")

    def add(self, a: Operand, b: Operand) -> Value:
        return self._binary("fadd", "add", a, b)

    def sub(self, a: Operand, b: Operand) -> Value:
        return self._binary("fsub", "sub", a, b)

    def mul(self, a: Operand, b: Operand) -> Value:
        return self._binary("fmul", "mul", a, b)

    def div(self, a: Operand, b: Operand) -> Value:
        """Of integers: towards zero; the caller sees to divisors of 0."""
        return self._binary("fdiv", "sdiv", a, b)

    def rem(self, a: Operand, b: Operand) -> Value:
        """Of integers only: with the sign of ``a``."""
        return self._binary("frem", "srem", a, b)

    def bit(self, name: str, a: Operand, b: Operand) -> Value:
        """and, or, xor, shl, lshr, ashr, udiv, urem of integers, of i1 too."""
        x, y = self._pair(a, b)
        return self.make(x.type, f"{name} {x}, {y.text}")

    def neg(self, a: Value) -> Value:
        return self.make(a.type, f"fneg {a}") if element_of(a.type) in FLOATS else self.sub(0, a)

    def compare(self, how: str, a: Operand, b: Operand) -> Value:
        """i1: eq, ne, lt, le, gt, ge; with a NaN all but ne are false.  Integers are signed; ult, ule, ugt, uge are not."""
        x, y = self._pair(a, b)
        if element_of(x.type) in FLOATS:
            word = f"fcmp {'une' if how == 'ne' else 'o' + how}"
        else:
            word = f"icmp {how if how in ('eq', 'ne') or how[0] == 'u' else 's' + how}"
        return self.make(with_element(x.type, "i1"), f"{word} {x}, {y.text}")

    def select(self, condition: Value, a: Operand, b: Operand) -> Value:
        """``a`` where the condition holds, else ``b``, lane by lane."""
        x, y = self._pair(a, b)
        return self.make(x.type, f"select {condition}, {x}, {y}")

    def convert(self, v: Value, element: str, unsigned: bool = False) -> Value:
        """The same number in another element type.  Floats beyond an integer's range are the caller's to clip."""
        source = element_of(v.type)
        if source == element:
            return v
        to = with_element(v.type, element)
        unsigned = unsigned or source == "i1"
        if source in FLOATS and element in FLOATS:
            word = "fpext" if BITS[source] < BITS[element] else "fptrunc"
        elif source in FLOATS:
            word = "fptoui" if unsigned else "fptosi"
        elif element in FLOATS:
            word = "uitofp" if unsigned else "sitofp"
        elif BITS[source] > BITS[element]:
            word = "trunc"
        else:
            word = "zext" if unsigned else "sext"
        return self.make(to, f"{word} {v} to {to}")

    def bits(self, v: Value, element: str) -> Value:
        """The same bits as another element type of the same size."""
        to = with_element(v.type, element)
        return self.make(to, f"bitcast {v} to {to}")

    # -- LLVM's intrinsics -------------------------------------------------------------------------------------------

    def call(self, kind: str, name: str, *given: Value) -> Value:
        """The result of another function; declared if it is not this module's own."""
        self.declared.add(f"declare {kind} @{name}({', '.join(v.type for v in given)})")
        text = f"call {kind} @{name}({', '.join(map(str, given))})"
        if kind == "void":
            self.emit(text)
            return Value("", kind)
        return self.make(kind, text)

    def intrinsic(self, name: str, *given: Operand) -> Value:
        """``llvm.NAME`` of values of one type, with a result of that type: sqrt, fabs, floor, ceil, trunc, rint, copysign."""
        kind = max((v.type for v in given if isinstance(v, Value)), key=lanes_of)
        return self.call(kind, f"llvm.{name}.{suffix(kind)}", *(self.like(v, kind) for v in given))

    def fma(self, a: Operand, b: Operand, c: Operand) -> Value:
        """a·b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def minimum(self, a: Operand, b: Operand) -> Value:
        """The smaller; NaN where either is, and of zeros -0."""
        x, y = self._pair(a, b)
        return self.intrinsic("minimum" if element_of(x.type) in FLOATS else "smin", x, y)

    def maximum(self, a: Operand, b: Operand) -> Value:
        """The larger; NaN where either is, and of zeros +0."""
        x, y = self._pair(a, b)
        return self.intrinsic("maximum" if element_of(x.type) in FLOATS else "smax", x, y)

    # -- memory ----------------------------------------------------------------------------------------------------

    def element(self, pointer: Value, index: Operand, element: str) -> Value:
        """The address of an entry of an array."""
        return self.make("ptr", f"getelementptr {element}, {pointer}, {self.like(index, 'i64')}")

    def load(self, pointer: Value, kind: str, mask: Value | None = None) -> Value:
        """A scalar, or a vector of neighbours; lanes outside the mask are not read, and are 0."""
        size = max(1, BITS[element_of(kind)] // 8)
        if mask is None:
            return self.make(kind, f"load {kind}, {pointer}, align {size}")
        name = f"llvm.masked.load.{suffix(kind)}.p0"
        self.declared.add(f"declare {kind} @{name}(ptr, {mask.type}, {kind})")
        return self.make(
            kind, f"call {kind} @{name}(ptr align {size} {pointer.text}, {mask}, {kind} zeroinitializer)"
        )

    def store(self, value: Value, pointer: Value, mask: Value | None = None) -> None:
        """Write a scalar, or a vector to neighbours; lanes outside the mask are left alone."""
        size = max(1, BITS[element_of(value.type)] // 8)
        if mask is None:
            self.emit(f"store {value}, {pointer}, align {size}")
            return
        name = f"llvm.masked.store.{suffix(value.type)}.p0"
        self.declared.add(f"declare void @{name}({value.type}, ptr, {mask.type})")
        self.emit(f"call void @{name}({value}, ptr align {size} {pointer.text}, {mask})")

    def gather(self, pointer: Value, index: Value, element: str, mask: Value | None = None) -> Value:
        """Entries of an array, by a vector of numbers (i64)."""
        lanes = lanes_of(index.type)
        if lanes == 1:
            return self.load(self.element(pointer, index, element), element, None)
        kind, places = vector(element, lanes), vector("ptr", lanes)
        at = self.make(places, f"getelementptr {element}, {pointer}, {index}")
        on = mask or literal(vector("i1", lanes), True)
        name = f"llvm.masked.gather.{suffix(kind)}.v{lanes}p0"
        self.declared.add(f"declare {kind} @{name}({places}, {on.type}, {kind})")
        size = max(1, BITS[element] // 8)
        return self.make(
            kind, f"call {kind} @{name}({places} align {size} {at.text}, {on}, {kind} zeroinitializer)"
        )

    def scatter(self, value: Value, pointer: Value, index: Value, mask: Value | None = None) -> None:
        """Write to entries of an array, by a vector of numbers (i64) that are all different."""
        lanes, element = lanes_of(index.type), element_of(value.type)
        if lanes == 1:
            self.store(value, self.element(pointer, index, element))
            return
        places = vector("ptr", lanes)
        at = self.make(places, f"getelementptr {element}, {pointer}, {index}")
        on = mask or literal(vector("i1", lanes), True)
        name = f"llvm.masked.scatter.{suffix(value.type)}.v{lanes}p0"
        self.declared.add(f"declare void @{name}({value.type}, {places}, {on.type})")
        size = max(1, BITS[element] // 8)
        self.emit(f"call void @{name}({value}, {places} align {size} {at.text}, {on})")

    def variable(self, kind: str, start: Operand | None = None) -> Variable:
        """A value that changes, in a loop for instance; it lives in registers."""
        place = Value(self.name_of_next(), "ptr")
        self._entry.append(f"  {place.text} = alloca {kind}")
        out = Variable(self, place, kind)
        if start is not None:
            out.set(self.like(start, kind))
        return out

    def table(self, name: str, element: str, numbers: Sequence[Any]) -> Value:
        """A constant array of this module."""
        entries = ", ".join(str(literal(element, x)) for x in numbers)
        self.globals[name] = (
            f"@{name} = private unnamed_addr constant [{len(numbers)} x {element}] [{entries}], align 64"
        )
        return Value(f"@{name}", "ptr")

    # -- control ---------------------------------------------------------------------------------------------------

    @contextmanager
    def loop(self, start: Operand, stop: Operand, step: Operand = 1) -> Iterator[Value]:
        """``for i in range(start, stop, step)`` with a positive step, over i64."""
        self._count += 1
        k, before = self._count, self._block
        first, last, by = (self.like(x, "i64") for x in (start, stop, step))
        i, after = Value(f"%i{k}", "i64"), f"%n{k}"
        self.emit(f"br label %head{k}")
        self._label(f"head{k}")
        self.emit(f"{i.text} = phi i64 [ {first.text}, %{before} ], [ {after}, %next{k} ]")
        self.emit(f"%t{k} = icmp slt {i}, {last.text}")
        self.emit(f"br i1 %t{k}, label %body{k}, label %exit{k}")
        self._label(f"body{k}")
        yield i
        self.emit(f"br label %next{k}")
        self._label(f"next{k}")
        self.emit(f"{after} = add {i}, {by.text}")
        self.emit(f"br label %head{k}")
        self._label(f"exit{k}")

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """What is inside runs only where the scalar condition holds."""
        self._count += 1
        k = self._count
        self.emit(f"br {condition}, label %then{k}, label %done{k}")
        self._label(f"then{k}")
        yield
        self.emit(f"br label %done{k}")
        self._label(f"done{k}")


class Variable:
    """A value that is assigned more than once."""

    def __init__(self, function: Function, place: Value, kind: str) -> None:
        self._function, self.place, self.type = function, place, kind

    def get(self) -> Value:
        return self._function.make(self.type, f"load {self.type}, {self.place}")

    def set(self, value: Operand) -> None:
        self._function.emit(f"store {self._function.like(value, self.type)}, {self.place}")


def module(*functions: Function) -> str:
    """Text that LLVM compiles: constants, what is called from elsewhere, definitions."""
    own = {f"@{f.name}(" for f in functions}
    declared = sorted({d for f in functions for d in f.declared if not any(o in d for o in own)})
    tables = [t for f in functions for t in f.globals.values()]
    return "\n".join([*dict.fromkeys(tables), *declared, *(f.text() for f in functions)]) + "\n"
