"""The networks for tables: the encoding, the residual blocks, and the members that are averaged."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.errors import UsageError
from retrograd.train.ensemble import MemberNet
from retrograd.train.model_file import trace_network
from retrograd.train.recipe import Recipe, build_loss, build_trainer, choose_recipe
from retrograd.train.tabular import Architecture, PiecewiseLinear, TabularNet, quantile_edges

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).astype(np.float32)
CODES = RNG.integers(0, 4, size=(60, 1))


def test_the_piecewise_linear_encoding_is_its_formula():
    columns, edges = quantile_edges(X, 5)
    assert columns.tolist() == [0, 1, 2]
    found = PiecewiseLinear(columns, edges)(rg.from_numpy(X)).numpy().reshape(60, 3, 5)
    for i in range(3):
        low, high = edges[i, :-1], edges[i, 1:]
        expected = np.clip((X[:, i, None] - low) / (high - low), 0, 1)
        np.testing.assert_allclose(found[:, i], expected, atol=1e-4)
    # x can be read back from its code: each bin's share of its width, added up
    back = edges[:, 0] + (found * np.diff(edges, axis=1)).sum(-1)
    np.testing.assert_allclose(back, X, atol=1e-4)


def test_columns_with_two_values_are_not_encoded_and_few_values_still_have_bins():
    table = np.stack([np.arange(30) % 2, np.arange(30) % 3, np.full(30, 7.0)], axis=1)
    columns, edges = quantile_edges(table, 4)
    assert columns.tolist() == [1]
    assert (np.diff(edges) > 0).all()
    rare = np.zeros((100, 1))
    rare[0], rare[1] = 5.0, 9.0
    columns, edges = quantile_edges(rare, 4)
    assert columns.tolist() == [0]
    assert (np.diff(edges) > 0).all()
    with pytest.raises(UsageError, match="edges"):
        TabularNet(1, [], 1, Architecture(bins=4))


@pytest.mark.parametrize("members", [1, 5])
@pytest.mark.parametrize("classes", [0, 3])
def test_an_untrained_network_predicts_the_mean_or_equal_odds(members, classes):
    architecture = Architecture(hidden=(8,), members=members) if members > 1 else Architecture(width=8)
    model = TabularNet(3, [5], max(1, classes), architecture).eval()
    outputs = model(rg.from_numpy(X), rg.from_numpy(CODES))
    if architecture.hidden is None:
        assert np.ptp(outputs.detach().numpy(), axis=0).max() < 1e-6
        return
    assert outputs.shape == (60, max(1, classes))
    weight = model.output.output.weight.detach().numpy()
    assert not weight.any()


@pytest.mark.parametrize("kind, outputs", [("regression", 1), ("multiclass", 3)])
def test_members_are_networks_of_their_own_and_are_averaged(kind, outputs):
    """Each member equals a plain network with its weights, in outputs, in its loss, and in the gradient of its weights."""
    rg.manual_seed(3)
    net = MemberNet(
        4, 3, (6, 5), outputs, activation=[nn.Tanh(), nn.Tanh()], dropout=0.0, probabilities=outputs > 1
    )
    nn.init.normal_(net.output.weight, 0.0, 0.5)
    target = RNG.integers(0, 3, 60) if outputs > 1 else RNG.normal(size=60).astype(np.float32)
    loss_of = build_loss("mse" if outputs == 1 else "cross_entropy", kind)
    net.train()
    together = net(rg.from_numpy(X))
    assert together.shape == (4, 60, outputs)
    loss = loss_of(together, rg.from_numpy(target))
    loss.backward()
    layers = [net.hidden[0], net.hidden[2], net.output]
    singles, losses = [], []
    for m in range(4):
        plain = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, outputs))
        for linear, layer in zip((plain[0], plain[2], plain[4]), layers):
            with rg.no_grad():
                linear.weight.copy_(layer.weight.detach()[m].T)
                linear.bias.copy_(layer.bias.detach()[m, 0])
        output = plain(rg.from_numpy(X))
        single = loss_of(output, rg.from_numpy(target))
        single.backward()
        singles.append(output.detach().numpy())
        losses.append(single.item())
        np.testing.assert_allclose(together.detach().numpy()[m], singles[-1], rtol=1e-4, atol=1e-5)
        for linear, layer in zip((plain[0], plain[2], plain[4]), layers):
            np.testing.assert_allclose(
                layer.weight.grad.numpy()[m], linear.weight.grad.numpy().T / 4, rtol=1e-3, atol=1e-6
            )
    assert loss.item() == pytest.approx(np.mean(losses), rel=1e-5)
    net.eval()
    averaged = net(rg.from_numpy(X)).detach().numpy()
    if outputs == 1:
        np.testing.assert_allclose(averaged, np.mean(singles, axis=0), rtol=1e-4, atol=1e-5)
    else:
        odds = np.exp(np.stack(singles))
        expected = (odds / odds.sum(-1, keepdims=True)).mean(0)
        np.testing.assert_allclose(np.exp(averaged), expected, rtol=1e-4)
    np.testing.assert_allclose(trace_network(net, X)(X), averaged, rtol=1e-4, atol=1e-6)


def test_every_recipe_builds_trains_and_is_saved_as_json():
    for rows, numbers, kind, classes in (
        (100, 3, "binary", 2),
        (4000, 3, "regression", 0),
        (9000, 3, "multiclass", 4),
    ):
        recipe, decided = choose_recipe(rows, numbers, kind)
        assert Recipe.from_json(recipe.to_json()) == recipe
        assert {decision.by for decision in decided} == {"retrograd"}
        trainer = build_trainer(recipe, X, [4], kind, classes=classes, lr=1e-3)
        target = RNG.integers(0, classes, 60) if classes else RNG.normal(size=60).astype(np.float32)
        first, _ = trainer.evaluate((X, CODES), target)
        trainer.fit((X, CODES), target, epochs=3)
        assert trainer.evaluate((X, CODES), target)[0] < first
    assert choose_recipe(100, 3, "binary", optimizer="sgd")[0].architecture.members == 1
    assert choose_recipe(100, 3, "binary", hidden=(5,))[0].architecture == Architecture(
        width=128, hidden=(5,), dropout=0.0
    )
