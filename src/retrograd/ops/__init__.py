"""All primitive mathematics; importing this package fills the registry."""

from . import arithmetic, control, elementwise, index, logic, matmul, random, reduce, scan, shape, sort

__all__ = [
    "arithmetic",
    "control",
    "elementwise",
    "index",
    "logic",
    "matmul",
    "random",
    "reduce",
    "scan",
    "shape",
    "sort",
]
