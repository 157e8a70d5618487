"""The step function: the threshold neuron, and the stand-in derivatives that let gradients pass it.

Its true derivative is 0 wherever it exists, so nothing before it can learn.  A *surrogate* keeps the exact step on the
way forward and uses the slope of a smooth function on the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError
from .elementwise import abs as _abs
from .elementwise import clamp, sigmoid
from .piecewise import hardtanh

__all__ = [
    "step",
]  # fmt: skip

if TYPE_CHECKING:
    from ..tensor import Tensor

SURROGATES = ("straight_through", "clipped", "sigmoid", "fast_sigmoid", "triangle")


def step(input: Tensor, surrogate: str | None = None, scale: float = 1.0) -> Tensor:
    """1 where x >= 0, else 0.  Backwards: 0, or with ``surrogate`` the slope s'(x) of a smooth stand-in:

    ===================  ===========================  ==================================
    ``straight_through``  1                            Bengio, Léonard, Courville 2013
    ``clipped``           1 where |kx| < 1, else 0     Hubara et al. 2016
    ``sigmoid``           k·σ(kx)·(1 - σ(kx))          logistic
    ``fast_sigmoid``      1 / (1 + k|x|)²              Zenke, Ganguli 2018
    ``triangle``          max(0, 1 - |kx|)             Bellec et al. 2018
    ===================  ===========================  ==================================

    with k = ``scale``.  The input must be finite.

    >>> import retrograd as rg
    >>> x = rg.tensor([-0.5, 0.0, 2.0], requires_grad=True)
    >>> y = step(x, surrogate="triangle")
    >>> y.tolist()
    [0.0, 1.0, 1.0]
    >>> y.sum().backward(); x.grad.tolist()
    [0.5, 1.0, 0.0]
    """
    fired = (input.detach() >= 0).to(input.dtype)
    if surrogate is None:
        return fired + input * 0  # keeps the path in the graph: its gradient is an exact 0, not an error
    smooth = _smooth(input, surrogate, scale)
    return fired + (smooth - smooth.detach())  # the value is the step's, the slope that of the stand-in


def _smooth(x: Tensor, surrogate: str, k: float) -> Tensor:
    """A function whose derivative is the surrogate."""
    if surrogate == "straight_through":
        return x
    if surrogate == "clipped":
        return hardtanh(x, -1 / k, 1 / k)
    if surrogate == "sigmoid":
        return sigmoid(x * k)
    if surrogate == "fast_sigmoid":
        return x / (_abs(x) * k + 1)
    if surrogate == "triangle":
        near = clamp(x * k, -1, 1)
        return (near - near * _abs(near) * 0.5) / k
    raise UsageError(
        f"no surrogate gradient {surrogate!r}; there are {', '.join(SURROGATES)}",
        hint="step(x, surrogate='sigmoid')",
    )
