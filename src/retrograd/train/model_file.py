"""The model file: one safetensors file that runs without the class that made it.

Its arrays are the weights; its metadata holds, as JSON, the graph of the network for one row (ops, types, attributes),
the preparation of the data, the task and the metrics.  Reading verifies the graph against the registry of ops before
anything runs; there is no pickle, and no name in the file is ever looked up anywhere but in that registry.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import retrograd as rg
from retrograd.batch import apply_batched
from retrograd.errors import ModelFileError, RetrogradError
from retrograd.graph import Graph
from retrograd.tensor_file import read_tensor_file, write_tensor_file
from retrograd.train.arrays import as_arrays
from retrograd.train.programs import allowed

FORMAT = "retrograd model 1"
_LARGEST_VALUE = (
    50_000_000  # elements of one intermediate value of one row; larger ones come from hostile files
)
_MOST_EQUATIONS = 100_000
_ROWS_AT_ONCE = 4096
_ROWS_FOR_A_PROGRAM = 64 * _ROWS_AT_ONCE
"""From so many rows on, loading LLVM and tracing are repaid."""


@dataclass(frozen=True)
class Network:
    """A network as its graph for one row, run on any number of rows: ``network(inputs...) -> outputs``."""

    graph: Graph

    def __call__(self, inputs: Any) -> np.ndarray:
        """Outputs for all rows, in order, from one array of rows for each input of the graph."""
        arrays = self._checked(as_arrays(inputs))
        rows = len(arrays[0])
        if rows == 0:
            return np.zeros(
                (0, *self.graph.outputs[0].type.shape[1:]), self.graph.outputs[0].type.dtype.numpy
            )
        parts = []
        program = rg.compile(self._batched) if rows >= _ROWS_FOR_A_PROGRAM and allowed() else self._batched
        with rg.no_grad():
            for start in range(0, rows, _ROWS_AT_ONCE):
                # the graph takes a batch of one row; batching puts the rows in front: (n, 1, ...)
                tensors = [rg.from_numpy(array[start : start + _ROWS_AT_ONCE, None]) for array in arrays]
                run = program if len(tensors[0]) == _ROWS_AT_ONCE else self._batched
                parts.append(run(*tensors).numpy()[:, 0])
        return np.concatenate(parts)

    def _batched(self, *tensors: Any) -> Any:
        (output,) = apply_batched(self.graph, tensors, [True] * len(tensors))
        return output

    def _checked(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        if len(arrays) != len(self.graph.inputs):
            raise ModelFileError(
                f"the network takes {len(self.graph.inputs)} inputs, got {len(arrays)}",
                hint="pass one array for each input, as a tuple",
            )
        checked = []
        for array, variable in zip(arrays, self.graph.inputs, strict=True):
            if array.shape[1:] != variable.type.shape[1:]:
                raise ModelFileError(
                    f"input {variable.name} has shape {array.shape[1:]} a row, the network takes {variable.type.shape[1:]}",
                    hint="prepare the rows as for training",
                )
            checked.append(np.ascontiguousarray(array, dtype=variable.type.dtype.numpy))
        return checked


def trace_network(model: Any, inputs: Any) -> Network:
    """The network of ``model`` in evaluation mode, traced on the first row of ``inputs``.

    >>> from retrograd import nn
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    >>> x = np.ones((5, 3), np.float32)
    >>> bool(np.allclose(trace_network(model, x)(x), model(rg.from_numpy(x)).detach().numpy(), atol=1e-6))
    True
    """
    row = [rg.from_numpy(array[:1].copy()) for array in as_arrays(inputs)]
    training = model.training
    model.eval()
    try:
        with rg.no_grad():
            graph = rg.trace(model, names=model.state_dict())(*row)
    finally:
        model.train(training)
    if len(graph.outputs) != 1:
        raise ModelFileError(
            f"the network has {len(graph.outputs)} outputs", hint="return one tensor from forward()"
        )
    return Network(graph)


def save_model(path: str | os.PathLike[str], network: Network, facts: Mapping[str, Any]) -> None:
    """Write the network and ``facts`` (JSON values: preparation, task, metrics, ...) as one model file."""
    graph = network.graph
    write_tensor_file(
        path,
        {name: np.asarray(array) for name, array in graph.constants.items()},
        {"format": FORMAT, "version": rg.__version__, "graph": graph.to_json(), "facts": dict(facts)},
    )


def load_model(path: str | os.PathLike[str]) -> tuple[Network, dict[str, Any]]:
    """Read and verify a model file: the network and the facts.  `ModelFileError` says what is wrong with it."""
    arrays, metadata = read_tensor_file(path)
    if metadata.get("format") != FORMAT:
        raise ModelFileError(
            "this safetensors file holds weights, but not a network of Retrograd",
            where=str(path),
            hint="give the model.safetensors of a run folder; weights alone go to model.load_state_dict",
        )
    try:
        graph = Graph.from_json(metadata.get("graph"), arrays)
        _demand_sane(graph, arrays)
    except ModelFileError as error:
        error.where = str(path)
        raise
    except RetrogradError as error:
        raise ModelFileError(
            f"the network in this file is not valid: {error.message}",
            where=str(path),
            hint="nothing of it was run; copy the file again from where it was made, or train again",
        ) from None
    facts = metadata.get("facts")
    if not isinstance(facts, dict):
        raise ModelFileError(
            "the file says nothing about its data", where=str(path), hint="copy it again, or train again"
        )
    return Network(graph), facts


def _demand_sane(graph: Graph, arrays: Mapping[str, np.ndarray]) -> None:
    """A valid graph may still ask for a petabyte: bound what it makes before it makes it."""
    if len(graph.equations) > _MOST_EQUATIONS or len(graph.outputs) != 1 or not graph.inputs:
        raise ModelFileError("the network in this file has an impossible size", hint="nothing of it was run")
    for variable in [*graph.inputs, *(v for equation in graph.equations for v in equation.outputs)]:
        elements = 1
        for size in variable.type.shape:
            elements *= size
        if elements > _LARGEST_VALUE:
            raise ModelFileError(
                f"the value {variable.name} of the network would have {elements} elements for one row",
                hint="nothing of it was run; the file is hostile or damaged",
            )
    for variable in [*graph.inputs, *graph.outputs]:
        if not variable.type.shape or variable.type.shape[0] != 1:
            raise ModelFileError(
                "the network in this file is not one for rows", hint="save it with save_model"
            )
    for name, array in arrays.items():
        # a number that stands in the program itself, v1, v2, ..., may be infinite: a maximum begins at -inf
        literal = array.ndim == 0 and re.fullmatch(r"v\d+", name)
        bad = np.zeros(1) if array.dtype.kind != "f" else np.isnan(array) if literal else ~np.isfinite(array)
        if bad.any():
            raise ModelFileError(
                f"the file is damaged: {int(bad.sum())} of {array.size} weights of {name!r} "
                "are not finite numbers",
                hint="copy it again from where it was made, or train again",
            )
    unused = arrays.keys() - graph.constants.keys()
    if unused:
        raise ModelFileError(
            f"the array {sorted(unused)[0]!r} belongs to nothing", hint="copy the file again"
        )
