"""The tools that set up, test and account for the project do what they say, also where something is missing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import coverage_rows
import environment

ROOT = Path(__file__).resolve().parent.parent


# --- length ----------------------------------------------------------------------------------------------------------

LONGEST = 400


def test_no_python_file_is_longer_than_a_reader_follows() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "*.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    lengths = {
        name: len((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in listed.stdout.splitlines()
        if (ROOT / name).exists()
    }
    assert len(lengths) > 100
    long = {name: n for name, n in lengths.items() if n > LONGEST}
    assert long == {}, f"over {LONGEST} lines: split along its ideas"


# --- rows ------------------------------------------------------------------------------------------------------------


def test_every_row_has_a_test() -> None:
    rows, marked = coverage_rows.read_rows(), coverage_rows.marked_tests()
    assert len(rows) == 67
    assert sorted(set(marked) - set(rows)) == [], "marked, but not in tests/rows.txt"
    assert [row for row in rows if row not in marked] == [], "in tests/rows.txt, but no test is marked for it"


def test_coverage_page_is_current() -> None:
    """docs/coverage.md names the tests that are marked now."""
    page = ROOT / "docs" / "coverage.md"
    named = coverage_rows.page_tests(page.read_text(encoding="utf-8"))
    marked = {row: tests for row, tests in coverage_rows.marked_tests().items() if tests}
    assert named == marked, "docs/coverage.md is out of date; make coverage"


MARKED_TESTS = """
import pytest

@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("n", [1, 2])
def test_passes(n):
    pass

@pytest.mark.row("ENG-01", "ENG-02")
def test_fails():
    assert False

class TestClass:
    @pytest.mark.row("ENG-03")
    def test_skips(self):
        pytest.skip("no data")

def test_without_a_row():
    pass
"""


def run_pytest(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A pytest run of its own over one file of tests, with our conftest.py."""
    (folder / "tests").mkdir(exist_ok=True)
    for name in ("conftest.py", "rows.txt"):
        shutil.copy(ROOT / "tests" / name, folder / "tests" / name)
    (folder / "tests" / "test_planted.py").write_text(tests, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    row: x\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", *options]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=kept, check=False)


@pytest.mark.parametrize("processes", ["0", "2"])
def test_row_report(tmp_path: Path, processes: str) -> None:
    pytest.importorskip("xdist")
    done = run_pytest(tmp_path, MARKED_TESTS, "--row-report=rows.json", "-n", processes)
    assert done.returncode == 1
    assert "skipped 1: no data" in done.stdout
    report = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert {
        name.split("::", 1)[1]: (test["rows"], test["outcome"]) for name, test in report["tests"].items()
    } == {
        "test_passes[1]": (["ENG-01"], "passed"),
        "test_passes[2]": (["ENG-01"], "passed"),
        "test_fails": (["ENG-01", "ENG-02"], "failed"),
        "TestClass::test_skips": (["ENG-03"], "skipped"),
    }
    page = coverage_rows.write_page(
        report, {"ENG-01": "One", "ENG-02": "Two", "ENG-03": "Three", "ENG-04": "Four"}
    )
    assert "4 rows: 2 failing, 1 not run here, 1 without a test." in page
    assert (
        "| ENG-01 | One | `test_planted.py::test_fails`<br>`test_planted.py::test_passes` | failed<br>passed ×2 |"
    ) in page
    assert "| ENG-03 | Three | `test_planted.py::TestClass::test_skips` | skipped (no data) |" in page
    assert "| ENG-04 | Four | none | no test |" in page
    # what is read from the source, from the run and back from the page is the same
    assert coverage_rows.page_tests(page) == coverage_rows.marked_tests(tmp_path / "tests")


def test_unknown_row_is_refused(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, MARKED_TESTS.replace("ENG-03", "ENG-99"))
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ENG-99" in done.stderr + done.stdout


# --- setting up ------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that environment.py takes for the project, so that nothing touches the real `.venv`."""
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "retrograd-installed.json")
    return tmp_path


@pytest.fixture
def installs(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would have been installed."""
    done: list[tuple[str, ...]] = []
    monkeypatch.setattr(environment, "pip_install", lambda *what: done.append(what))
    monkeypatch.setattr(environment, "make_environment", lambda: (project / ".venv").mkdir(exist_ok=True))
    monkeypatch.setattr(environment, "environment_works", lambda: (project / ".venv").exists())
    return done


def test_installs_once_and_again_when_something_changed(
    project: Path, installs: list[tuple[str, ...]]
) -> None:
    environment.ready(set())
    environment.ready(set())
    assert installs == [("--editable", ".")]
    environment.ready({"test"})
    environment.ready(set())  # a narrower wish takes nothing away
    assert installs[1:] == [("--editable", ".[test]")]
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    environment.ready(set())
    assert installs[2:] == [("--editable", ".[test]")]


def test_interrupted_install_is_repeated(
    project: Path, installs: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_what: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(environment, "pip_install", interrupted)
        assert environment.run(["install"]) == 130
    assert environment.run(["install"]) == 0
    assert installs == [("--editable", ".")]


def test_says_what_it_takes_before_it_takes_it(
    installs: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        environment.shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**9, 10**9, 0)
    )  # type: ignore[attr-defined]
    assert environment.run(["install"]) == 1
    assert installs == []
    said = capsys.readouterr().err
    assert re.search(r"downloads up to \d+ MB .* takes about \d+ MB of disk", said)
    assert "error: only 0 MB free" in said
    assert "hint:" in said


def test_unknown_command_and_extra(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert environment.run(["tarin"]) == 1
    assert environment.run(["install", "tset"]) == 1
    assert capsys.readouterr().err.count("hint:") == 2


def test_foreign_folder_named_venv_is_left_alone(project: Path) -> None:
    (project / ".venv").mkdir()
    (project / ".venv" / "letters.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(environment.SetupError, match="no Python environment"):
        environment.make_environment()
    assert (project / ".venv" / "letters.txt").exists()


def test_offline_is_said_with_a_hint(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if environment.quiet(sys.executable, "-m", "pip", "--version").returncode:
        pytest.skip("pip is not installed beside pytest")
    monkeypatch.setattr(environment, "python", lambda: Path(sys.executable))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nothing listens on the discard port
    monkeypatch.setattr(environment, "PIP_OPTIONS", [*environment.PIP_OPTIONS, "--retries", "0"])
    with pytest.raises(environment.SetupError, match="cannot be reached") as caught:
        environment.pip_install("retrograd-is-not-on-this-index")
    assert "HTTPS_PROXY" in caught.value.hint


def fake_pip(folder: Path) -> bytes:
    """A wheel whose `pip` "installs" itself as a module that only says so."""
    path = folder / "pip.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(
            "pip/__main__.py",
            "import pathlib, sysconfig\n"
            "package = pathlib.Path(sysconfig.get_paths()['purelib']) / 'pip'\n"
            "package.mkdir()\n"
            "(package / '__init__.py').write_text('')\n",
        )
    return path.read_bytes()


@pytest.mark.parametrize("sound", [True, False])
def test_pip_comes_from_the_index_where_there_is_no_other(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: bool
) -> None:
    """Without ensurepip and without another pip: the newest wheel on the index, if it has the index's hash."""
    wheel = fake_pip(tmp_path)
    digest = hashlib.sha256(wheel if sound else b"other").hexdigest()
    index = f"""<a href="/files/pip-9.0.1-py3-none-any.whl#sha256=00" >old</a>
        <a href="/files/pip-26.1-py3-none-any.whl#sha256={digest}" data-requires-python="&gt;=3.9">new</a>
        <a href="/files/pip-27.0-py3-none-any.whl#sha256=00" data-yanked="">yanked</a>
        <a href="/files/pip-26.1.tar.gz#sha256=00">source</a>"""
    pages = {
        "https://index.example/simple/pip/": index.encode(),
        "https://index.example/files/pip-26.1-py3-none-any.whl": wheel,
    }
    really_quiet = environment.quiet

    def without_pip(*command: str) -> subprocess.CompletedProcess[str]:
        makes_pip = command[-2:-1] == ("venv",) or "--python" in command
        if makes_pip:
            return subprocess.CompletedProcess(command, 1, "", "Error: ensurepip is not available")
        return really_quiet(*command)

    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setattr(environment, "quiet", without_pip)
    monkeypatch.setattr(environment, "download", pages.__getitem__)
    if sound:
        environment.make_environment()
        assert environment.pip_works()
    else:
        with pytest.raises(environment.SetupError, match="does not have the hash"):
            environment.make_environment()
        assert not (project / ".venv").exists()


def bare_python(folder: Path) -> Path:
    """This Python without ensurepip and without pip, as some systems ship it: its own library, by links, less those."""
    library = Path(os.__file__).parent
    copy = folder / library.relative_to(sys.base_prefix)
    copy.mkdir(parents=True)
    for entry in library.iterdir():
        if entry.name not in ("ensurepip", "site-packages", "dist-packages"):
            (copy / entry.name).symlink_to(entry)
    binary = folder / "bin" / "python3"
    binary.parent.mkdir()
    shutil.copy(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info[1]}", binary)
    return binary


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Python for Windows always comes with ensurepip")
def test_environment_without_ensurepip(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For real: neither ensurepip nor pip anywhere, and the environment has pip in the end."""
    bare = bare_python(tmp_path / "bare")
    if environment.quiet(str(bare), "-c", "import venv").returncode:
        pytest.skip("this Python does not run from a copy")
    control = environment.quiet(str(bare), "-m", "venv", str(tmp_path / "control"))
    assert control.returncode != 0, "the copy must lack ensurepip, or nothing is tested"
    monkeypatch.setattr(sys, "executable", str(bare))
    monkeypatch.setenv("PATH", "")
    try:
        environment.download(environment.index_url().rstrip("/") + "/pip/")
    except OSError as error:
        pytest.skip(f"the package index cannot be reached: {type(error).__name__}")
    environment.make_environment()
    assert environment.pip_works()
    assert "comes without ensurepip" in capsys.readouterr().err


def test_old_python_is_told_so() -> None:
    """setup.py holds to syntax that old Pythons parse, and says which one it needs."""
    source = (ROOT / "tools" / "setup.py").read_text(encoding="utf-8")
    assert "__future__" not in source
    assert not re.search(r"""\bf["']|:=|->""", source)
    pretend = (
        "import sys, runpy; sys.version_info = (3, 6, 9, 'final', 0); sys.argv = ['setup.py', 'train'];"
        f"runpy.run_path({str(ROOT / 'tools' / 'setup.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": ""},
        check=False,
    )
    assert done.returncode == 1
    assert "error: Retrograd needs Python 3.11 or newer" in done.stderr
    assert "hint:" in done.stderr


def test_version_is_the_same_everywhere() -> None:
    import retrograd

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert retrograd.__version__ == project["version"]
    assert project["version"] in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_oldest_python_is_the_same_everywhere() -> None:
    import setup as entry

    assert f'requires-python = ">={entry.OLDEST[0]}.{entry.OLDEST[1]}"' in (
        ROOT / "pyproject.toml"
    ).read_text("utf-8")
