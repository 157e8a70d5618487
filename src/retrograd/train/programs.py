"""When a step becomes a program (`retrograd.compile`), and when it is computed op by op, eagerly.

A program costs time before it saves any: it is traced once for each length of a batch, and the first one of a process
loads LLVM.  Tracing costs what some thirty eager steps cost, whatever the network, for both go through the same ops in
Python.  So the rule knows sizes and counts only, never a clock: the same job takes the same path each time, and ends with
the same bits.  With n calls to come on batches of r rows, and t tensors that learn, a job of N updates is compiled if

    N · t >= UPDATES · TENSORS      LLVM is repaid (on the machine it was measured on, 0.4 s against 0.3 ms · t a step)

and of it those batches, in training and in evaluation, for which

    n · (1 + r / 1000) >= CALLS     tracing is repaid; with more rows a step saves more than its overhead
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from retrograd.errors import UsageError

VARIABLE = "RETROGRAD_COMPILE"
CALLS = 30
UPDATES, TENSORS = 350, 6
_NO, _YES = ("0", "false", "no", "off"), ("", "1", "true", "yes", "on")


@dataclass(frozen=True)
class Policy:
    """From how many calls, and updates times tensors, on there are programs; None: there are none."""

    calls: float | None
    updates: int = 0

    def job(self, updates: int, tensors: int) -> Policy:
        """The policy for the parts of a job of so many updates."""
        return Policy(self.calls) if updates * tensors >= self.updates else NEVER

    def pays(self, calls: int, rows: int) -> bool:
        """Whether a program is made for batches of ``rows`` rows that come ``calls`` times.

        >>> BY_SIZE.pays(30, 32), BY_SIZE.pays(10, 32), BY_SIZE.pays(10, 4096), ALWAYS.pays(1, 1), NEVER.pays(9999, 1)
        (True, False, True, True, False)
        """
        return self.calls is not None and calls > 0 and calls * (1 + rows / 1000) >= self.calls


ALWAYS, NEVER = Policy(0), Policy(None)
BY_SIZE = Policy(CALLS, UPDATES * TENSORS)


def allowed() -> bool:
    """False where ``RETROGRAD_COMPILE=0`` asks for no programs."""
    wanted = os.environ.get(VARIABLE, "").strip().lower()
    if wanted not in (*_NO, *_YES):
        raise UsageError(f"{VARIABLE}={wanted}", hint=f"{VARIABLE}=0 for no programs, or {VARIABLE}=1")
    return wanted not in _NO


def policy_of(compile: bool | Policy | None) -> Policy:
    """What the argument ``compile`` of a trainer means: always, never, or None: by sizes, where it is allowed."""
    if isinstance(compile, Policy):
        return compile
    if compile is None:
        return BY_SIZE if allowed() else NEVER
    return ALWAYS if compile else NEVER


def batch_calls(rows: int, batch_size: int, epochs: int) -> dict[int, int]:
    """How often batches of each length come.

    >>> batch_calls(10, 4, 3), batch_calls(8, 4, 3), batch_calls(3, 4, 3)
    ({4: 6, 2: 3}, {4: 6}, {3: 3})
    """
    size = max(1, min(batch_size, rows))
    full, rest = divmod(rows, size)
    return {length: n * epochs for length, n in ((size, full), (rest, 1)) if length and n}


def pays_for_job(rows: int, batch_size: int, epochs: int, tensors: int) -> bool:
    """Whether a job on a table is compiled."""
    updates = sum(batch_calls(rows, batch_size, epochs).values())
    return BY_SIZE.job(updates, tensors) is not NEVER


def watched(model: Any) -> bool:
    """True if somebody's Python runs beside a layer (`register_forward_hook`): a program would run it only once."""
    return any(part._has_hooks() for part in _parts(model))


def _parts(model: Any) -> Iterator[Any]:
    return (part for part in model.modules() if hasattr(part, "_has_hooks"))


def cpu_level() -> str:
    """What the bits of a program's results depend on beside the program; "NumPy" with its version without LLVM."""
    import numpy as np

    from retrograd.lower.native import blas, jit, level

    if not jit.available():
        return f"NumPy {np.__version__}"
    product = f"OpenBLAS {blas.version()}" if blas.available() else "NumPy's matrix product"
    return jit.identity(level.current(), product)
