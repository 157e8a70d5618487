"""How many threads the matrix product may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .errors import UsageError

_limiter: Any = None


def set_num_threads(n: int) -> None:
    """Let NumPy's matrix product use at most ``n`` threads from now on, in this process."""
    global _limiter
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise UsageError(f"{n!r} threads", hint="pass a whole number of at least 1")
    from threadpoolctl import threadpool_limits

    _limiter = threadpool_limits(limits=n, user_api="blas")


@contextmanager
def num_threads(n: int) -> Iterator[None]:
    """Within the `with` block NumPy's matrix product uses at most ``n`` threads; afterwards as many as before."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=n, user_api="blas"):
        yield


def get_num_threads() -> int:
    """The largest number of threads that NumPy's matrix product may use now."""
    from threadpoolctl import threadpool_info

    return max(
        (pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"),
        default=os.cpu_count() or 1,
    )
