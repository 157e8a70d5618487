"""What a finished run is told in, on runs made without a network: the words, the units, the honest verdict."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.support import check_snapshot
from report.synthetic_run import make_run
from retrograd.cli.console import Output, table, wrap
from retrograd.cli.finish import finish, stopped
from retrograd.cli.summary import verdict_sentence
from retrograd.report import write_report


def finished(folder: Path, **options: Any) -> SimpleNamespace:
    """A run as `fit` returns it."""
    make_run(folder, **options)
    return SimpleNamespace(path=folder, summary={"run": "x"}, report=write_report(folder), interrupted=False)


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
def test_result(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    run = finished(tmp_path / "invented-001", kind=kind)
    assert finish(Output(), run) == 0
    streams = capsys.readouterr()
    check_snapshot(f"result_{kind}", streams.out, folder=tmp_path)
    assert streams.err == ""


def test_money_is_shown_as_money(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = finished(tmp_path / "r", kind="regression")
    finish(Output(), run)
    value = run.report["metrics"]["test"]["rmse"]["value"]
    assert f"${value:,.0f}" in capsys.readouterr().out


def test_useless_network_is_called_useless(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finish(Output(), finished(tmp_path / "r", kind="regression", skill=0.0))
    out = capsys.readouterr().out
    assert "has not learnt anything" in out
    assert "The linear model is better" in out
    assert "The network wins" not in out


def test_a_win_says_by_how_much() -> None:
    comparison = {
        "verdict": "wins",
        "sentence": "It wins.",
        "metric": "rmse",
        "linear": {"metrics": {"rmse": {"value": 200.0}}, "difference": {"rmse": {"difference": -0.6}}},
    }
    assert verdict_sentence(comparison) == (
        "It wins. Its root mean squared error is 0.3 % lower than the linear model's."
    )
    assert verdict_sentence({**comparison, "verdict": "ties"}) == "It wins."


def test_json_replaces_the_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    finish(Output(as_json=True), finished(tmp_path / "r"))
    assert capsys.readouterr() == ('{"run": "x"}\n', "")


def test_interrupted_run_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    run = SimpleNamespace(path=Path("my runs/houses-001"), summary={}, report=None, interrupted=True)
    assert finish(Output(), run) == 130
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.endswith("hint: go on with: retrograd resume 'my runs/houses-001'\n")
    assert stopped(None) == 130
    assert "nothing" not in capsys.readouterr().out


def test_sentences_are_broken_for_people_and_whole_for_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "word " * 50
    assert "\n" not in wrap(text)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    broken = wrap(text, stream=SimpleNamespace(isatty=lambda: True)).splitlines()
    assert len(broken) > 3
    assert max(map(len, broken)) <= 60


def test_table_aligns_numbers_to_the_right() -> None:
    assert table([["a", "1"], ["bb", "22"]], indent="") == "a    1\nbb  22"
