"""Options and arguments that several commands share, each described once."""

from __future__ import annotations

from typing import Annotated

import typer

DATA_HELP = "A table: CSV (any delimiter, encoding, decimal comma), TSV, Parquet or JSON lines, also as .gz."
MODEL_HELP = "A run folder (runs/NAME-001) or the model.safetensors in it."

Data = Annotated[str, typer.Argument(metavar="DATA", help=DATA_HELP, show_default=False)]
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP, show_default=False)]

# A flag takes no value; without metavar="" Typer would print a type for one.
AsJson = Annotated[
    bool, typer.Option("--json", metavar="", help="One JSON object on standard output, nothing else there.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", metavar="", help="No progress and no notes on standard error.")
]
Debug = Annotated[bool, typer.Option("--debug", metavar="", help="A traceback when something goes wrong.")]

_DATA, _NETWORK, _TRAINING = "The data", "The network", "The training"


def _option(names: str, help: str, panel: str, metavar: str | None = None) -> typer.models.OptionInfo:
    return typer.Option(*names.split(), help=help, rich_help_panel=panel, metavar=metavar, show_default=False)


Target = Annotated[
    str | None, _option("--target -t", "The column to predict, by name or number (first: 1).", _DATA, "COL")
]
Group = Annotated[
    str | None,
    _option(
        "--group",
        "Rows with the same value here stay together in one split (a patient, a house).",
        _DATA,
        "COL",
    ),
]
Time = Annotated[
    str | None, _option("--time", "Train on the past, test on the future by this column.", _DATA, "COL")
]
Unit = Annotated[
    str | None, _option("--unit", "The target's unit, to be shown with every number: '$', kg.", _DATA, "UNIT")
]
Test = Annotated[
    str | None, _option("--test", "A test table of your own instead of held-out rows.", _DATA, "FILE")
]
Header = Annotated[
    bool | None,
    _option("--header/--no-header", "Whether the first line holds names (without: c1, c2, ...).", _DATA, ""),
]
Exclude = Annotated[
    list[str] | None,
    _option("--exclude", "Leave this column out; may be given several times.", _DATA, "COL"),
]
Hidden = Annotated[
    str | None,
    _option("--hidden", "Widths of plain hidden layers instead of residual blocks.", _NETWORK, "128,64"),
]
Activation = Annotated[
    str | None,
    _option(
        "--activation",
        "relu, gelu, silu, tanh, sigmoid, elu, leaky_relu, softplus or identity.",
        _NETWORK,
        "NAME",
    ),
]
Dropout = Annotated[
    float | None, _option("--dropout", "Share of units switched off at random.", _NETWORK, "SHARE")
]
Optimizer = Annotated[
    str | None, _option("--optimizer", "adamw, adam, sgd, rmsprop or adagrad.", _TRAINING, "NAME")
]
Rate = Annotated[
    float | None,
    _option("--lr", "Learning rate; without it a short range test picks one.", _TRAINING, "RATE"),
]
BatchSize = Annotated[int | None, _option("--batch-size", "Rows per update.", _TRAINING, "ROWS")]
Loss = Annotated[
    str | None,
    _option(
        "--loss",
        "mse, mae, huber or smooth_l1 for numbers; cross_entropy or label_smoothing for classes.",
        _TRAINING,
        "NAME",
    ),
]
Epochs = Annotated[
    int | None, _option("--epochs", "At most so often through all training rows.", _TRAINING, "N")
]
TimeLimit = Annotated[
    str | None,
    _option(
        "--time-limit", "Stop training after this long, keep the best: 90s, 5m, 1h30m.", _TRAINING, "TIME"
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", help="Same seed, same data: same run.", rich_help_panel=_TRAINING, metavar="N"),
]
Compile = Annotated[
    bool | None,
    _option(
        "--compile/--no-compile",
        "Whether iterations become machine code (default: where that repays itself).",
        _TRAINING,
        "",
    ),
]
Threads = Annotated[
    int | None, _option("--threads", "Threads for matrix products (default: 1).", _TRAINING, "N")
]
