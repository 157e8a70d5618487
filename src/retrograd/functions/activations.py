"""Activation functions: what makes a stack of linear layers more than one linear layer.

Every function works element by element and keeps the shape, except `glu` (halves one dimension) and the softmax
family.  Where a derivative does not exist (a kink) the value taken is PyTorch's, and the docstring says which.
``inplace=True`` writes the result into ``input`` itself, with the same gradient.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError, UsageError
from .elementwise import abs as _abs
from .elementwise import clamp, erf, expm1, sigmoid, tanh, where
from .elementwise import relu as _relu
from .elementwise import softplus_raw as _softplus
from .reduce import log_softmax, softmax, softmin
from .shape import chunk

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "celu", "elu", "gelu", "glu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_softmax",
    "logsigmoid", "mish", "prelu", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold",
]  # fmt: skip

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def _inplace(function: Any, input: Tensor, *args: Any) -> Tensor:
    """Write ``function(input)`` into ``input``; the rule works on a copy, so nothing that it saved is overwritten."""
    return input.copy_(function(input.clone(), *args))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(0, x).  Derivative 1 where x > 0, else 0; at x = 0 it is 0.

    Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.

    >>> import retrograd as rg
    >>> relu(rg.tensor([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return _inplace(_relu, input) if inplace else _relu(input)


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
    if inplace:
        return _inplace(leaky_relu, input, negative_slope)
    return where(input > 0, input, input * negative_slope)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Leaky relu with learnt slopes: one for all, or one per channel (dimension 1 of ``input``).

    He et al., "Delving deep into rectifiers", ICCV 2015.

    >>> import retrograd as rg
    >>> prelu(rg.tensor([[-2.0, -2.0]]), rg.tensor([0.25, 0.5])).tolist()
    [[-0.5, -1.0]]
    """
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.numel() != channels:
            raise ShapeError(
                f"prelu has {weight.numel()} slopes for {channels} channel(s), input shape {tuple(input.shape)}",
                hint=f"use one slope or {channels}: nn.PReLU({channels})",
            )
        weight = weight.reshape((-1,) + (1,) * (input.ndim - 2))
    return where(input > 0, input, input * weight)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else α·(eˣ - 1); at x = 0 the derivative is α.

    Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential linear units", 2016.

    >>> import retrograd as rg
    >>> elu(rg.tensor([-1000.0, 0.0, 2.0])).tolist()
    [-1.0, 0.0, 2.0]
    """
    if inplace:
        return _inplace(elu, input, alpha)
    # The clamp keeps e^x from overflowing in the branch that is not taken, where 0·∞ would spoil the gradient.
    return where(input > 0, input, expm1(clamp(input, max=0)) * alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else α·(e^(x/α) - 1): smooth at 0 for every α.

    Barron, "Continuously differentiable exponential linear units", 2017.

    >>> import retrograd as rg
    >>> celu(rg.tensor([-1000.0, 3.0]), alpha=2.0).tolist()
    [-2.0, 3.0]
    """
    if alpha == 0:
        raise UsageError("celu divides by alpha, which is 0", hint="celu(x, alpha=1.0)")
    if inplace:
        return _inplace(celu, input, alpha)
    return where(input > 0, input, expm1(clamp(input, max=0) / alpha) * alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """λ·elu(x, α) with λ = 1.0507, α = 1.6733, the constants that keep mean 0 and variance 1 from layer to layer.

    Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.

    >>> import retrograd as rg
    >>> round(selu(rg.tensor(1.0)).item(), 4)
    1.0507
    """
    if inplace:
        return _inplace(selu, input)
    return elu(input, SELU_ALPHA) * SELU_SCALE


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x·Φ(x), Φ the normal distribution function; ``approximate="tanh"``: x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).

    Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    >>> import retrograd as rg
    >>> round(gelu(rg.tensor(1.0)).item(), 4), round(gelu(rg.tensor(1.0), approximate="tanh").item(), 4)
    (0.8413, 0.8412)
    """
    if approximate == "none":
        return input * 0.5 * (erf(input * math.sqrt(0.5)) + 1)
    if approximate == "tanh":
        inner = (input * input * input * 0.044715 + input) * math.sqrt(2 / math.pi)
        return input * 0.5 * (tanh(inner) + 1)
    raise UsageError(
        f"gelu knows approximate='none' and 'tanh', not {approximate!r}", hint="gelu(x, approximate='tanh')"
    )


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x·σ(x), also called swish.

    Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units", 2018; Ramachandran, Zoph and Le, 2017.

    >>> import retrograd as rg
    >>> round(silu(rg.tensor(1.0)).item(), 4)
    0.7311
    """
    return _inplace(silu, input) if inplace else input * sigmoid(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x·tanh(ln(1 + eˣ)).

    Misra, "Mish: a self regularized non-monotonic activation function", 2019.

    >>> import retrograd as rg
    >>> round(mish(rg.tensor(1.0)).item(), 4)
    0.8651
    """
    return _inplace(mish, input) if inplace else input * tanh(_softplus(input))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(βx)) / β; exactly x where βx > threshold, as in PyTorch.

    >>> import retrograd as rg
    >>> softplus(rg.tensor([-1000.0, 30.0])).tolist()
    [0.0, 30.0]
    """
    scaled = input if beta == 1 else input * beta
    smooth = _softplus(scaled) if beta == 1 else _softplus(scaled) / beta
    return where(scaled > threshold, input, smooth)


def logsigmoid(input: Tensor) -> Tensor:
    """ln σ(x) = -ln(1 + e^(-x)), without overflow.

    >>> import retrograd as rg
    >>> logsigmoid(rg.tensor([-1000.0, 1000.0])).abs().tolist()
    [1000.0, 0.0]
    """
    return -_softplus(-input)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|).

    >>> import retrograd as rg
    >>> softsign(rg.tensor([-1.0, 3.0])).tolist()
    [-0.5, 0.75]
    """
    return input / (_abs(input) + 1)


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """x held between ``min_val`` and ``max_val``; derivative 0 at both ends, where `clamp` has 1.

    >>> import retrograd as rg
    >>> hardtanh(rg.tensor([-3.0, 0.5, 3.0])).tolist()
    [-1.0, 0.5, 1.0]
    """
    if min_val > max_val:
        raise UsageError(
            f"hardtanh needs min_val <= max_val, got {min_val} and {max_val}",
            hint=f"hardtanh(x, {max_val}, {min_val})",
        )
    if inplace:
        return _inplace(hardtanh, input, min_val, max_val)
    return where(input <= min_val, min_val, where(input >= max_val, max_val, input))


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """min(max(0, x + 3), 6) / 6.

    >>> import retrograd as rg
    >>> hardsigmoid(rg.tensor([-4.0, 0.0, 4.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return _inplace(hardsigmoid, input) if inplace else relu6(input + 3) / 6


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x·hardsigmoid(x).

    Howard et al., "Searching for MobileNetV3", ICCV 2019.

    >>> import retrograd as rg
    >>> hardswish(rg.tensor([-4.0, 0.0, 4.0])).abs().tolist()
    [0.0, 0.0, 4.0]
    """
    return _inplace(hardswish, input) if inplace else input * hardsigmoid(input)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh x.

    >>> import retrograd as rg
    >>> tanhshrink(rg.tensor(0.0)).item()
    0.0
    """
    return input - tanh(input)


def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by λ, and 0 within λ of it.

    >>> import retrograd as rg
    >>> softshrink(rg.tensor([-2.0, 0.25, 2.0])).tolist()
    [-1.5, 0.0, 1.5]
    """
    if lambd < 0:
        raise UsageError(f"softshrink needs lambd >= 0, got {lambd}", hint="softshrink(x, lambd=0.5)")
    return where(input > lambd, input - lambd, where(input < -lambd, input + lambd, input * 0))


def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """x, but 0 within λ of 0.

    >>> import retrograd as rg
    >>> hardshrink(rg.tensor([-2.0, 0.25, 2.0])).tolist()
    [-2.0, 0.0, 2.0]
    """
    return where(_abs(input) <= lambd, 0.0, input)


def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """x where x > threshold, else ``value``.

    >>> import retrograd as rg
    >>> threshold_ = threshold(rg.tensor([0.1, 5.0]), 1.0, -7.0)
    >>> threshold_.tolist()
    [-7.0, 5.0]
    """
    if inplace:
        return _inplace(_threshold, input, threshold, value)
    return _threshold(input, threshold, value)


def _threshold(input: Tensor, limit: float, value: float) -> Tensor:
    return where(input <= limit, value, input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a·σ(b), where a and b are the halves of the input along ``dim``.

    Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017.

    >>> import retrograd as rg
    >>> glu(rg.tensor([2.0, 0.0])).tolist()
    [1.0]
    """
    if input.shape[dim] % 2:
        raise ShapeError(
            f"glu halves dimension {dim}, whose size {input.shape[dim]} is odd",
            hint="give it an even number of features",
        )
    a, b = chunk(input, 2, dim)
    return a * sigmoid(b)
