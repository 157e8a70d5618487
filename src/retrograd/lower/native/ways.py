"""Which way a product goes: the one that takes least by a sum of what was measured (`choices`), so by shape and level alone."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from . import blas
from .choices import Costs, costs_of
from .dots import Dots
from .edge import bytes_of, in_memory, summing
from .level import Level
from .tiles import COPY, TURN, TURN_THIN, Tile
from .transpose import piece

FEW_ROWS, MANY_ROWS = (1, 2, 3, 4, 5, 6, 8), (4, 6, 8)
MANY = 16
"""Rows from which the choice of tiles does not look at their number, as it never looks at k: shapes share kernels."""
DOTS = ((1, 1), (1, 2), (1, 4), (1, 8), (2, 2), (4, 2), (4, 4), (4, 1), (8, 1))
MOST_BY_DOTS = 16
"""Dot products read A and B again and again: only where one of them is small."""
TWO_PANELS = 1.03
"""What the tail of a panel costs beside its price: its code is compiled too."""
SLAB, SLABS = 20_000.0, 16
"""Work is cut into slabs of so many nanoseconds, but into no more than so many (beside batches and blocks of rows)."""
BLOCK_K = 1024
ROWS_IN_CACHE = 1 << 21
"""Bytes of A that a slab sweeps again and again."""


@dataclass(frozen=True, slots=True)
class Shape:
    """C[m, n] = op(A) op(B), summed over k; ``ta``, ``tb``: A, B stand transposed."""

    m: int
    n: int
    k: int
    element: str
    ta: bool = False
    tb: bool = False
    batch: int = 1


@dataclass(frozen=True, slots=True)
class Way:
    """How a product is done: by a `Tile`, by `Dots`, or (None) by OpenBLAS; and what its slabs are."""

    by: Tile | Dots | None
    block_rows: int
    block_columns: int
    """In columns for OpenBLAS, in full panels of tiles, in groups of dots."""
    column_blocks: int
    block_k: int = 0
    work: float = 0.0
    """Predicted nanoseconds on one thread, of one matrix of the batch."""


@functools.lru_cache(4096)
def choose(shape: Shape, level: Level) -> Way:
    """The way of least predicted time; of equals, the first."""
    size = bytes_of(in_memory(shape.element))
    costs = costs_of(level.name, size)
    if shape.element in blas.SYMBOLS and shape.m * shape.n * shape.k >= costs.openblas and blas.available():
        return by_openblas(shape)
    tiles = list(tile_ways(shape, level))
    like = replace(shape, m=64, k=64) if shape.m >= MANY else replace(shape, k=64)
    times = [way.work for way in tile_ways(like, level)]
    found = min([tiles[times.index(min(times))], *dot_ways(shape, level)], key=lambda way: way.work)
    return in_slabs(found, shape, size)


def candidates(shape: Shape, level: Level) -> list[Way]:
    """Every way by our own kernels, in one slab."""
    return [*tile_ways(shape, level), *dot_ways(shape, level)]


def tile_ways(shape: Shape, level: Level) -> Iterator[Way]:
    """Tiles of all shapes that the registers hold."""
    most = -(-shape.n // level.lanes(in_memory(shape.element)))
    for vectors in range(1, min(most, 5) + 1):
        for rows in MANY_ROWS if shape.m >= MANY else FEW_ROWS:
            if rows == 6 and shape.m >= MANY and level.registers >= 32:
                continue  # 4 and 8 do as well there, and most batches are multiples of them
            if (rows + 1) * vectors + 1 <= level.registers and rows <= shape.m:
                yield by_tiles(shape, level, rows, vectors)


def dot_ways(shape: Shape, level: Level) -> Iterator[Way]:
    """Dot products, where rows meet rows."""
    if shape.ta or not shape.tb or min(shape.m, shape.n) > MOST_BY_DOTS:
        return
    memory = in_memory(shape.element)
    costs = costs_of(level.name, bytes_of(memory))
    for rows, columns in DOTS:
        if rows * columns + max(rows, columns) < level.registers:
            dots = Dots(memory, level.lanes(memory), rows, columns, summing(shape.element, level))
            groups = -(-shape.n // columns)
            yield Way(dots, shape.m, groups, 1, 0, _time_of_dots(shape, dots, costs))


def by_tiles(shape: Shape, level: Level, rows: int, vectors: int) -> Way:
    """Tiles of so many rows and vectors, in one slab."""
    memory = in_memory(shape.element)
    lanes, size, n = level.lanes(memory), bytes_of(memory), shape.n
    full = n // (vectors * lanes)
    left = n - full * vectors * lanes
    tail, last = -(-left // lanes), lanes if left else 0
    while last > piece(memory) and left - (tail - 1) * lanes <= last // 2:
        last //= 2
    masked = left != max(0, tail - 1) * lanes + last
    pack = ""
    if shape.tb:
        pack = "" if n == 1 else TURN if shape.k >= piece(memory) else TURN_THIN
    elif shape.m >= 128 and shape.k * n * size >= costs_of(level.name, size).far:
        pack = COPY
    how = summing(shape.element, level)
    blocked = shape.k > 2 * BLOCK_K
    tile = Tile(memory, lanes, rows, vectors if full else 0, tail, last, masked, pack, blocked, how)
    time = _time_of_tiles(shape, tile, full, costs_of(level.name, size))
    return Way(tile, shape.m, max(1, full), 1, _block_of(shape.k, piece(memory)) if blocked else 0, time)


def _block_of(k: int, short: int) -> int:
    """Steps of a block of k, so many that the last block has at least ``short``."""
    block = BLOCK_K
    while 0 < k % block < short:
        block += short
    return block


def by_openblas(shape: Shape) -> Way:
    """Slabs for OpenBLAS: it packs its operands anew for each, so they are few and large."""
    rows = max(1, min(shape.m, max(64, -(-shape.m // 4))))
    columns = shape.n if shape.m >= 256 else max(256, -(-shape.n // 4))
    work = shape.m * shape.n * shape.k / 50
    return Way(None, rows, columns, -(-shape.n // columns), 0, work)


def in_slabs(way: Way, shape: Shape, size: int) -> Way:
    """The same way, cut: by columns first, for each slab lays its columns of B out itself; then by rows."""
    rows = max(128, ROWS_IN_CACHE // max(1, shape.k * size))
    row_blocks = -(-shape.m // rows) if shape.m > 2 * rows else 1
    wanted = max(1, min(SLABS, int(way.work * shape.batch / SLAB))) / (shape.batch * row_blocks)
    columns = max(1, round(way.block_columns / max(1.0, wanted)))
    column_blocks = -(-way.block_columns // columns)
    row_blocks *= max(1, round(wanted / column_blocks))
    unit = getattr(way.by, "rows", 1)
    rows = -(-shape.m // (row_blocks * unit)) * unit
    return replace(way, block_rows=rows, block_columns=columns, column_blocks=column_blocks)


def _time_of_tiles(shape: Shape, tile: Tile, full: int, costs: Costs) -> float:
    whole, left = divmod(shape.m, tile.rows)
    some = -(-left // tile.few)
    time = 0.0
    for panels, panel in ((full, tile.panel), (1, tile.rest)):
        if not (panels and panel):
            continue
        price = sum(costs.half if lanes < tile.lanes else costs.fma for lanes in panel)
        for count, rows in ((whole, tile.rows), (some, tile.few)):
            step = max(rows * price, costs.least) + (rows + len(panel)) * costs.load
            time += panels * count * (costs.tile + rows * len(panel) * costs.store + shape.k * step)
    if tile.pack:
        time += shape.n * shape.k * (costs.copy if tile.pack == COPY else costs.turn)
    return time * (TWO_PANELS if full and tile.tail else 1.0)


def _time_of_dots(shape: Shape, dots: Dots, costs: Costs) -> float:
    groups = -(-shape.m // dots.rows) * -(-shape.n // dots.columns)
    cells = dots.rows * dots.columns
    step = max(cells * costs.fma, costs.least, (dots.rows + dots.columns) * costs.read)
    return groups * (costs.group + cells * costs.dot + -(-shape.k // dots.lanes) * step)
