"""A measurement as tables, for the terminal and for the documentation; what was not measured is a dash."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DASH = "-"


@dataclass(frozen=True)
class Table:
    """A title, a line that explains it, and rows of cells, the names first."""

    title: str
    note: str
    rows: list[list[str]]
    left: tuple[int, ...] = (0,)


def tables(found: Mapping[str, Any]) -> Iterator[Table]:
    """Whatever was measured."""
    if found.get("steps"):
        yield _steps(found["steps"])
        if any("of_limit" in row or "of_rate" in row for row in found["steps"]):
            yield _limits(found["steps"])
    if found.get("first_calls"):
        yield _first_calls(found["first_calls"])
    if found.get("memory"):
        yield _memory(found["memory"])
    rest = list(_rest(found))
    if rest:
        yield Table(
            "Besides", "", [["", "Retrograd", "against", "ratio", "goal"], *rest], left=(0, 1, 2, 3, 4)
        )


def _steps(rows: Sequence[Mapping[str, Any]]) -> Table:
    peers = list(dict.fromkeys(name for row in rows for name in row.get("ratios", {})))
    lines = [["net", "batch", "threads", "Retrograd", *peers, "ratio", "goal", "best of the others"]]
    lines += [
        [
            row["net"],
            str(row["batch"]),
            str(row["threads"]),
            *(as_time(row.get("us", {}).get(name)) for name in ("Retrograd", *peers)),
            _number(row.get("ratio")),
            _goal("<=", row.get("target_ratio")),
            row.get("best", DASH),
        ]
        for row in rows
    ]
    note = "Forward, backward and Adam in float32, medians. Ratio: Retrograd's time by that of the best of the others."
    return Table("One training step", note, lines, left=(0, len(lines[0]) - 1))


def _limits(rows: Sequence[Mapping[str, Any]]) -> Table:
    lines = [
        [
            "net",
            "threads",
            "limit study",
            "Retrograd / limit",
            "goal",
            "products alone",
            "share",
            "goal",
            "disturbed rounds",
        ]
    ]
    for row in rows:
        us = row.get("us", {})
        limit = as_time(us.get("limit study"))
        if row.get("limit_threads", row["threads"]) != row["threads"]:
            limit += " (one thread)"
        alone = DASH
        if "rate" in row:
            alone = f"{as_time(us[row['rate']])}, {row['rate']}"
        disturbed = f"{row['control']['disturbed_rounds']} of {row['rounds']}" if row.get("control") else DASH
        lines.append(
            [
                row["net"],
                str(row["threads"]),
                limit,
                _number(row.get("of_limit")),
                _goal("<=", row.get("target_of_limit")),
                alone,
                _number(row.get("of_rate")),
                _goal(">=", row.get("target_of_rate")),
                disturbed,
            ]
        )
    note = (
        "Limit study: OpenBLAS and loops fused by hand in C. Products alone: the step's matrix products and nothing else, "
        "by OpenBLAS's threads or by Retrograd's, whichever is faster; share: their time in that of the whole step. "
        "Disturbed: a fixed piece of work was off its median by more than 5 %."
    )
    return Table("How far from the machine's limit", note, lines)


def _first_calls(rows: Sequence[Mapping[str, Any]]) -> Table:
    lines = [["net", "empty cache", "goal", "from the cache", "goal", "import beside it"]]
    lines += [
        [
            row["net"],
            as_time(_times(row.get("cold_s"), 1e6)),
            _goal("<=", row.get("target_cold_s"), " s"),
            as_time(_times(row.get("cached_s"), 1e6)),
            _goal("<=", row.get("target_cached_s"), " s"),
            as_time(_times(row.get("import_s"), 1e6)),
        ]
        for row in rows
    ]
    return Table("The first call", "Until the first result in a new process, imports apart.", lines)


def _memory(rows: Sequence[Mapping[str, Any]]) -> Table:
    lines = [["net", "what", "Retrograd", "PyTorch", "ratio", "goal"]]
    for row in rows:
        for key, what in (
            ("whole", "the whole process"),
            ("own", "beyond a process that trained a tiny net"),
        ):
            sizes = row.get(f"{key}_mib", {})
            cells = [f"{sizes[name]:.0f} MiB" if name in sizes else DASH for name in ("Retrograd", "PyTorch")]
            lines.append(
                [row["net"], what, *cells, _number(row.get(f"{key}_ratio")), _goal("<=", row.get("target"))]
            )
    return Table("Peak memory of training", "Of the process, as the system counts it.", lines, left=(0, 1))


def _rest(found: Mapping[str, Any]) -> Iterator[list[str]]:
    """What is one figure each."""
    if "one_row" in found:
        row = found["one_row"]
        us = dict(row["us"])
        ours = us.pop("Retrograd", None)
        best = min(us, key=us.__getitem__, default=None)
        yield [
            f"prediction of one row by {row['net']}",
            as_time(ours),
            f"{best} {as_time(us[best])}" if best else DASH,
            DASH if ours is None or best is None else f"{ours / us[best]:.2f}",
            _goal("<=", row["target_us"], " us"),
        ]
    for row in found.get("digits", ()):
        seconds = row["seconds"]
        cold = seconds.get("Retrograd, empty cache")
        ours = as_time(_times(seconds.get("Retrograd"), 1e6))
        threads = f"{row['threads']} thread{'s' if row['threads'] > 1 else ''}"
        yield [
            f"a process that trains 64-128-10 for {row['epochs']} epochs on the digits, {threads}",
            ours if cold is None else f"{ours}, with an empty cache {as_time(cold * 1e6)}",
            f"{row['best']} {as_time(seconds[row['best']] * 1e6)}" if "best" in row else DASH,
            _number(row.get("ratio")),
            _goal("<=", row["target"]),
        ]
    if "widths" in found:
        row = found["widths"]
        a, b = row["worst"]
        yield [
            f"widths that differ by one, worst pair ({row['net']}, {a} and {b})",
            DASH,
            DASH,
            _number(row["factor"]),
            _goal("<=", row["target"]),
        ]
    if "idle" in found:
        yield [
            "processor time of an idle process",
            f"{100 * found['idle']['cpu_share']:.1f} %",
            DASH,
            DASH,
            "0 %",
        ]
    if "empty_path" in found:
        works = "trains" if found["empty_path"]["works"] else found["empty_path"]["error"]
        yield ["with an empty PATH", works, DASH, DASH, "trains"]


def as_time(us: float | None) -> str:
    """Microseconds, in the unit that people would use.

    >>> as_time(7.654), as_time(43.21), as_time(2585.0), as_time(1_250_000.0), as_time(None)
    ('7.65 us', '43.2 us', '2.58 ms', '1.25 s', '-')
    """
    if us is None:
        return DASH
    for unit, size in (("us", 1.0), ("ms", 1e3), ("s", 1e6)):
        value = us / size
        if value < 999.5 or unit == "s":
            break
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _number(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"


def _goal(sign: str, value: float | None, unit: str = "") -> str:
    return DASH if value is None else f"{sign} {value:.2f}{unit}"


def header(found: Mapping[str, Any]) -> str:
    """What was measured on, in a sentence."""
    machine = found["machine"]
    libraries = [
        f"Retrograd {found['retrograd']}",
        *(f"{name} {version}" for name, version in found["peers"].items()),
    ]
    cores = f"{machine['cores']} core{'s' if machine['cores'] != 1 else ''}"
    return (
        f"{machine['cpu']}, {cores}, {machine['system']}, Python {machine['python']}; {', '.join(libraries)}"
    )


def markdown(found: Mapping[str, Any]) -> str:
    """All tables for the documentation."""
    parts = [header(found) + "." if found.get("machine") else "Not measured yet."]
    for table in tables(found):
        names, *lines = table.rows
        rule = ["---" if k in table.left else "---:" for k in range(len(names))]
        parts.append(f"**{table.title}.** {table.note}".rstrip())
        parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in (names, rule, *lines)))
    return "\n\n".join(parts)
