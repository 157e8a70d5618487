"""Which ops become one kernel: elementwise ops of one shape, and the sums over their results, share a loop.

The groups are an order of execution: what a group reads was made by an earlier one, or inside itself at the same element.
An op joins the first group that it may stand in and with which it shares something; otherwise it opens a new one.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import Any

from ...graph import Equation, Graph, Var
from ...op import registry
from ...types import Shape, size
from . import views
from .views import View, whole

REDUCTIONS = ("sum", "prod", "amax", "amin")
MOST_STREAMS = 20
"""Arrays that one loop reads and writes: more would leave no registers for their addresses."""

Operand = Var | View
"""A value of the same loop at the same element, or an element of memory."""


@dataclass(slots=True)
class Member:
    """One op of a loop and where its inputs come from; without an equation, a plain copy into ``out``."""

    equation: Equation | None
    operands: tuple[Operand, ...]
    out: Var


@dataclass(slots=True)
class Loop:
    """Ops over the elements of one shape, and reductions of their results."""

    domain: Shape
    members: list[Member] = field(default_factory=list)
    reductions: list[Member] = field(default_factory=list)
    stores: list[Var] = field(default_factory=list)
    inside: set[Var] = field(default_factory=set)
    roots: set[Var] = field(default_factory=set)

    @property
    def dims(self) -> tuple[int, ...] | None:
        """The dimensions that the loop's reductions fold; None without any."""
        return tuple(self.reductions[0].equation.params["dim"]) if self.reductions else None  # type: ignore[union-attr]

    @property
    def writes(self) -> list[Var]:
        return [*self.stores, *(m.out for m in self.reductions)]


@dataclass(slots=True)
class Single:
    """One op with kernels of its own, or with none: then its `eval` is called."""

    equation: Equation
    operands: tuple[View, ...]

    @property
    def writes(self) -> list[Var]:
        return list(self.equation.outputs)


Group = Loop | Single


def read_by(group: Group) -> Iterator[View]:
    """What a group reads from memory."""
    if isinstance(group, Single):
        yield from group.operands
        return
    for member in (*group.members, *group.reductions):
        for x in member.operands:
            if isinstance(x, View):
                yield x


@dataclass(slots=True)
class Schedule:
    """The groups in order, and the variables that are views of others."""

    groups: list[Group]
    views: dict[Var, View]

    def view(self, v: Var) -> View:
        return self.views.get(v) or whole(v)


def fuse(graph: Graph, elementwise: Container[str]) -> Schedule:
    """The groups of a graph; ``elementwise`` are the names of the ops that have an expression for one element."""
    return _Fuser(graph, elementwise).schedule()


def _numbers_first(graph: Graph) -> list[Equation]:
    """The equations, with those before the others that reckon with single numbers only, such as a rate's.

    A loop over many elements that needs such a number can then be one with what came before it.
    """
    known = {v for v in (*graph.inputs, *graph.captured) if size(v.type.shape) == 1}
    first, rest = [], []
    for eq in graph.equations:
        if all(v in known for v in eq.inputs) and all(size(v.type.shape) == 1 for v in eq.outputs):
            known.update(eq.outputs)
            first.append(eq)
        else:
            rest.append(eq)
    return first + rest


class _Fuser:
    def __init__(self, graph: Graph, elementwise: Container[str]) -> None:
        self._graph = graph
        self._elementwise = elementwise
        self._groups: list[Group] = []
        self._views: dict[Var, View] = {}
        self._place: dict[Var, int] = {}
        self._by_domain: dict[Shape, list[int]] = {}
        self._read = {v for eq in graph.equations for v in eq.inputs}
        self._read |= {*graph.outputs, *(v for _, _, v in graph.states)}

    def schedule(self) -> Schedule:
        for eq in _numbers_first(self._graph):
            self._take(eq)
        groups = self._merged()
        out = Schedule(groups, self._views)
        stored = {out.view(v).root for v in (*self._graph.outputs, *(v for _, _, v in self._graph.states))}
        for group in groups:
            stored |= {x.root for x in read_by(group)}
        for group in groups:
            if isinstance(group, Loop):
                group.stores = [m.out for m in group.members if m.out in stored or m.equation is None]
        return out

    def _merged(self) -> list[Group]:
        """The groups, each loop moved into an earlier one whose results it reads, where nothing stands between."""
        gone = set()
        for k, group in enumerate(self._groups):
            if not isinstance(group, Loop):
                continue
            for earlier in sorted({self._place.get(r, -1) for r in group.roots if r not in group.inside}):
                if earlier >= 0 and earlier not in gone and self._move(k, earlier):
                    gone.add(k)
                    break
        return [group for k, group in enumerate(self._groups) if k not in gone]

    def _move(self, k: int, earlier: int) -> bool:
        """Make loop ``k`` a part of an earlier one, if it reads nothing that is made later, and all of it element by element."""
        group, into = self._groups[k], self._groups[earlier]
        assert isinstance(group, Loop)
        if not isinstance(into, Loop) or into.domain != group.domain:
            return False
        if group.dims is not None and into.dims not in (None, group.dims):
            return False
        for x in read_by(group):
            made = self._place.get(x.root, -1)
            if made > earlier or (
                made == earlier and not (x.root in into.inside and x.whole and x.shape == into.domain)
            ):
                return False
        roots = into.roots | group.roots
        if sum(size(r.type.shape) > 1 for r in roots) + len(into.members + group.members) / 4 > MOST_STREAMS:
            return False

        def here(x: Operand) -> Operand:
            return x.root if isinstance(x, View) and x.root in into.inside else x

        for member in (*group.members, *group.reductions):
            member.operands = tuple(map(here, member.operands))
            self._place[member.out] = earlier
        into.members += group.members
        into.reductions += group.reductions
        into.inside |= group.inside
        into.roots = {r for r in roots if r not in into.inside}
        return True

    def _take(self, eq: Equation) -> None:
        name = eq.op.name
        if name in views.VIEWS:
            source = self._view(eq.inputs[0])
            seen = views.apply(eq, source)
            if seen is not None:
                self._views[eq.outputs[0]] = seen
            else:
                self._join(Member(None, (source,), eq.outputs[0]), source.shape, eq.inputs)
        elif name in self._elementwise:
            self._join(Member(eq, (), eq.outputs[0]), tuple(eq.outputs[0].type.shape), eq.inputs)
        elif name in REDUCTIONS and size(eq.inputs[0].type.shape) and eq.params["dim"]:
            self._reduce(eq)
            if len(eq.outputs) > 1 and eq.outputs[1] in self._read:
                self._where_extreme(eq)
        else:
            self._append(Single(eq, tuple(self._view(v) for v in eq.inputs)), eq.outputs)

    def _view(self, v: Var) -> View:
        return self._views.get(v) or whole(v)

    def _append(self, group: Group, outs: tuple[Var, ...]) -> int:
        self._groups.append(group)
        for v in outs:
            self._place[v] = len(self._groups) - 1
        return len(self._groups) - 1

    def _inside(self, v: Var, k: int) -> bool:
        group = self._groups[k]
        return isinstance(group, Loop) and v in group.inside and v not in self._views

    def _earliest(self, inputs: tuple[Var, ...]) -> int:
        """The first group that may read these."""
        first = 0
        for v in inputs:
            made = self._place.get(self._view(v).root, -1)
            first = max(first, made if made >= 0 and self._inside(v, made) else made + 1)
        return first

    def _join(self, member: Member, domain: Shape, inputs: tuple[Var, ...]) -> None:
        k = self._find(domain, inputs)
        if k is None:
            k = self._append(Loop(domain), ())
            self._by_domain.setdefault(domain, []).append(k)
        self._add(k, member, inputs)
        self._place[member.out] = k

    def _find(self, domain: Shape, inputs: tuple[Var, ...]) -> int | None:
        first = self._earliest(inputs)
        roots = {self._view(v).root for v in inputs}
        for k in self._by_domain.get(domain, ()):
            group = self._groups[k]
            if k < first or not isinstance(group, Loop):
                continue
            if any(v in group.inside for v in roots) or any(
                v in group.roots and size(v.type.shape) > 1 for v in roots
            ):
                fresh = {r for r in roots if r not in group.inside and r not in group.roots}
                streams = sum(size(r.type.shape) > 1 for r in (*group.roots, *fresh))
                if streams + len(group.members) / 4 <= MOST_STREAMS:
                    return k
        return None

    def _add(self, k: int, member: Member, inputs: tuple[Var, ...]) -> None:
        group = self._groups[k]
        assert isinstance(group, Loop)
        if member.equation is not None:
            member.operands = tuple(v if self._inside(v, k) else self._view(v) for v in inputs)
        group.roots |= {x.root for x in member.operands if isinstance(x, View)}
        group.members.append(member)
        group.inside.add(member.out)

    def _reduce(self, eq: Equation) -> None:
        x, dims = eq.inputs[0], tuple(eq.params["dim"])
        domain = tuple(x.type.shape)
        k = self._place.get(x, -1)
        group = self._groups[k] if k >= 0 else None
        if not (isinstance(group, Loop) and self._inside(x, k) and group.dims in (None, dims)):
            k = self._append(Loop(domain), ())
            group = self._groups[k]
            assert isinstance(group, Loop)
            self._by_domain.setdefault(domain, []).append(k)
        operand: Any = x if self._inside(x, k) else self._view(x)
        if isinstance(operand, View):
            group.roots.add(operand.root)
        group.reductions.append(Member(eq, (operand,), eq.outputs[0]))
        self._place[eq.outputs[0]] = k

    def _where_extreme(self, eq: Equation) -> None:
        """The second result of amax and amin: which elements equal the first one; NaN equals NaN here."""
        x, (y, at) = eq.inputs[0], eq.outputs
        dims = set(eq.params["dim"])
        steps = iter(views.row_major([n for d, n in enumerate(x.type.shape) if d not in dims]))
        spread = Var(f"{y.name} spread", x.type)
        strides = tuple(0 if d in dims else next(steps) for d in range(len(x.type.shape)))
        self._views[spread] = View(y, tuple(x.type.shape), strides)

        def put(name: str, a: Var, b: Var, out: Var | None = None) -> Var:
            out = out or Var(f"{at.name} {name}", at.type)
            self._take(eq._replace(op=registry[name], inputs=(a, b), params={}, outputs=(out,)))
            return out

        if not x.type.dtype.is_floating_point:
            put("eq", x, spread, at)
            return
        lost = put("ne", x, x)
        put("bit_or", put("eq", x, spread), put("bit_and", lost, put("ne", spread, spread)), at)
