"""Beside the step: first calls, memory, one row, a whole process, widths, and what an idle process costs."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.bench.nets import DIGITS, FIRST_CALL, MEMORY, NEIGHBOURS, ONE_ROW_US, Net
from retrograd.bench.peers import OURS, Peer, Worker, WorkerError, command, environment
from retrograd.bench.rounds import Runs, best_of, interleave, paired_ratio, steps_for
from retrograd.bench.steps import Turn
from retrograd.data.samples import write_sample
from retrograd.errors import RetrogradError

TINY = (2, 3, 1)
"""A net that is trained first, where what a library loads at its first step is not to count."""


def first_calls(nets: Sequence[Net], threads: int, times: int) -> list[dict[str, Any]]:
    """Seconds until the first result of our net, with an empty cache and in a new process with the same cache."""
    found = []
    for net in nets:
        seconds: dict[str, list[float]] = {"import": [], "cold": [], "cached": []}
        for _ in range(times):
            with tempfile.TemporaryDirectory(prefix="retrograd-bench-") as folder:
                for kind in ("cold", "cached"):
                    with Worker(OURS, threads, folder) as worker:
                        made = worker.ask("make", what="training", sizes=net.sizes, batch=net.batch)
                        seconds[kind].append(made["first"])
                        seconds["import"].append(worker.hello["import"])
        medians = {f"{kind}_s": statistics.median(values) for kind, values in seconds.items()}
        targets = {f"target_{kind}_s": limit for kind, limit in FIRST_CALL.items()}
        found.append({"net": net.name, "threads": threads, **medians, **targets})
    return found


def peak_memory(net: Net, peers: Sequence[Peer], threads: int) -> dict[str, Any]:
    """Mebibytes at the peak of a training step: the whole process, and beyond a process that has trained a tiny net.

    Ours comes from the cache, as it does in every process but the first.
    """
    whole: dict[str, float] = {}
    own: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="retrograd-bench-") as folder:
        for peer in (OURS, OURS, *peers):
            try:
                with Worker(peer, threads, folder) as worker:
                    worker.ask("make", what="training", sizes=TINY, batch=4)
                    worker.ask("time", n=3)
                    before = worker.ask("memory")
                    worker.ask("make", what="training", sizes=net.sizes, batch=net.batch)
                    worker.ask("time", n=5)
                    after = worker.ask("memory")
            except WorkerError:
                continue
            if after["peak"] is None:  # the system does not tell
                continue
            whole[peer.name] = after["peak"]
            own[peer.name] = after["peak"] - before["now"]
    found: dict[str, Any] = {"net": net.name, "whole_mib": whole, "own_mib": own, "target": MEMORY}
    for kind, sizes in (("whole", whole), ("own", own)):
        if OURS.name in sizes and sizes.get("PyTorch", 0) > 0:
            found[f"{kind}_ratio"] = sizes[OURS.name] / sizes["PyTorch"]
    return found


def one_row(net: Net, peers: Sequence[Peer], *, rounds: int, seconds: float) -> dict[str, Any]:
    """Microseconds of the prediction of a single row, one thread."""
    workers: list[Worker] = []
    runs: dict[str, Runs] = {}
    try:
        for peer in (OURS, *peers):
            try:
                workers.append(Worker(peer, 1))
                runs[peer.name] = Turn(workers[-1], "prediction", net.sizes, 1)
            except WorkerError:
                continue
        times = interleave(runs, rounds, seconds, failed=lambda name, error: None)
    finally:
        for worker in workers:
            worker.close()
    us = {name: statistics.median(t) * 1e6 for name, t in times.items()}
    return {"net": net.name, "us": us, "target_us": ONE_ROW_US}


def digits(peers: Sequence[Peer], threads: int, rounds: int, epochs: int = 30) -> dict[str, Any]:
    """Seconds of a whole process that trains 64-128-10 on the digits that ship with us, and ends."""
    times: dict[str, list[float]] = {}
    accuracy: dict[str, float] = {}
    errors: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="retrograd-bench-") as folder:
        table = write_digits(Path(folder))
        empty = Path(folder) / "empty"
        contenders = [(f"{OURS.name}, empty cache", OURS), *((peer.name, peer) for peer in (OURS, *peers))]
        for turn in range(rounds + 1):
            for name, peer in contenders:
                if name in errors or (
                    peer is not OURS and "def digits" not in peer.script.read_text("utf-8")
                ):
                    continue
                cache = Path(folder) / f"empty-{turn}" if name.endswith("empty cache") else empty
                start = time.perf_counter()
                done = subprocess.run(
                    [*command(peer, threads), "digits", str(table), str(epochs)],
                    env=environment(threads, str(cache)),
                    capture_output=True,
                    text=True,
                    check=False,
                )
                took = time.perf_counter() - start
                if done.returncode:
                    errors[name] = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
                    continue
                accuracy[name] = json.loads(done.stdout)["accuracy"]
                if turn:  # the first turn warms the disk, and our cache
                    times.setdefault(name, []).append(took)
    found: dict[str, Any] = {
        "epochs": epochs,
        "threads": threads,
        "seconds": {name: statistics.median(t) for name, t in times.items()},
        "accuracy": accuracy,
        "target": DIGITS,
        "errors": errors,
    }
    best = best_of(times, [peer.name for peer in peers])
    if best is not None and OURS.name in times:
        found |= {"best": best, "ratio": paired_ratio(times[OURS.name], times[best])}
    return found


def write_digits(folder: Path) -> Path:
    """The digits as one file that NumPy reads: ``x`` between 0 and 1, ``y`` the digit."""
    text = gzip.decompress(write_sample("digits", folder / "digits.csv.gz").read_bytes()).decode()
    _, *rows = csv.reader(io.StringIO(text))
    table = np.array(rows, np.float32)
    path = folder / "digits.npz"
    np.savez(path, x=table[:, :-1] / 16, y=table[:, -1].astype(np.int64))
    return path


def widths(
    first: int, last: int, *, batch: int = 64, seconds: float = 0.02, again: int = 5
) -> dict[str, Any]:
    """Microseconds of our step for 64-w-w-10 over widths, one thread, and the worst pair of neighbours.

    Least of several turns; pairs that differ too much are timed again, because a disturbance looks the same.
    """
    us: dict[int, float] = {}
    with Worker(OURS, 1) as worker:
        turns = {}
        for width in range(first, last + 1):
            turn = turns[width] = Turn(worker, "training", (64, width, width, 10), batch)
            n = steps_for(turn, seconds)
            us[width] = min(turn(n) / n for _ in range(3)) * 1e6
        for _ in range(again):
            far = {w for pair in pairwise(us) if _factor(us, *pair) > NEIGHBOURS for w in pair}
            for width in sorted(far):
                n = steps_for(turns[width], seconds)
                us[width] = min(us[width], *(turns[width](n) / n * 1e6 for _ in range(3)))
    worst = max(pairwise(us), key=lambda pair: _factor(us, *pair))
    return {
        "net": "64-w-w-10",
        "batch": batch,
        "us": {str(width): t for width, t in us.items()},
        "worst": list(worst),
        "factor": _factor(us, *worst),
        "target": NEIGHBOURS,
    }


def _factor(us: dict[int, float], a: int, b: int) -> float:
    return max(us[a] / us[b], us[b] / us[a])


def idle(net: Net, threads: int, seconds: float = 2.0) -> dict[str, Any]:
    """The share of a processor that a process takes which has trained and now waits."""
    with Worker(OURS, threads) as worker:
        Turn(worker, "training", net.sizes, net.batch)(50)
        time.sleep(0.1)  # threads may wait for more work for a moment
        return {"threads": threads, "cpu_share": worker.ask("idle", seconds=seconds)["cpu"] / seconds}


def without_a_path(net: Net) -> dict[str, Any]:
    """Whether a net trains where the system knows no program by name."""
    before = os.environ.get("PATH")
    os.environ["PATH"] = ""
    try:
        with Worker(OURS, 1) as worker:
            Turn(worker, "training", net.sizes, net.batch)
        return {"works": True}
    except RetrogradError as error:
        return {"works": False, "error": error.message}
    finally:
        if before is not None:
            os.environ["PATH"] = before
