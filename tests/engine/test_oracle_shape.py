"""Functions that rearrange, join and split, against PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from engine.both import both  # noqa: E402

Expression = Callable[[Any, Any], Any]

CASES: dict[str, tuple[tuple[int, ...], Expression]] = {
    "reshape": ((2, 6), lambda m, x: m.reshape(x, (3, 4))),
    "reshape -1": ((2, 6), lambda m, x: x.reshape(4, -1)),
    "reshape of a transpose": ((2, 6), lambda m, x: x.t().reshape(3, 4)),
    "view": ((2, 6), lambda m, x: x.view(3, 2, 2)),
    "view_as": ((2, 6), lambda m, x: x.view_as(m.zeros(4, 3))),
    "flatten": ((2, 3, 4), lambda m, x: m.flatten(x)),
    "flatten 1": ((2, 3, 4), lambda m, x: x.flatten(1)),
    "flatten 0 1": ((2, 3, 4), lambda m, x: x.flatten(0, 1)),
    "flatten scalar": ((), lambda m, x: x.flatten()),
    "unflatten": ((2, 12), lambda m, x: x.unflatten(1, (3, -1))),
    "ravel": ((2, 3), lambda m, x: m.ravel(x)),
    "ravel empty": ((0, 3), lambda m, x: m.ravel(x)),
    "squeeze": ((1, 3, 1), lambda m, x: m.squeeze(x)),
    "squeeze 0": ((1, 3, 1), lambda m, x: m.squeeze(x, 0)),
    "squeeze nothing": ((1, 3, 1), lambda m, x: m.squeeze(x, 1)),
    "squeeze two": ((1, 3, 1), lambda m, x: m.squeeze(x, (0, 2))),
    "unsqueeze": ((2, 3), lambda m, x: m.unsqueeze(x, 1)),
    "unsqueeze -1": ((2, 3), lambda m, x: x.unsqueeze(-1)),
    "permute": ((2, 3, 4), lambda m, x: m.permute(x, (2, 0, 1))),
    "permute negative": ((2, 3, 4), lambda m, x: x.permute(-1, 0, 1)),
    "transpose": ((2, 3, 4), lambda m, x: m.transpose(x, 0, -1)),
    "swapaxes": ((2, 3, 4), lambda m, x: m.swapaxes(x, 1, 2)),
    "t": ((2, 3), lambda m, x: m.t(x)),
    "t of a vector": ((3,), lambda m, x: x.t()),
    "T": ((2, 3), lambda m, x: x.T),
    "mT": ((2, 3, 4), lambda m, x: x.mT),
    "movedim": ((2, 3, 4, 5), lambda m, x: m.movedim(x, 0, 2)),
    "movedim several": ((2, 3, 4, 5), lambda m, x: m.movedim(x, (0, -1), (2, 0))),
    "expand": ((3, 1), lambda m, x: x.expand(2, -1, 4)),
    "expand_as": ((3, 1), lambda m, x: x.expand_as(m.zeros(2, 3, 4))),
    "broadcast_to": ((3, 1), lambda m, x: m.broadcast_to(x, (2, 3, 4))),
    "broadcast_tensors": ((3, 1), lambda m, x: m.broadcast_tensors(x, x.t())),
    "repeat": ((2, 3), lambda m, x: x.repeat(2, 1, 3)),
    "repeat 0": ((2, 3), lambda m, x: x.repeat(0, 2)),
    "tile": ((2, 3), lambda m, x: m.tile(x, (2,))),
    "tile more": ((2, 3), lambda m, x: m.tile(x, (2, 1, 2))),
    "repeat_interleave": ((2, 3), lambda m, x: m.repeat_interleave(x, 2)),
    "repeat_interleave 1": ((2, 3), lambda m, x: m.repeat_interleave(x, 3, dim=1)),
    "narrow": ((4, 3), lambda m, x: m.narrow(x, 0, 1, 2)),
    "narrow from the end": ((4, 3), lambda m, x: m.narrow(x, 0, -2, 2)),
    "select": ((4, 3), lambda m, x: m.select(x, 0, -1)),
    "split": ((7, 2), lambda m, x: m.split(x, 3)),
    "split sizes": ((7, 2), lambda m, x: x.split([2, 0, 5], 0)),
    "split of nothing": ((0, 2), lambda m, x: m.split(x, 2)),
    "chunk": ((7, 2), lambda m, x: m.chunk(x, 3)),
    "chunk too many": ((2, 2), lambda m, x: m.chunk(x, 5)),
    "unbind": ((3, 2), lambda m, x: m.unbind(x)),
    "unbind 1": ((3, 2), lambda m, x: x.unbind(1)),
    "iterate": ((3, 2), lambda m, x: [row * 2 for row in x]),
    "flip": ((3, 4), lambda m, x: m.flip(x, (0,))),
    "flip both": ((3, 4), lambda m, x: x.flip(0, 1)),
    "roll": ((3, 4), lambda m, x: m.roll(x, 1, 0)),
    "roll flat": ((3, 4), lambda m, x: m.roll(x, -5)),
    "roll two": ((3, 4), lambda m, x: m.roll(x, (1, -1), (0, 1))),
    "cat": ((2, 3), lambda m, x: m.cat([x, x * 2, x[:, :1]], 1)),
    "cat -1": ((2, 3), lambda m, x: m.cat((x, x), dim=-1)),
    "cat with an empty vector": ((2, 3), lambda m, x: m.cat([m.zeros(0, dtype=x.dtype), x])),
    "cat of dtypes": ((2, 3), lambda m, x: m.cat([x, m.ones(1, 3).to(m.int64)])),
    "stack": ((2, 3), lambda m, x: m.stack([x, -x])),
    "stack -1": ((2, 3), lambda m, x: m.stack([x, -x], -1)),
    "stack scalars": ((3,), lambda m, x: m.stack([x[0], x[2], x[0]])),
    "pad": ((2, 3), lambda m, x: m.nn.functional.pad(x, (1, 2))),
    "pad two": ((2, 3), lambda m, x: m.nn.functional.pad(x, (0, 1, 2, 0), value=3.5)),
    "pad negative": ((4, 5), lambda m, x: m.nn.functional.pad(x, (-1, 1, 2, -1))),
    "atleast_1d": ((), lambda m, x: m.atleast_1d(x)),
    "atleast_2d": ((3,), lambda m, x: m.atleast_2d(x)),
    # refused by both
    "reshape wrong": ((2, 3), lambda m, x: x.reshape(4, 2)),
    "reshape two -1": ((2, 3), lambda m, x: x.reshape(-1, -1)),
    "reshape -1 of nothing": ((0, 3), lambda m, x: x.reshape(0, -1)),
    "unflatten wrong": ((2, 12), lambda m, x: x.unflatten(1, (5, -1))),
    "permute twice": ((2, 3), lambda m, x: x.permute(0, 0)),
    "permute few": ((2, 3), lambda m, x: x.permute(0)),
    "expand wrong": ((3, 2), lambda m, x: x.expand(3, 4)),
    "expand fewer": ((3, 2), lambda m, x: x.expand(2)),
    "cat of ranks": ((2, 3), lambda m, x: m.cat([x, x[0]])),
    "cat of sizes": ((2, 3), lambda m, x: m.cat([x, x.t()])),
    "cat of nothing": ((2, 3), lambda m, x: m.cat([])),
    "stack of sizes": ((2, 3), lambda m, x: m.stack([x, x.t()])),
    "narrow too far": ((4, 3), lambda m, x: x.narrow(0, 3, 2)),
    "select too far": ((4, 3), lambda m, x: x.select(0, 4)),
    "split sizes wrong": ((7, 2), lambda m, x: x.split([2, 4])),
    "t of three": ((2, 3, 4), lambda m, x: x.t()),
    "flatten backwards": ((2, 3, 4), lambda m, x: x.flatten(2, 1)),
    "transpose wrong": ((2, 3), lambda m, x: x.transpose(0, 2)),
    "repeat too few": ((2, 3), lambda m, x: x.repeat(2)),
    "unsqueeze too far": ((2, 3), lambda m, x: x.unsqueeze(4)),
}


@pytest.mark.row("ENG-01")
@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    shape, fn = CASES[name]
    both(fn, np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize("name", CASES)
def test_case_of_integers(name: str) -> None:
    shape, fn = CASES[name]
    if name in ("pad two", "cat of dtypes", "cat with an empty vector"):
        pytest.skip("the case is about floating numbers")
    both(fn, np.random.default_rng(0).integers(-9, 9, shape))


CREATION: dict[str, Callable[[Any], Any]] = {
    "zeros": lambda m: m.zeros(2, 3),
    "ones": lambda m: m.ones((2, 3), dtype=m.int64),
    "full": lambda m: m.full((2,), 7),
    "full float": lambda m: m.full((2, 2), 1.5),
    "full bool": lambda m: m.full((2,), True),
    "full dtype": lambda m: m.full((2,), 3, dtype=m.float64),
    "arange": lambda m: m.arange(5),
    "arange float": lambda m: m.arange(0.0, 1.0, 0.1),
    "arange down": lambda m: m.arange(5, -2, -2),
    "arange dtype": lambda m: m.arange(3, dtype=m.float64),
    "arange empty": lambda m: m.arange(3, 3),
    "linspace": lambda m: m.linspace(-1, 1, 7, dtype=m.float64),
    "linspace one": lambda m: m.linspace(2, 5, 1),
    "logspace": lambda m: m.logspace(-1, 2, 4, dtype=m.float64),
    "eye": lambda m: m.eye(3),
    "eye wide": lambda m: m.eye(2, 4),
    "tensor": lambda m: m.tensor([[1, 2], [3, 4]]),
    "tensor float": lambda m: m.tensor([1, 2.5]),
    "tensor bool": lambda m: m.tensor([True, False]),
    "tensor empty": lambda m: m.tensor([]),
    "tensor number": lambda m: m.tensor(3),
    "tensor mixed": lambda m: m.tensor([[True, 2], [3, 4]]),
    "tensor of tensors": lambda m: m.tensor([m.tensor(1.0), m.tensor(2.0)]),
    "zeros_like": lambda m: m.zeros_like(m.ones(2, 3)),
    "ones_like": lambda m: m.ones_like(m.zeros(2, dtype=m.int32)),
    "full_like": lambda m: m.full_like(m.zeros(2), 3),
    "new_zeros": lambda m: m.ones(2, dtype=m.float64).new_zeros(3),
    "tril": lambda m: m.tril(m.ones(3, 4)),
    "triu 1": lambda m: m.triu(m.ones(4, 3), 1),
    "tril -1": lambda m: m.tril(m.ones(2, 3, 3), -1),
    "ragged": lambda m: m.tensor([[1, 2], [3]]),
    "text": lambda m: m.tensor("hello"),
}


@pytest.mark.parametrize("name", CREATION)
def test_creation(name: str) -> None:
    both(lambda m: CREATION[name](m))
