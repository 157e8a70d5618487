"""What a forward pass leaves behind for the backward pass, and hooks on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import UsageError
from ..grad import Handle, Node
from ..op import context

__all__ = ["Node", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]


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


class save_on_cpu:  # lower case as in PyTorch
    """Without effect: what is kept for the backward pass lies in the memory of the CPU already."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        pass


class _Handles:
    """Several hooks that are taken away together."""

    def __init__(self, handles: Sequence[Handle]) -> None:
        self._handles = handles

    def remove(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()


def register_multi_grad_hook(
    tensors: Sequence[Any], fn: Callable[[Any], None], *, mode: str = "all"
) -> _Handles:
    """Call ``fn`` with the list of the gradients of all ``tensors`` once the last has arrived; ``mode="any"``: with the first.

    A tensor that a backward pass does not reach holds "all" back until one does; PyTorch, which knows the reach beforehand,
    gives None for it.
    """
    if mode not in ("all", "any"):
        raise UsageError(f"register_multi_grad_hook with mode={mode!r}", hint='mode="all" or "any"')
    arrived: dict[int, Any] = {}

    def hook(k: int) -> Callable[[Any], None]:
        def run(gradient: Any) -> None:
            arrived[k] = gradient
            if mode == "any" and len(arrived) == 1:
                fn(gradient)
            if len(arrived) == len(tensors):
                gradients = [arrived[i] for i in range(len(tensors))]
                arrived.clear()
                if mode == "all":
                    fn(gradients)

        return run

    return _Handles([t.register_hook(hook(k)) for k, t in enumerate(tensors)])
