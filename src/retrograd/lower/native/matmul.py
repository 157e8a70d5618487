"""Matrix products as commands: which kernel does a product, in which slabs, is chosen by shape and CPU level alone.

Three ways (see `choices` for what decides): tiles in registers, dot products, and OpenBLAS slab by slab.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from . import blas, choices
from .dots import Dots, dot_kernel
from .edge import Epilogue, Word, bytes_of, in_memory, summing
from .kernel import Address, Command, Kernel
from .level import Level
from .tiles import Tile, tile_kernel
from .transpose import piece, transpose_kernel


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
    """How a product is done: a `Tile`, `Dots`, or None for OpenBLAS; and the rows and columns of its slabs."""

    by: Tile | Dots | None
    block_rows: int
    block_columns: int
    """In columns for OpenBLAS, in full panels of tiles, in groups of dots."""
    column_blocks: int
    work: float
    """Predicted nanoseconds on one thread, of one matrix."""


def product(
    m: int,
    n: int,
    k: int,
    element: str,
    ta: bool,
    tb: bool,
    a: Address,
    b: Address,
    c: Address | None,
    *,
    lda: int | None = None,
    ldb: int | None = None,
    ldc: int | None = None,
    scratch: Callable[[int], Address],
    epilogue: Epilogue | None = None,
    batch: int = 1,
    a_batch: int | None = None,
    b_batch: int | None = None,
    c_batch: int | None = None,
    level: Level,
    way: Way | None = None,
) -> list[Command]:
    """Commands that compute C[m, n] = op(A) op(B), row by row, for each matrix of the batch.

    Strides are in elements: from row to row as the matrices stand in memory (None: they are contiguous), and from matrix to
    matrix of the batch.  ``element`` is LLVM's word; "i1" stands for truth values, a byte each.  ``scratch`` gives memory that
    nobody else uses until the last command is done.  C overlaps neither A nor B; None: the epilogue stores every number itself.
    """
    if not (m and n and batch):
        return []
    lda = lda if lda is not None else m if ta else k
    ldb = ldb if ldb is not None else k if tb else n
    ldc = ldc if ldc is not None else n
    a_batch = a_batch if a_batch is not None else lda * (k if ta else m)
    b_batch = b_batch if b_batch is not None else ldb * (n if tb else k)
    c_batch = c_batch if c_batch is not None else ldc * m
    if m == 1 and ta and lda == 1:
        ta, lda = False, k
    if n == 1 and not tb and ldb == 1:
        tb, ldb = True, k  # a vector is a row too
    shape = Shape(m, n, k, element, ta, tb, batch)
    if way is None:
        way = choose(shape, level)
    memory = in_memory(element)
    size = bytes_of(memory)
    if c is None:
        # OpenBLAS and long epilogues need a place for the sums themselves.
        ldc, c_batch = n, m * n
        c = scratch(size * batch * m * n) if way.by is None or (epilogue and epilogue.large) else a
    row_blocks = -(-m // way.block_rows)
    words: dict[str, Word] = {
        "a": a,
        "b": b,
        "c": c,
        "m": m,
        "n": n,
        "k": k,
        "a_row": lda,
        "a_step": 1,
        "b_step": ldb,
        "b_panel": 0,
        "c_row": ldc,
        "block_rows": way.block_rows,
        "row_blocks": row_blocks,
        "block_columns": way.block_columns,
        "column_blocks": way.column_blocks,
        "a_batch": a_batch,
        "b_batch": b_batch,
        "c_batch": c_batch,
    }
    before: list[Command] = []
    if isinstance(way.by, Tile):
        tile = way.by
        if ta:
            words["a_row"], words["a_step"] = 1, lda
        width = tile.lanes * (tile.vectors or tile.tail)
        words["b_panel"] = width
        if tb and n == 1:
            words["b_step"] = 1
        elif tb:
            before = [_transposed(words, n, k, width, tile, batch, b_batch, size, scratch)]
    kernel = _kernel(way.by, shape, level, epilogue)
    further = list(epilogue.words) if epilogue else []
    arguments = [*words.values(), *further]
    return [*before, Command(kernel, arguments, batch * row_blocks * way.column_blocks, batch * way.work)]


def _transposed(
    words: dict[str, Word],
    n: int,
    k: int,
    width: int,
    tile: Tile,
    batch: int,
    b_batch: int,
    size: int,
    scratch: Callable[[int], Address],
) -> Command:
    """The command that lays B out in panels; ``words`` become those of a product with the panels."""
    panels = -(-n // width)
    stride = max(1, k) * width
    batches = batch if b_batch else 1
    place = scratch(size * batches * panels * stride)
    rows = _slab_rows(n, width, k)
    mine = {
        **words,
        "a": words["b"],
        "c": place,
        "m": n,
        "a_row": words["b_step"],
        "a_batch": b_batch,
        "c_row": width,
        "b_panel": stride,
        "c_batch": panels * stride if b_batch else 0,
        "block_rows": rows,
        "row_blocks": -(-n // rows),
        "column_blocks": 1,
    }
    words |= {"b": place, "b_step": width, "b_panel": stride, "b_batch": mine["c_batch"]}
    kernel = transpose_kernel(tile.element, tile.lanes)
    return Command(
        kernel, list(mine.values()), batches * -(-n // rows), batches * n * k * choices.TRANSPOSING
    )


def _slab_rows(n: int, width: int, k: int) -> int:
    """Rows that are transposed as one piece of work: whole panels, some hundred thousand numbers at most."""
    return width * max(1, min(-(-n // width), (1 << 17) // max(1, k * width)))


def _kernel(by: Tile | Dots | None, shape: Shape, level: Level, epilogue: Epilogue | None) -> Kernel:
    if epilogue is None:
        return _plain_kernel(by, shape.element, shape.ta, shape.tb, level)
    return _written(by, shape.element, shape.ta, shape.tb, level, epilogue)


def _written(
    by: Tile | Dots | None, element: str, ta: bool, tb: bool, level: Level, epilogue: Epilogue | None
) -> Kernel:
    if isinstance(by, Tile):
        return tile_kernel(by, epilogue)
    if isinstance(by, Dots):
        return dot_kernel(by, epilogue)
    return blas.gemm_kernel(element, ta, tb, level.lanes(element), epilogue)


@functools.lru_cache(256)
def _plain_kernel(by: Tile | Dots | None, element: str, ta: bool, tb: bool, level: Level) -> Kernel:
    return _written(by, element, ta, tb, level, None)


def choose(shape: Shape, level: Level) -> Way:
    """How a product is done: by shape and level, and by whether OpenBLAS is there."""
    m, n, k = shape.m, shape.n, shape.k
    memory = in_memory(shape.element)
    how = summing(shape.element, level)
    lanes = level.lanes(memory)
    if not shape.ta and shape.tb and (n <= 2 or m <= 2) and k >= lanes:
        dots = Dots(
            memory, lanes, 1 if m == 1 else 8 if n == 1 else 2, 1 if n == 1 else 8 if m == 1 else 4, how
        )
        return Way(dots, m, -(-n // dots.columns), 1, m * n * k / lanes)
    if memory in blas.SYMBOLS and m * n * k > 1 << 22 and blas.available():
        rows = max(32, -(-m // 8))
        return Way(None, rows, n, 1, m * n * k / 50)
    while lanes > piece(memory) and n <= lanes // 2:
        lanes //= 2
    vectors = -(-n // lanes)
    most = 4 if level.registers >= 32 else 2
    wide = next((v for v in range(most, 1, -1) if vectors % v == 0), most)
    full = n // (wide * lanes)
    tail = vectors - full * wide
    rows = {1: 8, 2: 8, 3: 6, 4: 4}[wide] if level.registers >= 32 else {1: 6, 2: 4}[wide]
    rows = max(1, min(rows, m))
    tile = Tile(memory, lanes, rows, wide if full else 0, tail, bool(n % lanes), how)
    return Way(tile, m, max(1, full), 1, m * vectors * k / 3.5)
