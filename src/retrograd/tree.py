"""Nested tuples, lists and dicts of leaves, taken apart and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .errors import UsageError


class Structure:
    """What is left of a nested value when its leaves are taken out."""

    __slots__ = ("children", "keys", "kind", "n_leaves")

    def __init__(self, kind: Any, keys: tuple[Any, ...], children: tuple[Structure, ...]) -> None:
        self.kind = kind  # None for a leaf
        self.keys = keys
        self.children = children
        self.n_leaves = 1 if kind is None else sum(c.n_leaves for c in children)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Structure)
            and self.kind is other.kind
            and self.keys == other.keys
            and self.children == other.children
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.keys, self.children))

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        if self.keys:
            return (
                "{" + ", ".join(f"{k!r}: {c!r}" for k, c in zip(self.keys, self.children, strict=True)) + "}"
            )
        return f"{self.kind.__name__}({', '.join(map(repr, self.children))})"


_LEAF = Structure(None, (), ())


def _is_branch(x: Any) -> bool:
    return x is None or isinstance(x, tuple | list | Mapping)


def flatten(x: Any) -> tuple[list[Any], Structure]:
    """The leaves of ``x`` from left to right, and its structure.

    Tuples (named ones too), lists, dicts (in their own order) and None are taken apart; everything else is a leaf.

    >>> leaves, structure = flatten({"a": 1, "b": (2, [3])})
    >>> leaves, structure
    ([1, 2, 3], {'a': *, 'b': tuple(*, list(*))})
    """
    if not _is_branch(x):
        return [x], _LEAF
    if x is None:
        return [], Structure(type(None), (), ())
    keys = tuple(x) if isinstance(x, Mapping) else ()
    leaves: list[Any] = []
    children = []
    for child in (x[k] for k in keys) if keys or isinstance(x, Mapping) else x:
        more, inner = flatten(child)
        leaves += more
        children.append(inner)
    return leaves, Structure(type(x), keys, tuple(children))


def unflatten(leaves: Any, structure: Structure) -> Any:
    """The value with this structure and these leaves: the inverse of `flatten`."""
    return _build(iter(leaves), structure)


def _build(leaves: Iterator[Any], s: Structure) -> Any:
    if s.kind is None:
        return next(leaves)
    if s.kind is type(None):
        return None
    return _assembled(s.kind, s.keys, [_build(leaves, c) for c in s.children])


def _assembled(kind: Any, keys: tuple[Any, ...], parts: list[Any]) -> Any:
    if issubclass(kind, Mapping):
        return kind(zip(keys, parts, strict=True))  # type: ignore[call-arg]
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)


def map_leaves(fn: Callable[[Any], Any], x: Any) -> Any:
    """``x`` with ``fn`` applied to every leaf."""
    leaves, structure = flatten(x)
    return unflatten([fn(leaf) for leaf in leaves], structure)


def spread(prefix: Any, structure: Structure, what: str) -> list[Any]:
    """One entry per leaf from a value that has the structure or a prefix of it, as ``in_dims`` may.

    An entry of ``prefix`` that is an integer or None stands for everything below its place.

    >>> spread((0, None), flatten((1, [2, 3]))[1], "in_dims")
    [0, None, None]
    """
    if prefix is None or isinstance(prefix, int):
        return [prefix] * structure.n_leaves
    fits = structure.kind is not None and structure.kind is not type(None)
    if fits and isinstance(prefix, Mapping):
        fits = tuple(prefix) == structure.keys or set(prefix) == set(structure.keys)
        parts = [prefix[k] for k in structure.keys] if fits else []
    elif fits and isinstance(prefix, tuple | list) and not structure.keys:
        parts = list(prefix)
        fits = len(parts) == len(structure.children)
    else:
        fits, parts = False, []
    if not fits:
        raise UsageError(
            f"{what}={prefix!r} does not fit a value with the structure {structure!r}",
            hint="give one number or None for all, or one for each entry of the same nesting",
        )
    return [d for p, c in zip(parts, structure.children, strict=True) for d in spread(p, c, what)]
