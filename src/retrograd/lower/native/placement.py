"""Which results are written straight into the memory of a state, and which are copied there at the end.

A new value may be written over the old one if nothing reads the old one afterwards; the loop that makes the new value may
itself read the old one, element by element.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...graph import Graph, Var
from .fuse import Loop, Schedule, read_by
from .singles import copy_loop
from .views import View, whole


class Placement:
    """Decides for a schedule, and adds the copies that are needed to it.

    ``cells``: the number of the array that a variable of the graph stands for; ``targets``: the numbers of the arrays that
    become a variable's value.
    """

    def __init__(
        self, graph: Graph, schedule: Schedule, cells: Mapping[Var, int], targets: Mapping[Var, list[int]]
    ) -> None:
        self._schedule = schedule
        self.place: dict[Var, int] = dict(cells)
        """Variables that lie in a state's array, and the array's number."""
        self.outputs = list(graph.outputs)
        self._made = {v: k for k, group in enumerate(schedule.groups) for v in group.writes}
        self._returned = {schedule.view(v).root for v in (*graph.outputs, *(s for _, _, s in graph.states))}
        self._old: dict[int, list[Var]] = {}
        for v, n in cells.items():
            self._old.setdefault(n, []).append(v)
        self._readers: dict[Var, list[tuple[int, View]]] = {}
        for k, group in enumerate(schedule.groups):
            for view in read_by(group):
                self._readers.setdefault(view.root, []).append((k, view))
        self.copies: list[tuple[View, int]] = []
        for v, to in targets.items():
            view = schedule.view(v)
            if len(to) == 1 and self._may_overwrite(view, to[0]):
                self.place[view.root] = to[0]
            elif view.whole and self.place.get(view.root) in to:
                self.copies += [(view, n) for n in to if n != self.place[view.root]]
            else:
                self.copies += [(view, n) for n in to]
        self._keep_old_values({n for to in targets.values() for n in to})
        self._keep_outputs()

    def _may_overwrite(self, view: View, target: int) -> bool:
        """True if nothing reads the old value after the group that makes the new one has begun to write."""
        v = view.root
        if not view.whole or v not in self._made or v in self.place:
            return False
        k = self._made[v]
        group = self._schedule.groups[k]
        inside = isinstance(group, Loop) and v in group.stores
        for old in self._old.get(target, ()):
            if old in self._returned:
                return False
            for at, read in self._readers.get(old, ()):
                same = inside and read.whole and isinstance(group, Loop) and read.shape == group.domain
                if at > k or (at == k and not same):
                    return False
        return True

    def _copied(self, view: View, name: str) -> Var:
        fresh = Var(name, type(view.root.type)(tuple(view.shape), view.root.type.dtype))
        self._schedule.groups.append(copy_loop(view, fresh))
        return fresh

    def _keep_old_values(self, written: set[int]) -> None:
        """A copy at the end that reads a state which is written itself reads it before the first such copy."""
        for k, (view, target) in enumerate(self.copies):
            if self.place.get(view.root) in written:
                self.copies[k] = (whole(self._copied(view, f"old {target}")), target)

    def _keep_outputs(self) -> None:
        """What is returned gets a buffer of its own."""
        for k, v in enumerate(self.outputs):
            if v in self._schedule.views or v not in self._made or v in self.place:
                self.outputs[k] = self._copied(self._schedule.view(v), f"output {k}")
