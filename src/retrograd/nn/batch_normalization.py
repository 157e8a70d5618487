"""Normalisation by statistics that are kept: batch norm over the rows of a batch, instance norm over places."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import ShapeError, describe, user_place
from ..functions.create import check_device, ones, tensor, zeros
from ..functions.normalization import batch_norm, instance_norm
from ..modes import no_grad
from ..tensor import Tensor
from .module import Module
from .parameter import Parameter


class Norm(Module):
    """What batch and instance norm share: scale and shift per channel, and running statistics."""

    _version = 2
    sizes: tuple[int, ...] = ()
    """Numbers of dimensions that the layer takes."""
    layout = ""
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

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
        check_device(device)
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        n, track = num_features, track_running_stats
        self.register_parameter("weight", Parameter(ones(n, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(n, dtype=dtype)) if affine and bias else None)
        self.register_buffer("running_mean", zeros(n, dtype=dtype) if track else None)
        self.register_buffer("running_var", ones(n, dtype=dtype) if track else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track else None)

    def reset_running_stats(self) -> None:
        """Forget the batches seen."""
        with no_grad():
            for buffer, value in (
                (self.running_mean, 0),
                (self.running_var, 1),
                (self.num_batches_tracked, 0),
            ):
                if buffer is not None:
                    buffer.fill_(value)

    def reset_parameters(self) -> None:
        """Scale 1, shift 0, and no batch seen."""
        self.reset_running_stats()
        with no_grad():
            if self.weight is not None:
                self.weight.fill_(1)
            if self.bias is not None:
                self.bias.zero_()

    def _check_dims(self, input: Tensor) -> None:
        if input.ndim not in self.sizes:
            raise ShapeError(
                f"{type(self).__name__} takes {self.layout}, got shape {tuple(input.shape)}",
                hint="add the batch dimension: x.unsqueeze(0), or flatten: x.flatten(1)",
                where=describe(user_place()),
            )

    def _load_from_state_dict(  # type: ignore[override]
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        version = local_metadata.get("version")
        if (version is None or version < 2) and self.num_batches_tracked is not None:
            # State dicts of PyTorch before 0.4.1, and plain dicts, may lack the counter.
            state_dict.setdefault(f"{prefix}num_batches_tracked", self.num_batches_tracked)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm(Norm):
    """Batch norm of any number of dimensions; the layers below say which."""

    def forward(self, input: Tensor) -> Tensor:
        self._check_dims(input)
        name = type(self).__name__
        if input.shape[1] != self.num_features:
            raise ShapeError(
                f"{name} has {self.num_features} features, got {input.shape[1]} (shape {tuple(input.shape)})",
                hint=f"make it nn.{name}({input.shape[1]})",
                where=describe(user_place()),
            )
        momentum: Any = self.momentum
        count = self.num_batches_tracked
        if self.training and self.track_running_stats and count is not None:
            count.add_(1)
            if momentum is None:
                momentum = 1.0 / count.to(input.dtype)  # a tensor: traced as such
        by_batch = self.training or self.running_mean is None
        kept = not self.training or self.track_running_stats
        return batch_norm(
            input,
            self.running_mean if kept else None,
            self.running_var if kept else None,
            self.weight,
            self.bias,
            by_batch,
            0.0 if momentum is None else momentum,
            self.eps,
        )


class BatchNorm1d(BatchNorm):
    """Each feature to mean 0 and variance 1 over the batch while training; by running averages after ``eval()``.

    Inputs (rows, features) or (rows, features, length).  ``momentum`` m: average ← (1 - m)·average + m·new; None keeps
    the plain mean over all batches seen.  Without ``track_running_stats`` the batch's own statistics are used always.

    Ioffe and Szegedy, "Batch normalization", ICML 2015.

    >>> import retrograd as rg
    >>> norm = BatchNorm1d(2)
    >>> norm(rg.tensor([[1.0, 10.0], [3.0, 30.0]])).round(decimals=2).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """

    sizes = (2, 3)
    layout = "(rows, features) or (rows, features, length)"


class BatchNorm2d(BatchNorm):
    """`BatchNorm1d` for (N, C, H, W)."""

    sizes = (4,)
    layout = "(N, C, H, W)"


class BatchNorm3d(BatchNorm):
    """`BatchNorm1d` for (N, C, D, H, W)."""

    sizes = (5,)
    layout = "(N, C, D, H, W)"


class InstanceNorm(Norm):
    """Instance norm of any number of dimensions; the layers below say which."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_dims(input)
        lone = input.ndim == self.sizes[0]
        x = input.unsqueeze(0) if lone else input
        if x.shape[1] != self.num_features:
            said = f"{type(self).__name__} has {self.num_features} features, got shape {tuple(input.shape)}"
            hint = f"make it nn.{type(self).__name__}({x.shape[1]})"
            if self.affine:
                raise ShapeError(said, hint=hint, where=describe(user_place()))
            warnings.warn(f"{said}; without affine that is ignored; hint: {hint}", UserWarning, stacklevel=2)
        out = instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out.squeeze(0) if lone else out


class InstanceNorm1d(InstanceNorm):
    """Each channel of each row of (N, C, L) to mean 0 and variance 1 over its length.

    Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016.

    >>> import retrograd as rg
    >>> InstanceNorm1d(1)(rg.tensor([[[1.0, 3.0]]])).round(decimals=2).tolist()
    [[[-1.0, 1.0]]]
    """

    sizes = (2, 3)
    layout = "(N, C, L) or (C, L)"


class InstanceNorm2d(InstanceNorm):
    """`InstanceNorm1d` for (N, C, H, W) or (C, H, W)."""

    sizes = (3, 4)
    layout = "(N, C, H, W) or (C, H, W)"


class InstanceNorm3d(InstanceNorm):
    """`InstanceNorm1d` for (N, C, D, H, W) or (C, D, H, W)."""

    sizes = (4, 5)
    layout = "(N, C, D, H, W) or (C, D, H, W)"
