"""Normalisation layers: BatchNorm1d over the rows of a batch, LayerNorm over the features of a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError
from ..functions.create import ones, tensor, zeros
from ..functions.normalization import batch_norm, layer_norm
from ..modes import no_grad
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter


class BatchNorm1d(Module):
    """Each feature to mean 0 and variance 1 over the batch while training; by running averages after ``eval()``.

    Inputs (rows, features) or (rows, features, length).  ``momentum`` m: average ← (1 - m)·average + m·new; None keeps
    the plain mean over all batches seen.  Without ``track_running_stats`` the batch's own statistics are used always.

    Ioffe and Szegedy, "Batch normalization", ICML 2015.

    >>> import retrograd as rg
    >>> norm = BatchNorm1d(2)
    >>> norm(rg.tensor([[1.0, 10.0], [3.0, 30.0]])).round(decimals=2).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.register_parameter("weight", Parameter(ones(num_features, dtype=dtype)) if affine else None)
        self.register_parameter(
            "bias", Parameter(zeros(num_features, dtype=dtype)) if affine and bias else None
        )
        self.register_buffer(
            "running_mean", zeros(num_features, dtype=dtype) if track_running_stats else None
        )
        self.register_buffer("running_var", ones(num_features, dtype=dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        if self.track_running_stats:
            with no_grad():
                self.running_mean.zero_()
                self.running_var.fill_(1)
                self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Scale 1, shift 0, and no batch seen."""
        self.reset_running_stats()
        if self.affine:
            with no_grad():
                self.weight.fill_(1)
                if self.bias is not None:
                    self.bias.zero_()

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (2, 3):
            raise ShapeError(
                f"BatchNorm1d takes (rows, features) or (rows, features, length), got shape {tuple(input.shape)}",
                hint="add the batch dimension: x.unsqueeze(0), or flatten: x.flatten(1)",
            )
        if input.shape[1] != self.num_features:
            raise ShapeError(
                f"BatchNorm1d has {self.num_features} features, got {input.shape[1]} (shape {tuple(input.shape)})",
                hint=f"make it nn.BatchNorm1d({input.shape[1]})",
            )
        momentum: Any = self.momentum
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
            if momentum is None:
                momentum = 1.0 / self.num_batches_tracked.to(
                    self.running_mean.dtype
                )  # a tensor: traced as such
        by_batch = self.training or self.running_mean is None
        update = self.training and self.track_running_stats
        return batch_norm(
            input,
            self.running_mean if update or not by_batch else None,
            self.running_var if update or not by_batch else None,
            self.weight,
            self.bias,
            by_batch,
            0.0 if momentum is None else momentum,
            self.eps,
        )

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class LayerNorm(Module):
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
        self.normalized_shape = (
            (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        )
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        self.register_parameter(
            "weight", Parameter(ones(*shape, dtype=dtype)) if elementwise_affine else None
        )
        self.register_parameter(
            "bias", Parameter(zeros(*shape, dtype=dtype)) if elementwise_affine and bias else None
        )

    def reset_parameters(self) -> None:
        """Scale 1, shift 0."""
        with no_grad():
            if self.weight is not None:
                self.weight.fill_(1)
            if self.bias is not None:
                self.bias.zero_()

    def forward(self, input: Tensor) -> Tensor:
        return layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        bias = self.bias is not None
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={bias}"
