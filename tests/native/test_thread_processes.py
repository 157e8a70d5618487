"""Threads of programs in whole processes: forks, ends, and the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llvmlite")

SOURCE = str(Path(__file__).resolve().parents[2] / "src")
START = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what is tested
import numpy as np
import retrograd as rg
from retrograd import compilation
from retrograd.lower.native import pool, together
together.ROW, together.PROGRAM, together.START = 0.0, 0.0, -1e18
rg.set_num_threads(int(os.environ.get("THREADS", "2")))

def program(k):
    return compilation.compile(lambda x: (x * k).exp().sum(1) + x.amax(1), backend="native")

x = rg.tensor(np.random.default_rng(0).normal(size=(200, 300)))

def bits(f):
    return f(x).numpy().tobytes()
"""
IN_CHILD = """
def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            code = work()
        except BaseException as error:
            print(error, file=sys.stderr)
            code = 9
        os._exit(code)
    for _ in range(600):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(child, 9)
    return "hangs"
"""
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": SOURCE, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def passes(code: str, **environment: str) -> None:
    done = run(START + code, **environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@needs_fork
def test_a_child_has_threads_of_its_own() -> None:
    passes(
        IN_CHILD
        + """
f = program(2)
expected = bits(f)
assert pool._pool is not None

def work():
    assert pool._pool is None
    same = bits(f) == expected and bits(program(2)) == expected
    return 0 if same and pool._pool is not None and threading.active_count() == 2 else 1

assert [in_child(work) for _ in range(5)] == [0] * 5
assert in_child(lambda: in_child(work)) == 0
assert bits(f) == expected
"""
    )


@needs_fork
def test_a_fork_while_another_thread_is_inside_a_program() -> None:
    passes(
        IN_CHILD
        + """
f, g = program(2), program(3)
expected, other = bits(f), bits(g)
stop = False

def busy():
    while not stop:
        assert bits(g) == other

caller = threading.Thread(target=busy)
caller.start()
for _ in range(20):
    assert in_child(lambda: 0 if bits(f) == expected and pool._pool is not None else 1) == 0
stop = True
caller.join()
assert bits(f) == expected
"""
    )


ENDS = {
    "at the end of the main program": "bits(program(2))",
    "by sys.exit in the middle": "bits(program(2)); sys.exit(0)",
    "with a thread inside a program": """
f = program(2)
bits(f)
def busy():
    while True:
        bits(f)
threading.Thread(target=busy, daemon=True).start()
time.sleep(0.01)
""",
    "with another pool before": "f = program(2); bits(f); rg.set_num_threads(3); bits(f); rg.set_num_threads(2); bits(f)",
}


@pytest.mark.parametrize("how", ENDS)
def test_ends(how: str) -> None:
    passes(ENDS[how])


@pytest.mark.slow
@pytest.mark.parametrize("how", ENDS)
def test_fifty_ends(how: str) -> None:
    for _ in range(50 // len(ENDS) + 1):
        passes(ENDS[how])


def test_the_environment_says_how_many() -> None:
    code = "import retrograd as rg; from retrograd import threads; print(rg.get_num_threads(), threads.available())"
    cores = run(code, RETROGRAD_NUM_THREADS="").stdout.split()
    assert cores[0] == cores[1]
    assert run(code, RETROGRAD_NUM_THREADS="3").stdout.split()[0] == "3"
    for wrong in ("0", "two", "-1", "1.5"):
        done = run(code, RETROGRAD_NUM_THREADS=wrong)
        assert done.returncode != 0
        assert f"RETROGRAD_NUM_THREADS={wrong}: not a number of threads" in done.stderr
        assert "RETROGRAD_NUM_THREADS=2" in done.stderr
