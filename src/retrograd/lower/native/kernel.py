"""What a program is made of: kernels, and commands that call them one after the other.

A kernel is one native function ``void kernel(ptr arguments, i64 begin, i64 end)``.  ``arguments`` points to words of 8
bytes: addresses, whole numbers, or float64 numbers.  The work is cut into *slabs* by shape alone, never by the number of
threads; a call does the slabs from ``begin`` to ``end``.  Slabs of one command do not depend on each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .emit import Function, Value, module

ARGUMENTS = ("ptr", "i64", "i64")


@dataclass(frozen=True, slots=True)
class Kernel:
    """A native function: its symbol, which is a digest of its text, and the module that defines it."""

    symbol: str
    text: str = field(repr=False)
    title: str = ""
    """What it does, in words: for plans and dumps."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place in memory that is known when the program is put together: a variable's buffer, and bytes from its start."""

    buffer: Any
    offset: int = 0


@dataclass(slots=True)
class Command:
    """One call of a kernel, over ``slabs`` slabs."""

    kernel: Kernel
    arguments: Sequence[Address | int | float]
    slabs: int = 1
    work: float = 0.0
    """Predicted nanoseconds on one thread, for deciding whether threads pay."""


class KernelFunction(Function):
    """A kernel being written: its words are read with `word` and `pointer`, and `slabs` is the loop over its slabs."""

    def __init__(self, title: str) -> None:
        super().__init__("kernel", ARGUMENTS)
        self.title = title
        self.words, self.begin, self.end = self.arguments

    def word(self, k: int, kind: str = "i64") -> Value:
        """Argument number ``k``: a whole number, a "double", or a "ptr"."""
        return self.load(self.element(self.words, k, "i64"), kind)

    def pointer(self, k: int) -> Value:
        """Argument number ``k`` as an address."""
        return self.word(k, "ptr")

    def slabs(self) -> Any:
        """``with kernel.slabs() as slab:`` the loop over the slabs of this call."""
        return self.loop(self.begin, self.end)

    def finish(self) -> Kernel:
        """The kernel, named by its content: equal kernels are one."""
        text = module(self)
        symbol = "k" + hashlib.sha256(text.encode()).hexdigest()[:24]
        return Kernel(symbol, text.replace("@kernel(", f"@{symbol}("), self.title)
