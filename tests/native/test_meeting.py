"""The loops of threads by themselves: meetings, owners, the floating-point mode; and which rows are shared."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np
import pytest

import retrograd as rg
from retrograd import compilation, threads

pytest.importorskip("llvmlite")

from retrograd.lower.native import jit, meeting, pool, runner, together
from retrograd.lower.native.emit import Function, module
from retrograd.lower.native.kernel import Command, Kernel, KernelFunction
from retrograd.lower.native.level import LEVELS, current
from retrograd.lower.native.together import Region, arrange


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    with threads.num_threads(threads.get_num_threads()):
        yield
    pool._end()


# -- tables by hand ------------------------------------------------------------------------------------------------------


def slow_then_write() -> Kernel:
    """Slab s counts to s · words[2], then writes words[1] into cell s."""
    f = KernelFunction("slow")
    cells, value, turns = f.pointer(0), f.word(1), f.word(2)
    with f.slabs() as s:
        x = f.variable("i64", 0)
        with f.loop(0, f.mul(s, turns)) as i:
            x.set(f.bit("xor", f.mul(x.get(), 6364136223846793005), i))
        f.store(x.get(), f.element(cells, f.add(s, 32), "i64"))
        f.store(value, f.element(cells, s, "i64"))
    return f.finish()


def read_the_other() -> Kernel:
    """Slab s copies cell 1 - s to cell 16 + s."""
    f = KernelFunction("read")
    cells = f.pointer(0)
    with f.slabs() as s:
        f.store(f.load(f.element(cells, f.sub(1, s), "i64"), "i64"), f.element(cells, f.add(s, 16), "i64"))
    return f.finish()


def two_rows(meet: bool, turns: int = 3_000_000) -> list[int]:
    """What two threads read of each other: [7, 7] if they have met in between."""
    level, kernels = current(), [slow_then_write(), read_the_other()]
    addresses = jit.compile_kernels(kernels, level)
    cells = np.zeros(64, np.int64)
    words = np.array([cells.ctypes.data, 7, turns], np.int64)
    first = runner.SHARED | (runner.MEET if meet else 0)
    table = np.array(
        [
            [addresses[k.symbol], words.ctypes.data, 2, how]
            for k, how in zip(kernels, (first, runner.SHARED), strict=True)
        ],
        np.int64,
    )
    pool.run_together(level)(table.ctypes.data, 2)
    return cells[16:18].tolist()


def test_a_race_is_seen() -> None:
    """The control: without the meeting, the tests of equal bits have something to find."""
    rg.set_num_threads(2)
    assert two_rows(meet=True) == [7, 7]
    assert any(two_rows(meet=False) != [7, 7] for _ in range(20))


@pytest.mark.parametrize("sleeping", [True, False])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_thousands_of_meetings(n: int, sleeping: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row's slabs add up what all slabs of the row before wrote: one missed meeting and the sums are wrong."""
    monkeypatch.setattr(pool, "SLEEPING", sleeping)
    level, slabs, rows = current(), 5, 1000
    f = KernelFunction("sums")
    source, target = f.pointer(0), f.pointer(1)
    with f.slabs() as s:
        total = f.variable("i64", s)
        with f.loop(0, slabs) as i:
            total.set(f.add(total.get(), f.load(f.element(source, i, "i64"), "i64")))
        f.store(f.bit("and", total.get(), 0xFFFFFFFF), f.element(target, s, "i64"))
    kernel = f.finish()
    address = jit.compile_kernels([kernel], level)[kernel.symbol]
    cells = np.zeros((2, slabs), np.int64)
    there, back = (np.array([cells[k].ctypes.data, cells[1 - k].ctypes.data], np.int64) for k in (0, 1))
    expected = np.zeros(slabs, np.int64)
    table = []
    for k in range(rows):
        table.append([address, (back if k % 2 else there).ctypes.data, slabs, runner.SHARED | runner.MEET])
        expected = (expected.sum() + np.arange(slabs)) & 0xFFFFFFFF
    array = np.array(table, np.int64)
    rg.set_num_threads(n)
    pool.run_together(level)(array.ctypes.data, rows)
    assert cells[0].tolist() == expected.tolist()


def test_rows_alone_are_run_once_by_their_owner() -> None:
    level = current()
    f = KernelFunction("count")
    cell = f.pointer(0)
    with f.slabs():
        f.store(f.add(f.load(cell, "i64"), 1), cell)
    kernel = f.finish()
    address = jit.compile_kernels([kernel], level)[kernel.symbol]
    cells = np.zeros(6, np.int64)
    words = np.array([[cells[k:].ctypes.data] for k in range(6)], np.int64)
    ways = [k << runner.OWNER for k in range(6)]  # more owners than threads: they take turns
    table = np.array([[address, words[k:].ctypes.data, k, ways[k]] for k in range(6)], np.int64)
    for n in (1, 2, 3, 4):
        cells[:] = 0
        rg.set_num_threads(n)
        pool.run_together(level)(table.ctypes.data, 6)
        assert cells.tolist() == list(range(6))


# -- which rows, and where they meet ---------------------------------------------------------------------------------------

KERNEL = Kernel("k", "")
LARGE, SMALL = 80_000.0, 100.0


def command(slabs: int, work: float) -> Command:
    return Command(KERNEL, [], slabs, work)


def wrote(*spaces: str) -> list[Region]:
    return [Region(s, 0, 64, True) for s in spaces]


def saw(*spaces: str) -> list[Region]:
    return [Region(s, 0, 64, False) for s in spaces]


def test_rows_meet_where_memory_clashes() -> None:
    big = command(4, LARGE)
    shared, meet = runner.SHARED, runner.MEET
    apart, worth = arrange([big] * 3, [wrote("a"), wrote("b"), [*wrote("c"), *saw("x")]])
    assert (apart, worth) == ([shared] * 3, True)
    assert arrange([big] * 2, [wrote("a"), saw("a")])[0] == [shared | meet, shared]
    assert arrange([big] * 2, [saw("a"), wrote("a")])[0] == [shared | meet, shared]
    assert arrange([big] * 2, [saw("a"), saw("a")])[0] == [shared, shared]
    assert arrange([big] * 2, [None, None])[0] == [shared | meet, shared]
    halves = [[Region("a", 0, 32, True)], [Region("a", 32, 64, True)]]
    assert arrange([big] * 2, halves)[0] == [shared, shared]


def test_a_clash_with_an_earlier_row_is_seen() -> None:
    big = command(4, LARGE)
    ways = arrange([big] * 3, [wrote("a"), wrote("b"), saw("a")])[0]
    assert ways == [runner.SHARED, runner.SHARED | runner.MEET, runner.SHARED]
    ways = arrange([big] * 3, [wrote("a"), saw("a"), saw("a")])[0]
    assert ways == [runner.SHARED | runner.MEET, runner.SHARED, runner.SHARED]


def test_rows_alone_in_a_row_meet_once() -> None:
    big, small = command(4, LARGE), command(1, SMALL)
    same = wrote("a")
    ways = arrange([big, small, small, small, big], [same] * 5)[0]
    assert ways == [runner.SHARED | runner.MEET, 0, 0, runner.MEET, runner.SHARED]


def test_large_rows_alone_are_spread() -> None:
    lone = command(1, LARGE / 2)
    ways, worth = arrange([lone, lone, lone], [wrote("a"), wrote("b"), saw("b")])
    assert (ways, worth) == ([0, 1 << runner.OWNER, 1 << runner.OWNER], True)
    ways = arrange([lone, lone, lone], [wrote("a"), wrote("b"), saw("a", "b")])[0]
    assert ways == [0, 1 << runner.OWNER | runner.MEET, 0]


def test_what_is_worth_threads() -> None:
    assert not arrange([command(4, 10_000.0)], [wrote("a")])[1]
    assert arrange([command(4, 60_000.0)], [wrote("a")])[1]  # one region
    assert not arrange([command(4, 45_000.0)] * 2, [wrote("a")] * 2)[1]  # two, and less than 100 us
    assert arrange([command(4, 60_000.0)] * 2, [wrote("a")] * 2)[1]
    assert not arrange([command(1, LARGE)] * 5, [wrote("a")] * 5)[1]
    lone, shared = command(1, LARGE / 2), command(4, 2 * LARGE)
    assert arrange([lone, shared, lone], [wrote("a")] * 3)[1]
    assert not arrange([lone, shared, lone] + [lone] * 9, [wrote("a")] * 12)[
        1
    ]  # a tenth is not gained, but for a wake
    assert arrange([], []) == ([], False)


# -- the floating-point mode -----------------------------------------------------------------------------------------------

needs_x86 = pytest.mark.skipif("x86_64" not in current().architecture, reason="x86's control word")
FLUSHING = 0x9FC0


def control_word(new: int | None) -> int:
    """What the control word is; afterwards it is the new one."""
    f = Function(f"mode_{'read' if new is None else new}", ("ptr", "i64", "i64"))
    place = f.arguments[0]
    f.call("void", "llvm.x86.sse.stmxcsr", place)
    if new is not None:
        f.call("void", "llvm.x86.sse.ldmxcsr", f.element(place, 4, "i8"))
    kernel = Kernel(f.name, module(f))
    words = np.array([0, new or 0], np.uint32)
    address = jit.compile_kernels([kernel], current())[kernel.symbol]
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)(words.ctypes.data, 0, 1)
    return int(words[0])


@needs_x86
@pytest.mark.parametrize("n", [1, 2])
def test_denormal_numbers_and_the_caller_s_own_mode(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rg.set_num_threads(n)
    monkeypatch.setattr(together, "START", -1.0)
    monkeypatch.setattr(together, "ROW", 0.0)
    f = compilation.compile(lambda x: x * 0.5, backend="native")
    x = rg.tensor(np.full(40_000, 1e-310))
    expected = f(x).numpy().tobytes()
    before = control_word(FLUSHING)
    try:
        found = f(x)
        after = control_word(None)
    finally:
        control_word(before)
    assert found.numpy().tobytes() == expected
    assert found[0] > 0
    assert after & ~0x3F == FLUSHING & ~0x3F


@pytest.mark.parametrize("name", ["baseline", "aarch64"])
@pytest.mark.parametrize("sleeping", [True, False])
def test_the_loops_are_emitted_for_other_processors(name: str, sleeping: bool) -> None:
    level = LEVELS[name]
    text = jit.assembly(meeting.threads_kernel(level.architecture, sleeping).text, level)
    assert ("syscall" in text) is sleeping
    assert ("yield" if name == "aarch64" else "pause") in text
    assert "retrograd_run" in jit.assembly(runner.runner(level.architecture).text, level)
