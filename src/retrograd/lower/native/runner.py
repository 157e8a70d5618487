"""The loop that calls a program's kernels one after the other."""

from __future__ import annotations

import ctypes
from typing import Any

from . import jit
from .emit import Function, module
from .kernel import Kernel
from .level import Level

_functions: dict[str, Any] = {}


def runner() -> Kernel:
    """``void run(ptr table, i64 count)``: a row of the table is a kernel, its words, its slabs, and one spare."""
    f = Function("retrograd_run", ("ptr", "i64"))
    table, count = f.arguments
    with f.loop(0, count) as i:
        row = f.element(table, f.mul(i, 4), "i64")
        kernel, words = f.load(row, "ptr"), f.load(f.element(row, 1, "i64"), "ptr")
        slabs = f.load(f.element(row, 2, "i64"), "i64")
        f.emit(f"call void {kernel.text}({words}, i64 0, {slabs})")
    return Kernel(f.name, module(f), "run")


def run_function(level: Level) -> Any:
    """The runner as a function of two whole numbers; the interpreter's lock is free while it runs."""
    if level.name not in _functions:
        kernel = runner()
        address = jit.compile_kernels([kernel], level)[kernel.symbol]
        _functions[level.name] = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(address)
    return _functions[level.name]
