"""Training: the loop once for every network, and the whole path from a table to a report.

``fit`` does the main job; `Trainer` trains any `nn.Module`; ``load`` reads a model back.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from retrograd.train.checkpoint import load_checkpoint, save_checkpoint
from retrograd.train.history import History
from retrograd.train.interrupt import Interrupt
from retrograd.train.observe import observe
from retrograd.train.overfitting import judge_overfitting
from retrograd.train.probe import probe_minimum
from retrograd.train.progress import Event, Progress
from retrograd.train.rate import RateSweep, range_test, sweep_rates
from retrograd.train.trainer import Trainer

if TYPE_CHECKING:
    from retrograd.train.continuation import resume
    from retrograd.train.job import fit
    from retrograd.train.predict import Model, load
    from retrograd.train.run import Run
    from retrograd.train.tune import tune_lr

__all__ = [
    "fit", "resume", "load", "tune_lr", "Run", "Model",
    "Trainer", "History", "Event", "Progress", "Interrupt",
    "range_test", "sweep_rates", "RateSweep", "judge_overfitting", "probe_minimum", "observe",
    "save_checkpoint", "load_checkpoint",
]  # fmt: skip

# What reads tables is loaded when first used: a Trainer of one's own needs no DuckDB.
_LATER = {
    "fit": "job", "Run": "run", "resume": "continuation", "load": "predict", "Model": "predict", "tune_lr": "tune",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f"retrograd.train.{_LATER[name]}"), name)
    raise AttributeError(f"module 'retrograd.train' has no attribute {name!r}")
