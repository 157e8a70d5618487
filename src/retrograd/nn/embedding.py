"""Embedding: a table of learnt vectors, one for each category."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError, UsageError, describe, user_place
from ..functions.create import empty
from ..functions.index import embedding
from ..functions.losses import values
from ..modes import no_grad
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import Parameter


class Embedding(Module):
    """Row i of a learnt table of shape (num_embeddings, embedding_dim) for each index i: (...) → (..., dim).

    Starts as normal(0, 1).  Row ``padding_idx`` starts as 0 and gets no gradient.

    >>> import retrograd as rg
    >>> table = Embedding(10, 3, padding_idx=0)
    >>> table(rg.tensor([[1, 0]])).shape
    (1, 2, 3)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise UsageError(
                    f"padding_idx {padding_idx} is not a row of a table with {num_embeddings} rows",
                    hint=f"use a number between 0 and {num_embeddings - 1}",
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.weight = Parameter(empty(num_embeddings, embedding_dim, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].zero_()

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """A table with given rows, by default not trained further."""
        if embeddings.ndim != 2:
            raise ShapeError(
                f"a table has 2 dimensions, got shape {tuple(embeddings.shape)}",
                hint="pass shape (rows, dim)",
            )
        out = cls(embeddings.shape[0], embeddings.shape[1], padding_idx, dtype=embeddings.dtype)
        out.weight = Parameter(embeddings, requires_grad=not freeze)
        return out

    def forward(self, input: Tensor) -> Tensor:
        known = values(input)
        if known is not None and known.size and known.dtype.kind in "iu":
            low, high = known.min(), known.max()
            if low < 0 or high >= self.num_embeddings:
                raise UsageError(
                    f"Embedding has {self.num_embeddings} rows (0 to {self.num_embeddings - 1}), but was asked for row "
                    f"{int(low) if low < 0 else int(high)}",
                    hint=f"number the categories from 0, or use nn.Embedding({int(high) + 1}, {self.embedding_dim})",
                    where=describe(user_place()),
                )
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
