"""How long `retrograd train` takes: op by op, by programs from the cache, and by programs on a machine that has none yet.

    RETROGRAD_DATA=... python benchmarks/training_time.py [--repeats N] [--table NAME ...]

Whole processes, the ways in turn; the least of the repeats, wall-clock and the processor's own, in seconds.  `default` is
the command as it stands: its rule says whether there are programs (`retrograd.train.programs`).  `tiny` is an invented
table of 60 rows, on which the rule must cost nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TABLES: dict[str, tuple[str, str]] = {
    "tiny": ("", "y"),
    "penguins": ("penguins/penguins.csv", "species"),
    "california": ("california-housing/housing.csv", "median_house_value"),
}
WAYS: dict[str, tuple[str, ...]] = {
    "--no-compile": ("--no-compile",),
    "default": (),
    "--compile, cold": ("--compile",),
}


def tiny(folder: Path) -> Path:
    """A table of 60 rows."""
    draw = random.Random(0)
    rows = [[draw.gauss(0, 1) for _ in range(4)] for _ in range(60)]
    lines = [",".join(f"{x:.4f}" for x in (*row, sum(row) + draw.gauss(0, 0.1))) for row in rows]
    path = folder / "tiny.csv"
    path.write_text("\n".join(["a,b,c,d,y", *lines]))
    return path


def run(table: Path, target: str, way: str, folder: Path, cache: Path) -> tuple[float, float, bool]:
    """Seconds by the clock and of the processor, and whether there were programs."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        place = Path(out) / "cache" if way.endswith("cold") else cache
        environment = {
            **os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "RETROGRAD_CACHE_DIR": str(place),
        }  # fmt: skip
        command = [
            sys.executable, "-m", "retrograd", "train", str(table), "--target", target, "--out", out, "--quiet", "--json",
        ]  # fmt: skip
        before, started = os.times(), time.perf_counter()
        done = subprocess.run(
            [*command, *WAYS[way]], env=environment, capture_output=True, text=True, check=True
        )
        wall, after = time.perf_counter() - started, os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        facts = json.loads((Path(json.loads(done.stdout)["run"]) / "run.json").read_text())
        return wall, spent, bool(facts["settings"].get("compiled"))


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--table", nargs="*", choices=list(TABLES), default=list(TABLES))
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="retrograd-benchmark-") as name:
        folder = Path(name)
        cache = folder / "cache"
        print(f"{'table':12}{'way':18}{'programs':>10}{'wall s':>10}{'processor s':>13}")
        for table in given.table:
            file, target = TABLES[table]
            path = Path(os.environ["RETROGRAD_DATA"]) / file if file else tiny(folder)
            run(path, target, "default", folder, cache)  # fills the cache
            found: dict[str, list[tuple[float, float, bool]]] = {way: [] for way in WAYS}
            for _ in range(given.repeats):
                for way, times in found.items():
                    times.append(run(path, target, way, folder, cache))
            for way, times in found.items():
                wall, spent = min(t[0] for t in times), min(t[1] for t in times)
                print(f"{table:12}{way:18}{'yes' if times[0][2] else 'no':>10}{wall:10.2f}{spent:13.2f}")


if __name__ == "__main__":
    main()
