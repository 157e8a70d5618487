"""The public gradient checker passes on every module that `nn` exports, to second order, parameters included.

A new module is taken in without a line here if it can be made without arguments (or with those of its family) and
takes numbers of shape (3, 4); otherwise the failure asks for a recipe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.errors import GradError

NO_FUNCTION = {
    "Module": "has no forward of its own",
    "ModuleList": "holds modules, and computes nothing",
    "ModuleDict": "holds modules, and computes nothing",
    "ParameterList": "holds parameters, and computes nothing",
    "ParameterDict": "holds parameters, and computes nothing",
    "Step": "hands back a surrogate instead of its derivative, on purpose: tests/nn/test_activations.py",
}
MODULES = sorted(
    name
    for name in nn.__all__
    if isinstance(cls := getattr(nn, name), type) and issubclass(cls, nn.Module) and name not in NO_FUNCTION
)


def numbers(*shape: int, seed: int = 0) -> rg.Tensor:
    """Normal numbers, none within 0.02 of a multiple of a half, where kinks are."""
    x = np.random.default_rng([seed, *shape]).normal(size=shape)
    near = np.round(2 * x) / 2
    x = np.where(np.abs(x - near) < 0.02, near + 0.05, x)
    return rg.tensor(x, requires_grad=True)


def classes(*shape: int, of: int = 2, seed: int = 0) -> rg.Tensor:
    return rg.tensor(np.random.default_rng(seed).integers(0, of, shape))


def signs(*shape: int) -> rg.Tensor:
    return classes(*shape).double() * 2 - 1


Recipe = tuple[Callable[[], nn.Module], Callable[[], tuple[rg.Tensor, ...]]]
SIZES: dict[str, tuple[int, ...]] = {"1d": (2, 4, 5), "2d": (2, 4, 3, 3), "3d": (2, 4, 2, 2, 2)}


def recipe(name: str) -> Recipe:
    """How a module is made and what it is given."""
    cls: Any = getattr(nn, name)
    x: Callable[[], tuple[rg.Tensor, ...]] = lambda: (numbers(3, 4),)  # noqa: E731
    spatial = SIZES.get(name[-2:])
    special: dict[str, Recipe] = {
        "BCELoss": (cls, lambda: (numbers(3, 4).detach().sigmoid().requires_grad_(), classes(3, 4).double())),
        "BCEWithLogitsLoss": (cls, lambda: (numbers(3, 4), classes(3, 4).double())),
        "Bilinear": (lambda: cls(4, 3, 2), lambda: (numbers(5, 4), numbers(5, 3))),
        "ChannelShuffle": (lambda: cls(2), lambda: (numbers(2, 4, 3, 3),)),
        "CosineEmbeddingLoss": (cls, lambda: (numbers(3, 4), numbers(3, 4, seed=1), signs(3))),
        "CrossEntropyLoss": (lambda: cls(label_smoothing=0.1), lambda: (numbers(3, 4), classes(3, of=4))),
        "DropConnectLinear": (lambda: cls(4, 3), x),
        "Embedding": (lambda: cls(5, 3), lambda: (classes(2, 4, of=5),)),
        "GaussianNLLLoss": (cls, lambda: (numbers(3, 4), numbers(3, 4, seed=1), numbers(3, 4).detach().exp().requires_grad_())),
        "GroupNorm": (lambda: cls(2, 4), lambda: (numbers(3, 4, 2),)),
        "HingeEmbeddingLoss": (cls, lambda: (numbers(3, 4), signs(3, 4))),
        "KLDivLoss": (
            lambda: cls(reduction="batchmean"),
            lambda: (numbers(3, 4), numbers(3, 4, seed=1).detach().softmax(1).requires_grad_()),
        ),
        "LayerNorm": (lambda: cls(4), x),
        "LazyLinear": (lambda: cls(3), x),
        "Linear": (lambda: cls(4, 3), x),
        "LocalResponseNorm": (lambda: cls(3), lambda: (numbers(2, 5, 3),)),
        "MarginRankingLoss": (cls, lambda: (numbers(4), numbers(4, seed=1), signs(4))),
        "MultiLabelMarginLoss": (cls, lambda: (numbers(2, 4), rg.tensor([[3, 0, -1, 1], [1, -1, 0, 2]]))),
        "MultiLabelSoftMarginLoss": (cls, lambda: (numbers(3, 4), classes(3, 4).double())),
        "MultiMarginLoss": (cls, lambda: (numbers(3, 4), classes(3, of=4))),
        "NLLLoss": (cls, lambda: (numbers(3, 4), classes(3, of=4))),
        "PixelShuffle": (lambda: cls(2), lambda: (numbers(1, 4, 2, 2),)),
        "PixelUnshuffle": (lambda: cls(2), lambda: (numbers(1, 1, 4, 4),)),
        "PoissonNLLLoss": (cls, lambda: (numbers(3, 4), classes(3, 4, of=5).double())),
        "RMSNorm": (lambda: cls(4), x),
        "Residual": (lambda: cls(nn.Linear(4, 4), nn.Tanh()), x),
        "Sequential": (lambda: cls(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)), x),
        "SoftMarginLoss": (cls, lambda: (numbers(3, 4), signs(3, 4))),
        "Softmax2d": (cls, lambda: (numbers(2, 3, 2, 2),)),
        "Threshold": (lambda: cls(0.1, -0.3), x),
        "Unflatten": (lambda: cls(1, (2, 2)), x),
    }  # fmt: skip
    if name in special:
        return special[name]
    if "Softm" in name:
        return lambda: cls(dim=1), x
    if name.startswith("Triplet"):
        return cls, lambda: tuple(numbers(3, 4, seed=k) for k in range(3))
    if name in ("CosineSimilarity", "PairwiseDistance"):
        return cls, lambda: (numbers(3, 4), numbers(3, 4, seed=1))
    if name.endswith("Loss"):
        return cls, lambda: (numbers(3, 4), numbers(3, 4, seed=1))
    if spatial and "Norm" in name:
        return (cls if name.startswith("Lazy") else lambda: cls(4)), lambda: (numbers(*spatial),)
    if spatial and "Pad" in name:
        more = (0.5,) if name.startswith("Constant") else ()
        return lambda: cls(1, *more), lambda: (numbers(*spatial[:1], 1, *spatial[2:]),)
    if spatial:
        return cls, lambda: (numbers(*spatial),)
    return (lambda: cls(dim=1)) if name in ("LogSoftmax", "Softmax", "Softmin") else cls, x


class Repeated(nn.Module):
    """A module whose random numbers are the same in every call, and whose averages do not move."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *inputs: rg.Tensor) -> Any:
        kept = [b.detach().clone() for b in self.inner.buffers()]
        rg.manual_seed(0)
        out = self.inner(*inputs)
        with rg.no_grad():
            for buffer, value in zip(self.inner.buffers(), kept):
                buffer.copy_(value)
        return out


@pytest.mark.row("ENG-06")
@pytest.mark.parametrize("name", MODULES)
def test_the_gradient_check_passes(name: str) -> None:
    make, given = recipe(name)
    rg.manual_seed(1)
    try:
        module, inputs = make(), given()
        if name.startswith("Lazy"):
            module(*(t.detach().float() for t in inputs))  # a lazy layer learns its sizes first
        module = Repeated(module.double())
        with rg.no_grad():  # parameters that start as 0 or 1 say little
            for k, p in enumerate(module.parameters()):
                p.add_(numbers(*p.shape, seed=5 + k).detach() * 0.3)
        module(*inputs)
    except TypeError as error:
        raise AssertionError(f"nn.{name} needs a recipe in tests/nn/test_every_module.py: {error}") from error
    assert any(t.requires_grad for t in [*inputs, *module.parameters()])
    assert rg.autograd.gradcheck(module, inputs, atol=1e-6, rtol=1e-5)
    assert rg.autograd.gradgradcheck(module, inputs, atol=1e-5, rtol=1e-4)


@pytest.mark.row("ENG-06")
def test_control_a_module_that_hides_part_of_its_gradient_is_caught() -> None:
    class Hiding(nn.Linear):
        def forward(self, input: rg.Tensor) -> rg.Tensor:
            return super().forward(input) + self.weight.detach().sum()

    with pytest.raises(GradError, match="weight"):
        rg.autograd.gradcheck(Hiding(4, 3).double(), (numbers(3, 4),))
    assert rg.autograd.gradcheck(nn.Linear(4, 3).double(), (numbers(3, 4),))


def test_what_is_left_out_is_there_and_has_a_reason() -> None:
    for name, reason in NO_FUNCTION.items():
        assert issubclass(getattr(nn, name), nn.Module)
        assert reason
