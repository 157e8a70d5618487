"""The libraries that we are measured against, each in processes of its own; none is ever imported here."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrograd.errors import RetrogradError

HERE = Path(__file__).parent
PATIENCE = 300.0
"""Seconds without an answer after which a process is given up."""


class WorkerError(RetrogradError):
    """A library that could not do what it was told; the others go on."""


@dataclass(frozen=True)
class Peer:
    """A library: the module that must be there, and the script that trains with it."""

    name: str
    module: str
    script: Path

    def there(self) -> bool:
        """Whether it is installed; looked up, not imported."""
        return importlib.util.find_spec(self.module) is not None


def script(name: str) -> Path:
    """A script that ships with this package."""
    return HERE / "scripts" / f"{name}.txt"


OURS = Peer("Retrograd", "retrograd", script("retrograd"))
PEERS = (
    Peer("PyTorch", "torch", script("torch")),
    Peer("torch.compile", "torch", script("torch_compile")),
    Peer("JAX", "jax", script("jax")),
    Peer("scikit-learn", "sklearn", script("sklearn")),
)
CONTROL = Peer("control", "numpy", script("control"))
OPENBLAS = Peer("OpenBLAS", "scipy_openblas32", script("openblas"))
"""The net's products by OpenBLAS's own threads."""
SLABS = Peer("our slabs", "retrograd", script("retrograd"))
"""The net's products by ours."""


def environment(threads: int, folder: str) -> dict[str, str]:
    """For a process that may use so many threads; whatever is compiled is kept in ``folder``."""
    package = str(HERE.parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    names = ("OMP", "OPENBLAS", "MKL", "RETROGRAD")
    return {
        **os.environ,
        **{f"{name}_NUM_THREADS": str(threads) for name in names},
        "PYTHONPATH": os.pathsep.join(paths),
        "RETROGRAD_CACHE_DIR": folder,
        "TORCHINDUCTOR_CACHE_DIR": os.path.join(folder, "torchinductor"),
    }


def command(peer: Peer, threads: int) -> list[str]:
    """What starts its process; ``-P``: modules lying around are not taken for the library."""
    return [sys.executable, "-P", str(HERE / "worker.py"), str(peer.script), str(threads)]


class Worker:
    """A running process of one library.

    >>> with Worker(CONTROL, 1) as worker:
    ...     made = worker.ask("make", what="training", sizes=[2, 1], batch=4)
    ...     worker.ask("time", n=3)["seconds"] > 0
    True
    """

    def __init__(self, peer: Peer, threads: int, folder: str | None = None) -> None:
        self.peer = peer
        self._open = contextlib.ExitStack()
        enter = self._open.enter_context
        folder = folder or enter(tempfile.TemporaryDirectory(prefix="retrograd-bench-"))
        self._errors = enter(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))  # noqa: SIM115
        self._process = subprocess.Popen(
            command(peer, threads),
            env=environment(threads, folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )
        self._open.callback(self._end)
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.hello = self._answer()
        except BaseException:
            self.close()
            raise

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def ask(self, do: str, **given: Any) -> dict[str, Any]:
        """What the process answers; `WorkerError` when it cannot."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **given}) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended, which the missing answer tells
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise WorkerError(f"{self.peer.name} gave no answer for {PATIENCE:.0f} s") from None
        if not line:
            self._errors.seek(0)
            last = self._errors.read().strip().splitlines()[-1:]
            raise WorkerError(f"{self.peer.name} ended: {last[0] if last else 'it said nothing'}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerError(f"{self.peer.name}: {answer['error']}")
        return answer

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # a line that was never read
                    stream.close()

    def close(self) -> None:
        """End the process."""
        self._open.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
