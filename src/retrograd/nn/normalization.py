"""Normalisation of each row for itself: layer norm, RMS norm, group norm, local response norm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError
from ..functions import normalization as f
from ..functions.create import check_device, ones, zeros
from ..modes import no_grad
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter


class _Affine(Module):
    """A layer that ends in a scale and a shift."""

    weight: Parameter | None
    bias: Parameter | None

    def _make(self, shape: tuple[int, ...], weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        check_device(device)
        self.register_parameter("weight", Parameter(ones(*shape, dtype=dtype)) if weight else None)
        self.register_parameter("bias", Parameter(zeros(*shape, dtype=dtype)) if bias else None)

    def reset_parameters(self) -> None:
        """Scale 1, shift 0."""
        with no_grad():
            for name, value in self._parameters.items():
                if value is not None:
                    value.fill_(1 if name == "weight" else 0)


class LayerNorm(_Affine):
    """Each row to mean 0 and variance 1 over its last dimensions ``normalized_shape``, then scaled and shifted.

    Ba, Kiros and Hinton, "Layer normalization", 2016.

    >>> import retrograd as rg
    >>> LayerNorm(3)(rg.tensor([[1.0, 2.0, 3.0]])).round(decimals=2).tolist()
    [[-1.22..., 0.0, 1.22...]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self._make(self.normalized_shape, elementwise_affine, elementwise_affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return f.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={bias}"


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


class RMSNorm(_Affine):
    """Each row divided by the root of its mean square over its last dimensions, then scaled.

    Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    >>> import retrograd as rg
    >>> RMSNorm(2)(rg.tensor([[3.0, -3.0]])).round(decimals=2).tolist()
    [[1.0, -1.0]]
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        check_device(device)
        self.normalized_shape = _shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter(
            "weight", Parameter(ones(*self.normalized_shape, dtype=dtype)) if elementwise_affine else None
        )

    def forward(self, x: Tensor) -> Tensor:
        return f.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Affine):
    """Each of ``num_groups`` groups of the channels of each row to mean 0 and variance 1.

    Wu and He, "Group normalization", ECCV 2018.

    >>> import retrograd as rg
    >>> GroupNorm(2, 4)(rg.tensor([[1.0, 3.0, 10.0, 30.0]])).round(decimals=2).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ShapeError(
                f"GroupNorm: {num_channels} channels do not divide into {num_groups} groups",
                hint=f"nn.GroupNorm(1, {num_channels})",
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make((num_channels,), affine, affine and bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return f.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={bias}"


class LocalResponseNorm(Module):
    """Each channel divided by what its neighbours have at the same place.

    Krizhevsky, Sutskever and Hinton, NeurIPS 2012.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return f.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
