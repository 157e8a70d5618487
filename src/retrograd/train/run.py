"""What the main job gives back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrograd.train.history import History
from retrograd.train.predict import Model, load


@dataclass
class Run:
    """A finished (or interrupted) run: its folder, the dict that ``--json`` prints, and the report."""

    path: Path
    summary: dict[str, Any]
    report: dict[str, Any] | None
    history: History
    interrupted: bool = False
    _model: Model | None = None

    @property
    def model(self) -> Model:
        """The saved model, read back from the run folder."""
        if self._model is None:
            self._model = load(self.path)
        return self._model

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.summary['task']} of {self.summary['target']!r})"
