"""Where things are printed: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from retrograd.program import as_called


@dataclass(frozen=True)
class Output:
    """What the person asked to see."""

    as_json: bool = False
    quiet: bool = False

    def log(self, text: str = "") -> None:
        """A line for people while the work goes on; standard error."""
        if not self.quiet:
            print(as_called(text), file=sys.stderr, flush=True)

    def result(self, text: str = "") -> None:
        """A line of the result; standard output, and nothing when that is kept for JSON."""
        if not self.as_json:
            print(as_called(text))

    def json(self, value: Mapping[str, Any]) -> None:
        """The one JSON object, when it was asked for."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, allow_nan=False))


def is_terminal(stream: Any) -> bool:
    """True when a person watches, on a terminal that can move its cursor."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def wrap(text: str, indent: str = "", first: str | None = None, stream: Any = None) -> str:
    """`text` broken at the terminal's width, at most 100; in a file or pipe every sentence stays one line."""
    first = indent if first is None else first
    if not is_terminal(stream or sys.stdout):
        return first + text
    width = max(40, min(100, shutil.get_terminal_size().columns))
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,), indent: str = "  ") -> str:
    """Columns aligned by spaces: those in `left` to the left, the others, which hold numbers, to the right.

    >>> print(table([["", "network", "mean"], ["rmse", "$9", "$120"]], indent=""))
          network  mean
    rmse       $9  $120
    """
    count = max(len(row) for row in rows)
    widths = [max((len(row[i]) for row in rows if i < len(row)), default=0) for i in range(count)]
    lines = []
    for row in rows:
        cells = [cell.ljust(widths[i]) if i in left else cell.rjust(widths[i]) for i, cell in enumerate(row)]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)
