"""All primitive mathematics; importing this package fills the registry."""

from . import (
    arithmetic,
    control,
    decomposition,
    elementwise,
    index,
    logic,
    lu,
    matmul,
    matrix_function,
    random,
    reduce,
    scan,
    shape,
    solve,
    sort,
    special,
)

__all__ = [
    "arithmetic",
    "control",
    "decomposition",
    "elementwise",
    "index",
    "logic",
    "lu",
    "matmul",
    "matrix_function",
    "random",
    "reduce",
    "scan",
    "shape",
    "solve",
    "sort",
    "special",
]
