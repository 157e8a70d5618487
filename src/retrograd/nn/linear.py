"""Dense layers: every output unit is connected with every input."""

from __future__ import annotations

import math
from typing import Any

from ..errors import ShapeError, UsageError, describe, user_place
from ..functions._arguments import require_tensor
from ..functions.create import check_device, empty
from ..functions.linalg import linear
from ..functions.shape import integer
from ..tensor import Tensor
from . import functional, init
from .module import Module
from .parameter import Parameter


class Identity(Module):
    """Returns its input; takes and forgets any arguments.

    >>> import retrograd as rg
    >>> Identity()(rg.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """y = x·Wᵀ + b: each output is a weighted sum of the inputs plus a bias.

    ``weight`` has shape (out_features, in_features), ``bias`` (out_features,); inputs (..., in_features).  Both start
    uniform in ±1/√in_features, which is what PyTorch's ``kaiming_uniform_(a=√5)`` amounts to (variance 1/(3·in));
    for deep ReLU nets `init.kaiming_normal_` (variance 2/in) keeps the signal's size.

    >>> import retrograd as rg
    >>> layer = Linear(3, 2)
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    >>> layer(rg.zeros(5, 3)).shape
    (5, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        check_device(device)
        for name, n in (("in_features", in_features), ("out_features", out_features)):
            if integer(f"Linear: {name}", n) < 0:
                raise UsageError(f"Linear: {name} must not be negative, got {n}", hint="nn.Linear(8, 16)")
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in_features, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        require_tensor("Linear", input)
        if input.ndim == 0 or input.shape[-1] != self.in_features:
            raise self._wrong_width(input)
        return linear(input, self.weight, self.bias)

    def _wrong_width(self, input: Tensor) -> ShapeError:
        width = input.shape[-1] if input.ndim else 0
        bias = "" if self.bias is not None else ", bias=False"
        return ShapeError(
            f"Linear expects inputs of width {self.in_features}, got width {width} (shape {tuple(input.shape)})",
            hint=f"make this layer nn.Linear({width}, {self.out_features}{bias}), "
            f"or let the layer before give width {self.in_features}",
            where=describe(user_place()),
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        )


class Bilinear(Module):
    """y = x₁ᵀ·A·x₂ + b: each output is a weighted sum of all products of an entry of x₁ and one of x₂.

    ``weight`` has shape (out, in1, in2); inputs (..., in1) and (..., in2).

    >>> import retrograd as rg
    >>> Bilinear(3, 4, 2)(rg.zeros(5, 3), rg.zeros(5, 4)).shape
    (5, 2)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_device(device)
        if integer("Bilinear: in1_features", in1_features) <= 0:
            raise UsageError(
                f"Bilinear: in1_features must be positive, got {in1_features}", hint="nn.Bilinear(3, 4, 2)"
            )
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty(out_features, in1_features, in2_features, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values, uniform in ±1/√in1_features."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return functional.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
