"""A graph as a native program: a table of kernel calls over one block of memory, run by one call."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...errors import UsageError
from ...graph import Graph, Var
from ...op import Array
from ...types import TensorType, size
from . import argument, copying, dense, factors, indexing, jit, level, products, random, rows, scan, sorting
from .blas import guarded
from .expressions import EXPRESSIONS
from .fuse import Loop, Single, fuse
from .kernel import Address, Command
from .level import Level
from .memory import END, aligned, apart, bytes_of, lay_out
from .nest import LoopLowering
from .placement import Placement
from .pool import run_together
from .runner import run_function
from .singles import LEFT_TO_NUMPY, REPORTING, SINGLES, Site, copy_loop
from .together import Region, arrange
from .views import View, whole

STATUS = 64
"""Bytes at the start of the block for what kernels report: the number of the first command that met a bad index."""
SMALL_INPUT = 1 << 18
"""Bytes up to which an input is copied into the program's own memory at a call."""


class Native:
    """Executor of one graph; see `lower.program.Executor`."""

    def __init__(self, graph: Graph, level: Level) -> None:
        self._graph, self._level = graph, level
        self._layout_key: Any = None

    # -- building ----------------------------------------------------------------------------------------------------

    def bind(self, state: dict[Var, Array], changed: dict[Var, list[Array]]) -> None:
        arrays: list[Array] = []
        numbers: dict[int, int] = {}

        def number(a: Array) -> int:
            if id(a) not in numbers:
                numbers[id(a)] = len(arrays)
                arrays.append(a)
            return numbers[id(a)]

        cells = {v: number(a) for v, a in state.items()}
        targets = {v: [number(a) for a in to] for v, to in changed.items()}
        self._apart = apart(arrays)
        key = (tuple(cells.items()), tuple((v, tuple(to)) for v, to in targets.items()), self._apart)
        if key != self._layout_key:
            self._layout_key = key
            self._build(cells, targets)
        self._attach(arrays)

    def _build(self, cells: dict[Var, int], targets: dict[Var, list[int]]) -> None:
        graph = self._graph
        schedule = self._schedule = fuse(graph, EXPRESSIONS)
        self._literals = {
            v: np.require(a, requirements=["C", "A"]) for v, a in graph.captured.items() if v not in cells
        }
        placement = Placement(graph, schedule, cells, targets)
        place, outputs = placement.place, placement.outputs
        self._place, self._copies, self._outputs = place, placement.copies, outputs
        elsewhere = {**place, **self._literals, **dict.fromkeys(graph.inputs)}
        self._inputs = {v: i for i, v in enumerate(graph.inputs)}
        self._small = [bytes_of(v) <= SMALL_INPUT for v in graph.inputs]
        kept = [*outputs, *(view.root for view, _ in self._copies)]
        kept += [view.root for group in schedule.groups for view in _for_reports(group)]
        given = [v for v, small in zip(graph.inputs, self._small, strict=True) if small]
        layout = lay_out(schedule, elsewhere, kept, given, STATUS)
        self._offsets = layout.offsets
        self._arena = self._scratch = layout.size
        self._scratches: list[tuple[int, int]] = []
        self._commands: list[Command | Single] = []
        self._writes: list[list[Var]] = []
        self._site = Site(
            self._level,
            self._locate,
            self._take_scratch,
            Address(None, 0),
            self._contiguous,
            self._copy,
            self._buffer,
        )
        for group in schedule.groups:
            self._add(group)
        for view, target in self._copies:
            fresh = Var(f"state {target}", view.root.type if view.whole else _typed(view))
            self._place[fresh] = target
            self._add(copy_loop(view, fresh))
        self._block = aligned(self._scratch)
        self._assemble()

    def _add(self, group: Any) -> None:
        commands = self._lowered(group)
        self._commands += commands
        self._writes += [group.writes] * len(commands)

    def _lowered(self, group: Any) -> list[Command | Single]:
        if isinstance(group, Loop):
            if size(group.domain) == 0:
                return []
            low = LoopLowering(group, self._level, EXPRESSIONS, self._literal, None, self._buffer)
            return list(low.commands(self._locate))
        rule = SINGLES.get(group.equation.op.name)
        commands = rule(self._site, group) if rule else None
        return [group] if commands is None else list(commands)

    def _literal(self, v: Var) -> Any:
        array = self._literals.get(v)
        return array.reshape(-1)[0] if array is not None and array.size == 1 else None

    def _locate(self, view: View) -> Address:
        return Address(view.root, view.offset * view.root.type.dtype.itemsize)

    def _buffer(self, kind: TensorType) -> View:
        fresh = Var("between", kind)
        self._offsets[fresh] = self._take_scratch(bytes_of(fresh)).offset
        return whole(fresh)

    def _contiguous(self, view: View) -> tuple[View, list[Any]]:
        fresh = self._buffer(_typed(view))
        return fresh, self._copy(view, fresh)

    def _copy(self, view: View, to: View) -> list[Any]:
        if not size(view.shape):
            return []
        loop = copy_loop(view, Var("copied", _typed(view)))
        low = LoopLowering(loop, self._level, EXPRESSIONS, self._literal, {loop.stores[0]: to})
        return [low.command(self._locate)]

    def _take_scratch(self, n: int) -> Address:
        at, self._scratch = self._scratch, self._scratch + -(-n // 64) * 64
        self._scratches.append((at, self._scratch))
        return Address(None, at)

    # -- words -------------------------------------------------------------------------------------------------------

    def _assemble(self) -> None:
        kernels = [c.kernel for c in self._commands if isinstance(c, Command)]
        addresses = jit.compile_kernels(kernels, self._level)
        words: list[int] = []
        starts: list[int] = []
        self._patches: dict[tuple[str, int], list[tuple[int, int]]] = {}
        base = self._block.ctypes.data
        for c in self._commands:
            if isinstance(c, Single):
                continue
            starts.append(len(words))
            for w in c.arguments:
                words.append(self._word(w, base, len(words)))
        self._words = np.array(words, np.int64)
        table, k, fresh = [], 0, True
        segments: list[Any] = []
        at = self._words.ctypes.data
        for c in self._commands:
            if isinstance(c, Single):
                segments.append(c)
                fresh = True
                continue
            if fresh:
                segments.append([len(table), 0])
                fresh = False
            table.append((addresses[c.kernel.symbol], at + 8 * starts[k], c.slabs, 0))
            segments[-1][1] += 1
            k += 1
        self._table = np.array(table, np.int64).reshape(-1, 4)
        start = self._table.ctypes.data
        touched = [
            (c, self._touched(c, writes))
            for c, writes in zip(self._commands, self._writes, strict=True)
            if isinstance(c, Command)
        ]
        self._segments: list[Any] = []
        for s in segments:
            if isinstance(s, Single):
                self._segments.append(s)
                continue
            part = slice(s[0], s[0] + s[1])
            ways, worth = arrange(*zip(*touched[part], strict=True))
            self._table[part, 3] = ways
            run = (run_together if worth else run_function)(self._level)
            run = guarded(run, (c.kernel for c, _ in touched[part]))
            self._segments.append((run, start + 32 * s[0], s[1]))
        self._only = (
            self._segments[0]
            if len(self._segments) == 1 and not isinstance(self._segments[0], Single)
            else None
        )

    def _touched(self, command: Command, writes: list[Var]) -> list[Region]:
        """The memory that a command reads and writes."""
        out = []
        for w in command.arguments:
            if not isinstance(w, Address):
                continue
            v = w.buffer
            if v is None:
                out += [Region("", a, b, True) for a, b in self._scratches if a <= w.offset < b]
            elif v in self._offsets:
                at = self._offsets[v]
                out.append(Region("", at, at + bytes_of(v), v in writes or at >= self._arena))
            elif v in self._place:
                out.append(Region(self._place[v] if self._apart else "state", 0, END, v in writes))
        return out

    def _word(self, w: Any, base: int, position: int) -> int:
        if isinstance(w, Address):
            if w.buffer is None:
                return base + w.offset
            v = w.buffer
            if v in self._offsets:
                return base + self._offsets[v] + w.offset
            if v in self._literals:
                return self._literals[v].__array_interface__["data"][0] + w.offset
            key = ("input", self._inputs[v]) if v in self._inputs else ("state", self._place[v])
            self._patches.setdefault(key, []).append((position, w.offset))
            return 0
        if isinstance(w, float):
            return struct.unpack("<q", struct.pack("<d", w))[0]
        return int(w)

    def _attach(self, arrays: list[Array]) -> None:
        """Tell the kernels where the state lies; arrays that are not row by row are copied in and out at every call."""
        self._staged: list[tuple[Array, Array]] = []
        self._state: list[Array] = []
        for a in arrays:
            if not (a.flags.c_contiguous and a.flags.writeable and a.ctypes.data % a.itemsize == 0):
                inner = np.array(a, order="C")
                self._staged.append((a, inner))
                a = inner
            self._state.append(a)
        for n, a in enumerate(self._state):
            self._point(("state", n), a)
        held = list(self._graph.inputs)
        self._input_buffers = [
            self._array(v) if small else None for v, small in zip(held, self._small, strict=True)
        ]
        self._input_pointers: list[Any] = [None] * len(held)
        self._out_arrays = [self._array(v) for v in self._outputs]
        self._state_ids = {id(a) for a in self._state}

    def _point(self, key: tuple[str, int], a: Array) -> None:
        pointer = a.__array_interface__["data"][0]
        for position, offset in self._patches.get(key, ()):
            self._words[position] = pointer + offset

    def _array(self, v: Var) -> Array:
        """The buffer of a variable, as NumPy sees it."""
        shape, dtype = tuple(v.type.shape), v.type.dtype.numpy
        if v in self._place:
            return self._state[self._place[v]].reshape(shape)
        if v in self._literals:
            return self._literals[v]
        if v in self._inputs and v not in self._offsets:
            return self._input_pointers[self._inputs[v]]
        at = self._offsets[v]
        return self._block[at : at + size(shape) * dtype.itemsize].view(dtype).reshape(shape)

    # -- running -----------------------------------------------------------------------------------------------------

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        for k, a in enumerate(inputs):
            buffer = self._input_buffers[k]
            if buffer is not None:
                buffer[...] = a
            elif a is not self._input_pointers[k]:
                if (
                    not (a.flags.c_contiguous and a.ctypes.data % a.itemsize == 0)
                    or id(a) in self._state_ids
                    or (a.base is not None and id(a.base) in self._state_ids)
                ):
                    a = np.array(a, order="C")
                self._input_pointers[k] = a
                self._point(("input", k), a)
        for outside, inner in self._staged:
            inner[...] = outside
        if self._only is not None:
            run, table, count = self._only
            run(table, count)
        else:
            self._block[:8] = 0  # what NumPy refuses leaves a report behind
            for segment in self._segments:
                if isinstance(segment, Single):
                    self._evaluate(segment)
                else:
                    run, table, count = segment
                    run(table, count)
        if self._site.checks and self._block[0]:
            self._complain()
        for outside, inner in self._staged:
            outside[...] = inner
        return [a.copy() for a in self._out_arrays]

    def _evaluate(self, single: Single) -> None:
        eq = single.equation
        given = []
        for v in single.operands:
            a = self._array(v.root).reshape(-1)
            given.append(
                np.lib.stride_tricks.as_strided(
                    a[v.offset :], v.shape, tuple(s * a.itemsize for s in v.strides), writeable=False
                )
                if size(v.shape)
                else np.zeros(v.shape, a.dtype)
            )
        with np.errstate(all="ignore"):
            values = eq.op.eval(*given, **eq.params)
        for v, value in zip(eq.outputs, (values,) if eq.op.n_outputs == 1 else values, strict=True):
            self._array(v)[...] = value

    def _complain(self) -> None:
        """An index was out of range: the reference says which."""
        where = int(self._block[:8].view(np.int64)[0]) - 1
        self._block[:8] = 0
        single = self._site.checks[where]
        self._evaluate(single)
        # The reference sees nothing wrong: its input is a state that was changed since, or rounding decided otherwise.
        raise UsageError(
            f"{single.equation.op.name}: an index is out of range, or a matrix is singular or not positive definite",
            hint="look at the inputs before the call",
        )

    def plan(self) -> str:
        """Memory, kernels, and what is left to NumPy."""
        own = [c for c in self._commands if isinstance(c, Command)]
        rest = [c.equation.op.name for c in self._commands if isinstance(c, Single)]
        state = sum(a.nbytes for a in self._state)
        lines = [
            f"native ({self._level.name}): {len(self._graph.equations)} ops in {len(own)} calls of "
            f"{len({c.kernel.symbol for c in own})} kernels; {self._block.nbytes:,} bytes of its own, {state:,} of state"
        ]
        lines += [
            f"  {c.kernel.title or c.kernel.symbol}  ({c.slabs} slabs, {c.work / 1e3:.2g} us)" for c in own
        ]
        lines += [f"  {name}: by NumPy, {LEFT_TO_NUMPY.get(name, 'it has no kernel')}" for name in rest]
        return "\n".join(lines)

    def texts(self) -> dict[str, str]:
        """LLVM's language and the CPU's, of every kernel once."""
        kernels = {c.kernel.symbol: c.kernel for c in self._commands if isinstance(c, Command)}
        return {
            "llvm": "\n".join(f"; {k.title}\n{k.text}" for k in kernels.values()),
            "assembly": "\n".join(jit.assembly(k.text, self._level) for k in kernels.values()),
        }


def _for_reports(group: Any) -> Sequence[View]:
    """The inputs that the reference must still find at the end, when it is to say what is wrong with them."""
    first = REPORTING.get(group.equation.op.name) if isinstance(group, Single) else None
    return () if first is None else group.operands[first:]


def _typed(view: View) -> Any:
    return type(view.root.type)(tuple(view.shape), view.root.type.dtype)


_warned = False


def native_executor(graph: Graph, required: bool, otherwise: Callable[[Graph], Any]) -> Any:
    """The native executor; where there is none, ``otherwise``, with one warning."""
    global _warned
    reason = jit.reason()
    if reason is None:
        return Native(graph, level.current())
    if required:
        raise UsageError(f"no native code: {reason}", hint="backend='reference'")
    if not _warned:
        _warned = True
        warnings.warn(f"computing with NumPy: {reason}", RuntimeWarning, stacklevel=2)
    return otherwise(graph)


LOWERED_IN = (argument, copying, dense, factors, indexing, products, random, rows, scan, sorting)
"""The modules that register the ops with kernels of their own."""

__all__ = ["LOWERED_IN", "Native", "native_executor"]
