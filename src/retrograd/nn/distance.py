"""Distances and similarities of vectors as modules."""

from __future__ import annotations

from ..tensor import Tensor
from . import functional
from .module import Module


class PairwiseDistance(Module):
    """The p-norm of x₁ - x₂ + ε along the last dimension.

    >>> import retrograd as rg
    >>> PairwiseDistance(eps=0.0)(rg.tensor([[3.0, 4.0]]), rg.zeros(1, 2)).tolist()
    [5.0]
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return functional.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """x₁·x₂ / (‖x₁‖·‖x₂‖) along ``dim``, each length at least ε.

    >>> import retrograd as rg
    >>> CosineSimilarity()(rg.tensor([[2.0, 0.0]]), rg.tensor([[0.0, 3.0]])).tolist()
    [0.0]
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)
