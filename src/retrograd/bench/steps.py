"""One training step of a net: ours, every peer's, the machine's own rate, the limit study and the control, in turn."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from retrograd.bench.limit import Limit
from retrograd.bench.nets import Net
from retrograd.bench.peers import CONTROL, OPENBLAS, OURS, SLABS, Peer, Worker
from retrograd.bench.rounds import Runs, Times, best_of, interleave, paired_ratio, spread

LIMIT = "limit study"
Log = Callable[[str], None]


class Turn:
    """A net in a worker: called with a number of steps, the seconds that they took."""

    def __init__(self, worker: Worker, what: str, sizes: Sequence[int], batch: int) -> None:
        self.worker = worker
        self.made = worker.ask("make", what=what, sizes=list(sizes), batch=batch)

    def __call__(self, n: int) -> float:
        return self.worker.ask("time", n=n, number=self.made["number"])["seconds"]


def measure_step(
    net: Net,
    threads: int,
    peers: Sequence[Peer],
    *,
    rounds: int,
    seconds: float,
    limit: Path | None = None,
    rates: bool = True,
    log: Log = lambda text: None,
) -> dict[str, Any]:
    """The row of one net and one number of threads; ``seconds``: of one turn."""
    errors: dict[str, str] = {}
    found: dict[str, Any] = {"net": net.name, "batch": net.batch, "threads": threads}
    found["first_s"], found["versions"] = {}, {}
    with contextlib.ExitStack() as stack:
        runs: dict[str, Runs] = {}

        def failed(name: str, error: Exception) -> None:
            errors[name] = str(error).splitlines()[0]
            log(f"  {name} is left out: {errors[name]}")

        def start(peer: Peer, what: str) -> None:
            try:
                worker = stack.enter_context(Worker(peer, threads))
                turn = Turn(worker, what, net.sizes, net.batch)
            except Exception as error:
                failed(peer.name, error)
                return
            runs[peer.name] = turn
            if what == "training" and peer is not CONTROL:
                found["first_s"][peer.name] = turn.made["first"]
                found["versions"][peer.name] = worker.hello["version"]

        start(CONTROL, "training")
        for peer in (OURS, *peers):
            start(peer, "training")
        for peer in (OPENBLAS, SLABS) if rates else ():
            start(peer, "products")
        limit_threads = 1 if net.of_limit else threads
        if limit is not None:
            study = Limit(limit, net, limit_threads)
            stack.callback(study.close)
            runs[LIMIT] = study
        times = interleave(runs, rounds, seconds, failed)
    found |= compare(net, threads, times, [peer.name for peer in peers])
    if LIMIT in times:
        found["limit_threads"] = limit_threads
    found["errors"] = errors
    return found


def compare(net: Net, threads: int, times: Times, peers: Sequence[str]) -> dict[str, Any]:
    """What follows from the times of all rounds: medians in microseconds, ratios, and what was to be reached."""
    found: dict[str, Any] = {
        "rounds": len(next(iter(times.values()), [])),
        "us": {name: statistics.median(t) * 1e6 for name, t in times.items() if t and name != CONTROL.name},
        "target_ratio": net.ratio.get(threads),
        "target_of_limit": net.of_limit.get(threads),
        "target_of_rate": net.of_rate,
    }
    if times.get(CONTROL.name):
        control = spread(times[CONTROL.name])
        found["control"] = {
            "disturbed_rounds": control.pop("disturbed_rounds"),
            **{name: t * 1e6 for name, t in control.items()},
        }
    ours = times.get(OURS.name)
    if not ours:
        return found
    found["ratios"] = {name: paired_ratio(ours, times[name]) for name in peers if times.get(name)}
    best = best_of(times, peers)
    if best is not None:
        found |= {"best": best, "ratio": found["ratios"][best]}
    if times.get(LIMIT):
        found["of_limit"] = paired_ratio(ours, times[LIMIT])
    rate = best_of(times, [OPENBLAS.name, SLABS.name])
    if rate is not None:
        found |= {
            "rate": rate,
            "rate_gflops": net.operations() / statistics.median(times[rate]) / 1e9,
            "of_rate": paired_ratio(times[rate], ours),
        }
    return found
