"""The limit study: the same steps by OpenBLAS and loops fused by hand in C, where there is a C compiler."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from retrograd.bench.nets import Net


def build(source: Path, folder: Path) -> Path | None:
    """The program, compiled for this CPU; None without a compiler or without OpenBLAS's wheel."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    spec = importlib.util.find_spec("scipy_openblas32")
    if compiler is None or spec is None or not spec.submodule_search_locations:
        return None
    library = Path(spec.submodule_search_locations[0]) / "lib"
    program = folder / "limit"
    flags = ["-O3", "-march=native", "-ffast-math", f"-L{library}", f"-Wl,-rpath,{library}"]
    done = subprocess.run(
        [compiler, str(source), *flags, "-lscipy_openblas", "-lm", "-o", str(program)],
        capture_output=True,
        check=False,
    )
    return program if done.returncode == 0 else None


class Limit:
    """The program at work on one net: called with a number of steps, it says how many seconds they took."""

    def __init__(self, program: Path, net: Net, threads: int) -> None:
        words = [str(program), str(threads), str(net.batch), *map(str, net.sizes)]
        cores = sorted(os.sched_getaffinity(0))[-threads:] if hasattr(os, "sched_getaffinity") else []
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if cores:
            os.sched_setaffinity(self._process.pid, cores)

    def __call__(self, n: int) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{n}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
