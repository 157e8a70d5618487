"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import ShapeError
from ...functions.shape import cat
from ...modes import no_grad
from ...tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The entries of all parameters one after the other; differentiable.

    >>> import retrograd as rg
    >>> parameters_to_vector([rg.ones(2, 2), rg.zeros(1)]).tolist()
    [1.0, 1.0, 1.0, 1.0, 0.0]
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the entries of a vector into the parameters, in their order."""
    listed = list(parameters)
    needed = sum(p.numel() for p in listed)
    if tuple(vec.shape) != (needed,):
        raise ShapeError(
            f"the parameters hold {needed} numbers, the vector has shape {tuple(vec.shape)}",
            hint="make it with parameters_to_vector of the same parameters",
        )
    start = 0
    with no_grad():
        for p in listed:
            p.copy_(vec[start : start + p.numel()].reshape(p.shape))
            start += p.numel()
