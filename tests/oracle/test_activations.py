"""Every activation against PyTorch: values and gradients, at random points and exactly at the kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from oracle.compare import SHAPES, compare, torch

T = torch.nn.functional

OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {}),
    ("relu6", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("leaky_relu", {"negative_slope": -0.1}),
    ("elu", {}),
    ("elu", {"alpha": 1.7}),
    ("celu", {}),
    ("celu", {"alpha": 0.5}),
    ("selu", {}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.5, "threshold": 3.0}),
    ("logsigmoid", {}),
    ("softsign", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("tanhshrink", {}),
    ("softshrink", {}),
    ("softshrink", {"lambd": 0.0}),
    ("hardshrink", {}),
    ("hardshrink", {"lambd": 1.0}),
    ("threshold", {"threshold": 0.5, "value": -2.0}),
    ("tanh", {}),
    ("sigmoid", {}),
]
IDS = [f"{name}-{'-'.join(f'{k}={v}' for k, v in options.items())}" for name, options in OPTIONS]


def _theirs(name: str) -> Any:
    if (
        name == "hardsigmoid"
    ):  # PyTorch's own derivative is 1/6 rounded to float32, wrong from the eighth digit
        return lambda v, inplace=False: T.relu6(v + 3) / 6
    return getattr(torch, name) if name in ("tanh", "sigmoid") else getattr(T, name)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_activation(name: str, options: dict[str, Any], dtype: str) -> None:
    random = np.random.default_rng(7)
    for shape in SHAPES:
        # Far out, slopes such as 1 - y² round to nothing in float32: they are judged beside larger ones only.
        for scale in (1.0, 8.0) if dtype == "float64" or np.prod(shape) >= 7 else (0.5,):
            x = random.normal(size=shape) * scale
            compare(
                lambda v: getattr(F, name)(v, **options),
                lambda v: _theirs(name)(v, **options),
                [x],
                dtype,
                what=f"{name} {shape}",
            )


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_activation_at_kinks_and_far_out(name: str, options: dict[str, Any]) -> None:
    kinks = np.array([0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -3.0, 6.0])
    compare(
        lambda v: getattr(F, name)(v, **options), lambda v: _theirs(name)(v, **options), [kinks], what=name
    )
    far = np.array([-1e4, -750.0, -100.0, 100.0, 750.0, 1e4])
    compare(lambda v: getattr(F, name)(v, **options), lambda v: _theirs(name)(v, **options), [far], what=name)


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=IDS)
def test_activation_of_nan_and_infinity(name: str, options: dict[str, Any]) -> None:
    odd = np.array([np.nan, np.inf, -np.inf])
    compare(
        lambda v: getattr(F, name)(v, **options),
        lambda v: _theirs(name)(v, **options),
        [odd],
        grad=[],
        what=name,
    )


@pytest.mark.parametrize(
    "name", ["relu", "relu6", "leaky_relu", "elu", "celu", "selu", "silu", "mish", "hardtanh"]
)
def test_in_place_changes_the_input_and_keeps_the_gradient(name: str) -> None:
    x = np.random.default_rng(3).normal(size=(3, 4))
    compare(
        lambda v: getattr(F, name)(v * 2, inplace=True),
        lambda v: getattr(T, name)(v * 2, inplace=True),
        [x],
        what=name,
    )
    t = rg.tensor(x)
    out = getattr(F, name)(t, inplace=True)
    assert out is t
    np.testing.assert_allclose(t.numpy(), getattr(F, name)(rg.tensor(x)).numpy())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_softmax_family(dtype: str) -> None:
    random = np.random.default_rng(1)
    for shape in [(5,), (3, 4), (2, 3, 5), (2, 1), (3, 0, 2)]:
        for dim in range(-len(shape), len(shape)):
            x = random.normal(size=shape) * (5 if dtype == "float64" else 1)
            for name in ("softmax", "log_softmax", "softmin"):
                compare(
                    lambda v, n=name, d=dim: getattr(F, n)(v, d),
                    lambda v, n=name, d=dim: getattr(T, n)(v, d),
                    [x], dtype, what=f"{name} {shape} {dim}",
                )  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_prelu_and_glu(dtype: str) -> None:
    random = np.random.default_rng(2)
    for shape, slopes in [((4,), 1), ((3, 4), 4), ((3, 4), 1), ((2, 3, 5), 3)]:
        compare(
            F.prelu,
            T.prelu,
            [random.normal(size=shape), random.normal(size=slopes)],
            dtype,
            what=f"prelu {shape}",
        )
    for shape, dim in [((4,), -1), ((3, 6), 1), ((4, 3), 0), ((2, 4, 3), 1)]:
        compare(
            lambda v, d=dim: F.glu(v, d),
            lambda v, d=dim: T.glu(v, d),
            [random.normal(size=shape)],
            dtype,
            what="glu",
        )


def test_second_derivatives() -> None:
    """Twice differentiable where PyTorch is; the composites must not cut the second derivative off."""
    x = np.random.default_rng(5).normal(size=(6,))
    for name, options in OPTIONS:
        a = rg.tensor(x).requires_grad_()
        b = torch.tensor(x, requires_grad=True)
        (ga,) = rg.autograd.grad(getattr(F, name)(a, **options).sum(), [a], create_graph=True)
        (gb,) = torch.autograd.grad(_theirs(name)(b, **options).sum(), [b], create_graph=True)
        if not gb.requires_grad:
            continue
        if ga.requires_grad:  # where the slope is piecewise constant, ours knows that and stops
            (ga * ga).sum().backward()
        (gb * gb).sum().backward()
        mine = np.zeros_like(x) if a.grad is None else a.grad.numpy()
        other = np.zeros_like(x) if b.grad is None else b.grad.numpy()
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-12, err_msg=name)
