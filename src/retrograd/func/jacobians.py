"""Whole Jacobians and Hessians, one `vmap` over the rows or the columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..batch import vmap
from ..errors import GradError
from ..functions import shape as s
from ..functions.create import eye, zeros
from ..tensor import Tensor
from ..tree import flatten, unflatten
from ._inner import tensors_of
from .derivatives import _linearized, vjp


def _basis(like: Sequence[Tensor]) -> list[Tensor]:
    """For each tensor all unit vectors of all tensors together: (N, *shape), N the number of all entries."""
    total = sum(t.numel() for t in like)
    out, start = [], 0
    for t in like:
        n = t.numel()
        block = s.cat(
            [
                zeros(start, n, dtype=t.dtype),
                eye(n, dtype=t.dtype),
                zeros(total - start - n, n, dtype=t.dtype),
            ]
        )
        out.append(s.reshape(block, (total, *t.shape)))
        start += n
    return out


def _parts(rows: Tensor, like: Sequence[Tensor], dim: int) -> list[Tensor]:
    """``rows`` cut along ``dim`` into one part per tensor of ``like``, with its shape in that place."""
    out, start = [], 0
    for t in like:
        n = t.numel()
        piece = s.narrow(rows, dim, start, n)
        out.append(s.reshape(piece, (*piece.shape[:dim], *t.shape, *piece.shape[dim + 1 :])))
        start += n
    return out


def _selected(func: Callable[..., Any], argnums: Any, args: Any, kwargs: Any) -> tuple[Any, tuple[Any, ...]]:
    """``func`` as a function of the chosen arguments only."""
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for k in chosen:
        if not -len(args) <= k < len(args):
            raise GradError(
                f"argnums has {k} for a call with {len(args)} positional arguments", hint="count them from 0"
            )
    places = [k % len(args) for k in chosen]

    def of_chosen(*xs: Any) -> Any:
        filled = dict(zip(places, xs, strict=True))
        return func(*(filled.get(k, a) for k, a in enumerate(args)), **kwargs)

    return of_chosen, tuple(args[k] for k in places)


def _nested(entries: list[list[Tensor]], outs: Any, ins: Any, argnums: Any) -> Any:
    """entries[output][input] nested as the outputs are, and within each as the inputs are."""
    inner = [unflatten(row, ins) for row in entries]
    if isinstance(argnums, int):
        inner = [row[0] for row in inner]
    return unflatten(inner, outs)


def jacrev(
    func: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that returns the Jacobian of ``func`` by reverse mode: one backward pass for each entry of the result,
    vectorised.

    Entry [i, j] of a block is d out_i / d in_j, with shape (*out.shape, *in.shape).  ``chunk_size``: so many rows at a time.

    >>> import retrograd as rg
    >>> rg.func.jacrev(lambda x: x * x)(rg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    def derived(*args: Any, **kwargs: Any) -> Any:
        of_chosen, primals = _selected(func, argnums, args, kwargs)
        out, pull, *aux = vjp(of_chosen, *primals, has_aux=has_aux)
        outs, kind = tensors_of(out, "jacrev")
        ins, places = flatten(primals)
        rows = vmap(lambda *g: tuple(flatten(pull(unflatten(g, kind)))[0]), chunk_size=chunk_size)(
            *_basis(outs)
        )
        columns = [_parts(r, outs, 0) for r in rows]
        entries = [[columns[i][o] for i in range(len(ins))] for o in range(len(outs))]
        result = _nested(entries, kind, places, argnums)
        return (result, aux[0]) if has_aux else result

    return derived


def jacfwd(
    func: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    chunk_size: int | None = None,
    randomness: str = "error",
) -> Callable[..., Any]:
    """The Jacobian as by `jacrev`, by forward mode: one pass for each entry of the arguments, vectorised.

    ``randomness`` is accepted and without effect: the function runs once, outside `vmap`.

    >>> import retrograd as rg
    >>> rg.func.jacfwd(lambda x: x.prod())(rg.tensor([2.0, 3.0]))
    tensor([3., 2.])
    """

    def derived(*args: Any, **kwargs: Any) -> Any:
        of_chosen, primals = _selected(func, argnums, args, kwargs)
        out, push, aux = _linearized(of_chosen, primals, has_aux)
        outs, kind = tensors_of(out, "jacfwd")
        ins, places = flatten(primals)
        columns = vmap(lambda *t: tuple(flatten(push(unflatten(t, places)))[0]), chunk_size=chunk_size)(
            *_basis(ins)
        )
        entries = [
            [s.movedim(p, tuple(range(x.ndim)), tuple(range(-x.ndim, 0))) if x.ndim else p
             for p, x in zip(_parts(c, ins, 0), ins, strict=True)]
            for c in columns
        ]  # fmt: skip
        assert len(entries) == len(outs)
        result = _nested(entries, kind, places, argnums)
        return (result, aux) if has_aux else result

    return derived


def hessian(func: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that returns all second derivatives of ``func``: `jacfwd` of `jacrev`.

    >>> import retrograd as rg
    >>> rg.func.hessian(lambda x: (x**3).sum())(rg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)
