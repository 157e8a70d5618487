"""Layers and losses by what must hold of them: random ones by their distribution, norms and losses by their invariances."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
import retrograd.nn.functional as F
from retrograd import nn
from retrograd.errors import DTypeError, GradError, RetrogradError, ShapeError, UsageError

RNG = np.random.default_rng(0)


def normal(*shape: int) -> rg.Tensor:
    return rg.tensor(RNG.normal(size=shape))


CHANNELWISE: list[tuple[Callable[..., Any], tuple[int, ...]]] = [
    (F.dropout1d, (50, 20, 4)),
    (F.dropout2d, (50, 20, 2, 2)),
    (F.dropout3d, (50, 20, 2, 1, 2)),
]


@pytest.mark.parametrize(("function", "shape"), CHANNELWISE)
def test_channels_are_dropped_as_a_whole(function: Callable[..., Any], shape: tuple[int, ...]) -> None:
    rg.manual_seed(1)
    x = rg.ones(*shape, dtype=rg.float64).requires_grad_()
    y = function(x, 0.25)
    per_channel = y.detach().numpy().reshape(1000, -1)
    assert (per_channel == per_channel[:, :1]).all()
    assert set(np.unique(per_channel)) == {0.0, 1 / 0.75}
    assert abs((per_channel[:, 0] == 0).mean() - 0.25) < 0.05  # 3.7 standard deviations
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())
    assert function(x, 0.25, training=False) is x
    assert not function(x, 1.0).detach().numpy().any()
    lone = rg.ones(*shape[1:], dtype=rg.float64)
    if function is not F.dropout2d:
        assert set(np.unique(function(lone, 0.5).numpy())) == {0.0, 2.0}
    changed = x.detach().clone()
    assert function(changed, 0.5, inplace=True) is changed
    assert set(np.unique(changed.numpy())) == {0.0, 2.0}


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    rg.manual_seed(2)
    x = normal(1000, 50)
    for p in (0.1, 0.5, 0.9):
        for function in (F.alpha_dropout, F.feature_alpha_dropout):
            y = function(x, p, training=True).numpy()
            assert abs(y.mean()) < 0.05
            assert abs(y.var() - 1) < 0.08
    assert F.alpha_dropout(x, 0.5) is x
    rows = F.feature_alpha_dropout(rg.zeros(40, 10, 3), 0.5, training=True).numpy()
    assert (rows == rows[:, :, :1]).all()
    assert len(np.unique(rows)) == 2
    assert not F.alpha_dropout(x, 1.0, training=True).numpy().any()
    changed = x.clone()
    assert F.alpha_dropout(changed, 0.5, training=True, inplace=True) is changed
    assert (changed.numpy() != x.numpy()).any()


def test_rrelu_draws_slopes_in_training_and_takes_their_mean_after() -> None:
    rg.manual_seed(3)
    layer, x = nn.RReLU(0.1, 0.5), rg.full((10000,), -1.0, dtype=rg.float64)
    slopes = -layer(x).numpy()
    assert slopes.min() >= 0.1
    assert slopes.max() < 0.5
    assert abs(slopes.mean() - 0.3) < 0.006
    np.testing.assert_allclose(layer.eval()(x).numpy(), -0.3)
    w = rg.tensor([-1.0, 2.0], requires_grad=True)
    y = F.rrelu(w, 0.1, 0.5, training=True)
    y.sum().backward()
    np.testing.assert_allclose(w.grad.numpy()[0], -y.detach().numpy()[0])
    assert w.grad.numpy()[1] == 1


def test_gumbel_softmax_draws_classes_with_their_probabilities() -> None:
    rg.manual_seed(4)
    logits = rg.tensor(np.log([0.5, 0.3, 0.2])).expand(20000, 3)
    hard = F.gumbel_softmax(logits, tau=0.7, hard=True)
    assert set(np.unique(hard.numpy())) == {0.0, 1.0}
    assert (hard.numpy().sum(1) == 1).all()
    np.testing.assert_allclose(hard.numpy().mean(0), [0.5, 0.3, 0.2], atol=0.02)
    leaves = [rg.tensor([0.1, 0.2, 0.3], requires_grad=True) for _ in range(2)]
    for leaf, kind in zip(leaves, (True, False), strict=True):
        rg.manual_seed(5)
        (F.gumbel_softmax(leaf, hard=kind) * rg.tensor([1.0, 2.0, 3.0])).sum().backward()
    np.testing.assert_allclose(leaves[0].grad.numpy(), leaves[1].grad.numpy(), rtol=1e-5)
    columns = F.gumbel_softmax(rg.zeros(3, 4), dim=0)
    np.testing.assert_allclose(columns.numpy().sum(0), 1, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3),
    st.sampled_from([(2, 4), (3, 6), (1, 5)]),
    st.integers(2, 5),
    st.floats(-5, 5),
    st.floats(0.5, 3),
)
def test_norms_forget_shift_and_scale(
    n: int, sizes: tuple[int, int], places: int, shift: float, scale: float
) -> None:
    groups, channels = sizes[0], sizes[0] * sizes[1]
    x = normal(n, channels, places)
    for norm in (
        lambda v: F.group_norm(v, groups, eps=0.0),
        lambda v: F.instance_norm(v, eps=1e-30),
        lambda v: F.layer_norm(v, (channels, places), eps=0.0),
    ):
        np.testing.assert_allclose(norm(x * scale + shift).numpy(), norm(x).numpy(), atol=1e-6)
    one = F.layer_norm(x, (channels, places)).numpy()
    np.testing.assert_allclose(F.group_norm(x, 1).numpy(), one, atol=1e-10)
    np.testing.assert_allclose(F.group_norm(x, channels).numpy(), F.instance_norm(x).numpy(), atol=1e-10)
    centred = x - x.mean((1, 2), keepdim=True)
    np.testing.assert_allclose(F.rms_norm(centred, (channels, places), eps=1e-5).numpy(), one, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_shuffles_are_undone(n: int, channels: int, factor: int, groups: int) -> None:
    x = normal(n, channels * factor**2, 2, 3)
    big = F.pixel_shuffle(x, factor)
    assert big.shape == (n, channels, 2 * factor, 3 * factor)
    np.testing.assert_array_equal(F.pixel_unshuffle(big, factor).numpy(), x.numpy())
    y = normal(n, groups * channels, 2)
    back = F.channel_shuffle(F.channel_shuffle(y, groups), channels)
    np.testing.assert_array_equal(back.numpy(), y.numpy())


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(2, 5), st.floats(0.1, 3))
def test_losses_with_a_margin_are_0_beyond_it(n: int, c: int, margin: float) -> None:
    classes = rg.tensor(RNG.integers(0, c, size=n))
    scores = F.one_hot(classes, c).double() * (margin + 0.01)
    assert F.multi_margin_loss(scores, classes, margin=margin).item() == 0
    assert F.multi_margin_loss(-scores, classes, margin=margin).item() > 0
    a, b = normal(n), normal(n)
    ahead, behind = rg.maximum(a, b) + margin, rg.minimum(a, b)
    assert F.margin_ranking_loss(ahead, behind, rg.ones(n), margin=margin).item() == 0
    np.testing.assert_allclose(
        F.margin_ranking_loss(a, b, rg.ones(n), margin).item(),
        F.margin_ranking_loss(b, a, -rg.ones(n), margin).item(),
    )
    anchor, far = normal(n, c), normal(n, c) + 100
    assert F.triplet_margin_loss(anchor, anchor, far, margin=margin).item() == 0
    assert F.triplet_margin_loss(anchor, far, anchor, margin=margin).item() > margin
    moved = F.triplet_margin_loss(anchor + 3, anchor + 4, far + 3, margin=150.0).item()
    np.testing.assert_allclose(moved, F.triplet_margin_loss(anchor, anchor + 1, far, margin=150.0).item())
    labels = rg.full((n, c), -1).long()
    labels[:, 0] = classes
    one = F.multilabel_margin_loss(scores * 0, labels).item()
    np.testing.assert_allclose(one, (c - 1) / c)


def test_divergence_is_0_of_equals_and_positive_else() -> None:
    p, q = F.softmax(normal(6, 4), 1), F.softmax(normal(6, 4), 1)
    assert F.kl_div(q.log(), p, reduction="batchmean").item() > 0
    assert abs(F.kl_div(p.log(), p, reduction="batchmean").item()) < 1e-14
    both = (
        F.kl_div(q.log(), p, reduction="sum").item(),
        F.kl_div(q.log(), p.log(), reduction="sum", log_target=True).item(),
    )
    assert both[0] == pytest.approx(both[1])


def test_statistics_of_instances_are_averaged() -> None:
    norm = nn.InstanceNorm1d(3, momentum=0.5, track_running_stats=True).double()
    x = normal(4, 3, 5)
    norm(x)
    np.testing.assert_allclose(norm.running_mean.numpy(), x.numpy().mean(2).mean(0) / 2)
    np.testing.assert_allclose(norm.running_var.numpy(), 0.5 + x.numpy().var(2, ddof=1).mean(0) / 2)
    norm.eval()
    np.testing.assert_allclose(norm(x)[:2].numpy(), norm(x[:2]).numpy())


x2, x3 = rg.zeros(2, 6), rg.zeros(2, 6, 3)
WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: F.dropout(x2, 1.5), UsageError, "between 0 and 1"),
    (lambda: F.dropout1d(rg.zeros(3)), ShapeError, r"\(N, C, L\)"),
    (lambda: F.feature_alpha_dropout(rg.zeros(3), training=True), ShapeError, r"\(N, C"),
    (lambda: F.dropout(rg.tensor([1, 2])), DTypeError, r"x.float\(\)"),
    (lambda: F.group_norm(x3, 4), ShapeError, "divisor of 6"),
    (lambda: F.group_norm(rg.zeros(1, 1), 1), ShapeError, "more than one value"),
    (lambda: F.instance_norm(rg.zeros(2, 3, 1)), ShapeError, "more than one place"),
    (lambda: F.batch_norm(x2, None, None, training=True, eps=0.0), UsageError, "eps > 0"),
    (lambda: F.batch_norm(x2, None, None), UsageError, "training=True"),
    (lambda: F.layer_norm(x2, (6,), rg.ones(5)), ShapeError, r"shape \(6,\)"),
    (lambda: F.rms_norm(x2, (5,)), ShapeError, "last dimensions"),
    (lambda: F.local_response_norm(x2, 3), ShapeError, "local_response_norm"),
    (lambda: F.local_response_norm(x3, 0), UsageError, "size >= 1"),
    (lambda: F.pixel_shuffle(x3, 4), ShapeError, "divide by 16"),
    (lambda: F.pixel_shuffle(x3, 0), UsageError, "at least 1"),
    (lambda: F.pixel_unshuffle(x3, 4), ShapeError, "rows do not divide"),
    (lambda: F.channel_shuffle(x3, 4), ShapeError, "divisor of 6"),
    (lambda: F.glu(rg.zeros(3)), ShapeError, "odd"),
    (lambda: F.glu(rg.tensor(1.0)), ShapeError, "scalar"),
    (lambda: F.prelu(x2, rg.zeros(2, 3)), ShapeError, "flatten"),
    (lambda: F.prelu(x2, rg.zeros(6).double()), DTypeError, "one dtype"),
    (lambda: F.rrelu(x2, 0.5, 0.1), UsageError, "lower <= upper"),
    (lambda: F.elu(rg.tensor([1])), DTypeError, r"x.float\(\)"),
    (lambda: F.hardtanh(x2, 1.0, -1.0), UsageError, "min_val=-1"),
    (lambda: F.threshold(rg.tensor([1], dtype=rg.uint8), 1, -1), DTypeError, "cannot hold -1"),
    (lambda: F.multi_margin_loss(x2, rg.zeros(2)), DTypeError, r"target.long\(\)"),
    (lambda: F.multi_margin_loss(x2, rg.tensor([0, 6])), UsageError, "class 6"),
    (lambda: F.multi_margin_loss(x2, rg.tensor([0]), p=2), ShapeError, r"shape \(2,\)"),
    (lambda: F.multi_margin_loss(x2, rg.tensor([0, 1]), p=3), UsageError, "p = 1 and p = 2"),
    (lambda: F.multi_margin_loss(x2, rg.tensor([0, 1]), weight=rg.ones(5)), ShapeError, r"shape \(6,\)"),
    (lambda: F.multilabel_margin_loss(x2, rg.tensor([0, 1])), ShapeError, "fill up with -1"),
    (lambda: F.cosine_embedding_loss(x2, x2, rg.ones(2, 1)), ShapeError, r"reshape\(\(2,\)\)"),
    (lambda: F.margin_ranking_loss(x2, x2, rg.ones(2)), ShapeError, "equal numbers of dimensions"),
    (lambda: F.triplet_margin_loss(x2, x2, x2, margin=0.0), UsageError, "margin > 0"),
    (lambda: F.triplet_margin_loss(x2, x2, rg.zeros(6)), ShapeError, "one shape"),
    (lambda: F.multilabel_soft_margin_loss(rg.tensor(1.0), rg.tensor(1.0)), ShapeError, "scalar"),
    (lambda: F.cross_entropy(x2, F.softmax(x2, 1), ignore_index=1), UsageError, "class 1 to ignore"),
    (lambda: F.cross_entropy(x2, rg.tensor([0, 1]), rg.ones(6).double()), DTypeError, "one dtype"),
    (lambda: F.huber_loss(x2, x2, weight=rg.ones(6)), ShapeError, "one weight per prediction"),
    (lambda: F.mse_loss(rg.tensor([1]), rg.tensor([1])), DTypeError, r"x.float\(\)"),
    (lambda: F.l1_loss(x2, x2, reduction="avg"), UsageError, "'mean', 'sum' and 'none'"),
    (lambda: F.embedding(rg.tensor([0]), rg.zeros(3)), ShapeError, r"\(rows, dim\)"),
    (lambda: F.embedding(rg.tensor([0.5]), x2), DTypeError, r"input.long\(\)"),
    (lambda: F.embedding(rg.tensor([0]), x2, padding_idx=2), UsageError, "not a row"),
    (lambda: nn.GroupNorm(4, 6), ShapeError, r"nn.GroupNorm\(1, 6\)"),
    (lambda: nn.InstanceNorm1d(3, affine=True)(x3), ShapeError, r"nn.InstanceNorm1d\(6\)"),
    (lambda: nn.BatchNorm2d(6)(x3), ShapeError, r"\(N, C, H, W\)"),
    (lambda: nn.Dropout(2.0), UsageError, "between 0 and 1"),
    (lambda: nn.Softmax2d()(x2), ShapeError, "Softmax2d takes"),
    (lambda: nn.ConstantPad2d((1, 2), 0.0), UsageError, "one number or 4"),
    (lambda: nn.CircularPad1d(1)(rg.zeros(3)), ShapeError, "2 or 3 dimensions"),
    (lambda: nn.Unflatten(1, 3), UsageError, r"nn.Unflatten\(1, \(2, 3\)\)"),  # type: ignore[arg-type]
    (lambda: nn.Bilinear(0, 1, 1), UsageError, "must be positive"),
    (lambda: nn.HuberLoss(delta=1j), UsageError, "a number"),  # type: ignore[arg-type]
    (lambda: nn.LazyLinear(2).weight.shape, UsageError, "run one forward pass"),
    (lambda: nn.Linear(2, 2).half(), DTypeError, r"module.float\(\)"),
    (lambda: nn.Linear(2, 2, device="cuda"), RetrogradError, "CPU"),
    (lambda: nn.Linear(2, 2).get_parameter("wight"), UsageError, "there are: weight"),
    (lambda: nn.Linear(2, 2).wieght, AttributeError, "did you mean 'weight'"),
    (lambda: nn.ModuleDict({"a": nn.ReLU()})["b"], RetrogradError, "there are: a"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case[2])
def test_what_is_wrong_is_said_with_a_remedy(case: tuple[Callable[[], Any], type[Exception], str]) -> None:
    call, kind, said = case
    with pytest.raises(kind, match=said) as caught:
        call()
    if isinstance(caught.value, RetrogradError):
        assert caught.value.hint


WARNED: list[tuple[Callable[[], Any], str]] = [
    (lambda: F.softmax(x2), r"softmax\(x, dim=1\)"),
    (lambda: nn.LogSoftmax()(x3), r"log_softmax\(x, dim=0\)"),
    (lambda: F.kl_div(x2, x2), "batchmean"),
    (lambda: F.dropout2d(x3), "use dropout1d"),
    (lambda: F.dropout3d(x2), "use dropout"),
    (lambda: nn.L1Loss(reduce=False), "reduction='none'"),
    (lambda: F.gumbel_softmax(x2, eps=1.0), "no effect"),
    (lambda: nn.InstanceNorm1d(3)(x3), r"nn.InstanceNorm1d\(6\)"),
    (lambda: nn.Hardtanh(min_value=-2.0), "min_val"),
]


@pytest.mark.parametrize("case", WARNED, ids=lambda case: case[1])
def test_what_is_doubtful_is_warned_of(case: tuple[Callable[[], Any], str]) -> None:
    with pytest.warns(Warning, match=case[1]) as caught:
        case[0]()
    assert "hint:" in str(caught[0].message)


def test_a_change_in_place_behind_a_backward_hook_is_refused_with_several_inputs() -> None:
    class Adds(nn.Module):
        def forward(self, a: rg.Tensor, b: rg.Tensor) -> rg.Tensor:
            return a.add_(b)

    m = Adds()
    m.register_full_backward_hook(lambda *_: None)
    with pytest.raises(GradError, match="in place"):
        m(normal(2).requires_grad_() * 1, normal(2).requires_grad_() * 1)


def test_an_inplace_activation_with_a_backward_hook_changes_its_input() -> None:
    relu, seen = nn.ReLU(inplace=True), []
    relu.register_full_backward_hook(lambda m, gi, go: seen.append((gi[0].tolist(), go[0].tolist())))
    x = rg.tensor([-1.0, 2.0], requires_grad=True)
    y = x * 3
    z = relu(y)
    assert y.tolist() == [0.0, 6.0]
    (z * y).sum().backward()
    assert x.grad.tolist() == [0.0, 36.0]


def test_a_layer_before_its_first_input_converts_and_is_copied() -> None:
    import copy

    lazy = nn.LazyLinear(2).double()
    twin = copy.deepcopy(lazy)
    assert lazy(normal(3, 4)).dtype is rg.float64
    assert twin.has_uninitialized_params()
    assert twin(normal(3, 5)).shape == (3, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d(), nn.ReLU())(rg.randn(4, 2)).shape == (
            4,
            3,
        )
