"""Checkpoints: a nest of dicts, lists, numbers and arrays as one safetensors file, and back exactly.

A trainer's state (model, optimiser, scheduler, random counter, order of the data and the place in it, memory of early
stopping, best weights, history) is such a nest.  Arrays become tensors of the file; the rest is JSON in its metadata,
with ``{"array": name}`` where an array was.  Floats survive exactly: JSON holds the shortest text that reads back to
the same bits.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.errors import ModelFileError
from retrograd.tensor_file import read_tensor_file, write_tensor_file
from retrograd.train.run_folder import RunFolder

_FORMAT = "retrograd checkpoint 1"


def save_checkpoint(path: str | os.PathLike[str], state: Mapping[str, Any]) -> None:
    """Write `state`, a nest of dicts (keys text or int), lists, tuples, numbers, text, None, arrays and tensors.

    >>> import tempfile
    >>> state = {"step": 3, "weights": [np.ones(2, np.float32)], "moments": {0: {"rate": 0.1}}, "place": (1, None)}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(folder + "/step-3.safetensors", state)
    ...     load_checkpoint(folder + "/step-3.safetensors")
    {'step': 3, 'weights': [array([1., 1.], dtype=float32)], 'moments': {0: {'rate': 0.1}}, 'place': (1, None)}
    """
    arrays: dict[str, np.ndarray] = {}
    skeleton = _encode(state, "state", arrays)
    write_tensor_file(path, arrays, {"format": _FORMAT, "state": skeleton})


def load_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote; `ModelFileError` when the file is damaged or something else."""
    arrays, metadata = read_tensor_file(path)
    if metadata.get("format") != _FORMAT:
        raise ModelFileError(
            f"{path} is not a checkpoint of this version", hint="retrograd resume RUN takes a run folder"
        )
    try:
        return _decode(metadata["state"], arrays)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise ModelFileError(
            f"{path} is damaged", hint="resume from an older checkpoint, or train again"
        ) from None


def newest_checkpoint(folder: RunFolder) -> tuple[dict[str, Any] | None, list[Path]]:
    """The newest checkpoint that can be read (None where there never was one), and the damaged ones passed over.

    Raises `ModelFileError` where all are damaged: starting again from nothing is for people to decide.
    """
    damaged: list[Path] = []
    for path in reversed(folder.checkpoint_paths()):
        try:
            return load_checkpoint(path), damaged
        except ModelFileError:
            damaged.append(path)
    if damaged:
        raise ModelFileError(
            f"no checkpoint of this run can be read: {', '.join(path.name for path in damaged)} damaged",
            where=str(folder.checkpoints),
            hint=f"restore them, or begin the run again: rm {shlex.quote(str(folder.checkpoints))}/step-*",
        )
    return None, damaged


def write_checkpoint(folder: RunFolder, step: int, state: Mapping[str, Any]) -> Path:
    """Write the checkpoint of `step` into the run folder and drop the old ones."""
    path = folder.checkpoint_path(step)
    save_checkpoint(path, state)
    folder.keep_newest_checkpoints()
    return path


def _encode(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, np.generic):
        return value if value == value and abs(value) != float("inf") else {"number": repr(value)}
    if isinstance(value, Mapping):
        return {"map": [[key, _encode(item, f"{name}.{key}", arrays)] for key, item in value.items()]}
    if isinstance(value, list):
        return [_encode(item, f"{name}.{i}", arrays) for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"tuple": [_encode(item, f"{name}.{i}", arrays) for i, item in enumerate(value)]}
    if isinstance(value, rg.Tensor):
        arrays[name] = value.detach().numpy()
        return {"tensor": name}
    if isinstance(value, (np.ndarray, np.generic)):
        arrays[name] = np.asarray(value)
        return {"array": name}
    raise TypeError(f"cannot store {name}: {type(value).__name__}")


def _decode(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "array":
        return arrays[content]
    if kind == "tensor":
        return rg.from_numpy(arrays[content])
    if kind == "number":
        return float(content)
    if kind == "tuple":
        return tuple(_decode(item, arrays) for item in content)
    if kind == "map":
        return {key: _decode(item, arrays) for key, item in content}
    raise ValueError(kind)
