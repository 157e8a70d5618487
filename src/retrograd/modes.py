"""Switching the recording of gradients off and on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from .op import context

F = TypeVar("F", bound=Callable[..., Any])


class set_grad_enabled:  # lower case as in PyTorch
    """Record gradients or not: a context manager, a decorator, or a plain call that takes effect at once."""

    def __init__(self, mode: bool) -> None:
        self._before = [context.grad_enabled]
        self._mode = bool(mode)
        context.grad_enabled = self._mode

    def __enter__(self) -> None:
        context.grad_enabled = self._mode

    def __exit__(self, *_: Any) -> None:
        context.grad_enabled = self._before[-1]

    def __call__(self, fn: F) -> F:
        context.grad_enabled = self._before[-1]
        return _wrapped(fn, lambda: set_grad_enabled(self._mode))


class _Mode:
    """A context manager and decorator that sets the recording while it lasts."""

    enabled = False

    def __init__(self, mode: bool = True) -> None:
        self._mode = mode
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(context.grad_enabled)
        if self._mode:
            context.grad_enabled = self.enabled

    def __exit__(self, *_: Any) -> None:
        context.grad_enabled = self._before.pop()

    def __call__(self, fn: F) -> F:
        return _wrapped(fn, lambda: type(self)(self._mode))


def _wrapped(fn: F, mode: Callable[[], Any]) -> F:
    @functools.wraps(fn)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with mode():
            return fn(*args, **kwargs)

    return inside  # type: ignore[return-value]


class no_grad(_Mode):  # lower case as in PyTorch
    """Record nothing: `with no_grad():` or `@no_grad()`.

    >>> import retrograd as rg
    >>> x = rg.ones(2, requires_grad=True)
    >>> with rg.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, fn: Any = None) -> Any:
        made = super().__new__(cls)
        if callable(fn):  # @no_grad without brackets
            made.__init__()
            return made(fn)
        return made

    def __init__(self, _: Any = None) -> None:
        super().__init__(True)

    def __call__(self, fn: F) -> F:
        return _wrapped(fn, no_grad)


class enable_grad(_Mode):  # lower case as in PyTorch
    """Record again inside `no_grad`."""

    enabled = True

    def __init__(self) -> None:
        super().__init__(True)

    def __call__(self, fn: F) -> F:
        return _wrapped(fn, enable_grad)


class inference_mode(_Mode):  # lower case as in PyTorch
    """`no_grad` for predictions; here the two are the same (PyTorch also drops its version counters)."""


def is_grad_enabled() -> bool:
    """True while gradients are recorded"""
    return context.grad_enabled


def is_inference_mode_enabled() -> bool:
    """True while gradients are not recorded"""
    return not context.grad_enabled


class detect_anomaly:  # lower case as in PyTorch
    """Stop a backward pass at the first op whose derivative is NaN, and name it with the line that applied it.

    >>> import retrograd as rg
    >>> x = rg.tensor(0.0, requires_grad=True)
    >>> with rg.autograd.detect_anomaly():
    ...     (x.sqrt() * 0).backward()
    Traceback (most recent call last):
    retrograd.errors.GradError: the derivative of sqrt with respect to its input 0 has 1 NaN of 1 entries, ...
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._mode = check_nan
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(context.anomaly)
        context.anomaly = self._mode

    def __exit__(self, *_: Any) -> None:
        context.anomaly = self._before.pop()


class set_detect_anomaly(detect_anomaly):  # lower case as in PyTorch
    """`detect_anomaly` on or off from here on; as a context manager, until its end."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(mode and check_nan)
        self._before.append(context.anomaly)
        context.anomaly = self._mode

    def __enter__(self) -> None:
        context.anomaly = self._mode


def is_anomaly_enabled() -> bool:
    """True while backward passes are searched for NaN"""
    return context.anomaly
