"""Leaks: columns that give the target away, because they were made from it or after it.

What one column alone says about the target is measured out of sample: learnt on the training rows, judged on the
validation rows (small tables: five folds of both; the test rows are never looked at).  The measure is the share of the
target's variance that stays unexplained, u = Σ(y - ŷ)² / Σ(y - ȳ)²: of a number and of its rank, or of one-hot classes
(the Brier score of the column against that of the class shares).  ŷ is the mean of y over the nearest training values
for numbers, over equal values for categories; missing is a value like any other, so a telling gap is seen as well, and
a column with gaps is judged on the rows that have it, too.

Thresholds, fixed by reasoning before any table was looked at:

* `SUSPECT`, u <= 0.15.  An honest measurement carries noise of its own and rarely explains 85 % alone.  The textbook
  leak, the lifeboat number in the Titanic's list of passengers (2.4 % of the people in the wrong group), leaves 0.10.
* `RATIO`: all the other columns together must leave at least 4 times as much.  Strong honest columns come in company:
  where one size of a tumour tells the diagnosis, the others do too.  A leak stands alone, for it has the target's own
  noise in it, which nothing that is known beforehand has.  Leaks that were found are not counted among the others, nor
  are columns with u <= `CERTAIN`; so two leaks do not excuse each other.  Several suspects that are about equally
  strong, far above the rest, may be one quantity measured several times, or several leaks: that is a *note*.
* `LONELY`, 0.7: where the others together leave more than this, they are no yardstick.  The outdoor temperature explains
  nine tenths of what heating takes, the wind nothing: that column is the input, not a leak.  Beside such company only
  what is near certain is suspected; the rest is a *note*, with no advice to leave it out.
* `CERTAIN`, u <= 0.01: a *problem*; above, a *warning*, since only the owner knows when a column becomes known.
* 1/n is added to u: one more row, predicted no better than by the mean, must not change the verdict.
* A single column that can be used is the input, whatever it explains.

What explains little alone and is a leak all the same is in `retrograd.data.identities`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from retrograd.data.findings import Finding
from retrograd.data.identities import find_identities
from retrograd.data.split import Split
from retrograd.data.table import Column, Table
from retrograd.data.task import Task

SUSPECT = 0.15
RATIO = 4.0
CERTAIN = 0.01
LONELY = 0.7

FEWEST = 20
"""Fewer rows than this say nothing about a leak."""
_CELLS = 2_000_000  # rows times columns that are looked at
_SMALL = 3000  # rows up to which five folds are worth their time,
_NARROW = 600_000  # unless they have very many columns: rows times columns
_NEAR = 7  # neighbours
_CLASSES = 20  # the most frequent ones; the others are one
_ENOUGH = 8000  # rows for fitting the other columns together
_LEVELS = 20  # of a category among the other columns
_COMPANY = 60  # the most telling of the other columns
_NUMBER = re.compile(r"[-+]?\d+(?:[.,' ]\d{3})*(?:[.,]\d+)?")


def find_leaks(table: Table, *, target: str, task: Task, split: Split) -> list[Finding]:
    """A finding for each column that gives the target away.

    >>> from retrograd.data import infer_task, read_table, split_rows
    >>> r = np.random.default_rng(0)
    >>> size, price = r.normal(size=400), r.normal(size=400)
    >>> table = read_table({"size": size, "tax": 0.1 * price, "age": r.normal(size=400), "price": price})
    >>> task, split = infer_task(table.columns["price"]), split_rows(table, target="price")
    >>> [(finding.columns, finding.severity) for finding in find_leaks(table, target="price", task=task, split=split)]
    [(['tax'], 'problem')]
    """
    names = [name for name, column in table.columns.items() if name != target and column.kind != "constant"]
    usable = [name for name in names if table.columns[name].kind not in ("id", "text")]
    if len(usable) < 2:  # what stands alone is the input
        return []
    trial = _Trial.of(table, target, task, split, len(names))
    if len(trial.rows) < FEWEST:
        return []
    with np.errstate(over="ignore", invalid="ignore"):
        findings = _single(table, target, trial, names, set(usable))
        # what nearly is the target needs no further look; what explains much may be a part of it
        told = {name for finding in findings if finding.severity == "problem" for name in finding.columns}
        return findings + find_identities(table, target, task, [name for name in usable if name not in told])


def _single(table: Table, target: str, trial: _Trial, names: list[str], usable: set[str]) -> list[Finding]:
    columns = {name: trial.take(table.columns[name]) for name in names}
    left = {name: trial.alone(column) for name, column in columns.items()}
    suspects = sorted(
        (name for name in names if left[name].min() <= SUSPECT), key=lambda name: left[name].min()
    )
    if not suspects:
        return []
    company = [
        name
        for name in sorted(usable, key=lambda name: (left[name].min(), name))
        if left[name].min() > CERTAIN
    ]

    def rest(others: list[str]) -> np.ndarray:
        together = trial.together([columns[name] for name in others[:_COMPANY]])
        return np.minimum.reduce([together, *(left[name] for name in others)])

    findings, open_ones = [], []
    for name in suspects[:_COMPANY]:
        company = [other for other in company if other != name]
        unexplained = rest(company)
        better = _far_better(left[name], unexplained)
        if better is not None and (left[name][better] <= CERTAIN or unexplained[better] <= LONELY):
            unused = table.columns[name].kind if name not in usable else ""
            findings.append(_gives_away(name, target, left[name][better], unexplained[better], unused))
        else:
            company.append(name)
            open_ones.append(name)
            if left[name].min() > CERTAIN:  # the weaker ones have this one for company
                break
    open_ones = [name for name in suspects if name in company or name in open_ones]
    if open_ones:
        unexplained = rest([name for name in company if name not in suspects])
        strong = [
            name for name in open_ones if name in usable and _far_better(left[name], unexplained) is not None
        ]
        if strong:
            findings.append(_strong(strong, target))
    return findings


def _far_better(left: np.ndarray, rest: np.ndarray) -> int | None:
    """The scale on which a column leaves little, and far less than the others do."""
    scales = np.flatnonzero((left <= SUSPECT) & (left * RATIO <= rest))
    return int(scales[np.argmin(left[scales])]) if len(scales) else None


def _gives_away(name: str, target: str, left: float, rest: float, unused: str) -> Finding:
    end = f" It is not used ({unused})." if unused else ""
    alone, others = (f"{100 * max(0.0, 1 - share):.3g} %" for share in (left, rest))
    return Finding(
        "leak",
        "problem" if left <= CERTAIN and not unused else "warning",
        f"{name} gives {target} away: alone it explains {alone} of it on rows not learnt from, all the other columns "
        f"together {others}. Is it known before {target} is?{end}",
        [name],
        [],
        f"--exclude {shlex.quote(name)}",
    )


def _strong(names: list[str], target: str) -> Finding:
    several = len(names) > 1
    return Finding(
        "strong_column",
        "note",
        f"{', '.join(names)} {'explain' if several else 'explains'} {target} far better than all the other columns do: "
        f"{'are they' if several else 'is it'} known before {target} is?",
        names,
        [],
        f"nothing, if {'they are' if several else 'it is'} known before {target} is",
    )


# --- one column alone ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _View:
    """A way to look at a column: numbers with NaN, or codes (-1 where missing)."""

    values: np.ndarray

    @property
    def is_number(self) -> bool:
        return self.values.dtype.kind == "f"


def _views(column: Column) -> Iterable[_View]:
    """The column as it stands, and what may hide in it: numbers in texts, the pattern of codes, the last digit."""
    values = column.values
    if values.dtype.kind == "M":
        yield _View(np.where(column.missing, np.nan, values.astype(np.int64)))
    elif values.dtype == object:
        codes, names = column.codes
        yield _View(codes)
        if len(names) > 20:
            yield _View(_looked_up(codes, [_number_in(name) for name in names]))
            for pattern in (lambda s: re.sub(r"\d+", "0", s), lambda s: s[:1], lambda s: s[-1:]):
                known: dict[str, int] = {}
                yield _View(
                    np.array([*(known.setdefault(pattern(name), len(known)) for name in names), -1])[codes]
                )
    else:
        yield _View(values)
        finite = values[np.isfinite(values)]
        if finite.size and (finite == np.floor(finite)).all() and finite.max() - finite.min() > 20:
            there = np.isfinite(values)
            yield _View(np.where(there, np.mod(np.where(there, values, 0), 10), -1).astype(np.int64))


def _number_in(text: str) -> float:
    """The first number of a text; of several separators the last is the decimal one, and so is one not before 3 digits.

    >>> [_number_in(text) for text in ("USD 221,900", "1.234,5 kg", "A-12.75", "none")]
    [221900.0, 1234.5, -12.75, nan]
    """
    found = _NUMBER.search(text)
    if not found:
        return np.nan
    whole, mark, last = found[0].replace("'", "").replace(" ", "").replace(",", ".").rpartition(".")
    decimal = mark and (len(last) != 3 or ("," in found[0] and "." in found[0]))
    return float(f"{whole.replace('.', '')}.{last}" if decimal else f"{whole}{last}".replace(".", ""))


def _looked_up(codes: np.ndarray, numbers: list[float]) -> np.ndarray:
    return np.array([*numbers, np.nan])[codes]


@dataclass(frozen=True)
class _Trial:
    """The rows that are looked at, the target as numbers (n, K), which of these K are one measure, and the folds: pairs of
    (rows to learn from, rows to judge by).
    """

    rows: np.ndarray
    y: np.ndarray
    scales: list[slice]
    folds: list[tuple[np.ndarray, np.ndarray]]

    @staticmethod
    def of(table: Table, target: str, task: Task, split: Split, width: int) -> _Trial:
        both = np.concatenate([split.train, split.validation])
        judged = np.arange(len(both)) >= len(split.train)
        column = table.columns[target]
        there = ~column.missing[both]
        if column.values.dtype.kind == "f":
            there &= np.isfinite(column.values[both])
        folded = len(both) <= _SMALL and len(both) * width <= _NARROW
        if folded:  # equal rows in two folds would let a column of unequal values look telling
            ids = [name for name, each in table.columns.items() if each.kind == "id"]
            first = np.zeros(len(both), dtype=bool)
            first[np.unique(table.row_hashes(exclude=ids)[both], return_index=True)[1]] = True
            there &= first
        both, judged = both[there], judged[there]
        most = max(1000, _CELLS // width)
        if len(both) > most:  # evenly spaced, so that no part of the file is left out
            chosen = np.linspace(0, len(both) - 1, most).astype(np.int64)
            both, judged = both[chosen], judged[chosen]
        if folded:
            fold = np.random.default_rng(0).permutation(len(both)) % 5
            folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(5)]
        else:
            folds = [(np.flatnonzero(~judged), np.flatnonzero(judged))]
        y = _as_numbers(column.take(both), task)
        scales = [slice(0, 1), slice(1, 2)] if task.kind == "regression" else [slice(0, y.shape[1])]
        return _Trial(both, y, scales, folds)

    def take(self, column: Column) -> Column:
        return column.take(self.rows)

    def share(self, predictions: list[np.ndarray], mask: np.ndarray | None = None) -> np.ndarray:
        """Σ(y - ŷ)² / Σ(y - ȳ)² + 1/n over the judged rows (in ``mask``) for each scale, ȳ from the rows learnt from."""
        wrong, ignorant, count = np.zeros(self.y.shape[1]), np.zeros(self.y.shape[1]), 0
        for (learn, judge), predicted in zip(self.folds, predictions):
            if mask is not None:
                keep = mask[judge]
                learn, judge, predicted = learn[mask[learn]], judge[keep], predicted[keep]
            if len(learn) and len(judge):
                wrong += np.sum((self.y[judge] - predicted) ** 2, axis=0)
                ignorant += np.sum((self.y[judge] - self.y[learn].mean(axis=0)) ** 2, axis=0)
                count += len(judge)
        sums = [(float(wrong[scale].sum()), float(ignorant[scale].sum())) for scale in self.scales]
        return np.array([w / i + 1 / count if i > 0 else np.inf for w, i in sums])

    def alone(self, column: Column) -> np.ndarray:
        """What a column leaves unexplained on each scale, in the best way to look at it."""
        found = np.full(len(self.scales), np.inf)
        gaps = column.missing
        known = ~gaps if gaps.any() and np.count_nonzero(~gaps) >= max(50, 0.1 * len(gaps)) else None
        for view in _views(column):
            predict = _near_means if view.is_number else _equal_means
            values = view.values
            predictions = [
                predict(values[learn], self.y[learn], values[judge]) for learn, judge in self.folds
            ]
            found = np.minimum(found, self.share(predictions))
            if known is not None:
                found = np.minimum(found, self.share(predictions, known))
        return found

    def together(self, columns: list[Column]) -> np.ndarray:
        """What these columns leave unexplained together: ridge regression on steps and levels of each (an additive model)."""
        if not columns:
            return np.full(len(self.scales), np.inf)
        views = [next(iter(_views(column))) for column in columns]
        predictions = []
        for learn, judge in self.folds:
            learn = learn[np.linspace(0, len(learn) - 1, min(len(learn), _ENOUGH)).astype(np.int64)]
            features = [_steps(view, learn, judge) for view in views]
            ones = [np.ones((len(rows), 1)) for rows in (learn, judge)]
            x, new = (np.concatenate([ones[k], *(each[k] for each in features)], axis=1) for k in (0, 1))
            gram = x.T @ x + np.diag([1e-9, *np.ones(x.shape[1] - 1)])
            predictions.append(new @ np.linalg.solve(gram, x.T @ self.y[learn]))
        found = self.share(predictions)
        if len(self.scales) == 1:  # least squares is timid about classes: bolder versions of the same ranking
            for power in (1.5, 2.5, 4.0, 8.0):
                bold = [np.clip(each, 1e-3, None) ** power for each in predictions]
                found = np.minimum(
                    found, self.share([each / each.sum(axis=1, keepdims=True) for each in bold])
                )
        return found


def _as_numbers(column: Column, task: Task) -> np.ndarray:
    """Ranks in 0 to 1 and values without their extremes (n, 2); or one-hot classes (n, K)."""
    if task.kind == "regression":
        _, place, counts = np.unique(column.values, return_inverse=True, return_counts=True)
        rank = ((np.cumsum(counts) - 0.5 * counts) / len(column.values))[place]
        values = column.values / max(float(np.abs(column.values).max()), 1e-300)
        return np.stack([rank, np.clip(values, *np.quantile(values, [0.005, 0.995]))], axis=1)
    codes = column.codes[0]
    counts = np.bincount(codes)
    place = np.empty(len(counts), dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(len(counts)), _CLASSES - 1)
    return np.eye(int(place.max()) + 1)[place[codes]]


def _near_means(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Mean of y over the training rows with this x, and its nearest neighbours where these are few."""
    gap, new_gap = np.isnan(x), np.isnan(new)
    out = np.empty((len(new), y.shape[1]))
    mean = y.mean(axis=0)
    out[new_gap] = (y[gap].sum(axis=0) + mean) / (gap.sum() + 1)
    order = np.argsort(x[~gap], kind="stable")
    sorted_x, sorted_y = x[~gap][order], y[~gap][order]
    if not len(sorted_x):
        out[~new_gap] = mean
        return out
    sums = np.concatenate([np.zeros((1, y.shape[1])), np.cumsum(sorted_y, axis=0)])
    low = np.searchsorted(sorted_x, new[~new_gap], "left")
    high = np.searchsorted(sorted_x, new[~new_gap], "right")
    wanted = np.maximum(0, min(_NEAR, len(sorted_x)) - (high - low))
    low = np.maximum(0, low - wanted // 2)
    high = np.minimum(len(sorted_x), high + wanted - wanted // 2)
    out[~new_gap] = (sums[high] - sums[low]) / (high - low)[:, None]
    return out


def _equal_means(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Mean of y over the training rows with this code and one row more that is like the average."""
    size = int(max(x.max(), new.max())) + 2
    counts = np.bincount(x + 1, minlength=size)
    sums = np.stack([np.bincount(x + 1, y[:, k], minlength=size) for k in range(y.shape[1])], axis=1)
    return ((sums + y.mean(axis=0)) / (counts + 1)[:, None])[new + 1]


def _steps(view: _View, learn: np.ndarray, judge: np.ndarray) -> list[np.ndarray]:
    """Features of the rows ``learn`` and ``judge``: the eighth in which a number is and its rank; the most frequent levels."""
    if not view.is_number:
        levels = np.argsort(-np.bincount(view.values[learn] + 1), kind="stable")[:_LEVELS] - 1
        return [(view.values[rows, None] == levels).astype(np.float64) for rows in (learn, judge)]
    known = np.sort(view.values[learn][~np.isnan(view.values[learn])])
    edges = np.unique(known[(np.arange(1, 8) * len(known)) // 8]) if len(known) else known
    features = []
    for rows in (learn, judge):
        values = view.values[rows]
        gap = np.isnan(values)
        rank = np.where(gap, 0.5, np.searchsorted(known, values) / max(1, len(known)))
        step = np.where(gap, -1, np.searchsorted(edges, values))
        features.append(
            np.column_stack([rank, step[:, None] == np.arange(-1, len(edges) + 1)]).astype(np.float64)
        )
    return features
