"""All primitive mathematics; importing this package fills the registry."""

from . import control, elementwise, index, logic, matmul, random, reduce, shape

__all__ = ["control", "elementwise", "index", "logic", "matmul", "random", "reduce", "shape"]
