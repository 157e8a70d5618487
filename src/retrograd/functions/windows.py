"""Window functions of signal processing, with the names of PyTorch's ``signal.windows``.

``M`` numbers that rise from the edges to 1 in the middle; ``sym=False``: the first M of M + 1, for spectra.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import DTypeError, ShapeError, UsageError
from .create import check_device, floating_or, from_array
from .shape import integer

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]

Array = np.ndarray[Any, Any]


def _window(shape: Callable[..., Array]) -> Callable[..., Any]:
    """The window of a formula: ``shape(n, length, **options)`` for positions n = 0, 1, ... of a window of a length."""
    name = shape.__name__

    @functools.wraps(shape)
    def window(
        M: int,
        *,
        sym: bool = True,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        **options: Any,
    ) -> Any:
        count, kind = integer("M", M), floating_or(dtype)
        check_device(device)
        if count < 0:
            raise ShapeError(f"{name} of {count} numbers", hint="M is at least 0")
        if not kind.is_floating_point:
            raise DTypeError(f"{name} in {kind!r}", hint="dtype=retrograd.float32 or float64")
        length = count if sym or count < 2 else count + 1
        if options.get("center") is not None and sym:
            raise UsageError(f"{name} with center={options['center']}", hint="a center needs sym=False")
        values = shape(np.arange(count), length, **options)
        return from_array(values.astype(kind.numpy), requires_grad)

    del window.__wrapped__  # its signature is that of the formula
    return window


def _demand(holds: bool, what: str, hint: str) -> None:
    if not holds:
        raise UsageError(what, hint=hint)


def _cosines(n: Array, length: int, a: Sequence[float]) -> Array:
    if length < 2:
        return np.ones(len(n))
    return sum(
        ((-1) ** i * w * np.cos(2 * np.pi * i * n / (length - 1)) for i, w in enumerate(a)), np.zeros(len(n))
    )


@_window
def general_cosine(n: Array, length: int, *, a: Sequence[float]) -> Array:
    """Σ_i (-1)^i a_i cos(2πin / (M - 1))"""
    _demand(isinstance(a, Sequence) and len(a) > 0, f"general_cosine with a={a!r}", "a list of numbers")
    return _cosines(n, length, a)


@_window
def general_hamming(n: Array, length: int, *, alpha: float = 0.54) -> Array:
    """alpha - (1 - alpha) cos(2πn / (M - 1))"""
    return _cosines(n, length, (alpha, 1 - alpha))


@_window
def hamming(n: Array, length: int) -> Array:
    """0.54 - 0.46 cos(2πn / (M - 1))"""
    return _cosines(n, length, (0.54, 0.46))


@_window
def hann(n: Array, length: int) -> Array:
    """(1 - cos(2πn / (M - 1))) / 2"""
    return _cosines(n, length, (0.5, 0.5))


@_window
def blackman(n: Array, length: int) -> Array:
    """0.42 - 0.5 cos(2πn / (M - 1)) + 0.08 cos(4πn / (M - 1))"""
    return _cosines(n, length, (0.42, 0.5, 0.08))


@_window
def nuttall(n: Array, length: int) -> Array:
    """Four cosines with the smallest side lobes (Nuttall, 1981)"""
    return _cosines(n, length, (0.3635819, 0.4891775, 0.1365995, 0.0106411))


@_window
def bartlett(n: Array, length: int) -> Array:
    """1 - |2n / (M - 1) - 1|"""
    return 1 - np.abs(2 * n / (length - 1) - 1) if length > 1 else np.ones(len(n))


@_window
def cosine(n: Array, length: int) -> Array:
    """sin(π(n + 1/2) / M)"""
    return np.sin(np.pi * (n + 0.5) / max(length, 1))


@_window
def exponential(n: Array, length: int, *, center: float | None = None, tau: float = 1.0) -> Array:
    """e^(-|n - center| / tau)"""
    _demand(tau > 0, f"exponential with tau={tau}", "tau is above 0")
    return np.exp(-np.abs(n - ((length - 1) / 2 if center is None else center)) / tau)


@_window
def gaussian(n: Array, length: int, *, std: float = 1.0) -> Array:
    """e^(-(n - middle)² / (2 std²))"""
    _demand(std > 0, f"gaussian with std={std}", "std is above 0")
    return np.exp(-(((n - (length - 1) / 2) / std) ** 2) / 2)


@_window
def kaiser(n: Array, length: int, *, beta: float = 12.0) -> Array:
    """I₀(beta √(1 - (2n / (M - 1) - 1)²)) / I₀(beta), with the modified Bessel function I₀ (Kaiser, 1974)"""
    _demand(beta >= 0, f"kaiser with beta={beta}", "beta is at least 0")
    if length < 2:
        return np.ones(len(n))
    return np.i0(beta * np.sqrt(np.maximum(1 - (2 * n / (length - 1) - 1) ** 2, 0))) / np.i0(beta)


def hann_window(window_length: int, periodic: bool = True, **options: Any) -> Any:
    """`signal.windows.hann`, by default periodic"""
    return hann(window_length, sym=not periodic, **options)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, **options: Any
) -> Any:
    """alpha - beta cos(2πn / M), by default periodic"""
    return general_cosine(window_length, a=(float(alpha), float(beta)), sym=not periodic, **options)


def blackman_window(window_length: int, periodic: bool = True, **options: Any) -> Any:
    """`signal.windows.blackman`, by default periodic"""
    return blackman(window_length, sym=not periodic, **options)


def bartlett_window(window_length: int, periodic: bool = True, **options: Any) -> Any:
    """`signal.windows.bartlett`, by default periodic"""
    return bartlett(window_length, sym=not periodic, **options)


def kaiser_window(window_length: int, periodic: bool = True, beta: float = 12.0, **options: Any) -> Any:
    """`signal.windows.kaiser`, by default periodic"""
    return kaiser(window_length, sym=not periodic, beta=beta, **options)
