"""Matrix products in registers: a tile of C is summed over all of k before it is stored.

A tile is some rows times some vectors along n.  At each step along k a tile reads its vectors of B and one number of A for each
row, which is spread over the lanes; so A may have any strides and op(B) must lie in rows.  Each number of C is one chain of
fused multiply-adds in the order of k, whatever the tile: the bits depend neither on tiles nor on slabs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .edge import FUSED, Epilogue, ProductFunction, bytes_of, multiply_add
from .emit import Value, Variable, lanes_of, vector
from .kernel import Kernel
from .transpose import copy_panel, turn_panel

TURN, TURN_THIN, COPY = "turn", "turn, thin", "copy"
"""See `transpose`; thin: k is less than a `piece`."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The shape of the tiles of a kernel, all that shapes registers."""

    element: str
    lanes: int
    rows: int
    vectors: int
    """Vectors of a full panel of columns; 0: there is no full panel."""
    tail: int
    """Vectors of the last panel, which is not full; 0: there is none."""
    last: int = 0
    """Lanes of the tail's last vector, which may be narrower: on some CPUs half a vector costs half."""
    masked: bool = False
    """Whether the last vector of the tail is cut by the end of the row."""
    pack: str = ""
    """How op(B) is laid out anew, panel by panel: `TURN` because B stands transposed, `COPY` because its rows are far apart."""
    blocked: bool = False
    """Whether k is cut into blocks; C holds what is summed so far."""
    how: str = FUSED

    @property
    def panel(self) -> tuple[int, ...]:
        """Lanes of the vectors of a full panel."""
        return (self.lanes,) * self.vectors

    @property
    def rest(self) -> tuple[int, ...]:
        """Lanes of the vectors of the last panel."""
        return (self.lanes,) * (self.tail - 1) + (self.last,) * bool(self.tail)

    @property
    def width(self) -> int:
        """Columns of a panel as it is laid out in memory."""
        return sum(self.panel or self.rest)

    @property
    def few(self) -> int:
        """Rows of the tiles that do what the large ones leave over."""
        return max(1, (self.rows + 1) // 2)

    def __str__(self) -> str:
        words = [f"tail of {'+'.join(map(str, self.rest))}{' masked' * self.masked}"] * bool(self.tail)
        words += [self.pack] * bool(self.pack) + ["k in blocks"] * self.blocked
        return ", ".join([f"{self.rows}x{self.vectors} of {self.lanes} {self.element}", *words])


def tile_kernel(tile: Tile, epilogue: Epilogue | None) -> Kernel:
    """The kernel of products by tiles of that shape.  A block of columns is counted in full panels; the last has the tail too."""
    f = _Tiles(tile, epilogue)
    with f.blocks() as (batch, row_block, column_block):
        f.write_slab(batch, row_block, column_block)
    return f.finish()


class _Tiles(ProductFunction):
    def __init__(self, tile: Tile, epilogue: Epilogue | None) -> None:
        super().__init__(f"product, tiles {tile}", tile.element, epilogue)
        self.tile = tile
        self.bytes_step = self.mul(self["a_step"], bytes_of(tile.element))

    def write_slab(self, batch: Value, row_block: Value, column_block: Value) -> None:
        tile = self.tile
        self.batch = batch
        self.a = self.at(self["a"], (batch, self["a_batch"]))
        self.b = self.at(self["b"], (batch, self["b_batch"]))
        self.c = self.at(self["c"], (batch, self["c_batch"]))
        self.scratch = self.at(self["scratch"], (self.begin, self["scratch_step"]))
        rows = self.span(row_block, self["block_rows"], self["m"])
        width = sum(tile.panel)
        panels = self.bit("udiv", self["n"], width) if width else self.like(0, "i64")
        first, last = self.span(column_block, self["block_columns"], panels)
        with self._blocks_of_k() as ks:
            if tile.vectors:
                with self.loop(first, last) as panel:
                    self._panel(rows, ks, self.mul(panel, width), tile.panel, False)
            if tile.tail:
                with self.when(self.compare("eq", self.add(column_block, 1), self["column_blocks"])):
                    self._panel(rows, ks, self.mul(panels, width), tile.rest, tile.masked)

    @contextmanager
    def _blocks_of_k(self) -> Iterator[tuple[Value, Value]]:
        if not self.tile.blocked:
            yield self.like(0, "i64"), self["k"]
            return
        with self.loop(0, self["k"], self["block_k"]) as k:
            yield k, self.minimum(self.add(k, self["block_k"]), self["k"])

    def _panel(
        self,
        rows: tuple[Value, Value],
        ks: tuple[Value, Value],
        column: Value,
        panel: tuple[int, ...],
        masked: bool,
    ) -> None:
        """All rows of a slab, in one panel of columns, over one block of k."""
        tile = self.tile
        mask = None
        if masked:
            mask = self.lanes_left(self.add(column, sum(panel[:-1])), panel[-1], self["n"])
        width = tile.width
        b, step = self.scratch, self.like(width, "i64")
        if tile.pack in (TURN, TURN_THIN):
            turn_panel(self, self.b, column, ks, panel, masked, tile.pack == TURN_THIN, b, width)
        else:
            b = self.at(self.b, column)
            if tile.pack == COPY:
                copy_panel(self, b, ks, panel, mask, self.scratch, width)
                b = self.scratch
            else:
                b, step = self.at(b, (ks[0], self["b_step"])), self["b_step"]
        self._sweep(rows, ks, column, (b, step), panel, mask)

    def _sweep(
        self,
        rows: tuple[Value, Value],
        ks: tuple[Value, Value],
        column: Value,
        b: tuple[Value, Value],
        panel: tuple[int, ...],
        mask: Value | None,
    ) -> None:
        tile = self.tile
        count = self.sub(rows[1], rows[0])
        whole = self.add(rows[0], self.mul(self.bit("udiv", count, tile.rows), tile.rows))
        with self.loop(rows[0], whole, tile.rows) as row:
            self._tile(row, None, tile.rows, ks, column, b, panel, mask)
        if tile.rows > 1:
            with self.loop(whole, rows[1], tile.few) as row:
                self._tile(row, rows[1], tile.few, ks, column, b, panel, mask)

    def _tile(
        self,
        row: Value,
        end: Value | None,
        rows: int,
        ks: tuple[Value, Value],
        column: Value,
        b: tuple[Value, Value],
        panel: tuple[int, ...],
        mask: Value | None,
    ) -> None:
        """One tile.  ``end``: rows from there on do not exist; the last one that does is computed in their place."""
        element, kinds = self.of, [vector(self.of, lanes) for lanes in panel]
        starts = []
        for r in range(rows):
            at = self.add(row, r)
            if end is not None and r:
                at = self.minimum(at, self.sub(end, 1))
            starts.append(self.at(self.a, (at, self["a_row"]), (ks[0], self["a_step"])))
        sums = [[self.variable(kind, 0) for kind in kinds] for _ in range(rows)]
        if self.tile.blocked:
            with self.when(self.compare("gt", ks[0], 0)):
                for r, v, at, on in self._places(row, end, column, sums, mask):
                    with self._present(at[0], end if r else None):
                        sums[r][v].set(self.load(at[1], kinds[v], on))
        b_now, a_now = self.variable("ptr", b[0]), self.variable("i64", 0)
        on = None if self.tile.pack else mask
        with self.loop(*ks):
            line, offset = b_now.get(), a_now.get()
            of_b = [
                self.load(
                    self.element(line, sum(panel[:v]), element), kind, on if v == len(panel) - 1 else None
                )
                for v, kind in enumerate(kinds)
            ]
            for r in range(rows):
                number = self.load(self.element(starts[r], offset, "i8"), element)
                spread = {lanes: self.splat(number, lanes) for lanes in dict.fromkeys(panel)}
                for v, lanes in enumerate(panel):
                    acc = multiply_add(self, self.tile.how, spread[lanes], of_b[v], sums[r][v].get())
                    sums[r][v].set(acc)
            b_now.set(self.element(line, b[1], element))
            a_now.set(self.add(offset, self.bytes_step))
        if not self.tile.blocked:
            self._finish(row, end, column, sums, mask)
            return
        done = self.compare("ge", ks[1], self["k"])
        with self.when(done):
            self._finish(row, end, column, sums, mask)
        with self.when(self.bit("xor", done, True)):
            self._keep(row, end, column, sums, mask)

    def _places(
        self, row: Value, end: Value | None, column: Value, sums: list[list[Variable]], mask: Value | None
    ) -> Iterator[tuple[int, int, tuple[Value, Value], Value | None]]:
        """Each vector of a tile: its numbers, its row, where it is in C, its mask."""
        for r, line in enumerate(sums):
            at = self.add(row, r)
            c = self.at(self.c, (at, self["c_row"]), column)
            for v in range(len(line)):
                here = self.element(c, v * self.tile.lanes, self.of)
                yield r, v, (at, here), mask if v == len(line) - 1 else None

    def _keep(
        self, row: Value, end: Value | None, column: Value, sums: list[list[Variable]], mask: Value | None
    ) -> None:
        """Store the sums as they are."""
        for r, v, at, on in self._places(row, end, column, sums, mask):
            with self._present(at[0], end if r else None):
                self.store(sums[r][v].get(), at[1], on)

    def _finish(
        self, row: Value, end: Value | None, column: Value, sums: list[list[Variable]], mask: Value | None
    ) -> None:
        """Apply the epilogue and store."""
        lanes = self.tile.lanes
        if self.epilogue is not None and self.epilogue.large:
            self._keep(row, end, column, sums, mask)
            last, stop = self.add(row, len(sums)), self.add(column, sum(lanes_of(x.type) for x in sums[0]))
            rows = (row, last if end is None else self.minimum(last, end))
            self.finish_rows(self.batch, self.c, rows, (column, self.minimum(stop, self["n"])), lanes)
            return
        for r, line in enumerate(sums):
            at = self.add(row, r)
            with self._present(at, end if r else None):
                c = self.at(self.c, (at, self["c_row"]))
                for v, acc in enumerate(line):
                    here = self.add(column, v * lanes)
                    self.finish_vector(
                        self.batch, at, here, acc.get(), mask if v == len(line) - 1 else None, c
                    )

    @contextmanager
    def _present(self, row: Value, end: Value | None) -> Iterator[None]:
        if end is None:
            yield
        else:
            with self.when(self.compare("lt", row, end)):
                yield
