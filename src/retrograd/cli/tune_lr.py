"""``retrograd tune-lr DATA``: the same network at many learning rates, with a verdict on each."""

from __future__ import annotations

import math
import shlex
from typing import Annotated, Any

import typer

from retrograd.cli import options
from retrograd.cli.console import Output, table, wrap
from retrograd.cli.progress import Display
from retrograd.cli.values import parse_numbers, parse_sizes

_MEANINGS = {
    "diverging": "the loss grows: every step jumps over the valley and lands higher",
    "overshooting": "learns, but jumps about and ends worse than a smaller rate",
    "crawling": "learns, but so slowly that the steps run out",
    "fine": "close to the best",
}


def run(
    data: options.Data,
    target: options.Target = None,
    rates: Annotated[
        str | None,
        typer.Option("--rates", metavar="0.001,0.01", help="Try these (default: 13 from 0.00001 to 10)."),
    ] = None,
    steps: Annotated[int, typer.Option("--steps", metavar="N", help="Updates at each rate.")] = 200,
    header: options.Header = None,
    hidden: options.Hidden = None,
    optimizer: options.Optimizer = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """Train the same network from the same start at many learning rates, and judge each of them.

    Verdicts: diverging, overshooting, fine, crawling. No test row is looked at, and nothing is saved.

        retrograd tune-lr houses.csv --target price
    """
    chosen, widths = parse_numbers(rates, "--rates", "0.001,0.01"), parse_sizes(hidden)
    from retrograd.train import tune_lr

    output = Output(as_json, quiet)
    with Display(output) as display:
        display.stage(f"reading {data}")
        sweep = tune_lr(
            data,
            target,
            rates=chosen,
            steps=steps,
            seed=seed,
            hidden=widths,
            optimizer=optimizer,
            batch_size=batch_size,
            header=header,
            progress=display,
        )
    output.json(as_object(sweep))
    tell(output, sweep, data, target)
    return 0


def tell(output: Output, sweep: Any, data: str, target: str | None) -> None:
    """The table of rates, what the verdicts mean, and the command that uses the best rate."""
    lines = [["rate", "loss after", "verdict"]]
    for item in sweep.verdicts:
        mark = "  <- best" if item.rate == sweep.best else ""
        final = f"{item.final_loss:.4g}" if math.isfinite(item.final_loss) else "infinite"
        lines.append([f"{item.rate:.2g}", final, item.verdict + mark])
    output.result(f"{sweep.steps} updates at each learning rate, always from the same start")
    output.result()
    output.result(table(lines, left=(2,)))
    output.result()
    for verdict in dict.fromkeys(item.verdict for item in sweep.verdicts):
        output.result(wrap(_MEANINGS[verdict], indent=" " * 14, first=f"{verdict:<14}"))
    words = [
        "retrograd",
        "train",
        data,
        *(["--target", target] if target else []),
        "--lr",
        f"{sweep.best:.2g}",
    ]
    output.result()
    output.result(f"{'next':<14}{shlex.join(words)}")


def as_object(sweep: Any) -> dict[str, Any]:
    """The sweep for ``--json``; a loss that is not finite is null."""
    return {
        "best": sweep.best,
        "steps": sweep.steps,
        "rates": [
            {
                "rate": item.rate,
                "verdict": item.verdict,
                "first_loss": _finite(item.first_loss),
                "final_loss": _finite(item.final_loss),
            }
            for item in sweep.verdicts
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
