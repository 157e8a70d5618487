"""Activation functions as modules; the mathematics is in `retrograd.functions`, `activations` and `piecewise`.

>>> import retrograd as rg
>>> from retrograd import nn
>>> nn.ReLU()(rg.tensor([-1.0, 2.0])).tolist()
[0.0, 2.0]
>>> nn.GELU(approximate="tanh")
GELU(approximate='tanh')
"""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import ShapeError
from ..functions import activations as f
from ..functions import piecewise as p
from ..functions.create import check_device, full
from ..functions.step import step
from ..modes import no_grad
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter


class _InPlace(Module):
    """An activation without settings, but for ``inplace``."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(_InPlace):
    """max(0, x)."""

    def forward(self, input: Tensor) -> Tensor:
        return p.relu(input, self.inplace)


class ReLU6(_InPlace):
    """min(max(0, x), 6)."""

    min_val, max_val = 0.0, 6.0

    def forward(self, input: Tensor) -> Tensor:
        return p.relu6(input, self.inplace)


class SELU(_InPlace):
    """Scaled exponential linear unit."""

    def forward(self, input: Tensor) -> Tensor:
        return f.selu(input, self.inplace)


class SiLU(_InPlace):
    """x·σ(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return f.silu(input, self.inplace)


class Mish(_InPlace):
    """x·tanh(ln(1 + eˣ))."""

    def forward(self, input: Tensor) -> Tensor:
        return f.mish(input, self.inplace)


class Hardsigmoid(_InPlace):
    """min(max(0, x + 3), 6) / 6."""

    def forward(self, input: Tensor) -> Tensor:
        return p.hardsigmoid(input, self.inplace)


class Hardswish(_InPlace):
    """x·hardsigmoid(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return p.hardswish(input, self.inplace)


class Tanh(Module):
    """Hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        return f.tanh(input)


class Sigmoid(Module):
    """1 / (1 + e^(-x)); before a loss prefer BCEWithLogitsLoss without it."""

    def forward(self, input: Tensor) -> Tensor:
        return f.sigmoid(input)


class LogSigmoid(Module):
    """ln σ(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return f.logsigmoid(input)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        return f.softsign(input)


class Tanhshrink(Module):
    """x - tanh x."""

    def forward(self, input: Tensor) -> Tensor:
        return f.tanhshrink(input)


class GELU(Module):
    """x·Φ(x), exactly or by its tanh approximation."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return f.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class ELU(_InPlace):
    """x where x > 0, else α·(eˣ - 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return f.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")


class CELU(ELU):
    """x where x > 0, else α·(e^(x/α) - 1)."""

    def forward(self, input: Tensor) -> Tensor:
        return f.celu(input, self.alpha, self.inplace)


class RReLU(_InPlace):
    """Leaky relu with slopes drawn from [lower, upper) in training, and their mean after ``eval()``."""

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        return p.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + (", inplace=True" if self.inplace else "")


class LeakyReLU(_InPlace):
    """x where x > 0, else slope·x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return p.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")


class PReLU(Module):
    """Leaky relu whose slopes are learnt: one, or one per channel; they start at ``init``."""

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        check_device(device)
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(full((num_parameters,), float(init), dtype=dtype))

    def reset_parameters(self) -> None:
        """All slopes as at the start."""
        with no_grad():
            self.weight.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return p.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class Softplus(Module):
    """ln(1 + e^(βx)) / β; x itself where βx > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return f.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardtanh(_InPlace):
    """x held between ``min_val`` and ``max_val``."""

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        if min_value is not None or max_value is not None:
            warnings.warn(
                "min_value and max_value are deprecated; hint: use min_val and max_val",
                FutureWarning,
                stacklevel=2,
            )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        p.limits("Hardtanh", self.min_val, self.max_val)

    def forward(self, input: Tensor) -> Tensor:
        return p.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + (", inplace=True" if self.inplace else "")


class Softshrink(Module):
    """x moved towards 0 by λ."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return p.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(Softshrink):
    """x, but 0 within λ of 0."""

    def forward(self, input: Tensor) -> Tensor:
        return p.hardshrink(input, self.lambd)


class Threshold(_InPlace):
    """x where x > threshold, else ``value``."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return p.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + (", inplace=True" if self.inplace else "")


class GLU(Module):
    """a·σ(b), of the halves a and b of the input."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return f.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(Module):
    """e^x / Σ e^x along ``dim``; before a loss prefer CrossEntropyLoss without it."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return f.softmax(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """ln softmax(x)."""

    def forward(self, input: Tensor) -> Tensor:
        return f.log_softmax(input, self.dim)


class Softmin(Softmax):
    """softmax(-x)."""

    def forward(self, input: Tensor) -> Tensor:
        return f.softmin(input, self.dim)


class Softmax2d(Module):
    """softmax over the channels of (N, C, H, W) or (C, H, W), at every place."""

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ShapeError(
                f"Softmax2d takes (N, C, H, W) or (C, H, W), got shape {tuple(input.shape)}",
                hint="for rows of classes use nn.Softmax(dim=1)",
            )
        return f.softmax(input, -3)


class Step(Module):
    """1 where x >= 0, else 0: the threshold neuron.  ``surrogate`` names a stand-in derivative, see `functions.step`.

    >>> import retrograd as rg
    >>> Step(surrogate="straight_through")(rg.tensor([-1.0, 2.0])).tolist()
    [0.0, 1.0]
    """

    def __init__(self, surrogate: str | None = None, scale: float = 1.0) -> None:
        super().__init__()
        self.surrogate = surrogate
        self.scale = scale

    def forward(self, input: Tensor) -> Tensor:
        return step(input, self.surrogate, self.scale)

    def extra_repr(self) -> str:
        return f"surrogate={self.surrogate!r}, scale={self.scale}"
