"""The commands that are printed work when they are pasted, however the program was called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.support import environment
from retrograd.program import as_called, program

HINT = "go on with: retrograd resume runs/a-001"


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, in_tmp_path: Path) -> Path:
    """A shell that does not find `retrograd`."""
    monkeypatch.setattr("retrograd.program.shutil.which", lambda name: None)
    return in_tmp_path


def test_on_the_path_it_is_its_name(monkeypatch: pytest.MonkeyPatch, in_tmp_path: Path) -> None:
    monkeypatch.setattr("retrograd.program.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/retrograd", "train"])
    assert as_called(HINT) == HINT


def test_in_an_environment_below_this_folder(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    script = nowhere / ".venv" / "bin" / "retrograd"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.setattr(sys, "argv", [str(script), "train"])
    assert program() == str(Path(".venv/bin/retrograd"))
    assert as_called(HINT) == f"go on with: {Path('.venv/bin/retrograd')} resume runs/a-001"
    assert as_called("retrograd --help") == f"{program()} --help"
    assert (
        as_called("what retrograd says of /opt/retrograd train")
        == "what retrograd says of /opt/retrograd train"
    )


def test_as_a_module(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    monkeypatch.setattr(sys, "argv", ["/somewhere/retrograd/__main__.py", "train"])
    assert program().endswith(" -m retrograd")
    monkeypatch.setattr(sys, "argv", ["/somewhere/pytest/__main__.py"])  # control: a program of somebody else
    assert program() == "retrograd"


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
def test_a_hint_works_when_pasted(in_tmp_path: Path) -> None:
    settings = {"env": environment(PATH="/usr/bin:/bin"), "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-m", "retrograd", "--quiet"], check=False, **settings)
    hint = done.stderr.partition("hint: ")[2].strip()
    again = subprocess.run(hint, shell=True, check=False, **settings)
    assert again.returncode == 0, hint
    assert "Usage:" in again.stdout
