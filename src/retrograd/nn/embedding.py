"""Embedding: a table of learnt vectors, one for each category."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError, UsageError, describe, user_place
from ..functions.create import check_device, empty
from ..functions.embedding import embedding
from ..functions.losses import values
from ..functions.shape import integer
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
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_device(device)
        if integer("Embedding: num_embeddings", num_embeddings) < 0:
            raise UsageError(f"Embedding: {num_embeddings} rows", hint="nn.Embedding(10, 3)")
        if sparse:
            raise UsageError(
                "sparse gradients do not exist here", hint="leave sparse out: nn.Embedding(10, 3)"
            )
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
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is not None:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ShapeError(
                    f"a table of shape {tuple(_weight.shape)} for {num_embeddings} rows of {embedding_dim}",
                    hint="nn.Embedding.from_pretrained(table) takes the sizes from it",
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)
        else:
            made = empty(num_embeddings, embedding_dim, dtype=dtype)
            self.weight = Parameter(made, requires_grad=not _freeze)
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new starting values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].zero_()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """A table with given rows, by default not trained further."""
        if embeddings.ndim != 2:
            raise ShapeError(
                f"a table has 2 dimensions, got shape {tuple(embeddings.shape)}",
                hint="pass shape (rows, dim)",
            )
        return cls(
            *embeddings.shape,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def forward(self, input: Tensor) -> Tensor:
        known = values(input)
        if known is not None and known.size and known.dtype.kind in "iu":
            low, high = known.min(), known.max()
            if low < 0 or high >= self.num_embeddings:
                rows = int(high) - min(int(low), 0) + 1
                fix = [f"number the categories from 0: input + {-int(low)}"] if low < 0 else []
                if rows > self.num_embeddings:
                    fix.append(f"nn.Embedding({rows}, {self.embedding_dim}) has as many rows")
                raise UsageError(
                    f"Embedding has {self.num_embeddings} rows (0 to {self.num_embeddings - 1}), but was asked for row "
                    f"{int(low) if low < 0 else int(high)}",
                    hint="; ".join(fix),
                    where=describe(user_place()),
                )
        return embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
        )

    def extra_repr(self) -> str:
        said = f"{self.num_embeddings}, {self.embedding_dim}"
        for name, value, usual in (
            ("padding_idx", self.padding_idx, None),
            ("max_norm", self.max_norm, None),
            ("norm_type", self.norm_type, 2),
            ("scale_grad_by_freq", self.scale_grad_by_freq, False),
        ):
            said += "" if value == usual else f", {name}={value}"
        return said
