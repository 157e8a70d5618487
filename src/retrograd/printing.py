"""Tensors as text, in the form that users of PyTorch read: columns of equal width, long ones shortened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import UsageError

Array = np.ndarray[Any, Any]


@dataclass
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = _Options()
_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors are printed: digits after the point, entries above which a tensor is shortened, entries shown at each
    end then, characters in a line, scientific notation always (True), never (False) or as needed (None)

    ``profile``: "default", "short" or "full", before the other settings.

    >>> import retrograd as rg
    >>> rg.set_printoptions(precision=2)
    >>> rg.tensor(2 / 3)
    tensor(0.67)
    >>> rg.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise UsageError(f"profile={profile!r}", hint=f"one of {', '.join(map(repr, _PROFILES))}")
        _options.__dict__.update(_PROFILES[profile].__dict__)
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        if value is not None:
            if value < 0:
                raise UsageError(f"{name}={value}", hint="not below 0")
            setattr(_options, name, value)
    _options.sci_mode = sci_mode


class _Numbers:
    """One form for all numbers of a tensor, and its width."""

    def __init__(self, shown: Array) -> None:
        self.floating = shown.dtype.kind == "f"
        self.whole = self.scientific = False
        values = shown.reshape(-1)
        if self.floating:
            finite = np.abs(values[np.isfinite(values) & (values != 0)].astype(np.float64))
            self.whole = bool((finite == np.ceil(finite)).all())
            if finite.size:
                low, high = finite.min(), finite.max()
                self.scientific = bool(high / low > 1000 or high > 1e8 or (low < 1e-4 and not self.whole))
            if _options.sci_mode is not None:
                self.scientific = _options.sci_mode
            values = values[
                np.isfinite(values) & (values != 0)
            ]  # 0, -0, nan and inf do not widen the columns
        self.width = max((len(self.text(v)) for v in values.tolist()), default=1)

    def text(self, value: Any) -> str:
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{_options.precision}e}"
        if self.whole:
            return f"{value:.0f}" + ("." if math.isfinite(value) else "")
        return f"{value:.{_options.precision}f}"

    def padded(self, value: Any) -> str:
        return self.text(value).rjust(self.width)


def _ends(array: Array) -> Array:
    """The entries of a long tensor that are shown."""
    k = _options.edgeitems
    for d in range(array.ndim):
        if array.shape[d] > 2 * k:
            keep = np.r_[0:k, array.shape[d] - k : array.shape[d]]
            array = array.take(keep, d)
    return array


def _rows(array: Array, numbers: _Numbers, indent: int, short: bool) -> str:
    if array.ndim == 0:
        return numbers.padded(array.item())
    k = _options.edgeitems
    cut = short and array.shape[0] > 2 * k
    if array.ndim == 1:
        values = array.tolist()
        entries = [numbers.padded(v) for v in (values[:k] + values[len(values) - k :] if cut else values)]
        if cut:
            entries.insert(k, " ...")
        per_line = max(1, (_options.linewidth - indent) // (numbers.width + 2))
        lines = [", ".join(entries[i : i + per_line]) for i in range(0, len(entries), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    places = [*range(k), *range(array.shape[0] - k, array.shape[0])] if cut else range(array.shape[0])
    parts = [_rows(array[i], numbers, indent + 1, short) for i in places]
    if cut:
        parts.insert(k, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def text(array: Array, notes: list[str], name: str = "tensor") -> str:
    """``name(numbers, note, note)``, with line breaks where a line would become too long."""
    indent = len(name) + 1
    if array.size == 0:
        body = "[]"
        notes = ([f"size={tuple(array.shape)}"] if array.ndim != 1 else []) + notes
    else:
        short = array.size > _options.threshold
        body = _rows(array, _Numbers(_ends(array) if short else array), indent, short)
    out = f"{name}({body}"
    line = len(out) - (out.rfind("\n") + 1)
    for note in notes:
        if line + len(note) + 2 > _options.linewidth:
            out += ",\n" + " " * indent + note
            line = indent + len(note)
        else:
            out += ", " + note
            line += len(note) + 2
    return out + ")"
