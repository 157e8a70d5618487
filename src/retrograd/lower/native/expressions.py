"""What every elementwise op computes in registers: ``EXPRESSIONS[op.name](f, given, result, params, *values)``."""

from __future__ import annotations

from . import arithmetic, elementwise, logic, special
from .logic import ELEMENTS, Expression

__all__ = ["ELEMENTS", "EXPRESSIONS", "Expression"]

EXPRESSIONS: dict[str, Expression] = {
    **arithmetic.EXPRESSIONS,
    **elementwise.EXPRESSIONS,
    **logic.EXPRESSIONS,
    **special.EXPRESSIONS,
}
