"""How long compiling takes, cold and warm: pipelines, one module or many, threads, processes, reading back, linking.

    python benchmarks/cold_and_warm.py [--kernels N] [--repeats N]

N kernels like those of a training step: elementwise chains with exponentials, register tiles of a matrix product, sums.
Each figure is the least of the repeats: of one thread's own time for the pipelines, else of the clock's.  Code is judged
by the time that its kernels run.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import ctypes
import itertools
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd.lower.native import cache, jit
from retrograd.lower.native.emit import Value, literal, vector
from retrograd.lower.native.kernel import Kernel, KernelFunction
from retrograd.lower.native.level import current

PIPELINES: dict[str, tuple[str, ...] | None] = {
    "LLVM's -O2, no vectorisers": None,
    "none": (),
    "sroa": ("sroa",),
    "sroa, new gvn, dce": ("sroa", "new_gvn", "dead_code_elimination"),
    "sroa, instcombine": ("sroa", "instruction_combine"),
    "sroa, rotate, instcombine, simplify cfg": jit._PASSES,
}
SLAB = 4096


def exponential(f: KernelFunction, x: Value, salt: int) -> Value:
    """Something with the shape of exp; ``salt`` makes kernels differ."""
    n = f.intrinsic("rint", f.mul(x, 1.4426950408889634 + salt * 1e-3))
    r = f.fma(n, 2.12194440e-4, f.fma(n, -0.693359375, x))
    p = literal(x.type, 1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5, 1.0, 1.0):
        p = f.fma(p, r, c + salt * 1e-6)
    return f.mul(p, f.bits(f.bit("shl", f.add(f.convert(n, "i32"), 127), 23), "float"))


def chain(salt: int, lanes: int) -> Kernel:
    """z = something elementwise of x and y: four vectors an iteration, a masked tail."""
    f, kind = KernelFunction(f"chain {salt}"), vector("float", lanes)
    (x, y, z), n, step = (f.pointer(k) for k in range(3)), f.word(3), 4 * lanes

    def body(at: Value, mask: Value | None = None) -> None:
        v, w = (f.load(f.element(p, at, "float"), kind, mask) for p in (x, y))
        for k in range(1 + salt % 3):
            positive = f.select(f.compare("gt", v, 0.0), v, 0.5)
            v = f.add(f.mul(exponential(f, v, salt + k), w), positive)
        f.store(f.div(v, f.add(w, 1.0 + salt)), f.element(z, at, "float"), mask)

    with f.slabs() as slab:
        begin = f.mul(slab, SLAB)
        stop = f.intrinsic("smin", f.add(begin, SLAB), n)
        whole = f.add(begin, f.mul(f.div(f.sub(stop, begin), step), step))
        with f.loop(begin, whole, step) as i:
            for u in range(4):
                body(f.add(i, u * lanes))
        with f.loop(whole, stop, lanes) as i:
            many = vector("i64", lanes)
            body(i, f.compare("lt", f.iota(many), f.like(f.sub(stop, i), many)))
    return f.finish()


def product(salt: int, lanes: int) -> Kernel:
    """Tiles of a matrix product held in registers."""
    rows, columns = 6, 4 if lanes == 16 else 2
    f, kind = KernelFunction(f"product {salt}"), vector("float", lanes)
    (a, b, c), k, stride = (f.pointer(i) for i in range(3)), f.word(3), f.word(4)
    with f.slabs() as slab:
        tiles = [[f.variable(kind, float(salt)) for _ in range(columns)] for _ in range(rows)]
        first = f.element(a, f.mul(slab, f.mul(k, rows)), "float")
        with f.loop(0, k) as p:
            row = f.element(b, f.mul(p, stride), "float")
            right = [f.load(f.element(row, j * lanes, "float"), kind) for j in range(columns)]
            for r in range(rows):
                left = f.load(f.element(first, f.add(f.mul(k, r), p), "float"), "float")
                for j in range(columns):
                    tiles[r][j].set(f.fma(f.splat(left, lanes), right[j], tiles[r][j].get()))
        out = f.element(c, f.mul(slab, rows * columns * lanes), "float")
        for number, tile in enumerate(itertools.chain(*tiles)):
            f.store(tile.get(), f.element(out, number * lanes, "float"))
    return f.finish()


def total(salt: int, lanes: int) -> Kernel:
    """The sum of squares of each row."""
    f, kind = KernelFunction(f"total {salt}"), vector("float", lanes)
    x, y, n = f.pointer(0), f.pointer(1), f.word(2)
    with f.slabs() as slab:
        sums = [f.variable(kind, 0.0) for _ in range(4)]
        row = f.element(x, f.mul(slab, n), "float")
        with f.loop(0, n, 4 * lanes) as i:
            for u, one in enumerate(sums):
                v = f.load(f.element(row, f.add(i, u * lanes), "float"), kind)
                one.set(f.fma(v, v, f.add(one.get(), salt)))
        t = f.add(f.add(sums[0].get(), sums[1].get()), f.add(sums[2].get(), sums[3].get()))
        f.store(
            f.add(f.extract(t, 0), f.extract(t, lanes - 1)), f.element(y, slab, "float")
        )  # enough for a timing
    return f.finish()


def kernels_like(count: int) -> list[Kernel]:
    """Two chains, a product and a sum, over and over, all different."""
    lanes = current().lanes("float")
    made = (chain, chain, product, total)
    return [made[k % 4](k, lanes) for k in range(count)]


def least(run: Callable[[], Any], repeats: int) -> float:
    """Milliseconds of the quickest of some calls."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds) * 1e3


def running(kernels: Sequence[Kernel], objects: Sequence[bytes]) -> list[float]:
    """Microseconds of one call of each of the first four kernels."""
    names = [f.symbol for f in kernels[:4]]
    addresses = jit._link(list(objects[:4]), names)
    generator = np.random.default_rng(0)
    x, y, z = (generator.random(4 * SLAB).astype(np.float32) for _ in range(3))
    at, to = [a.ctypes.data for a in (x, y, z)], z.ctypes.data
    words = [[*at, 4 * SLAB - 3], [*at, 4 * SLAB - 3], [*at, 256, 64], [at[0], to, SLAB]]
    found = []
    for name, given in zip(names, words, strict=True):
        call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(addresses[name])
        held = np.array(given, np.int64)
        pointer = held.ctypes.data
        found.append(least(lambda call=call, pointer=pointer: call(pointer, 0, 4), 300) * 1e3)
    return found


def with_pipeline(
    kernels: Sequence[Kernel], passes: tuple[str, ...] | None, repeats: int
) -> tuple[float, float, list[bytes]]:
    """Milliseconds in passes and in emitting, one thread, and the objects."""
    import llvmlite.binding as llvm

    compiler = jit._Compiler(current())
    builder, manager = compiler.builder, llvm.create_new_module_pass_manager()
    for name in passes or ():
        getattr(manager, f"add_{name}_pass")()
    if passes is None:
        tuning = compiler.tuning
        tuning.loop_vectorization = tuning.slp_vectorization = tuning.loop_unrolling = False
        builder = llvm.create_pass_builder(compiler.machine, tuning)
    best = (float("inf"), float("inf"))
    objects: list[bytes] = []
    for _ in range(repeats):
        spent, objects = [0.0, 0.0], []
        for one in kernels:
            module = llvm.parse_assembly(one.text, llvm.create_context())
            module.triple, module.data_layout = compiler.machine.triple, compiler.layout
            if passes is None:
                manager = builder.getModulePassManager()  # LLVM's own can be run only once
            start = time.thread_time()
            manager.run(module, builder)
            middle = time.thread_time()
            objects.append(compiler.machine.emit_object(module))
            spent[0] += middle - start
            spent[1] += time.thread_time() - middle
        best = min(best, (spent[0] * 1e3, spent[1] * 1e3), key=sum)
    return *best, objects


def together(kernels: Sequence[Kernel]) -> str:
    """All kernels in one module."""
    lines = [line for one in kernels for line in one.text.splitlines()]
    declared = sorted({line for line in lines if line.startswith("declare")})
    return "\n".join([*declared, *(line for line in lines if not line.startswith("declare"))]) + "\n"


def in_processes(texts: Sequence[str]) -> list[bytes]:
    """By worker processes, started for this."""
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count(), context) as pool:
        return list(pool.map(jit._compile, texts, [current()] * len(texts), chunksize=4))


WARM = """
import sys, time
start = time.perf_counter(); import llvmlite.binding; loaded = time.perf_counter()
sys.path.insert(0, sys.argv[1])
from cold_and_warm import kernels_like, current, jit
kernels, level = kernels_like(int(sys.argv[2])), current()
a = time.perf_counter(); jit.objects(kernels, level)
b = time.perf_counter(); jit.compile_kernels(kernels, level)
print(loaded - start, b - a, time.perf_counter() - b)
"""


def fresh(kernels: int) -> list[float]:
    """Milliseconds in a new process: importing llvmlite, reading or compiling, and all of `compile_kernels` after it."""
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        [sys.executable, "-c", WARM, here, str(kernels)], capture_output=True, text=True, check=True
    )
    return [float(word) * 1e3 for word in done.stdout.split()]


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--kernels", type=int, default=40)
    arguments.add_argument("--repeats", type=int, default=5)
    given = arguments.parse_args()
    from llvmlite.binding import ffi

    folder = tempfile.TemporaryDirectory(prefix="retrograd-benchmark-")
    os.environ[cache.VARIABLE] = folder.name
    kernels, level = kernels_like(given.kernels), current()
    texts = [one.text for one in kernels]
    print(
        f"{jit.identity(level)}; {os.cpu_count()} cores; {given.kernels} kernels, {sum(map(len, texts))} bytes of text"
    )

    print(
        f"\n{'pipeline, time of one thread':42}{'passes':>8}{'emitting':>10} ms{'bytes':>9}  kernels run in us"
    )
    for name, passes in PIPELINES.items():
        spent, emitting, objects = with_pipeline(kernels, passes, given.repeats)
        runs = "  ".join(f"{x:.2f}" for x in running(kernels, objects))
        print(f"{name:42}{spent:8.0f}{emitting:10.0f}   {sum(map(len, objects)):9}  {runs}")

    def report(what: str, run: Callable[[], Any], repeats: int = given.repeats) -> None:
        print(f"  {what:36}{least(run, repeats):8.1f}")

    print("\nall of compiling, ms")
    cores, free = jit._cores, jit._without_lock
    jit._cores = lambda: 1
    report("1 thread, a module a kernel", lambda: jit._compile_all(texts, level))
    one = together(kernels)
    report("1 thread, one module", lambda: jit._compile(one, level))
    jit._cores = lambda: 2
    report("2 threads", lambda: jit._compile_all(texts, level))
    jit._without_lock = lambda name: getattr(ffi.lib, name)
    report("2 threads under llvmlite's lock", lambda: jit._compile_all(texts, level))
    jit._without_lock, jit._cores = free, cores
    report("worker processes", lambda: in_processes(texts), 3)

    print("\nlinking, ms")
    objects, names = jit.objects(kernels, level, anew=True), [f.symbol for f in kernels]
    whole = jit._compile(one, level)
    jit._linker()
    report(f"{len(objects)} objects", lambda: jit._link(objects, names))
    report("the same in one", lambda: jit._link([whole], names))

    print("\na new process, ms          import llvmlite, compiled or read, read again and linked")
    cache.clear()
    print(f"  cold  {'  '.join(f'{x:8.1f}' for x in fresh(given.kernels))}")
    warm = [fresh(given.kernels) for _ in range(given.repeats)]
    print(f"  warm  {'  '.join(f'{min(x):8.1f}' for x in zip(*warm, strict=True))}")


if __name__ == "__main__":
    main()
