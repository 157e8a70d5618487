"""What a forward pass leaves behind for the backward pass, and hooks on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..grad import Node
from ..op import context

__all__ = ["Node", "saved_tensors_hooks"]


class saved_tensors_hooks:  # lower case as in PyTorch
    """``pack`` turns each tensor that is kept for the backward pass into something else, ``unpack`` turns that back.

    For keeping them smaller, on disk, or not at all (`utils.checkpoint`).  ``unpack`` must return the shape and dtype that
    ``pack`` was given.

    >>> import retrograd as rg
    >>> x = rg.tensor([1.0, 2.0], requires_grad=True)
    >>> with rg.autograd.graph.saved_tensors_hooks(lambda t: t.tolist(), rg.tensor):
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 4.])
    """

    def __init__(self, pack: Callable[[Any], Any], unpack: Callable[[Any], Any]) -> None:
        self._hooks = (pack, unpack)
        self._before: list[Any] = []

    def __enter__(self) -> None:
        self._before.append(context.saved_hooks)
        context.saved_hooks = self._hooks

    def __exit__(self, *_: Any) -> None:
        context.saved_hooks = self._before.pop()
