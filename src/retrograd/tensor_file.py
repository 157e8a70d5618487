"""Arrays and JSON in one safetensors file: written atomically, read without trusting a byte of it.

The format is the field's, read and checked by its own library; nothing in such a file can execute.  All metadata is one
JSON text: the library writes several entries in no fixed order, and equal runs shall leave equal files.  With it goes
a checksum (SHA-256) of arrays and metadata, so that a flipped bit is noticed.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ModelFileError, NoFileError
from .files import write_atomically

_ENTRY = "retrograd"
_CHECKSUM = "checksum"
_PICKLES = (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How a zip archive (torch.save) and a pickle begin."""


def write_tensor_file(
    path: Any,
    arrays: Mapping[str, np.ndarray[Any, Any]],
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Write ``arrays`` and ``metadata`` (plain JSON data) as one safetensors file, or to an open binary stream.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tensor_file(folder + "/a.safetensors", {"x": np.arange(3)}, {"unit": "metres"})
    ...     read_tensor_file(folder + "/a.safetensors")
    ({'x': array([0, 1, 2])}, {'unit': 'metres'})
    """
    from safetensors.numpy import save

    for name, array in arrays.items():
        if np.asarray(array).dtype.kind not in "biuf":
            raise ModelFileError(
                f"cannot store {name}: dtype {np.asarray(array).dtype}", hint="numbers and booleans only"
            )
    whole = {name: np.array(array, order="C", copy=None) for name, array in arrays.items()}
    texts = None
    if metadata is not None:
        checked = {**metadata, _CHECKSUM: _checksum(whole, metadata)}
        texts = {_ENTRY: json.dumps(checked)}
    if hasattr(path, "write"):
        path.write(save(whole, texts))
    else:
        write_atomically(path, save(whole, texts))


def read_tensor_file(path: Any) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    """Arrays and metadata of a file or an open binary stream, or `ModelFileError` saying what is wrong with it."""
    if hasattr(path, "read"):
        return _parse(path.read(), getattr(path, "name", "a stream"))
    path = Path(path)
    if path.is_dir():
        raise ModelFileError(
            f"{path} is a folder, not a model file", hint="give the run folder or its model.safetensors"
        )
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NoFileError(
            f"no file {path}", hint="check the path; for a run, give its folder or its model.safetensors"
        ) from None
    except OSError as error:
        raise ModelFileError(
            f"cannot read {path}: {error.strerror}", hint="check the file's permissions"
        ) from None
    return _parse(content, str(path))


def _checksum(arrays: Mapping[str, np.ndarray[Any, Any]], metadata: Mapping[str, Any]) -> str:
    """SHA-256 of names, dtypes, shapes and bytes of the arrays, and of the metadata's JSON text."""
    found = hashlib.sha256(json.dumps(dict(metadata)).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"{name} {array.dtype.str} {arrays[name].shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def _parse(content: bytes, where: str) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if content[:2] in _PICKLES:
        raise ModelFileError(
            "the file is a pickle (torch.save and pickle.dump write such): reading one executes whatever code stands in it",
            where=where,
            hint="write the tensors again in PyTorch: safetensors.torch.save_file(torch.load(path), 'weights.safetensors')",
        )
    try:
        loaded = load(content)
        (length,) = struct.unpack("<Q", content[:8])
        texts = json.loads(content[8 : 8 + length]).get("__metadata__") or {}
        metadata = json.loads(texts[_ENTRY]) if _ENTRY in texts else dict(texts)
        if not isinstance(metadata, dict):
            raise ValueError("its metadata is not a map")
        claimed = metadata.pop(_CHECKSUM, None)  # files of other writers have none
        if claimed is not None and claimed != _checksum(loaded, metadata):
            raise ValueError("its checksum does not fit its content")
    except (
        SafetensorError,
        ValueError,
        KeyError,
        TypeError,
        RecursionError,
        OverflowError,
        MemoryError,
    ) as error:
        raise ModelFileError(
            f"the file is damaged, or no safetensors file: {error}",
            where=where,
            hint="copy it again from where it was made; if this is a table, give the model first and the table second",
        ) from None
    # copies: weights go on training, and must not keep the whole file alive
    return {name: np.array(array) for name, array in loaded.items()}, metadata
