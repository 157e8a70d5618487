"""How many threads compute: those of compiled programs, and those of NumPy's matrix product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import UsageError

VARIABLE = "RETROGRAD_NUM_THREADS"
OWN_LIBRARY = "scipy_openblas32"
"""The package of the library that programs call: each of their threads calls it for itself, so it always keeps to one."""

_limiter: Any = None


def available() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def set_num_threads(n: int) -> None:
    """Let compiled programs, and NumPy's matrix product, use at most ``n`` threads from now on, in this process.

    The bits of a compiled program's results do not depend on it.
    """
    global _limiter, _count
    _checked(n)
    _limiter = _libraries().limit(limits=n)
    _count = n


@contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Within the `with` block at most ``n`` threads compute; afterwards as many as before."""
    global _count
    before = _count
    with _libraries().limit(limits=_checked(n)):
        _count = n
        try:
            yield
        finally:
            _count = before


def get_num_threads() -> int:
    """The largest number of threads that a compiled program may use now."""
    return _count


def _checked(n: Any) -> int:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise UsageError(f"{n!r} threads", hint="pass a whole number of at least 1")
    return n


def _libraries() -> Any:
    """The BLAS libraries of this process, but for the one that belongs to compiled programs."""
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(user_api="blas")
    own = os.sep + OWN_LIBRARY + os.sep
    return found.select(filepath=[x["filepath"] for x in found.info() if own not in x["filepath"]])


def _from_environment() -> int:
    """What the environment asks for, told to NumPy too; else the cores there are, and NumPy keeps its own choice."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return available()
    n = int(text) if text.isdecimal() else 0
    if n < 1:
        raise UsageError(f"{VARIABLE}={text}: not a number of threads", hint=f"{VARIABLE}=2")
    set_num_threads(n)
    return n


_count = 1
_count = _from_environment()
