"""Expressions of the ops in ops/special.py."""

from __future__ import annotations

from . import bessel, errorfunction, gamma
from .elementwise import in_double, unary
from .logic import Expression

EXPRESSIONS: dict[str, Expression] = {
    "erf": unary(errorfunction.erf),
    "erfc": in_double(errorfunction.erfc),
    "erfcx": in_double(errorfunction.erfcx),
    "erfinv": in_double(errorfunction.erfinv),
    "ndtri": in_double(errorfunction.ndtri),
    "entr": in_double(errorfunction.entr),
    "lgamma": in_double(gamma.lgamma),
    "digamma": in_double(gamma.digamma),
    "zeta": in_double(gamma.zeta),
    "bessel_i": in_double(bessel.bessel_i),
}
