"""The run folder: everything a training run leaves behind, as plain files that are never half written.

::

    runs/NAME-001/  run.json   metrics.jsonl   checkpoints/step-N.safetensors   model.safetensors
                    predictions.csv   evidence.npz   report.json   report.html
"""

from __future__ import annotations

import io
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.errors import DataError, UsageError
from retrograd.files import write_atomically


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: NumPy scalars and arrays unwrapped, paths as text, NaN and infinity as None.

    >>> plain({"loss": np.float32(0.5), "worst": float("nan"), "rows": np.arange(2)})
    {'loss': 0.5, 'worst': None, 'rows': [0, 1]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


class RunFolder:
    """One run's folder: atomic writes, a log that only grows, checkpoints of which the newest are kept.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as out:
    ...     first, second = RunFolder.create(out, "houses"), RunFolder.create(out, "houses")
    ...     (first.path.name, second.path.name)
    ('houses-001', 'houses-002')
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, out: str | os.PathLike[str], name: str) -> RunFolder:
        """Make ``out/NAME-001``, or the first free number: an existing run is never written over.

        Raises `UsageError` when `out` cannot be written, before any work is done.
        """
        out = Path(out)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "run"
        try:
            out.mkdir(parents=True, exist_ok=True)
            number = _next_number(out, name)
            while True:
                path = out / f"{name}-{number:03d}"
                try:
                    path.mkdir()  # fails when another process was first, so two runs never share a folder
                    break
                except FileExistsError:
                    number += 1
            folder = cls(path)
            folder.checkpoints.mkdir()
            write_atomically(path / "metrics.jsonl", b"")
        except OSError as error:
            raise UsageError(
                f"cannot write to the output folder {out}: {error.strerror or error}",
                hint="--out FOLDER, with a folder that you may write to",
            ) from None
        return folder

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RunFolder:
        """An existing run folder; `DataError` where there is none."""
        folder = cls(path)
        if not folder.path.is_dir() or not (folder.path / "run.json").is_file():
            runs = sorted(p.parent.name for p in folder.path.parent.glob("*/run.json"))[:5]
            raise DataError(
                f"{folder.path} is not a run folder (no run.json in it)",
                hint=f"runs there: {', '.join(runs)}"
                if runs
                else "retrograd train DATA makes one under runs/",
            )
        return folder

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "checkpoints"

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        """Write one JSON object, readable by people (indented) and by any JSON reader (no NaN)."""
        text = json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(self.path / name, (text + "\n").encode())

    def read_json(self, name: str) -> dict[str, Any]:
        """Read one JSON object; `DataError` when it is missing or damaged."""
        path = self.path / name
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(
                f"no file {path}", hint="was this run stopped before it began to train?"
            ) from None
        except ValueError as error:
            raise DataError(
                f"{path} is not valid JSON: {error}", hint="restore the file, or train again"
            ) from None
        if not isinstance(content, dict):
            raise DataError(f"{path} does not hold a JSON object", hint="restore the file, or train again")
        return content

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Write plain arrays as .npz (no objects, so nothing in it can execute)."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer, allow_pickle=False, **{key: np.asarray(value) for key, value in arrays.items()}
        )
        write_atomically(self.path / name, buffer.getvalue())

    def read_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Read the arrays that `write_arrays` wrote."""
        with np.load(self.path / name, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Add one epoch to metrics.jsonl, forced to disk."""
        with open(self.path / "metrics.jsonl", "ab") as file:
            file.write((json.dumps(plain(record), allow_nan=False) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())

    def read_metrics(self) -> list[dict[str, Any]]:
        """The epochs logged so far; a last line cut short by a kill is left out."""
        lines = (self.path / "metrics.jsonl").read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines if line.strip()]

    def rewrite_metrics(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Replace the log: resuming drops the epochs that come after the checkpoint."""
        lines = [json.dumps(plain(record), allow_nan=False) + "\n" for record in records]
        write_atomically(self.path / "metrics.jsonl", "".join(lines).encode())

    def checkpoint_path(self, step: int) -> Path:
        """Path of the checkpoint after `step` updates."""
        return self.checkpoints / f"step-{step}.safetensors"

    def checkpoint_paths(self) -> list[Path]:
        """Checkpoints, oldest first."""
        found = [
            (int(m[1]), p)
            for p in self.checkpoints.glob("step-*")
            if (m := re.match(r"step-(\d+)\.", p.name))
        ]
        return [path for _, path in sorted(found)]

    def keep_newest_checkpoints(self, count: int = 2) -> None:
        """Remove all but the newest `count` checkpoints (two: the newest may sit on a bad sector)."""
        for path in self.checkpoint_paths()[:-count]:
            path.unlink(missing_ok=True)


def _next_number(out: Path, name: str) -> int:
    """One more than the highest number in use, so that a removed run's number is not taken by another."""
    pattern = re.compile(re.escape(name) + r"-(\d{3,})$")
    used = [int(match[1]) for entry in os.listdir(out) if (match := pattern.match(entry))]
    return max(used, default=0) + 1
