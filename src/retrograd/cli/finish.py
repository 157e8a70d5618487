"""The end of ``train`` and ``resume``: the result, or, after Ctrl-C, what was kept and how to go on."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from retrograd.cli.console import Output
from retrograd.cli.summary import tell_run
from retrograd.program import as_called

INTERRUPTED = 130


def finish(output: Output, run: Any) -> int:
    """Print a `Run`; exit status 0, or 130 when it was stopped by Ctrl-C."""
    output.json(run.summary)
    if run.interrupted:
        return stopped(str(run.path))
    tell_run(output, run.report, Path(run.path))
    return 0


def stopped(run: str | None) -> int:
    """Say what Ctrl-C left: a run that can go on, or nothing yet."""
    if run is None:
        print("stopped before anything was saved", file=sys.stderr)
    else:
        print("stopped; the best weights so far are kept", file=sys.stderr)
        print(as_called(f"  hint: go on with: retrograd resume {shlex.quote(run)}"), file=sys.stderr)
    return INTERRUPTED
