"""Flatten and Unflatten: several dimensions as one, and back."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import UsageError
from ..tensor import Tensor
from .module import Module


class Flatten(Module):
    """Dimensions ``start_dim`` to ``end_dim`` become one; by default all but the first, the rows.

    >>> import retrograd as rg
    >>> Flatten()(rg.zeros(5, 2, 3)).shape
    (5, 6)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Dimension ``dim`` becomes several, of sizes ``unflattened_size`` (one may be -1).

    >>> import retrograd as rg
    >>> Unflatten(1, (2, 3))(rg.zeros(5, 6)).shape
    (5, 2, 3)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        if not isinstance(unflattened_size, tuple | list) or not all(
            isinstance(n, int) for n in unflattened_size
        ):
            raise UsageError(
                f"Unflatten takes a tuple of whole numbers, got {unflattened_size!r}",
                hint="nn.Unflatten(1, (2, 3))",
            )
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
