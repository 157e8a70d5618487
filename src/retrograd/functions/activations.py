"""Activation functions: what makes a stack of linear layers more than one linear layer.

Every function works element by element and keeps the shape, except `glu` (halves one dimension) and the softmax
family.  Those with a kink are in `piecewise`.  ``inplace=True``, or the function of the same name with an underscore,
writes the result into ``input`` itself, with the same gradient.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from ..errors import ShapeError, UsageError
from ..types import normalize_dim
from . import reduce as r
from ._inputs import floats, no_bool
from .create import zeros_like
from .elementwise import abs as _abs
from .elementwise import clamp, erf, expm1, log, log1p, sigmoid, tanh, where
from .elementwise import softplus_raw as _softplus
from .piecewise import written
from .random import rand
from .scatter import scatter
from .shape import chunk

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "log_softmax", "logsigmoid", "mish", "selu", "selu_",
    "sigmoid", "silu", "softmax", "softmin", "softplus", "softsign", "tanh", "tanhshrink",
]  # fmt: skip

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else α·(eˣ - 1); at x = 0 the derivative is α.

    Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential linear units", 2016.

    >>> import retrograd as rg
    >>> elu(rg.tensor([-1000.0, 0.0, 2.0])).tolist()
    [-1.0, 0.0, 2.0]
    """
    floats("elu", input)
    if inplace:
        return written(elu, input, alpha)
    below, curve = _left(input)
    straight = input if alpha == 1 else where(input == 0, input * alpha, input)
    return where(below, curve * alpha, straight)


def _left(input: Tensor, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    """Where x < 0, and e^(x/scale) - 1 there; 0 itself counts as straight: its second derivative is 0, as in PyTorch."""
    below = input < 0
    kept = where(
        below, input, 0.0
    )  # e^x does not overflow where it is not taken: 0·∞ would spoil the gradient
    return below, expm1(kept if scale == 1 else kept / scale)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where x > 0, else α·(e^(x/α) - 1): smooth at 0 for every α.

    Barron, "Continuously differentiable exponential linear units", 2017.

    >>> import retrograd as rg
    >>> celu(rg.tensor([-1000.0, 3.0]), alpha=2.0).tolist()
    [-2.0, 3.0]
    """
    floats("celu", input)
    if alpha == 0:
        raise UsageError("celu divides by alpha, which is 0", hint="celu(x, alpha=1.0)")
    if inplace:
        return written(celu, input, alpha)
    below, curve = _left(input, alpha)
    return where(below, curve * alpha, input)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """λ·elu(x, α) with λ = 1.0507, α = 1.6733, the constants that keep mean 0 and variance 1 from layer to layer.

    Klambauer et al., "Self-normalizing neural networks", NeurIPS 2017.

    >>> import retrograd as rg
    >>> round(selu(rg.tensor(1.0)).item(), 4)
    1.0507
    """
    floats("selu", input)
    if inplace:
        return written(selu, input)
    return elu(input, SELU_ALPHA) * SELU_SCALE


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """x·Φ(x), Φ the normal distribution function; ``approximate="tanh"``: x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))).

    Hendrycks and Gimpel, "Gaussian error linear units", 2016.

    >>> import retrograd as rg
    >>> round(gelu(rg.tensor(1.0)).item(), 4), round(gelu(rg.tensor(1.0), approximate="tanh").item(), 4)
    (0.8413, 0.8412)
    """
    floats("gelu", input)
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
    floats("silu", input)
    return written(silu, input) if inplace else input * sigmoid(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x·tanh(ln(1 + eˣ)).

    Misra, "Mish: a self regularized non-monotonic activation function", 2019.

    >>> import retrograd as rg
    >>> round(mish(rg.tensor(1.0)).item(), 4)
    0.8651
    """
    floats("mish", input)
    return written(mish, input) if inplace else input * tanh(_softplus(input))


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """ln(1 + e^(βx)) / β; exactly x where βx > threshold, as in PyTorch.

    >>> import retrograd as rg
    >>> softplus(rg.tensor([-1000.0, 30.0])).tolist()
    [0.0, 30.0]
    """
    floats("softplus", input)
    scaled = input if beta == 1 else input * beta
    if beta == 0:  # infinite everywhere, with the slope σ(0) that every β has at βx = 0
        smooth = input * 0.5 + scaled + math.inf
    else:
        smooth = _softplus(scaled) if beta == 1 else _softplus(scaled) / beta
    return where(scaled > threshold, input, smooth)


def logsigmoid(input: Tensor) -> Tensor:
    """ln σ(x) = -ln(1 + e^(-x)), without overflow.

    >>> import retrograd as rg
    >>> logsigmoid(rg.tensor([-1000.0, 1000.0])).abs().tolist()
    [1000.0, 0.0]
    """
    floats("logsigmoid", input)
    return -_softplus(-input)


def softsign(input: Tensor) -> Tensor:
    """x / (1 + |x|).

    >>> import retrograd as rg
    >>> softsign(rg.tensor([-1.0, 3.0])).tolist()
    [-0.5, 0.75]
    """
    no_bool("softsign", input)
    return input / (_abs(input) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh x.

    >>> import retrograd as rg
    >>> tanhshrink(rg.tensor(0.0)).item()
    0.0
    """
    no_bool("tanhshrink", input)
    return input - tanh(input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a·σ(b), where a and b are the halves of the input along ``dim``.

    Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017.

    >>> import retrograd as rg
    >>> glu(rg.tensor([2.0, 0.0])).tolist()
    [1.0]
    """
    floats("glu", input)
    if input.ndim == 0:
        raise ShapeError("glu needs a dimension to halve, got a scalar", hint="glu(rg.tensor([a, b]))")
    n = input.shape[normalize_dim(dim, input.ndim)]
    if n % 2:
        raise ShapeError(
            f"glu halves dimension {dim}, whose size {n} is odd", hint="give it an even number of features"
        )
    a, b = chunk(input, 2, dim)
    return a * sigmoid(b)


def _along(name: str, input: Tensor, dim: int | None, dtype: Any) -> int:
    """The dimension of a softmax; PyTorch's old default where none is given."""
    if dtype is None:
        floats(name, input)
    if dim is not None:
        return dim
    chosen = 0 if input.ndim in (0, 1, 3) else 1
    warnings.warn(
        f"{name} chose dim={chosen} for shape {tuple(input.shape)}; hint: say it, {name}(x, dim={chosen})",
        UserWarning,
        stacklevel=3,
    )
    return chosen


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """e^x / Σ e^x along ``dim``; ``dtype``: computed in it.

    >>> import retrograd as rg
    >>> softmax(rg.zeros(4), 0).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return r.softmax(input, _along("softmax", input, dim, dtype), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """x - ln Σ e^x along ``dim``: ln softmax(x), without overflow; ``dtype``: computed in it.

    >>> import retrograd as rg
    >>> log_softmax(rg.tensor([0.0, -1000.0]), 0).tolist()
    [0.0, -1000.0]
    """
    return r.log_softmax(input, _along("log_softmax", input, dim, dtype), dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Tensor:
    """softmax(-x) along ``dim``.

    >>> import retrograd as rg
    >>> softmin(rg.tensor([0.0, 1000.0]), 0).tolist()
    [1.0, 0.0]
    """
    return r.softmax(-input, _along("softmin", input, dim, dtype), dtype=dtype)


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """softmax((x + g) / τ) with Gumbel noise g = -ln(-ln u): a differentiable draw of a class along ``dim``.

    ``hard``: the value is the one-hot class, the gradient that of the soft draw.  ``eps`` has no effect.

    Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017.

    >>> import retrograd as rg
    >>> gumbel_softmax(rg.tensor([0.0, 1000.0]), hard=True).tolist()
    [0.0, 1.0]
    """
    floats("gumbel_softmax", logits)
    if eps != 1e-10:
        warnings.warn("gumbel_softmax: eps has no effect; hint: leave it out", UserWarning, stacklevel=2)
    wait = clamp(-log1p(-rand(logits.shape, dtype=logits.dtype)), min=1e-30)
    soft = r.softmax((logits - log(wait)) / tau, dim)
    if not hard:
        return soft
    best = r.argmax(soft, dim, keepdim=True)
    picked = scatter(zeros_like(soft), dim, best, zeros_like(soft) + 1)
    return picked + (soft - soft.detach())


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` written into ``input``."""
    return elu(input, alpha, inplace=True)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` written into ``input``."""
    return celu(input, alpha, inplace=True)


def selu_(input: Tensor) -> Tensor:
    """`selu` written into ``input``."""
    return selu(input, inplace=True)
