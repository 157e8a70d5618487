"""Without LLVM, or on a CPU that no level fits, everything runs by NumPy, and says so once."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys, warnings
{before}
import numpy as np
import retrograd as rg
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    f = rg.compile(lambda x: (x * 2).sum())
    g = rg.compile(lambda x: x.exp())
    assert f(rg.ones(3)).item() == 6 and g(rg.zeros(2)).tolist() == [1, 1]
print(len(caught), [str(w.message) for w in caught])
print(f.plan())
try:
    rg.compile(lambda x: x, backend="native")(rg.ones(1))
except rg.errors.UsageError as error:
    print("refused:", error)
"""
WITHOUT = {
    "llvmlite": ("sys.modules['llvmlite'] = None", "llvmlite is not installed"),
    "a level": (
        "import retrograd.lower.native.level as level; level.best = lambda *a: None",
        "no native code for",
    ),
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_one_warning_and_the_same_results(missing: str) -> None:
    before, reason = WITHOUT[missing]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    first, second, *rest = done.stdout.splitlines()
    assert first.startswith("1 "), first
    assert reason in first, first
    assert second.startswith("reference")
    assert rest
    assert rest[0].startswith("refused")
    assert "reference" in done.stdout


def test_with_llvm_and_an_empty_path() -> None:
    """The control, and that nothing outside of Python is called."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before="")],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("0 []")
    assert "native" in done.stdout
    assert "refused" not in done.stdout
