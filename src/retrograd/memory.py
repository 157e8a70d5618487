"""Keeping freed memory for reuse while training.

A training step frees and takes back the same megabytes every time.  By default the C library hands arrays of that size
back to the system at once, and every step pays for fresh pages again.  See ``docs/decisions/0003-keep-freed-memory.md``.
"""

from __future__ import annotations

import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # parameters of mallopt(3)
_KEPT = 512 << 20
_LARGEST_FROM_HEAP = 32 << 20  # the C library accepts no more
_PAD = 16 << 20
_done = False


def keep_freed_memory() -> bool:
    """Ask the C library to keep up to 512 MiB of freed memory for the next step; True if it agreed.

    Once per process, and only where glibc is: elsewhere the system's own allocator stays as it is.
    """
    global _done
    if _done or not sys.platform.startswith("linux"):
        return _done
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((_MMAP_THRESHOLD, _LARGEST_FROM_HEAP), (_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _PAD))
    agreed = [mallopt(parameter, value) == 1 for parameter, value in wanted]
    _done = all(agreed)
    return _done
