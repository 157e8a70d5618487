"""Small invented tables, and snapshots of what was printed."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS = Path(__file__).parent / "snapshots"


@dataclass(frozen=True)
class Result:
    """Exit status and both streams of one command line."""

    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """This process's environment with the package on the path, for a process of its own."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more}


def check_snapshot(name: str, text: str, **names: object) -> None:
    """`text`, with the values of `names` and all times put aside, equals the stored file.

    ``RETROGRAD_SNAPSHOTS=write`` stores instead; read the difference before committing it.
    """
    for label, value in names.items():
        text = text.replace(str(value), label.upper())
    text = re.sub(r"\d+(\.\d+)?(e-?\d+)? (s|ms|min|h)\b( \d+ (s|min)\b)?", "TIME", text)
    text = re.sub(r"[\d.,]+ [kMG]?B\b", "SIZE", text)
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("RETROGRAD_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def house_lines(rows: int = 120, seed: int = 0) -> list[list[str]]:
    """Invented houses: header, then area, rooms, heating, built, price; the price follows from area and heating."""
    generator = np.random.default_rng(seed)
    lines = [["area", "rooms", "heating", "built", "price"]]
    for _ in range(rows):
        area, rooms = generator.uniform(40, 250), generator.integers(1, 8)
        heating = ("gas", "oil", "wood")[generator.integers(3)]
        built = f"{generator.integers(1900, 2020)}-{generator.integers(1, 13):02d}-{generator.integers(1, 29):02d}"
        price = 1000 * area + 20000 * (heating == "gas") + generator.normal(0, 5000)
        lines.append([f"{area:.1f}", str(rooms), heating, built, f"{price:.2f}"])
    return lines


def flower_lines(rows: int = 120, seed: int = 0) -> list[list[str]]:
    """Invented flowers of three kinds: header, then petal, leaf, kind."""
    generator = np.random.default_rng(seed)
    lines = [["petal", "leaf", "kind"]]
    for _ in range(rows):
        kind = int(generator.integers(3))
        petal, leaf = generator.normal(kind, 0.3), generator.normal(-kind, 0.4)
        lines.append([f"{petal:.3f}", f"{leaf:.3f}", ("aster", "bellis", "calla")[kind]])
    return lines


def write_table(path: Path, lines: list[list[str]], *, delimiter: str = ",", end: str = "\n") -> Path:
    """Plain delimited text; returns the path."""
    path.write_bytes("".join(delimiter.join(line) + end for line in lines).encode())
    return path
