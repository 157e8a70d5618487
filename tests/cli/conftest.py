"""Runs the command line, and keeps what it printed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.support import Result, flower_lines, house_lines, write_table
from retrograd.cli import main


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """``cli("train", path)``: run in this process; no traceback may ever be in what it prints."""

    def run(*words: object) -> Result:
        capsys.readouterr()
        code = main([str(word) for word in words])
        streams = capsys.readouterr()
        assert "Traceback" not in streams.out + streams.err
        return Result(code, streams.out, streams.err)

    return run


@pytest.fixture
def houses(in_tmp_path: Path) -> Path:
    """houses.csv in the (temporary) current folder."""
    return write_table(in_tmp_path / "houses.csv", house_lines()).relative_to(in_tmp_path)


@pytest.fixture
def flowers(in_tmp_path: Path) -> Path:
    """flowers.csv in the (temporary) current folder."""
    return write_table(in_tmp_path / "flowers.csv", flower_lines()).relative_to(in_tmp_path)
