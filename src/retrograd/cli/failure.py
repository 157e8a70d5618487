"""How a failure is told: what, where, a hint; on standard error, and with ``--json`` as an object too."""

from __future__ import annotations

import json
import sys

from retrograd.errors import RetrogradError, UsageError
from retrograd.program import as_called

_GENERAL_HINT = "the same command with --debug shows the whole story"


def tell(error: RetrogradError, *, as_json: bool) -> int:
    """Print an error that was raised on purpose; 2 for a wrong command line, 1 for the rest."""
    hint = as_called(error.hint or _GENERAL_HINT)
    lines = [f"error: {error.message}"]
    if error.layers:
        lines.append(f"  in layer: {'.'.join(reversed(error.layers))}")
    if error.where:
        lines.append(f"  at: {error.where}")
    lines.append(f"  hint: {hint}")
    print("\n".join(lines), file=sys.stderr)
    if as_json:
        _as_object(type(error).__name__, error.message, hint)
    return 2 if isinstance(error, UsageError) else 1


def tell_unexpected(error: Exception, *, as_json: bool) -> int:
    """Print an error that nobody foresaw in one line; a full disk or a forbidden file is no such thing."""
    if isinstance(error, OSError) and error.strerror:
        message = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
        hint = "check the path, its permissions and the free space on its disk"
    elif isinstance(error, MemoryError):
        message, hint = (
            "not enough memory",
            "fewer rows, a smaller --batch-size, or a machine with more memory",
        )
    else:
        text = " ".join(str(error).split())
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
        message = f"something that should not happen: {message[:300]}"
        hint = f"{_GENERAL_HINT}; please report it with that output"
    print(f"error: {message}\n  hint: {hint}", file=sys.stderr)
    if as_json:
        _as_object(type(error).__name__, message, hint)
    return 1


def _as_object(kind: str, message: str, hint: str) -> None:
    print(json.dumps({"error": {"kind": kind, "message": message, "hint": hint}}, ensure_ascii=False))
