"""Functions of networks beyond PyTorch's samples: modules not in its list, second derivatives, tracing, integers."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from oracle.left_out import VALUES_DIFFER
from oracle.samples import NotHere, find, flat, fresh, near, op_db, torch, translated
from oracle.stories import Story, ramp, same
from oracle.test_samples import left_out
from retrograd import nn

ELSEWHERE = (
    "bilinear",
    "cosine_similarity",
    "linear",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
)
"""Functions that other tests look after."""
FAMILY = [
    op
    for op in op_db
    if op.name.startswith("nn.functional")
    and op.name.removeprefix("nn.functional.") not in ELSEWHERE
    and find(op.name) is not None
    and left_out(op.name) is None
]


def name_of(op: Any) -> str:
    return op.name.removeprefix("nn.functional.") + op.variant_test_name


def samples(op: Any, dtype: Any, most: int, grad: bool = True) -> list[Any]:
    """A few of the first samples."""
    every = itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=grad), 0, 2 * most, 2)
    return [s for s in every if "out" not in s.kwargs]


SMOOTH = [op for op in FAMILY if op.supports_gradgrad and op.name not in VALUES_DIFFER]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("op", SMOOTH, ids=name_of)
def test_second_derivatives(op: Any) -> None:
    """The gradient of a random weighting of the gradients."""
    for sample in samples(op, torch.float64, 2):
        given = fresh((sample.input, tuple(sample.args), dict(sample.kwargs)))
        leaves: list[tuple[Any, Any]] = []
        try:
            first, args, kwargs = translated(given, leaves)
        except NotHere:
            continue
        if not leaves or not all(x.numel() for x, _ in leaves):
            continue
        theirs = [y for y in flat(op(given[0], *given[1], **given[2])) if y.requires_grad]
        mine = [y for y in flat(find(op.name)(first, *args, **kwargs)) if y.requires_grad]  # type: ignore[misc]
        options = {"create_graph": True, "allow_unused": True}
        a = torch.autograd.grad([(y * y).sum() for y in theirs], [x for x, _ in leaves], **options)
        b = rg.autograd.grad([(y * y).sum() for y in mine], [x for _, x in leaves], **options)
        total_a = sum(((g**2).sum() for g in a if g is not None and g.requires_grad), start=torch.zeros(()))
        total_b = sum(((g**2).sum() for g in b if g is not None and g.requires_grad), start=rg.zeros(()))
        assert total_a.requires_grad == total_b.requires_grad
        if not total_a.requires_grad:
            continue
        twice_a = torch.autograd.grad(total_a, [x for x, _ in leaves], allow_unused=True)
        twice_b = rg.autograd.grad(total_b, [x for _, x in leaves], allow_unused=True)
        for x, y in zip(twice_b, twice_a, strict=True):
            if x is not None and y is not None:
                near(x, y, 1e-6, "second derivative")
            else:
                rest = x if y is None else y
                assert rest is None or not rest.detach().numpy().any()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("op", FAMILY, ids=name_of)
def test_traced(op: Any) -> None:
    """A traced function gives what the function gives, so none of them looks at values."""
    ours = find(op.name)
    assert ours is not None
    for sample in samples(op, torch.float64, 1, grad=False):
        try:
            first, args, kwargs = translated((sample.input, tuple(sample.args), dict(sample.kwargs)), [])
        except NotHere:
            continue
        if not isinstance(first, rg.Tensor) or kwargs.get("num_classes") == -1 or op.name.endswith("one_hot"):
            continue
        tensors = [k for k, v in enumerate(args) if isinstance(v, rg.Tensor)]

        def f(*x: Any, args: Any = args, kwargs: Any = kwargs, tensors: Any = tensors) -> Any:
            given = list(args)
            for k, value in zip(tensors, x[1:], strict=True):
                given[k] = value
            return ours(x[0], *given, **kwargs)

        inputs = [first, *(args[k] for k in tensors)]
        # Running statistics are changed by a pass, so each pass gets its own.
        rg.manual_seed(0)
        expected = f(*(x.clone() for x in inputs))
        rg.manual_seed(0)
        graph = rg.trace(f)(*(x.clone() for x in inputs))
        found = graph(*(x.numpy() for x in inputs))[0]
        if op.name not in VALUES_DIFFER:
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-12, atol=1e-12)
        assert found.shape == tuple(expected.shape)


def whole(x: Any, dtype: Any) -> Any:
    """The same argument with whole numbers instead of floating ones."""
    if isinstance(x, torch.Tensor):
        return x.abs().to(dtype) if x.is_floating_point() else x
    return type(x)(whole(v, dtype) for v in x) if isinstance(x, tuple | list) else x


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("op", FAMILY, ids=name_of)
def test_integers_are_refused_where_pytorch_refuses_them(op: Any) -> None:
    sample = samples(op, torch.float32, 1, grad=False)[0]
    for dtype in (torch.int64, torch.bool):
        given, given_args = whole(sample.input, dtype), whole(tuple(sample.args), dtype)
        first, args, kwargs = translated((given, given_args, dict(sample.kwargs)), [])
        try:
            op(given, *given_args, **sample.kwargs)
        except Exception:
            with pytest.raises(rg.errors.RetrogradError) as caught:
                find(op.name)(first, *args, **kwargs)  # type: ignore[misc]
            assert caught.value.hint
        else:
            find(op.name)(first, *args, **kwargs)  # type: ignore[misc]


def story_of(
    build: Callable[[Any], Any], *shapes: tuple[int, ...], kind: str = "floats"
) -> Callable[..., None]:
    def story(lib: Any, log: Story) -> None:
        m = build(lib.nn)
        m = m.double() if hasattr(m, "double") else m
        log.append(repr(m))
        log.append(repr(m.eval()))
        x = [ramp(lib, *shape) * 3 + 0.1 for shape in shapes]
        for t in x:
            t.requires_grad_()
        signs = lib.tensor([1.0, -1.0, 1.0, -1.0], dtype=lib.float64)
        y = m(*x, signs[: shapes[0][0]]) if kind == "signs" else m(*x)
        log.append(y)
        (y * ramp(lib, *y.shape)).sum().backward()
        log.extend(t.grad for t in x)

    return story


MORE = {
    "Hardsigmoid": story_of(lambda m: m.Hardsigmoid(), (3, 4)),
    "RReLU": story_of(lambda m: m.RReLU(0.2, 0.3), (3, 4)),
    "Dropout": story_of(lambda m: m.Dropout(0.3), (3, 4)),
    "Dropout1d": story_of(lambda m: m.Dropout1d(0.3), (3, 4)),
    "Dropout2d": story_of(lambda m: m.Dropout2d(0.3), (3, 4, 1, 2)),
    "Dropout3d": story_of(lambda m: m.Dropout3d(), (3, 4, 1, 2)),
    "AlphaDropout": story_of(lambda m: m.AlphaDropout(inplace=True), (3, 4)),
    "FeatureAlphaDropout": story_of(lambda m: m.FeatureAlphaDropout(0.1), (3, 4)),
    "CosineSimilarity": story_of(lambda m: m.CosineSimilarity(dim=-1), (3, 4), (3, 4)),
    "PairwiseDistance": story_of(lambda m: m.PairwiseDistance(p=3, keepdim=True), (3, 4), (3, 4)),
    "PixelShuffle": story_of(lambda m: m.PixelShuffle(2), (2, 8, 3, 2)),
    "PixelUnshuffle": story_of(lambda m: m.PixelUnshuffle(3), (2, 6, 3)),
    "ChannelShuffle": story_of(lambda m: m.ChannelShuffle(3), (2, 6, 2)),
    "Identity": story_of(lambda m: m.Identity(3, unused=4), (2, 3)),
    "Flatten": story_of(lambda m: m.Flatten(-2), (2, 3, 4)),
    "Unflatten": story_of(lambda m: m.Unflatten(-1, (2, -1)), (2, 3, 4)),
    "TripletMarginLoss": story_of(lambda m: m.TripletMarginLoss(p=1, swap=True), (3, 4), (3, 4), (3, 4)),
    "TripletMarginWithDistanceLoss": story_of(
        lambda m: m.TripletMarginWithDistanceLoss(margin=3.0, reduction="none"), (3, 4), (3, 4), (3, 4)
    ),
    "CosineEmbeddingLoss": story_of(lambda m: m.CosineEmbeddingLoss(0.2), (4, 3), (4, 3), kind="signs"),
    "MarginRankingLoss": story_of(lambda m: m.MarginRankingLoss(0.2), (4,), (4,), kind="signs"),
    "HingeEmbeddingLoss": story_of(lambda m: m.HingeEmbeddingLoss(2.0), (4,), kind="signs"),
    "Softmax2d": story_of(lambda m: m.Softmax2d(), (3, 4, 2)),
    "LocalResponseNorm": story_of(lambda m: m.LocalResponseNorm(3, alpha=0.5), (2, 5, 3)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", MORE)
def test_modules_that_pytorch_does_not_list(name: str) -> None:
    same(MORE[name])


def test_embedding_options() -> None:
    def story(lib: Any, log: Story) -> None:
        index = lib.tensor([[1, 2, 2], [0, 2, 4]])
        for options in (
            {"max_norm": 1.0}, {"max_norm": 0.7, "norm_type": 1.0}, {"scale_grad_by_freq": True},
            {"padding_idx": -3, "max_norm": 1.0, "scale_grad_by_freq": True},
        ):  # fmt: skip
            m = lib.nn.Embedding.from_pretrained(ramp(lib, 5, 3) * 2, freeze=False, **options)
            log.append(repr(m))
            y = m(index)
            (y * ramp(lib, *y.shape)).sum().backward()
            log.extend([y, m.weight, m.weight.grad])

    same(story)
    with pytest.raises(rg.errors.UsageError, match="sparse"):
        nn.Embedding(3, 2, sparse=True)


def test_the_older_flags_of_losses() -> None:
    def story(lib: Any, log: Story) -> None:
        x, y = ramp(lib, 3, 2), ramp(lib, 3, 2) * 2
        for size_average, reduce in (
            (None, False),
            (False, None),
            (True, True),
            (False, True),
            (True, False),
        ):
            log.append(lib.nn.MSELoss(size_average, reduce).reduction)
            log.append(lib.nn.functional.l1_loss(x, y, size_average, reduce))
            log.append(
                lib.nn.functional.cross_entropy(x, lib.tensor([0, 1, 1]), None, size_average, 1, reduce)
            )

    same(story)
    with pytest.warns(UserWarning, match="reduction='sum'"):
        F.mse_loss(rg.zeros(2), rg.ones(2), size_average=False)
