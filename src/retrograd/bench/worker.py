"""A process that trains nets by one library, as often as it is told; run by its path, never imported.

    python worker.py SCRIPT CORES

It loads the script (a text of Python that imports the library and defines `training`, `prediction` and `digits`), then
answers each line of JSON on its standard input by one on its standard output.  It needs nothing but NumPy itself, so
that memory and time belong to the library.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TextIO


def load(path: str) -> dict[str, Any]:
    """What the script defines; its tracebacks show its lines."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    given: dict[str, Any] = {"__name__": "peer", "torchlike": torchlike, "layers": layers}
    exec(compile(text, path, "exec"), given)
    return given


def data(sizes: list[int], batch: int) -> tuple[Any, Any]:
    """Inputs of float32, and numbers or classes to be learnt: the same in every library."""
    import numpy as np

    random = np.random.default_rng(0)
    x = random.standard_normal((batch, sizes[0])).astype("float32")
    if sizes[-1] == 1:
        return x, random.standard_normal((batch, 1)).astype("float32")
    return x, random.integers(0, sizes[-1], batch)


def layers(nn: Any, sizes: list[int]) -> Any:
    """The net in PyTorch's names."""
    made = []
    for inputs, outputs in pairwise(sizes):
        made += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*made[:-1])


def torchlike(
    library: Any, sizes: list[int], x: Any, y: Any, options: dict[str, Any]
) -> tuple[Any, Any, Callable[..., Any], Any, Any]:
    """Model, optimiser, forward with loss, inputs and targets, for the libraries that share PyTorch's names."""
    model = layers(library.nn, sizes)
    optimizer = library.optim.Adam(model.parameters(), lr=1e-3, **options)
    functional = library.nn.functional
    compare = functional.mse_loss if sizes[-1] == 1 else functional.cross_entropy

    def forward(x: Any, y: Any) -> Any:
        return compare(model(x), y)

    return model, optimizer, forward, library.tensor(x), library.tensor(y)


def memory(what: str) -> float | None:
    """Mebibytes: "VmRSS" is what the process holds now, "VmHWM" the most it held since the last `forget_peak`."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines[what].split()[0]) / 1024
    except (OSError, KeyError):
        return None


def forget_peak() -> None:
    """From now on "VmHWM" is the most that the process held from now on."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass


class Worker:
    """What the process knows: the script, and the function that was made last."""

    def __init__(self, path: str, cores: int) -> None:
        if hasattr(os, "sched_setaffinity"):
            allowed = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, allowed[-cores:])
        start = time.perf_counter()
        self.script = load(path)
        self.imported = time.perf_counter() - start
        self.kept: list[Callable[[int], float]] = []

    def answer(self, do: str, **given: Any) -> dict[str, Any]:
        return getattr(self, f"do_{do}")(**given)

    def do_hello(self) -> dict[str, Any]:
        return {"import": self.imported, "version": self.script.get("VERSION", "")}

    def do_make(self, what: str, sizes: list[int], batch: int) -> dict[str, Any]:
        """Makes a net and runs it once; ``first``: seconds of that."""
        x, y = data(sizes, batch)
        run = self.script[what](sizes, x, y)
        start = time.perf_counter()
        value = run(1)
        self.kept.append(run)
        return {"first": time.perf_counter() - start, "value": value, "number": len(self.kept) - 1}

    def do_time(self, n: int, number: int = -1) -> dict[str, Any]:
        """Seconds of n runs."""
        run = self.kept[number]
        start = time.perf_counter()
        value = run(n)
        return {"seconds": time.perf_counter() - start, "value": value}

    def do_forget(self) -> dict[str, Any]:
        """Drop every net."""
        import gc

        self.kept.clear()
        gc.collect()
        return {}

    def do_memory(self) -> dict[str, Any]:
        """What the process holds, and the most it held since this was asked last."""
        found = {"now": memory("VmRSS"), "peak": memory("VmHWM")}
        forget_peak()
        return found

    def do_idle(self, seconds: float) -> dict[str, Any]:
        """Seconds of processor time that pass while nothing is asked, in all threads."""
        start = time.process_time()
        time.sleep(seconds)
        return {"cpu": time.process_time() - start}

    def do_digits(self, path: str, epochs: int) -> dict[str, Any]:
        """The share of the digits that a net trained on them knows."""
        import numpy as np

        table = np.load(path)
        return {"accuracy": self.script["digits"](table["x"], table["y"], epochs)}


def serve(worker: Worker, asked: TextIO, told: TextIO) -> None:
    """Answer line by line until the input ends."""
    for line in asked:
        try:
            answer = worker.answer(**json.loads(line))
        except Exception as error:  # whatever it is, the other libraries go on
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(answer), file=told, flush=True)


def main() -> None:
    warnings.filterwarnings("ignore")
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")  # what libraries print goes to standard error
    os.dup2(2, 1)
    if sys.argv[3:4] == ["digits"]:
        worker = Worker(sys.argv[1], int(sys.argv[2]))
        print(json.dumps(worker.do_digits(sys.argv[4], int(sys.argv[5]))), file=told, flush=True)
        return
    try:
        worker = Worker(sys.argv[1], int(sys.argv[2]))
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}), file=told, flush=True)
        return
    print(json.dumps(worker.do_hello()), file=told, flush=True)
    serve(worker, sys.stdin, told)


if __name__ == "__main__":
    main()
