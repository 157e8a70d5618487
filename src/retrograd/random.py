"""The default stream of random numbers, under the names of ``torch.random``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .functions.random import default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state

__all__ = [
    "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state",
]  # fmt: skip


@contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None, enabled: bool = True, *, device_type: str | None = None
) -> Iterator[None]:
    """Inside, random numbers leave the default stream as it was; devices are without effect.

    >>> import retrograd as rg
    >>> _ = rg.manual_seed(0)
    >>> with rg.random.fork_rng():
    ...     a = rg.rand(1)
    >>> bool(a == rg.rand(1))
    True
    """
    before = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(before)
