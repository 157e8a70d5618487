"""The list of commands: name, module, usage and one line each; imports nothing, so that help is quick."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """A command called ``name``; the function ``run`` of ``retrograd.cli.MODULE`` carries it out."""

    name: str
    module: str
    usage: str
    summary: str


COMMANDS = (
    Command("train", "train", "train DATA [--target COL]", "train a network on a table, and report on it"),
    Command("predict", "predict", "predict MODEL DATA [--out FILE]", "a prediction for every row of a table"),
    Command("evaluate", "evaluate", "evaluate MODEL DATA", "how good a model is on rows with known answers"),
    Command("resume", "resume", "resume RUN", "go on with a run that was stopped"),
    Command("tune-lr", "tune_lr", "tune-lr DATA [--target COL]", "try learning rates and judge each of them"),
    Command("sample", "sample", "sample [NAME] [--out FILE]", "write a real table to try things on"),
    Command("bench", "bench", "bench [--quick]", "training steps timed beside other libraries, here"),
    Command("cache", "cache", "cache [--clear]", "what has been compiled and kept on this machine"),
)
BY_NAME = {command.name: command for command in COMMANDS}


def nearest(word: str, choices: list[str]) -> str | None:
    """The choice most like `word`, or None when none is.

    >>> nearest("tarin", [command.name for command in COMMANDS])
    'train'
    """
    from difflib import get_close_matches

    found = get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return found[0] if found else None
