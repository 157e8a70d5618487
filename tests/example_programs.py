"""The programs in examples/, loaded as they are, and with the name of the library in their imports exchanged."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "examples"


def source(name: str) -> str:
    """The text of a program: ``source("programs/vae")``."""
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def in_library(text: str, library: str) -> str:
    """The same program with another library: only import lines change, and in them only the library's name."""
    return re.sub(r"^(import|from) retrograd\b", rf"\1 {library}", text, flags=re.MULTILINE)


def in_float64(text: str) -> str:
    """The same program in double precision; the default dtype has to be float64 too while it runs."""
    return text.replace("float32", "float64").replace(".float()", ".double()")


def load(name: str, text: str | None = None) -> ModuleType:
    """What a program defines, without running its `main`."""
    path = FOLDER / f"{name}.py"
    module = ModuleType(f"example_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look for their module
    exec(compile(source(name) if text is None else text, str(path), "exec", dont_inherit=True), vars(module))
    return module


def run_main(program: ModuleType, *arguments: Any, **options: Any) -> tuple[Any, str]:
    """What `main` returns and what it prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        result = program.main(*arguments, **options)
    return result, printed.getvalue()
