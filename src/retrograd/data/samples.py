"""`write_sample`: a table to try things on, shipped, fetched and checked, or invented and saying so."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import random
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from retrograd.data.catalogue import FILES, SAMPLES, PublicFile, Sample
from retrograd.errors import DataError, UsageError
from retrograd.files import write_atomically

FOLDER = Path(__file__).with_name("samples")
TIMEOUT = 30.0
"""Seconds without a byte after which a download is given up."""


def list_samples() -> list[Sample]:
    """Every table that `write_sample` can write: those that ship first, then the public ones, then the invented.

    >>> [sample.name for sample in list_samples() if sample.origin == "shipped"]
    ['digits', 'breast-cancer', 'diabetes', 'wine']
    """
    return list(SAMPLES.values())


def write_sample(name: str, out: str | os.PathLike[str] = ".") -> Path:
    """Write the table ``name`` as a CSV file with a header row; the path that was written.

    ``out``: a folder (the file is then NAME.csv in it) or a file name that ends in .csv or .csv.gz.  A file that exists
    is never overwritten: NAME-2.csv is written beside it.  A public table is copied from the folder in RETROGRAD_DATA
    or downloaded; either way nothing is kept unless its SHA-256 is the recorded one.  Raises `UsageError` for a name
    that is not known and `DataError` when the table cannot be had or written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write_sample("wine", folder).name, write_sample("wine", folder).name)
    wine.csv wine-2.csv
    """
    sample = find_sample(name)
    path = _place(sample.name, out)
    content = _content(sample)
    return _write_new(path, _gzipped(content) if path.suffix == ".gz" else content)


def find_sample(name: str) -> Sample:
    """The entry of the catalogue for a name; case, blanks and underscores do not matter.

    >>> find_sample("Breast_Cancer").name
    'breast-cancer'
    """
    key = name.strip().lower().replace("_", "-").replace(" ", "-")
    if key in SAMPLES:
        return SAMPLES[key]
    near = get_close_matches(key, SAMPLES, n=3, cutoff=0.5)
    if near:
        raise UsageError(
            f"no sample {name!r}; nearest: {', '.join(near)}", hint=f"retrograd sample {near[0]}"
        )
    raise UsageError(f"no sample {name!r}", hint="retrograd sample")


# --- where the rows come from ----------------------------------------------------------------------------------------


def _content(sample: Sample) -> bytes:
    """The table as CSV with a header row."""
    if sample.origin == "invented":
        return _INVENTED[sample.name]().encode()
    if sample.origin == "shipped":
        for path in (FOLDER / f"{sample.name}.csv", FOLDER / f"{sample.name}.csv.gz"):
            if path.is_file():
                return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        raise DataError(
            f"the table {sample.name!r} is missing from this installation",
            where=str(FOLDER),
            hint="pip install --force-reinstall --no-deps retrograd",
        )
    file = FILES[sample.name]
    data = _local(file)
    if data is None:
        data = _download(sample.name, file)
    return file.header.encode() + b"\n" + data if file.header else data


def _local(file: PublicFile) -> bytes | None:
    """The file from the folder that RETROGRAD_DATA names; None when there is none."""
    folder = os.environ.get("RETROGRAD_DATA")
    if not folder or not (path := Path(folder) / file.path).is_file():
        return None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}", where=str(path), hint=f"ls -l {path}"
        ) from None
    checked = _checked(data, file)
    if checked is None:
        raise DataError(
            f"this is not the published file: SHA-256 {_sha256(data)} instead of {file.sha256}",
            where=str(path),
            hint="unset RETROGRAD_DATA; then the same command again downloads it",
        )
    return checked


def _download(name: str, file: PublicFile) -> bytes:
    """The file from the first of its addresses that sends what was published."""
    import http.client
    import urllib.error
    import urllib.request

    problems: list[str] = []
    for url in file.urls:
        request = urllib.request.Request(url, headers={"User-Agent": "retrograd"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                data = answer.read(file.size + 4096)  # a header row may stand in front; more is not the table
        except urllib.error.HTTPError as error:
            problems.append(f"{url}: {error.code} {error.reason}")
            error.close()
            continue
        except (OSError, http.client.HTTPException) as error:
            problems.append(f"{url}: {getattr(error, 'reason', None) or error or type(error).__name__}")
            continue
        checked = _checked(data, file)
        if checked is not None:
            return checked
        problems.append(
            f"{url}: sent {len(data):,} bytes with another SHA-256 than the published file; not kept"
        )
    raise DataError(
        f"the table {name!r} could not be fetched",
        where="; ".join(problems),
        hint="check the connection and try again; without a network: retrograd sample digits",
    )


def _checked(data: bytes, file: PublicFile) -> bytes | None:
    """The published bytes, or None when these are others.

    Some public copies of a file without a header row have one in front; without it they must be the published bytes.
    """
    if _sha256(data) == file.sha256:
        return data
    rest = data.partition(b"\n")[2]
    return rest if file.header and _sha256(rest) == file.sha256 else None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# --- invented tables -------------------------------------------------------------------------------------------------
# Only random.random() is used: Python promises that its numbers stay the same, which it does not for the others.


def _normal(source: random.Random) -> Iterator[float]:
    """Standard normal numbers by the transform of Box and Muller (1958)."""
    while True:
        radius = math.sqrt(-2.0 * math.log(1.0 - source.random()))
        angle = math.tau * source.random()
        yield radius * math.cos(angle)
        yield radius * math.sin(angle)


def _rings() -> str:
    """Three concentric rings, in turn: (x1, x2) = r (cos t, sin t), r = 1, 2 or 3 plus noise."""
    source = random.Random(20240501)
    noise = _normal(source)
    lines = ["x1,x2,ring"]
    for row in range(900):
        radius = 1.0 + row % 3 + 0.2 * next(noise)
        angle = math.tau * source.random()
        ring = ("inner", "middle", "outer")[row % 3]
        lines.append(f"{radius * math.cos(angle):.4f},{radius * math.sin(angle):.4f},{ring}")
    return "\n".join(lines) + "\n"


def _waves() -> str:
    """height = sin(2 x1) + cos(3 x2)/2 + noise; a third input, idle, has no part in it."""
    source = random.Random(20240502)
    noise = _normal(source)
    lines = ["x1,x2,idle,height"]
    for _ in range(1200):
        x, y, idle = (4.0 * source.random() - 2.0 for _ in range(3))
        height = math.sin(2.0 * x) + 0.5 * math.cos(3.0 * y) + 0.1 * next(noise)
        lines.append(f"{x:.4f},{y:.4f},{idle:.4f},{height:.4f}")
    return "\n".join(lines) + "\n"


_INVENTED = {"rings-invented": _rings, "waves-invented": _waves}


# --- where they go ---------------------------------------------------------------------------------------------------


def _place(name: str, out: str | os.PathLike[str]) -> Path:
    """The file that ``out`` means; its folder is made when it is not there."""
    text, path = os.fspath(out), Path(out)
    if path.is_dir() or text.endswith(("/", os.sep)):
        path = path / f"{name}.csv"
    elif not path.name.lower().endswith((".csv", ".csv.gz")):
        raise UsageError(
            f"a sample is written as .csv or .csv.gz, not as {path.name!r}", hint=f"--out {name}.csv"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path.parent, error) from None
    return path


def _write_new(path: Path, content: bytes) -> Path:
    """Write under this name or, where it is taken, under the next one that is free; never half a file."""
    final: Path | None = None
    try:
        final = _reserve(path)
        write_atomically(final, content)
    except BaseException as error:
        if final is not None:
            final.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    return final


def _reserve(path: Path) -> Path:
    """Take the first free name of name.csv, name-2.csv, name-3.csv ... by making an empty file there."""
    ending = "".join(path.suffixes[-2:]) if path.suffix.lower() == ".gz" else path.suffix
    stem, number, candidate = path.name.removesuffix(ending), 1, path
    while True:
        try:
            candidate.open("xb").close()
        except FileExistsError:
            number += 1
            candidate = path.with_name(f"{stem}-{number}{ending}")
        else:
            return candidate


def _gzipped(content: bytes) -> bytes:
    """gzip without a file name or time in it, so that the same rows are the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot write here: {error.strerror or error}",
        where=str(path),
        hint="--out a-folder-of-yours/name.csv",
    )
