"""The end of ``train`` and ``resume``: the result, or, after Ctrl-C, what was kept and how to go on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from retrograd.cli.console import Output
from retrograd.cli.summary import tell_run

INTERRUPTED = 130


def finish(output: Output, run: Any) -> int:
    """Print a `Run`; exit status 0, or 130 when it was stopped by Ctrl-C."""
    path = Path(run.path)
    output.json(run.summary)
    if run.report:
        tell_run(output, run.report, path)
    if not getattr(run, "interrupted", False):
        return 0
    output.log()
    output.log("stopped by Ctrl-C; the best weights so far are kept")
    output.log(f"  hint: go on with: retrograd resume {shlex.quote(str(path))}")
    return INTERRUPTED
