"""What more rows would give: a power law through scores at growing numbers of training rows, with its doubt.

Model: the score after training on n rows is  a + b n^-c  plus noise of variance sigma^2 / n (small training sets give
scattered scores).  For a given exponent c the law is linear, so its uncertainty is exact (Student's t); the exponent
is averaged over a fixed grid with the weight that the data give it.  The prior is flat in log sigma and in the curve's
heights at the smallest and the largest n, so it does not depend on units.

Power law: Hestness and others, "Deep learning scaling is predictable, empirically", 2017.  Averaging: Gelman and
others, "Bayesian data analysis", ch. 14.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from retrograd.errors import DataError

Array = NDArray[np.float64]

EXPONENTS = np.concatenate([np.linspace(-1, -0.05, 20), np.linspace(0.05, 1.5, 30)])
"""The grid of c, from a score that falls by the same step for each row (-1, as where rows have near twins, which are
found in proportion to the rows at hand) over one that falls with log n (near 0) to one that levels off fast."""
LEVEL = 0.95


@dataclass(frozen=True)
class LearningCurve:
    """A fitted law; ``a``, ``b``, ``c`` are those of the most probable exponent, for showing the formula.

    ``weights`` (50,) is the probability of each exponent.
    """

    a: float
    b: float
    c: float
    weights: Array
    smallest: float
    largest: float
    freedom: int
    _ends: Array  # (50, 2) fitted heights at the smallest and largest n
    _variance: Array  # (50, 2, 2) their covariance
    _noise: Array  # (50,) sigma^2

    def predict(self, n: float) -> tuple[float, float, float]:
        """Expected score of one more training run on ``n`` rows, and its 95 % interval: (value, low, high)."""
        row = self._rows(n)
        return self._summary(row, self._noise / n)

    def difference(self, start: float, stop: float) -> tuple[float, float, float]:
        """Change of the expected score from ``start`` to ``stop`` rows with its 95 % interval; no run noise."""
        return self._summary(self._rows(stop) - self._rows(start), np.zeros_like(self._noise))

    def _rows(self, n: float) -> Array:
        part = _fraction(np.array([n]), self.smallest, self.largest, EXPONENTS)[:, 0]
        return np.stack([1 - part, part], axis=1)

    def _summary(self, rows: Array, noise: Array) -> tuple[float, float, float]:
        centre = np.einsum("ki,ki->k", rows, self._ends)
        variance = np.einsum("ki,kij,kj->k", rows, self._variance, rows) + noise
        spread = np.sqrt(np.maximum(variance, 0.0))
        low, high = (_mixture_quantile(q, self.weights, centre, spread, self.freedom) for q in _TAILS)
        return float(self.weights @ centre), low, high


_TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def fit_learning_curve(n: ArrayLike, score: ArrayLike) -> LearningCurve:
    """Fit  score = a + b n^-c  to scores at ``n`` training rows, with honest uncertainty.

    ``n`` is (k,) and ``score`` (k,) or (k, r), r repeats at each n.  Needs at least 4 scores at 3 different n; raises
    `DataError` otherwise, or where a score is NaN or infinite.

    >>> n = np.array([100, 200, 400, 800, 1600])
    >>> curve = fit_learning_curve(n, 1 + 5 * n**-0.5)
    >>> value, low, high = curve.predict(3200)
    >>> round(value, 3), bool(low <= value <= high)
    (1.088, True)
    """
    sizes = np.asarray(n, dtype=np.float64)
    scores = np.asarray(score, dtype=np.float64)
    if scores.ndim == 2:
        sizes = np.repeat(sizes, scores.shape[1])
    scores = scores.reshape(-1)
    if sizes.shape != scores.shape or len(scores) < 4 or len(np.unique(sizes)) < 3:
        raise DataError(
            f"a learning curve needs 4 scores at 3 different numbers of rows; got {len(scores)}",
            hint="n = [0.1, 0.2, 0.3, 0.4, 0.5] of the rows",
        )
    if not np.isfinite(scores).all() or not (sizes >= 1).all():
        raise DataError("a learning curve of NaN, infinity or no rows", hint="leave out the runs that failed")
    smallest, largest = float(sizes.min()), float(sizes.max())
    part = _fraction(sizes, smallest, largest, EXPONENTS)
    design = np.stack([1 - part, part], axis=2)  # (50, m, 2): the heights at both ends are the coefficients
    gram = np.einsum("kmi,m,kmj->kij", design, sizes, design)
    right = np.einsum("kmi,m->ki", design, sizes * scores)
    inverse = np.linalg.inv(gram)
    ends = np.einsum("kij,kj->ki", inverse, right)
    left = scores - np.einsum("kmi,ki->km", design, ends)
    freedom = len(scores) - 2
    # A perfect fit would make every other exponent impossible; rounding is the least doubt there can be.
    least = 1e-18 * float(np.sum(sizes * scores * scores)) + 1e-300
    residual = np.maximum(np.einsum("m,km->k", sizes, left * left), least)
    evidence = -0.5 * np.log(np.linalg.det(gram)) - 0.5 * freedom * np.log(residual)
    weights = np.exp(evidence - evidence.max())
    weights /= weights.sum()
    noise = residual / freedom
    best = int(np.argmax(weights))
    c = float(EXPONENTS[best])
    first, last = ends[best]
    b = float((first - last) / (smallest**-c - largest**-c))
    return LearningCurve(
        a=float(first - b * smallest**-c), b=b, c=c, weights=weights, smallest=smallest, largest=largest,
        freedom=freedom, _ends=ends, _variance=noise[:, None, None] * inverse, _noise=noise,
    )  # fmt: skip


def _fraction(n: Array, smallest: float, largest: float, exponents: Array) -> Array:
    """How much of the way from the curve's height at ``smallest`` to that at ``largest`` lies behind n: (50, m)."""
    power = n[None, :] ** -exponents[:, None]
    first, last = smallest**-exponents, largest**-exponents
    return (first[:, None] - power) / (first - last)[:, None]


def student_t_cdf(t: Array, freedom: int) -> Array:
    """P(T <= t) for a whole number of degrees of freedom, by its finite series (Abramowitz and Stegun, 26.7.3-4).

    >>> student_t_cdf(np.array([0.0, 2.7764451051977987]), 4).round(6).tolist()
    [0.5, 0.975]
    """
    angle = np.arctan(t / np.sqrt(freedom))
    sine, cosine = np.sin(angle), np.cos(angle)
    odd = freedom % 2 == 1
    term = cosine if odd else np.ones_like(cosine)
    total = np.zeros_like(cosine) if freedom == 1 else term.copy()
    for k in range(2 if odd else 1, freedom - 2, 2):
        term = term * cosine * cosine * (k / (k + 1))
        total = total + term
    inside = 2 / np.pi * (angle + sine * total) if odd else sine * total
    return (1 + inside) / 2


def _mixture_quantile(q: float, weights: Array, centre: Array, spread: Array, freedom: int) -> float:
    """The value below which the mixture of t distributions has the share q, by bisection to the last bits."""
    wide = np.maximum(spread, 1e-300)
    low, high = float(np.min(centre - 1e3 * wide)), float(np.max(centre + 1e3 * wide))
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if float(weights @ student_t_cdf((middle - centre) / wide, freedom)) < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2
