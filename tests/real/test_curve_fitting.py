"""A curve through points: the coefficients that the engine finds are the exact ones, step by step in sight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial.polynomial import polyval

from example_programs import load, run_main

CURVE = load("curve_fitting")
EXACT = 1e-4
"""How far a coefficient may be from numpy.polyfit's."""


def steepest(x: np.ndarray, degree: int) -> float:
    """The largest eigenvalue of the loss's second derivative, 2/n Σ v vᵀ with v = (1, x, x², ...)."""
    v = np.stack([x**k for k in range(degree + 1)])
    return float(np.linalg.eigvalsh(2 * v @ v.T / len(x))[-1])


@pytest.mark.row("EXA-01")
@pytest.mark.parametrize("degree, steps", [(1, 100), (2, 200), (3, 800), (4, 4000)])
def test_the_coefficients_found_are_polyfits(degree: int, steps: int) -> None:
    x, y = CURVE.made_points()
    history = CURVE.fit(x, y, degree, steps, rate=1.8 / steepest(x, degree))
    np.testing.assert_allclose(history[-1].coefficients, np.polyfit(x, y, degree)[::-1], atol=EXACT)
    assert (
        np.abs(history[5].coefficients - np.polyfit(x, y, degree)[::-1]).max() > 100 * EXACT
    )  # control: not yet


@pytest.mark.row("EXA-01")
@pytest.mark.parametrize("seed", range(5))
def test_known_coefficients_are_recovered_within_noise(seed: int) -> None:
    """Within four standard errors of least squares, which say how far noise alone moves a coefficient."""
    x, y = CURVE.made_points(rows=80, seed=seed)
    found = CURVE.fit(x, y, 3, steps=800, rate=1.8 / steepest(x, 3))[-1].coefficients
    v = np.vander(x, 4, increasing=True)
    error = CURVE.NOISE * np.sqrt(np.diag(np.linalg.inv(v.T @ v)))
    assert (np.abs(found - CURVE.KNOWN) < 4 * error).all()
    assert (np.abs(found) > 4 * error).all()  # control: the noise is small enough to tell them from 0


@pytest.mark.row("EXA-01")
def test_the_loss_falls_at_every_step_at_a_small_rate_and_not_at_a_large_one() -> None:
    x, y = CURVE.made_points()
    limit = 2 / steepest(x, 3)
    assert CURVE.largest_safe_rate(x, 3) == pytest.approx(limit, rel=1e-9)
    for share in (0.02, 0.2, 0.5, 0.95):
        losses = np.array([step.loss for step in CURVE.fit(x, y, 3, steps=300, rate=share * limit)])
        assert (np.diff(losses) < 0).all(), share
    losses = np.array([step.loss for step in CURVE.fit(x, y, 3, steps=300, rate=1.1 * limit)])
    assert (np.diff(losses) > 0).any()
    assert losses[-1] > losses[0]


@pytest.mark.row("EXA-01")
def test_every_steps_gradient_is_recorded_and_right() -> None:
    """By the formula at every step, and by central differences of the loss at some."""
    x, y = CURVE.made_points()
    rate = 1 / steepest(x, 3)
    history = CURVE.fit(x, y, 3, steps=200, rate=rate)
    assert len(history) == 201
    v = np.vander(x, 4, increasing=True)
    for k, step in enumerate(history):
        c = step.coefficients
        assert step.loss == pytest.approx(np.mean((polyval(x, c) - y) ** 2), rel=1e-12)
        np.testing.assert_allclose(step.gradient, 2 / len(x) * v.T @ (v @ c - y), rtol=1e-9, atol=1e-13)
        if k % 50 == 0:
            for i, nudge in enumerate(1e-6 * np.eye(4)):
                up, down = (np.mean((polyval(x, c + sign * nudge) - y) ** 2) for sign in (1, -1))
                assert step.gradient[i] == pytest.approx((up - down) / 2e-6, abs=1e-8)
        if k:  # and it is what moved the coefficients
            before = history[k - 1]
            np.testing.assert_allclose(
                c, before.coefficients - rate * before.gradient, rtol=1e-12, atol=1e-15
            )


@pytest.mark.row("EXA-01")
def test_points_curve_loss_and_gradients_are_shown() -> None:
    history, printed = run_main(CURVE, ["--steps", "20", "--every", "1"])
    lines = printed.splitlines()
    for k, step in enumerate(history):
        at = next(i for i, line in enumerate(lines) if line.startswith(f"step {k:5d} "))
        assert f"loss {step.loss:.6f}" in lines[at]
        assert lines[at + 2].split() == ["gradient", *(f"{g:+.6f}" for g in step.gradient)]
    drawn = [line for line in lines if line.startswith("    ") and set(line) <= set(" o*")]
    assert len(drawn) == 18
    assert sum(line.count("*") for line in drawn) == 70  # the curve, one star a column
    assert sum(line.count("o") for line in drawn) > 5  # points off the curve


@pytest.mark.row("EXA-01")
@pytest.mark.parametrize("degree", [1, 2])
def test_price_against_square_feet(degree: int, data_dir: Path) -> None:
    """21,613 real sales: the curve equals polyfit's, also in dollars, and tells more than the mean price does."""
    path = data_dir / "king-county-houses" / "kc_house_data.csv"
    arguments = [
        str(path),
        "--x",
        "sqft_living",
        "--y",
        "price",
        "--degree",
        str(degree),
        "--steps",
        "400",
        "--rate",
        "0.1",
    ]
    history, printed = run_main(CURVE, [*arguments, "--every", "200"])
    assert "21613 points" in printed
    feet, dollars = CURVE.read_points(str(path), "sqft_living", "price")
    x, y = (feet - feet.mean()) / feet.std(), (dollars - dollars.mean()) / dollars.std()
    found = history[-1].coefficients
    np.testing.assert_allclose(found, np.polyfit(x, y, degree)[::-1], atol=EXACT)
    assert (np.diff([step.loss for step in history[:40]]) < 0).all()
    at = np.array([1000.0, 2000.0, 4000.0])
    price = polyval((at - feet.mean()) / feet.std(), found) * dollars.std() + dollars.mean()
    np.testing.assert_allclose(price, np.polyval(np.polyfit(feet, dollars, degree), at), rtol=1e-3)
    assert (np.diff(price) > 0).all()
    assert history[-1].loss < 0.6  # of the spread about the mean price, which is 1 in these units
