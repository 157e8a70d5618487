"""How long `import retrograd` and `retrograd --help` take in a fresh process, with controls from the same run.

    python benchmarks/import_time.py [--runs 15] [--out FILE]

Prints one JSON object.  Each entry is the median wall-clock time of a whole process in seconds, the interpreter's own
start included; the commands take turns, so a slow moment of the machine meets all of them.  Controls: `python -c pass`
(the interpreter), `import numpy` (the least that `import retrograd` can take) and `ratio_to_numpy`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_S = 0.3

COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    "import numpy": [sys.executable, "-c", "import numpy"],
    "import retrograd": [sys.executable, "-c", "import retrograd"],
    "retrograd --help": [
        sys.executable,
        "-c",
        "import sys; from retrograd.cli import main; sys.exit(main())",
        "--help",
    ],
}


def measure(runs: int) -> dict[str, list[float]]:
    """Seconds of every run of every command; one unmeasured run each first, which compiles and warms the disk."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for turn in range(runs + 1):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--out", type=Path, help="write the JSON here too")
    arguments = parser.parse_args()
    seconds = measure(arguments.runs)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    result = {
        "benchmark": "import_time",
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "runs": arguments.runs,
        "limit_s": LIMIT_S,
        "median_s": {name: round(value, 4) for name, value in medians.items()},
        "fastest_s": {name: round(min(values), 4) for name, values in seconds.items()},
        "slowest_s": {name: round(max(values), 4) for name, values in seconds.items()},
        "ratio_to_numpy": round(medians["import retrograd"] / medians["import numpy"], 3),
        "within_limit": {name: medians[name] <= LIMIT_S for name in ("import retrograd", "retrograd --help")},
    }
    text = json.dumps(result, indent=1)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
