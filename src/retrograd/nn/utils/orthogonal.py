"""A parametrization that keeps a weight orthogonal: its rows or columns have length 1 and stand upright on each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ShapeError, UsageError
from ...functions.create import eye
from ...functions.factorizations import householder_product, qr
from ...functions.matrix_functions import matrix_exp
from ...functions.random import randn
from ...functions.shape import cat
from ...functions.solving import solve
from ...modes import no_grad
from ...tensor import Tensor
from ..module import Module
from .parametrize import register_parametrization

MAPS = ("matrix_exp", "cayley", "householder")


def _made_orthogonal(matrix: Tensor) -> Tensor:
    """The Q of A = QR with a positive diagonal of R."""
    q, r = qr(matrix)
    signs = r.diagonal(dim1=-2, dim2=-1).sign()
    return q * signs.unsqueeze(-2)


def _is_orthogonal(q: Tensor) -> bool:
    """QᵀQ = I up to rounding."""
    gram = (q.mT @ q).detach().numpy()
    n = q.shape[-1]
    return bool(np.allclose(gram, np.eye(n), atol=10 * n * np.finfo(gram.dtype).eps))


class _Orthogonal(Module):
    """An orthogonal matrix made of any matrix of the same shape."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        self.shape = tuple(weight.shape)
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Tensor) -> Tensor:
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        q = self._reflected(X) if self.orthogonal_map == "householder" else self._rotated(X)
        if self.use_trivialization:
            q = self.base @ q  # type: ignore[operator]
        return q.mT if wide else q

    def _rotated(self, X: Tensor) -> Tensor:
        """exp(A), or (I - A/2)⁻¹(I + A/2), of the skew-symmetric A = L - Lᵀ, L the lower triangle."""
        n, k = X.shape[-2:]
        low = X.tril()
        if n != k:
            low = cat([low, low.new_zeros(*X.shape[:-2], n, n - k)], -1)
        skew = low - low.mT
        if self.orthogonal_map == "matrix_exp":
            q = matrix_exp(skew)
        else:
            one = eye(n, dtype=X.dtype)
            q = solve(one - skew * 0.5, one + skew * 0.5)
        return q[..., :k]

    def _reflected(self, X: Tensor) -> Tensor:
        """A product of reflections, one for each column; the diagonal holds signs, which are not trained."""
        low = X.tril(-1)
        tau = 2.0 / (1.0 + (low * low).sum(-2))
        signs = X.diagonal(dim1=-2, dim2=-1).detach().int().to(X.dtype)
        return householder_product(low, tau) * signs.unsqueeze(-2)

    def right_inverse(self, Q: Tensor) -> Tensor:
        if tuple(Q.shape) != self.shape:
            raise ShapeError(
                f"an orthogonal weight of shape {self.shape} cannot become one of {tuple(Q.shape)}",
                hint=f"assign shape {self.shape}",
            )
        if not self.use_trivialization:
            raise NotImplementedError("there is no formula for the inverse of these maps")
        with no_grad():
            tall = Q.mT if Q.shape[-2] < Q.shape[-1] else Q
            n, k = tall.shape[-2:]
            if n != k:  # completed to a square one, at random
                tall = cat([tall, randn((*tall.shape[:-2], n, n - k), dtype=Q.dtype)], -1)
            self.base = tall.clone() if n == k and _is_orthogonal(tall) else _made_orthogonal(tall)
            return -eye(*Q.shape[-2:], dtype=Q.dtype).expand(Q.shape).clone()


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keep a weight orthogonal (QᵀQ = I, or QQᵀ = I for a wide one), so that it neither stretches nor squeezes.

    ``orthogonal_map``: "matrix_exp" (for square ones), "cayley" or "householder".  With ``use_trivialization`` the
    weight can be assigned, and training starts at the orthogonal matrix nearest in its QR decomposition.

    Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", NeurIPS 2019.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> w = orthogonal(nn.Linear(3, 3, dtype=rg.float64)).weight
    >>> bool(rg.allclose(w.mT @ w, rg.eye(3, dtype=rg.float64)))
    True
    """
    weight: Any = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise UsageError(
            f"{type(module).__name__} has no parameter or buffer {name!r}",
            hint=f"there are: {', '.join([*module._parameters, *module._buffers]) or 'none'}",
        )
    if weight.ndim < 2:
        raise ShapeError(
            f"orthogonal takes a matrix or a batch of them, got shape {tuple(weight.shape)}",
            hint="leave vectors as they are",
        )
    square = weight.shape[-2] == weight.shape[-1]
    chosen = orthogonal_map or ("matrix_exp" if square else "householder")
    if chosen not in MAPS:
        raise UsageError(
            f"no orthogonal map {chosen!r}; there are {', '.join(MAPS)}", hint="orthogonal_map='cayley'"
        )
    made = _Orthogonal(weight, chosen, use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
