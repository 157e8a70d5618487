"""One tracing of a compiled function: its program, the facts that it relies on, and its derivative."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .autograd import Function
from .backward import grad
from .capture import Capture, can_go_back
from .errors import TraceError
from .lower.program import Program, make_program
from .modes import set_grad_enabled
from .op import changes, context, make_tensor
from .tensor import Tensor
from .trace import stage
from .tree import flatten, unflatten

if TYPE_CHECKING:
    from .compilation import Compiled

STATIC = (bool, int, float, str, bytes, type(None))
PLAIN = (*STATIC, tuple)


def _parts(module: Any) -> tuple[Any, ...]:
    """What a graph relies on of a module: its plain attributes (`training` among them), tensors, modules and hooks."""
    own = module.__dict__
    return (
        {name: value for name, value in own.items() if isinstance(value, PLAIN)},
        *(tuple(map(id, own[kind].values())) for kind in ("_parameters", "_buffers", "_modules")),
        *(tuple(map(id, hooks.values())) for name, hooks in own.items() if name.endswith("_hooks")),
    )


class Trace:
    """One tracing of the function: its program, and the facts that it relies on."""

    def __init__(self, owner: Compiled, key: Any, leaves: list[Any], form: Any) -> None:
        self.key, self.owner = key, owner
        self.changed_inputs: list[int] = []
        """Which arguments the function writes into."""
        self._pulls: dict[tuple[bool, ...], Compiled] = {}
        self.places = [k for k, x in enumerate(leaves) if isinstance(x, Tensor | np.ndarray)]
        capture = Capture()
        result: list[Any] = []

        def staged(*tensors: Tensor) -> list[Tensor]:
            filled = list(leaves)
            for k, t in zip(self.places, tensors, strict=True):
                filled[k] = t
            args, kwargs = unflatten(filled, form)
            before = [t._value for t in tensors]
            flat, shape = flatten(owner.fn(*args, **kwargs))
            tensors_out = [x for x in flat if isinstance(x, Tensor)]
            self.changed_inputs = [
                k for k, (t, value) in enumerate(zip(tensors, before, strict=True)) if t._value is not value
            ]
            result.extend((flat, shape, [can_go_back(t) for t in tensors_out], capture.cleared()))
            return [*tensors_out, *(tensors[k] for k in self.changed_inputs)]

        graph = stage(staged, [leaves[k] for k in self.places], capture)
        flat, self.form, self.wanting, cleared = result
        self.flat = [None if isinstance(x, Tensor) else x for x in flat]
        self.returned = [k for k, x in enumerate(flat) if isinstance(x, Tensor)]
        for x in self.flat:
            if not isinstance(x, STATIC):
                raise TraceError(
                    f"a compiled function returned {type(x).__name__}",
                    hint="return tensors and plain numbers, or tuples, lists and dicts of them",
                )
        self.events = capture.events
        self.guards = [(what, read, read()) for what, read in capture.guards]
        self.modules = [(m, _parts(m)) for m in capture.modules.values()]
        self.slots = list(capture.slots.values())
        self.traced = graph
        self.wants = [(t, t._requires, t._type) for t in graph.sources.values()]
        self.program: Program = make_program(
            graph, self.slots, cleared, capture.events, owner.gradients, owner.backend
        )
        self.recording = True in self.wanting
        if self.recording and self.changed_inputs:
            raise TraceError(
                f"argument {self.places[self.changed_inputs[0]]} is changed in place, and results want a gradient",
                hint="return the new value instead of writing it into the argument",
            )
        self.kinds = [v.type for v in self.program.graph.outputs]
        self.leaves = leaves
        self.kept = [
            x for x in leaves if not isinstance(x, STATIC)
        ]  # an object's id is its own while it lives
        self.seen = -1
        plain = form.children[1].n_leaves == 0 and all(c.kind is None for c in form.children[0].children)
        self.simple = (
            [(x._type, key[2][k][1]) for k, x in enumerate(leaves) if isinstance(x, Tensor)]
            if plain
            else None
        )
        if self.simple is not None and len(self.simple) != len(leaves):
            self.simple = None
        self.grad = key[1]
        self.single = self.returned == [0] and len(flat) == 1 and self.form.kind is None

    def takes(self, args: tuple[Any, ...]) -> bool:
        """True if these are tensors of the kinds that were traced; False may also mean: not as simple as that."""
        kinds = self.simple
        if kinds is None or len(args) != len(kinds) or context.grad_enabled is not self.grad:
            return False
        for t, (kind, requires) in zip(args, kinds):
            if (
                not isinstance(t, Tensor)
                or t._type != kind
                or (t._requires or t._node is not None) is not requires
            ):
                return False
        self.leaves = args
        return True

    def holds(self) -> bool:
        """True if everything that the graph relies on is as it was."""
        if changes.count == self.seen:
            for _, read, before in self.guards:
                if read() != before:
                    return False
            return not self.slots or self.changed() is None
        now = changes.count
        if self.changed() is not None:
            return False
        self.program.look()
        self.seen = now
        return True

    def changed(self) -> str | None:
        """The first fact that is not as it was, in words."""
        for module, parts in self.modules:
            if _parts(module) != parts:
                return f"a part of {type(module).__name__}, or whether it is training, changed"
        for t, requires, kind in self.wants:
            if t._requires != requires:
                return f"a tensor of shape {tuple(t.shape)} {'requires' if t._requires else 'no longer requires'} a gradient"
            if t._type != kind:
                return f"a tensor was {kind!r} and is {t._type!r}"
        for t, before in self.slots:
            if (t._gradient is None) != (before is None):
                return f"the .grad of a tensor of shape {tuple(t.shape)} {'is None' if t._gradient is None else 'exists'} now"
        for what, read, before in self.guards:
            if read() != before:
                return f"{what} changed"
        return None

    def pull(self, needed: list[bool]) -> Compiled:
        """The compiled way back, to the inputs that need it."""
        key = tuple(needed)
        if key not in self._pulls:
            self._pulls[key] = type(self.owner)(_puller(self, needed), self.owner.backend)
        return self._pulls[key]

    def run(self) -> Any:
        """The results for these arguments."""
        leaves = self.leaves
        given = [leaves[k] for k in self.places]
        if self.recording:
            outs = self.recorded(given)
        else:
            arrays = [x._value if isinstance(x, Tensor) else x for x in given]
            results = self.program(arrays)
            if self.changed_inputs:
                self._write_back(given, results)
            outs = [make_tensor(a, k) for a, k in zip(results, self.kinds)]
            if self.single:
                return outs[0]
        flat = list(self.flat)
        for k, t in zip(self.returned, outs, strict=True):
            flat[k] = t
        return unflatten(flat, self.form)

    def _write_back(self, given: list[Any], results: list[Any]) -> None:
        """What the function wrote into its arguments is written into those of this call."""
        for k in reversed(self.changed_inputs):
            x = given[k]
            if isinstance(x, Tensor):
                x._value[...] = results.pop()
                x._version[0] += 1
            else:
                x[...] = results.pop()

    def recorded(self, given: list[Any]) -> list[Tensor]:
        """The results with their derivatives, which are a compiled function, too."""
        tensors = [
            x if isinstance(x, Tensor) else make_tensor(x, v.type)
            for x, v in zip(given, self.traced.inputs, strict=True)
        ]
        outs = WithDerivative.apply(self, *tensors, *(t for t, requires, _ in self.wants if requires))
        return list(outs)


class WithDerivative(Function):
    """A program whose results can be differentiated: going back computes forward again, and from there the cotangents."""

    @staticmethod
    def forward(ctx: Any, trace: Trace, *tensors: Tensor) -> tuple[Tensor, ...]:
        n = len(trace.places)
        arrays = trace.program([t._value for t in tensors[:n]])
        ctx.save_for_backward(*tensors)
        ctx.trace = trace
        ctx.read = [what.clone() for kind, what, _ in trace.events if kind != "do"]
        outs = tuple(make_tensor(a, k) for a, k in zip(arrays, trace.kinds, strict=True))
        ctx.mark_non_differentiable(*(t for t, wants in zip(outs, trace.wanting, strict=True) if not wants))
        return outs

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Any, ...]:
        trace, tensors = ctx.trace, ctx.saved_tensors
        wanted = [g for g, wants in zip(cotangents, trace.wanting, strict=True) if wants]
        needed = list(ctx.needs_input_grad[1:])
        found = iter(trace.pull(needed)(list(tensors), ctx.read, wanted))
        return (None, *(next(found) if needs else None for needs in needed))


def _puller(trace: Trace, needed: list[bool]) -> Callable[..., Any]:
    """The function from what a program read, and the cotangents of its results, to the cotangents of what it read."""
    graph, n = trace.traced, len(trace.places)
    by_id = {id(t): v for v, t in graph.sources.items()}
    further = [by_id[id(t)] for t, requires, _ in trace.wants if requires]
    read = [by_id.get(id(what)) for kind, what, _ in trace.events if kind != "do"]

    def pull(tensors: list[Tensor], numbers: list[Tensor], cotangents: list[Tensor]) -> list[Any]:
        with set_grad_enabled(True):
            leaves = [
                t.detach().requires_grad_() if needs and not t.requires_grad else t
                for t, needs in zip(tensors, needed, strict=True)
            ]
            held = dict(zip(further, leaves[n:], strict=True))
            held |= {v: t for v, t in zip(read, numbers, strict=True) if v is not None}
            outs = graph.apply(*leaves[:n], held=held)
            outs = [t for t, wants in zip(outs, trace.wanting, strict=True) if wants]
            wanted = [t for t, needs in zip(leaves, needed, strict=True) if needs]
            return list(grad(outs, wanted, cotangents, materialize_grads=True, create_graph=True))

    return pull
