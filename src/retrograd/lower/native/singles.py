"""Ops with kernels of their own: `SINGLES` has, by name, what makes the commands of one op, or None to leave it to NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...types import TensorType
from .fuse import Loop, Member, Single
from .kernel import Address, Command
from .level import Level
from .views import View, whole


@dataclass(slots=True)
class Site:
    """Where commands are put together: the level, addresses of views, scratch memory, and the word for bad indices."""

    level: Level
    locate: Callable[[View], Address]
    scratch: Callable[[int], Address]
    status: Address
    contiguous: Callable[[View], tuple[View, list[Command]]]
    """Gives a copy of a view that lies row by row, and the commands that make it."""
    copy: Callable[[View, View], list[Command]]
    """The commands that write the elements of the first view to where the second one lies."""
    buffer: Callable[[TensorType], View]
    """Memory for a result on the way, which nothing else uses."""
    checks: list[Single] = field(default_factory=list)
    """Ops whose kernels report a bad index: number n in the status word is entry n - 1."""

    def checked(self, single: Single) -> int:
        """The number under which the kernels of this op report."""
        assert single.equation.op.name in REPORTING
        self.checks.append(single)
        return len(self.checks)


def row_by_row(site: Site, *views: View) -> tuple[list[View], list[Command]]:
    """The views, or copies of them that lie row by row, and the commands that make the copies."""
    out, before = [], []
    for view in views:
        if not view.contiguous:
            view, more = site.contiguous(view)
            before += more
        out.append(view)
    return out, before


def copy_loop(view: View, out: Any) -> Loop:
    """The elements of a view, row by row."""
    return Loop(tuple(view.shape), [Member(None, (view,), out)], [], [out])


REPORTING = {
    "gather": 1, "scatter_add": 1, "index": 1, "index_add": 1, "segment_max": 1, "row_order": 0, "cholesky": 0, "solve": 0,
}  # fmt: skip
"""Ops whose kernels may report a bad value; from which of their inputs on the values decide, which are kept for the report."""

SINGLES: dict[str, Callable[[Site, Single], list[Command] | None]] = {}


LEFT_TO_NUMPY = {
    "eigh": "an iteration whose care LAPACK has",
    "svd": "an iteration whose care LAPACK has",
    "pinv": "made of an svd",
    "matrix_exp": "how often it squares depends on the values, and its products are LAPACK's and BLAS's",
    "poisson": "how many numbers are drawn depends on chance",
    "binomial": "how many numbers are drawn depends on chance",
    "non_zero": "cannot be staged: the number of results depends on the values",
}
"""Ops without kernels, and why.  Ops on matrices leave large ones to LAPACK as well (see `dense`)."""


def lowers(*names: str) -> Callable[[Any], Any]:
    """Register the lowering of ops."""

    def register(rule: Any) -> Any:
        for name in names:
            SINGLES[name] = rule
        return rule

    return register


__all__ = ["LEFT_TO_NUMPY", "REPORTING", "SINGLES", "Site", "copy_loop", "lowers", "row_by_row", "whole"]
