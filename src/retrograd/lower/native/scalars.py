"""How dtypes lie in memory and in registers: the one difference is bool, a byte there and a bit here."""

from __future__ import annotations

from ...types import DType
from .emit import Function, Value, vector, with_element

_REGISTER = {
    "float32": "float",
    "float64": "double",
    "int64": "i64",
    "int32": "i32",
    "uint8": "i8",
    "bool": "i1",
}


def in_register(dtype: DType) -> str:
    """LLVM's type of one element in a register."""
    return _REGISTER[dtype.name]


def in_memory(dtype: DType) -> str:
    """LLVM's type of one element in memory."""
    return "i8" if dtype.name == "bool" else _REGISTER[dtype.name]


def read(f: Function, pointer: Value, dtype: DType, lanes: int, mask: Value | None) -> Value:
    """Neighbouring elements."""
    raw = f.load(pointer, vector(in_memory(dtype), lanes), mask)
    return f.compare("ne", raw, 0) if dtype.name == "bool" else raw


def as_in_memory(f: Function, value: Value, dtype: DType) -> Value:
    """A value in a register as it is stored."""
    if dtype.name != "bool":
        return value
    to = with_element(value.type, "i8")
    return f.make(to, f"zext {value} to {to}")


def write(f: Function, value: Value, pointer: Value, dtype: DType, mask: Value | None) -> None:
    """Neighbouring elements."""
    f.store(as_in_memory(f, value, dtype), pointer, mask)
