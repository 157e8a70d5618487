"""Vectorising: the same function with one more leading axis.

`vmap` runs a function once on stand-ins for the examples of a batch.  Each op that meets a batched tensor is applied to the
whole batch by its batching rule; what meets none is computed as always, once.  The results are computed by the context
outside, so `vmap` works inside itself, inside traced functions, and under every derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import ShapeError, TraceError, UsageError
from .functions import shape as s
from .graph import Graph
from .op import Op, bind, constant, make_tensor
from .staging import Staging, within
from .tensor import Tensor
from .tree import flatten, spread, unflatten
from .types import TensorType

__all__ = ["apply_batched", "vmap"]


class Batched:
    """Stands for one example of a tensor whose first axis is the batch."""

    __slots__ = ("owner", "tensor")

    def __init__(self, tensor: Tensor, owner: Batcher) -> None:
        self.tensor = tensor
        self.owner = owner


class Batcher(Staging):
    """The context that applies each op to a whole batch."""

    where = "vectorised"

    def __init__(self, size: int, randomness: str) -> None:
        super().__init__()
        self.size = size
        self.randomness = randomness

    def own(self, value: Any) -> bool:
        return isinstance(value, Batched) and value.owner is self

    def wrap(self, t: Tensor) -> Tensor:
        """One example of ``t``, whose first axis is the batch."""
        return make_tensor(Batched(t, self), TensorType(t.shape[1:], t.dtype))

    def unwrap(self, t: Tensor) -> tuple[Tensor, bool]:
        """The tensor outside that ``t`` stands for, and whether it has the batch axis."""
        value = t._value
        if not isinstance(value, Batched):
            return t, False
        if value.owner is not self:
            known = self.outer
            while known is not None and known is not value.owner:
                known = known.outer
            if known is None:
                raise TraceError(
                    "a tensor that belongs to a vectorised function that has ended is used",
                    hint="return the value from the function instead of storing it",
                )
            return t, False
        return value.tensor, True

    def bind(self, op: type[Op], inputs: tuple[Tensor, ...], params: dict[str, Any]) -> Any:
        self.freshen(inputs)  # a view may have lost or got its batch axis when its base was changed
        if any(self.own(t._value) for t in inputs):
            return super().bind(op, inputs, params)
        with within(self.outer):
            out = bind(op, *inputs, **params)
        for t in out if isinstance(out, tuple) else (out,):
            self.born(t)
        return out

    def apply(
        self, op: type[Op], inputs: tuple[Tensor, ...], params: dict[str, Any], kinds: Any
    ) -> Sequence[Any]:
        tensors, flags = zip(*map(self.unwrap, inputs), strict=True)
        with within(self.outer):
            out = op.batch(flags, *tensors, **params)
        return [Batched(t, self) for t in ((out,) if op.n_outputs == 1 else out)]

    def stand_in(self, t: Tensor) -> Any:
        return t._value

    def detached(self, t: Tensor) -> Tensor:
        inside, batched = self.unwrap(t)
        with within(self.outer):
            cut = inside.detach()
        return self.wrap(cut) if batched else cut

    def random_state(self, generator: Any, n: int) -> Any:
        """The state of a random stream: one for all examples, or one for each."""
        if self.randomness == "error":
            raise UsageError(
                "random numbers are drawn inside vmap",
                hint='say what is meant: vmap(f, randomness="different") or vmap(f, randomness="same")',
            )
        with within(self.outer):
            if self.randomness == "same":
                return generator.take(n)
            state = generator.take(n * self.size)
            moves = np.stack([np.zeros(self.size, np.int64), n * np.arange(self.size)], 1)
            return self.wrap(state + constant(moves))

    def result(self, t: Any) -> Tensor:
        """What the function returned, as a tensor outside with the batch in front."""
        if not isinstance(t, Tensor):
            raise UsageError(
                f"a function under vmap returned {type(t).__name__}",
                hint="return tensors, or tuples, lists and dicts of them",
            )
        self.freshen((t,))
        inside, batched = self.unwrap(t)
        if batched:
            return inside
        held = inside._alias()  # `close` gives a tensor that was changed inside its old value back
        return s.broadcast_to(held, (self.size, *held.shape))

    def close(self) -> None:
        """Put back what was changed; changes that would have to be seen outside are refused."""
        values, gradients = self.finish()
        if values or gradients:
            what, t = ("values", values[0][0]) if values else (".grad", gradients[0][0])
            raise UsageError(
                f"a function under vmap changed the {what} of a tensor of shape {tuple(t.shape)} that was made outside",
                hint="return the new value, or make the tensor inside the function (x = x.clone())",
            )


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """``func`` on one example, applied to a whole batch at once.

    ``in_dims``: the batch dimension of each argument (None: not batched), as one number, or nested as the arguments are;
    keyword arguments are not batched.  ``out_dims``: where the batch stands in the results.  ``randomness``: random
    numbers drawn inside are refused ("error"), "different" or the "same" for the examples.  ``chunk_size``: so many examples
    at a time, for less memory.  Raises `ShapeError` when batch sizes differ, `UsageError` when dimensions do not fit.

    >>> import retrograd as rg
    >>> rg.vmap(lambda a, b: (a * b).sum())(rg.ones(4, 3), rg.ones(4, 3)).shape
    (4,)
    """
    if randomness not in ("error", "different", "same"):
        raise UsageError(f"randomness={randomness!r}", hint='one of "error", "different", "same"')
    if chunk_size is not None and chunk_size < 1:
        raise UsageError(f"chunk_size={chunk_size}", hint="at least 1, or None")

    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))
        dims = spread(_listed(in_dims, len(args)), flatten(args)[1], "in_dims")
        dims += [None] * (len(leaves) - len(dims))
        moved = [
            t if d is None else _front(t, d, k) for k, (t, d) in enumerate(zip(leaves, dims, strict=True))
        ]
        batched = [d is not None for d in dims]
        size = _size(moved, batched)
        step = size if chunk_size is None else min(chunk_size, size)
        pieces = [
            _run(func, [t[k : k + step] if b else t for t, b in zip(moved, batched, strict=True)], batched,
                 structure, min(step, size - k), randomness)
            for k in range(0, size, step or 1)
        ] or [_run(func, moved, batched, structure, 0, randomness)]  # fmt: skip
        results = [
            p[0] if len(pieces) == 1 else s.cat(list(p)) for p in zip(*(p for p, _ in pieces), strict=True)
        ]
        kind = pieces[0][1]
        places = spread(out_dims, kind, "out_dims")
        return unflatten([_back(t, d) for t, d in zip(results, places, strict=True)], kind)

    return mapped


def _run(
    func: Callable[..., Any],
    tensors: list[Any],
    batched: list[bool],
    structure: Any,
    size: int,
    randomness: str,
) -> tuple[list[Tensor], Any]:
    """The results of one pass, the batch in front, and their structure."""
    batcher = Batcher(size, randomness)
    given = [batcher.wrap(t) if b else t for t, b in zip(tensors, batched, strict=True)]
    args, kwargs = unflatten(given, structure)
    with within(batcher):
        try:
            leaves, kind = flatten(func(*args, **kwargs))
            with within(batcher.outer):
                results = [batcher.result(t) for t in leaves]
        except BaseException:
            batcher.finish()
            raise
        batcher.close()
    return results, kind


def _listed(in_dims: Any, n: int) -> Any:
    if isinstance(in_dims, list):
        in_dims = tuple(in_dims)
    if isinstance(in_dims, tuple) and len(in_dims) != n:
        raise ShapeError(
            f"in_dims has {len(in_dims)} entries for {n} arguments", hint="one entry per argument"
        )
    return in_dims


def _front(t: Any, d: int, k: int) -> Tensor:
    """The batch dimension moved to the front."""
    if not isinstance(t, Tensor):
        raise UsageError(
            f"argument {k} of a function under vmap is {type(t).__name__}, which has no batch dimension",
            hint="give None for it in in_dims",
        )
    if not -t.ndim <= d < t.ndim:
        raise ShapeError(
            f"in_dims has {d} for a tensor of shape {tuple(t.shape)}",
            hint="name one of its dimensions, or None",
        )
    return t if d == 0 else s.movedim(t, d, 0)


def _back(t: Tensor, d: int | None) -> Tensor:
    if d is None or not -t.ndim <= d < t.ndim:
        raise ShapeError(
            f"out_dims has {d} for a result of shape {tuple(t.shape)} (with the batch in front)",
            hint="name one of its dimensions",
        )
    return t if d == 0 else s.movedim(t, 0, d)


def _size(tensors: list[Any], batched: list[bool]) -> int:
    sizes = {t.shape[0] for t, b in zip(tensors, batched, strict=True) if b}
    if not sizes:
        raise ShapeError("no input has a batch axis", hint="at least one entry of in_dims must not be None")
    if len(sizes) > 1:
        raise ShapeError(
            f"the batch dimensions have different sizes: {sorted(sizes)}",
            hint="give every batched argument as many examples, or None in in_dims",
        )
    return sizes.pop()


def apply_batched(graph: Graph, tensors: Sequence[Any], batched: Sequence[bool]) -> list[Any]:
    """The outputs of ``graph`` for inputs with a leading batch axis where ``batched`` says so; every output gets one."""
    return vmap(graph.apply, tuple(0 if b else None for b in batched))(*tensors)
