"""The named tuples of functions with several results, shown as PyTorch shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

C = TypeVar("C", bound=type)


def shown(name: str) -> Callable[[C], C]:
    """Let a named tuple be shown under the name of its function."""

    def text(self: Any) -> str:
        inner = ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
        return f"retrograd.return_types.{name}(\n{inner})"

    def change(kind: C) -> C:
        kind.__repr__ = text  # type: ignore[assignment]
        return kind

    return change


class ValuesIndices(NamedTuple):
    """A pair of values and the positions at which they stood."""

    values: Any
    indices: Any


RETURNED: dict[str, Any] = {}
"""By function, what it makes of such a pair when a user calls it."""
for _name in ("cummax", "cummin", "kthvalue", "max", "median", "min", "mode", "nanmedian", "sort", "topk"):
    _kind = type(
        _name, (ValuesIndices,), {"__slots__": (), "__module__": __name__, "__doc__": ValuesIndices.__doc__}
    )
    RETURNED[_name] = globals()[_name] = shown(_name)(_kind)
