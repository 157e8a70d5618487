"""A saved model: rows in, predictions out, in the target's own units or class names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.data import Preparation, Table, read_table
from retrograd.errors import DataError, ModelFileError, RetrogradError
from retrograd.metrics import metrics_for
from retrograd.train.model_file import Network, load_model
from retrograd.train.run_folder import RunFolder


class Model:
    """A network with the preparation of its data; made by `load` or ``run.model``.

    ``task_kind`` is "regression", "binary" or "multiclass"; ``classes`` names the classes; ``inputs`` are the columns
    that rows must have; ``facts`` is what the model file says about its training.
    """

    def __init__(self, network: Network, preparation: Preparation, facts: Mapping[str, Any]) -> None:
        self.network = network
        self.preparation = preparation
        self.facts = dict(facts)
        self.task_kind: str = facts["task"]["kind"]
        self.classes: list[str] | None = facts["task"]["classes"]
        self.target: str = facts["target"]
        self.inputs: list[str] = list(preparation.input_names)

    def __repr__(self) -> str:
        return f"Model({self.task_kind} of {self.target!r} from {len(self.inputs)} columns)"

    def scores(self, rows: Any) -> np.ndarray:
        """Values (n,) in the target's own units, or probabilities (n, K); one per row, in order."""
        if (
            isinstance(rows, (list, tuple)) and len(rows) == 0
        ):  # no rows in, none out; it has no columns to miss
            return np.zeros(0 if self.classes is None else (0, len(self.classes)))
        return self._decode(self._outputs(as_table(rows)))

    def predict(self, rows: Any) -> np.ndarray:
        """Values in the target's own units (n,), or class names (n,); one per row, in order.

        ``rows``: a path, a frame, a dict of arrays, a list of dicts, or a `Table`.  Cells may be missing and
        categories new; a column that is missing is named in the `DataError`.
        """
        return self._named(self.scores(rows))

    def probabilities(self, rows: Any) -> np.ndarray:
        """Probability of each class, (n, K), in the order of ``classes``; rows add up to 1."""
        if self.classes is None:
            raise DataError("this model predicts a number, not a class", hint="use predict(rows)")
        return self.scores(rows)

    def predict_table(self, rows: Any) -> dict[str, np.ndarray]:
        """The columns that `retrograd predict` writes: ``prediction``, and ``probability_<class>`` for each class."""
        scores = self.scores(rows)
        columns = {"prediction": self._named(scores)}
        for code, name in enumerate(self.classes or []):
            columns[f"probability_{name}"] = scores[:, code]
        return columns

    def notes(self, rows: Any) -> list[str]:
        """Sentences about cells that the model cannot use as they stand, such as values that training never saw."""
        return list(self.preparation.notes(as_table(rows)))

    def evaluate(self, data: Any) -> dict[str, Any]:
        """Metrics on rows whose target is known: ``{"metrics", "rows", "left_out", "target", "task"}``."""
        table = as_table(data)
        if self.target not in table.columns:
            raise DataError(
                f"{table.source} has no column {self.target!r}, the target of this model",
                hint="retrograd predict needs no target; evaluate does",
            )
        known = np.flatnonzero(~table.columns[self.target].missing)
        if len(known) == 0:
            raise DataError(
                f"{self.target!r} is missing in every row of {table.source}", hint="give rows with a target"
            )
        chosen = table.select(known)
        try:
            actual = np.asarray(self.preparation.encode_target(chosen))
        except DataError as error:
            error.where = error.where or table.source
            raise
        if self.task_kind == "regression":
            actual = np.asarray(chosen.columns[self.target].values, dtype=np.float64)
        metrics = metrics_for(self.task_kind, actual, self._decode(self._outputs(chosen)))
        return {
            "task": self.task_kind,
            "target": self.target,
            "rows": len(known),
            "left_out": table.n_rows - len(known),
            "metrics": metrics,
        }

    def _outputs(self, table: Table) -> np.ndarray:
        prepared = self.preparation.transform(table)
        try:
            return self.network((prepared.numbers, prepared.categories))
        except RetrogradError:
            raise
        except (ValueError, TypeError, LookupError, AttributeError, MemoryError):
            raise ModelFileError(
                "the network of this model file does not run on the columns that it names",
                hint="copy the file again, or train again",
            ) from None

    def _decode(self, outputs: np.ndarray) -> np.ndarray:
        return decode_outputs(outputs, self.preparation, self.task_kind, self.facts.get("output_range"))

    def _named(self, scores: np.ndarray) -> np.ndarray:
        if self.classes is None:
            return scores
        return (
            np.array(self.classes, dtype=object)[scores.argmax(axis=1)]
            if len(scores)
            else np.empty(0, dtype=object)
        )


def decode_outputs(
    outputs: np.ndarray, preparation: Preparation, task_kind: str, output_range: Any = None
) -> np.ndarray:
    """From the network's outputs (n, 1) or (n, K) to values (n,) in the target's units, or probabilities (n, K).

    ``output_range`` bounds the scaled values: beyond what training has shown (and half as much again), an exponential
    scale would turn a small error into an absurd sum.
    """
    if task_kind == "regression":
        scaled = outputs[:, 0].astype(np.float64)
        if output_range is not None:
            scaled = np.clip(scaled, output_range[0], output_range[1])
        return np.asarray(preparation.decode_target(scaled), dtype=np.float64)
    shifted = outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True, initial=-np.inf)
    odds = np.exp(shifted)
    return odds / odds.sum(axis=1, keepdims=True)


def as_table(rows: Any) -> Table:
    """A table from anything that `read_table` reads, or a table itself."""
    return rows if isinstance(rows, Table) else read_table(rows)


def load(path: str | os.PathLike[str]) -> Model:
    """The model of a run folder or a model file; `ModelFileError` when it is missing, damaged or hostile.

    Nothing in the file is executed: the network is a graph of known operations, verified before use.
    """
    path = Path(path)
    if path.is_dir():
        folder = RunFolder(path)
        path = folder.path / "model.safetensors"
        if not path.is_file():
            raise ModelFileError(
                f"{folder.path} holds no model yet",
                hint=f"retrograd resume {folder.path}"
                if (folder.path / "run.json").is_file()
                else "give a run folder, runs/NAME-001, or a model.safetensors",
            )
    _demand_model_file(path)
    network, facts = load_model(path)
    try:
        return Model(network, Preparation.from_json(facts["preparation"]), facts)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RetrogradError) as error:
        what = (
            error.message if isinstance(error, RetrogradError) else "a field is missing or of the wrong kind"
        )
        raise ModelFileError(
            f"the preparation in this file is damaged: {what}",
            where=str(path),
            hint="copy the file again from where it was made, or train again",
        ) from None


def _demand_model_file(path: Path) -> None:
    """A table where the model should stand is the commonest mistake: say so, not that a file is damaged."""
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except OSError:
        return  # reading it says what is wrong
    if path.suffix != ".safetensors" and start[8:9] != b"{":
        raise ModelFileError(
            f"{path} is not a model file",
            hint="did you swap the arguments? First MODEL (a run folder or its model.safetensors), then DATA",
        )
