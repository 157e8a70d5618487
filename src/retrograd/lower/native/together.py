"""Which rows of a table are run by all threads, and where the threads wait for each other.

A row with one slab, or with little work, is run by one thread alone.  The threads wait where a row touches memory that a row
since the last meeting wrote, or writes what one read, unless one thread does both.  All of this is decided by shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .kernel import Command
from .runner import MEET, OWNER, SHARED

ROW = 5_000.0
"""Nanoseconds of predicted work from which on a row is cut."""
PROGRAM = 100_000.0
"""Nanoseconds of predicted work from which on a program with meetings uses threads."""
MEETING = 1_000.0
"""Nanoseconds that a meeting is taken to cost."""
START = 20_000.0
"""Nanoseconds that must be gained in all, for threads may have to be woken."""
MARGIN = 0.1
"""And this part of all work, for predictions are no better, and what another core wrote is slow to read."""
WAKE = 50_000.0
"""Nanoseconds that it takes to wake a thread, and that it waits before it sleeps."""
OWNERS = 2
"""Rows run alone are spread over so many threads."""

LONGEST = 32
"""Rows between two meetings at most, so that the time to decide all this grows with their number."""


class Region(NamedTuple):
    """Memory that a command touches: bytes of one space.  Different spaces do not overlap."""

    space: object
    start: int
    end: int
    written: bool


Touched = Sequence[Region] | None
"""What a command touches; None: not known, it may be anything."""


def clash(a: Touched, b: Touched) -> bool:
    """True if two commands must not be done at once."""
    if a is None or b is None:
        return True
    return any(
        (x.written or y.written) and x.space == y.space and x.start < y.end and y.start < x.end
        for x in a
        for y in b
    )


def _region(shared: float, loads: list[float]) -> float:
    """Nanoseconds between two meetings, on two threads; one that waits for long sleeps, and must be woken."""
    idle = max(loads) - min(loads)
    return shared + max(loads) + (WAKE if idle > WAKE else 0.0)


def arrange(commands: Sequence[Command], touched: Sequence[Touched]) -> tuple[list[int], bool]:
    """How each row is run, as the table has it; and whether several threads are worth it."""
    if sum(c.work for c in commands) <= START:
        return [0] * len(commands), False
    ways: list[int] = []
    since: list[tuple[int | None, Touched]] = []  # the last meeting: who ran it (None: all), what it touched
    loads, shared, meetings, total, best = [0.0] * OWNERS, 0.0, 0, 0.0, 0.0
    for command, memory in zip(commands, touched, strict=True):
        total += command.work
        together = command.slabs > 1 and command.work > ROW
        by = {owner for owner, other in since if clash(memory, other)}
        if (by and (together or None in by or len(by) > 1)) or len(since) == LONGEST:
            ways[-1] |= MEET
            best += _region(shared, loads)
            since, loads, shared, by, meetings = [], [0.0] * OWNERS, 0.0, set(), meetings + 1
        if together:
            shared += command.work / OWNERS
            ways.append(SHARED)
            since.append((None, memory))
        else:
            owner = by.pop() or 0 if by else loads.index(min(loads)) if command.work > ROW else 0
            loads[owner] += command.work
            ways.append(owner << OWNER)
            since.append((owner, memory))
    best += _region(shared, loads) + meetings * MEETING
    return ways, total - best > START + total * MARGIN and (not meetings or total >= PROGRAM)
