"""What has been compiled before, kept on disk: kernels' object files, and plans of whole programs.

An entry is a file: magic, its own key, a digest, the content.  Anything else (damaged, cut short, half-written, another
entry's file) is no entry, and what is asked for is made anew.  The folder may be deleted at any time and shared between
processes; where it cannot be written, nothing is kept, and nothing is said.  An object runs in this process, so a
folder that somebody else could write to is not used, with one warning.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "RETROGRAD_CACHE_DIR"
MOST_BYTES = 128 * 2**20
"""The folder is brought back to three quarters of this when it has grown beyond."""
KINDS = ("object", "plan")

_MAGIC = b"RGCACHE1"
_DIGEST = hashlib.sha256
_HEAD = len(_MAGIC) + 2 * _DIGEST().digest_size
_OURS = re.compile(rf"[0-9a-f]{{64}}\.({'|'.join(KINDS)})|retrograd-.*\.part")
"""Names of our files: whatever else lies in the folder is somebody's, and left alone."""
_ABANDONED = 3600.0
"""Seconds after which a file that was never finished is nobody's any more."""
_USED = 60.0
"""Seconds for which a use need not be noted again."""
_BLOCK = 4096
"""A file takes whole blocks of the disk: counted so, the number of files is bounded too."""
_LOOK_AFTER = 2**20
"""Bytes written after which the folder's size is looked at again; small beside `MOST_BYTES`."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How many entries of one kind there are, and their bytes."""

    entries: int
    bytes: int


class _State:
    """What this process knows of the folder it uses."""

    warned = False
    unseen = _LOOK_AFTER
    """Bytes written since the folder's size was looked at; the first write looks."""


def folder() -> Path | None:
    """Where entries are kept, whether or not it exists yet; None where there is no home.

    ``RETROGRAD_CACHE_DIR``, or the place that the system has for such files.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).absolute()
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        named = os.environ.get("XDG_CACHE_HOME", "")
        base = Path(named) if os.path.isabs(named) else home / ".cache"
    return base / "retrograd" / "native"


def distrust(path: Path) -> str | None:
    """Why an existing folder is not used; None when it may be.  `OSError` when there is none.

    Nobody but this user may be able to put files there.
    """
    found = os.stat(path)
    if not stat.S_ISDIR(found.st_mode):
        return "it is not a folder"
    if not hasattr(os, "geteuid"):
        return None  # Windows: a user's own folders are closed to others by inheritance
    if found.st_uid != os.geteuid():
        return f"it belongs to user {found.st_uid}, not to user {os.geteuid()} who runs this"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return f"others may write to it (mode {stat.S_IMODE(found.st_mode):o})"
    return None


def key(*parts: str | bytes) -> str:
    """The name of an entry: a digest of everything that its content depends on.

    >>> key("a", "bc") == key("ab", "c")
    False
    """
    digest = _DIGEST()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def entry(key: str, kind: str = "plan") -> bytes | None:
    """The content kept under a key of `key`; None where there is none that is whole."""
    path = _usable()
    if path is None:
        return None
    try:
        with open(path / f"{key}.{kind}", "rb", buffering=0) as file:
            content = file.read()
            last_used = os.fstat(file.fileno()).st_mtime
    except OSError:
        return None
    if not content.startswith(_head(key, kind, memoryview(content)[_HEAD:])):
        return None
    if abs(time.time() - last_used) > _USED:
        with contextlib.suppress(OSError):
            os.utime(path / f"{key}.{kind}")
    return content[_HEAD:]


def put(key: str, content: bytes, kind: str = "plan") -> bool:
    """Keep ``content`` under a key of `key`, in the place of what was there; whether that was possible."""
    path = _usable(make=True)
    if path is None:
        return False
    try:
        # Not forced to disk, as other files of ours are: what a loss of power leaves half-written is no entry.
        handle, temporary = tempfile.mkstemp(dir=path, prefix="retrograd-", suffix=".part")
        try:
            with os.fdopen(handle, "wb", buffering=0) as file:
                whole = _head(key, kind, content) + content
                if file.write(whole) != len(whole):
                    raise OSError("the disk is full")
            os.replace(temporary, path / f"{key}.{kind}")
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError:
        return False
    _State.unseen += len(content)
    if _State.unseen >= _LOOK_AFTER:
        _State.unseen = 0
        evict(path)
    return True


def evict(path: Path, most: int | None = None) -> None:
    """Delete the entries used least recently, when all together are larger than ``most`` bytes; and abandoned files."""
    most = MOST_BYTES if most is None else most
    now = time.time()
    kept: list[tuple[float, int, str]] = []
    for found, status in _files(path):
        if not found.endswith(".part"):
            kept.append((status.st_mtime, -(-status.st_size // _BLOCK) * _BLOCK, found))
        elif now - status.st_mtime > _ABANDONED:
            _delete(found)
    total = sum(size for _, size, _ in kept)
    if total <= most:
        return
    for _, size, name in sorted(kept):
        if total <= most * 3 // 4:
            break
        _delete(name)
        total -= size


def usage() -> dict[str, Usage]:
    """What there is, by kind."""
    path = folder()
    counted = {kind: [0, 0] for kind in KINDS}
    for name, status in _files(path) if path is not None else []:
        kind = counted.get(name.rpartition(".")[2])
        if kind is not None:
            kind[0] += 1
            kind[1] += status.st_size
    return {kind: Usage(*numbers) for kind, numbers in counted.items()}


def clear() -> int:
    """Delete every entry, and nothing else that may be in the folder; how many were deleted."""
    path = folder()
    gone = 0
    for name, _ in _files(path) if path is not None else []:
        gone += _delete(name) and not name.endswith(".part")
    return gone


def _head(key: str, kind: str, content: bytes | memoryview) -> bytes:
    digest = _DIGEST(f"{key}.{kind}".encode())
    digest.update(content)
    return _MAGIC + bytes.fromhex(key) + digest.digest()


def _usable(make: bool = False) -> Path | None:
    """The folder, if it is there and may be trusted; ``make``: it is made if need be."""
    path = folder()
    if path is None:
        return None
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(mode=0o700, exist_ok=True)
        why = distrust(path)
    except OSError:
        return None
    if why is None:
        return path
    if not _State.warned:
        _State.warned = True
        warnings.warn(
            f"compiled programs are not kept: {path} is not used, because {why}; "
            f"hint: set {VARIABLE} to a folder of your own",
            RuntimeWarning,
            stacklevel=2,
        )
    return None


def _files(path: Path) -> list[tuple[str, os.stat_result]]:
    """The entries and unfinished files of the folder; other processes may be deleting them meanwhile."""
    found: list[tuple[str, os.stat_result]] = []
    with contextlib.suppress(OSError), os.scandir(path) as listing:
        for item in listing:
            if _OURS.fullmatch(item.name):
                with contextlib.suppress(OSError):
                    found.append((item.path, item.stat(follow_symlinks=False)))
    return found


def _delete(name: str) -> bool:
    with contextlib.suppress(OSError):
        os.unlink(name)
        return True
    return False
