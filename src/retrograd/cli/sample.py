"""``retrograd sample NAME``: a real table to try things on."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import Annotated

import typer

from retrograd.cli import options
from retrograd.cli.console import Output, wrap


def run(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which table; without a name they are listed.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="A file (.csv, .csv.gz) or folder (default: NAME.csv here)."
        ),
    ] = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Write a table to try things on, or list what there is.

    Most come with Retrograd; larger ones are fetched from where they are published, and checked.

        retrograd sample diabetes --out diabetes.csv
    """
    output = Output(as_json, quiet)
    return _list(output) if name is None else _write(output, name, out)


def _list(output: Output) -> int:
    from retrograd.data import list_samples

    samples = list_samples()
    output.json({"samples": [asdict(sample) for sample in samples]})
    width = max(len(sample.name) for sample in samples) + 2
    for sample in samples:
        output.result(wrap(sample.description, indent=" " * width, first=f"{sample.name:<{width}}"))
    output.result()
    output.result("write one with: retrograd sample NAME")
    return 0


def _write(output: Output, name: str, out: str | None) -> int:
    from retrograd.data.samples import find_sample, write_sample

    sample = find_sample(name)
    path = write_sample(name, "." if out is None else out)
    output.json({"file": str(path), **asdict(sample)})
    output.log(f"{path}: {sample.description}")
    output.log(f"source: {sample.source} ({sample.licence})")
    for note in sample.notes:
        output.log(note)
    output.result(f"next  {shlex.join(['retrograd', 'train', str(path), '--target', sample.target])}")
    return 0
