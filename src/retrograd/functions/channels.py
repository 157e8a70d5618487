"""Moving numbers between channels and places: pixel shuffle and its reverse, channel shuffle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ShapeError, UsageError, describe, user_place
from ._inputs import at_least

if TYPE_CHECKING:
    from ..tensor import Tensor

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def _divides(name: str, whole: int, part: int, what: str) -> None:
    if part < 1:
        raise UsageError(f"{name} needs a factor of at least 1, got {part}", hint=f"{name}(x, 2)")
    if whole % part:
        raise ShapeError(
            f"{name}: {whole} {what} do not divide by {part}",
            hint=f"use a divisor of {whole}",
            where=describe(user_place()),
        )


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(..., C·r², H, W) as (..., C, H·r, W·r): channels become places, an enlargement without a loss.

    Shi et al., "Real-time single image and video super-resolution", CVPR 2016.

    >>> import retrograd as rg
    >>> pixel_shuffle(rg.arange(4).reshape(4, 1, 1), 2).tolist()
    [[[0, 1], [2, 3]]]
    """
    at_least("pixel_shuffle", input, 3, "(..., C, H, W)")
    *lead, channels, height, width = input.shape
    r = upscale_factor
    _divides("pixel_shuffle", channels, max(r, 0) ** 2, "channels")
    n = len(lead)
    apart = input.reshape(*lead, channels // r**2, r, r, height, width)
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return apart.permute(*order).reshape(*lead, channels // r**2, height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(..., C, H·r, W·r) as (..., C·r², H, W): the reverse of `pixel_shuffle`.

    >>> import retrograd as rg
    >>> pixel_unshuffle(rg.tensor([[[0, 1], [2, 3]]]), 2).flatten().tolist()
    [0, 1, 2, 3]
    """
    at_least("pixel_unshuffle", input, 3, "(..., C, H, W)")
    *lead, channels, height, width = input.shape
    r = downscale_factor
    _divides("pixel_unshuffle", height, r, "rows")
    _divides("pixel_unshuffle", width, r, "columns")
    n = len(lead)
    apart = input.reshape(*lead, channels, height // r, r, width // r, r)
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return apart.permute(*order).reshape(*lead, channels * r**2, height // r, width // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels (dimension 1) of (N, C, ...) dealt out anew: one of each group in turn.

    Zhang et al., "ShuffleNet", CVPR 2018.

    >>> import retrograd as rg
    >>> channel_shuffle(rg.arange(6).reshape(1, 6, 1), 2).flatten().tolist()
    [0, 3, 1, 4, 2, 5]
    """
    at_least("channel_shuffle", input, 3, "(N, C, ...) with at least one more dimension")
    n, channels, *rest = input.shape
    _divides("channel_shuffle", channels, groups, "channels")
    return input.reshape(n, groups, channels // groups, *rest).transpose(1, 2).reshape(input.shape)
