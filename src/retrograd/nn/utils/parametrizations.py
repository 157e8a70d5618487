"""Parametrizations that keep a layer's weights in shape: weight norm, spectral norm, orthogonal weights."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError, UsageError
from ...functions.random import randn
from ...modes import no_grad
from ...tensor import Tensor
from ..module import Module
from .orthogonal import orthogonal
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _length(v: Tensor, dim: int) -> Tensor:
    """The Euclidean norm over all dimensions but ``dim``; over all for -1."""
    return v.norm(2) if dim == -1 else v.norm(2, tuple(d for d in range(v.ndim) if d != dim), keepdim=True)


class _WeightNorm(Module):
    """w = g·v / ‖v‖."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / _length(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return _length(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn the length and the direction of each row of a weight apart: w = g·v / ‖v‖.

    ``dim``: the dimension that counts the rows; None: one length for all.  The originals are g and v,
    ``parametrizations.weight.original0`` and ``original1``.

    Salimans and Kingma, "Weight normalization", NeurIPS 2016.

    >>> from retrograd import nn
    >>> layer = weight_norm(nn.Linear(3, 2))
    >>> {key: tuple(value.shape) for key, value in layer.state_dict().items() if key != "bias"}
    {'parametrizations.weight.original0': (2, 1), 'parametrizations.weight.original1': (2, 3)}
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    old, new = (
        (f"{name}_g", f"{name}_v"),
        (f"parametrizations.{name}.original0", f"parametrizations.{name}.original1"),
    )

    def renamed(_: Module, state_dict: dict[str, Any], prefix: str, *__: Any) -> None:
        if all(prefix + key in state_dict for key in old):  # of the older weight_norm of PyTorch
            for before, after in zip(old, new, strict=True):
                state_dict[prefix + after] = state_dict.pop(prefix + before)

    module.register_load_state_dict_pre_hook(renamed)
    return module


class _SpectralNorm(Module):
    """w / σ(w), σ the largest singular value, found by power iteration."""

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise ShapeError(
                f"spectral_norm: dimension {dim} of a weight of shape {tuple(weight.shape)}", hint="dim=0"
            )
        if n_power_iterations <= 0:
            raise UsageError(
                f"spectral_norm needs at least one power iteration, got {n_power_iterations}",
                hint="n_power_iterations=1",
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight.detach())
            h, w = matrix.shape
            self.register_buffer("_u", self._unit(randn(h, dtype=weight.dtype)))
            self.register_buffer("_v", self._unit(randn(w, dtype=weight.dtype)))
            self._power_method(matrix, 15)

    def _unit(self, x: Tensor) -> Tensor:
        return x / x.norm().clamp(min=self.eps)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)

    def _power_method(self, matrix: Tensor, n: int) -> None:
        with no_grad():
            for _ in range(n):
                self._u.copy_(self._unit(matrix.mv(self._v)))
                self._v.copy_(self._unit(matrix.t().mv(self._u)))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return self._unit(weight)
        matrix = self._matrix(weight)
        if self.training:
            self._power_method(matrix.detach(), self.n_power_iterations)
        # Copies: the next iteration overwrites the buffers, and this reading may yet be differentiated.
        sigma = (self._u.clone() * matrix.mv(self._v.clone())).sum()
        return weight / sigma

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight by its largest singular value, so that the layer stretches no input by more than 1.

    One power iteration at each reading while training keeps the estimate up to date.  ``dim``: the dimension that
    counts the outputs.

    Miyato et al., "Spectral normalization for generative adversarial networks", ICLR 2018.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> layer = spectral_norm(nn.Linear(20, 10)).eval()
    >>> float(rg.linalg.matrix_norm(layer.weight.detach(), 2)) < 1.2
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise UsageError(
            f"{type(module).__name__} has no parameter or buffer {name!r}",
            hint=f"there are: {', '.join([*module._parameters, *module._buffers]) or 'none'}",
        )
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim or 0, eps))
