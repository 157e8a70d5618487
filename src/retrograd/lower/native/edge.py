"""What all kernels of matrix products share: their words, their slabs, and what is done at the edge of a product.

C[m, n] = op(A) op(B) in rows.  A product is cut into blocks of rows and blocks of columns; a slab is one block of each, of one
matrix of the batch.  The words of every such kernel begin alike (`WORDS`); those of the epilogue follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .emit import BITS, FLOATS, Value, element_of, vector
from .kernel import Address, KernelFunction
from .level import Level

# fmt: off
WORDS = (
    "a", "b", "c", "scratch", "m", "n", "k", "a_row", "a_step", "b_step", "c_row",
    "block_rows", "row_blocks", "block_columns", "column_blocks", "block_k",
    "a_batch", "b_batch", "c_batch", "scratch_step",
)
# fmt: on
"""Addresses, sizes and strides (in elements).  ``a_row`` and ``a_step``: from row to row of op(A), and along k; ``b_step``: from
row to row of B as it stands in memory; ``scratch_step``: from one slab's own memory to the next's."""

Word = Address | int | float


@dataclass(frozen=True)
class Epilogue:
    """What happens to each number of a product before it is stored: a bias added, a function applied, a mask.

    ``apply(f, words, row, column, acc, mask)`` gets the numbers at ``row`` and at the columns from ``column`` on, as many as
    ``acc`` has lanes (1: a scalar), and returns what is stored; None: it has stored what it wanted, and C is left alone.
    ``row`` counts on through the batch.  ``mask`` (None: all) says which lanes exist; others must be neither read nor written.
    ``words`` are the kernel's further arguments, loaded: addresses as "ptr", whole numbers as "i64", floats as "double".
    ``large``: the code is long, so it is written once a kernel in a loop, not once a register.
    """

    words: Sequence[Word]
    apply: Callable[[KernelFunction, list[Value], Value, Value, Value, Value | None], Value | None]
    large: bool = False
    title: str = ""


def kind_of(word: Word) -> str:
    """The type that a word of a command is read as."""
    return "ptr" if isinstance(word, Address) else "double" if isinstance(word, float) else "i64"


class ProductFunction(KernelFunction):
    """A kernel of a product being written: words by name, slabs as blocks, and the edge."""

    def __init__(self, title: str, element: str, epilogue: Epilogue | None) -> None:
        super().__init__(title + (f" + {epilogue.title or 'epilogue'}" if epilogue else ""))
        self.of = element
        self.named = {name: self.word(k, "ptr" if k < 4 else "i64") for k, name in enumerate(WORDS)}
        self.epilogue = epilogue
        further = epilogue.words if epilogue else ()
        self.further = [self.word(len(WORDS) + k, kind_of(w)) for k, w in enumerate(further)]

    def __getitem__(self, name: str) -> Value:
        return self.named[name]

    def at(self, pointer: Value, *terms: tuple[Value, Value] | Value) -> Value:
        """The address at a sum of products of counts and strides."""
        for term in terms:
            offset = self.mul(*term) if isinstance(term, tuple) else term
            pointer = self.element(pointer, offset, self.of)
        return pointer

    @contextmanager
    def blocks(self) -> Iterator[tuple[Value, Value, Value]]:
        """The loop over the slabs of this call: the matrix of the batch, the block of rows, the block of columns."""
        with self.slabs() as slab:
            rest = self.bit("udiv", slab, self["column_blocks"])
            columns = self.sub(slab, self.mul(rest, self["column_blocks"]))
            batch = self.bit("udiv", rest, self["row_blocks"])
            rows = self.sub(rest, self.mul(batch, self["row_blocks"]))
            yield batch, rows, columns

    def span(self, block: Value, size: Value, end: Value) -> tuple[Value, Value]:
        """Where a block begins and ends."""
        first = self.mul(block, size)
        return first, self.minimum(self.add(first, size), end)

    def lanes_left(self, column: Value, lanes: int, end: Value) -> Value:
        """The mask of the lanes from ``column`` on that lie before ``end``."""
        kind = vector("i64", lanes)
        return self.compare("lt", self.iota(kind), self.splat(self.sub(end, column), lanes))

    def finish_vector(
        self, batch: Value, row: Value, column: Value, acc: Value, mask: Value | None, c: Value
    ) -> None:
        """Apply the epilogue to one vector of a row, and store it in the row that begins at ``c``."""
        out: Value | None = acc
        if self.epilogue:
            global_row = self.add(self.mul(batch, self["m"]), row)
            out = self.epilogue.apply(self, self.further, global_row, column, acc, mask)
        if out is not None:
            self.store(out, self.element(c, column, self.of), mask)

    def finish_rows(
        self, batch: Value, c: Value, rows: tuple[Value, Value], columns: tuple[Value, Value], lanes: int
    ) -> None:
        """Apply the epilogue to a block of C that stands in memory; ``c`` is the start of the matrix."""
        with self.loop(*rows) as row:
            line = self.at(c, (row, self["c_row"]))
            count = self.sub(columns[1], columns[0])
            whole = self.add(columns[0], self.mul(self.bit("udiv", count, lanes), lanes))
            kind = vector(self.of, lanes)
            with self.loop(columns[0], whole, lanes) as j:
                acc = self.load(self.element(line, j, self.of), kind)
                self.finish_vector(batch, row, j, acc, None, line)
            with self.when(self.compare("lt", whole, columns[1])):
                mask = self.lanes_left(whole, lanes, columns[1])
                acc = self.load(self.element(line, whole, self.of), kind, mask)
                self.finish_vector(batch, row, whole, acc, mask, line)


FUSED, SEPARATE, TRUTH = "fused", "separate", "truth"


def summing(element: str, level: Level) -> str:
    """How products of an element are summed: by one rounding where the CPU can, else by two; truth values by "and", "or"."""
    if element == "i1":
        return TRUTH
    return FUSED if "fma" in level.needs or level.architecture == "aarch64" else SEPARATE


def multiply_add(f: KernelFunction, how: str, a: Value, b: Value, acc: Value) -> Value:
    """a·b + acc; of integers modulo 2^bits."""
    if how == TRUTH:
        return f.bit("or", acc, f.bit("and", a, b))
    if how == FUSED and element_of(acc.type) in FLOATS:
        return f.fma(a, b, acc)
    return f.add(acc, f.mul(a, b))


def in_memory(element: str) -> str:
    """What an element is in memory: truth values are bytes."""
    return "i8" if element == "i1" else element


def bytes_of(element: str) -> int:
    """The size of an element in memory."""
    return max(8, BITS[element]) // 8
