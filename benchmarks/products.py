"""What matrix products cost, part by part: writes the shipped table; and how fast whole products are beside OpenBLAS.

    python benchmarks/products.py [--level NAME] [--write]     the products of five nets, GFLOP/s, one thread
    python benchmarks/products.py --regret                     the chosen way beside the best of all ways

Every figure is the least of many repetitions, the competitors' turn by turn.  With ``--write`` the prices of
src/retrograd/lower/native/choices.py are measured for all levels of this CPU, lower levels beside OpenBLAS's kernels for
such CPUs.  Prints JSON.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from retrograd.lower.native import blas, choices, jit, matmul, ways
from retrograd.lower.native.edge import multiply_add, summing
from retrograd.lower.native.emit import Function, literal, module, vector
from retrograd.lower.native.kernel import Address, Kernel, KernelFunction
from retrograd.lower.native.level import LEVELS, Level, current, possible

CORES = {"avx512": "SkylakeX", "avx2": "Haswell", "baseline": "Nehalem"}
NETS = {
    "13-64-64-1, batch 32": ((13, 64, 64, 1), 32),
    "64-128-10, batch 64": ((64, 128, 10), 64),
    "784-512-256-10, batch 128": ((784, 512, 256, 10), 128),
    "1024-2048-2048-10, batch 256": ((1024, 2048, 2048, 10), 256),
    "64-64-64, batch 64": ((64, 64, 64), 64),
}
DTYPES = {"float": "f4", "double": "f8"}


class Work:
    """A product with memory of its own, ready to be called."""

    def __init__(self, shape: ways.Shape, level: Level, way: ways.Way | None = None) -> None:
        self.shape, self.level = shape, level
        rng, placing = np.random.default_rng(0), np.random.default_rng()
        dtype = DTYPES[shape.element]

        def memory(count: int) -> Address:
            room = np.zeros(count + 1024, "i8")
            self._held.append(room)
            # Arrays that lie alike within their pages disturb each other; the least of several placings counts.
            return Address(room, -room.ctypes.data % 64 + 64 * int(placing.integers(64)))

        self._held: list[Any] = []
        places = []
        for count in (shape.m * shape.k, shape.k * shape.n, shape.m * shape.n):
            place = memory(count)
            start = place.offset // np.dtype(dtype).itemsize
            place.buffer.view(dtype)[start : start + count] = rng.standard_normal(count)
            places.append(place)
        commands = matmul.product(
            *(shape.m, shape.n, shape.k, shape.element, shape.ta, shape.tb, *places),
            scratch=lambda size: memory(size // 8 + 1),
            level=level,
            way=way,
        )
        addresses = jit.compile_kernels([c.kernel for c in commands], level)
        self.table = np.zeros((len(commands), 3), "i8")
        for row, command in zip(self.table, commands):
            words = np.array(
                [x.buffer.ctypes.data + x.offset if isinstance(x, Address) else x for x in command.arguments],
                "i8",
            )
            self._held.append(words)
            row[:] = addresses[command.kernel.symbol], words.ctypes.data, command.slabs


def repeater(level: Level) -> Callable[[int, int, int], None]:
    """``repeat(table, commands, times)`` calls commands again and again."""
    f = Function("retrograd_repeat", ("ptr", "i64", "i64"))
    table, count, times = f.arguments
    with f.loop(0, times), f.loop(0, count) as i:
        row = f.element(table, f.mul(i, 3), "i64")
        kernel, words = f.load(row, "ptr"), f.load(f.element(row, 1, "i64"), "ptr")
        f.emit(f"call void {kernel.text}({words}, i64 0, {f.load(f.element(row, 2, 'i64'), 'i64')})")
    address = jit.compile_kernels([Kernel(f.name, module(f))], level)[f.name]
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)


def nanoseconds(works: Sequence[Work], seconds: float = 0.1) -> list[float]:
    """The least time of one call of each, measured turn by turn."""
    repeat = repeater(works[0].level)
    least = [float("inf")] * len(works)
    times = []
    for work in works:
        repeat(work.table.ctypes.data, len(work.table), 1)
        start = time.perf_counter_ns()
        repeat(work.table.ctypes.data, len(work.table), 1)
        times.append(max(1, int(30_000 / max(20, time.perf_counter_ns() - start))))
    end = time.perf_counter() + seconds * len(works)
    rounds = 0
    while rounds < 3 or time.perf_counter() < end:
        rounds += 1
        for i, work in enumerate(works):
            start = time.perf_counter_ns()
            repeat(work.table.ctypes.data, len(work.table), times[i])
            least[i] = min(least[i], (time.perf_counter_ns() - start) / times[i])
    return least


def peak(level: Level, element: str) -> float:
    """GFLOP/s of multiply-adds that wait for nothing."""
    f = KernelFunction("peak")
    kind = vector(element, level.lanes(element))
    chains = min(16, level.registers - 4)
    sums = [f.variable(kind, literal(kind, float(i))) for i in range(chains)]
    factor = f.splat(f.convert(f.word(1, "double"), element), level.lanes(element))
    with f.loop(0, 4096):
        for s in sums:
            s.set(multiply_add(f, summing(element, level), s.get(), factor, factor))
    for i, s in enumerate(sums):
        f.store(s.get(), f.element(f.pointer(0), i * level.lanes(element), element))
    kernel = f.finish()
    room = np.zeros(1024, "i8")
    words = np.array([room.ctypes.data, 0], "i8")
    table = np.array([[jit.compile_kernels([kernel], level)[kernel.symbol], words.ctypes.data, 1]], "i8")
    repeat, least = repeater(level), float("inf")
    for _ in range(300):
        start = time.perf_counter_ns()
        repeat(table.ctypes.data, 1, 10)
        least = min(least, (time.perf_counter_ns() - start) / 10)
    return 2 * chains * level.lanes(element) * 4096 / least


def least(cases: Sequence[tuple[ways.Shape, ways.Way]], level: Level, seconds: float = 1.0) -> list[float]:
    """The least times of products over several places in memory."""
    times = [
        nanoseconds([Work(shape, level, way) for shape, way in cases], seconds / 6 / len(cases))
        for _ in range(6)
    ]
    return np.min(times, 0).tolist()


# -- prices ------------------------------------------------------------------------------------------------------------


def measure_costs(level: Level, element: str) -> choices.Costs:
    """The prices of the parts; see `choices.Costs`."""
    lanes = level.lanes(element)
    size = {"float": 4, "double": 8}[element]

    def line(m: int, n: int, way: Callable[[ways.Shape], ways.Way], tb: bool = False) -> tuple[float, float]:
        """Nanoseconds at k = 0, and for each step along k."""
        shapes = [ways.Shape(m, n, k * lanes, element, tb=tb) for k in (1, 2, 4, 8)]
        times = least([(shape, way(shape)) for shape in shapes], level, 1.5)
        step, start = np.polyfit([shape.k for shape in shapes], times, 1)
        return max(0.0, float(start)), float(step)

    def tiles(rows: int, vectors: int) -> Callable[[ways.Shape], ways.Way]:
        return lambda shape: ways.by_tiles(shape, level, rows, vectors)

    def dots(rows: int, columns: int) -> Callable[[ways.Shape], ways.Way]:
        by = ways.Dots(element, lanes, rows, columns, summing(element, level))
        return lambda shape: ways.Way(by, shape.m, -(-shape.n // columns), 1)

    wide = 4 if level.registers >= 32 else 2
    start, step = line(32, wide * lanes, tiles(4, wide))
    fma = step / (32 * wide)
    half = line(32, lanes // 2, tiles(8, 1))[1] / 32
    thin, chain = line(8, lanes, tiles(1, 1))
    # eight tiles of 4 by ``wide`` vectors, and eight of one
    store = max(0.0, (start - thin) / (8 * (4 * wide - 1)))
    tile = max(0.5, thin / 8 - store)
    few, read = line(32, 32, dots(2, 2), tb=True)
    many, _ = line(32, 32, dots(4, 4), tb=True)
    read = read * lanes / 256 / 4
    dot = max(0.0, (many / 64 - few / 256) / 12)
    group = max(0.5, few / 256 - 4 * dot)
    shape = ways.Shape(16, 256, 256, element)
    turned = ways.Shape(16, 256, 256, element, tb=True)
    plain = ways.by_tiles(shape, level, 4, wide)
    copied = replace_pack(plain)
    cases = [(shape, plain), (turned, ways.by_tiles(turned, level, 4, wide)), (shape, copied)]
    times = least(cases, level, 1.5)
    turn, copy = ((t - times[0]) / (256 * 256) for t in times[1:])
    return choices.Costs(
        *(round(x, 4) for x in (fma, min(half, fma), chain / 8, fma / 25, read, tile, store, group, dot)),
        *(round(max(x, 0.0), 4) for x in (turn, copy)),
        far(level, element, size, wide),
        openblas(level, element),
    )


def replace_pack(way: ways.Way) -> ways.Way:
    assert isinstance(way.by, ways.Tile)
    return replace(way, by=replace(way.by, pack="copy"))


def far(level: Level, element: str, size: int, wide: int) -> float:
    """The least size of B, in bytes, from which copying panels is worth while."""
    found = choices.NEVER
    for k, n in ((2048, 2048), (1024, 2048), (1024, 1024), (512, 1024), (512, 512), (256, 512)):
        shape = ways.Shape(256, n, k, element)
        plain = ways.by_tiles(shape, level, 6 if wide == 4 else 4, wide)
        plain = replace(plain, by=replace(plain.by, pack=""))  # type: ignore[arg-type]
        times = least([(shape, plain), (shape, replace_pack(plain))], level, 2.0)
        if times[1] > 0.99 * times[0]:
            break
        found = float(k * n * size)
    return found


def openblas(level: Level, element: str) -> float:
    """The least number of multiply-adds from which OpenBLAS is faster; a figure counts only from 3 % on."""
    if not blas.available() or CORES.get(level.name) not in blas.version():
        return choices.NEVER
    found = choices.NEVER
    for m, n, k in ((256, 2048, 1024), (256, 1024, 512), (128, 512, 512), (128, 256, 256), (64, 128, 128)):
        total = [0.0, 0.0]
        for ta, tb in ((False, True), (False, False), (True, False)):
            shape = ways.Shape(m, n, k, element, ta, tb)
            ours = min(ways.candidates(shape, level), key=lambda way: way.work)
            theirs = ways.by_openblas(shape)
            times = least([(shape, ours), (shape, theirs)], level)
            total = [a + b for a, b in zip(total, times)]
        if total[1] > 0.97 * total[0]:
            break
        found = float(m * n * k)
    return found


def write_table() -> None:
    """Measure all levels, each in a process of its own with OpenBLAS's kernels for it, and write the shipped table."""
    rows = []
    for level in possible():
        environment = {
            **os.environ,
            "OPENBLAS_CORETYPE": CORES.get(level.name, ""),
            "OPENBLAS_NUM_THREADS": "1",
        }
        command = [sys.executable, __file__, "--costs", level.name]
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        for size, costs in json.loads(done.stdout).items():
            numbers = ", ".join(
                "NEVER" if x == choices.NEVER else f"{x:g}" if x < 1e6 else str(int(x)) for x in costs
            )
            rows.append(f'    ("{level.name}", {size}): Costs({numbers}),\n')
            print(rows[-1], end="", file=sys.stderr)
    path = Path(choices.__file__)
    text = re.sub(
        r"(?s)(TABLE: .*? = \{\n).*?\}\n", lambda found: found[1] + "".join(rows) + "}\n", path.read_text()
    )
    path.write_text(text)


# -- whole products ------------------------------------------------------------------------------------------------------


def products_of(sizes: Sequence[int], batch: int) -> list[tuple[str, ways.Shape]]:
    """The products of a step of training: forwards, the gradients of inputs but the first, the gradients of weights."""
    found = []
    for i, (x, y) in enumerate(pairwise(sizes)):
        found.append(("forward nt", ways.Shape(batch, y, x, "float", False, True)))
        if i:
            found.append(("input nn", ways.Shape(batch, x, y, "float")))
        found.append(("weight tn", ways.Shape(y, x, batch, "float", True, False)))
    return found


def nets(level: Level, seconds: float) -> dict[str, Any]:
    """GFLOP/s of each product of the nets, ours and OpenBLAS's undivided."""
    out: dict[str, Any] = {}
    for name, (sizes, batch) in NETS.items():
        rows, totals = [], [0.0, 0.0]
        for what, shape in products_of(sizes, batch):
            way = ways.choose(shape, level)
            cases = [(shape, way)]
            if blas.available():
                cases.append((shape, ways.Way(None, shape.m, shape.n, 1)))
            operations = 2 * shape.m * shape.n * shape.k
            times = least(cases, level, seconds * max(2.0, operations / 1e8))
            rates = [round(operations / t, 1) for t in times]
            rows.append([f"{what} {shape.m}x{shape.n}x{shape.k}", str(way.by or "OpenBLAS"), *rates])
            totals = [a + b for a, b in zip(totals, [*times, 0.0])]
        out[name] = {
            "product, way, GFLOP/s of ours, of OpenBLAS": rows,
            "microseconds of ours, of OpenBLAS": [round(t / 1000, 2) for t in totals],
        }
    return out


def regret(level: Level) -> dict[str, Any]:
    """How much slower the chosen way is than the best of the candidates, over sizes of all kinds."""
    out: dict[str, Any] = {}
    rng = np.random.default_rng(3)
    sizes = [tuple(int(x) for x in rng.integers(1, 160, 3)) for _ in range(12)]
    for m, n, k in [
        *sizes,
        (64, 10, 128),
        (128, 10, 256),
        (32, 1, 64),
        (1, 64, 64),
        (33, 33, 33),
        (512, 784, 128),
    ]:
        for ta, tb in ((False, True), (False, False), (True, False)):
            shape = ways.Shape(m, n, k, "float", ta, tb)
            mine = ways.choose(shape, level)
            all_ways = sorted(ways.candidates(shape, level), key=lambda way: way.work)[:24]
            times = least([(shape, way) for way in (mine, *all_ways)], level, 0.6)
            best = int(np.argmin(times))
            said = str((mine, *all_ways)[best].by)
            out[f"{m}x{n}x{k} {'t' if ta else 'n'}{'t' if tb else 'n'}"] = [
                round(times[0] / times[best], 3),
                str(mine.by),
                said,
                [round(mine.work), round(times[0])],
            ]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--level", choices=list(LEVELS), default=None)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--regret", action="store_true")
    parser.add_argument("--costs", metavar="LEVEL")
    given = parser.parse_args()
    if given.write:
        write_table()
        return
    level = LEVELS[given.costs or given.level or current().name]
    if given.costs:
        print(json.dumps({"4": measure_costs(level, "float"), "8": measure_costs(level, "double")}))
        return
    found = regret(level) if given.regret else nets(level, given.seconds)
    about = {"level": level.name, "OpenBLAS": blas.version(), "peak GFLOP/s": round(peak(level, "float"), 1)}
    print(json.dumps({**about, **found}, indent=1))


if __name__ == "__main__":
    main()
