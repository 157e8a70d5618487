"""Whatever goes wrong inside a command: a sentence, a hint, an exit status; a traceback only for who asks for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cli.support import environment
from retrograd.cli import evaluate
from retrograd.errors import DataError, RetrogradError, ShapeError, UsageError


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Make ``retrograd evaluate`` raise this."""

    def install(error: BaseException) -> None:
        def run(model: str, data: str, debug: bool = False, as_json: bool = False) -> int:
            raise error

        run.__annotations__ = {
            key: evaluate.run.__annotations__[key] for key in ("model", "data", "debug", "as_json")
        }
        run.__doc__ = "Fails."
        run.__globals__["options"] = evaluate.options
        monkeypatch.setattr(evaluate, "run", run)

    return install


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("a and b", hint="one of them"), 2, "error: a and b\n  hint: one of them\n"),
        (
            DataError("no rows", hint="add some", where="x.csv"),
            1,
            "error: no rows\n  at: x.csv\n  hint: add some\n",
        ),
        (
            ShapeError("2 is not 3", where="f.py, line 1", hint="h"),
            1,
            "error: 2 is not 3\n  at: f.py, line 1\n  hint: h\n",
        ),
        (
            RetrogradError("bare"),
            1,
            "error: bare\n  hint: the same command with --debug shows the whole story\n",
        ),
    ],
)
def test_our_own_errors(cli, failing, error: RetrogradError, code: int, text: str) -> None:
    failing(error)
    result = cli("evaluate", "m", "d")
    assert (result.code, result.out, result.err) == (code, "", text)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            PermissionError(13, "Permission denied", "/root/x"),
            ["Permission denied: /root/x", "hint: check the path"],
        ),
        (OSError(28, "No space left on device"), ["No space left on device", "hint: check the path"]),
        (MemoryError(), ["not enough memory", "hint: fewer rows"]),
        (KeyError("x"), ["something that should not happen: KeyError: 'x'", "--debug"]),
        (ValueError("two\nlines"), ["ValueError: two lines", "--debug"]),
    ],
)
def test_unexpected_errors_are_two_lines(cli, failing, error: Exception, words: list[str]) -> None:
    failing(error)
    result = cli("evaluate", "m", "d")
    assert (result.code, result.out) == (1, "")
    assert len(result.err.splitlines()) == 2
    assert all(word in result.err for word in words)


def test_json_says_errors_as_an_object(cli, failing) -> None:
    failing(DataError("no rows", hint="add some"))
    result = cli("evaluate", "m", "d", "--json")
    assert json.loads(result.out) == {
        "error": {"kind": "DataError", "message": "no rows", "hint": "add some"}
    }
    assert result.code == 1
    assert "hint: add some" in result.err


def test_debug_lets_the_traceback_through(cli, failing) -> None:
    failing(KeyError("x"))
    with pytest.raises(KeyError):
        cli("evaluate", "m", "d", "--debug")


def test_ctrl_c_outside_training(cli, failing) -> None:
    failing(KeyboardInterrupt())
    result = cli("evaluate", "m", "d")
    assert result.code == 130
    assert result.err.strip() == "stopped before anything was saved"


def test_reader_that_goes_away_is_not_an_error() -> None:
    code = (
        "import sys; from retrograd.cli import main, tour\n"
        "tour.overview = lambda: 'x' * 10_000_000\n"
        "sys.exit(main(['--help']))"
    )
    command = f"'{sys.executable}' -c \"{code}\" | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=environment())
    assert done.stdout == "x"
    assert done.stderr == ""
