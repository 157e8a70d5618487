"""Tables: reading them, finding what their columns mean, dividing their rows, preparing them for a network."""

from __future__ import annotations

from retrograd.data.catalogue import Sample
from retrograd.data.checks import examine
from retrograd.data.findings import Finding
from retrograd.data.prepare import Inputs, Preparation
from retrograd.data.read import read_table
from retrograd.data.samples import list_samples, write_sample
from retrograd.data.split import Split, split_rows
from retrograd.data.table import Column, Table
from retrograd.data.task import Task, find_column, infer_task, propose_target

__all__ = [
    "Column",
    "Finding",
    "Inputs",
    "Preparation",
    "Sample",
    "Split",
    "Table",
    "Task",
    "examine",
    "find_column",
    "infer_task",
    "list_samples",
    "propose_target",
    "read_table",
    "split_rows",
    "write_sample",
]
