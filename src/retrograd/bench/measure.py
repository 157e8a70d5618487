"""A whole measurement: which nets, how long, what else; the result is one object for JSON."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.bench import limit, whole
from retrograd.bench.nets import NETS, QUICK, Net
from retrograd.bench.peers import PEERS, Peer
from retrograd.bench.steps import Log, measure_step


@dataclass(frozen=True)
class Plan:
    """What is measured.  A count of 0, or None, leaves that part out."""

    nets: Sequence[Net] = tuple(NETS.values())
    peers: Sequence[Peer] = PEERS
    threads: Sequence[int] = (1,)
    rounds: int = 7
    seconds: float = 0.1
    rates: bool = True
    limit: Path | None = None
    """The C program of the limit study."""
    first_calls: int = 1
    memory: Sequence[Net] = ()
    one_row: Net | None = None
    digits: int = 0
    widths: tuple[int, int] | None = None
    idle: bool = False
    parts: frozenset[str] = field(default_factory=frozenset)
    """Only these parts; none: all."""


def usual(threads: int) -> Plan:
    """For somebody who wants to know how their machine does."""
    nets = tuple(NETS.values())
    return Plan(
        nets, threads=(threads,), memory=(NETS["1024-2048-2048-10"],), one_row=NETS["13-64-64-1"], digits=3
    )


def quick(threads: int) -> Plan:
    """A glance: the smaller nets, few rounds, and no library that compiles for long."""
    return Plan(
        nets=tuple(NETS[name] for name in QUICK),
        peers=tuple(peer for peer in PEERS if peer.name != "torch.compile"),
        threads=(threads,),
        rounds=3,
        seconds=0.03,
        rates=False,
        one_row=NETS["13-64-64-1"],
    )


def measure(plan: Plan, log: Log) -> dict[str, Any]:
    """The whole of it; ``log`` is told what goes on."""
    import retrograd

    peers = [peer for peer in plan.peers if peer.there()]
    found: dict[str, Any] = {
        "benchmark": "step_time",
        "retrograd": retrograd.__version__,
        "machine": machine(),
        "load": [load()],
        "rounds": plan.rounds,
        "peers": {},
        "missing": [peer.name for peer in plan.peers if not peer.there()],
    }

    def wanted(part: str, given: object) -> bool:
        return bool(given) and (not plan.parts or part in plan.parts)

    if wanted("steps", plan.nets):
        found["steps"] = _steps(plan, peers, log)
        for row in found["steps"]:
            found["peers"] |= {k: v for k, v in row.pop("versions").items() if k != "Retrograd"}
    if wanted("first", plan.first_calls):
        log("first calls, with an empty cache and again")
        found["first_calls"] = whole.first_calls(plan.nets, max(plan.threads), plan.first_calls)
    if wanted("memory", plan.memory):
        log("peak memory")
        found["memory"] = [whole.peak_memory(net, peers, max(plan.threads)) for net in plan.memory]
    if wanted("row", plan.one_row) and plan.one_row is not None:
        log("one row")
        found["one_row"] = whole.one_row(plan.one_row, peers, rounds=plan.rounds, seconds=plan.seconds)
    if wanted("digits", plan.digits):
        log("whole processes that train on the digits")
        found["digits"] = [whole.digits(peers, threads, plan.digits) for threads in plan.threads]
    if wanted("widths", plan.widths) and plan.widths is not None:
        log("widths {} to {}".format(*plan.widths))
        found["widths"] = whole.widths(*plan.widths)
    if wanted("idle", plan.idle):
        log("an idle process, and one without a PATH")
        found["idle"] = whole.idle(plan.nets[0], max(plan.threads))
        found["empty_path"] = whole.without_a_path(plan.nets[0])
    found["load"].append(load())
    return found


def _steps(plan: Plan, peers: Sequence[Peer], log: Log) -> list[dict[str, Any]]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="retrograd-bench-") as folder:
        program = limit.build(plan.limit, Path(folder)) if plan.limit else None
        if plan.limit and program is None:
            log("no limit study: there is no C compiler, or no OpenBLAS to link")
        for threads in plan.threads:
            for net in plan.nets:
                log(f"{net.name}, batch {net.batch}, {threads} thread{'s' if threads > 1 else ''}")
                row = measure_step(
                    net,
                    threads,
                    peers,
                    rounds=plan.rounds,
                    seconds=plan.seconds,
                    limit=program,
                    rates=plan.rates,
                    log=log,
                )
                rows.append(row)
                if "ratio" in row:
                    log(f"  {row['us']['Retrograd']:.1f} us, {row['ratio']:.2f} of {row['best']}")
    return rows


def machine() -> dict[str, Any]:
    """What the figures depend on, as far as the system tells."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": name,
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def load() -> float | None:
    """How many processes wanted to run in the last minute: well above 1 before the start, and others are at work."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
