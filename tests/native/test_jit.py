"""Kernels compiled, linked and called."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrograd.lower.native import cache, jit
from retrograd.lower.native import level as levels
from retrograd.lower.native.emit import literal, vector
from retrograd.lower.native.kernel import Kernel, KernelFunction
from retrograd.lower.native.level import LEVELS, Level, current, possible

pytest.importorskip("llvmlite")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modules that are compiled, as they are."""
    seen: list[str] = []
    real = jit._compile

    def compile_and_note(text: str, level: Level) -> bytes:
        seen.append(text)
        return real(text, level)

    monkeypatch.setattr(jit, "_compile", compile_and_note)
    return seen


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a new process: nothing is linked yet."""
    monkeypatch.setattr(jit, "_addresses", {})


CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)


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


@pytest.mark.parametrize("level", possible(), ids=lambda level: level.name)
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


def check(kernel: Kernel, level: Level | None = None) -> None:
    """A kernel of `multiply_add` over 4 floats, by 3, computes what it says."""
    x, y = np.arange(8, dtype=np.float32), np.ones(8, np.float32)
    address = jit.compile_kernels([kernel], level or current())[kernel.symbol]
    run(address, [x.ctypes.data, y.ctypes.data], 0, 2)
    np.testing.assert_array_equal(y, 3 * x + 1)


def test_equal_kernels_are_compiled_once(counted: list[str]) -> None:
    kernels = [multiply_add("float", 4, 17.25), multiply_add("float", 4, 17.25)]
    first = jit.compile_kernels(kernels, current())
    assert jit.compile_kernels(kernels, current()) == first
    assert len(first) == len(counted) == 1


@pytest.mark.parametrize("level", possible(), ids=lambda level: level.name)
def test_what_the_cpu_has_no_instruction_for_is_linked(level: Level) -> None:
    """On the lowest level LLVM calls the C library for these."""
    f = KernelFunction("floor(x) + rint(x) + trunc(x) + ceil(x) and the remainder")
    x, y = f.pointer(0), f.pointer(1)
    with f.slabs() as slab:
        v = f.load(f.element(x, slab, "double"), "double")
        total = f.rem(v, 0.75)
        for name in ("floor", "rint", "trunc", "ceil"):
            total = f.add(total, f.intrinsic(name, v))
        f.store(total, f.element(y, slab, "double"))
    kernel = f.finish()
    given, found = np.array([-2.5, -0.3, 0.5, 1.5, 2.75, 1e300]), np.empty(6)
    address = jit.compile_kernels([kernel], level)[kernel.symbol]
    run(address, [given.ctypes.data, found.ctypes.data], 0, 6)
    expected = np.fmod(given, 0.75)
    for function in (np.floor, np.rint, np.trunc, np.ceil):
        expected = expected + function(given)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("element", "lanes", "instruction"), [("float", 4, "fmla"), ("double", 2, "fmla"), ("float", 1, "fmadd")]
)
def test_code_for_another_architecture_can_be_read(element: str, lanes: int, instruction: str) -> None:
    text = jit.assembly(multiply_add(element, lanes).text, LEVELS["aarch64"])
    assert instruction in text


def test_objects_for_another_architecture() -> None:
    (content,) = jit.objects([multiply_add("float", 4)], LEVELS["aarch64"])
    assert content[:4] == b"\x7fELF"
    assert content[18] == 183  # EM_AARCH64


def test_vectors_are_as_wide_as_the_level_says() -> None:
    if LEVELS["avx512"] not in possible():
        pytest.skip("another CPU")
    for name, register in (("avx512", "zmm"), ("avx2", "ymm"), ("baseline", "xmm")):
        text = jit.assembly(multiply_add("float", LEVELS[name].lanes("float")).text, LEVELS[name])
        assert register in text
        assert ("vfmadd" in text) == (name != "baseline")


def test_a_warm_start_compiles_nothing(counted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = [multiply_add("float", 4), multiply_add("double", 2)]
    forget(monkeypatch)
    jit.compile_kernels(kernels, current())
    assert len(counted) == 2
    forget(monkeypatch)
    check(kernels[0])
    assert len(counted) == 2


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "foreign"])
def test_a_damaged_object_is_replaced(
    damage: str, folder: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = multiply_add("float", 4)
    forget(monkeypatch)
    check(kernel)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 16
    path.write_bytes({"flip": bytes(flipped), "cut": whole[:-7], "empty": b"", "foreign": whole[72:]}[damage])
    forget(monkeypatch)
    check(kernel)
    assert len(counted) == 2
    assert path.read_bytes() == whole


def test_whole_but_no_object_is_replaced(
    folder: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of ours writes such a file; still it costs a compilation, not the process."""
    kernel = multiply_add("float", 4)
    forget(monkeypatch)
    check(kernel)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    other = jit.objects([multiply_add("double", 2)], current())[0]  # lacks the symbol
    for content in (b"", b"no object at all", other):
        cache.put(path.stem, content, "object")
        forget(monkeypatch)
        check(kernel)
        assert path.read_bytes() == whole
    assert len(counted) == 5


def test_another_level_has_other_objects(folder: Path) -> None:
    kernel = multiply_add("float", 4)
    jit.objects([kernel], LEVELS["aarch64"])
    jit.objects([kernel], current())
    assert len(list(folder.iterdir())) == 2


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any, **named: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    forget(monkeypatch)
    check(multiply_add("float", 4))


def test_as_many_threads_as_there_are_give_the_same_objects(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels = [multiply_add("float", 4, k) for k in range(12)]
    found = []
    for cores in (1, 2, 5):
        monkeypatch.setattr(jit, "_cores", lambda cores=cores: cores)
        found.append(jit.objects(kernels, current(), anew=True))
    assert found[0] == found[1] == found[2]
    assert len(set(found[0])) == 12


def test_an_error_of_llvm_arrives_from_whichever_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit, "_cores", lambda: 3)
    bad = Kernel("kbad", "define void @kbad(ptr %a, i64 %b, i64 %c) { nonsense }")
    kernels = [*(multiply_add("float", 4, 90 + k) for k in range(7)), bad]
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="nonsense"):
        jit.compile_kernels(kernels, current())
    assert threading.active_count() == before


def test_llvmlite_without_a_way_round_its_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way round is no promise of llvmlite's: where it is closed, the lock it is."""
    from llvmlite.binding import ffi

    class Locked:
        def __getattr__(self, name: str) -> Any:
            if name == "_lib_handle":
                raise AttributeError(name)
            return getattr(real, name)

    real = ffi.lib
    kernel = multiply_add("float", 4)
    expected = jit.objects([kernel], current(), anew=True)
    monkeypatch.setattr(ffi, "lib", Locked())
    jit._without_lock.cache_clear()
    assert type(jit._without_lock("LLVMPY_TargetMachineEmitToMemory")).__name__ == "_lib_fn_wrapper"
    assert jit.objects([kernel], current(), anew=True) == expected
    jit._without_lock.cache_clear()


def test_several_callers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch)
    kernels = [multiply_add("float", 4, 40 + k) for k in range(8)]
    found: list[dict[str, int]] = []
    callers = [
        threading.Thread(target=lambda: found.append(jit.compile_kernels(kernels, current())))
        for _ in range(4)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 4
    assert all(addresses == found[0] for addresses in found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_while_another_thread_compiles() -> None:
    """The child links and compiles too; in a process of its own, because Python warns of forks with threads."""
    program = """
import os, sys, threading, warnings
sys.path.insert(0, sys.argv[1])
from native.test_jit import check, multiply_add
from retrograd.lower.native import jit
from retrograd.lower.native.level import current

warnings.simplefilter("ignore")
check(multiply_add("float", 4))
stop = threading.Event()
def busy():
    k = 0
    while not stop.is_set():
        k += 1
        jit.compile_kernels([multiply_add("float", 4, k + j / 8) for j in range(8)], current())
thread = threading.Thread(target=busy)
thread.start()
for number in range(10):
    child = os.fork()
    if child == 0:
        check(multiply_add("float", 4))
        jit.compile_kernels([multiply_add("double", 2, 1000 + number + j / 8) for j in range(4)], current())
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
stop.set()
thread.join()
"""
    root = Path(__file__).resolve().parents[1]
    path = os.pathsep.join(p for p in sys.path if p)
    subprocess.run(
        [sys.executable, "-c", program, str(root)],
        check=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_without_llvmlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    jit.reason.cache_clear()
    try:
        assert not jit.available()
        assert "llvmlite" in (jit.reason() or "")
    finally:
        jit.reason.cache_clear()
    monkeypatch.undo()
    assert jit.available()


def test_a_cpu_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(levels, "possible", lambda: ())
    jit.reason.cache_clear()
    try:
        assert (jit.reason() or "").startswith("no native code for ")
    finally:
        jit.reason.cache_clear()


def test_the_identity_names_all_that_bits_depend_on() -> None:
    text = jit.identity(LEVELS["avx512"], "OpenBLAS 0.3.30 SkylakeX")
    assert text.startswith("avx512; x86-64-v4 -prefer-256-bit; LLVM ")
    assert text.endswith("; OpenBLAS 0.3.30 SkylakeX")
