"""``retrograd sample NAME``: a real table to try things on."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from retrograd.cli import options
from retrograd.cli.console import Output, table


def run(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Which table; without a name they are listed.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Write it here (default: NAME.csv).")
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

    samples = [_as_object(sample) for sample in list_samples()]
    output.json({"samples": samples})
    lines = [[str(sample["name"]), str(sample.get("description", ""))] for sample in samples]
    output.result(table(lines, left=(0, 1)))
    output.result()
    output.result("write one with: retrograd sample NAME")
    return 0


def _write(output: Output, name: str, out: str | None) -> int:
    from retrograd.data import write_sample

    path = Path(write_sample(name, out if out is not None else f"{name}.csv"))
    output.json({"name": name, "file": str(path)})
    output.result(f"next  retrograd train {path}")
    return 0


def _as_object(sample: Any) -> dict[str, Any]:
    if is_dataclass(sample) and not isinstance(sample, type):
        return asdict(sample)
    return dict(sample) if isinstance(sample, dict) else {"name": str(sample)}
