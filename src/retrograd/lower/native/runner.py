"""The native loops that call a program's kernels one after the other: on one thread, and on several.

A program is a table; a row is a kernel, its words, its slabs, and how it is run (see `together`).  Bits depend on the
rounding mode and on what becomes of denormal numbers, so every thread sets both before the first kernel.
"""

from __future__ import annotations

import ctypes
from typing import Any

from . import jit
from .emit import Function, Value, literal, module
from .kernel import Kernel
from .level import Level

SHARED, MEET = 1, 2
"""How a row is run: its slabs by all threads or by one; afterwards the threads wait for each other, or go on."""
OWNER = 8
"""The bit from which on stands the number of the thread that runs a row alone."""

_MODES = {"x86_64": 0x1F80, "aarch64": 0}
"""The control word: round to nearest, keep denormal numbers, no traps."""

_functions: dict[str, Any] = {}


def clean_mode(f: Function, architecture: str) -> Value:
    """Set the floating-point mode that programs rely on; gives what was there."""
    if architecture == "aarch64":
        before = f.call("i64", "llvm.aarch64.get.fpcr")
    else:
        place = f.variable("i32").place
        f.call("void", "llvm.x86.sse.stmxcsr", place)
        before = f.load(place, "i32")
    set_mode(f, architecture, literal(before.type, _MODES[architecture]))
    return before


def set_mode(f: Function, architecture: str, mode: Value) -> None:
    if architecture == "aarch64":
        f.call("void", "llvm.aarch64.set.fpcr", mode)
        return
    place = f.variable("i32", mode).place
    f.call("void", "llvm.x86.sse.ldmxcsr", place)


def row_at(f: Function, table: Value, i: Value) -> tuple[Value, Value, Value, Value]:
    """Kernel, words, slabs, and how it is run."""
    row = f.element(table, f.mul(i, 4), "i64")
    kernel, words = f.load(row, "ptr"), f.load(f.element(row, 1, "i64"), "ptr")
    return kernel, words, f.load(f.element(row, 2, "i64"), "i64"), f.load(f.element(row, 3, "i64"), "i64")


def runner(architecture: str) -> Kernel:
    """``void run(ptr table, i64 count)``: every row, all of its slabs."""
    f = Function("retrograd_run", ("ptr", "i64"))
    table, count = f.arguments
    before = clean_mode(f, architecture)
    with f.loop(0, count) as i:
        kernel, words, slabs, _ = row_at(f, table, i)
        f.emit(f"call void {kernel.text}({words}, i64 0, {slabs})")
    set_mode(f, architecture, before)
    return Kernel(f.name, module(f), "run")


def run_function(level: Level) -> Any:
    """The runner as a function of two whole numbers; the interpreter's lock is free while it runs."""
    if level.name not in _functions:
        kernel = runner(level.architecture)
        address = jit.compile_kernels([kernel], level)[kernel.symbol]
        _functions[level.name] = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address)
    return _functions[level.name]
