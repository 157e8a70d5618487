"""The right operand of a product laid out for tiles: a panel of columns, step by step along k, side by side.

Of a transposed operand, rows become columns: blocks of some rows by 128 bits are turned inside registers.
"""

from __future__ import annotations

from .edge import ProductFunction
from .emit import BITS, Function, Value, lanes_of, vector


def piece(element: str) -> int:
    """Elements of 128 bits, the smallest block that is turned."""
    return 128 // BITS[element]


def copy_panel(
    f: ProductFunction,
    b: Value,
    ks: tuple[Value, Value],
    panel: tuple[int, ...],
    mask: Value | None,
    place: Value,
    width: int,
) -> None:
    """Columns of B[k, n] from ``b`` on, in vectors of so many lanes (``mask``: of the last), to rows of ``width``."""
    with f.loop(*ks) as k:
        source = f.at(b, (k, f["b_step"]))
        target = f.element(place, f.mul(f.sub(k, ks[0]), width), f.of)
        for v, lanes in enumerate(panel):
            at, on = sum(panel[:v]), mask if v == len(panel) - 1 else None
            x = f.load(f.element(source, at, f.of), vector(f.of, lanes), on)
            f.store(x, f.element(target, at, f.of))


def turn_panel(
    f: ProductFunction,
    b: Value,
    column: Value,
    ks: tuple[Value, Value],
    panel: tuple[int, ...],
    cut: bool,
    thin: bool,
    place: Value,
    width: int,
) -> None:
    """Rows of B[n, k] from ``column`` on become columns.  ``cut``: rows may be missing; some number stands for them.

    ``thin``: k is less than a `piece`; otherwise every block of k must be at least that.
    """
    wide = panel[0]
    narrow = len(panel) - (panel[-1] < wide)
    with f.loop(0, narrow) as v:
        at = f.mul(v, wide)
        _turn_rows(f, b, f.add(column, at), wide, ks, cut, thin, f.element(place, at, f.of), width)
    if narrow < len(panel):
        at = narrow * wide
        _turn_rows(f, b, f.add(column, at), panel[-1], ks, cut, thin, f.element(place, at, f.of), width)


def _turn_rows(
    f: ProductFunction,
    b: Value,
    first: Value,
    lanes: int,
    ks: tuple[Value, Value],
    cut: bool,
    thin: bool,
    target: Value,
    width: int,
) -> None:
    short = piece(f.of)
    end = f.sub(f["n"], 1)
    rows = [f.add(first, r) for r in range(lanes)]
    lines = [f.at(b, (f.minimum(row, end) if cut else row, f["b_step"])) for row in rows]
    if thin:
        for g, row in enumerate(_turned(f, lines, ks[0], lanes, f.lanes_left(ks[0], short, ks[1]))[:-1]):
            with f.when(f.compare("lt", f.add(ks[0], g), ks[1])):
                f.store(row, f.element(target, g * width, f.of))
        return
    last = f.sub(ks[1], short)
    with f.loop(*ks, short) as start:
        k = f.minimum(start, last)  # the last block reaches back: what it lays out again is the same
        at = f.element(target, f.mul(f.sub(k, ks[0]), width), f.of)
        for g, row in enumerate(_turned(f, lines, k, lanes, None)):
            f.store(row, f.element(at, g * width, f.of))


def _turned(f: ProductFunction, lines: list[Value], k: Value, lanes: int, mask: Value | None) -> list[Value]:
    """128 bits of each line, as rows of ``lanes`` numbers."""
    short = piece(f.of)
    pieces = [f.load(f.element(line, k, f.of), vector(f.of, short), mask) for line in lines]
    rows = [joined(f, pieces[g::short]) for g in range(short)]
    low, high = _interleaving(lanes, short)
    for _ in range(short.bit_length() - 1):
        pairs = [(rows[i], rows[i + short // 2]) for i in range(short // 2)]
        rows = [f.shuffle(x, y, picks) for x, y in pairs for picks in (low, high)]
    return rows


def joined(f: Function, parts: list[Value]) -> Value:
    """Vectors one after the other."""
    while len(parts) > 1:
        both = range(2 * lanes_of(parts[0].type))
        parts = [f.shuffle(parts[i], parts[i + 1], both) for i in range(0, len(parts), 2)]
    return parts[0]


def _interleaving(lanes: int, short: int) -> tuple[list[int], list[int]]:
    """Which lanes of two vectors stand alternately when the lower (upper) halves of each 128 bits are taken."""
    low, high = [], []
    for start in range(0, lanes, short):
        for i in range(short // 2):
            low += [start + i, lanes + start + i]
            high += [start + short // 2 + i, lanes + start + short // 2 + i]
    return low, high
