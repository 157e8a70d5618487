"""Expressions of the ops in ops/special.py."""

from __future__ import annotations

from . import mathematics
from .elementwise import unary
from .logic import Expression

EXPRESSIONS: dict[str, Expression] = {
    "erf": unary(mathematics.erf),
}
