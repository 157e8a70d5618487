"""All primitive mathematics; importing this package fills the registry."""

from . import control, elementwise, index, logic, matmul, random, reduce, scan, shape, sort

__all__ = ["control", "elementwise", "index", "logic", "matmul", "random", "reduce", "scan", "shape", "sort"]
