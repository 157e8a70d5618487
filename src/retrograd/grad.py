"""Reverse-mode differentiation: what an op leaves behind when it is applied, and the walk back through it.

Applying an op to tensors that want a gradient leaves a `Node`: the op, its parameters, the values that its reverse rule
reads, and for each input where its cotangent must go (`targets`).  `propagate` visits the nodes from last to first; each
one turns the cotangent of its results into cotangents of its inputs by `Op.vjp`, and where a value was used several times
the cotangents add up.  No op is named here, and nothing here knows whether values are arrays or variables of a graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from types import CodeType, FunctionType
from typing import Any

import numpy as np

from .errors import GradError, describe, user_place
from .op import Op, constant, context, kept, make_tensor
from .types import TensorType

_counter = itertools.count()


class Handle:
    """Takes a hook away again."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook
        hooks.append(hook)

    def remove(self) -> None:
        """Take the hook away; a second call does nothing."""
        if self._hook in self._hooks:
            self._hooks.remove(self._hook)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()


class Saved:
    """A value kept for the reverse rule, with the version it had: an in-place change afterwards is noticed."""

    __slots__ = ("cell", "unpack", "value", "version")

    def __init__(self, value: Any, cell: list[int]) -> None:
        self.value = value
        self.cell = cell
        self.version = cell[0]
        self.unpack: Callable[[Any], Any] | None = None


def _keep(t: Any) -> Saved:
    """Keep the value of a tensor, or what the hooks of `saved_tensors_hooks` make of it."""
    hooks = context.saved_hooks
    if hooks is None:
        return Saved(t._value, t._version)
    pack, unpack = hooks
    context.saved_hooks = None  # what the hook itself computes is kept as always
    try:
        saved = Saved(pack(make_tensor(t._value, t._type)), [0])
    finally:
        context.saved_hooks = hooks
    saved.unpack = unpack
    return saved


class Node:
    """One applied op in the graph that `propagate` walks back."""

    __slots__ = (
        "after", "ahead", "freed", "hooks", "input_types", "inputs", "op", "order", "output_types", "outputs", "params", "place",
        "retained", "scope", "slots", "targets",
    )  # fmt: skip

    def __init__(self, op: type[Op], params: dict[str, Any], inputs: Sequence[Any]) -> None:
        self.op = op
        self.params = params
        self.order = next(_counter)
        self.freed = False
        self.input_types: list[TensorType] = [t._type for t in inputs]
        self.targets: list[Any] = [
            t._node if t._node is not None else (t if t._requires else None) for t in inputs
        ]
        self.slots: list[int] = [t._slot for t in inputs]
        keeps_output, *keeps = kept(op, tuple(t is not None for t in self.targets))
        self.inputs: list[Saved | None] = [
            _keep(t) if keep else None for t, keep in zip(inputs, keeps, strict=True)
        ]
        self.outputs: list[Saved] | None = [] if keeps_output else None
        self.output_types: tuple[TensorType, ...] = ()
        self.hooks: dict[int, list[Callable[[Any], Any]]] | None = None
        self.ahead: list[Callable[..., Any]] | None = None
        self.after: list[Callable[..., Any]] | None = None
        self.retained: dict[int, Any] | None = None
        self.place: tuple[CodeType, int] | None = user_place(3)
        self.scope = context.scope

    def name(self) -> str:
        """The name of the op with "Backward" behind it, as in PyTorch."""
        return f"{self.op.__name__}Backward"

    def register_prehook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(cotangents of the results)`` ahead of the reverse rule; what it returns, if anything, takes their place."""
        self.ahead = [] if self.ahead is None else self.ahead
        return Handle(self.ahead, hook)

    def register_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(cotangents of the inputs, of the results)`` after the reverse rule; what it returns replaces the former."""
        self.after = [] if self.after is None else self.after
        return Handle(self.after, hook)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes (or leaf tensors) that the cotangents go to, with the result slot, as in PyTorch."""
        return tuple((t, s) for t, s in zip(self.targets, self.slots, strict=True))

    def __repr__(self) -> str:
        return f"<{self.op.__name__}Backward at {describe(self.place) or 'unknown line'}>"

    def _restore(
        self, saved: Saved | None, kind: TensorType, target: Any, slot: int, differentiable: bool
    ) -> Any:
        """A saved value as a tensor again; the bare type for values that the rule does not read."""
        if saved is None:
            return kind
        if saved.cell[0] != saved.version:
            raise GradError(
                f"a value of shape {tuple(kind.shape)} that the derivative of {self.op.name} needs was changed in place "
                f"afterwards (version {saved.cell[0]}, expected {saved.version})",
                where=f"{self.op.name} was applied at {describe(self.place)}",
                hint="use the out-of-place form there (y = x + 1 instead of x += 1), or x.clone() before the change",
            )
        value = saved.value
        if saved.unpack is not None:
            value = _unpacked(saved, kind)
        if not differentiable or target is None:
            return make_tensor(value, kind)
        if not isinstance(target, Node):
            # with hooks the value may be a copy, but the place in the graph is the leaf's all the same
            return target if target._value is value or saved.unpack is not None else make_tensor(value, kind)
        return make_tensor(value, kind, target, slot)

    def pull(self, cotangents: Sequence[Any], differentiable: bool) -> Sequence[Any]:
        """Apply the reverse rule: cotangents of the results in, cotangents (or functions that make them) out."""
        if self.freed:
            raise GradError(
                "the values needed for this backward pass were freed by an earlier one",
                where=f"{self.op.name} was applied at {describe(self.place)}",
                hint="call backward(retain_graph=True) the first time, or run the forward pass again",
            )
        cotangents = [
            _zeros(k) if c is None else c for c, k in zip(cotangents, self.output_types, strict=True)
        ]
        inputs = [
            self._restore(s, k, t, slot, differentiable)
            for s, k, t, slot in zip(self.inputs, self.input_types, self.targets, self.slots, strict=True)
        ]
        if self.op.n_outputs == 1:
            result = self.restored(0, differentiable)
            return self.op.vjp(cotangents[0], result, *inputs, **self.params)
        return self.op.vjp(tuple(cotangents), _Results(self, differentiable), *inputs, **self.params)

    def restored(self, k: int, differentiable: bool) -> Any:
        """Result number k for the reverse rule."""
        kind = self.output_types[k]
        if self.outputs is None:
            return kind
        return self._restore(self.outputs[k], kind, self, k, differentiable)

    def free(self) -> None:
        """Let go of the saved values."""
        if self.outputs is not None or any(s is not None for s in self.inputs):
            self.freed = True
            self.inputs = [None] * len(self.inputs)
            self.outputs = None


class _Results(Sequence[Any]):
    """The results of a node for its reverse rule, each restored when the rule asks for it.

    So a change in place of one that the rule does not read does no harm (the values of a sort, of which it reads the
    places).
    """

    def __init__(self, node: Node, differentiable: bool) -> None:
        self._node, self._differentiable = node, differentiable

    def __len__(self) -> int:
        return len(self._node.output_types)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return tuple(self[i] for i in range(*k.indices(len(self))))
        return self._node.restored(range(len(self))[k], self._differentiable)


def _unpacked(saved: Saved, kind: TensorType) -> Any:
    """The value that the unpack hook gives back; it must have the type of the one that was packed."""
    assert saved.unpack is not None
    t = saved.unpack(saved.value)
    found = getattr(t, "_type", None)
    if found != kind:
        raise GradError(
            f"an unpack hook returned {found!r} for a saved tensor of {kind!r}",
            hint="unpack must return a tensor of the shape and dtype that was packed",
        )
    return t._value


def record(op: type[Op], params: dict[str, Any], inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Hang a node on the floating results of an op that was applied to tensors that want a gradient."""
    node = Node(op, params, inputs)
    node.output_types = tuple(t._type for t in outputs)
    if node.outputs is not None:
        node.outputs = [_keep(t) for t in outputs]
    for slot, out in enumerate(outputs):
        if out._type.dtype.is_floating_point:
            out._node = node
            out._slot = slot


def _reachable(roots: Iterable[Any]) -> list[Node]:
    """All nodes behind the roots, last applied first; iterative, so depth does not matter."""
    seen: set[Node] = set()
    stack = [n for n in roots if isinstance(n, Node)]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        stack.extend(t for t in node.targets if isinstance(t, Node) and t not in seen)
    return sorted(seen, key=lambda n: n.order, reverse=True)


def _leading_to(nodes: list[Node], wanted: set[int]) -> set[int]:
    """Ids of the nodes from which something wanted can be reached (nodes are sorted last to first)."""
    useful: set[int] = set()
    for node in reversed(nodes):
        if id(node) in wanted or any(
            id(t) in wanted or id(t) in useful for t in node.targets if t is not None
        ):
            useful.add(id(node))
    return useful


class Cotangents:
    """Cotangents that have arrived, by (node, slot) or leaf; several arrivals add up."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[int, int], Any] = {}

    def add(self, target: Any, slot: int, value: Any) -> None:
        key = (id(target), slot if isinstance(target, Node) else 0)
        have = self.by_key.get(key)
        self.by_key[key] = value if have is None else have + value

    def take(self, target: Any, slot: int = 0) -> Any:
        return self.by_key.pop((id(target), slot), None)


def propagate(
    roots: Sequence[tuple[Any, int, Any]],
    *,
    wanted: Sequence[tuple[Any, int]] | None = None,
    keep: bool,
    differentiable: bool,
) -> tuple[list[tuple[Any, Any]], list[Any]]:
    """Walk back from ``roots`` (target, slot, cotangent).

    Returns the leaves that were reached, with their cotangents, and the cotangents of ``wanted`` (None where a wanted
    tensor was not reached).  With ``wanted``, only what leads there is computed.  ``differentiable``: the cotangents can
    be differentiated themselves.  ``keep``: saved values stay for another walk.
    """
    nodes = _reachable(target for target, _, _ in roots)
    useful = None if wanted is None else _leading_to(nodes, {id(t) for t, _ in wanted})
    wanted_keys: dict[tuple[int, int], list[int]] = {}  # one tensor may be wanted at several places
    for i, (t, s) in enumerate(wanted or ()):
        wanted_keys.setdefault((id(t), s if isinstance(t, Node) else 0), []).append(i)
    found: list[Any] = [None] * len(wanted or ())
    arrived = Cotangents()
    leaves: dict[int, Any] = {}
    for target, slot, value in roots:
        arrived.add(target, slot, value)
        if not isinstance(target, Node):
            leaves[id(target)] = target
    outer = context.grad_enabled
    context.grad_enabled = differentiable
    try:
        for node in nodes:
            if useful is not None and id(node) not in useful:
                continue
            cotangents = [arrived.take(node, i) for i in range(node.op.n_outputs)]
            if all(c is None for c in cotangents):
                continue
            _observe(node, cotangents)
            for i, c in enumerate(cotangents):
                for place in wanted_keys.get((id(node), i), ()):
                    found[place] = c
            if useful is not None and not any(
                id(t) in useful or (id(t), 0) in wanted_keys for t in node.targets if t is not None
            ):
                continue
            if node.ahead is not None:
                cotangents = list(_hooked(node.ahead, tuple(cotangents)))
            pulled = node.pull(cotangents, differentiable)
            if node.after is not None:
                pulled = _after(node, pulled, cotangents)
            for i, (target, slot) in enumerate(zip(node.targets, node.slots, strict=True)):
                if target is None or (
                    useful is not None and id(target) not in useful and (id(target), 0) not in wanted_keys
                ):
                    continue
                value = pulled[i]
                if value is not None and isinstance(value, FunctionType):
                    value = value()
                if value is None:
                    continue
                if context.anomaly:
                    _refuse_nan(node, i, value)
                arrived.add(target, slot, value)
                if not isinstance(target, Node):
                    leaves[id(target)] = target
            if not keep:
                node.free()
    finally:
        context.grad_enabled = outer
    reached = []
    for leaf in leaves.values():
        value = arrived.take(leaf)
        value = _hooked(leaf._hooks, value)
        for place in wanted_keys.get((id(leaf), 0), ()):
            found[place] = value
        reached.append((leaf, value))
    return reached, found


def _refuse_nan(node: Node, i: int, value: Any) -> None:
    """For `detect_anomaly`: a cotangent that has become NaN names the op that made it."""
    array = value._value
    if isinstance(array, np.ndarray) and np.isnan(array).any():
        first = tuple(int(k) for k in np.argwhere(np.isnan(array))[0])
        raise GradError(
            f"the derivative of {node.op.name} with respect to its input {i} has {int(np.isnan(array).sum())} NaN of "
            f"{array.size} entries, the first at {list(first)}",
            where=f"{node.op.name} was applied at {describe(node.place)}",
            hint="look at the values there: 0/0, inf - inf, 0·inf, or the square root of 0 have no finite derivative",
        )


def _observe(node: Node, cotangents: list[Any]) -> None:
    """Run the tensor hooks of a node's results, then fill the .grad of those that retain it."""
    if node.hooks is not None:
        for slot, hooks in node.hooks.items():
            if cotangents[slot] is not None:
                cotangents[slot] = _hooked(hooks, cotangents[slot])
    if node.retained is not None:
        for slot, reference in node.retained.items():
            tensor = reference()
            if tensor is not None and cotangents[slot] is not None:
                tensor.grad = cotangents[slot] if tensor.grad is None else tensor.grad + cotangents[slot]


def _after(node: Node, pulled: Sequence[Any], cotangents: Sequence[Any]) -> Sequence[Any]:
    """Run the hooks of a node on what its reverse rule gave; None stands for inputs that want no gradient."""
    values = tuple(
        None if target is None else (value() if isinstance(value, FunctionType) else value)
        for target, value in zip(node.targets, pulled, strict=True)
    )
    for hook in list(node.after or ()):
        changed = hook(values, tuple(cotangents))
        if changed is not None:
            values = changed if isinstance(changed, tuple | list) else (changed,)
    return values


def _hooked(hooks: Iterable[Callable[[Any], Any]] | None, value: Any) -> Any:
    for hook in list(hooks or ()):
        changed = hook(value)
        if changed is not None:
            value = changed
    return value


def _zeros(kind: TensorType) -> Any:
    return constant(np.zeros(kind.shape, kind.dtype.numpy))
