"""``retrograd cache``: what has been compiled and kept on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from retrograd.cli import options
from retrograd.cli.console import Output, table

_NAMES = {"object": "kernels", "plan": "programs"}


def run(
    clear: Annotated[bool, typer.Option("--clear", metavar="", help="Delete every entry.")] = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Show where compiled programs are kept, how many there are and how large they are, or delete them.

    They are made anew when they are needed; deleting them costs a moment at the next start, never a result. The folder
    is set by RETROGRAD_CACHE_DIR.

        retrograd cache --clear
    """
    from retrograd.lower.native import cache

    output = Output(as_json, quiet)
    folder, unused = cache.folder(), why_unused()
    cleared = cache.clear() if clear else None
    usage = cache.usage()
    output.json(
        {
            "folder": None if folder is None else str(folder),
            "unused_because": unused,
            "entries": sum(use.entries for use in usage.values()),
            "bytes": sum(use.bytes for use in usage.values()),
            "most_bytes": cache.MOST_BYTES,
            "kinds": {
                _NAMES[kind]: {"entries": use.entries, "bytes": use.bytes} for kind, use in usage.items()
            },
            **({} if cleared is None else {"cleared": cleared}),
        }
    )
    output.result(f"{folder or 'no folder: this user has no home'}")
    if unused is not None:
        output.result(f"not used, because {unused}")
    if cleared is not None:
        output.result(f"{cleared} {'entry' if cleared == 1 else 'entries'} deleted")
    lines = [["", "entries", "size"]]
    lines += [[_NAMES[kind], str(use.entries), as_size(use.bytes)] for kind, use in usage.items()]
    output.result()
    output.result(table(lines))
    output.result()
    output.result(f"never more than {as_size(cache.MOST_BYTES)}: what was used least recently goes first")
    return 0


def why_unused() -> str | None:
    """Why nothing is kept in the folder; None when it is used, or will be made when it is needed."""
    from retrograd.lower.native import cache

    folder = cache.folder()
    try:
        return None if folder is None else cache.distrust(folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"it cannot be read ({error.strerror})"


def as_size(count: int) -> str:
    """Bytes, in the unit that people would use.

    >>> as_size(0), as_size(2048), as_size(113_248), as_size(128 * 2**20)
    ('0 B', '2.0 kB', '111 kB', '128 MB')
    """
    size, units = float(count), iter(("B", "kB", "MB"))
    unit = next(units)
    while size >= 1024 and unit != "MB":
        size, unit = size / 1024, next(units)
    return f"{size:.1f} {unit}" if 0 < size < 10 and unit != "B" else f"{size:.0f} {unit}"
