"""Normalisation: bring activations to mean 0 and variance 1, over the features of a row or over the rows of a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ShapeError, UsageError, describe, user_place
from ..types import int64
from ._inputs import at_least, floats
from .create import zeros
from .elementwise import rsqrt
from .reduce import mean
from .shape import cat

__all__ = [
    "batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm",
]  # fmt: skip

if TYPE_CHECKING:
    from ..tensor import Tensor


def _standardized(x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    """Mean 0 and variance 1 over some dimensions; the variance divides by n."""
    centred = x - mean(x, dims, keepdim=True)
    return centred * rsqrt(mean(centred * centred, dims, keepdim=True) + eps)


def _last_dims(
    name: str, input: Tensor, normalized_shape: int | Sequence[int], *affine: Tensor | None
) -> tuple[int, ...]:
    """The last dimensions as negative numbers, after all checks."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    floats(name, input)
    if not shape or tuple(input.shape[-len(shape) :]) != shape:
        raise ShapeError(
            f"{name} over {shape} got an input of shape {tuple(input.shape)}, whose last dimensions are "
            f"{tuple(input.shape[-len(shape) :]) if shape else ()}",
            hint=f"use normalized_shape={tuple(input.shape[-max(len(shape), 1) :])}, or check the layer before",
        )
    for value in affine:
        if value is not None and tuple(value.shape) != shape:
            raise ShapeError(
                f"{name}: weight and bias need the shape {shape}, got {tuple(value.shape)}",
                hint=f"value.reshape({shape})",
            )
    return tuple(range(-len(shape), 0))


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
    out = _standardized(input, _last_dims("layer_norm", input, normalized_shape, weight, bias), eps)
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias


def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """x / √(mean of x² + eps)·weight, over the last dimensions; ``eps`` None: the dtype's own (1.2e-7 for float32).

    Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    >>> import retrograd as rg
    >>> rms_norm(rg.tensor([[3.0, 3.0]]), (2,), eps=0.0).tolist()
    [[1.0, 1.0]]
    """
    dims = _last_dims("rms_norm", input, normalized_shape, weight)
    least = float(np.finfo(input.dtype.numpy).eps) if eps is None else eps
    out = input * rsqrt(mean(input * input, dims, keepdim=True) + least)
    return out if weight is None else out * weight


def _per_channel(name: str, channels: int, shape: Any, **values: Tensor | None) -> None:
    """Refuse statistics, weights or biases that are not one per channel."""
    for key, value in values.items():
        if value is not None and value.numel() != channels:
            raise ShapeError(
                f"{name}: {key} has {value.numel()} entries for {channels} channels of {tuple(shape)}",
                hint=f"give {channels} entries, or check the layer before",
            )


def _affine(out: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Scaled and shifted, channel by channel (dimension 1)."""
    wide = (1, -1) + (1,) * (out.ndim - 2)
    if weight is not None:
        out = out * weight.reshape(wide)
    return out if bias is None else out + bias.reshape(wide)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(variance + eps)·weight + bias, over each of ``num_groups`` groups of channels of each row.

    Input (N, C, ...), weight and bias (C).  Wu and He, "Group normalization", ECCV 2018.

    >>> import retrograd as rg
    >>> group_norm(rg.tensor([[1.0, 3.0, 10.0, 30.0]]), 2, eps=0.0).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """
    at_least("group_norm", input, 2, "(N, C, ...)")
    floats("group_norm", input)
    n, channels = input.shape[:2]
    if num_groups < 1 or channels % num_groups:
        raise ShapeError(
            f"group_norm: {channels} channels do not divide into {num_groups} groups",
            hint=f"use a divisor of {channels}, or 1",
            where=describe(user_place()),
        )
    _per_channel("group_norm", channels, input.shape, weight=weight, bias=bias)
    if n * channels // num_groups * math.prod(input.shape[2:]) == 1:
        raise ShapeError(
            f"group_norm needs more than one value per group, got shape {tuple(input.shape)}",
            hint="use fewer groups",
        )
    if input.numel() == 0:
        return _affine(input, weight, bias)
    rows = input.reshape(n, num_groups, -1)
    return _affine(_standardized(rows, (2,), eps).reshape(input.shape), weight, bias)


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
    >>> batch_norm(rg.tensor([[1.0], [3.0]]), None, None, training=True, eps=1e-12).tolist()
    [[-1.0], [1.0]]
    """
    if eps <= 0:
        raise UsageError(f"batch_norm needs eps > 0, got {eps}", hint="batch_norm(..., eps=1e-5)")
    floats("batch_norm", input)
    if input.ndim == 1 and input.numel() == 0:
        return _affine(input, weight, bias)
    at_least("batch_norm", input, 2, "(rows, channels, ...)")
    channels = input.shape[1]
    _per_channel(
        "batch_norm", channels, input.shape, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias
    )  # fmt: skip
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
        if n:
            _move(running_mean, average.detach().reshape(channels), momentum)
            _move(running_var, variance.detach().reshape(channels) * (n / (n - 1)), momentum)
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


def _move(running: Tensor | None, now: Tensor, momentum: float) -> None:
    if running is not None:
        running.lerp_(now.to(running.dtype), momentum)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """(x - mean) / √(variance + eps)·weight + bias, over the places (dimensions 2 on) of each channel of each row.

    Running statistics, where given, move towards the averages over the rows; without ``use_input_stats`` they are used.

    Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016.

    >>> import retrograd as rg
    >>> instance_norm(rg.tensor([[[1.0, 3.0], [10.0, 30.0]]]), eps=1e-12).tolist()
    [[[-1.0, 1.0], [-1.0, 1.0]]]
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    floats("instance_norm", input)
    at_least("instance_norm", input, 2, "(N, C, ...)")
    channels, n = input.shape[1], math.prod(input.shape[2:])
    if n == 1:
        raise ShapeError(
            f"instance_norm needs more than one place per channel, got shape {tuple(input.shape)}",
            hint="use layer_norm, or pass use_input_stats=False with running statistics",
        )
    _per_channel(
        "instance_norm", channels, input.shape, running_mean=running_mean, running_var=running_var, weight=weight,
        bias=bias,
    )  # fmt: skip
    dims = tuple(range(2, input.ndim))
    if n:
        average = mean(input, dims, keepdim=True)
        centred = input - average
        variance = mean(centred * centred, dims, keepdim=True)
        _move(running_mean, average.detach().flatten(1).mean(0), momentum)
        _move(running_var, variance.detach().flatten(1).mean(0) * (n / (n - 1)), momentum)
        input = centred * rsqrt(variance + eps)
    return _affine(input, weight, bias)


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + α·(mean of x² over ``size`` neighbouring channels, zeros beyond the ends))^β.

    Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks", NeurIPS 2012.

    >>> import retrograd as rg
    >>> local_response_norm(rg.ones(1, 3, 1), 1, alpha=3.0, beta=0.5).flatten().tolist()
    [0.5, 0.5, 0.5]
    """
    if input.dtype is not int64:  # PyTorch's mean over a window takes these
        floats("local_response_norm", input)
    at_least("local_response_norm", input, 3, "(N, C, ...) with at least one more dimension")
    if size < 1:
        raise UsageError(f"local_response_norm needs size >= 1, got {size}", hint="local_response_norm(x, 5)")
    if input.numel() == 0:
        return input
    n, channels, *rest = input.shape
    before, after = (zeros(n, m, *rest, dtype=input.dtype) for m in (size // 2, (size - 1) // 2))
    squares = cat([before, input * input, after], 1)
    total: Any = squares.narrow(1, 0, channels)
    for i in range(1, size):
        total = total + squares.narrow(1, i, channels)
    return input / (total * (alpha / size) + k) ** beta
