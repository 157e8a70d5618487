"""The learning curve fitted a second time, by another search, with NumPy alone."""

from __future__ import annotations

import numpy as np

from report.check_scores import point


def learning_curve(run):
    """Posterior of a + b n^-c over the grid of c, in the plain parameters (a, b) by weighted least squares."""
    if "curve_rows" not in run.arrays:
        return None
    sizes = run.arrays["curve_rows"]
    table = run.arrays["curve_scores"].reshape(len(sizes), -1)
    n, s = np.repeat(sizes, table.shape[1]).astype(float), table.reshape(-1)
    now = len(run.arrays["train_rows"])
    freedom = len(s) - 2
    fits, evidence = [], []
    for c in [*np.linspace(-1, -0.05, 20), *np.linspace(0.05, 1.5, 30)]:
        X = np.stack([np.ones_like(n), (n / n.min()) ** -c], axis=1)
        ends = np.stack([np.ones(2), (np.array([n.min(), n.max()]) / n.min()) ** -c], axis=1)
        root = np.sqrt(n)[:, None]
        q, r = np.linalg.qr(X * root)
        beta = np.linalg.solve(r, q.T @ (s * root[:, 0]))
        rest = float(np.sum(n * (s - X @ beta) ** 2))
        rest = max(rest, 1e-18 * float(np.sum(n * s * s)) + 1e-300)
        inverse = np.linalg.inv(r.T @ r)
        # A prior flat in the two end heights is |det ends| times one flat in (a, b).
        evidence.append(
            np.log(abs(np.linalg.det(ends))) - np.log(abs(np.linalg.det(r))) - freedom / 2 * np.log(rest)
        )
        fits.append((c, beta, rest / freedom, inverse))
    weights = np.exp(np.array(evidence) - max(evidence))
    weights /= weights.sum()

    def summary(rows, noise_at):
        centre, spread = [], []
        for (c, beta, noise, inverse), _ in zip(fits, weights):
            x = rows(c)
            centre.append(x @ beta)
            spread.append(
                np.sqrt(max(0.0, noise * (x @ inverse @ x) + (noise / noise_at if noise_at else 0.0)))
            )
        centre, spread = np.array(centre), np.maximum(spread, 1e-300)

        def quantile(q):
            low, high = (centre - 1e3 * spread).min(), (centre + 1e3 * spread).max()
            for _ in range(400):
                half = low + 0.5 * (high - low)
                below = sum(w * t_cdf((half - m) / d, freedom) for w, m, d in zip(weights, centre, spread))
                low, high = (half, high) if below < q else (low, half)
            return half

        return {"value": float(weights @ centre), "low": quantile(0.025), "high": quantile(0.975)}

    def row(size):
        return lambda c: np.array([1.0, (size / n.min()) ** -c])

    best = int(np.argmax(weights))
    c, beta = fits[best][:2]
    change = summary(lambda c: row(2 * now)(c) - row(now)(c), None)
    at = {
        name: {"rows": size, **summary(row(size), size)} for name, size in (("now", now), ("double", 2 * now))
    }
    scale = abs(at["now"]["value"])
    verdict = "unclear"
    present = point(run, run.arrays["validation_actual"], run.output("validation"))[run.main]
    short = change["high"] < 0 and present is not None and at["double"]["value"] > present
    if short:
        pass
    elif change["high"] < 0 and -change["value"] >= 0.01 * scale:
        verdict = "helps"
    elif change["low"] > -0.02 * scale:
        verdict = "little"
    points = [
        {"rows": int(size), "mean": r.mean(), "low": r.min(), "high": r.max()}
        for size, r in zip(sizes, table)
    ]
    return {"metric": run.main, "points": points, "a": beta[0], "b": beta[1] * n.min() ** c, "c": c, **at,
            "change": change, "verdict": verdict}  # fmt: skip


def t_cdf(t, freedom):
    """Student's t by the finite sums for whole degrees of freedom."""
    angle = np.arctan2(t, np.sqrt(freedom))
    cos2 = np.cos(angle) ** 2
    if freedom % 2 == 0:
        total, term = 0.0, 1.0
        for j in range(freedom // 2):
            total += term
            term *= cos2 * (2 * j + 1) / (2 * j + 2)
        return 0.5 + 0.5 * np.sin(angle) * total
    total, term = 0.0, np.cos(angle)
    for j in range((freedom - 1) // 2):
        total += term
        term *= cos2 * (2 * j + 2) / (2 * j + 3)
    return 0.5 + (angle + np.sin(angle) * total) / np.pi
