"""First derivatives of functions: gradients, products with the Jacobian from either side, and the Hessian's product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import GradError, ShapeError
from ..functions.create import zeros_like
from ..op import context
from ..tensor import Tensor
from ..tree import flatten, unflatten
from ._inner import Point, cut, matching, recording, tensors_of, with_aux


def grad_and_value(
    func: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns (gradient, value) of ``func``; with ``has_aux``: (gradient, (value, aux)).

    ``func`` returns one floating number as a tensor without dimensions.  The gradient is nested as the arguments
    ``argnums`` are.  Works inside `vmap`, inside itself and under tracing.

    >>> import retrograd as rg
    >>> rg.func.grad_and_value(lambda x: (x * x).sum())(rg.tensor([1.0, 2.0]))
    (tensor([2., 4.]), tensor(5.))
    """

    def derived(*args: Any, **kwargs: Any) -> Any:
        return recording(_grad_and_value)(func, argnums, has_aux, args, kwargs)

    return derived


def _grad_and_value(
    func: Any, argnums: Any, has_aux: bool, args: Any, kwargs: Any, *, differentiable: bool
) -> Any:
    outer, context.grad_enabled = context.grad_enabled, differentiable
    try:  # whether the fresh tensors are views of outer ones depends on whether outer gradients are recorded
        point = Point(args, argnums, "grad")
    finally:
        context.grad_enabled = outer
    out, aux = with_aux(func(*point.args, **kwargs), has_aux, "grad")
    if not isinstance(out, Tensor) or out.ndim:
        what = f"a tensor of shape {tuple(out.shape)}" if isinstance(out, Tensor) else type(out).__name__
        fix = "reduce the result with .sum() or .mean(), or use jacrev or vmap(grad(f))"
        if isinstance(out, int | float | np.number | np.ndarray):
            fix = "return the tensor itself: float(), .item() and NumPy cut it off from its arguments"
        elif not isinstance(out, Tensor):
            fix = (
                "return the loss, as a tensor without dimensions; with has_aux=True more beside it: loss, aux"
            )
        raise GradError(f"grad needs a function that returns one number, it returned {what}", hint=fix)
    if not out.dtype.is_floating_point:
        raise GradError(f"grad of a result of {out.dtype!r}", hint="only floating results have a gradient")
    further = differentiable and (context.tracer is not None or point.reaches_out((out,)))
    grads = point.pull([out], None, differentiable=further)
    leaves, structure = flatten((grads, out, aux))
    grads, out, aux = unflatten(point.shown_outside(leaves), structure)
    return point.rebuild(grads), ((out, aux) if has_aux else out)


def grad(
    func: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the gradient of ``func``; with ``has_aux``: (gradient, aux).

    >>> import retrograd as rg
    >>> rg.func.grad(rg.func.grad(lambda x: x**3))(rg.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    def derived(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return derived


def value_and_grad(
    func: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """`grad_and_value` in the order (value, gradient)."""
    both = grad_and_value(func, argnums, has_aux)

    def derived(*args: Any, **kwargs: Any) -> Any:
        gradient, value = both(*args, **kwargs)
        return value, gradient

    return derived


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """(func(*primals), pull): ``pull(cotangents)`` gives cotangentsᵀ·J, one entry for each primal.

    >>> import retrograd as rg
    >>> y, pull = rg.func.vjp(lambda x: x * x, rg.tensor([1.0, 2.0]))
    >>> y, pull(rg.tensor([1.0, 10.0]))
    (tensor([1., 4.]), (tensor([ 2., 40.]),))
    """
    point, outs, structure, aux = recording(_at)(func, primals, has_aux, "vjp")

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given = matching(cotangents, structure, outs, "cotangents")
        further = context.grad_enabled if create_graph is None else create_graph
        found = point.pull(outs, given, differentiable=further)
        pulled = point.rebuild(point.shown_outside(found))
        return pulled if isinstance(pulled, tuple) else (pulled,)

    shown = unflatten(point.shown_outside(outs), structure)
    return (shown, pull, aux) if has_aux else (shown, pull)


def _at(
    func: Any, primals: Any, has_aux: bool, what: str, *, differentiable: bool
) -> tuple[Point, list[Tensor], Any, Any]:
    outer, context.grad_enabled = context.grad_enabled, differentiable
    try:
        point = Point(primals, tuple(range(len(primals))), what)
    finally:
        context.grad_enabled = outer
    result, aux = with_aux(func(*point.args), has_aux, what)
    outs, structure = tensors_of(result, what)
    leaves, kind = flatten(aux)
    return point, outs, structure, unflatten(point.shown_outside(leaves), kind)


def linearize(func: Callable[..., Any], *primals: Any) -> Any:
    """(func(*primals), push): ``push(*tangents)`` gives J·tangents, as often as wanted, without running ``func`` again.

    The forward mode is the transpose of the reverse mode: the reverse rule is linear in the cotangent u, so its
    derivative with respect to u is the product with J; no op has a second rule.

    >>> import retrograd as rg
    >>> y, push = rg.func.linearize(lambda x: x * x, rg.tensor([1.0, 2.0]))
    >>> push(rg.tensor([1.0, 10.0]))
    tensor([ 2., 40.])
    """
    out, push, _ = _linearized(func, primals, False)
    return out, lambda *tangents: push(tangents)


def _linearized(func: Any, primals: Any, has_aux: bool) -> tuple[Any, Callable[[Any], Any], Any]:
    point, outs, structure, aux = recording(_at)(func, primals, has_aux, "jvp")
    live = [k for k, t in enumerate(outs) if t.requires_grad]

    def transposed(*, differentiable: bool) -> tuple[list[Tensor], list[Tensor]]:
        us = [cut(zeros_like(outs[k])) for k in live]
        for u in us:
            u._requires = True
        return us, point.pull([outs[k] for k in live], us, differentiable=True)

    us, pulled = recording(transposed)()

    def push(tangents: Any) -> Any:
        given = matching(tuple(tangents), point.structure, point.given, "tangents")
        pairs = [(p, t) for p, t in zip(pulled, given, strict=True) if p.requires_grad]
        found: Sequence[Any] = [None] * len(us)
        if pairs and us:
            from ..backward import grad as reverse

            found = reverse(
                [p for p, _ in pairs],
                us,
                [t for _, t in pairs],
                retain_graph=True,
                create_graph=context.grad_enabled,
                allow_unused=True,
            )
        by_place = dict(zip(live, found, strict=True))
        results = [by_place.get(k) for k in range(len(outs))]
        leaves = [zeros_like(o) if r is None else r for o, r in zip(outs, results, strict=True)]
        own = _Cut(point, us)
        return unflatten(own.shown_outside(leaves), structure)

    return unflatten(point.shown_outside(outs), structure), push, aux


class _Cut(Point):
    """Results of the transposed rule depend on its cotangents u as well as on the point."""

    def __init__(self, point: Point, us: list[Tensor]) -> None:
        self.fresh = [*point.fresh, *us]


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """(func(*primals), J·tangents); with ``has_aux``: (value, J·tangents, aux).

    >>> import retrograd as rg
    >>> rg.func.jvp(lambda x: x.sin(), (rg.tensor(0.0),), (rg.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple | list) or not isinstance(tangents, tuple | list):
        raise ShapeError("jvp takes primals and tangents as tuples", hint="jvp(f, (x,), (t,))")
    if len(primals) != len(tangents):
        raise ShapeError(
            f"jvp: {len(primals)} primals and {len(tangents)} tangents", hint="one tangent for each primal"
        )
    out, push, aux = _linearized(func, tuple(primals), has_aux)
    pushed = push(tangents)
    return (out, pushed, aux) if has_aux else (out, pushed)


def hvp(func: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """(value, H·tangents) of a function that returns one number, without ever making its Hessian H.

    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6, 1994.

    >>> import retrograd as rg
    >>> rg.func.hvp(lambda x: (x**3).sum(), (rg.tensor([1.0, 2.0]),), (rg.tensor([1.0, 1.0]),))
    (tensor(9.), tensor([ 6., 12.]))
    """
    places = tuple(range(len(primals)))

    def first(*xs: Any) -> Any:
        gradient, value = grad_and_value(func, places)(*xs)
        return (gradient if len(places) > 1 else gradient[0]), value

    _, pushed, value = jvp(first, primals, tangents, has_aux=True)
    return value, pushed
