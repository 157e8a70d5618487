"""Each rule by itself: what it makes of the expression that it is for, and what it must leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from passes.random_graphs import ODD, same
from retrograd.capture import Capture
from retrograd.errors import UsageError
from retrograd.graph import Equation, Graph, Var
from retrograd.op import bind, constant
from retrograd.ops.elementwise import Pow
from retrograd.ops.logic import Cast
from retrograd.ops.matmul import Matmul
from retrograd.ops.reduce import Sum
from retrograd.ops.shape import Broadcast, Cat, Flip, Permute, Place, Reshape, Slice
from retrograd.passes import cse, dce, fold, standard
from retrograd.passes._algebra import repeated_power
from retrograd.trace import stage
from retrograd.types import TensorType, float32, int64

SPECIAL = np.array([*ODD, *(-x for x in ODD)], "float32").reshape(4, -1)


def ops(fn: Callable[..., Any], *arrays: Any) -> list[str]:
    """Names of the ops that are left of a function, which must keep its bits."""
    given = [np.asarray(a) for a in arrays]
    graph = stage(fn, [rg.tensor(a) for a in given], Capture())
    new = standard(graph).verify()
    assert same(graph.evaluate(*given), new.evaluate(*given))
    return [eq.op.name for eq in new.equations]


def put(op: Any, *inputs: Any, **params: Any) -> Any:
    return bind(op, *inputs, **params)


def filled(x: Any, value: Any) -> Any:
    """A number of the program in the shape of x."""
    return put(Broadcast, constant(value), shape=x.shape)


GONE = {
    "x*1": lambda x: x * 1.0,
    "1*x": lambda x: 1.0 * x,
    "x+(-0)": lambda x: x + (-0.0),
    "x-0": lambda x: x - 0.0,
    "x/1": lambda x: x / 1.0,
    "--x": lambda x: x.neg().neg(),
    "cast": lambda x: x.to(rg.float32).double().float(),
    "reshape": lambda x: put(Reshape, put(Reshape, x, shape=(x.numel(),)), shape=x.shape),
    "permute": lambda x: x.t().t(),
    "where(c,x,x)": lambda x: rg.where(x > 0, x, x),
    "where(True,x,y)": lambda x: rg.where(filled(x, True), x, -x),
    "where(False,x,y)": lambda x: rg.where(filled(x, False), -x, x),
    "max(x,x)": lambda x: rg.minimum(rg.maximum(x, x), x),
    "detach": lambda x: x.detach(),
    "flip twice": lambda x: put(Flip, put(Flip, x, dims=(0,)), dims=(0,)),
    "slice": lambda x: put(Slice, x, index=tuple((0, n, 1) for n in x.shape)),
    "slice of place": lambda x: put(
        Slice,
        put(Place, x, shape=(9, 9), index=((1, 5, 1), (0, 8, 1))),
        index=((1, 5, 1), (0, 8, 1)),
    ),
    "slices in a row": lambda x: rg.cat([x[:2], x[2:3], x[3:]], 0),
    "one piece": lambda x: put(Cat, x, dim=1),
    "piece of cat": lambda x: rg.cat([x * 2, x], 1)[:, 8:],
}


@pytest.mark.parametrize("name", GONE)
def test_nothing_is_left(name: str) -> None:
    assert ops(GONE[name], SPECIAL[:, :8]) == []


LEFT = {
    "x+0": (lambda x: x + 0.0, ["broadcast", "add"]),
    "x-(-0)": (lambda x: x - (-0.0), ["broadcast", "sub"]),
    "x*0": (lambda x: x * 0.0, ["broadcast", "mul"]),
    "x-x": (lambda x: x - x, ["sub"]),
    "x/3": (lambda x: x / 3.0, ["broadcast", "div"]),
    "x/2^-130": (lambda x: x / 2.0**-130, ["broadcast", "div"]),  # the reciprocal is beyond float32
    "x/2^127": (lambda x: x / 2.0**127, ["broadcast", "div"]),  # and here it is subnormal
    "x*.5*.5": (lambda x: x * 0.5 * 0.5, ["broadcast", "mul", "mul"]),
    "x*3*3": (lambda x: x * 3.0 * 3.0, ["broadcast", "mul", "mul"]),
    "x+1+2": (lambda x: x + 1.0 + 2.0, ["broadcast", "add", "broadcast", "add"]),
    "narrow": (lambda x: x.double().float() * x.float(), ["mul"]),
    "through whole": (lambda x: put(Cast, put(Cast, x, dtype=rg.bool), dtype=rg.float32), ["cast", "cast"]),
    "x**3": (lambda x: put(Pow, x, filled(x, 3.0)), ["broadcast", "pow"]),
}
MADE = {
    "x/4": (lambda x: x / 4.0, ["broadcast", "mul"]),
    "x*2*4": (lambda x: x * 2.0 * 4.0, ["broadcast", "mul"]),
    "x**1": (lambda x: put(Pow, x, filled(x, 1.0)), []),
    "x**2": (lambda x: put(Pow, x, filled(x, 2.0)), ["mul"]),
    "x**.5": (lambda x: put(Pow, x, filled(x, 0.5)), ["sqrt"]),
    "x**-1": (lambda x: put(Pow, x, filled(x, -1.0)), ["broadcast", "div"]),
    "x**0": (lambda x: put(Pow, x, filled(x, 0.0)), ["broadcast"]),
    "|-x|": (lambda x: abs(-x), ["abs"]),
    "where(~c)": (lambda x: rg.where(~(x > 0), x, -x), ["broadcast", "gt", "neg", "where"]),
    "choice in a choice": (
        lambda x: rg.where(x > 0, rg.where(x > 0, x, -x), rg.where(x > 0, -x, x.exp())),
        ["broadcast", "gt", "exp", "where"],
    ),
    "slice of slice": (lambda x: x[1:, ::2][::2, 1:4:2], ["slice"]),
    "place in a place": (
        lambda x: put(
            Place,
            put(Place, x, shape=(9, 17), index=((1, 9, 2), (1, 9, 1))),
            shape=(20, 40),
            index=((2, 20, 2), (3, 37, 2)),
        ),
        ["place"],
    ),
    "square is no -0": (lambda x: x * x + 0.0, ["mul"]),
    "numbers": (lambda x: x * (filled(x, 3.0) * 2 - 1), ["broadcast", "mul"]),
    "sum of one": (lambda x: put(Sum, x[:1] ** 2, dim=(0,), keepdim=False), ["slice", "mul", "reshape"]),
    "x@yT": (lambda x: put(Matmul, x, put(Permute, x, dims=(1, 0)), ta=False, tb=False), ["matmul"]),
    "broadcasts": (
        lambda x: put(Broadcast, put(Reshape, x[0], shape=(1, x.shape[1])), shape=(5, x.shape[1])),
        ["slice", "broadcast"],
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_would_change_a_bit_is_left(name: str) -> None:
    fn, names = LEFT[name]
    assert ops(fn, SPECIAL) == names


@pytest.mark.parametrize("name", MADE)
def test_another_form_is_made(name: str) -> None:
    fn, names = MADE[name]
    exponent = name.removeprefix("x**")
    if exponent != name and exponent != "0" and not repeated_power(float(exponent), float32):
        names = ["broadcast", "pow"]
    assert ops(fn, SPECIAL) == names


def test_a_lone_number_goes_through_the_power_function() -> None:
    """NumPy squares for a repeated exponent, and takes its power function, which rounds otherwise, for one number."""

    def square(x: Any) -> Any:
        return put(Pow, x, constant(2, x.dtype))

    assert ops(square, np.float32(1.7)) == ["pow"]
    assert ops(square, np.int64(3)) == ["mul"]  # whole numbers are not rounded


def test_a_sum_of_one_number_has_no_negative_zero() -> None:
    x = np.array([[-0.0], [1.0]], "float32")
    assert ops(lambda x: put(Sum, x, dim=(1,), keepdim=False), x) == ["broadcast", "add", "reshape"]
    assert ops(lambda x: put(Sum, x, dim=(1,), keepdim=True), x.astype("int64")) == []


def test_whole_numbers() -> None:
    n = np.array([[-3, 0, 2**62]])
    assert ops(lambda n: (n * 3 * 5 + 7 - 0 + 1) * 1, n) == ["broadcast", "mul", "broadcast", "add"]
    assert ops(lambda n: n * 0, n) == ["broadcast"]
    assert ops(lambda n: ~~((n & -1) | 0) ^ 0, n) == []
    assert ops(lambda n: abs(-n), n.astype("uint8")) == ["neg", "abs"]


def test_a_broadcast_number_stays_one_equation() -> None:
    graph = stage(lambda x: x + rg.exp(filled(x, 2.0)), [rg.ones(3, 4)], Capture())
    new = standard(graph)
    assert [eq.op.name for eq in new.equations] == ["broadcast", "add"]
    (number,) = new.captured
    assert number.type == TensorType((), float32)
    assert new.captured[number] == np.exp(np.float32(2))


def test_large_results_are_not_folded() -> None:
    def outer() -> rg.Tensor:
        return put(Sum, put(Broadcast, constant(2.0), shape=(3000, 5000)), dim=(0,), keepdim=False)

    graph = stage(outer, [], Capture())
    assert fold(graph) is graph


def test_a_division_by_zero_is_left_to_the_program() -> None:
    graph = stage(lambda: constant(3) % constant(0), [], Capture())
    new = standard(graph)
    with pytest.raises(UsageError, match="divided by zero"):
        new.evaluate()


def test_state_is_never_folded_nor_merged() -> None:
    a, b = rg.ones(()), rg.ones(())
    graph = stage(lambda x: x * a * b * (a + 1), [rg.ones(2)], Capture())
    new = standard(graph)
    assert list(new.sources.values()) == [a, b]
    assert fold(new) is new


def test_equal_literals_are_one_and_unlike_zeros_are_two() -> None:
    graph = stage(lambda x: [x * 3.0, x + 3.0, x * 0.0, x * -0.0], [rg.ones(())], Capture())
    assert sorted(map(float, cse(graph).captured.values())) == [0.0, 0.0, 3.0]


def test_parameters_that_an_op_can_tell_apart() -> None:
    x, (y, z) = Var("x", TensorType((2,), float32)), (Var(n, TensorType((2,), int64)) for n in "yz")
    one = [Equation(Cast, (x,), {"dtype": int64}, (v,)) for v in (y, z)]
    assert len(cse(Graph([x], {}, one, [y, z])).equations) == 1


def test_dead_constants_are_dropped_and_inputs_stay() -> None:
    a = rg.ones(3)
    graph = stage(lambda x, y: [x * 2, a * 3][0], [rg.ones(3), rg.ones(3)], Capture())
    new = dce(graph)
    assert new.inputs == graph.inputs
    assert len(new.captured) == 1
    assert not new.sources


def test_places_in_the_source_are_kept() -> None:
    graph = stage(lambda x: (x * 1.0 / 4.0) ** 2, [rg.ones(3)], Capture())
    new = standard(graph)
    assert {eq.where for eq in new.equations} <= {eq.where for eq in graph.equations}
    assert new.outputs == graph.outputs
