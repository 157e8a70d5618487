"""The disk cache: whatever happens to its files, what comes back is whole or nothing."""

from __future__ import annotations

import errno
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retrograd.lower.native import cache

KEY = cache.key("a program")
CONTENT = bytes(range(256)) * 3


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own; nobody has been warned yet."""
    path = tmp_path / "cache"
    monkeypatch.setenv(cache.VARIABLE, str(path))
    monkeypatch.setattr(cache, "_State", type("_State", (), {"warned": False, "unseen": cache._LOOK_AFTER}))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_put_comes_back_and_the_kinds_are_apart(folder: Path) -> None:
    assert cache.entry(KEY) is None
    assert cache.put(KEY, CONTENT)
    assert cache.put(KEY, b"", "object")
    assert cache.entry(KEY) == CONTENT
    assert cache.entry(KEY, "object") == b""
    assert cache.usage()["plan"].entries == cache.usage()["object"].entries == 1
    assert cache.put(KEY, b"new")
    assert cache.entry(KEY) == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="modes of files")
def test_the_folder_is_closed_to_others(folder: Path) -> None:
    cache.put(KEY, CONTENT)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


def test_every_flipped_bit_is_seen(folder: Path) -> None:
    cache.put(KEY, CONTENT)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for place in [*range(100), *range(100, len(whole), 37), len(whole) - 1]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert cache.entry(KEY) is None, place
    path.write_bytes(whole)
    assert cache.entry(KEY) == CONTENT  # control


def test_cut_short_empty_and_longer_files_are_no_entries(folder: Path) -> None:
    cache.put(KEY, CONTENT)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for cut in [*range(90), len(whole) - 1]:
        path.write_bytes(whole[:cut])
        assert cache.entry(KEY) is None, cut
    path.write_bytes(whole + b"x")
    assert cache.entry(KEY) is None
    assert cache.put(KEY, CONTENT)
    assert cache.entry(KEY) == CONTENT


def test_an_entry_under_another_name_is_none(folder: Path) -> None:
    """A whole file, only not the one that was asked for: another program's, or of another kind."""
    cache.put(KEY, CONTENT)
    (path,) = folder.iterdir()
    other = cache.key("another program")
    (folder / f"{other}.plan").write_bytes(path.read_bytes())
    (folder / f"{KEY}.object").write_bytes(path.read_bytes())
    assert cache.entry(other) is None
    assert cache.entry(KEY, "object") is None


def test_the_folder_may_be_deleted_at_any_time(folder: Path) -> None:
    cache.put(KEY, CONTENT)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert cache.entry(KEY) is None
    assert cache.put(KEY, CONTENT)
    assert cache.entry(KEY) == CONTENT


def _fails(with_number: int) -> Callable[..., Any]:
    def fail(*given: Any, **named: Any) -> Any:
        raise OSError(with_number, os.strerror(with_number))

    return fail


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOSPC])
@pytest.mark.parametrize("what", ["tempfile.mkstemp", "os.replace", "pathlib.Path.mkdir"])
def test_nothing_can_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    if not what.endswith("mkdir"):
        cache.put(cache.key("before"), CONTENT)
    monkeypatch.setattr(what, _fails(number))
    assert not cache.put(KEY, CONTENT)
    assert cache.entry(KEY) is None
    if folder.exists():
        assert cache.entry(cache.key("before")) == CONTENT
        assert len(names(folder)) == 1  # nothing half-done is left


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_the_disk_is_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tempfile.mkstemp

    def full(*given: Any, **named: Any) -> tuple[int, str]:
        handle, name = real(*given, **named)
        os.close(handle)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(tempfile, "mkstemp", full)
    assert not cache.put(KEY, CONTENT)
    assert names(folder) == []


def test_a_use_that_cannot_be_noted_is_a_use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put(KEY, CONTENT)
    (path,) = folder.iterdir()
    os.utime(path, (1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", _fails(errno.EROFS))
        assert cache.entry(KEY) == CONTENT
    assert cache.entry(KEY) == CONTENT
    assert path.stat().st_mtime > time.time() - 1000


@pytest.mark.skipif(sys.platform == "win32", reason="owners and modes")
def test_a_folder_that_others_can_write_to_is_not_used(folder: Path) -> None:
    cache.put(KEY, CONTENT)
    folder.chmod(0o770)
    with pytest.warns(RuntimeWarning, match=r"others may write to it \(mode 770\).*" + cache.VARIABLE):
        assert cache.entry(KEY) is None
    assert not cache.put(KEY, CONTENT)  # said once: here a second warning would be an error
    folder.chmod(0o755)  # control: reading does no harm
    assert cache.entry(KEY) == CONTENT


@pytest.mark.skipif(sys.platform == "win32", reason="owners and modes")
def test_a_folder_of_somebody_else_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put(KEY, CONTENT)
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.warns(RuntimeWarning, match="it belongs to user"):
        assert cache.entry(KEY) is None
    assert not cache.put(KEY, CONTENT)


def test_a_file_in_the_place_of_the_folder(folder: Path) -> None:
    folder.write_text("something of the user's")
    with pytest.warns(RuntimeWarning, match="not a folder"):
        assert not cache.put(KEY, CONTENT)
    assert folder.read_text() == "something of the user's"


def test_the_entries_used_least_recently_go_first(folder: Path) -> None:
    keys = [cache.key(str(k)) for k in range(10)]
    for age, key in enumerate(keys):
        cache.put(key, CONTENT)
        os.utime(folder / f"{key}.plan", (1000 - age, 1000 - age))
    cache.entry(keys[9])  # the oldest; now the youngest
    cache.evict(folder, 8 * cache._BLOCK)
    kept = [key for key in keys if (folder / f"{key}.plan").exists()]
    assert kept == [*keys[:5], keys[9]]


def test_the_size_is_bounded_while_entries_are_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_BYTES", 20 * cache._BLOCK)
    monkeypatch.setattr(cache, "_LOOK_AFTER", 2_000)
    for k in range(100):
        cache.put(cache.key(str(k)), bytes(1000))
    assert 15 <= cache.usage()["plan"].entries <= 20 + 2
    assert cache.entry(cache.key("99")) is not None


def test_abandoned_files_go_and_those_of_others_stay(folder: Path) -> None:
    cache.put(KEY, CONTENT)
    old, young, foreign = folder / "retrograd-a.part", folder / "retrograd-b.part", folder / "my.plan"
    for path in (old, young, foreign):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    os.utime(foreign, (1, 1))
    cache.evict(folder)
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()
    assert cache.clear() == 1
    assert names(folder) == ["my.plan"]


def test_where_the_folder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for platform, expected in (
        ("linux", ".cache/retrograd/native"),
        ("darwin", "Library/Caches/retrograd/native"),
    ):
        monkeypatch.setattr(sys, "platform", platform)
        assert cache.folder() == tmp_path / expected
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    assert cache.folder() == tmp_path / "Local" / "retrograd" / "native"
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")  # to be ignored, says its specification
    assert cache.folder() == tmp_path / ".cache" / "retrograd" / "native"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.folder() == tmp_path / "xdg" / "retrograd" / "native"


def test_without_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv(cache.VARIABLE)
    monkeypatch.setattr(Path, "home", no_home)
    assert cache.folder() is None
    assert not cache.put(KEY, CONTENT)
    assert cache.entry(KEY) is None
    assert cache.clear() == 0
    assert cache.usage()["plan"].entries == 0


def _hammer(seed: int, rounds: int, folder: str) -> None:
    """Write, read, delete and evict the same few entries as everybody else; fails on anything but the right content."""
    import random

    os.environ[cache.VARIABLE] = folder
    generator = random.Random(seed)
    for _ in range(rounds):
        k = generator.randrange(4)
        key = cache.key(str(k))
        action = generator.random()
        if action < 0.5:
            cache.put(key, bytes([k]) * (1000 * k + 1), "object")
        elif action < 0.6:
            cache.clear()
        elif action < 0.7:
            cache.evict(Path(folder), 1500)
        elif action < 0.75:
            path = Path(folder) / f"{key}.object"
            try:
                with open(path, "r+b") as file:  # a careless program that cuts files short in place
                    file.truncate(generator.randrange(2000))
            except OSError:
                pass
        assert cache.entry(key, "object") in (None, bytes([k]) * (1000 * k + 1))


def test_processes_that_write_read_and_delete_at_once(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_hammer, args=(seed, 300, str(folder))) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert not [name for name in names(folder) if name.endswith(".part")]
