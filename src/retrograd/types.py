"""Element types, tensor types and PyTorch's promotion rules.

A :class:`TensorType` is what an op knows of a tensor before any value exists: its shape and its dtype.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from .errors import DTypeError, ShapeError

Shape = tuple[int, ...]


class DType:
    """An element type, such as ``retrograd.float32``; equal by identity, printed as PyTorch prints it."""

    __slots__ = ("category", "is_floating_point", "itemsize", "name", "numpy", "rank")

    def __init__(self, name: str, category: int, rank: int) -> None:
        self.name = name
        self.numpy: np.dtype[Any] = np.dtype(name)
        self.category = category  # 0 bool, 1 integer, 2 floating: the only thing Python scalars decide
        self.rank = rank  # order of promotion inside the lattice uint8 < int32 < int64 < float32 < float64
        self.is_floating_point = category == 2
        self.itemsize = self.numpy.itemsize

    @property
    def is_signed(self) -> bool:
        """True for floating dtypes and signed integers."""
        return self.numpy.kind in "fi"

    def __repr__(self) -> str:
        return f"retrograd.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (dtype_named, (self.name,))


bool_: Final = DType("bool", 0, 0)
uint8: Final = DType("uint8", 1, 1)
int32: Final = DType("int32", 1, 2)
int64: Final = DType("int64", 1, 3)
float32: Final = DType("float32", 2, 4)
float64: Final = DType("float64", 2, 5)

ALL_DTYPES: Final = (bool_, uint8, int32, int64, float32, float64)
FLOATS: Final = (float32, float64)
_by_numpy: dict[Any, DType] = {d.numpy: d for d in ALL_DTYPES}
_by_name: dict[str, DType] = {d.name: d for d in ALL_DTYPES} | {
    "float": float32,
    "double": float64,
    "long": int64,
}


def dtype_of(value: Any) -> DType:
    """The :class:`DType` of a DType, a NumPy dtype, or Python's ``float`` (float64), ``int``, ``bool``."""
    if isinstance(value, DType):
        return value
    found = _by_numpy.get(value) if isinstance(value, np.dtype) else None
    if found is not None:
        return found
    if value is float:
        return float64
    if value is int:
        return int64
    if value is bool:
        return bool_
    if isinstance(value, str):
        known = f"dtype=retrograd.{value}" if value in _by_name else "dtype=retrograd.float32"
        raise DTypeError(f"a dtype is needed, got the text {value!r}", hint=known)
    try:
        return _by_numpy[np.dtype(value)]
    except (TypeError, ValueError, KeyError):
        names = ", ".join(d.name for d in ALL_DTYPES)
        raise DTypeError(
            f"dtype {value!r} is not supported; tensors hold {names}",
            hint="convert first, for example array.astype('float32')",
        ) from None


def dtype_named(name: str) -> DType:
    """The dtype that a file or NumPy calls so."""
    return _by_name[name] if name in _by_name else dtype_of(np.dtype(name))


_default_float: DType = float32


def get_default_dtype() -> DType:
    """The dtype of new floating tensors (float32 unless changed)."""
    return _default_float


def set_default_dtype(dtype: Any) -> None:
    """Make ``dtype`` (float32 or float64) the dtype of new floating tensors."""
    global _default_float
    chosen = dtype_of(dtype)
    if not chosen.is_floating_point:
        raise DTypeError(
            f"the default dtype must be floating, not {chosen!r}", hint="set_default_dtype(retrograd.float32)"
        )
    _default_float = chosen


class TensorType(NamedTuple):
    """Shape and dtype of a tensor, printed as ``f32[2, 3]``."""

    shape: Shape
    dtype: DType

    def __repr__(self) -> str:
        short = self.dtype.name.replace("float", "f").replace("uint", "u").replace("int", "i")
        return f"{short}[{', '.join(map(str, self.shape))}]"

    @property
    def ndim(self) -> int:
        return len(self.shape)


def size(shape: Shape) -> int:
    """Number of elements of a shape."""
    n = 1
    for s in shape:
        n *= s
    return n


def promote(*dtypes: DType) -> DType:
    """The smallest dtype that holds all of them: uint8 < int32 < int64 < float32 < float64, as in PyTorch."""
    if not all(isinstance(dtype, DType) for dtype in dtypes):
        return promote(*(dtype_of(dtype) for dtype in dtypes))
    best = dtypes[0]
    for dtype in dtypes:
        if dtype.rank > best.rank:
            best = dtype
    return best


def scalar_dtype(value: Any) -> DType:
    """The dtype that a lone Python scalar would get."""
    if isinstance(value, bool | np.bool_):
        return bool_
    if isinstance(value, int | np.integer):
        return int64
    if isinstance(value, float | np.floating):
        return _default_float
    raise DTypeError(
        f"cannot make a tensor of {type(value).__name__} {value!r}", hint="pass a number, a list or an array"
    )


def result_dtype(operands: list[tuple[DType, int]]) -> DType:
    """PyTorch's promotion over (dtype, priority) pairs.

    Priority 2: tensors with dimensions; 1: zero-dimensional tensors; 0: Python scalars.  A lower priority matters
    only where its category (bool < integer < floating) is higher than that of everything above it.
    """
    best: DType | None = None
    for priority in (2, 1, 0):
        here: DType | None = None
        for dtype, p in operands:
            if p == priority:
                here = dtype if here is None else promote(here, dtype)
        if here is None:
            continue
        if best is None:
            best = here
        elif here.category > best.category:
            best = _default_float if (here.category == 2 and priority == 0) else here
    assert best is not None
    return best


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The common shape under broadcasting: sizes are aligned at the right, and 1 stretches to any size.

    >>> broadcast_shapes((3, 1), (4,))
    (3, 4)
    """
    rank = max(map(len, shapes), default=0)
    out = [1] * rank
    for shape in shapes:
        offset = rank - len(shape)
        for i, n in enumerate(shape):
            have = out[offset + i]
            if n == have or n == 1:
                continue
            if have != 1:
                listed = " and ".join(str(tuple(s)) for s in shapes)
                raise ShapeError(
                    f"shapes {listed} do not broadcast: size {have} against {n} at dimension {offset + i - rank}",
                    hint="sizes must be equal or 1, counted from the right; use .reshape, .unsqueeze or .t() first",
                )
            out[offset + i] = n
    return tuple(out)


def normalize_dim(dim: int, ndim: int) -> int:
    """A dimension counted from the front; negative ones count from the back."""
    limit = max(ndim, 1)
    if isinstance(dim, str | float):
        raise DTypeError(
            f"a dimension is a whole number, not {dim!r}", hint="dim=0 is the first, dim=-1 the last"
        )
    if not -limit <= dim < limit:
        raise ShapeError(
            f"dimension {dim} is out of range for a tensor with {ndim} dimension(s)",
            hint=f"use a dim between {-limit} and {limit - 1}",
        )
    return dim % limit


def along(sizes: tuple[int, ...], dim: int) -> int:
    """The entry of a shape, or of strides, for one dimension."""
    if not sizes:
        raise ShapeError(f"a tensor without dimensions has no dimension {dim}", hint="x.reshape(1) has one")
    return sizes[normalize_dim(dim, len(sizes))]


def normalize_dims(dim: int | tuple[int, ...] | list[int] | None, ndim: int) -> tuple[int, ...]:
    """Dimensions as a sorted tuple without repeats; None means all of them."""
    if dim is None:
        return tuple(range(ndim))
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    found = sorted(normalize_dim(d, ndim) for d in dims)
    if len(set(found)) != len(found):
        raise ShapeError(f"a dimension appears twice in dim={dim}", hint="name each dimension once")
    return tuple(found) if ndim else ()
