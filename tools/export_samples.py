"""Writes the tables that ship in src/retrograd/data/samples/ from scikit-learn's bundled data sets.

    python tools/export_samples.py            # needs scikit-learn; the same bytes every time

Beside each table lies a text with its source and licence.  Values are written exactly: reading gives the same floats.
"""

from __future__ import annotations

import sys
import textwrap
from importlib import metadata
from pathlib import Path
from typing import Any

import sklearn.datasets  # pyright: ignore[reportMissingImports]

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from retrograd.data.catalogue import SHIPPED, Sample
from retrograd.data.samples import FOLDER, _gzipped

# name: (loader, its options, whether compressing pays)
LOADERS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "digits": ("load_digits", {}, True),
    "breast-cancer": ("load_breast_cancer", {}, False),
    "diabetes": ("load_diabetes", {"scaled": False}, False),
    "wine": ("load_wine", {}, False),
}
# Only these have names for their classes; digits are their own names.
NAMED = ("breast-cancer", "wine")


def table(name: str) -> str:
    """The table as CSV text: scikit-learn's column names with _ for blanks, the target last."""
    loader, options, _ = LOADERS[name]
    bunch = getattr(sklearn.datasets, loader)(**options)
    header = [str(column).replace(" ", "_") for column in bunch.feature_names] + [SHIPPED[name].target]
    lines = [",".join(header)]
    for values, target in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True):
        label = str(bunch.target_names[target]) if name in NAMED else cell(target)
        lines.append(",".join([*map(cell, values), label]))
    return "\n".join(lines) + "\n"


def cell(value: float) -> str:
    """The shortest text that reads as the same number; whole numbers without a point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def about(sample: Sample) -> str:
    """Source and licence of a table, for the file beside it."""
    parts = [
        f"{sample.name}: {sample.title}. {sample.rows:,} rows, {sample.columns} columns, target {sample.target}.",
        *(f"Note: {note}." for note in sample.notes),
        f"Source: {sample.source}.",
        f"Licence: {sample.licence}.",
        "Changes: written as CSV with a header row, values unchanged. scikit-learn's notice: LICENSE-scikit-learn.txt.",
    ]
    return (
        "\n".join(textwrap.fill(part, 100, break_long_words=False, break_on_hyphens=False) for part in parts)
        + "\n"
    )


def notice() -> str:
    """scikit-learn's own licence text, without what its wheels say about the libraries bundled with them."""
    for file in metadata.files("scikit-learn") or []:
        if file.name == "COPYING" and ".dist-info" in str(file):
            return file.read_text().partition("\n----\n")[0].rstrip() + "\n"
    raise SystemExit(
        "this scikit-learn comes without its licence text; pip install --force-reinstall scikit-learn"
    )


def main() -> None:
    """Writes every table and its text."""
    FOLDER.mkdir(exist_ok=True)
    for name, (_, _, compress) in LOADERS.items():
        content = table(name).encode()
        path = FOLDER / (f"{name}.csv.gz" if compress else f"{name}.csv")
        path.write_bytes(_gzipped(content) if compress else content)
        (FOLDER / f"{name}.txt").write_bytes(about(SHIPPED[name]).encode())
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    (FOLDER / "LICENSE-scikit-learn.txt").write_bytes(notice().encode())


if __name__ == "__main__":
    main()
