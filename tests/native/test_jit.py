"""Kernels compiled, linked and called."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from retrograd.lower.native import jit
from retrograd.lower.native.emit import literal, vector
from retrograd.lower.native.kernel import Kernel, KernelFunction
from retrograd.lower.native.level import LEVELS, Level, current

pytest.importorskip("llvmlite")

CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


def levels_here() -> list[Level]:
    """Those that this CPU can run."""
    names = list(LEVELS)
    best = current()
    return [
        level
        for level in LEVELS.values()
        if level.architecture == best.architecture and names.index(level.name) >= names.index(best.name)
    ]


def run(address: int, words: list[int], begin: int = 0, end: int = 1) -> None:
    CALL(address)(np.array(words, np.int64).ctypes.data, begin, end)


def multiply_add(element: str, lanes: int, by: float = 3.0) -> Kernel:
    """y = x·by + y of one vector a slab, rounded once."""
    f = KernelFunction("y = x·c + y")
    x, y = f.pointer(0), f.pointer(1)
    with f.slabs() as slab:
        at = f.mul(slab, lanes)
        kind = vector(element, lanes)
        p, q = f.element(x, at, element), f.element(y, at, element)
        f.store(f.fma(f.load(p, kind), literal(kind, by), f.load(q, kind)), q)
    return f.finish()


@pytest.mark.parametrize("level", levels_here(), ids=lambda level: level.name)
@pytest.mark.parametrize(("element", "dtype"), [("float", np.float32), ("double", np.float64)])
def test_a_kernel_runs_on_every_level_and_fma_rounds_once(level: Level, element: str, dtype: type) -> None:
    rng = np.random.default_rng(1)
    lanes = level.lanes(element)
    kernel = multiply_add(element, lanes, 1 + 2**-20)
    x = rng.standard_normal(5 * lanes).astype(dtype)
    y = (-x * dtype(1 + 2**-20)).astype(dtype)
    # what is left after cancellation is the rounding error of the product, which only an exact fma sees
    exact = [_fma(float(a), 1 + 2**-20, float(b)) for a, b in zip(x, y, strict=True)]
    addresses = jit.compile_kernels([kernel], level)
    run(addresses[kernel.symbol], [x.ctypes.data, y.ctypes.data], 0, 5)
    np.testing.assert_array_equal(y, np.array(exact, dtype))
    assert np.any(y != 0)


def _fma(a: float, b: float, c: float) -> float:
    from fractions import Fraction

    return float(Fraction(a) * Fraction(b) + Fraction(c))


def test_functions_outside_are_called_by_address() -> None:
    seen = []
    callback = CALL(lambda words, begin, end: seen.append((begin, end)))
    jit.symbols({"retrograd_test_outside": ctypes.cast(callback, ctypes.c_void_p).value or 0})
    f = KernelFunction("calls outside")
    f.call("void", "retrograd_test_outside", f.words, f.begin, f.end)
    kernel = f.finish()
    run(jit.compile_kernels([kernel], current())[kernel.symbol], [0], 3, 9)
    assert seen == [(3, 9)]


def test_equal_kernels_are_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = [multiply_add("float", 4, 17.25), multiply_add("float", 4, 17.25)]
    first = jit.compile_kernels(kernels, current())
    assert len(first) == 1
    monkeypatch.setattr(jit, "_compile", None)
    assert jit.compile_kernels(kernels, current()) == first


def test_code_for_another_architecture_can_be_read() -> None:
    text = jit.assembly(multiply_add("float", 4).text, LEVELS["aarch64"])
    assert "fmla" in text
