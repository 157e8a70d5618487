"""Einstein's summation convention, made of matrix products and sums."""

from __future__ import annotations

import math
from typing import Any

from ..errors import DTypeError, ShapeError, UsageError
from ..op import bind
from ..ops.matmul import Matmul
from ..types import promote
from . import elementwise as e
from . import reduce as r
from . import shape as s
from ._arguments import cast, require_tensor
from .diagonal import diagonal

__all__ = ["einsum"]

Label = str | int
"""A letter, or a number: dimensions that "..." stands for are -1 (the last), -2, ...; sublists name letters by 0 to 51."""

Labels = tuple[Label, ...]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def einsum(*args: Any) -> Any:
    """Products of tensors, summed over every letter that the result does not name.

    ``einsum("ij,jk->ik", a, b)``, or with sublists: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.  A letter twice in one term is a
    diagonal; "..." stands for any dimensions, which broadcast, as sizes of 1 do; without "->" the result names those of "..." and
    then each letter that occurs once, in alphabetical order.  Two operands at a time are contracted, first those that shrink
    the most.

    >>> import retrograd as rg
    >>> rg.einsum("ij,kj->ik", rg.tensor([[1.0, 2.0]]), rg.tensor([[3.0, 4.0], [5.0, 6.0]]))
    tensor([[11., 17.]])
    """
    terms, result, operands = _parsed(args)
    for x in operands:
        if require_tensor("einsum", x).dtype is not operands[0].dtype:
            raise DTypeError(
                f"einsum of {operands[0].dtype!r} and {x.dtype!r}", hint="make all of them one dtype"
            )
    named = [_labelled(term, x, k) for k, (term, x) in enumerate(zip(terms, operands, strict=True))]
    named = [_diagonals(x, labels) for x, labels in named]
    sizes = _sizes(named)
    output = _output(result, terms, named)
    named = [_without(x, labels, {*output, *_others(named, k)}) for k, (x, labels) in enumerate(named)]
    while len(named) > 1:
        i, j = _cheapest(named, output, sizes)
        (x, first), (y, second) = named[i], named[j]
        rest = [pair for k, pair in enumerate(named) if k not in (i, j)]
        wanted = {*output, *(n for _, labels in rest for n in labels)}
        named = [*rest, _contracted(x, first, y, second, wanted)]
    x, labels = _without(*named[0], {*output})
    x = s.permute(x, [labels.index(n) for n in output]) if labels != output else x
    return e.mul(x, 1) if any(x is operand for operand in operands) else x


# -- reading the equation -----------------------------------------------------------------------------------------------
def _parsed(args: tuple[Any, ...]) -> tuple[list[list[Any]], list[Any] | None, list[Any]]:
    """The terms, the result (None: implicit) and the operands; "..." is one item, ``Ellipsis``."""
    if not args:
        raise UsageError("einsum of nothing", hint='einsum("ij,jk->ik", a, b)')
    if isinstance(args[0], str):
        operands = list(args[1]) if len(args) == 2 and isinstance(args[1], list | tuple) else list(args[1:])
        left, arrow, right = args[0].replace(" ", "").partition("->")
        terms = [_items(term, args[0]) for term in left.split(",")]
        result = _items(right, args[0]) if arrow else None
    else:
        operands, terms = list(args[0 : len(args) // 2 * 2 : 2]), [_sublist(x) for x in args[1::2]]
        result = _sublist(args[-1]) if len(args) % 2 else None
    if len(terms) != len(operands) or not operands:
        raise UsageError(
            f"einsum: {len(terms)} term(s) for {len(operands)} operand(s)",
            hint="one term for each operand, e.g. 'ij,jk->ik'",
        )
    return terms, result, operands


def _items(term: str, equation: str) -> list[Any]:
    parts = term.split("...")
    letters = "".join(parts)
    if len(parts) > 2 or any(c not in _LETTERS for c in letters):
        raise UsageError(
            f"einsum cannot read {term!r} in {equation!r}",
            hint="a term has letters a-z and A-Z, and '...' at most once",
        )
    return [*parts[0], Ellipsis, *parts[1]] if len(parts) == 2 else list(term)


def _sublist(items: Any) -> list[Any]:
    good = isinstance(items, list | tuple) and all(
        i is Ellipsis or (isinstance(i, int) and not isinstance(i, bool) and 0 <= i < len(_LETTERS))
        for i in items
    )
    if not good or list(items).count(Ellipsis) > 1:
        raise UsageError(
            f"einsum cannot read the sublist {items!r}", hint="numbers from 0 to 51, and ... at most once"
        )
    return [i if i is Ellipsis else _LETTERS[i] for i in items]


def _labelled(term: list[Any], x: Any, k: int) -> tuple[Any, Labels]:
    """The operand with one label for each dimension."""
    extra = x.ndim - len(term) + (Ellipsis in term)
    if extra < 0 or (extra and Ellipsis not in term):
        raise ShapeError(
            f"einsum: term {k} names {len(term) - (Ellipsis in term)} dimension(s), its operand has shape {tuple(x.shape)}",
            hint="name each dimension, or write '...' for the others",
        )
    labels: list[Label] = []
    for item in term:
        labels.extend(range(-extra, 0) if item is Ellipsis else [item])
    return x, tuple(labels)


def _sizes(named: list[tuple[Any, Labels]]) -> dict[Label, int]:
    sizes: dict[Label, int] = {}
    for x, labels in named:
        for n, label in zip(x.shape, labels, strict=True):
            have = sizes.get(label, 1)
            if n != have and 1 not in (n, have):
                what = f"'{label}'" if isinstance(label, str) else "'...'"
                raise ShapeError(
                    f"einsum: {what} has size {have} in one operand and {n} in another (shape {tuple(x.shape)})",
                    hint="a letter stands for one size; 1 stretches",
                )
            sizes[label] = n if have == 1 else have
    return sizes


def _output(result: list[Any] | None, terms: list[list[Any]], named: list[tuple[Any, Labels]]) -> Labels:
    wide = max((-n for _, labels in named for n in labels if isinstance(n, int)), default=0)
    dots: list[Label] = list(range(-wide, 0))
    if result is None:
        letters = [c for term in terms for c in term if c is not Ellipsis]
        return (*dots, *sorted(c for c in {*letters} if letters.count(c) == 1))
    known = {n for _, labels in named for n in labels}
    out: list[Label] = []
    for item in result:
        if item is not Ellipsis and (item not in known or item in out):
            raise UsageError(
                f"einsum: the result names '{item}' {'twice' if item in out else 'but no operand does'}",
                hint="the result names letters of the operands, each once",
            )
        out.extend(dots if item is Ellipsis else [item])
    return tuple(out)


# -- contracting --------------------------------------------------------------------------------------------------------
def _diagonals(x: Any, labels: Labels) -> tuple[Any, Labels]:
    """Repeated letters as diagonals."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            if x.shape[i] != x.shape[j]:
                raise ShapeError(
                    f"einsum: '{label}' stands twice, for sizes {x.shape[i]} and {x.shape[j]} of shape {tuple(x.shape)}",
                    hint="a diagonal needs equal sizes",
                )
            x = diagonal(x, 0, i, j)
            labels = (*labels[:i], *labels[i + 1 : j], *labels[j + 1 :], label)
    return x, labels


def _others(named: list[tuple[Any, Labels]], k: int) -> set[Label]:
    return {n for i, (_, labels) in enumerate(named) if i != k for n in labels}


def _without(x: Any, labels: Labels, wanted: set[Label]) -> tuple[Any, Labels]:
    """Summed over the labels that nobody wants."""
    dims = tuple(i for i, n in enumerate(labels) if n not in wanted)
    if not dims:
        return x, labels
    return r.sum(x, dims), tuple(n for n in labels if n in wanted)


def _cheapest(named: list[tuple[Any, Labels]], output: Labels, sizes: dict[Label, int]) -> tuple[int, int]:
    """The pair whose product is the smallest compared with the two; among equals, the one of least work."""
    if len(named) == 2:
        return 0, 1

    def cost(pair: tuple[int, int]) -> tuple[int, int]:
        kept = {*output, *(n for k, (_, labels) in enumerate(named) if k not in pair for n in labels)}
        both = {n for k in pair for n in named[k][1]}
        given = sum(math.prod(named[k][0].shape) for k in pair)
        return math.prod(sizes[n] for n in both & kept) - given, math.prod(sizes[n] for n in both)

    return min(((i, j) for i in range(len(named)) for j in range(i + 1, len(named))), key=cost)


def _contracted(x: Any, first: Labels, y: Any, second: Labels, wanted: set[Label]) -> tuple[Any, Labels]:
    """One product: letters of both that are wanted are a batch, the others of both are summed."""
    x, first = _stretched(x, first, y, second)
    y, second = _stretched(y, second, x, first)
    x, first = _without(x, first, {*wanted, *second})
    y, second = _without(y, second, {*wanted, *first})
    dtype = promote(x.dtype, y.dtype)  # where integers were summed, that is int64
    x, y = cast(x, dtype), cast(y, dtype)
    shared = [n for n in first if n in second]
    batch, summed = [n for n in shared if n in wanted], [n for n in shared if n not in wanted]
    left, right = [n for n in first if n not in shared], [n for n in second if n not in shared]
    x = s.permute(x, [first.index(n) for n in (*batch, *left, *summed)])
    y = s.permute(y, [second.index(n) for n in (*batch, *summed, *right)])
    b, n = len(batch), len(summed)
    lead, rows, columns = tuple(x.shape[:b]), tuple(x.shape[b : x.ndim - n]), tuple(y.shape[b + n :])
    if n:
        k = math.prod(x.shape[x.ndim - n :])
        x = s.reshape(x, (*lead, math.prod(rows), k))
        y = s.reshape(y, (*lead, k, math.prod(columns)))
        out = s.reshape(bind(Matmul, x, y, ta=False, tb=False), (*lead, *rows, *columns))
    else:  # nothing to sum: no product of matrices
        out = e.mul(
            s.reshape(x, (*lead, *rows, *(1,) * len(columns))),
            s.reshape(y, (*lead, *(1,) * len(rows), *columns)),
        )
    return out, (*batch, *left, *right)


def _stretched(x: Any, labels: Labels, y: Any, other: Labels) -> tuple[Any, Labels]:
    """Without the dimensions of size 1 that stand against a larger one: they need no copies."""
    drop = [
        i for i, n in enumerate(labels) if x.shape[i] == 1 and n in other and y.shape[other.index(n)] != 1
    ]
    if not drop:
        return x, labels
    kept = [i for i in range(x.ndim) if i not in drop]
    return s.reshape(x, tuple(x.shape[i] for i in kept)), tuple(labels[i] for i in kept)
