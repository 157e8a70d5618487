"""What threads of programs cost: handing out one region, meeting within a program, and waking those that sleep.

    python benchmarks/threads.py

Each figure is the least of many, in microseconds, for two threads (woken: also the median, for the system decides).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd import threads
from retrograd.lower.native import jit, pool, runner
from retrograd.lower.native.kernel import Kernel, KernelFunction
from retrograd.lower.native.level import current
from retrograd.lower.native.runner import MEET, SHARED

ROWS = 1000


def least(call: Callable[[], Any], times: int) -> float:
    best = 1e18
    for _ in range(times):
        start = time.perf_counter_ns()
        call()
        best = min(best, time.perf_counter_ns() - start)
    return best / 1e3


def counting() -> Kernel:
    """Two slabs, each so many dependent multiplications."""
    f = KernelFunction("count")
    x = f.variable("i64", 0)
    with f.slabs(), f.loop(0, f.word(0)) as i:
        x.set(f.bit("xor", f.mul(x.get(), 6364136223846793005), i))
    f.store(x.get(), f.element(f.words, f.add(f.mul(f.begin, 16), 16), "i64"))
    return f.finish()


def main() -> None:
    level, kernel = current(), counting()
    address = jit.compile_kernels([kernel], level)[kernel.symbol]
    words = np.zeros(64, np.int64)
    threads.set_num_threads(2)
    alone, together = runner.run_function(level), pool.run_together(level)

    def table(rows: int, how: int) -> tuple[int, int]:
        array = np.array([[address, words.ctypes.data, 2, how]] * rows, np.int64)
        held.append(array)
        return array.ctypes.data, rows

    held: list[Any] = []
    region, many, met = table(1, SHARED), table(ROWS, SHARED), table(ROWS, SHARED | MEET)
    print(f"an empty program of one row: {least(lambda: alone(*region), 3000):.2f} on one thread")
    together(*region)
    for sleeping in (True, False):
        pool.SLEEPING = sleeping
        pool._end()
        name = "asleep in native code" if sleeping else "asleep in Python"
        print(
            f"one region, two threads, between programs {name}: {least(lambda: together(*region), 3000):.2f}"
        )
        one = least(lambda: together(*many), 200)
        print(f"  a meeting: {(least(lambda: together(*met), 200) - one) / ROWS:.3f}")
        woken = []
        for _ in range(300):
            time.sleep(0.002)
            woken.append(least(lambda: together(*region), 1))
        print(f"  after 2 ms of rest: {min(woken):.1f}, median {sorted(woken)[150]:.1f}")
    pool.SLEEPING = True
    pool._end()
    for turns in (500, 1000, 2000, 5000, 10_000, 50_000):
        words[0] = turns
        print(
            f"one region of {least(lambda: alone(*region), 1000):.1f}: "
            f"{least(lambda: together(*region), 1000):.1f} on two threads"
        )


if __name__ == "__main__":
    main()
