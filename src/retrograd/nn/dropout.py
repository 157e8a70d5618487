"""Layers that drop units, channels or connections while training."""

from __future__ import annotations

from typing import Any

from ..functions import dropout as f
from ..tensor import Tensor
from .linear import Linear
from .module import Module


class Dropout(Module):
    """Each element 0 with probability p while training, the rest divided by 1 - p; the identity after ``eval()``.

    Srivastava et al., "Dropout", JMLR 2014.

    >>> import retrograd as rg
    >>> Dropout(0.5).eval()(rg.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.p = f.probability(f"nn.{type(self).__name__}", p)
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return f.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout1d(Dropout):
    """Whole channels of (N, C, L) or (C, L) dropped."""

    def forward(self, input: Tensor) -> Tensor:
        return f.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(Dropout):
    """Whole channels of (N, C, H, W) dropped."""

    def forward(self, input: Tensor) -> Tensor:
        return f.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(Dropout):
    """Whole channels of (N, C, D, H, W) or (C, D, H, W) dropped."""

    def forward(self, input: Tensor) -> Tensor:
        return f.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(Dropout):
    """Dropout for SELU networks, which keeps mean 0 and variance 1."""

    def forward(self, input: Tensor) -> Tensor:
        return f.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(Dropout):
    """`AlphaDropout` of whole channels of (N, C, ...)."""

    def forward(self, input: Tensor) -> Tensor:
        return f.feature_alpha_dropout(input, self.p, self.training)


class DropConnectLinear(Linear):
    """A Linear whose single connections are cut with probability p while training; saved like a Linear.

    Wan et al., "Regularization of neural networks using DropConnect", ICML 2013.

    >>> import retrograd as rg
    >>> DropConnectLinear(3, 2, p=0.2)(rg.zeros(5, 3)).shape
    (5, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, p: float = 0.5, dtype: Any = None
    ) -> None:
        super().__init__(in_features, out_features, bias, dtype=dtype)
        self.p = f.probability("nn.DropConnectLinear", p)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim == 0 or input.shape[-1] != self.in_features:
            raise self._wrong_width(input)
        return f.dropconnect_linear(input, self.weight, self.bias, self.p, self.training)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, p={self.p}"
