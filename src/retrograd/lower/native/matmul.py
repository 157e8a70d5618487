"""Matrix products as commands: which kernel does a product, in which slabs, is chosen by shape and CPU level alone.

Three ways (see `ways` for what decides): tiles in registers, dot products, and OpenBLAS slab by slab.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import blas, written
from .dots import Dots, dot_kernel
from .edge import Epilogue, Word, bytes_of, in_memory
from .kernel import Address, Command, Kernel
from .level import Level
from .tiles import Tile, tile_kernel
from .ways import Shape, Way, choose


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
    blocked = isinstance(way.by, Tile) and way.by.blocked
    if c is None:
        # OpenBLAS and long epilogues need a place for the sums themselves.
        ldc, c_batch = n, m * n
        c = scratch(size * batch * m * n) if way.by is None or blocked or (epilogue and epilogue.large) else a
    row_blocks = -(-m // way.block_rows)
    slabs = batch * row_blocks * way.column_blocks
    tile = way.by if isinstance(way.by, Tile) else None
    step = 0
    if tile and tile.pack:
        step = tile.width * max(1, min(k, way.block_k if tile.blocked else k))
    words: dict[str, Word] = {
        "a": a,
        "b": b,
        "c": c,
        "scratch": scratch(size * slabs * step) if step else b,
        "m": m,
        "n": n,
        "k": k,
        "a_row": 1 if tile and ta else lda,
        "a_step": lda if tile and ta else 1,
        "b_step": 1 if tile and tb and n == 1 else ldb,
        "c_row": ldc,
        "block_rows": way.block_rows,
        "row_blocks": row_blocks,
        "block_columns": way.block_columns,
        "column_blocks": way.column_blocks,
        "block_k": way.block_k,
        "a_batch": a_batch,
        "b_batch": b_batch,
        "c_batch": c_batch,
        "scratch_step": step,
    }
    kernel = _kernel(way.by, shape, level, epilogue)
    further = epilogue.words if epilogue else ()
    return [Command(kernel, [*words.values(), *further], slabs, batch * way.work)]


def _kernel(by: Tile | Dots | None, shape: Shape, level: Level, epilogue: Epilogue | None) -> Any:
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


def _plain_kernel(by: Tile | Dots | None, element: str, ta: bool, tb: bool, level: Level) -> Any:
    key = ("product", by, element, ta, tb)
    return written.kernel(key, level, lambda: _written(by, element, ta, tb, level, None))
