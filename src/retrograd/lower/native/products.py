"""The op `matmul`: how its operands lie in memory, and the commands of the product."""

from __future__ import annotations

from ...types import size
from .fuse import Single
from .kernel import Command
from .matmul import product
from .scalars import in_register
from .singles import Site, lowers
from .views import View, whole


@lowers("matmul")
def matmul(site: Site, single: Single) -> list[Command] | None:
    """A stack of products; an operand whose rows or columns lie one after the other is read where it is."""
    eq = single.equation
    out = eq.outputs[0]
    before: list[Command] = []
    sides = []
    for view, flag in zip(single.operands, (eq.params["ta"], eq.params["tb"]), strict=True):
        found = _rows(view)
        if found is None:
            view, more = site.contiguous(view)
            before += more
            found = _rows(view)
            assert found is not None
        turned, step, stack = found
        sides.append((view, flag != turned, step, stack))
    (a, ta, lda, a_stack), (b, tb, ldb, b_stack) = sides
    m, n = out.type.shape[-2:]
    k = eq.inputs[0].type.shape[-2 if eq.params["ta"] else -1]
    return before + product(
        m, n, k, in_register(out.type.dtype), ta, tb, site.locate(a), site.locate(b), site.locate(whole(out)),
        lda=lda, ldb=ldb, scratch=site.scratch, batch=size(out.type.shape[:-2]), a_batch=a_stack, b_batch=b_stack,
        level=site.level,
    )  # fmt: skip


def _rows(view: View) -> tuple[bool, int, int] | None:
    """Whether the matrices stand transposed, the step from row to row, and from matrix to matrix; None: neither fits."""
    *shape, rows, columns = view.shape
    *strides, down, across = view.strides
    stack, expected = 0, None
    for n, s in zip(reversed(shape), reversed(strides), strict=True):
        if n == 1:
            continue
        if expected is None:
            stack, expected = s, s * n
        elif s != expected:
            return None
        else:
            expected = s * n
    if across == 1 or columns == 1:
        if rows == 1 or down >= columns or down == 0:
            return False, down if rows > 1 else max(columns, 1), stack
        return None
    if down == 1 or rows == 1:
        return (True, across, stack) if across >= rows else None
    return None
