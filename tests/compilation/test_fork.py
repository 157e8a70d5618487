"""A process that forks while a program runs: the child's own calls work."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, threading, time
import retrograd as rg

w = rg.zeros(1000)

def f(x):
    w.add_(x)
    return (x * 2).sum()

compiled = rg.compile(f)
x = rg.ones(1000)
compiled(x)
stop = False

def busy():
    while not stop:
        compiled(x)

thread = threading.Thread(target=busy)
thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        ok = compiled(x).item() == 2000 and rg.compile(lambda x: x + 1)(x).sum().item() == 2000
        os._exit(0 if ok else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
stop = True
thread.join()
print("ok")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_children_call_what_the_parent_is_calling() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
