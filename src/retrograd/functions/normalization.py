"""Normalisation: bring activations to mean 0 and variance 1, over the features of a row or over the rows of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import ShapeError, UsageError
from .elementwise import rsqrt
from .reduce import mean

__all__ = [
    "batch_norm", "layer_norm",
]  # fmt: skip

if TYPE_CHECKING:
    from ..tensor import Tensor


def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(variance + eps)·weight + bias, over the last dimensions ``normalized_shape`` of each row.

    The variance divides by n (not n - 1).  Ba, Kiros and Hinton, "Layer normalization", 2016.

    >>> import retrograd as rg
    >>> layer_norm(rg.tensor([[1.0, 3.0]]), (2,), eps=0.0).tolist()
    [[-1.0, 1.0]]
    """
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or tuple(input.shape[-len(shape) :]) != shape:
        raise ShapeError(
            f"layer_norm over {shape} got an input of shape {tuple(input.shape)}, whose last dimensions are "
            f"{tuple(input.shape[-len(shape) :]) if shape else ()}",
            hint=f"use normalized_shape={tuple(input.shape[-max(len(shape), 1) :])}, or check the layer before",
        )
    dims = tuple(range(-len(shape), 0))
    centred = input - mean(input, dims, keepdim=True)
    variance = mean(centred * centred, dims, keepdim=True)
    out = centred * rsqrt(variance + eps)
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(variance + eps)·weight + bias for each channel (dimension 1), over all other dimensions.

    With ``training`` mean and variance (divided by n) are those of the batch, and the running statistics move towards
    them: r ← (1 - momentum)·r + momentum·(batch mean, or batch variance divided by n - 1).  Otherwise the running
    statistics are used, so that a row's result does not depend on the rows beside it.

    Ioffe and Szegedy, "Batch normalization", ICML 2015.

    >>> import retrograd as rg
    >>> batch_norm(rg.tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0).tolist()
    [[-1.0], [1.0]]
    """
    if input.ndim < 2:
        raise ShapeError(
            f"batch_norm takes (rows, channels, ...), got shape {tuple(input.shape)}",
            hint="add the batch dimension: x.unsqueeze(0)",
        )
    channels = input.shape[1]
    for name, value in (
        ("running_mean", running_mean),
        ("running_var", running_var),
        ("weight", weight),
        ("bias", bias),
    ):
        if value is not None and value.numel() != channels:
            raise ShapeError(
                f"batch_norm: {name} has {value.numel()} entries for {channels} channels of {tuple(input.shape)}",
                hint=f"use nn.BatchNorm1d({channels}), or check the layer before",
            )
    wide = (1, channels) + (1,) * (input.ndim - 2)
    if training:
        n = input.numel() // max(channels, 1)
        if n == 1:
            raise ShapeError(
                f"batch_norm needs more than one value per channel in training, got shape {tuple(input.shape)}",
                hint="use a larger batch, drop the last short batch, or call .eval()",
            )
        dims = (0, *range(2, input.ndim))
        average = mean(input, dims, keepdim=True)
        centred = input - average
        variance = mean(centred * centred, dims, keepdim=True)
        if running_mean is not None:
            running_mean.lerp_(average.detach().reshape(channels).to(running_mean.dtype), momentum)
        if running_var is not None:
            unbiased = variance.detach().reshape(channels) * (n / (n - 1))
            running_var.lerp_(unbiased.to(running_var.dtype), momentum)
    else:
        if running_mean is None or running_var is None:
            raise UsageError(
                "batch_norm without training needs running statistics", hint="batch_norm(..., training=True)"
            )
        centred = input - running_mean.reshape(wide)
        variance = running_var.reshape(wide)
    scale = rsqrt(variance + eps)
    if weight is not None:
        scale = scale * weight.reshape(wide)  # per channel: cheaper than a pass over the whole input
    out = centred * scale
    return out if bias is None else out + bias.reshape(wide)
