"""Functions that PyTorch says are views are views here: what is written through them reaches the base, gradients too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import GradError, TraceError

torch = pytest.importorskip("torch")
from oracle.compare import close  # noqa: E402

VIEWS: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
    "diagonal": ((3, 4), lambda x: x.diagonal()),
    "diagonal above": ((4, 3, 4), lambda x: x.diagonal(1, 0, 2)),
    "diagonal of nothing": ((2, 3), lambda x: x.diagonal(7)),
    "diagonal of a transpose": ((3, 4), lambda x: x.t().diagonal(-1)),
    "unfold apart": ((2, 6), lambda x: x.unfold(1, 2, 2)),
    "unfold rows": ((5, 2), lambda x: x.unfold(0, 2, 3)),
    "T": ((2, 3), lambda x: x.T),
    "mT": ((2, 2, 3), lambda x: x.mT),
    "H": ((2, 3), lambda x: x.H),
    "adjoint": ((2, 2, 3), lambda x: x.adjoint()),
    "movedim": ((2, 3, 4), lambda x: x.movedim(0, 2)),
    "swapaxes": ((2, 3), lambda x: x.swapaxes(0, 1)),
    "unflatten": ((2, 6), lambda x: x.unflatten(1, (3, 2))),
    "flatten": ((2, 3), lambda x: x.flatten()),
    "squeeze": ((2, 1, 3), lambda x: x.squeeze(1)),
    "unsqueeze": ((2, 3), lambda x: x.unsqueeze(1)),
    "select": ((2, 3), lambda x: x.select(1, -1)),
    "narrow": ((5, 2), lambda x: x.narrow(0, 1, 3)),
    "split": ((5, 2), lambda x: x.split(2)[1]),
    "split sizes": ((5, 2), lambda x: x.split([1, 4])[1]),
    "chunk": ((5, 2), lambda x: x.chunk(2)[1]),
    "tensor_split": ((5, 2), lambda x: x.tensor_split(2)[0]),
    "hsplit": ((2, 4), lambda x: x.hsplit(2)[1]),
    "vsplit": ((4, 2), lambda x: x.vsplit((1, 3))[1]),
    "dsplit": ((1, 2, 4), lambda x: x.dsplit(2)[0]),
    "unbind": ((3, 2), lambda x: x.unbind(1)[0]),
    "expand of one": ((2, 3), lambda x: x.expand(1, 2, 3)),
    "view_as": ((2, 3), lambda x: x.view_as(x.t())),
    "chain": ((4, 4), lambda x: x[1:].t().diagonal()[::2].unsqueeze(0)),
}


PIECES = {
    "split": lambda x: x.narrow(0, 2, 2),
    "split sizes": lambda x: x.narrow(0, 1, 4),
    "chunk": lambda x: x.narrow(0, 3, 2),
    "unbind": lambda x: x.select(1, 0),
}
"""PyTorch refuses to write into one of several views while it records; here it is what one view gives in PyTorch."""


@pytest.mark.parametrize("recorded", [False, True], ids=["plain", "recorded"])
@pytest.mark.parametrize("name", VIEWS)
def test_a_write_through_a_view_reaches_the_base(name: str, recorded: bool) -> None:
    shape, view = VIEWS[name]
    r = np.random.default_rng(0)
    start, weights = r.normal(size=shape), r.normal(size=shape)

    def program(m: Any) -> tuple[Any, Any]:
        x = m.tensor(start, requires_grad=recorded)
        y = x * 2
        see = PIECES.get(name, view) if m is torch else view
        seen = see(y)
        value = m.tensor(np.random.default_rng(1).normal(size=tuple(seen.shape)), requires_grad=recorded)
        seen.mul_(value)
        again = see(y) * value
        if recorded:
            ((y * m.tensor(weights)).sum() + again.sum()).backward()
        return y, (x.grad, value.grad)

    (mine, grads), (other, expected) = program(rg), program(torch)
    close(mine, other, "float64", name)
    for a, b in zip(grads, expected, strict=True):
        if b is not None and b.numel():
            close(a, b, "float64", f"{name}: gradient")


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_counts_the_changes_of_its_base(name: str) -> None:
    """What autograd kept through a view is refused after the base has changed."""
    shape, view = VIEWS[name]
    x = rg.tensor(np.ones(shape), requires_grad=True)
    y = x * 2
    seen = view(y)
    if not seen.numel():
        return
    out = (seen * seen).sum()
    with rg.no_grad():
        y.mul_(3)
    with pytest.raises(GradError):
        out.backward()


COPIES: dict[str, Callable[[Any], Any]] = {
    "flip": lambda x: x.flip(0),
    "roll": lambda x: x.roll(0, 0),
    "rot90": lambda x: x.rot90(4),
    "repeat": lambda x: x.repeat(1, 1),
    "tile": lambda x: x.tile(1),
    "diag": lambda x: x.diag(),
    "tril": lambda x: x.tril(9),
    "pad": lambda x: rg.nn.functional.pad(x, (0, 0)),
    "pad reflect": lambda x: rg.nn.functional.pad(x, (0, 0), mode="reflect"),
    "cat": lambda x: rg.cat([x]),
    "index": lambda x: x[[0, 1]],
    "index_put": lambda x: x.index_put((rg.zeros(0, dtype=rg.int64),), rg.zeros(0, 3)),
    "scatter": lambda x: x.scatter(0, rg.zeros(0, 3, dtype=rg.int64), 1.0),
    "take_along_dim": lambda x: x.take_along_dim(rg.zeros(2, 3, dtype=rg.int64), 0),
}


@pytest.mark.parametrize("name", COPIES)
def test_what_is_no_view_has_memory_of_its_own(name: str) -> None:
    x = rg.arange(6.0).reshape(2, 3)
    before = x.tolist()
    COPIES[name](x).fill_(9)
    assert x.tolist() == before


def test_overlapping_windows_take_one_value_only() -> None:
    """PyTorch multiplies an element once for each window that it lies in, by chance of its order."""
    with pytest.raises(GradError):
        (rg.arange(5.0).requires_grad_() * 1).unfold(0, 3, 1).mul_(2)
    x = rg.arange(5.0).requires_grad_() * 1
    x.unfold(0, 3, 1).fill_(2)
    assert x.tolist() == [2.0] * 5


# --- the tensor itself takes another shape ------------------------------------------------------------------------------

RESHAPED: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
    "squeeze_": ((1, 3, 1), lambda x: x.squeeze_()),
    "squeeze_ 0": ((1, 3, 1), lambda x: x.squeeze_(0)),
    "unsqueeze_": ((2, 3), lambda x: x.unsqueeze_(1)),
    "t_": ((2, 3), lambda x: x.t_()),
    "transpose_": ((2, 3, 4), lambda x: x.transpose_(0, 2)),
    "swapaxes_": ((2, 3), lambda x: x.swapaxes_(0, 1)),
}


@pytest.mark.parametrize("through", ["tensor", "view"])
@pytest.mark.parametrize("name", RESHAPED)
def test_new_shape_in_place(name: str, through: str) -> None:
    """Of a computed tensor and of a view: the same object, the gradient follows, and so does a later write."""
    shape, change = RESHAPED[name]
    start = np.random.default_rng(0).normal(size=shape)

    def program(m: Any) -> list[Any]:
        x = m.tensor(start, requires_grad=True)
        y = x * 3
        z = y[...] if through == "view" else y
        assert change(z) is z
        z.mul_(z.detach() + 1)
        (z * z).sum().backward()
        return [z, x.grad, *([y] if through == "view" else [])]

    for a, b in zip(program(rg), program(torch), strict=True):
        close(a, b, "float64", name)


def test_new_shapes_in_place_are_refused_where_they_would_lie() -> None:
    x = rg.ones(2, 3)
    row = x[0]
    with pytest.raises(GradError, match="views were taken") as caught:
        x.t_()
    assert "x = x.t(...)" in str(caught.value)
    del row
    with pytest.raises(GradError, match="leaf"):
        rg.ones(2, 3, requires_grad=True).t_()
    with pytest.raises(TraceError):
        rg.trace(lambda y: (y * 1).t_())(rg.ones(2, 3))
