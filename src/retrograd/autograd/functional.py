"""The older names for derivatives of functions, ``torch.autograd.functional``, on top of `retrograd.func`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import GradError
from ..func import derivatives, jacobians
from ..functions.create import ones_like, zeros_like
from ..tensor import Tensor
from ..tree import flatten, map_leaves

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, tuple | list) else (x,)


def _shown(result: Any, create_graph: bool) -> Any:
    """Without ``create_graph`` the result is a plain one, as in PyTorch."""
    return (
        result if create_graph else map_leaves(lambda t: t.detach() if isinstance(t, Tensor) else t, result)
    )


def _checked(inputs: tuple[Any, ...], outputs: Any, strict: bool) -> None:
    """``strict``: every result must depend on some input."""
    if strict and not all(t.requires_grad for t in flatten(outputs)[0]):
        raise GradError("a result does not depend on the inputs", hint="pass strict=False to get zeros")


def _run_strict(func: Callable[..., Any], inputs: tuple[Any, ...], strict: bool) -> None:
    if strict:
        _checked(inputs, func(*(t.detach().requires_grad_() for t in inputs)), strict)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian at ``inputs``: one block, or for several inputs (and results) a tuple (of tuples) of blocks.

    >>> import retrograd as rg
    >>> rg.autograd.functional.jacobian(lambda x: x * x, rg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    several = isinstance(inputs, tuple | list)
    args = _tuple(inputs)
    _run_strict(func, args, strict)
    way = jacobians.jacfwd if strategy == "forward-mode" else jacobians.jacrev
    return _shown(way(func, tuple(range(len(args))) if several else 0)(*args), create_graph)


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """All second derivatives of a function that returns one number."""
    several = isinstance(inputs, tuple | list)
    args = _tuple(inputs)
    _one_number(func(*args), "hessian")
    _run_strict(func, args, strict)
    places = tuple(range(len(args))) if several else 0
    outer = jacobians.jacfwd if outer_jacobian_strategy == "forward-mode" else jacobians.jacrev
    return _shown(
        outer(jacobians.jacrev(lambda *x: func(*x).reshape(()), places), places)(*args), create_graph
    )


def _one_number(value: Any, what: str) -> None:
    if not isinstance(value, Tensor) or value.numel() != 1:
        shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise GradError(
            f"{what} needs a function that returns one number, it returned {shape}", hint="use jacobian"
        )


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(inputs), vᵀ·J)"""
    args = _tuple(inputs)
    _run_strict(func, args, strict)
    out, pull = derivatives.vjp(func, *args)
    if v is None:
        _one_number(out, "vjp without v")
        v = ones_like(out)
    pulled = pull(v)
    return _shown((out, pulled if isinstance(inputs, tuple | list) else pulled[0]), create_graph)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(inputs), J·v)"""
    args = _tuple(inputs)
    _run_strict(func, args, strict)
    return _shown(derivatives.jvp(func, args, _direction(args, v)), create_graph)


def _direction(args: tuple[Any, ...], v: Any) -> tuple[Any, ...]:
    if v is not None:
        return _tuple(v)
    if len(args) != 1 or args[0].numel() != 1:
        raise GradError(
            "v is needed unless the only input is one number", hint="give v with the shape of the inputs"
        )
    return (ones_like(args[0]),)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(inputs), H·v) for a function that returns one number"""
    args = _tuple(inputs)
    out = func(*args)
    _one_number(out, "hvp")
    _run_strict(func, args, strict)
    places = tuple(range(len(args)))
    first = derivatives.grad(lambda *x: func(*x).reshape(()), places)
    _, pushed = derivatives.jvp(first, args, _direction(args, v))
    return _shown((out, pushed if isinstance(inputs, tuple | list) else pushed[0]), create_graph)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """(func(inputs), vᵀ·H): the Hessian is symmetric, so it is `hvp` by one more reverse pass"""
    args = _tuple(inputs)
    out = func(*args)
    _one_number(out, "vhp")
    _run_strict(func, args, strict)
    places = tuple(range(len(args)))
    first = derivatives.grad(lambda *x: func(*x).reshape(()), places)
    _, pull = derivatives.vjp(first, *args)
    pulled = pull(_direction(args, v))
    pulled = tuple(zeros_like(a) if g is None else g for a, g in zip(args, pulled, strict=True))
    return _shown((out, pulled if isinstance(inputs, tuple | list) else pulled[0]), create_graph)
