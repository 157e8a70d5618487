"""Activation functions made of pieces that meet in a kink: relu and its relatives.

Where a derivative does not exist (at the kink) the value taken is PyTorch's, and the docstring says which.
``inplace=True``, or the function of the same name with an underscore, writes the result into ``input`` itself, with the
same gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import DTypeError, ShapeError, UsageError
from ..types import uint8
from ._inputs import floats, no_bool, one_dtype
from .elementwise import abs as _abs
from .elementwise import relu as _relu
from .elementwise import where
from .random import rand

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "prelu", "relu",
    "relu6", "relu_", "rrelu", "rrelu_", "softshrink", "threshold", "threshold_",
]  # fmt: skip


def written(function: Any, input: Tensor, *args: Any) -> Tensor:
    """Write ``function(input)`` into ``input``; the rule works on a copy, so nothing that it saved is overwritten."""
    return input.copy_(function(input.clone(), *args))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x).  Derivative 1 where x > 0, else 0; at x = 0 it is 0.

    Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.

    >>> import retrograd as rg
    >>> relu(rg.tensor([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    no_bool("relu", input)
    return written(_relu, input) if inplace else _relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x), 6).  Derivative 0 at both kinks.

    >>> import retrograd as rg
    >>> relu6(rg.tensor([-1.0, 2.0, 9.0])).tolist()
    [0.0, 2.0, 6.0]
    """
    return hardtanh(input, 0.0, 6.0, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """x where x > 0, else slope·x; at x = 0 the derivative is the slope.

    Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.

    >>> import retrograd as rg
    >>> leaky_relu(rg.tensor([-2.0, 2.0]), 0.5).tolist()
    [-1.0, 2.0]
    """
    floats("leaky_relu", input)
    if inplace:
        return written(leaky_relu, input, negative_slope)
    return where(input > 0, input, input * negative_slope)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """Leaky relu whose slope is drawn for each element from [lower, upper) in training, and is their mean otherwise.

    Xu et al., "Empirical evaluation of rectified activations in convolutional network", 2015.

    >>> import retrograd as rg
    >>> rrelu(rg.tensor([-2.0, 2.0]), 0.25, 0.75).tolist()
    [-1.0, 2.0]
    """
    floats("rrelu", input)
    if lower > upper:
        raise UsageError(
            f"rrelu needs lower <= upper, got {lower} and {upper}", hint=f"rrelu(x, {upper}, {lower})"
        )
    if inplace:
        return written(rrelu, input, lower, upper, training)
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    slope = rand(input.shape, dtype=input.dtype) * (upper - lower) + lower
    return where(input > 0, input, input * slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Leaky relu with learnt slopes: one for all, or one per channel (dimension 1 of ``input``).

    He et al., "Delving deep into rectifiers", ICCV 2015.

    >>> import retrograd as rg
    >>> prelu(rg.tensor([[-2.0, -2.0]]), rg.tensor([0.25, 0.5])).tolist()
    [[-0.5, -1.0]]
    """
    one_dtype("prelu", input, weight)
    if weight.ndim > 1:
        raise ShapeError(
            f"prelu takes one slope or a vector of them, got shape {tuple(weight.shape)}",
            hint="weight.flatten()",
        )
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else min(input.ndim, 1)
        if weight.numel() != channels:
            raise ShapeError(
                f"prelu has {weight.numel()} slopes for {channels} channel(s), input shape {tuple(input.shape)}",
                hint=f"use one slope or {channels}: nn.PReLU({channels})",
            )
        weight = weight.reshape((-1,) + (1,) * (input.ndim - 2))
    elif weight.ndim > input.ndim:
        weight = weight.reshape(())
    return where(input > 0, input, input * weight)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x held between ``min_val`` and ``max_val``; derivative 0 at both ends, where `clamp` has 1.

    >>> import retrograd as rg
    >>> hardtanh(rg.tensor([-3.0, 0.5, 3.0])).tolist()
    [-1.0, 0.5, 1.0]
    """
    no_bool("hardtanh", input)
    limits("hardtanh", min_val, max_val)
    if inplace:
        return written(hardtanh, input, min_val, max_val)
    low, high = _number("hardtanh", input, min_val), _number("hardtanh", input, max_val)
    return where(input <= low, low, where(input >= high, high, input))


def limits(name: str, low: float, high: float) -> None:
    """Refuse a lower limit above the upper one."""
    if low > high:
        raise UsageError(
            f"{name} needs min_val <= max_val, got {low} and {high}",
            hint=f"{name}(min_val={high}, max_val={low})",
        )


def _number(name: str, input: Tensor, value: float) -> float | int:
    """``value`` as a number that leaves the dtype of ``input`` as it is."""
    if input.dtype.is_floating_point:
        return value
    if input.dtype is uint8 and int(value) < 0:
        raise DTypeError(f"{name}: uint8 tensors cannot hold {value}", hint="convert the input: x.long()")
    return int(value)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x + 3), 6) / 6.

    >>> import retrograd as rg
    >>> hardsigmoid(rg.tensor([-4.0, 0.0, 4.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    floats("hardsigmoid", input)
    return written(hardsigmoid, input) if inplace else relu6(input + 3) / 6


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x·hardsigmoid(x).

    Howard et al., "Searching for MobileNetV3", ICCV 2019.

    >>> import retrograd as rg
    >>> hardswish(rg.tensor([-4.0, 0.0, 4.0])).abs().tolist()
    [0.0, 0.0, 4.0]
    """
    floats("hardswish", input)
    return written(hardswish, input) if inplace else input * hardsigmoid(input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by λ, and 0 within λ of it.

    >>> import retrograd as rg
    >>> softshrink(rg.tensor([-2.0, 0.25, 2.0])).tolist()
    [-1.5, 0.0, 1.5]
    """
    floats("softshrink", input)
    if lambd < 0:
        raise UsageError(f"softshrink needs lambd >= 0, got {lambd}", hint="softshrink(x, lambd=0.5)")
    return where(input > lambd, input - lambd, where(input < -lambd, input + lambd, input * 0))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x, but 0 within λ of 0.

    >>> import retrograd as rg
    >>> hardshrink(rg.tensor([-2.0, 0.25, 2.0])).tolist()
    [-2.0, 0.0, 2.0]
    """
    floats("hardshrink", input)
    return where(_abs(input) <= lambd, 0.0, input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else ``value``.

    >>> import retrograd as rg
    >>> threshold(rg.tensor([0.1, 5.0]), 1.0, -7.0).tolist()
    [-7.0, 5.0]
    """
    no_bool("threshold", input)
    if inplace:
        return written(_threshold, input, threshold, value)
    return _threshold(input, threshold, value)


def _threshold(input: Tensor, limit: float, value: float) -> Tensor:
    return where(input <= _number("threshold", input, limit), _number("threshold", input, value), input)


def relu_(input: Tensor) -> Tensor:
    """`relu` written into ``input``."""
    return relu(input, inplace=True)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu` written into ``input``."""
    return leaky_relu(input, negative_slope, inplace=True)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """`rrelu` written into ``input``."""
    return rrelu(input, lower, upper, training, inplace=True)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh` written into ``input``."""
    return hardtanh(input, min_val, max_val, inplace=True)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """x where x > threshold, else ``value``, written into ``input``."""
    return written(_threshold, input, threshold, value)
