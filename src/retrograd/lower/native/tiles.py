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
from .emit import Value, vector
from .kernel import Kernel


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
    masked: bool
    """Whether the last vector of the tail is cut by the end of the row."""
    how: str = FUSED

    @property
    def few(self) -> int:
        """Rows of the tiles that do what the large ones leave over."""
        return max(1, (self.rows + 1) // 2)

    def __str__(self) -> str:
        mark = "-" if self.masked else ""
        return f"{self.rows}x{self.vectors}+{self.tail}{mark} of {self.lanes} {self.element}"


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
        self.kind = vector(tile.element, tile.lanes)
        self.bytes_step = self.mul(self["a_step"], bytes_of(tile.element))

    def write_slab(self, batch: Value, row_block: Value, column_block: Value) -> None:
        tile = self.tile
        self.batch = batch
        self.a = self.at(self["a"], (batch, self["a_batch"]))
        b = self.at(self["b"], (batch, self["b_batch"]))
        self.c = self.at(self["c"], (batch, self["c_batch"]))
        rows = self.span(row_block, self["block_rows"], self["m"])
        width = tile.vectors * tile.lanes
        panels = self.bit("udiv", self["n"], width) if width else self.like(0, "i64")
        first, last = self.span(column_block, self["block_columns"], panels)
        if tile.vectors:
            with self.loop(first, last) as panel:
                self._sweep(
                    rows, self.mul(panel, width), self.at(b, (panel, self["b_panel"])), tile.vectors, False
                )
        if tile.tail:
            with self.when(self.compare("eq", self.add(column_block, 1), self["column_blocks"])):
                at = self.at(b, (panels, self["b_panel"]))
                self._sweep(rows, self.mul(panels, width), at, tile.tail, tile.masked)

    def _sweep(self, rows: tuple[Value, Value], column: Value, b: Value, vectors: int, masked: bool) -> None:
        """All rows of a slab, in one panel of columns."""
        tile = self.tile
        count = self.sub(rows[1], rows[0])
        whole = self.add(rows[0], self.mul(self.bit("udiv", count, tile.rows), tile.rows))
        with self.loop(rows[0], whole, tile.rows) as row:
            self._tile(row, None, tile.rows, column, b, vectors, masked)
        if tile.rows > 1:
            with self.loop(whole, rows[1], tile.few) as row:
                self._tile(row, rows[1], tile.few, column, b, vectors, masked)

    def _tile(
        self, row: Value, end: Value | None, rows: int, column: Value, b: Value, vectors: int, masked: bool
    ) -> None:
        """One tile.  ``end``: rows from there on do not exist; the last one that does is computed in their place."""
        lanes, element = self.tile.lanes, self.of
        starts = []
        for r in range(rows):
            at = self.add(row, r)
            if end is not None and r:
                at = self.minimum(at, self.sub(end, 1))
            starts.append(self.at(self.a, (at, self["a_row"])))
        mask = None
        if masked:
            mask = self.lanes_left(self.add(column, (vectors - 1) * lanes), lanes, self["n"])
        sums = [[self.variable(self.kind, 0) for _ in range(vectors)] for _ in range(rows)]
        b_now, a_now = self.variable("ptr", b), self.variable("i64", 0)
        with self.loop(0, self["k"]):
            line, offset = b_now.get(), a_now.get()
            of_b = [
                self.load(
                    self.element(line, v * lanes, element), self.kind, mask if v == vectors - 1 else None
                )
                for v in range(vectors)
            ]
            for r in range(rows):
                number = self.load(self.element(starts[r], offset, "i8"), element)
                spread = self.splat(number, lanes)
                for v in range(vectors):
                    sums[r][v].set(multiply_add(self, self.tile.how, spread, of_b[v], sums[r][v].get()))
            b_now.set(self.element(line, self["b_step"], element))
            a_now.set(self.add(offset, self.bytes_step))
        self._store(row, end, column, [[s.get() for s in line] for line in sums], mask)

    def _store(
        self, row: Value, end: Value | None, column: Value, sums: list[list[Value]], mask: Value | None
    ) -> None:
        lanes = self.tile.lanes
        large = self.epilogue is not None and self.epilogue.large
        for r, line in enumerate(sums):
            at = self.add(row, r)
            with self._present(at, end if r else None):
                c = self.at(self.c, (at, self["c_row"]))
                for v, acc in enumerate(line):
                    here = self.add(column, v * lanes)
                    on = mask if v == len(line) - 1 else None
                    if large:
                        self.store(acc, self.element(c, here, self.of), on)
                    else:
                        self.finish_vector(self.batch, at, here, acc, on, c)
        if large:
            last = self.add(row, len(sums))
            stop = self.add(column, len(sums[0]) * lanes)
            rows = (row, last if end is None else self.minimum(last, end))
            self.finish_rows(self.batch, self.c, rows, (column, self.minimum(stop, self["n"])), lanes)

    @contextmanager
    def _present(self, row: Value, end: Value | None) -> Iterator[None]:
        if end is None:
            yield
        else:
            with self.when(self.compare("lt", row, end)):
                yield
