"""Kernels by what they were written from: a kernel that was written once on this machine need not be written again.

Writing a kernel's text takes longer than linking its object.  What it is written from is small, so the name of the kernel
that it gives is kept on disk, under everything that the text depends on: this package's own source included.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import cache
from .kernel import Kernel
from .level import Level

_known: dict[tuple[str, Any], Any] = {}


class Remembered:
    """A kernel whose name is known; its text is written when somebody asks for it."""

    def __init__(self, symbol: str, title: str, write: Callable[[], Kernel]) -> None:
        self.symbol, self.title, self._write = symbol, title, write

    @functools.cached_property
    def text(self) -> str:
        kernel = self._write()
        if (
            kernel.symbol != self.symbol
        ):  # somebody changed the entry: the name that was kept is another kernel's
            return kernel.text.replace(kernel.symbol, self.symbol)
        return kernel.text


def kernel(key: Any, level: Level, write: Callable[[], Kernel]) -> Any:
    """The kernel that ``write`` writes; ``key``: all that its text depends on beside the level, as plain data."""
    found = _known.get((level.name, key))
    if found is None:
        name = cache.key("written", writers(), level.name, repr(key))
        kept = cache.entry(name)
        if kept is not None:
            symbol, _, title = kept.decode().partition("\n")
            found = Remembered(symbol, title, write)
        else:
            found = write()
            cache.put(name, f"{found.symbol}\n{found.title}".encode())
        _known[level.name, key] = found
    return found


@functools.cache
def writers() -> str:
    """A digest of the source that writes kernels."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
