"""``retrograd bench``: how long a training step takes on this machine, beside the other libraries that are installed."""

from __future__ import annotations

from typing import Annotated

import typer

from retrograd.cli import options
from retrograd.cli.console import Output, table, wrap


def run(
    quick: Annotated[
        bool, typer.Option("--quick", metavar="", help="The smaller nets in few rounds: about half a minute.")
    ] = False,
    threads: Annotated[int, typer.Option("--threads", metavar="N", help="Threads of every library.")] = 1,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Time a training step of dense nets (forward, backward, Adam), here and in PyTorch, JAX and scikit-learn as far as
    they are installed.

    Every library runs in a process of its own; they take turns in rounds, and the ratio is the median over rounds. Close
    other programs first: a fixed piece of work runs along, and rounds in which it was disturbed are counted.

        retrograd bench --quick
    """
    from retrograd.bench import measure as measuring
    from retrograd.bench.tables import header, tables
    from retrograd.errors import UsageError

    output = Output(as_json, quiet)
    cores = measuring.machine()["cores"]
    if not 1 <= threads <= cores:
        raise UsageError(
            f"--threads {threads}: this machine has {cores} core{'s' if cores != 1 else ''} for it",
            hint=f"--threads {max(1, min(threads, cores))}",
        )
    found = measuring.measure((measuring.quick if quick else measuring.usual)(threads), output.log)
    output.json(found)
    output.result(wrap(header(found)))
    if found["missing"]:
        output.result(f"not installed: {', '.join(found['missing'])}")
    for each in tables(found):
        output.result(f"\n{each.title}")
        output.result(table(each.rows, left=each.left))
        if each.note:
            output.result(wrap(each.note, "  "))
    return 0
