"""How this program was called, so that the commands it prints work where they are pasted."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

_COMMAND = re.compile(
    r"(?<![\w./-])retrograd (?=(?:train|predict|evaluate|resume|tune-lr|sample|COMMAND|--help)\b|--help)"
)


def program() -> str:
    """``retrograd`` where the shell finds it, else the words that started this process, as short as they can be."""
    called = Path(sys.argv[0] if sys.argv and sys.argv[0] else "retrograd")
    if called.name == "__main__.py" and called.parent.name == "retrograd":
        return f"{_python()} -m retrograd"
    if called.name not in ("retrograd", "retrograd.exe") or shutil.which("retrograd") or not called.is_file():
        return "retrograd"
    return _shown(called)


def as_called(text: str) -> str:
    """``text`` with its commands written the way this program was called.

    >>> as_called("go on with: retrograd resume runs/a-001")
    'go on with: retrograd resume runs/a-001'
    """
    name = program()
    return text if name == "retrograd" else _COMMAND.sub(lambda _: f"{name} ", text)


def _python() -> str:
    for name in ("python", "python3"):
        found = shutil.which(name)
        if found and os.path.realpath(found) == os.path.realpath(sys.executable):
            # the same file may be two Pythons: one of them in an environment of its own
            if os.path.dirname(os.path.abspath(found)) == os.path.dirname(os.path.abspath(sys.executable)):
                return name
    return _shown(Path(sys.executable or "python"))


def _shown(path: Path) -> str:
    """Relative where it lies below the current folder, quoted where it must be."""
    whole, here = Path(os.path.abspath(path)), Path.cwd()
    if here in whole.parents:
        short = str(whole.relative_to(here))
        return shlex.quote(short if os.sep in short else os.path.join(".", short))
    return shlex.quote(str(whole))
