"""Fresh tensors at which a function is differentiated, and what is left of them outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..backward import grad
from ..batch import Batched
from ..errors import GradError, UsageError
from ..functions.create import zeros_like
from ..grad import Node
from ..op import context, make_tensor
from ..staging import within
from ..tensor import Tensor
from ..tree import flatten, unflatten


class Point:
    """The arguments ``argnums`` of a call as fresh tensors that want a gradient, everything else as it is.

    A fresh tensor that stands for one which wants a gradient itself is a view of it, so that an outer derivative goes
    through; any other is a leaf of its own.
    """

    def __init__(self, args: Sequence[Any], argnums: int | Sequence[int], what: str) -> None:
        chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        places = []
        for k in chosen:
            if not isinstance(k, int) or not -len(args) <= k < len(args):
                raise UsageError(
                    f"{what}: argnums has {k!r} for a call with {len(args)} positional arguments",
                    hint="argnums counts positional arguments from 0",
                )
            places.append(k % len(args))
        picked = tuple(args[k] for k in places)
        self.given, self.structure = flatten(picked[0] if isinstance(argnums, int) else picked)
        for t in self.given:
            _require_floating(t, what)
        self.fresh = [_fresh(t) for t in self.given]
        inside = unflatten(self.fresh, self.structure)
        replaced = dict(zip(places, (inside,) if isinstance(argnums, int) else inside, strict=True))
        self.args = tuple(replaced.get(k, a) for k, a in enumerate(args))

    def rebuild(self, tensors: Iterable[Any]) -> Any:
        """Tensors, one for each differentiated one, nested as the arguments were."""
        return unflatten(list(tensors), self.structure)

    def shown_outside(self, leaves: Sequence[Any]) -> list[Any]:
        """Results without what ties them to the fresh tensors alone."""
        return [self._shown(t) if isinstance(t, Tensor) else t for t in leaves]

    def _shown(self, t: Tensor) -> Tensor:
        out = t if self.reaches_out((t,)) else cut(t)
        value = t._value
        if isinstance(value, Batched):  # inside vmap: the tensor of the whole batch may be tied to them, too
            with within(value.owner.outer):
                whole = self._shown(value.tensor)
            if whole is not value.tensor:
                out = make_tensor(Batched(whole, value.owner), out._type, out._node, out._slot)
        return out

    def reaches_out(self, tensors: Iterable[Tensor]) -> bool:
        """True if a tensor depends on something that wants a gradient besides the fresh tensors."""
        own = {id(t) for t in self.fresh if t._node is None}
        seen: set[int] = set()
        stack: list[Any] = [t._node if t._node is not None else t for t in tensors if t.requires_grad]
        while stack:
            target = stack.pop()
            if id(target) in seen:
                continue
            seen.add(id(target))
            if not isinstance(target, Node):
                if id(target) not in own:
                    return True
                continue
            stack.extend(t for t in target.targets if t is not None)
        return False

    def pull(
        self, outputs: Sequence[Tensor], cotangents: Sequence[Any] | None, *, differentiable: bool
    ) -> list[Any]:
        """Cotangents of the fresh tensors; zeros where the outputs do not depend on one."""
        pairs = [(t, k) for k, t in enumerate(outputs) if t.requires_grad]
        if not pairs:
            return [zeros_like(t) for t in self.given]
        found = grad(
            [t for t, _ in pairs],
            self.fresh,
            None if cotangents is None else [cotangents[k] for _, k in pairs],
            retain_graph=True,
            create_graph=differentiable,
            allow_unused=True,
        )
        return [zeros_like(t) if g is None else g for t, g in zip(self.given, found, strict=True)]


def _require_floating(t: Any, what: str) -> None:
    if not isinstance(t, Tensor):
        raise UsageError(
            f"{what}: an argument to differentiate is {type(t).__name__}",
            hint="give tensors (or tuples, lists, dicts of them) at argnums",
        )
    if not t.dtype.is_floating_point:
        raise GradError(
            f"{what}: an argument to differentiate has dtype {t.dtype!r}", hint="convert it with .float()"
        )


def _fresh(t: Tensor) -> Tensor:
    if t.requires_grad and context.grad_enabled:
        return t.view_as(t)
    out = cut(t)
    out._requires = True
    return out


def cut(t: Tensor) -> Tensor:
    """The same value without a place in the graph of this level."""
    kept = t._alias()
    return make_tensor(kept._value, kept._type)


def tensors_of(result: Any, what: str) -> tuple[list[Tensor], Any]:
    """The floating tensors of a function's result, and its structure."""
    leaves, structure = flatten(result)
    for t in leaves:
        if not isinstance(t, Tensor):
            raise UsageError(
                f"{what}: the function returned {type(t).__name__}",
                hint="return tensors; what else it computes can be returned beside them with has_aux=True",
            )
    return leaves, structure


def with_aux(result: Any, has_aux: bool, what: str) -> tuple[Any, Any]:
    """The result proper and the auxiliary one."""
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise UsageError(
            f"{what}: with has_aux=True the function must return (result, aux), it returned {type(result).__name__}",
            hint="return a tuple of two",
        )
    return result


def matching(given: Any, structure: Any, like: Sequence[Tensor], what: str) -> list[Tensor]:
    """The leaves of ``given``, which must have a structure and the shapes and dtypes of ``like``."""
    leaves, found = flatten(given)
    if found != structure and not (len(leaves) == len(like) == 1):
        raise UsageError(
            f"{what} have the structure {found!r}, expected {structure!r}", hint="nest them alike"
        )
    for t, want in zip(leaves, like, strict=True):
        if not isinstance(t, Tensor) or t._type != want._type:
            kind = t._type if isinstance(t, Tensor) else type(t).__name__
            raise GradError(f"{what}: {kind!r} where {want._type!r} belongs", hint="same shape and dtype")
    return leaves


def recording(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Run ``fn`` with gradients recorded, also inside `no_grad`, and tell it whether they were recorded outside."""

    def inside(*args: Any) -> Any:
        outer, context.grad_enabled = context.grad_enabled, True
        try:
            return fn(*args, differentiable=outer)
        finally:
            context.grad_enabled = outer

    return inside
