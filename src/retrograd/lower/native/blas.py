"""OpenBLAS, for large matrix products: loaded once, set to one thread by its own function, called from kernels.

The library is that of the wheel `scipy-openblas32`.  It is found without being imported, so no environment variable is read
or written here, and the BLAS that NumPy brings along keeps its own threads.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path

from . import jit
from .edge import Epilogue, ProductFunction
from .emit import Value, literal
from .kernel import Kernel

PACKAGE = "scipy_openblas32"
SYMBOLS = {"float": "retrograd_sgemm", "double": "retrograd_dgemm"}
"""What kernels call, by element: CBLAS's gemm of 32-bit sizes."""
TITLE = "product, OpenBLAS"
ROW_MAJOR, PLAIN, TRANSPOSED = 101, 111, 112
LARGEST = 2**31 - 1
"""Sizes are 32 bits wide there."""


@functools.cache
def library() -> ctypes.CDLL | None:
    """The loaded library, its functions known to kernels; None where the wheel is not installed."""
    path = _path()
    if path is None:
        return None
    try:
        found = ctypes.CDLL(str(path))
        addresses = {
            symbol: ctypes.cast(getattr(found, f"scipy_cblas_{kind}gemm"), ctypes.c_void_p).value or 0
            for kind, symbol in (("s", SYMBOLS["float"]), ("d", SYMBOLS["double"]))
        }
        found.scipy_openblas_set_num_threads(1)
    except (OSError, AttributeError):  # not for this system, or not the library that its name says
        return None
    jit.symbols(addresses)
    return found


def guarded(run: Callable[[int, int], None], kernels: Iterable[Kernel]) -> Callable[[int, int], None]:
    """``run`` for kernels that may call the library: whoever sets the threads of every BLAS there is has set this one too.

    With more threads it would cut products by their number, and the bits would depend on it.
    """
    if not any(kernel.title.startswith(TITLE) for kernel in kernels):
        return run
    found = library()
    assert found is not None
    threads, set_threads = found.scipy_openblas_get_num_threads, found.scipy_openblas_set_num_threads

    def alone(table: int, count: int) -> None:
        if threads() != 1:
            set_threads(1)
        run(table, count)

    return alone


def _path() -> Path | None:
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec.submodule_search_locations or []) if spec else []:
        for name in sorted((Path(place) / "lib").glob("*openblas*")):
            if name.suffix in (".so", ".dylib", ".dll") or ".so." in name.name:
                return name
    return None


def available() -> bool:
    """Whether products can be done by OpenBLAS."""
    return library() is not None


def version() -> str:
    """OpenBLAS's version and the CPU it chose its kernels for: the bits of a product depend on both."""
    found = library()
    if found is None:
        return "none"
    words = []
    for name in ("scipy_openblas_get_config", "scipy_openblas_get_corename"):
        function = getattr(found, name)
        function.restype = ctypes.c_char_p
        words.append(function().decode())
    return f"{words[0].split(' ')[1]} {words[1]}"


def gemm_kernel(element: str, ta: bool, tb: bool, lanes: int, epilogue: Epilogue | None) -> Kernel:
    """The kernel of products by OpenBLAS, slab by slab.  ``a_row`` and ``b_step`` go from row to row as they stand in memory.

    The epilogue is a second pass over the slab's numbers, while they are in the cache.
    """
    library()  # its functions are known from now on
    f = ProductFunction(f"{TITLE} {element}{' ta' * ta}{' tb' * tb}", element, epilogue)
    with f.blocks() as (batch, row_block, column_block):
        rows = f.span(row_block, f["block_rows"], f["m"])
        columns = f.span(column_block, f["block_columns"], f["n"])
        a = f.at(f["a"], (batch, f["a_batch"]), rows[0] if ta else (rows[0], f["a_row"]))
        b = f.at(f["b"], (batch, f["b_batch"]), (columns[0], f["b_step"]) if tb else columns[0])
        c = f.at(f["c"], (batch, f["c_batch"]))

        def small(v: Value) -> Value:
            return f.convert(v, "i32")

        f.call(
            "void",
            SYMBOLS[element],
            literal("i32", ROW_MAJOR),
            literal("i32", TRANSPOSED if ta else PLAIN),
            literal("i32", TRANSPOSED if tb else PLAIN),
            small(f.sub(rows[1], rows[0])),
            small(f.sub(columns[1], columns[0])),
            small(f["k"]),
            literal(element, 1.0),
            a,
            small(f["a_row"]),
            b,
            small(f["b_step"]),
            literal(element, 0.0),
            f.at(c, (rows[0], f["c_row"]), columns[0]),
            small(f["c_row"]),
        )
        if epilogue:
            f.finish_rows(batch, c, rows, columns, lanes)
    return f.finish()
