"""Tensors to and from safetensors files: weights that PyTorch reads, and weights that PyTorch wrote."""

from __future__ import annotations

import os
from collections.abc import Mapping

from .errors import UsageError
from .functions.create import from_array
from .tensor import Tensor
from .tensor_file import read_tensor_file, write_tensor_file


def save(tensors: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Write a dict of tensors, such as ``model.state_dict()``, as one safetensors file (atomically).

    >>> import os, tempfile
    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> path = os.path.join(tempfile.mkdtemp(), "weights.safetensors")
    >>> rg.save(nn.Linear(2, 1).state_dict(), path)
    >>> sorted(rg.load(path))
    ['bias', 'weight']
    """
    if not isinstance(tensors, Mapping) or not all(isinstance(t, Tensor) for t in tensors.values()):
        raise UsageError(
            "save writes a dict of tensors; a whole object would need a pickle, which executes code when it is loaded",
            hint="retrograd.save(model.state_dict(), 'weights.safetensors')",
        )
    write_tensor_file(path, {name: t.detach().numpy() for name, t in tensors.items()})


def load_tensors(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name."""
    return {name: from_array(array) for name, array in read_tensor_file(path)[0].items()}


def holds_only_tensors(path: str | os.PathLike[str]) -> bool:
    """True for a safetensors file that no trained model of Retrograd stands in."""
    return os.path.isfile(path) and "format" not in read_tensor_file(path)[1]
