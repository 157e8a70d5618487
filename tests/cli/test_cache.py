"""``retrograd cache``: a look at what was compiled, and its end."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cli.support import check_snapshot
from retrograd.lower.native import cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three entries in a cache of their own."""
    path = tmp_path / "compiled"
    monkeypatch.setenv(cache.VARIABLE, str(path))
    for k in range(2):
        cache.put(cache.key(str(k)), bytes(5000), "object")
    cache.put(cache.key("plan"), bytes(100))
    return path


def test_a_look(cli, folder: Path) -> None:
    result = cli("cache")
    assert result.code == 0
    assert result.err == ""
    check_snapshot("cache", result.out, folder=folder)
    assert len(list(folder.iterdir())) == 3


def test_as_json(cli, folder: Path) -> None:
    found = json.loads(cli("cache", "--json").out)
    whole = sum(path.stat().st_size for path in folder.iterdir())
    assert found["folder"] == str(folder)
    assert (found["entries"], found["bytes"]) == (3, whole)
    assert found["kinds"]["kernels"]["entries"] == 2
    assert found["kinds"]["programs"]["entries"] == 1
    assert found["unused_because"] is None
    assert "cleared" not in found


def test_clear(cli, folder: Path) -> None:
    (folder / "notes.txt").write_text("not ours")
    result = cli("cache", "--clear")
    assert result.code == 0
    check_snapshot("cache_cleared", result.out, folder=folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]
    found = json.loads(cli("cache", "--clear", "--json").out)
    assert (found["cleared"], found["entries"], found["bytes"]) == (0, 0, 0)


def test_before_anything_was_compiled(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "none"))
    assert json.loads(cli("cache", "--json").out)["entries"] == 0
    assert cli("cache", "--clear").out.splitlines()[1] == "0 entries deleted"
    assert not (tmp_path / "none").exists()


def test_without_a_home(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folder", lambda: None)
    assert cli("cache").out.startswith("no folder")
    assert json.loads(cli("cache", "--json").out)["folder"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
def test_a_folder_that_is_not_used_says_why(cli, folder: Path) -> None:
    folder.chmod(0o777)
    assert "not used, because others may write to it (mode 777)" in cli("cache").out
    assert "mode 777" in json.loads(cli("cache", "--json").out)["unused_because"]


def test_an_unreadable_folder(cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cache, "distrust", denied)
    assert "not used, because it cannot be read (Permission denied)" in cli("cache").out
