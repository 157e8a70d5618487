"""A fused loop with its dimensions collapsed, and the command that runs it.

Dimensions that every array walks through evenly are merged, so most loops are one loop over all elements.  Sizes, strides
and addresses are arguments of the kernel: equal loops over other shapes are the same kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...graph import Var
from ...types import DType, Shape, TensorType, size
from . import written
from .fuse import Loop, Member
from .kernel import Command
from .level import Level
from .loops import LoopWriter
from .views import View, row_major

CHUNK = 8192
"""Elements of one slab."""
PART = 32768
"""Elements of one part of a sum of many."""
FEW = 256
"""Results of a sum up to which the sum, and not its results, is cut into parts."""

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
        buffer: Callable[[TensorType], View] | None = None,
    ) -> None:
        """``targets``: where results lie that do not fill a buffer of their own row by row; ``buffer`` gives memory for parts
        of sums."""
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
        kept_shape = tuple(n for d, n in enumerate(loop.domain) if d not in dims)
        self.kept = size(kept_shape)
        self.parts, self.rows_of_part = _parts(loop.domain, dims) if buffer else (1, 0)
        self.partial: list[View] = []
        for m in loop.reductions:
            steps = iter(row_major(kept_shape))
            strides = tuple(0 if d in dims else next(steps) for d in range(len(loop.domain)))
            if self.parts > 1 and buffer:
                self.partial.append(buffer(TensorType((self.parts, *kept_shape), m.out.type.dtype)))
            self._access(View(self.partial[-1].root if self.partial else m.out, (), ()), strides)
        self._buffer = buffer
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

    def commands(self, locate: Locate) -> list[Command]:
        """The loop's command; a sum in parts takes further ones, which add the parts up in their order."""
        first = self.command(locate)
        if not self.partial:
            return [first]
        members = []
        for part, m in zip(self.partial, self.loop.reductions, strict=True):
            assert m.equation is not None
            params = {"dim": (0,), "keepdim": False}
            members.append(Member(m.equation._replace(params=params), (part,), m.out))
        rest = Loop(self.partial[0].shape, [], members)
        low = LoopLowering(rest, self.level, self.expressions, self.literal_of, None, self._buffer)
        return [first, *low.commands(locate)]

    def command(self, locate: Locate) -> Command:
        kernel = written.kernel(("loop", self.key()), self.level, lambda: LoopWriter(self).kernel())
        sizes = self.nest.sizes or [1]
        outer = self.outer()
        if self.partial:
            rows, slabs = self.rows_of_part, self.parts
        elif outer is None:
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
        words.append(self.kept)
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
            bool(self.partial),
        )

    def title(self) -> str:
        names = [
            m.equation.op.name if m.equation else "copy" for m in (*self.loop.members, *self.loop.reductions)
        ]
        return " ".join(names)


def _parts(domain: Shape, dims: set[int]) -> tuple[int, int]:
    """Into how many parts the first dimension of a large sum is cut, and the rows of one; by shape alone."""
    sizes = [(d, n) for d, n in enumerate(domain) if n != 1]
    kept = size(tuple(n for d, n in sizes if d not in dims))
    if not sizes or sizes[0][0] not in dims or kept > FEW or size(domain) < 2 * PART:
        return 1, 0
    n = sizes[0][1]
    rows = max(2, PART // (size(domain) // n))
    rows = -(-rows // 64) * 64 if len(sizes) == 1 else rows
    return -(-n // rows), rows


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
