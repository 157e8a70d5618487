"""A fused loop with its dimensions collapsed, and the command that runs it.

Dimensions that every array walks through evenly are merged, so most loops are one loop over all elements.  Sizes, strides
and addresses are arguments of the kernel: equal loops over other shapes are the same kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...graph import Var
from ...types import DType, Shape, size
from . import written
from .fuse import Loop
from .kernel import Command
from .level import Level
from .loops import LoopWriter
from .views import View, row_major

CHUNK = 8192
"""Elements of one slab."""

Locate = Callable[[View], Any]
Literal = Callable[[Var], Any]
"""The number that a variable always is, or None."""


@dataclass(slots=True)
class Access:
    """An array that a loop walks through: what it is, and its stride along each dimension of the loop."""

    view: View
    strides: tuple[int, ...]
    dtype: DType


@dataclass(slots=True)
class Nest:
    """A loop with its dimensions collapsed."""

    sizes: list[int]
    reduced: list[bool]
    strides: list[list[int]]
    """For each access, one per dimension."""


class LoopLowering:
    """One loop, ready to become a command; equal loops share a kernel."""

    def __init__(
        self,
        loop: Loop,
        level: Level,
        expressions: Mapping[str, Any],
        literal_of: Literal,
        targets: Mapping[Var, View] | None = None,
    ) -> None:
        """``targets``: where results lie that do not fill a buffer of their own row by row."""
        self.loop, self.level, self.expressions, self.literal_of = loop, level, expressions, literal_of
        self.accesses: list[Access] = []
        self._numbers: dict[Any, int] = {}
        for member in (*loop.members, *loop.reductions):
            for x in member.operands:
                if isinstance(x, View) and self.number(x) is None:
                    self._access(x, x.strides)
        self.loads = len(self.accesses)
        for v in loop.stores:
            at = (targets or {}).get(v) or View(v, loop.domain, row_major(loop.domain))
            self._access(at, at.strides)
        dims = set(loop.dims or ())
        for m in loop.reductions:
            kept = row_major([n for d, n in enumerate(loop.domain) if d not in dims])
            steps = iter(kept)
            self._access(
                View(m.out, (), ()), tuple(0 if d in dims else next(steps) for d in range(len(loop.domain)))
            )
        self.nest = _collapse(loop.domain, dims, self.accesses)

    def number(self, x: View) -> Any:
        """The plain number that an operand is everywhere, if it is one."""
        return self.literal_of(x.root) if size(x.root.type.shape) == 1 else None

    def _access(self, view: View, strides: tuple[int, ...]) -> None:
        key = (view.root, strides, view.offset)
        if key not in self._numbers:
            self._numbers[key] = len(self.accesses)
            self.accesses.append(Access(view, strides, view.root.type.dtype))

    def index_of(self, view: View) -> int:
        return self._numbers[view.root, view.strides, view.offset]

    # -- the command ------------------------------------------------------------------------------------------------

    def command(self, locate: Locate) -> Command:
        kernel = written.kernel(("loop", self.key()), self.level, lambda: LoopWriter(self).kernel())
        sizes = self.nest.sizes or [1]
        outer = self.outer()
        if outer is None:
            rows, slabs = 1, 1
        else:
            inner = max(1, size(tuple(sizes)) // max(1, sizes[outer]))
            rows = max(1, CHUNK // inner)
            if len(sizes) == 1 or outer == len(sizes) - 1:
                rows = -(-rows // 64) * 64  # whole vectors, so that a slab's end is no tail
            slabs = -(-sizes[outer] // rows)
        words: list[Any] = [rows, *self.nest.sizes]
        for access, strides in zip(self.accesses, self.nest.strides, strict=True):
            words += [locate(access.view), *strides]
        ops = len(self.loop.members) + len(self.loop.reductions)
        return Command(kernel, words, slabs, size(self.loop.domain) * (0.05 + 0.02 * ops))

    def outer(self) -> int | None:
        """The dimension that is cut into slabs: the first that is not folded; None where there is none."""
        return next((d for d, folded in enumerate(self.nest.reduced) if not folded), None)

    def key(self) -> Any:
        """What the kernel's text depends on."""
        known: dict[Any, int] = {}

        def operand(x: Any) -> Any:
            if isinstance(x, View):
                number = self.number(x)
                return (
                    ("n", x.root.type.dtype.name, repr(number))
                    if number is not None
                    else ("a", self.index_of(x))
                )
            return ("v", known[x])

        members = []
        for m in (*self.loop.members, *self.loop.reductions):
            eq = m.equation
            params = (
                ()
                if eq is None or m in self.loop.reductions
                else tuple(sorted((k, repr(p)) for k, p in eq.params.items()))
            )
            members.append(
                (
                    None if eq is None else eq.op.name,
                    params,
                    tuple(map(operand, m.operands)),
                    m.out.type.dtype.name,
                )
            )
            known[m.out] = len(known)
        inner = [s[-1] if s and s[-1] in (0, 1) else (None if s else 0) for s in self.nest.strides]
        zeros = [tuple(x == 0 for x in s) for s in self.nest.strides]
        kinds = [a.dtype.name for a in self.accesses]
        stored = [known[v] for v in self.loop.stores]
        return (
            tuple(members),
            tuple(stored),
            tuple(self.nest.reduced),
            tuple(inner),
            tuple(zeros),
            tuple(kinds),
            self.loads,
        )

    def title(self) -> str:
        names = [
            m.equation.op.name if m.equation else "copy" for m in (*self.loop.members, *self.loop.reductions)
        ]
        return " ".join(names)


def _collapse(domain: Shape, dims: set[int], accesses: list[Access]) -> Nest:
    """Merge neighbouring dimensions that every access walks through evenly, and drop those of size 1.

    Dimensions that are folded stay apart: else the order of a sum would depend on what else its loop does.
    """
    nest = Nest([], [], [[] for _ in accesses])
    for d, n in enumerate(domain):
        if n == 1:
            continue
        folded = d in dims
        if (
            nest.sizes
            and not (folded or nest.reduced[-1])
            and all(s[-1] == a.strides[d] * n for s, a in zip(nest.strides, accesses, strict=True))
        ):
            nest.sizes[-1] *= n
            for s, a in zip(nest.strides, accesses, strict=True):
                s[-1] = a.strides[d]
        else:
            nest.sizes.append(n)
            nest.reduced.append(folded)
            for s, a in zip(nest.strides, accesses, strict=True):
                s.append(a.strides[d])
    return nest
