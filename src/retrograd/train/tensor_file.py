"""Arrays and JSON in one safetensors file: written atomically, read without trusting a byte of it.

The layout is the field's (https://huggingface.co/docs/safetensors): eight bytes with the length of a JSON header, the
header (names, dtypes, shapes, offsets, and free text under ``__metadata__``), and the arrays' bytes.  Reading checks
every field before it is used; nothing in such a file can execute.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.errors import ModelFileError
from retrograd.train.run_folder import write_atomically

_DTYPES = {
    "F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"), "I16": np.dtype("<i2"), "I8": np.dtype("i1"), "U8": np.dtype("u1"),
    "U16": np.dtype("<u2"), "U32": np.dtype("<u4"), "U64": np.dtype("<u8"), "BOOL": np.dtype("?"),
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_MAX_HEADER = 100_000_000  # bytes; the limit of the format's own library


def write_tensor_file(
    path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, Any]
) -> None:
    """Write `arrays` and `metadata` (each value becomes JSON text) as one safetensors file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tensor_file(folder + "/a.safetensors", {"x": np.arange(3)}, {"unit": "metres"})
    ...     read_tensor_file(folder + "/a.safetensors")
    ({'x': array([0, 1, 2])}, {'unit': 'metres'})
    """
    header: dict[str, Any] = {"__metadata__": {key: json.dumps(value) for key, value in metadata.items()}}
    chunks: list[bytes] = []
    offset = 0
    for name, array in arrays.items():
        array = np.asarray(array)
        dtype = array.dtype.newbyteorder("<") if array.dtype.byteorder == ">" else array.dtype
        if dtype not in _NAMES:
            raise ModelFileError(
                f"cannot store {name}: dtype {array.dtype}", hint="numbers and booleans only"
            )
        content = np.ascontiguousarray(array, dtype=dtype).tobytes()
        header[name] = {
            "dtype": _NAMES[dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(content)],
        }
        offset += len(content)
        chunks.append(content)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # arrays start on a multiple of eight bytes
    write_atomically(Path(path), b"".join([struct.pack("<Q", len(text)), text, *chunks]))


def read_tensor_file(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read arrays and metadata, or raise `ModelFileError` saying what is wrong with the file."""
    path = Path(path)
    if path.is_dir():
        raise ModelFileError(
            f"{path} is a folder, not a model file", hint="give the run folder or its model.safetensors"
        )
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(f"no file {path}", hint="give the run folder or its model.safetensors") from None
    except OSError as error:
        raise ModelFileError(
            f"cannot read {path}: {error.strerror}", hint="check the file's permissions"
        ) from None
    try:
        return _parse(content)
    except ModelFileError as error:
        error.where = str(path)
        raise


def _damaged(what: str) -> ModelFileError:
    return ModelFileError(
        f"the file is damaged, or no safetensors file: {what}",
        hint="copy it again from where it was made, or train again",
    )


def _parse(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    if len(content) < 8:
        raise _damaged(f"it has only {len(content)} bytes")
    (length,) = struct.unpack("<Q", content[:8])
    if length > _MAX_HEADER or length > len(content) - 8:
        raise _damaged(f"its header claims {length} bytes, the file has {len(content)}")
    try:
        header = json.loads(content[8 : 8 + length].decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _damaged(f"its header is not JSON ({error})") from None
    if not isinstance(header, dict):
        raise _damaged("its header is not a JSON object")
    texts = header.pop("__metadata__", {})
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise _damaged("its metadata is not a map of texts")
    body = memoryview(content)[8 + length :]
    arrays = {}
    end = 0
    for name, entry in header.items():
        arrays[name], end = _array(name, entry, body, end)
    if end != len(body):
        raise _damaged(f"{len(body) - end} bytes belong to no array")
    return arrays, {key: _json_or_text(text) for key, text in texts.items()}


def _array(name: str, entry: Any, body: memoryview, end: int) -> tuple[np.ndarray, int]:
    """The array described by `entry`; arrays must lie one after the other, so no byte is read twice or not at all."""
    try:
        dtype, shape, (start, stop) = _DTYPES[entry["dtype"]], entry["shape"], entry["data_offsets"]
        whole = all(type(number) is int and number >= 0 for number in [*shape, start, stop])
    except (KeyError, TypeError, ValueError):
        raise _damaged(f"the entry of {name!r} is malformed") from None
    if not whole or start != end or stop > len(body) or stop - start != math.prod(shape) * dtype.itemsize:
        raise _damaged(f"shape and place of {name!r} do not fit the file")
    if len(shape) > 32:
        raise _damaged(f"{name!r} has {len(shape)} dimensions")
    # a copy: the arrays must be writable (weights go on training) and must not keep the whole file alive
    return np.frombuffer(body[start:stop], dtype=dtype).reshape(shape).copy(), stop


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key appears twice")
    return result


def _json_or_text(text: str) -> Any:
    """Metadata written by us is JSON; other writers' plain text (``format: pt``) stays text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
