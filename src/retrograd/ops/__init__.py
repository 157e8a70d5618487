"""All primitive mathematics; importing this package fills the registry."""

from . import elementwise, index, logic, matmul, random, reduce, shape

__all__ = ["elementwise", "index", "logic", "matmul", "random", "reduce", "shape"]
