"""How one column becomes inputs of a network; statistics come from the rows that `fit` is given, and from no others.

Each encoder makes ``width`` number features (float32, about zero mean and unit size), or one column of category codes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd.data.cells import DATE_READINGS, NUMBER_READINGS
from retrograd.data.kinds import truth_of
from retrograd.data.readings import dates_of, numbers_of, stray_cells
from retrograd.data.table import Column
from retrograd.errors import ModelFileError

ONE_HOT_LEVELS = 12
"""Up to this many values, a category becomes one 0/1 feature for each; above, a code for an embedding."""
MOST_LEVELS = 1000
"""A code of its own for at most this many values, the most frequent ones; the others share the code for unseen values."""
HEAVY_TAIL = 8.0
"""A number column is mapped by its quantiles where its largest deviation exceeds so many times what is usual."""
QUANTILES = 101
LIMIT = 5.0
"""Prepared numbers stay within so many standard deviations: a typing error in one cell does not rule a prediction."""


@dataclass(frozen=True)
class NumberEncoder:
    """(x - mean) / std, or the normal score of x among the training rows; missing: the training median, and said so.

    ``grid``: training quantiles (empty: plain standardisation); ``missing``: a second feature says where x was missing.
    """

    name: str
    mean: float
    std: float
    median: float
    missing: bool = False
    grid: tuple[float, ...] = ()
    reading: str = "numbers"
    type: str = "number"

    @staticmethod
    def fit(column: Column) -> NumberEncoder | None:
        """From training rows; None where all of them are equal."""
        reading = column.reading if column.reading in NUMBER_READINGS else "numbers"
        values = numbers_of(column, reading)
        known = values[np.isfinite(values)]
        if known.size == 0 or (known.min() == known.max() and known.size == values.size):
            return None
        median = float(np.median(known))
        missing = bool(known.size < values.size)
        grid: tuple[float, ...] = ()
        if _heavy_tailed(known):
            knots = np.unique(np.quantile(known, np.linspace(0, 1, QUANTILES)))
            if knots.size >= 3:
                grid = tuple(knots.tolist())
        plain = NumberEncoder(column.name, 0.0, 1.0, median, missing, grid)
        scores = plain._scores(known)
        std = float(scores.std())
        return NumberEncoder(
            column.name, float(scores.mean()), std if std > 0 else 1.0, median, missing, grid, reading
        )

    @property
    def features(self) -> list[str]:
        """Names of the number features."""
        return [self.name, f"{self.name} is missing"] if self.missing else [self.name]

    def encode(self, column: Column) -> np.ndarray:
        """(n, width) float32."""
        values = numbers_of(column, self.reading)
        absent = ~np.isfinite(values)
        scores = self._scores(np.where(absent, self.median, values))
        out = np.clip((scores - self.mean) / self.std, -LIMIT, LIMIT)
        return (np.stack([out, absent], axis=1) if self.missing else out[:, None]).astype(np.float32)

    def notes(self, column: Column) -> list[str]:
        """A sentence about cells that are no numbers and count as missing."""
        return stray_cells(column, np.isnan(numbers_of(column, self.reading)), "a number")

    def _scores(self, values: np.ndarray) -> np.ndarray:
        if not self.grid:
            return values
        share = np.interp(values, self.grid, np.linspace(0.0, 1.0, len(self.grid)))
        return _normal_score(0.005 + 0.99 * share)


def _heavy_tailed(known: np.ndarray) -> bool:
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    spread = high - low
    if spread == 0:  # most rows are equal: compare with the spread of the rest
        spread = float(known.std())
    return spread > 0 and bool(np.abs(known - middle).max() > HEAVY_TAIL * spread)


def _normal_score(p: np.ndarray) -> np.ndarray:
    """The logistic stand-in for the normal quantile, within 0.02 of it between 0.5 % and 99.5 %: √3/π·1.03·ln(p/(1-p))."""
    return np.log(p / (1 - p)) * (math.sqrt(3) / math.pi * 1.03)


@dataclass(frozen=True)
class CategoryEncoder:
    """One 0/1 feature for each value (few values), or a code (many): 0 is for rare, missing and unseen values.

    ``levels``: the values that occurred in training, most frequent first.
    """

    name: str
    levels: tuple[str, ...]
    one_hot: bool
    type: str = "category"

    @staticmethod
    def fit(column: Column) -> CategoryEncoder | None:
        """From training rows; None where nothing can be told apart."""
        codes, names = column.codes
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        if len(names) == 0 or (len(names) == 1 and column.n_missing == 0):
            return None
        order = sorted(range(len(names)), key=lambda i: (-counts[i], names[i]))
        one_hot = len(names) <= ONE_HOT_LEVELS
        if (
            not one_hot
        ):  # a value seen once teaches nothing about itself; it teaches what rare values are like
            order = [i for i in order if counts[i] > 1][:MOST_LEVELS]
        return CategoryEncoder(column.name, tuple(names[i] for i in order), one_hot)

    @property
    def features(self) -> list[str]:
        """Names of the number features; none for codes."""
        return [f"{self.name} = {level}" for level in self.levels] if self.one_hot else []

    @property
    def size(self) -> int:
        """Number of codes, the one for unseen values included."""
        return len(self.levels) + 1

    def codes(self, column: Column) -> np.ndarray:
        """(n,) int64: 0 for what was not seen, else 1 + the place in ``levels``."""
        known = {level: i + 1 for i, level in enumerate(self.levels)}
        own, names = column.codes
        if column.raw is not None:  # "1.0" may be a level as it stands, whatever else is in the column
            texts, said = Column(column.name, column.raw).codes
            exact = np.array([*(self._code(known, text) for text in said), 0], dtype=np.int64)[texts]
            plain = np.array([*(self._code(known, name) for name in names), 0], dtype=np.int64)[own]
            return np.where(exact > 0, exact, plain)
        table = np.array([*(self._code(known, name) for name in names), 0], dtype=np.int64)
        return table[own]

    def _code(self, known: dict[str, int], name: str) -> int:
        """The code of a value; yes and no have several spellings, in any case."""
        code = known.get(name, 0)
        if code or len(known) != 2 or (meant := truth_of(name)) is None:
            return code
        truths = {truth_of(level): place for level, place in known.items()}
        return truths.get(meant, 0) if set(truths) == {True, False} else 0

    def notes(self, column: Column) -> list[str]:
        """A sentence about values that training did not see."""
        new = (self.codes(column) == 0) & ~column.missing
        count, known = int(np.count_nonzero(new)), len(new) - column.n_missing
        if not count:
            return []
        values = list(dict.fromkeys(column.text()[new].tolist()))
        shown = ", ".join(repr(value)[:40] for value in values[:3]) + (", ..." if len(values) > 3 else "")
        were = "was" if count == 1 else "were"
        seen = (
            f"{were} never seen in training"
            if self.one_hot
            else f"{were} never seen, or only once, in training"
        )
        return [f"{self.name}: {count} of {known} values {seen} ({shown})"]

    def encode(self, column: Column) -> np.ndarray:
        """(n, width) float32."""
        return (self.codes(column)[:, None] == np.arange(1, self.size)).astype(np.float32)


@dataclass(frozen=True)
class DateEncoder:
    """Days since training's mean date (standardised), and the place in the year, week and day on circles.

    Only parts that differ among the training rows are kept.
    """

    name: str
    mean: float
    std: float
    parts: tuple[str, ...]
    missing: bool = False
    reading: str = "dates"
    type: str = "date"

    @staticmethod
    def fit(column: Column) -> DateEncoder | None:
        """From training rows; None where all dates are equal."""
        reading = column.reading if column.reading in DATE_READINGS else "dates"
        days, absent = _days(dates_of(column, reading))
        if absent.all():
            return None
        known = days[~absent]
        whole = DateEncoder(column.name, 0.0, 1.0, _PARTS, bool(absent.any()), reading)
        columns = whole.encode(column)[~absent]
        # a part is worth having when the training rows go round its circle, not only a bit of the way
        lasts = {"year": 300.0, "week": 6.0, "day": 0.5}
        parts = tuple(
            part
            for i, part in enumerate(_PARTS)
            if float(np.ptp(columns[:, 1 + i])) > 0.5 and float(np.ptp(known)) >= lasts[part.split()[0]]
        )
        std = float(known.std())
        if std == 0 and not parts and not absent.any():
            return None
        return DateEncoder(
            column.name, float(known.mean()), std if std > 0 else 1.0, parts, bool(absent.any()), reading
        )

    @property
    def features(self) -> list[str]:
        """Names of the number features."""
        names = [f"{self.name} in days", *(f"{self.name}: {part}" for part in self.parts)]
        return [*names, f"{self.name} is missing"] if self.missing else names

    def encode(self, column: Column) -> np.ndarray:
        """(n, width) float32."""
        days, absent = _days(dates_of(column, self.reading))
        out = [np.clip((days - self.mean) / self.std, -LIMIT, LIMIT)]
        for part in self.parts:
            circle, side = part.split()
            angle = 2 * math.pi * days / {"year": 365.2425, "week": 7.0, "day": 1.0}[circle]
            out.append(np.sin(angle) if side == "sine" else np.cos(angle))
        stacked = np.where(absent[:, None], 0.0, np.stack(out, axis=1))
        if self.missing:
            stacked = np.concatenate([stacked, absent[:, None]], axis=1)
        return stacked.astype(np.float32)

    def notes(self, column: Column) -> list[str]:
        """A sentence about cells that are no dates and count as missing."""
        return stray_cells(column, np.isnat(dates_of(column, self.reading)), "a date")


_PARTS = ("year sine", "year cosine", "week sine", "week cosine", "day sine", "day cosine")

Encoder = NumberEncoder | CategoryEncoder | DateEncoder


def _days(dates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970 with their fraction (0 where missing), and where there is no date."""
    absent = np.isnat(dates)
    seconds = np.where(absent, np.datetime64(0, "s"), dates).astype("datetime64[s]").astype(np.int64)
    return seconds / 86400.0, absent


@dataclass
class _Field:
    """What a value in the JSON of an encoder must be."""

    kinds: tuple[type, ...]
    of: tuple[type, ...] = field(default_factory=tuple)


_FIELDS: dict[str, tuple[Any, dict[str, _Field]]] = {
    "number": (
        NumberEncoder,
        {
            "name": _Field((str,)),
            "mean": _Field((int, float)),
            "std": _Field((int, float)),
            "median": _Field((int, float)),
            "missing": _Field((bool,)),
            "grid": _Field((list,), (int, float)),
            "reading": _Field((str,)),
        },
    ),
    "category": (
        CategoryEncoder,
        {"name": _Field((str,)), "levels": _Field((list,), (str,)), "one_hot": _Field((bool,))},
    ),
    "date": (
        DateEncoder,
        {
            "name": _Field((str,)),
            "mean": _Field((int, float)),
            "std": _Field((int, float)),
            "parts": _Field((list,), (str,)),
            "missing": _Field((bool,)),
            "reading": _Field((str,)),
        },
    ),
}


def encoder_to_json(encoder: Encoder) -> dict[str, Any]:
    """Plain JSON data."""
    names = ("type", *_FIELDS[encoder.type][1])
    values = {name: getattr(encoder, name) for name in names}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


_LARGEST = 1e300


def encoder_from_json(data: Any) -> Encoder:
    """An encoder from `encoder_to_json`; anything else raises `ModelFileError`."""
    kind = data.get("type") if isinstance(data, dict) else None
    made, fields = _FIELDS.get(kind, (None, {})) if isinstance(kind, str) else (None, {})
    if isinstance(data, dict) and kind in ("number", "date"):  # older files do not name the reading
        data = {"reading": "numbers" if kind == "number" else "dates"} | data
    if made is None or set(data) != {"type", *fields}:
        raise damaged("a column that is prepared in an unknown way")
    values: dict[str, Any] = {}
    for name, field_ in fields.items():
        value = data[name]
        fits = isinstance(value, field_.kinds) and (bool in field_.kinds or not isinstance(value, bool))
        if isinstance(value, list):
            fits = fits and all(isinstance(item, field_.of) and not isinstance(item, bool) for item in value)
        numbers = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, (int, float))]
        fits = fits and all(abs(number) < _LARGEST for number in numbers)  # NaN is not
        if not fits:
            raise damaged(f"{name} = {str(value)[:60]!r} of a column")
        values[name] = tuple(value) if isinstance(value, list) else value
    encoder = made(**values)
    if (
        getattr(encoder, "std", 1.0) <= 0
        or (isinstance(encoder, DateEncoder) and set(encoder.parts) - set(_PARTS))
        or (isinstance(encoder, DateEncoder) and encoder.reading not in DATE_READINGS)
        or (isinstance(encoder, NumberEncoder) and encoder.reading not in NUMBER_READINGS)
    ):
        raise damaged(f"column {encoder.name!r}")
    return encoder


def damaged(what: str) -> ModelFileError:
    """The error for a preparation that cannot be right."""
    return ModelFileError(
        f"the preparation in this model file is damaged: {what}", hint="train again, or copy the file again"
    )
