"""What ``retrograd`` and ``retrograd --help`` print; plain text, so that nothing needs to be imported for it."""

from __future__ import annotations

from retrograd.cli.commands import COMMANDS


def tour(version: str) -> str:
    """For somebody who typed the bare name: three commands that work in this order."""
    return f"""\
Retrograd {version} trains a neural network on a table and tells you honestly how good it is.

  1. a real table to try        retrograd sample diabetes --out diabetes.csv
  2. train on it                retrograd train diabetes.csv
  3. use the model on new rows  retrograd predict runs/diabetes-001 NEW.csv

Your own table works the same way: CSV, TSV, Parquet or JSON lines, also compressed (.gz).

  all commands                  retrograd --help
  one command                   retrograd train --help
"""


def overview() -> str:
    """All commands with one line each, and what holds for every one of them."""
    width = max(len(command.usage) for command in COMMANDS)
    listing = "\n".join(f"  {command.usage:<{width}}  {command.summary}" for command in COMMANDS)
    return f"""\
Usage: retrograd COMMAND ...

Train a neural network on a table, by backpropagation, and report on it.

Commands:
{listing}

  MODEL is a run folder (runs/NAME-001) or a model file in it (model.safetensors).
  retrograd COMMAND --help lists a command's options with an example.

Every command:
  --json     one JSON object on standard output, nothing else there
  --quiet    no progress and no notes on standard error
  --debug    a traceback when something goes wrong

Results go to standard output, progress and notes to standard error.
Exit status: 0 done, 1 bad data or a failed job, 2 a wrong command line, 130 stopped by Ctrl-C.

  --version                 print the version
  --install-completion      complete commands and options with the Tab key in this shell
"""
