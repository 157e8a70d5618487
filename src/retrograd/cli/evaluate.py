"""``retrograd evaluate MODEL DATA``: how good a model is on rows whose answers are known."""

from __future__ import annotations

from retrograd.cli import options
from retrograd.cli.console import Output, table
from retrograd.cli.summary import metric_name
from retrograd.report.words import METRIC_MEANINGS, row_count, score


def run(
    model: options.Model,
    data: options.Data,
    header: options.Header = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> int:
    """How good a model is on rows whose answers are known.

    The table must have the target column. Rows that were trained on flatter the model: give it new ones.

        retrograd evaluate runs/houses-001 houses-2015.csv
    """
    from retrograd.data import read_table
    from retrograd.train.predict import load

    output = Output(as_json, quiet)
    loaded = load(model)
    rows = read_table(data, header=header)
    result = loaded.evaluate(rows)
    for note in loaded.notes(rows):
        output.log(f"note: {note}")
    output.json(result)
    unit = loaded.facts.get("unit")
    output.result(f"{result['target']}: {row_count(result['rows'])} of {data}")
    if result.get("left_out"):
        output.log(f"left out: {row_count(result['left_out'])} without {result['target']}")
    output.result()
    lines = [
        [metric_name(metric), score(metric, value, unit), METRIC_MEANINGS.get(metric, "")]
        for metric, value in result["metrics"].items()
    ]
    output.result(table(lines, left=(0, 2)))
    return 0
