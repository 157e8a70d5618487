"""Tensors, and plain data around them, to and from safetensors files: weights that PyTorch reads, and weights that it wrote."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import ModelFileError, UsageError
from .functions.create import from_array
from .tensor import Tensor
from .tensor_file import read_tensor_file, write_tensor_file
from .types import DType, dtype_named

_STRUCTURE = "structure"
_DEEPEST = 100


def save(obj: Any, f: Any, **_: Any) -> None:
    """Write tensors as one safetensors file (atomically): a dict of them such as ``model.state_dict()``, or dicts, lists and
    tuples of tensors, arrays, numbers, strings and None, nested as a checkpoint needs it.

    A dict of tensors is a safetensors file like any other.  What is more than that stands as JSON in the file's metadata;
    nothing in the file can execute, so PyTorch's options about pickles are without effect.  ``f``: a path or an open binary
    file.  Raises `UsageError` for anything else, such as a whole module: save its ``state_dict()``.

    >>> import os, tempfile
    >>> import retrograd as rg
    >>> path = os.path.join(tempfile.mkdtemp(), "checkpoint.safetensors")
    >>> net = rg.nn.Linear(2, 1)
    >>> rg.save({"model": net.state_dict(), "epoch": 3}, path)
    >>> read = rg.load(path)
    >>> sorted(read["model"]), read["epoch"]
    (['bias', 'weight'], 3)
    """
    if isinstance(obj, Mapping) and all(isinstance(k, str) and isinstance(t, Tensor) for k, t in obj.items()):
        write_tensor_file(f, {name: t.detach().numpy() for name, t in obj.items()})
        return
    arrays: dict[str, Any] = {}
    structure = _encoded(obj, "", arrays, 0)
    write_tensor_file(f, arrays, {_STRUCTURE: structure})


def _encoded(x: Any, place: str, arrays: dict[str, Any], depth: int) -> Any:
    """``x`` as JSON; its tensors go to ``arrays``, named after where they stand."""
    if depth > _DEEPEST:
        raise UsageError(f"data nested more than {_DEEPEST} deep cannot be saved", hint="save it flat")
    if isinstance(x, Tensor | np.ndarray):
        name = place or "value"
        while name in arrays:
            name += "'"
        arrays[name] = x.detach().numpy() if isinstance(x, Tensor) else x
        return {"tensor" if isinstance(x, Tensor) else "array": name}
    if x is None or (isinstance(x, bool | int | float | str) and not isinstance(x, np.generic)):
        return x
    if isinstance(x, np.generic) and x.dtype.kind in "biuf":
        return x.item()
    if isinstance(x, DType):
        return {"dtype": x.name}
    inner = f"{place}." if place else ""
    if isinstance(x, Mapping):
        for key in x:
            if not (key is None or isinstance(key, bool | int | float | str)):
                raise UsageError(
                    f"a key of type {type(key).__name__} cannot be saved",
                    hint="use strings or numbers as keys",
                )
        return {"dict": [[k, _encoded(v, f"{inner}{k}", arrays, depth + 1)] for k, v in x.items()]}
    if isinstance(x, tuple | list):
        parts = [_encoded(v, f"{inner}{i}", arrays, depth + 1) for i, v in enumerate(x)]
        return {"tuple": parts} if isinstance(x, tuple) else parts
    raise UsageError(
        f"a {type(x).__name__} cannot be saved{f' (at {place})' if place else ''}: a whole object would need a pickle, which "
        "executes code when it is loaded",
        hint="retrograd.save(model.state_dict(), 'weights.safetensors')",
    )


def load_tensors(f: str | os.PathLike[str] | Any) -> Any:
    """What `save` wrote: the tensors of a safetensors file by name, or the nested data around them."""
    arrays, metadata = read_tensor_file(f)
    tensors = {name: from_array(array) for name, array in arrays.items()}
    if _STRUCTURE not in metadata:
        return tensors
    try:
        return _decoded(metadata[_STRUCTURE], tensors)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ModelFileError(
            f"the file is damaged: {error!r} in its structure", hint="save it again"
        ) from None


def _decoded(x: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(x, list):
        return [_decoded(v, tensors) for v in x]
    if not isinstance(x, dict):
        return x
    ((kind, value),) = x.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "array":
        return tensors[value].numpy()
    if kind == "dtype":
        return dtype_named(value)
    if kind == "tuple":
        return tuple(_decoded(v, tensors) for v in value)
    if kind == "dict":
        return {k: _decoded(v, tensors) for k, v in value}
    raise ValueError(kind)


def holds_only_tensors(path: Any) -> bool:
    """True for a safetensors file (or an open one) that no trained model of Retrograd stands in."""
    return hasattr(path, "read") or (os.path.isfile(path) and "format" not in read_tensor_file(path)[1])
