"""Activation checkpointing: less memory for one more forward pass.

Chen, Xu, Zhang and Guestrin, "Training deep nets with sublinear memory cost", 2016.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

from ..autograd.graph import saved_tensors_hooks
from ..errors import GradError, UsageError
from ..functions.random import get_rng_state, set_rng_state
from ..modes import enable_grad
from ..op import context

__all__ = ["checkpoint", "checkpoint_sequential"]


class _Segment:
    """What a checkpointed call needs to have its saved values again: the function, its arguments, the random state."""

    def __init__(self, run: Callable[[], Any], preserve_rng_state: bool) -> None:
        self.run = run
        self.state = get_rng_state() if preserve_rng_state else None
        self.count = itertools.count()
        self.values: dict[int, Any] | None = None

    def pack(self, _: Any) -> int:
        return next(self.count)

    def unpack(self, place: int) -> Any:
        if self.values is None:
            self.values = self._again()
        if place not in self.values:
            raise GradError(
                "a checkpointed function kept other values when it ran again",
                hint="it must compute the same both times: no counters, no data that changes, no branches on chance",
            )
        return self.values[place]

    def _again(self) -> dict[int, Any]:
        values: dict[int, Any] = {}
        count = itertools.count()

        def note(t: Any) -> Any:
            values[next(count)] = t
            return t

        now = get_rng_state()
        if self.state is not None:
            set_rng_state(self.state)
        try:
            with enable_grad(), saved_tensors_hooks(note, lambda t: t):
                self.run()
        finally:
            if self.state is not None:
                set_rng_state(now)
        return values


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    context_fn: Any = None,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, keeping nothing of it for the backward pass; it runs again when that needs it.

    Gradients reach the arguments and everything else that the function uses.  ``preserve_rng_state``: random numbers of the
    default generator (dropout) are the same in the second run.  ``use_reentrant`` is accepted and without effect: there is
    one way, PyTorch's False; so are ``determinism_check``, ``debug`` and ``early_stop``.  ``context_fn`` gives two contexts,
    one for each run.  While a function is traced nothing is checkpointed: what is kept is the compiler's to decide.

    >>> import retrograd as rg
    >>> x = rg.tensor([1.0, 2.0], requires_grad=True)
    >>> rg.utils.checkpoint.checkpoint(lambda x: x.exp().sin(), x).sum().backward()
    """
    if not callable(function):
        raise UsageError("checkpoint takes a function first", hint="checkpoint(layer, x)")
    if context.tracer is not None or not context.grad_enabled:
        return function(*args, **kwargs)
    now, again = context_fn() if context_fn is not None else (nullcontext(), nullcontext())

    def rerun() -> None:
        with again:
            function(*args, **kwargs)

    segment = _Segment(rerun, preserve_rng_state)
    with saved_tensors_hooks(segment.pack, segment.unpack), now:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Iterable[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
) -> Any:
    """A chain of functions (or an `nn.Sequential`) in ``segments`` pieces, each but the last checkpointed.

    >>> import retrograd as rg
    >>> net = rg.nn.Sequential(rg.nn.Linear(2, 3), rg.nn.Tanh(), rg.nn.Linear(3, 1))
    >>> rg.utils.checkpoint.checkpoint_sequential(net, 2, rg.ones(4, 2)).shape
    (4, 1)
    """
    chain = list(functions)
    if not 1 <= segments <= len(chain):
        raise UsageError(f"{segments} segments of {len(chain)} functions", hint=f"choose 1 to {len(chain)}")
    size = len(chain) // segments

    def piece(part: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for fn in part:
                x = fn(x)
            return x

        return run

    for k in range(segments - 1):
        part = piece(chain[k * size : (k + 1) * size])
        input = checkpoint(part, input, preserve_rng_state=preserve_rng_state)
    return piece(chain[(segments - 1) * size :])(input)
