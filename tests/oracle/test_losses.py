"""Every loss against PyTorch: values and gradients over random shapes, targets and options."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import retrograd.nn.functional as F
from oracle.compare import compare, ours, theirs, torch
from retrograd import nn

T = torch.nn.functional
REDUCTIONS = ("mean", "sum", "none")
SHAPES: list[tuple[int, ...]] = [(), (6,), (4, 3), (2, 3, 4), (5, 1)]
DTYPES = ("float64", "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mse_loss", {}),
        ("l1_loss", {}),
        ("smooth_l1_loss", {}),
        ("smooth_l1_loss", {"beta": 0.3}),
        ("smooth_l1_loss", {"beta": 0.0}),
        ("huber_loss", {}),
        ("huber_loss", {"delta": 0.4}),
        ("poisson_nll_loss", {}),
        ("poisson_nll_loss", {"full": True}),
    ],
)
def test_loss_of_numbers(name: str, options: dict[str, Any], dtype: str) -> None:
    random = np.random.default_rng(1)
    for shape, reduction in itertools.product(SHAPES, REDUCTIONS):
        x, y = random.normal(size=shape), random.normal(size=shape)
        wanted = [0, 1]
        if name == "poisson_nll_loss":
            y, wanted = random.poisson(3.0, size=shape).astype(float), [0]
        compare(
            lambda a, b, r=reduction: getattr(F, name)(a, b, reduction=r, **options),
            lambda a, b, r=reduction: getattr(T, name)(a, b, reduction=r, **options),
            [x, y], dtype, grad=wanted, what=f"{name} {shape} {reduction}",
        )  # fmt: skip


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_weighted_loss_of_numbers(name: str) -> None:
    random = np.random.default_rng(1)
    for reduction in REDUCTIONS:
        x, y, w = random.normal(size=(4, 3)), random.normal(size=(4, 3)), random.uniform(0.1, 2, size=(4, 3))
        compare(
            lambda a, b, c, r=reduction: getattr(F, name)(a, b, reduction=r, weight=c),
            lambda a, b, c, r=reduction: getattr(T, name)(a, b, reduction=r, weight=c),
            [x, y, w], grad=[0, 1], what=f"{name} {reduction}",
        )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_poisson_of_rates(dtype: str) -> None:
    random = np.random.default_rng(1)
    for full, reduction in itertools.product((False, True), REDUCTIONS):
        x, y = random.uniform(0.2, 4, size=(5, 2)), random.poisson(2.0, size=(5, 2)).astype(float)
        options = {"log_input": False, "full": full, "reduction": reduction}
        compare(
            lambda a, b, o=options: F.poisson_nll_loss(a, b, **o),
            lambda a, b, o=options: T.poisson_nll_loss(a, b, **o),
            [x, y], dtype, grad=[0],
        )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_gaussian_nll(dtype: str) -> None:
    random = np.random.default_rng(2)
    for full, reduction, eps in itertools.product((False, True), REDUCTIONS, (1e-6, 0.5)):
        for var_shape in ((4, 3), (4, 1), (4,)):
            options = {"full": full, "reduction": reduction, "eps": eps}
            arrays = [
                random.normal(size=(4, 3)),
                random.normal(size=(4, 3)),
                random.uniform(0.1, 2, size=var_shape),
            ]
            compare(
                lambda a, b, c, o=options: F.gaussian_nll_loss(a, b, c, **o),
                lambda a, b, c, o=options: T.gaussian_nll_loss(a, b, c, **o),
                arrays, dtype, what=f"gaussian {options} {var_shape}",
            )  # fmt: skip


def _class_shapes(random: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    n, c = int(random.integers(1, 7)), int(random.integers(2, 6))
    extra = tuple(int(k) for k in random.integers(1, 4, size=int(random.integers(0, 3))))
    if random.random() < 0.15:
        return (c,), (), c
    return (n, c, *extra), (n, *extra), c


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_of_class_numbers(dtype: str) -> None:
    random = np.random.default_rng(3)
    for trial in range(150):
        shape, target_shape, c = _class_shapes(random)
        x = random.normal(size=shape) * (
            3 if dtype == "float64" else 0.7
        )  # saturated, float32 keeps few digits
        y = random.integers(0, c, size=target_shape)
        options: dict[str, Any] = {"reduction": REDUCTIONS[trial % 3]}
        if random.random() < 0.5:
            options["label_smoothing"] = float(random.uniform(0, 1))
        if random.random() < 0.5:
            options["ignore_index"] = int(random.choice([-100, -1, 0, 1, 7]))
            if target_shape and options["ignore_index"] in (-1, -100):
                y = np.where(random.random(target_shape) < 0.3, options["ignore_index"], y)
        weight = random.uniform(0.1, 2, size=c).astype(dtype) if random.random() < 0.5 else None

        def mine(a: Any, b: Any, o: Any = options, w: Any = weight) -> Any:
            return F.cross_entropy(a, b, weight=None if w is None else ours(w), **o)

        def other(a: Any, b: Any, o: Any = options, w: Any = weight) -> Any:
            return T.cross_entropy(a, b, weight=None if w is None else theirs(w), **o)

        compare(
            mine, other, [x, y], dtype, what=f"cross_entropy {shape} {options} weight={weight is not None}"
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_of_probabilities(dtype: str) -> None:
    random = np.random.default_rng(4)
    for trial in range(60):
        shape, _, c = _class_shapes(random)
        dim = 1 if len(shape) > 1 else 0
        x, y = random.normal(size=shape) * 3, random.uniform(size=shape)
        y = y / y.sum(axis=dim, keepdims=True)
        options: dict[str, Any] = {
            "reduction": REDUCTIONS[trial % 3],
            "label_smoothing": (0.0, 0.2)[trial % 2],
        }
        weight = random.uniform(0.1, 2, size=c).astype(dtype) if trial % 4 > 1 else None
        compare(
            lambda a, b, o=options, w=weight: F.cross_entropy(a, b, weight=None if w is None else ours(w), **o),
            lambda a, b, o=options, w=weight: T.cross_entropy(a, b, weight=None if w is None else theirs(w), **o),
            [x, y], dtype, what=f"cross_entropy {shape} {options} weight={weight is not None}",
        )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_nll(dtype: str) -> None:
    random = np.random.default_rng(5)
    for trial in range(60):
        shape, target_shape, c = _class_shapes(random)
        x, y = random.normal(size=shape), random.integers(0, c, size=target_shape)
        options: dict[str, Any] = {"reduction": REDUCTIONS[trial % 3], "ignore_index": (-100, 1)[trial % 2]}
        weight = random.uniform(0.1, 2, size=c).astype(dtype) if trial % 4 > 1 else None
        compare(
            lambda a, b, o=options, w=weight: F.nll_loss(a, b, weight=None if w is None else ours(w), **o),
            lambda a, b, o=options, w=weight: T.nll_loss(a, b, weight=None if w is None else theirs(w), **o),
            [x, y], dtype, what=f"nll {shape} {options} weight={weight is not None}",
        )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_binary_cross_entropy(dtype: str) -> None:
    random = np.random.default_rng(6)
    for shape, reduction in itertools.product(SHAPES, REDUCTIONS):
        p, y, w = (random.uniform(0.01, 0.99, size=shape) for _ in range(3))
        for weighted in (False, True):
            compare(
                lambda a, b, c, r=reduction, v=weighted: F.binary_cross_entropy(a, b, c if v else None, reduction=r),
                lambda a, b, c, r=reduction, v=weighted: T.binary_cross_entropy(a, b, c if v else None, reduction=r),
                [p, y, w], dtype, grad=[0], what=f"bce {shape} {reduction}",
            )  # fmt: skip
    ends, yes = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0])
    compare(
        lambda a, b: F.binary_cross_entropy(a, b, reduction="none"),
        lambda a, b: T.binary_cross_entropy(a, b, reduction="none"),
        [ends, yes], dtype, grad=[],
    )  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
def test_binary_cross_entropy_with_logits(dtype: str) -> None:
    random = np.random.default_rng(7)
    for shape, reduction in itertools.product(SHAPES, REDUCTIONS):
        x, y, w = (
            random.normal(size=shape) * 4,
            random.uniform(size=shape),
            random.uniform(0.1, 2, size=shape),
        )
        pos = random.uniform(0.1, 3, size=shape[-1:])
        for weighted, positive in itertools.product((False, True), repeat=2):

            def mine(
                a: Any, b: Any, c: Any, d: Any, r: str = reduction, v: bool = weighted, q: bool = positive
            ) -> Any:
                return F.binary_cross_entropy_with_logits(
                    a, b, c if v else None, reduction=r, pos_weight=d if q else None
                )

            def other(
                a: Any, b: Any, c: Any, d: Any, r: str = reduction, v: bool = weighted, q: bool = positive
            ) -> Any:
                return T.binary_cross_entropy_with_logits(
                    a, b, c if v else None, reduction=r, pos_weight=d if q else None
                )

            compare(mine, other, [x, y, w, pos], dtype, grad=[0], what=f"bce logits {shape} {reduction}")
    far = np.array([-1e4, -100.0, -40.0, 0.0, 40.0, 100.0, 1e4])
    for target in (np.zeros(7), np.ones(7)):
        compare(
            F.binary_cross_entropy_with_logits,
            T.binary_cross_entropy_with_logits,
            [far, target],
            dtype,
            grad=[0],
        )


@pytest.mark.filterwarnings("ignore:.*'mean' divides:UserWarning")
@pytest.mark.parametrize("dtype", DTYPES)
def test_kl_div(dtype: str) -> None:
    random = np.random.default_rng(8)
    for reduction, log_target in itertools.product((*REDUCTIONS, "batchmean"), (False, True)):
        x, y = np.log(random.dirichlet(np.ones(4), size=5)), random.dirichlet(np.ones(4), size=5)
        y[0, 0] = 0.0
        target = np.log(np.maximum(y, 1e-3)) if log_target else y
        compare(
            lambda a, b, r=reduction, g=log_target: F.kl_div(a, b, reduction=r, log_target=g),
            lambda a, b, r=reduction, g=log_target: T.kl_div(a, b, reduction=r, log_target=g),
            [x, target], dtype, grad=[0],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "other", "kind"),
    [
        (lambda w: nn.MSELoss(), lambda w: torch.nn.MSELoss(), "numbers"),
        (lambda w: nn.L1Loss(reduction="sum"), lambda w: torch.nn.L1Loss(reduction="sum"), "numbers"),
        (lambda w: nn.SmoothL1Loss(beta=0.5), lambda w: torch.nn.SmoothL1Loss(beta=0.5), "numbers"),
        (lambda w: nn.HuberLoss(delta=0.5), lambda w: torch.nn.HuberLoss(delta=0.5), "numbers"),
        (lambda w: nn.PoissonNLLLoss(), lambda w: torch.nn.PoissonNLLLoss(), "numbers"),
        (
            lambda w: nn.KLDivLoss(reduction="batchmean"),
            lambda w: torch.nn.KLDivLoss(reduction="batchmean"),
            "shares",
        ),
        (lambda w: nn.BCEWithLogitsLoss(), lambda w: torch.nn.BCEWithLogitsLoss(), "shares"),
        (
            lambda w: nn.CrossEntropyLoss(weight=ours(w), label_smoothing=0.1, ignore_index=2),
            lambda w: torch.nn.CrossEntropyLoss(weight=theirs(w), label_smoothing=0.1, ignore_index=2),
            "classes",
        ),
        (lambda w: nn.NLLLoss(weight=ours(w)), lambda w: torch.nn.NLLLoss(weight=theirs(w)), "classes"),
    ],
)
def test_loss_module(mine: Any, other: Any, kind: str) -> None:
    random = np.random.default_rng(9)
    weight = random.uniform(0.5, 2, size=4)
    target = {
        "numbers": random.normal(size=(6, 4)),
        "shares": random.dirichlet(np.ones(4), size=6),
        "classes": random.integers(0, 4, size=6),
    }[kind]
    compare(mine(weight), other(weight), [random.normal(size=(6, 4)), target], grad=[0])
