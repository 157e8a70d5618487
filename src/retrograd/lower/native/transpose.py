"""The right operand of a product that stands transposed, laid out anew for tiles.

Rows of B[n, k] become panels of columns: panel by panel, step by step along k, ``width`` numbers side by side.  Blocks of some
rows by 128 bits are turned inside registers.  What lies beyond the last row in a panel is some number or other.
"""

from __future__ import annotations

import functools

from .edge import ProductFunction
from .emit import BITS, Function, Value, lanes_of, vector
from .kernel import Kernel


def piece(element: str) -> int:
    """Elements of 128 bits, the smallest block that is turned."""
    return 128 // BITS[element]


@functools.cache
def transpose_kernel(element: str, lanes: int) -> Kernel:
    """Words as of a product: A is the matrix, ``m`` rows of ``k``; C the panels, ``c_row`` wide, ``b_panel`` apart."""
    f = ProductFunction(f"transpose {element} into panels", element, None)
    short = piece(element)
    with f.blocks() as (batch, row_block, _):
        source = f.at(f["a"], (batch, f["a_batch"]))
        target = f.at(f["c"], (batch, f["c_batch"]))
        first, last = f.span(row_block, f["block_rows"], f["m"])
        with f.loop(first, last, lanes) as row:
            end = f.sub(f["m"], 1)
            lines = [f.at(source, (f.minimum(f.add(row, r), end), f["a_row"])) for r in range(lanes)]
            panel = f.bit("udiv", row, f["c_row"])
            within = f.sub(row, f.mul(panel, f["c_row"]))
            place = f.at(target, (panel, f["b_panel"]), within)
            whole = f.mul(f.bit("udiv", f["k"], short), short)
            with f.loop(0, whole, short) as k:
                _turn(f, lines, k, place, lanes, None)
            with f.when(f.compare("lt", whole, f["k"])):
                _turn(f, lines, whole, place, lanes, f.lanes_left(whole, short, f["k"]))
    return f.finish()


def _turn(
    f: ProductFunction, lines: list[Value], k: Value, place: Value, lanes: int, mask: Value | None
) -> None:
    """One block: 128 bits of each line become rows of ``lanes`` numbers."""
    short = piece(f.of)
    pieces = [f.load(f.element(line, k, f.of), vector(f.of, short), mask) for line in lines]
    rows = [joined(f, pieces[g::short]) for g in range(short)]
    low, high = _interleaving(lanes, short)
    stages = short.bit_length() - 1
    for _ in range(stages):
        pairs = [(rows[i], rows[i + short // 2]) for i in range(short // 2)]
        rows = [f.shuffle(x, y, picks) for x, y in pairs for picks in (low, high)]
    for g, row in enumerate(rows):
        at = f.add(k, g)
        if mask is None or g == 0:
            f.store(row, f.at(place, (at, f["c_row"])))
        else:
            with f.when(f.compare("lt", at, f["k"])):
                f.store(row, f.at(place, (at, f["c_row"])))


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
