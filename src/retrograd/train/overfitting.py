"""Overfitting: does the network do better on the rows it learnt from than chance differences allow?

With l_i the loss of row i, the *gap* is  mean(l over validation rows) - mean(l over training rows),  and its standard
error  sqrt(var/n of the one + var/m of the other).  A gap is called overfitting when it is certain (more than four
standard errors) and matters: when the training loss makes up less than two thirds of the validation loss.  A gap that
would matter and is not certain is left open.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CERTAIN = 4.0
MATTERS = 2.0 / 3.0
_FEWEST = 10


@dataclass(frozen=True)
class Overfitting:
    """``verdict``: "overfitting", "none" or "unknown"; the losses compared; the gap and its standard error."""

    verdict: str
    sentence: str
    training_loss: float
    validation_loss: float
    gap: float
    standard_error: float

    def __bool__(self) -> bool:
        return self.verdict == "overfitting"


def row_losses(task_kind: str, actual: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Loss of each row: squared error of values (n,), or -log of the probability given to the true class (n, K).

    >>> row_losses("regression", np.array([1.0, 2.0]), np.array([1.0, 4.0])).tolist()
    [0.0, 4.0]
    """
    if task_kind == "regression":
        return (np.asarray(actual, np.float64) - np.asarray(predicted, np.float64)) ** 2
    given = np.asarray(predicted, np.float64)[np.arange(len(actual)), np.asarray(actual, np.int64)]
    return -np.log(np.clip(given, 1e-15, 1.0))


def judge_overfitting(training: np.ndarray, validation: np.ndarray) -> Overfitting:
    """Verdict from the row losses of training and validation rows, all in evaluation mode.

    >>> rng = np.random.default_rng(0)
    >>> judge_overfitting(rng.exponential(1.0, 500), rng.exponential(1.0, 200)).verdict
    'none'
    >>> judge_overfitting(rng.exponential(0.1, 500), rng.exponential(1.0, 200)).verdict
    'overfitting'
    """
    train, held_out = float(np.mean(training)), float(np.mean(validation))
    gap = held_out - train
    error = float(
        np.sqrt(np.var(training) / max(1, len(training)) + np.var(validation) / max(1, len(validation)))
    )
    losses = f"the loss is {train:.3g} on training rows and {held_out:.3g} on validation rows"
    if min(len(training), len(validation)) < _FEWEST:
        verdict, sentence = "unknown", f"Too few rows to tell whether the network overfits: {losses}."
    elif gap > CERTAIN * error and train < MATTERS * held_out:
        verdict = "overfitting"
        sentence = (
            f"The network overfits: {losses}, far more than chance allows. "
            "More rows, more dropout or a smaller network would help."
        )
    elif train < MATTERS * held_out:
        verdict = "unknown"
        sentence = (
            f"Whether the network overfits is open: {losses}; with {len(validation)} validation rows "
            "such a difference can be chance."
        )
    else:
        verdict, sentence = "none", f"No overfitting worth a warning: {losses}."
    return Overfitting(verdict, sentence, train, held_out, gap, error)


def memorised_share(predicted: np.ndarray, given: np.ndarray, true: np.ndarray) -> float:
    """Share of the wrongly labelled rows for which the network repeats the wrong label it was given.

    >>> memorised_share(np.array([1, 0, 2]), given=np.array([1, 1, 2]), true=np.array([0, 0, 2]))
    0.5
    """
    wrong = np.asarray(given) != np.asarray(true)
    if not wrong.any():
        return 0.0
    return float(np.mean(np.asarray(predicted)[wrong] == np.asarray(given)[wrong]))
