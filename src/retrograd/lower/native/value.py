"""Values of LLVM's language: how they are written, and their types."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

BITS = {"float": 32, "double": 64, "i64": 64, "i32": 32, "i16": 16, "i8": 8, "i1": 1, "ptr": 64}
FLOATS = ("float", "double")
_SUFFIX = {"float": "f32", "double": "f64", "ptr": "p0"}


@dataclass(frozen=True, slots=True)
class Value:
    """A result, an argument or a constant: how it is written, and its type."""

    text: str
    type: str

    def __str__(self) -> str:
        return f"{self.type} {self.text}"


Operand = Value | float | int | bool


def vector(element: str, lanes: int) -> str:
    """The type of ``lanes`` elements; of 1, the element itself.

    >>> vector("float", 16), vector("float", 1)
    ('<16 x float>', 'float')
    """
    return element if lanes == 1 else f"<{lanes} x {element}>"


def element_of(kind: str) -> str:
    """The type of one element of a scalar or vector type."""
    return kind.split(" x ")[1][:-1] if kind[0] == "<" else kind


def lanes_of(kind: str) -> int:
    """How many elements a value of that type has."""
    return int(kind[1:].split(" ")[0]) if kind[0] == "<" else 1


def with_element(kind: str, element: str) -> str:
    """The type with as many lanes as ``kind``, of other elements."""
    return vector(element, lanes_of(kind))


def suffix(kind: str) -> str:
    element = element_of(kind)
    short = _SUFFIX.get(element, element)
    return short if kind[0] != "<" else f"v{lanes_of(kind)}{short}"


def literal(kind: str, number: Any) -> Value:
    """A constant; in a vector type, the same in every lane.  Floats are written by their bits: nothing is rounded twice."""
    element = element_of(kind)
    if element in FLOATS:
        with_all_bits = (
            struct.unpack("<f", struct.pack("<f", _clipped(number)))[0] if element == "float" else number
        )
        text = f"0x{struct.unpack('<Q', struct.pack('<d', with_all_bits))[0]:016X}"
    elif element == "i1":
        text = "true" if number else "false"
    else:
        text = str(int(number))
    return Value(text if kind[0] != "<" else f"splat ({element} {text})", kind)


def _clipped(number: float) -> float:
    try:
        struct.pack("<f", number)
        return number
    except OverflowError:  # beyond float32: infinity, as a conversion would give
        return float("inf") if number > 0 else float("-inf")
