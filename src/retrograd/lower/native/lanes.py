"""Formulas on registers written as formulas: `Lanes` is a value that knows the function being written.

>>> from retrograd.lower.native.emit import Function
>>> f = Function("f", ("double", "double"))
>>> a, b = (Lanes(f, v) for v in f.arguments)
>>> ((a + b) * 2.0 - a).v.type
'double'
"""

from __future__ import annotations

from collections.abc import Sequence

from .emit import Function, Value, literal


class Lanes:
    """A floating value with arithmetic operators; comparisons give masks, which are `Value`s of i1."""

    __slots__ = ("f", "v")

    def __init__(self, f: Function, v: Value) -> None:
        self.f, self.v = f, v

    def of(self, x: Lanes | float) -> Value:
        """x as a value of this type."""
        return x.v if isinstance(x, Lanes) else literal(self.v.type, x)

    def like(self, x: Lanes | float) -> Lanes:
        return x if isinstance(x, Lanes) else Lanes(self.f, literal(self.v.type, x))

    def __add__(self, x: Lanes | float) -> Lanes:
        return Lanes(self.f, self.f.add(self.v, self.of(x)))

    def __radd__(self, x: float) -> Lanes:
        return self.like(x) + self

    def __sub__(self, x: Lanes | float) -> Lanes:
        return Lanes(self.f, self.f.sub(self.v, self.of(x)))

    def __rsub__(self, x: float) -> Lanes:
        return self.like(x) - self

    def __mul__(self, x: Lanes | float) -> Lanes:
        return Lanes(self.f, self.f.mul(self.v, self.of(x)))

    def __rmul__(self, x: float) -> Lanes:
        return self * x

    def __truediv__(self, x: Lanes | float) -> Lanes:
        return Lanes(self.f, self.f.div(self.v, self.of(x)))

    def __rtruediv__(self, x: float) -> Lanes:
        return self.like(x) / self

    def __neg__(self) -> Lanes:
        return Lanes(self.f, self.f.neg(self.v))

    def __lt__(self, x: Lanes | float) -> Value:
        return self.f.compare("lt", self.v, self.of(x))

    def __le__(self, x: Lanes | float) -> Value:
        return self.f.compare("le", self.v, self.of(x))

    def __gt__(self, x: Lanes | float) -> Value:
        return self.f.compare("gt", self.v, self.of(x))

    def __ge__(self, x: Lanes | float) -> Value:
        return self.f.compare("ge", self.v, self.of(x))

    def equals(self, x: Lanes | float) -> Value:
        return self.f.compare("eq", self.v, self.of(x))

    def is_nan(self) -> Value:
        return self.f.compare("ne", self.v, self.v)

    def is_whole(self) -> Value:
        """Also for infinities."""
        return self.trunc().equals(self)

    def abs(self) -> Lanes:
        return Lanes(self.f, self.f.intrinsic("fabs", self.v))

    def sqrt(self) -> Lanes:
        return Lanes(self.f, self.f.intrinsic("sqrt", self.v))

    def floor(self) -> Lanes:
        return Lanes(self.f, self.f.intrinsic("floor", self.v))

    def trunc(self) -> Lanes:
        return Lanes(self.f, self.f.intrinsic("trunc", self.v))

    def rint(self) -> Lanes:
        return Lanes(self.f, self.f.intrinsic("rint", self.v))

    def signed(self, other: Lanes) -> Lanes:
        """This size with the sign of another."""
        return Lanes(self.f, self.f.intrinsic("copysign", self.v, other.v))

    def fma(self, b: Lanes | float, c: Lanes | float) -> Lanes:
        """self·b + c, rounded once."""
        return Lanes(self.f, self.f.fma(self.v, self.of(b), self.of(c)))

    def at_most(self, x: Lanes | float) -> Lanes:
        """NaN stays NaN."""
        return self.where(self > x, x, self)

    def at_least(self, x: Lanes | float) -> Lanes:
        return self.where(self < x, x, self)

    def where(self, mask: Value, a: Lanes | float, b: Lanes | float) -> Lanes:
        """a where the mask holds, else b; both of this value's type."""
        return Lanes(self.f, self.f.select(mask, self.of(a), self.of(b)))

    def horner(self, coefficients: Sequence[float]) -> Lanes:
        """A polynomial of this value; the highest power comes first, as in ops/_pieces.py."""
        total = self.like(coefficients[0])
        for c in coefficients[1:]:
            total = total.fma(self, c)
        return total

    def by_range(
        self, *pieces: tuple[Value, Lanes | float], otherwise: Lanes | float = float("nan")
    ) -> Lanes:
        """The first whose mask holds."""
        out = self.like(otherwise)
        for mask, y in reversed(pieces):
            out = self.where(mask, y, out)
        return out


def two_sum(a: Lanes, b: Lanes) -> tuple[Lanes, Lanes]:
    """a + b without error: the rounded sum and the rest."""
    s = a + b
    other = s - a
    return s, (a - (s - other)) + (b - other)


def fast_two_sum(a: Lanes, b: Lanes | float) -> tuple[Lanes, Lanes]:
    """The same where |a| ≥ |b|, or a is 0."""
    s = a + b
    return s, a.like(b) - (s - a)


def two_product(a: Lanes, b: Lanes | float) -> tuple[Lanes, Lanes]:
    """a·b without error."""
    p = a * b
    return p, a.fma(b, -p)
