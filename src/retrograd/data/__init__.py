"""Tables: reading them, finding what their columns mean, dividing their rows, preparing them for a network."""

from __future__ import annotations

from retrograd.data.prepare import Inputs, Preparation
from retrograd.data.read import read_table
from retrograd.data.split import Split, split_rows
from retrograd.data.table import Column, Table
from retrograd.data.task import Task, find_column, infer_task, propose_target
