"""Objects through a pipe between two processes; arrays go as raw memory beside the pickle, and arrive writable."""

from __future__ import annotations

import io
import pickle
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from ...errors import UsageError
from ...functions.create import from_array
from ...tensor import Tensor


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        """Tensors as their arrays: a view is sent alone, without the tensor that it looks into."""
        if type(obj) is not Tensor:
            return NotImplemented
        if obj.requires_grad and not obj.is_leaf:
            raise UsageError(
                f"a worker cannot send a tensor of shape {tuple(obj.shape)} with its gradient's history",
                hint="return x.detach() from the dataset",
            )
        return _tensor, (np.ascontiguousarray(obj.detach().numpy()).reshape(obj.shape), obj.requires_grad)


def _tensor(array: Any, requires_grad: bool) -> Tensor:
    return from_array(array, requires_grad)


def pack(obj: Any) -> list[Any]:
    """The pieces of a message: sizes and pickle first, then the raw memory of each array."""
    raw: list[pickle.PickleBuffer] = []
    file = io.BytesIO()
    _Pickler(file, protocol=5, buffer_callback=raw.append).dump(obj)
    views = [b.raw() for b in raw]
    head = pickle.dumps(([v.nbytes for v in views], file.getvalue()))
    return [head, *(v for v in views if v.nbytes)]


def send(connection: Connection, pieces: list[Any]) -> None:
    for piece in pieces:
        connection.send_bytes(piece)


def receive(connection: Connection) -> Any:
    """The next object; EOFError or OSError where the other side is gone."""
    sizes, body = pickle.loads(connection.recv_bytes())
    buffers = []
    for size in sizes:
        memory = np.empty(size, np.uint8).data  # aligned as NumPy likes it, and writable
        if size:
            connection.recv_bytes_into(memory)
        buffers.append(memory)
    return pickle.loads(body, buffers=buffers)
