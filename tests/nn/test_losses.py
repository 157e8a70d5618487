"""Losses by hand numbers, by their definitions, and by what their minimisers must be on real data."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from real_data import breast_cancer, red_wine
from retrograd import nn, optim
from retrograd.errors import UsageError


@pytest.mark.row("NET-12")
def test_losses_measure_the_distance_from_the_target() -> None:
    random = np.random.default_rng(0)
    y = rg.tensor(random.normal(size=(8, 3)))
    away = rg.tensor(random.normal(size=(8, 3)))
    of_numbers = [nn.MSELoss(), nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss(delta=0.7)]
    classes = rg.tensor(random.integers(0, 3, size=8))
    perfect = F.one_hot(classes, 3).double() * 2000 - 1000
    flags = rg.tensor(random.integers(0, 2, size=(8, 3))).double()
    cases = [(loss, y, y, away) for loss in of_numbers]
    cases += [
        (nn.CrossEntropyLoss(), perfect, classes, rg.tensor(random.normal(size=(8, 3))) - perfect * 1e-3)
    ]
    cases += [(nn.BCEWithLogitsLoss(), flags * 2000 - 1000, flags, 2 - flags * 4)]

    def own(prediction: rg.Tensor, target: rg.Tensor) -> rg.Tensor:
        """A loss that a user would write: a quantile loss."""
        error = target - prediction
        return rg.maximum(error * 0.9, error * -0.1).mean()

    for loss, best, target, direction in [*cases, (own, y, y, away)]:
        values = [loss(best + (direction if k else 0) * k, target).item() for k in (0.0, 0.5, 1.0, 2.0)]
        if (
            loss is cases[-2][0] or loss is cases[-1][0]
        ):  # logits: from the perfect ones towards the wrong ones
            values = [loss(best * (1 - k) + direction * k, target).item() for k in (0.0, 0.9, 0.99, 1.0)]
        assert values[0] == pytest.approx(0, abs=1e-12), loss
        assert values == sorted(values), loss
        assert values[-1] > values[0], loss
        at = rg.tensor(random.normal(size=(8, 3)), requires_grad=True)
        assert rg.autograd.gradcheck(lambda p, loss=loss, target=target: loss(p, target), at), loss

    net = nn.Linear(2, 3).double()  # the user's own loss trains a net like any other
    x = rg.tensor(random.normal(size=(8, 2)))
    optimizer = optim.Adam(net.parameters(), lr=0.05)
    first = own(net(x), y).item()
    for _ in range(300):
        optimizer.zero_grad()
        own(net(x), y).backward()
        optimizer.step()
    assert own(net(x), y).item() < 0.7 * first


@pytest.mark.row("NET-13")
def test_mse_by_hand() -> None:
    x, y = rg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True), rg.tensor([[0.0, 2.0], [5.0, 1.0]])
    assert F.mse_loss(x, y, reduction="none").tolist() == [[1.0, 0.0], [4.0, 9.0]]
    assert F.mse_loss(x, y, reduction="sum").item() == 14.0
    loss = F.mse_loss(x, y)
    assert loss.item() == 3.5  # over all elements, not over rows
    loss.backward()
    assert x.grad.tolist() == [[0.5, 0.0], [-1.0, 1.5]]


@pytest.mark.row("NET-13")
def test_linear_net_reaches_least_squares_on_real_data(data_dir: Path) -> None:
    x, y = red_wine(data_dir)
    design = np.hstack([x, np.ones((len(x), 1))])
    exact = np.linalg.lstsq(design, y, rcond=None)[0]
    net = nn.Linear(x.shape[1], 1).double()
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.95)
    inputs, targets = rg.tensor(x), rg.tensor(y).unsqueeze(1)
    for _ in range(4000):
        optimizer.zero_grad()
        loss = F.mse_loss(net(inputs), targets)
        loss.backward()
        optimizer.step()
    found = np.append(net.weight.detach().numpy().ravel(), net.bias.detach().numpy())
    np.testing.assert_allclose(found, exact, atol=1e-4)
    assert loss.item() == pytest.approx(np.mean((design @ exact - y) ** 2), rel=1e-4)


@pytest.mark.row("NET-14")
def test_cross_entropy_by_definition() -> None:
    random = np.random.default_rng(0)
    for k in (2, 3, 10, 1000):
        classes = rg.tensor(random.integers(0, k, size=7))
        uniform = F.cross_entropy(rg.full((7, k), 4.2, dtype=rg.float64), classes).item()
        assert uniform == pytest.approx(math.log(k), rel=1e-14)
    assert F.binary_cross_entropy_with_logits(rg.zeros(4, dtype=rg.float64), rg.ones(4)).item() == math.log(2)
    x, y = random.normal(size=(20, 4)) * 2, random.integers(0, 4, size=20)
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    likelihood = -np.mean(np.log(p[np.arange(20), y]))
    assert F.cross_entropy(rg.tensor(x), rg.tensor(y)).item() == pytest.approx(likelihood, rel=1e-13)
    hot = F.one_hot(rg.tensor(y), 4).double()
    assert F.cross_entropy(rg.tensor(x), hot).item() == pytest.approx(likelihood, rel=1e-13)
    s, t = x[:, 0], (y > 1).astype(float)
    q = 1 / (1 + np.exp(-s))
    binary = -np.mean(t * np.log(q) + (1 - t) * np.log(1 - q))
    assert F.binary_cross_entropy_with_logits(rg.tensor(s), rg.tensor(t)).item() == pytest.approx(
        binary, rel=1e-13
    )
    assert F.binary_cross_entropy(rg.tensor(q), rg.tensor(t)).item() == pytest.approx(binary, rel=1e-13)
    # Probability 0 for what happened: finite.
    for p_, t_ in ((0.0, 1.0), (1.0, 0.0)):
        one = rg.tensor([p_], requires_grad=True)
        F.binary_cross_entropy(one, rg.tensor([t_])).backward()
        assert np.isfinite(one.grad.numpy()).all()
    scores = rg.tensor([[2000.0, -2000.0]], requires_grad=True)
    F.cross_entropy(scores, rg.tensor([1])).backward()
    assert scores.grad.tolist() == [[1.0, -1.0]]
    with pytest.raises(UsageError, match="between 0 and 1"):
        F.binary_cross_entropy(rg.tensor([1.5]), rg.tensor([1.0]))


@pytest.mark.row("NET-14")
def test_logistic_regression_agrees_with_an_independent_solver(data_dir: Path) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    x, y = breast_cancer(data_dir)
    penalty = 0.05  # the classes can be separated almost: without a penalty there is no minimum

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ w[:-1] + w[-1]
        loss = np.mean(np.logaddexp(0, z) - y * z) + penalty * w[:-1] @ w[:-1] / 2
        slope = 1 / (1 + np.exp(-z)) - y
        return loss, np.append(x.T @ slope / len(y) + penalty * w[:-1], slope.mean())

    exact = optimize.minimize(
        objective,
        np.zeros(x.shape[1] + 1),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    net = nn.Linear(x.shape[1], 1).double()
    groups = [{"params": [net.weight], "weight_decay": penalty}, {"params": [net.bias]}]
    optimizer = optim.SGD(groups, lr=0.2, momentum=0.9)
    inputs, targets = rg.tensor(x), rg.tensor(y).double().unsqueeze(1)
    for _ in range(2500):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(net(inputs), targets).backward()
        optimizer.step()
    found = np.append(net.weight.detach().numpy().ravel(), net.bias.detach().numpy())
    np.testing.assert_allclose(found, exact.x, atol=1e-4)
    assert objective(found)[0] == pytest.approx(exact.fun, rel=1e-6)
