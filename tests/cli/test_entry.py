"""What is answered at once, and what a wrong command line is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cli.support import check_snapshot, environment
from retrograd.cli.commands import BY_NAME


def test_bare_name_shows_a_tour(cli) -> None:
    result = cli()
    assert result.code == 0
    assert result.err == ""
    check_snapshot("tour", result.out)


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",)])
def test_help_lists_every_command(cli, words: tuple[str, ...]) -> None:
    result = cli(*words)
    assert result.code == 0
    check_snapshot("help", result.out)
    assert all(command.usage in result.out for command in BY_NAME.values())
    assert max(map(len, result.out.splitlines())) <= 100


def test_version(cli) -> None:
    assert cli("--version").out == "retrograd 0.1.0\n"


@pytest.mark.parametrize("word", [None, "--help", "--version"])
def test_quick_answers_load_none_of_the_large_packages(word: str | None) -> None:
    code = (
        "import sys; from retrograd.cli import main; main(sys.argv[1:]);"
        "print([m for m in ('typer', 'rich', 'duckdb', 'matplotlib', 'safetensors') if m in sys.modules])"
    )
    words = [word] if word else []
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, env=environment()
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_command_has_help_with_an_example(cli, name: str) -> None:
    result = cli(name, "--help")
    assert result.code == 0
    assert result.err == ""
    assert f"retrograd {name}" in result.out
    assert "Example:" in result.out
    assert cli("help", name).out == result.out


def test_help_of_train_names_all_choices(cli) -> None:
    from retrograd.train.recipe import CLASS_LOSSES, OPTIMIZERS, REGRESSION_LOSSES
    from retrograd.train.tabular import ACTIVATIONS

    words = set(cli("train", "--help").out.replace(",", " ").replace(".", " ").split())
    assert words.issuperset([*OPTIMIZERS, *REGRESSION_LOSSES, *CLASS_LOSSES, *ACTIVATIONS])


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["tarin", "x.csv"], "no command 'tarin'", "did you mean: retrograd train"),
        (["tune_lr", "x.csv"], "no command 'tune_lr'", "did you mean: retrograd tune-lr"),
        (["quux"], "no command 'quux'", "one of: train, predict"),
        (["--quiet", "train"], "the command comes before the options", "retrograd --help"),
        (
            ["train", "x.csv", "--targt", "y"],
            "retrograd train has no option --targt",
            "did you mean --target",
        ),
        (["train", "x.csv", "--bogus"], "no option --bogus", "hint: retrograd train --help"),
        (["train", "x.csv", "--quux"], "retrograd train has no option --quux", "retrograd train --help"),
        (["train"], "retrograd train needs DATA", "retrograd train DATA"),
        (["predict", "runs/a-001"], "retrograd predict needs DATA", "retrograd predict MODEL DATA"),
        (["train", "my", "houses.csv"], "one word too many: houses.csv", "quotes"),
        (["train", "x.csv", "--epochs", "many"], "--epochs many: not a whole number", "--epochs 20"),
        (["train", "x.csv", "--lr=fast"], "--lr fast: not a number", "--lr 0.1"),
        (["train", "x.csv", "--epochs"], "--epochs", "retrograd train --help"),
        (["train", "x.csv", "--time-limit", "soon"], "--time-limit soon: not a length of time", "90s, 5m"),
        (["train", "x.csv", "--time-limit", "-5"], "--time-limit", "--time-limit 90s"),
        (["train", "x.csv", "--hidden", "64,wide"], "--hidden 64,wide: not a list", "--hidden 128,64"),
        (["train", "x.csv", "--hidden", "0"], "--hidden 0: not a list", "--hidden 128,64"),
        (
            ["predict", "runs/a-001", "x.csv", "--out", "y.xlsx"],
            "y.xlsx: predictions are written as",
            "--out",
        ),
    ],
)
def test_wrong_command_line_exits_2_with_a_hint(cli, words: list[str], message: str, hint: str) -> None:
    result = cli(*words)
    assert result.code == 2
    assert result.out == ""
    first, *_, last = result.err.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert last.startswith("  hint: ")
    assert hint in last


def test_file_instead_of_a_command(cli, houses: Path) -> None:
    result = cli(houses)
    assert result.code == 2
    assert "hint: retrograd train houses.csv" in result.err


def test_python_dash_m(in_tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "retrograd", "nonsense"], capture_output=True, text=True, env=environment()
    )
    assert done.returncode == 2
    assert "no command 'nonsense'" in done.stderr
