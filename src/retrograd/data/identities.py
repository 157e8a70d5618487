"""Columns that explain little of the target alone and have it in them all the same: aggregates, parts, sums.

All are equations that hold for (nearly) every row, which chance does not bring about:

* an *aggregate* (a mean of the target by group with the row itself in it) is calibrated exactly: the rows where it has
  the value v have the mean target v, whatever the groups were;
* *within groups* of some category it is an exact linear function of the target (a mean over the other rows of the
  group, the target in local money);
* it is a coarse *step function* of the target (above the median or not): its levels divide the target's range;
* a few columns have the target for their *sum* or product (registered + casual = count).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import numpy as np

from retrograd.data.findings import Finding, Severity
from retrograd.data.table import Table
from retrograd.data.task import Task

NEAR = 1e-3
"""Statistic and value may differ by so many standard deviations of the target: both may be rounded."""
MOST = 0.9
"""The share of the groups in which an equation must hold: some cells may have been changed since."""
FEWEST_GROUPS = 5
EXACT = 1e-6
"""The share of the target's variance that a sum may leave."""
MOST_PARTS = 4
DIVIDED = 0.95
"""Cohen's kappa between the levels of a column and the ranges of the target: 1 when they never overlap."""
_CLASSES = 20
_PAIRS = 300


def find_identities(table: Table, target: str, task: Task, names: list[str]) -> list[Finding]:
    """A finding for each of the columns ``names`` (or few of them together) in which the target is hidden."""
    known = ~table.columns[target].missing
    if task.kind == "regression":
        known &= np.isfinite(table.columns[target].values)
    rows = np.flatnonzero(known)
    numbers = {
        name: table.columns[name].values[rows]
        for name in names
        if table.columns[name].values.dtype.kind == "f" and table.columns[name].kind != "boolean"
    }
    targets = _targets(table, target, task, rows)
    scale = max(max(float(np.abs(y).max(initial=0)) for y in targets.values()), 1e-300)
    targets = {words: y / scale for words, y in targets.items()}  # no square of a number overflows
    numbers = {name: x / scale for name, x in numbers.items()}
    groups = {
        name: table.columns[name].codes[0][rows]
        for name in names
        if table.columns[name].kind in ("category", "boolean")
        or (name in numbers and _few_whole(numbers[name]))
    }
    found = [*_aggregates(numbers, targets)]
    told = {name for finding in found for name in finding.columns}
    numbers = {name: x for name, x in numbers.items() if name not in told}
    found += _within_groups(numbers, groups, targets)
    if task.kind == "regression":
        told = {name for finding in found for name in finding.columns}
        found += [
            _step_function(name, target, len(np.unique(codes)))
            for name, codes in groups.items()
            if name not in told and _divides(codes, targets[target])
        ]
        told = {name for finding in found for name in finding.columns}
        numbers = {name: x for name, x in numbers.items() if name not in told and np.isfinite(x).all()}
        found += _sums(target, numbers, targets[target], len(names))
    return found


def _targets(table: Table, target: str, task: Task, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The target as a number; a class as 0 and 1, each of several."""
    column = table.columns[target]
    if task.kind == "regression":
        return {target: column.values[rows]}
    codes, classes = column.codes
    return {
        f"{target} = {name}": (codes[rows] == i).astype(np.float64)
        for i, name in enumerate(classes[:_CLASSES])
    }


def _few_whole(values: np.ndarray) -> bool:
    head = values[:2000]
    head = head[np.isfinite(head)]
    return bool((head == np.floor(head)).all()) and len(np.unique(head)) <= 200


# --- aggregates ------------------------------------------------------------------------------------------------------


def _aggregates(numbers: dict[str, np.ndarray], targets: dict[str, np.ndarray]) -> Iterator[Finding]:
    for name, x in numbers.items():
        there = np.isfinite(x)
        for words, y in targets.items():
            what = _aggregate_of(x[there], y[there])
            if what:
                yield _aggregate(name, words, *what)
                break


def _aggregate(name: str, words: str, statistic: str, own: float) -> Finding:
    severity: Severity = "problem" if own > 0.05 else "warning"
    return Finding(
        "leak",
        severity,
        f"{name} is the {statistic} of {words} over groups of rows, with each row's own in it ({own:.1%} on average)",
        [name],
        [],
        f"--exclude {shlex.quote(name)}, or make it from training rows alone",
    )


def _aggregate_of(x: np.ndarray, y: np.ndarray) -> tuple[str, float] | None:
    """Which statistic of y the values of x are, over the rows of equal x, and the share of one row in its group."""
    if len(x) < 2 * FEWEST_GROUPS or np.ptp(x) == 0:
        return None
    near = NEAR * float(y.std())
    # an aggregate lies within y's range, and has about the slope 1, or x is a bound to y: most columns are soon seen to be none
    if x.min() < y.min() - near or x.max() > y.max() + near:
        return None
    shares = len(np.unique(y[:1000])) == 2  # of 0 and 1 only the mean says something
    slope = float(np.mean((x - x.mean()) * (y - y.mean())) / max(float(np.var(x)), 1e-300))
    average = 0.3 < slope < 3.0
    bounds = (False, False) if shares else (np.mean(x <= y + near) >= MOST, np.mean(x >= y - near) >= MOST)
    if not average and not any(bounds):
        return None
    values, group, counts = np.unique(x, return_inverse=True, return_counts=True)
    ordered = y[np.lexsort((y, group))]
    ends = np.cumsum(counts)
    starts = ends - counts
    low, high = ordered[starts], ordered[ends - 1]
    telling = low < high  # a group of equal targets fits by being a copy
    if np.count_nonzero(telling) < FEWEST_GROUPS or counts[telling].sum() < 0.1 * len(x):
        return None
    middle = 0.5 * (ordered[starts + (counts - 1) // 2] + ordered[starts + counts // 2])
    statistics = {"mean": np.bincount(group, y) / counts} if average else {}
    # where y = x in many rows, x may be a part of y or a bound to it
    equal = float(np.mean((y == x)[telling[group]]))
    if not shares and equal <= 3 * np.count_nonzero(telling) / counts[telling].sum():
        statistics |= {"median": middle} if average else {}
        statistics |= {
            word: side
            for word, side, bound in zip(("least value", "largest value"), (low, high), bounds)
            if bound
        }
    for words, statistic in statistics.items():
        if np.mean(np.abs(statistic - values)[telling] <= near) >= MOST:
            return words, len(values) / len(x)
    return None


# --- within groups ---------------------------------------------------------------------------------------------------


def _within_groups(
    numbers: dict[str, np.ndarray], groups: dict[str, np.ndarray], targets: dict[str, np.ndarray]
) -> list[Finding]:
    """Number columns that are an exact linear function of the target in each group of another column."""
    found = {}
    if len(targets) == 2:  # one class is 1 less the other
        targets = dict([next(iter(targets.items()))])
    pairs = [(name, by) for name in numbers for by in groups if by != name][:_PAIRS]
    for name, by in pairs:
        for words, y in targets.items():
            if name not in found and _linear_within(numbers[name], groups[by], y):
                found[name] = Finding(
                    "leak",
                    "problem",
                    f"{name} gives {words} away: among rows of one {by} it follows from it exactly",
                    [name],
                    [],
                    f"--exclude {shlex.quote(name)}",
                )
    return list(found.values())


def _linear_within(x: np.ndarray, codes: np.ndarray, y: np.ndarray) -> bool:
    there = np.isfinite(x) & (codes >= 0)
    head = there & (np.arange(len(x)) < 3000)  # most pairs are seen to be nothing on some of the rows
    if np.count_nonzero(head) < np.count_nonzero(there) and not _linear(x[head], codes[head], y[head]):
        return False
    return _linear(x[there], codes[there], y[there])


def _linear(x: np.ndarray, codes: np.ndarray, y: np.ndarray) -> bool:
    if not len(x):
        return False
    counts = np.bincount(codes)
    several = counts >= 5
    if np.count_nonzero(several) < FEWEST_GROUPS:
        return False
    size = np.maximum(counts, 1)
    dx = x - (np.bincount(codes, x) / size)[codes]
    dy = y - (np.bincount(codes, y) / size)[codes]
    xx, yy, xy = (np.bincount(codes, each)[several] for each in (dx * dx, dy * dy, dx * dy))
    telling = (xx > 1e-12 * max(float(x.var()), 1e-300)) & (yy > 1e-12 * max(float(y.var()), 1e-300))
    # where the column is the same in a whole group, it says nothing there
    if np.count_nonzero(telling) < max(FEWEST_GROUPS, 0.5 * np.count_nonzero(several)):
        return False
    return bool(np.mean(xy[telling] ** 2 >= (1 - NEAR) * xx[telling] * yy[telling]) >= MOST)


# --- step functions --------------------------------------------------------------------------------------------------


def _step_function(name: str, target: str, levels: int) -> Finding:
    return Finding(
        "leak",
        "problem",
        f"{name} divides {target} into {levels} ranges that hardly overlap: it was made from it",
        [name],
        [],
        f"--exclude {shlex.quote(name)}",
    )


def _divides(codes: np.ndarray, y: np.ndarray) -> bool:
    """True where rows sorted by y stand level by level: agreement beyond chance (Cohen's kappa) of `DIVIDED`."""
    counts = np.bincount(codes + 1)  # missing is a level
    if np.count_nonzero(counts) < 2 or len(y) < 20 * np.count_nonzero(counts):
        return False
    place = np.argsort(np.argsort(np.bincount(codes + 1, y) / np.maximum(counts, 1)))[codes + 1]
    # equal targets stand in the worst order, so that a cut within them counts as none
    seen, wanted = place[np.lexsort((-place, y))], np.sort(place)
    chance = float(np.sum((counts / len(y)) ** 2))
    return chance < 0.98 and (float(np.mean(seen == wanted)) - chance) / (1 - chance) >= DIVIDED


# --- sums ------------------------------------------------------------------------------------------------------------


def _sums(target: str, numbers: dict[str, np.ndarray], y: np.ndarray, usable: int) -> list[Finding]:
    """Two to `MOST_PARTS` columns, but not all there are, of which the target is a sum or product."""
    if len(y) < 50 or len(numbers) < 2:
        return []
    rows = np.linspace(0, len(y) - 1, min(len(y), 3000)).astype(np.int64)
    sample = {name: x[rows] / np.abs(x).max() for name, x in numbers.items() if np.ptp(x[rows]) > 0}
    positive = {name: np.log(x) for name, x in sample.items() if x.min() > 0}
    trials = [("sum", sample, y[rows])]
    if y[rows].min() > 0:
        trials.append(("product", positive, np.log(y[rows])))
    for words, columns, goal in trials:
        parts = _parts(columns, goal)
        if 2 <= len(parts) < usable:
            shown = ", ".join(parts[:-1]) + f" and {parts[-1]}"
            return [
                Finding(
                    "leak",
                    "warning",
                    f"{target} is a {words} made of {shown}, exactly: are they known before {target} is?",
                    parts,
                    [],
                    " ".join(f"--exclude {shlex.quote(name)}" for name in parts),
                )
            ]
    return []


def _parts(columns: dict[str, np.ndarray], y: np.ndarray) -> list[str]:
    """Columns of which y is a linear combination; none if there are no such (orthogonal matching pursuit)."""
    columns = {name: each for name, each in columns.items() if each.std() > 1e-12}
    if len(columns) < 2 or np.ptp(y) == 0:
        return []
    names = list(columns)
    x = np.stack([(each - each.mean()) / each.std() for each in columns.values()], axis=1)
    y = (y - y.mean()) / y.std()
    chosen: list[int] = []
    left = y
    for _ in range(min(MOST_PARTS, len(names))):
        match = np.abs(x.T @ left)
        match[chosen] = -1
        chosen.append(int(match.argmax()))
        weights = np.linalg.lstsq(x[:, chosen], y, rcond=None)[0]
        left = y - x[:, chosen] @ weights
        if np.mean(left**2) <= EXACT:
            kept = [names[i] for i, weight in zip(chosen, weights) if abs(weight) > 1e-3]
            return sorted(kept, key=names.index)
    return []
