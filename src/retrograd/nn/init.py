"""Starting weights: every function fills a tensor in place, without a gradient, and returns it.

``fan_in`` is the number of inputs of a unit, ``fan_out`` the number of units that an input feeds; for a weight of shape
(out, in, ...) they are in·r and out·r with r the product of the other sizes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..errors import Missing, ShapeError, UsageError
from ..functions.create import as_tensor
from ..modes import no_grad
from ..tensor import Tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much weights before an activation are enlarged to keep the signal's size: √2 for relu, 5/3 for tanh, ...

    >>> round(calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity in ("linear", "conv1d", "conv2d", "conv3d", "sigmoid", "identity"):
        return 1.0
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else float(param)
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity == "selu":
        return 3.0 / 4
    raise UsageError(
        f"no gain is known for {nonlinearity!r}",
        hint="use 'linear', 'sigmoid', 'tanh', 'relu', 'leaky_relu' or 'selu'",
    )


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight."""
    if len(shape) < 2:
        raise ShapeError(
            f"fan_in and fan_out need a weight with at least 2 dimensions, got shape {shape}",
            hint="for biases use init.zeros_ or init.uniform_",
        )
    rest = math.prod(shape[2:])
    return shape[1] * rest, shape[0] * rest


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform between a and b."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with the given mean and standard deviation."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """All entries ``val``."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """All entries 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """All entries 0."""
    return constant_(tensor, 0.0)


def _copy(target: Tensor, array: Any) -> Tensor:
    with no_grad():
        return target.copy_(as_tensor(array.astype(target.dtype.numpy)))


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: a linear layer starts by passing its input on."""
    if tensor.ndim != 2:
        raise ShapeError(
            f"eye_ fills a matrix, got shape {tuple(tensor.shape)}", hint="use it on a weight of nn.Linear"
        )
    return _copy(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in ±gain·√(6 / (fan_in + fan_out)).

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.
    """
    bound = gain * math.sqrt(6.0 / sum(fans(tuple(tensor.shape))))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with standard deviation gain·√(2 / (fan_in + fan_out))."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(fans(tuple(tensor.shape)))), generator)


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise UsageError(
            f"mode is 'fan_in' or 'fan_out', not {mode!r}", hint="kaiming_normal_(w, mode='fan_in')"
        )
    fan = fans(tuple(tensor.shape))[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Uniform with standard deviation gain/√fan: in ±gain·√(3 / fan).

    He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    bound = math.sqrt(3.0) * _kaiming(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Tensor:
    """Normal with standard deviation gain/√fan: √(2 / fan_in) before relu."""
    return normal_(tensor, 0.0, _kaiming(tensor, a, mode, nonlinearity), generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Any = None,
) -> Tensor:
    """Normal, but drawn again wherever it falls outside [a, b]."""
    if not a < b:
        raise UsageError(f"trunc_normal_ needs a < b, got {a} and {b}", hint="trunc_normal_(w, a=-2, b=2)")

    def below(x: float) -> float:
        return (1 + math.erf((x - mean) / (std * math.sqrt(2)))) / 2

    if below(b) - below(a) < 1e-3:
        raise UsageError(
            f"[{a}, {b}] holds less than 0.1 % of a normal distribution with mean {mean} and std {std}",
            hint="move the bounds towards the mean; they are values, not multiples of std",
        )
    normal_(tensor, mean, std, generator)
    values = tensor.detach().numpy().copy()
    while (outside := (values < a) | (values > b)).any():
        again = normal_(tensor, mean, std, generator).detach().numpy()
        values[outside] = again[outside]
    return _copy(tensor, values)


def orthogonal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Orthonormal rows or columns (whichever are fewer), times gain; dimensions after the first count as columns.

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear networks", 2014.
    """
    if tensor.ndim < 2:
        raise ShapeError(
            f"orthogonal_ fills a matrix, got shape {tuple(tensor.shape)}", hint="use it on a weight"
        )
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    drawn = normal_(tensor, 0.0, 1.0, generator).detach().numpy().astype("float64").reshape(rows, -1)
    wide = drawn.shape[0] < drawn.shape[1]
    q, r = np.linalg.qr(drawn.T if wide else drawn)
    q = q * np.sign(np.diag(r))  # makes the result uniform over all orthogonal matrices
    return _copy(tensor, (gain * (q.T if wide else q)).reshape(tuple(tensor.shape)))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal(0, std), with the fraction ``sparsity`` of each column set to 0 (Martens, ICML 2010)."""
    if tensor.ndim != 2:
        raise ShapeError(
            f"sparse_ fills a matrix, got shape {tuple(tensor.shape)}", hint="use it on a weight of nn.Linear"
        )
    order = uniform_(tensor, generator=generator).detach().numpy().argsort(axis=0)
    values = normal_(tensor, 0.0, std, generator).detach().numpy().copy()
    np.put_along_axis(values, order[: math.ceil(sparsity * values.shape[0])], 0.0, axis=0)
    return _copy(tensor, values)


def __getattr__(name: str) -> object:
    raise Missing(__name__, name, globals())
