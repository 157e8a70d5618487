"""Every loss that `nn` exports is least at its perfect prediction and rises on the way from there to a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn

R = np.random.default_rng(0)
Y = rg.tensor(R.normal(size=(6, 4)))
ELSEWHERE = rg.tensor(R.normal(size=(6, 4)))
FLAGS = rg.tensor(R.integers(0, 2, (6, 4))).double()
SIGNS = FLAGS * 2 - 1
CLASSES = rg.tensor(R.integers(0, 4, 6))
HOT = nn.functional.one_hot(CLASSES, 4).double()
LABELS = rg.tensor([[0, -1, 2, 3], [1, 3, -1, 0], [2, -1, 0, 1]])
LABELLED = rg.tensor([[1.0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 1, 0]], dtype=rg.float64)
SHARES = rg.tensor(R.dirichlet(np.ones(4), 6))
COUNTS = rg.tensor(R.integers(1, 9, (6, 4))).double()

Path = tuple[Callable[[rg.Tensor], rg.Tensor], rg.Tensor, rg.Tensor, float]
"""The loss of a prediction, the perfect prediction, a wrong one, and the loss of the perfect one."""
PATHS: dict[str, Path] = {
    "BCELoss": (lambda p: nn.BCELoss()(p, FLAGS), FLAGS, 1 - FLAGS, 0.0),
    "BCEWithLogitsLoss": (lambda s: nn.BCEWithLogitsLoss()(s, FLAGS), SIGNS * 800, SIGNS * -800, 0.0),
    "CosineEmbeddingLoss": (lambda x: nn.CosineEmbeddingLoss()(x, Y, rg.ones(6)), 2 * Y, ELSEWHERE, 0.0),
    "CrossEntropyLoss": (lambda s: nn.CrossEntropyLoss()(s, CLASSES), 800 * HOT, 800 * HOT.roll(1, 1), 0.0),
    "GaussianNLLLoss": (lambda m: nn.GaussianNLLLoss()(m, Y, rg.ones(6, 4)), Y, ELSEWHERE, 0.0),
    "HingeEmbeddingLoss": (lambda d: nn.HingeEmbeddingLoss()(d, SIGNS), 2 * (1 - FLAGS), 2 * FLAGS, 0.0),
    "HuberLoss": (lambda x: nn.HuberLoss(delta=0.5)(x, Y), Y, ELSEWHERE, 0.0),
    "KLDivLoss": (lambda p: nn.KLDivLoss(reduction="batchmean")(p.log(), SHARES), SHARES, SHARES.flip(1), 0.0),
    "L1Loss": (lambda x: nn.L1Loss()(x, Y), Y, ELSEWHERE, 0.0),
    "MSELoss": (lambda x: nn.MSELoss()(x, Y), Y, ELSEWHERE, 0.0),
    "MarginRankingLoss": (lambda x: nn.MarginRankingLoss()(x, Y, SIGNS), Y + SIGNS, Y - SIGNS, 0.0),
    "MultiLabelMarginLoss": (lambda s: nn.MultiLabelMarginLoss()(s, LABELS), 2 * LABELLED, -LABELLED, 0.0),
    "MultiLabelSoftMarginLoss": (lambda s: nn.MultiLabelSoftMarginLoss()(s, FLAGS), SIGNS * 800, SIGNS * -800, 0.0),
    "MultiMarginLoss": (lambda s: nn.MultiMarginLoss()(s, CLASSES), 2 * HOT, 2 * HOT.roll(1, 1), 0.0),
    "NLLLoss": (lambda s: nn.NLLLoss()(s.log_softmax(1), CLASSES), 800 * HOT, 800 * HOT.roll(1, 1), 0.0),
    "PoissonNLLLoss": (
        lambda rate: nn.PoissonNLLLoss(log_input=False, eps=0.0)(rate, COUNTS),
        COUNTS,
        COUNTS + 5,
        float((COUNTS - COUNTS * COUNTS.log()).mean().item()),
    ),
    "SmoothL1Loss": (lambda x: nn.SmoothL1Loss()(x, Y), Y, ELSEWHERE, 0.0),
    "SoftMarginLoss": (lambda s: nn.SoftMarginLoss()(s, SIGNS), SIGNS * 800, SIGNS * -800, 0.0),
    "TripletMarginLoss": (lambda a: nn.TripletMarginLoss()(a, Y, Y + 5), Y, Y + 5, 0.0),
    "TripletMarginWithDistanceLoss": (
        lambda a: nn.TripletMarginWithDistanceLoss(distance_function=lambda p, q: (p - q).abs().sum(1))(a, Y, Y + 5),
        Y,
        Y + 5,
        0.0,
    ),
}  # fmt: skip


def exported() -> list[str]:
    return sorted(name for name in nn.__all__ if name.endswith("Loss"))


@pytest.mark.row("NET-12")
@pytest.mark.parametrize("name", exported())
def test_it_is_least_when_right_and_rises_on_the_way_to_wrong(name: str) -> None:
    assert name in PATHS, f"say in PATHS what nn.{name} should find right, and what wrong"
    loss, right, wrong, least = PATHS[name]
    found = [loss(right + (wrong - right) * share).item() for share in np.linspace(0, 1, 21)]
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(least, abs=1e-12)
    assert all(b >= a - 1e-12 for a, b in zip(found, found[1:]))  # noqa: RUF007
    assert found[-1] > found[0] + 0.1
    # and the gradient says so: on the way it points where the loss grows
    at = (right + (wrong - right) * 0.7).detach().requires_grad_()
    (slope,) = rg.autograd.grad(loss(at), [at])
    step: Any = (slope * (wrong - right)).sum().item()
    assert step > 0


@pytest.mark.row("NET-12")
def test_a_loss_of_ones_own_trains_what_the_shipped_ones_train() -> None:
    """Written as a class on tensors: log cosh, which is neither squared nor absolute error."""

    class LogCosh(nn.Module):
        def forward(self, input: rg.Tensor, target: rg.Tensor) -> rg.Tensor:
            error = input - target
            return (rg.logaddexp(error, -error) - np.log(2)).mean()

    x = rg.tensor(R.normal(size=(60, 3)))
    y = x @ rg.tensor([[1.0], [-2.0], [0.5]], dtype=rg.float64) + 0.3
    assert rg.autograd.gradcheck(lambda p: LogCosh()(p, Y), ELSEWHERE.clone().requires_grad_())
    found = {}
    for loss in (LogCosh(), nn.MSELoss(), nn.L1Loss()):
        rg.manual_seed(0)
        net = nn.Linear(3, 1).double()
        optimizer = rg.optim.Adam(net.parameters(), lr=0.05)
        schedule = rg.optim.lr_scheduler.StepLR(optimizer, 200, gamma=0.3)
        for _ in range(800):
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
            schedule.step()
        found[type(loss).__name__] = [*net.weight.detach().numpy().ravel(), net.bias.item()]
    for name, weights in found.items():
        np.testing.assert_allclose(weights, [1.0, -2.0, 0.5, 0.3], atol=0.01, err_msg=name)
