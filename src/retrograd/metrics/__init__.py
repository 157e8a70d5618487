"""Judging predictions: metrics, their uncertainty, baselines, calibration, importance, what more rows would give.

Pure functions of NumPy arrays; this floor knows nothing of networks.
"""

from __future__ import annotations

from retrograd.metrics.baselines import (
    LinearPredictor,
    SimplePredictor,
    fit_linear_baseline,
    fit_simple_baseline,
    nearest_neighbour_predictions,
)
from retrograd.metrics.bootstrap import (
    LOWER_IS_BETTER,
    METRICS,
    Comparison,
    bootstrap_intervals,
    bootstrap_scores,
    compare,
    headline,
    interval,
    metrics_for,
    paired_bootstrap,
)
from retrograd.metrics.calibration import (
    calibration_table,
    expected_calibration_error,
    regression_calibration_table,
    wilson_interval,
)
from retrograd.metrics.classification import classification_metrics, confusion_matrix, roc_auc
from retrograd.metrics.learning_curve import LearningCurve, fit_learning_curve
from retrograd.metrics.logistic import fit_logistic
from retrograd.metrics.permutation import permutation_importance
from retrograd.metrics.regression import regression_metrics

__all__ = [
    "regression_metrics", "classification_metrics", "metrics_for", "headline", "METRICS", "LOWER_IS_BETTER",
    "roc_auc", "confusion_matrix",
    "bootstrap_scores", "bootstrap_intervals", "interval", "paired_bootstrap", "compare", "Comparison",
    "fit_simple_baseline", "fit_linear_baseline", "fit_logistic", "nearest_neighbour_predictions",
    "SimplePredictor", "LinearPredictor",
    "permutation_importance",
    "calibration_table", "expected_calibration_error", "regression_calibration_table", "wilson_interval",
    "fit_learning_curve", "LearningCurve",
]  # fmt: skip
