"""The threads of native programs: Python threads inside one native loop, asleep between programs.

There is one pool in a process.  A program takes it for as long as it runs; another one, called meanwhile by another Python
thread, runs on its own thread alone.  Bits are the same in both cases, for slabs do not depend on each other, and a row's
slabs are the same whoever does them.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import platform
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import threads
from . import jit, meeting
from .level import Level
from .runner import run_function

SPIN = 50_000
"""Nanoseconds that a thread spins before it sleeps: about what it costs to wake one."""
SLEEPING = sys.platform.startswith("linux") and platform.machine() in ("x86_64", "AMD64", "aarch64", "arm64")
"""Whether threads sleep inside native code."""

Run = Callable[[int, int], None]
"""``run(table, count)``: the address of the first row, and how many rows."""

_SIGNATURE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, *(ctypes.c_int64,) * 5)
_natives: dict[tuple[str, bool], Any] = {}
_taken = threading.Lock()
_pool: Pool | None = None
_refused = 0
"""So many threads could not be had."""


def _outside() -> dict[str, int]:
    """What the loop calls of the system, by the name that it uses."""
    if os.name == "nt":
        library, names = ctypes.CDLL("kernel32"), {"retrograd_yield": "SwitchToThread"}
    else:
        library, names = ctypes.CDLL(None), {"retrograd_yield": "sched_yield"}
    if SLEEPING:
        calls = ("syscall", "clock_gettime", "sched_getcpu", "sched_getaffinity", "sched_setaffinity")
        names |= {name: name for name in calls}
    return {
        ours: ctypes.cast(getattr(library, theirs), ctypes.c_void_p).value or 0
        for ours, theirs in names.items()
    }


def _native(level: Level) -> Any:
    key = (level.name, SLEEPING)
    if key not in _natives:
        jit.symbols(_outside())
        kernel = meeting.threads_kernel(level.architecture, SLEEPING)
        # Its address is kept here, not by its symbol: with and without sleeping it is not the same.
        _natives[key] = _SIGNATURE(jit.compile_kernels([kernel], level)[kernel.symbol])
    return _natives[key]


class Pool:
    """So many threads, the caller among them; they end with the pool."""

    def __init__(self, level: Level, count: int) -> None:
        self.kind = (level.name, count)
        self._native, self._count = _native(level), count
        self._memory = np.zeros(meeting.BYTES + meeting.LINE, np.uint8)
        start = self._memory.ctypes.data
        self._shared = start + -start % meeting.LINE
        at = self._shared - start + meeting.SPIN
        # More threads than cores: the one that is waited for may need this very core.
        self._memory[at : at + 8].view(np.int64)[0] = SPIN if count <= threads.available() else 0
        self._semaphore = None if SLEEPING else threading.Semaphore(0)
        self._stopped = False
        self._threads: list[threading.Thread] = []
        try:
            for k in range(1, count):
                thread = threading.Thread(target=self._work, args=(k,), name=f"retrograd-{k}", daemon=True)
                thread.start()
                self._threads.append(thread)
        except BaseException:  # for instance, the system has no more threads
            self.stop()
            raise

    def run(self, table: int, count: int) -> None:
        """Do the rows of a table, together; only the thread that has taken the pool may call this."""
        if self._semaphore is not None:
            self._semaphore.release(self._count - 1)
        self._native(self._shared, table, count, 0, self._count, 0, 0)

    def _work(self, k: int) -> None:
        if self._semaphore is None:
            self._native(self._shared, 0, 0, k, self._count, 0, 1)
            return
        ticket = 0
        while not self._stopped:
            self._semaphore.acquire()
            self._native(self._shared, 0, 0, k, self._count, ticket, 0)
            ticket += 1

    def stop(self) -> None:
        """End the threads, and wait for them."""
        self._stopped = True
        self.run(0, -1)
        for thread in self._threads:
            thread.join(1.0)


def run_together(level: Level) -> Run:
    """The runner that uses as many threads as are wanted at the time."""
    alone = run_function(level)

    def run(table: int, count: int) -> None:
        wanted, taken = threads.get_num_threads(), _taken
        if wanted == 1 or not taken.acquire(False):
            alone(table, count)
            return
        try:
            pool = _ready(level, wanted)
            if pool is None:
                alone(table, count)
            else:
                pool.run(table, count)
        finally:
            taken.release()

    return run


def _ready(level: Level, count: int) -> Pool | None:
    """The pool with so many threads; None where the system does not give them."""
    global _pool, _refused
    if _pool is not None and _pool.kind == (level.name, count):
        return _pool
    if _refused == count:
        return None
    _end()
    try:
        _pool = Pool(level, count)
    except RuntimeError:
        _refused = count
    return _pool


def _end() -> None:
    global _pool
    pool, _pool = _pool, None
    if pool is not None:
        pool.stop()


def _at_exit() -> None:
    """No thread is inside native code when the interpreter takes it down; whoever comes now stays alone."""
    if _taken.acquire(timeout=1.0):
        _end()


def _in_child() -> None:
    """After a fork there is one thread, and perhaps a pool taken for ever."""
    global _pool, _refused, _taken
    _pool, _refused, _taken = None, 0, threading.Lock()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
