"""The native loop of a program's threads: waiting for work, doing a share of each row, waiting for each other.

What waits spins for a while, because a turn through the operating system takes a hundred times as long as a look at a
word that another core writes; then it sleeps (Linux: futex), so that idle threads cost nothing.  Where there is no futex
the threads leave their turn to others while they wait, and sleep in Python between programs.

The threads share a block of memory, each word that is waited for in lines of its own:

====== ==========================================================
line   what
====== ==========================================================
0      the ticket, which grows by one with each program
1      how many threads sleep until it does
2      the program: its table, its rows (-1: the threads end), the core of thread 0
3      how many threads have come to the meeting
4      the number of the meeting
5      how many threads sleep until it is over
6      nanoseconds to spin before sleeping
====== ==========================================================
"""

from __future__ import annotations

from .emit import Function, literal, module
from .kernel import Kernel
from .runner import MEET, OWNER, SHARED, clean_mode, row_at, set_mode

LINE = 128
"""Bytes: processors fetch lines of 64 in pairs."""
HOME = LINE * 2 + 16
TICKET, PARKED, PROGRAM, ARRIVED, MEETING, ASLEEP, SPIN = range(0, 7 * LINE, LINE)
BYTES = 7 * LINE

_FUTEX = {"x86_64": 202, "aarch64": 98}
_WAIT, _WAKE = 128, 129  # FUTEX_WAIT, FUTEX_WAKE, both for threads of this process only
_PAUSE = {
    "x86_64": ("llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"),
    "aarch64": ("llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)"),
}

_SPIN = """\
define internal void @wait(ptr %word, ptr %asleep, i32 %old, i64 %spin) nounwind {{
entry:
{start}
  br label %round
round:
  br label %look
look:
  %k = phi i32 [ 0, %round ], [ %more, %pause ]
  %seen = load atomic i32, ptr %word acquire, align 4
  %same = icmp eq i32 %seen, %old
  br i1 %same, label %pause, label %done
pause:
  call void @{pause}
  %more = add i32 %k, 1
  %again = icmp ult i32 %more, 16
  br i1 %again, label %look, label %late
{late}
done:
  ret void
}}
"""
_START = """\
  %time = alloca [2 x i64]
  %until = alloca i64
  store i64 0, ptr %until"""
# The clock is read only when the first few looks were in vain.
_SLEEP = """\
late:
  call i32 @clock_gettime(i32 1, ptr %time)
  %seconds = load i64, ptr %time
  %rest.at = getelementptr i64, ptr %time, i64 1
  %rest = load i64, ptr %rest.at
  %whole = mul i64 %seconds, 1000000000
  %now = add i64 %whole, %rest
  %limit = load i64, ptr %until
  %first = icmp eq i64 %limit, 0
  br i1 %first, label %begin, label %compare
begin:
  %end = add i64 %now, %spin
  store i64 %end, ptr %until
  br label %round
compare:
  %over = icmp ugt i64 %now, %limit
  br i1 %over, label %park, label %round
park:
  %before = atomicrmw add ptr %asleep, i32 1 seq_cst
  br label %sleep
sleep:
  %again.seen = load atomic i32, ptr %word seq_cst, align 4
  %still = icmp eq i32 %again.seen, %old
  br i1 %still, label %call, label %leave
call:
  %r = call i64 (i64, ...) @syscall(i64 {futex}, ptr %word, i64 {wait}, i32 %old, ptr null)
  br label %sleep
leave:
  %after = atomicrmw sub ptr %asleep, i32 1 seq_cst
  br label %done"""
_YIELD = """\
late:
  %r = call i32 @retrograd_yield()
  br label %round"""
_POST = """\
define internal void @post(ptr %word, ptr %asleep) nounwind {{
entry:
  %before = atomicrmw add ptr %word, i32 1 seq_cst
{wake}
}}
"""
# Either the one that falls asleep has been counted here, or it sees the new number before it sleeps.
_WAKE_ALL = """\
  %sleepers = load atomic i32, ptr %asleep seq_cst, align 4
  %some = icmp ne i32 %sleepers, 0
  br i1 %some, label %wake, label %done
wake:
  %r = call i64 (i64, ...) @syscall(i64 {futex}, ptr %word, i64 {wake}, i64 2147483647)
  br label %done
done:
  ret void"""
_MEET = """\
define internal void @meet(ptr %shared, i64 %threads) nounwind {{
entry:
  %arrived = getelementptr i8, ptr %shared, i64 {arrived}
  %meeting = getelementptr i8, ptr %shared, i64 {meeting}
  %asleep = getelementptr i8, ptr %shared, i64 {asleep}
  %spin.at = getelementptr i8, ptr %shared, i64 {spin}
  %spin = load i64, ptr %spin.at
  %number = load atomic i32, ptr %meeting acquire, align 4
  %n = atomicrmw add ptr %arrived, i32 1 acq_rel
  %all = trunc i64 %threads to i32
  %others = sub i32 %all, 1
  %last = icmp eq i32 %n, %others
  br i1 %last, label %open, label %stay
open:
  store atomic i32 0, ptr %arrived monotonic, align 4
  call void @post(ptr %meeting, ptr %asleep)
  ret void
stay:
  call void @wait(ptr %meeting, ptr %asleep, i32 %number, i64 %spin)
  ret void
}}
"""
# The system may have woken a thread on the very core of the one that woke it, and on a busy machine leaves it there: each
# would then wait for the other's turn.  All cores but this one are allowed for a moment, which moves the thread.
_LEAVE = """\
define internal void @leave(ptr %home, i64 %spin) nounwind {
entry:
  %all = alloca [128 x i8]
  %others = alloca [128 x i8]
  %alone = icmp eq i64 %spin, 0
  br i1 %alone, label %done, label %check
check:
  %here = call i32 @sched_getcpu()
  %there = load i32, ptr %home
  %same = icmp eq i32 %here, %there
  %known = icmp ult i32 %here, 1024
  %near = and i1 %same, %known
  br i1 %near, label %ask, label %done
ask:
  %failed = call i32 @sched_getaffinity(i32 0, i64 128, ptr %all)
  %got = icmp eq i32 %failed, 0
  br i1 %got, label %move, label %done
move:
  call void @llvm.memcpy.p0.p0.i64(ptr %others, ptr %all, i64 128, i1 false)
  %word = lshr i32 %here, 3
  %at = getelementptr i8, ptr %others, i32 %word
  %bits = load i8, ptr %at
  %low = and i32 %here, 7
  %one = shl i32 1, %low
  %byte = trunc i32 %one to i8
  %rest = xor i8 %byte, -1
  %kept = and i8 %bits, %rest
  store i8 %kept, ptr %at
  %moved = call i32 @sched_setaffinity(i32 0, i64 128, ptr %others)
  %back = call i32 @sched_setaffinity(i32 0, i64 128, ptr %all)
  br label %done
done:
  ret void
}
"""
_LEAVE_OUTSIDE = """\
declare i32 @sched_getcpu()
declare i32 @sched_getaffinity(i32, i64, ptr)
declare i32 @sched_setaffinity(i32, i64, ptr)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
"""
_THREADS = """\
define void @{name}(
  ptr %shared, ptr %table, i64 %count, i64 %thread, i64 %threads, i64 %ticket, i64 %stay
) nounwind {{
entry:
  %parked = getelementptr i8, ptr %shared, i64 {parked}
  %program = getelementptr i8, ptr %shared, i64 {program}
  %length = getelementptr i8, ptr %shared, i64 {length}
  %home = getelementptr i8, ptr %shared, i64 {home}
  %spin.at = getelementptr i8, ptr %shared, i64 {spin}
  %first = icmp eq i64 %thread, 0
  br i1 %first, label %lead, label %follow
lead:
  store ptr %table, ptr %program
  store i64 %count, ptr %length
{note}
  call void @post(ptr %shared, ptr %parked)
  %ends = icmp slt i64 %count, 0
  br i1 %ends, label %done, label %part
part:
  call void @rows(ptr %shared, ptr %table, i64 %count, i64 0, i64 %threads)
  br label %done
follow:
  %spin = load i64, ptr %spin.at
  %given = trunc i64 %ticket to i32
  br label %next
next:
  %old = phi i32 [ %given, %follow ], [ %new, %work ]
  call void @wait(ptr %shared, ptr %parked, i32 %old, i64 %spin)
  %new = load atomic i32, ptr %shared acquire, align 4
  %posted = load ptr, ptr %program
  %n = load i64, ptr %length
  %over = icmp slt i64 %n, 0
  br i1 %over, label %done, label %work
work:
{leave}
  call void @rows(ptr %shared, ptr %posted, i64 %n, i64 %thread, i64 %threads)
  %again = icmp ne i64 %stay, 0
  br i1 %again, label %next, label %done
done:
  ret void
}}
"""


def _helpers(architecture: str, sleeping: bool) -> str:
    pause, declared = _PAUSE[architecture]
    futex = {"futex": _FUTEX[architecture], "wait": _WAIT, "wake": _WAKE}
    late = _SLEEP.format(**futex) if sleeping else _YIELD
    outside = ["declare i32 @retrograd_yield()"]
    if sleeping:
        outside = ["declare i64 @syscall(i64, ...)", "declare i32 @clock_gettime(i32, ptr)"]
    return "\n".join(
        (
            declared,
            *outside,
            _SPIN.format(start=_START if sleeping else "", pause=pause, late=late),
            _POST.format(wake=_WAKE_ALL.format(**futex) if sleeping else "  ret void"),
            _MEET.format(arrived=ARRIVED, meeting=MEETING, asleep=ASLEEP, spin=SPIN),
        )
    )


def _rows(architecture: str) -> Function:
    """One thread's share of a program; when it returns, all threads have done theirs."""
    f = Function("rows", ("ptr", "ptr", "i64", "i64", "i64"))
    shared, table, count, thread, threads = f.arguments
    before = clean_mode(f, architecture)
    with f.loop(0, count) as i:
        kernel, words, slabs, how = row_at(f, table, i)
        together = f.compare("ne", f.bit("and", how, SHARED), 0)
        mine = f.compare("eq", f.bit("urem", f.bit("lshr", how, OWNER), threads), thread)
        begin = f.select(together, f.bit("udiv", f.mul(slabs, thread), threads), 0)
        share = f.bit("udiv", f.mul(slabs, f.add(thread, 1)), threads)
        end = f.select(together, share, f.select(mine, slabs, literal("i64", 0)))
        with f.when(f.compare("lt", begin, end)):
            f.emit(f"call void {kernel.text}({words}, {begin}, {end})")
        with f.when(f.compare("ne", f.bit("and", how, MEET), 0)):
            f.emit(f"call void @meet({shared}, {threads})")
    f.emit(f"call void @meet({shared}, {threads})")
    set_mode(f, architecture, before)
    return f


def threads_kernel(architecture: str, sleeping: bool) -> Kernel:
    """``void threads(ptr shared, ptr table, i64 count, i64 thread, i64 threads, i64 ticket, i64 stay)``.

    Thread 0 posts the program and does its share.  Any other waits until the ticket is no longer the given one, does its share
    of what was posted, and begins again, if it is to stay.
    """
    name = "retrograd_threads" if sleeping else "retrograd_threads_awake"
    rows = module(_rows(architecture)).replace("define void @rows(", "define internal void @rows(")
    places = {
        "name": name,
        "parked": PARKED,
        "program": PROGRAM,
        "length": PROGRAM + 8,
        "home": HOME,
        "spin": SPIN,
    }
    note, leave = "", ""
    if sleeping:
        note = "  %here = call i32 @sched_getcpu()\n  store i32 %here, ptr %home"
        leave = "  call void @leave(ptr %home, i64 %spin)"
        rows += _LEAVE_OUTSIDE + _LEAVE
    text = _helpers(architecture, sleeping) + rows + _THREADS.format(**places, note=note, leave=leave)
    return Kernel(name, text, "threads")
