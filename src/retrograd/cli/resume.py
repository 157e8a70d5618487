"""``retrograd resume RUN``: go on with a run that was stopped, to the same bits as if it never had been."""

from __future__ import annotations

from typing import Annotated

import typer

from retrograd.cli import options
from retrograd.cli.console import Output
from retrograd.cli.finish import finish, stopped
from retrograd.cli.progress import Display


def run(
    folder: Annotated[
        str, typer.Argument(metavar="RUN", help="A run folder, runs/NAME-001.", show_default=False)
    ],
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Go on with a run that was stopped by Ctrl-C, a power cut or a kill.

    It continues from its newest checkpoint and ends where the undisturbed run would have ended.

        retrograd resume runs/houses-001
    """
    from retrograd.train import resume

    output = Output(as_json, quiet)
    with Display(output) as display:
        display.stage(f"reading the data of {folder}")
        try:
            result = resume(folder, progress=display)
        except KeyboardInterrupt:
            display.close()
            return stopped(folder)
    return finish(output, result)
