"""The command line: one command per file; arguments and printing only, the work is done by the floors below."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line and return its exit status: 0, 1 (failed), 2 (wrong command line) or 130 (Ctrl-C).

    Help and version are answered here, without Typer: they are what people ask for most and wait for least.

    >>> main(["--version"])
    retrograd 0.1.0
    0
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    completing = "_RETROGRAD_COMPLETE" in os.environ  # set by the shell when the Tab key is pressed
    try:
        if not completing and _answer_at_once(words):
            return 0
        from retrograd.cli.app import run_command

        return run_command(words)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # what the shell reports for a program that ended by SIGPIPE
    except KeyboardInterrupt:
        print("\nstopped before anything was saved", file=sys.stderr)
        return 130


def _prepare_streams() -> None:
    """No character is an error: files and pipes get UTF-8, and a terminal that lacks a sign shows a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty() or stream is sys.stderr:
            stream.reconfigure(errors="replace")
        elif "PYTHONIOENCODING" not in os.environ:
            stream.reconfigure(encoding="utf-8")


def _answer_at_once(words: list[str]) -> bool:
    from retrograd.cli import tour
    from retrograd.program import as_called

    if not words:
        text = as_called(tour.tour(_version()))
    elif words[0] in ("--help", "-h") or words == ["help"]:
        text = as_called(tour.overview())
    elif words[0] in ("--version", "-V"):
        text = f"retrograd {_version()}\n"
    else:
        return False
    print(text, end="", flush=True)
    return True


def _version() -> str:
    from retrograd import __version__

    return __version__
