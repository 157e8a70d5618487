"""``retrograd train DATA``: from a table to a trained, saved and reported network."""

from __future__ import annotations

from typing import Annotated

import typer

from retrograd.cli import options
from retrograd.cli.console import Output
from retrograd.cli.finish import finish, stopped
from retrograd.cli.progress import Display
from retrograd.cli.values import parse_duration, parse_sizes


def run(
    data: options.Data,
    target: options.Target = None,
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Where run folders are made.")] = "runs",
    test: options.Test = None,
    group: options.Group = None,
    time: options.Time = None,
    exclude: options.Exclude = None,
    unit: options.Unit = None,
    header: options.Header = None,
    hidden: options.Hidden = None,
    activation: options.Activation = None,
    dropout: options.Dropout = None,
    optimizer: options.Optimizer = None,
    lr: options.Rate = None,
    batch_size: options.BatchSize = None,
    loss: options.Loss = None,
    epochs: options.Epochs = None,
    time_limit: options.TimeLimit = None,
    seed: options.Seed = 0,
    threads: options.Threads = None,
    compile: options.Compile = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Train a network on a table, and report on it.

    Without --target a column is proposed, and the reason said. Every other choice is made from the data, too,
    unless an option makes it.

        retrograd train houses.csv --target price --group id
    """
    seconds, widths = parse_duration(time_limit), parse_sizes(hidden)
    from retrograd.train import fit

    output = Output(as_json, quiet)
    with Display(output) as display:
        display.stage(f"reading {data}")
        try:
            result = fit(
                data,
                target,
                out=out,
                seed=seed,
                epochs=epochs,
                time_limit=seconds,
                threads=threads,
                hidden=widths,
                activation=activation,
                dropout=dropout,
                optimizer=optimizer,
                lr=lr,
                batch_size=batch_size,
                loss=loss,
                group=group,
                time=time,
                test=test,
                header=header,
                progress=display,
                exclude=tuple(exclude or ()),
                unit=unit,
                compile=compile,
            )
        except KeyboardInterrupt:
            display.close()
            return stopped(display.run)
    return finish(output, result)
