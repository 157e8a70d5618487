"""Errors that say what happened, where, with which values, and how to mend it.

Every error that Retrograd raises on purpose derives from :class:`RetrogradError` and carries a ``hint``: a line
that works when pasted.  ``where`` is the user's own source line, or a file and column; layer paths are put in front
while the exception passes through the modules that were running.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Collection
from types import CodeType

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_internal_file: dict[str, bool] = {}


class RetrogradError(RuntimeError):
    """An error with a place and a remedy.

    ``message`` says what is wrong and with which values; ``where`` says at which place (default: nowhere);
    ``hint`` is a fix.

    >>> print(RetrogradError("no column 'prise'", where="houses.csv", hint="--target price"))
    no column 'prise'
      at: houses.csv
      hint: --target price
    """

    locates = False
    """True for errors of the engine: without a ``where``, they point at the user's own source line."""

    def __init__(self, message: str, *, hint: str | None = None, where: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = describe(user_place(2)) if where is None and self.locates else where
        self.layers: list[str] = []

    def __str__(self) -> str:
        lines = [self.message]
        if self.layers:
            lines.append(f"  in layer: {'.'.join(reversed(self.layers))}")
        if self.where:
            lines.append(f"  at: {self.where}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class ShapeError(RetrogradError, ValueError, IndexError):
    """Shapes do not fit together."""

    locates = True


class DTypeError(RetrogradError, TypeError):
    """A dtype is not accepted, or dtypes do not fit together."""

    locates = True


class GradError(RetrogradError):
    """A gradient was asked for that does not exist."""

    locates = True


class LinAlgError(RetrogradError):
    """A matrix that a factorisation or a solution cannot take: singular, or not positive definite."""

    locates = True


class TraceError(RetrogradError):
    """Something that cannot be staged into a graph."""

    locates = True


class GraphError(RetrogradError, ValueError):
    """A graph that breaks the rules of graphs: a cycle, an unknown op, a type that does not match."""


class StateError(RetrogradError, KeyError):
    """A state dict whose keys or shapes do not fit the module or optimiser."""

    __str__ = RetrogradError.__str__  # KeyError would print the repr of the message


class DataError(RetrogradError, ValueError):
    """A data file or column that cannot be used as asked."""


class ModelFileError(RetrogradError, ValueError):
    """A model file that is damaged, truncated, hostile or of another version."""


class NoFileError(ModelFileError, FileNotFoundError):
    """There is no file of this name."""


class UsageError(RetrogradError, ValueError):
    """A call or command line that contradicts itself; the command line exits 2."""


def is_internal(filename: str) -> bool:
    """True for files of this package, which are never 'the user's line'."""
    known = _internal_file.get(filename)
    if known is None:
        known = _internal_file[filename] = filename.startswith((_PACKAGE, "<frozen"))
    return known


def user_place(depth: int = 1) -> tuple[CodeType, int] | None:
    """Code object and instruction of the nearest caller outside this package; cheap, turned into text by `describe`."""
    frame = sys._getframe(depth)
    internal = _internal_file
    while frame is not None:
        code = frame.f_code
        name = code.co_filename
        if not (internal[name] if name in internal else is_internal(name)):
            return code, frame.f_lasti
        frame = frame.f_back  # type: ignore[assignment]
    return None


def describe(place: tuple[CodeType, int] | None) -> str | None:
    """``file.py, line 12: loss = model(x)`` for a place that `user_place` returned."""
    if place is None:
        return None
    code, instruction = place
    line = code.co_firstlineno
    positions = list(code.co_positions())
    index = instruction // 2
    if 0 <= index < len(positions) and positions[index][0] is not None:
        line = positions[index][0] or line
    text = linecache.getline(code.co_filename, line).strip()
    where = f"{code.co_filename}, line {line}"
    return f"{where}: {text}" if text else where


class Missing(AttributeError):
    """A name that a module or the Tensor lacks: why, if it is one of PyTorch's, else the nearest names that there are.

    Worked out when somebody reads it: `hasattr` is asked often.

    >>> print(Missing("retrograd", "sigmid", ["sigmoid", "tanh"]))
    module 'retrograd' has no attribute 'sigmid'; did you mean 'sigmoid'?
    >>> print(Missing("retrograd", "lobpcg", []))
    module 'retrograd' has no attribute 'lobpcg': an iterative solver
      hint: linalg.eigh serves
    """

    def __init__(self, owner: str, name: str, known: Collection[str]) -> None:
        super().__init__(owner, name)
        self.owner, self.missing, self.known = owner, name, known

    def __str__(self) -> str:
        import difflib

        from .absent import explanation

        kind = "module " if self.owner.islower() else ""
        said = f"{kind}{self.owner!r} has no attribute {self.missing!r}"
        space = self.owner.replace("retrograd", "torch", 1) if kind else f"torch.{self.owner}"
        known = explanation(space, self.missing, self.known)
        if known is not None:
            return f"{said}: {known[0]}\n  hint: {known[1]}"
        near = difflib.get_close_matches(self.missing, list(self.known), n=3, cutoff=0.7)
        return f"{said}; did you mean {' or '.join(map(repr, near))}?" if near else said
