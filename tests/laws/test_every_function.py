"""Every function of the package, called in forty ways, answers or refuses as PyTorch does.

The calls do not know the functions: ``f(x)``, ``f(x, 0)``, ``f(x, 0, index)``, ``f([x, y], -1)`` and so on, with tensors of
no elements first of all.  Where PyTorch answers, shape, dtype, values, gradient and what shares memory with the input
must be the same; where it refuses, we refuse with an error of ours or a TypeError.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import RetrogradError

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

NO_SUBJECT = {
    "manual_seed": "state", "seed": "state", "set_rng_state": "state", "get_rng_state": "state", "initial_seed": "state",
    "set_default_dtype": "state", "get_default_dtype": "state", "set_num_threads": "state", "get_num_threads": "state",
    "set_printoptions": "state", "save": "files", "load": "files", "vmap": "functions of functions",
    "from_dlpack": "other libraries", "from_numpy": "other libraries", "typename": "names differ", "promote_types": "dtypes",
    "empty": "no values", "empty_like": "no values", "nonzero_static": "no values",
    "rand": "random", "randn": "random", "randint": "random", "randperm": "random", "rand_like": "random",
    "randn_like": "random", "randint_like": "random", "normal": "random", "bernoulli": "random", "multinomial": "random",
    "poisson": "random", "binomial": "random", "pdist": "PyTorch crashes on tensors without elements",
}  # fmt: skip
"""Functions that these calls say nothing about, with the reason."""

MAY_REFUSE: list[tuple[str, str, str]] = [
    (
        "add|sub|subtract|rsub|addcmul|addcdiv",
        "positional argument",
        "PyTorch's older order of arguments, with alpha second",
    ),
    ("bucketize|searchsorted|trapezoid|trapz", "numbers, not bools", "there is no use for it"),
    ("cummax|cummin|diff|roll", "dimension", "PyTorch does not look at dim where there is nothing to do"),
    ("take_along_dim", "must be integers", "PyTorch does not look at the index where there are no entries"),
    ("adjoint", "a matrix is needed", "deprecated there"),
    ("einsum", "sublist", "the list form with tensors for lists"),
    ("norm", "with ord=", "a number as a tensor"),
    ("roll", "iterated", "a number as a tensor"),
    ("logit", "bools", "a number as a tensor"),
    ("tensordot", "can serve as an index", "a number as a tensor"),
    ("polygamma|mvlgamma|pairwise_distance", "got tensor|=tensor", "a number as a tensor"),
    ("ones|zeros", "a size must be an integer, not True", "True is no size"),
    ("median|nanmedian", "over no elements", "PyTorch gives the smallest number there is"),
    (".*", "numbers, not bool", "there is no use for it"),
    (".*", "needs a floating tensor|takes signed numbers", "PyTorch takes others only without elements"),
]
"""(functions, part of our message, why): we refuse, PyTorch answers."""

MAY_ANSWER = [
    "derivative for .* is not implemented",  # it is here
    "not implemented for '",
    "returned an invalid gradient",
    "has been modified by an inplace operation",  # by PyTorch itself, within vander
    "only one element tensors can be converted",  # a list of tensors is stacked by tensor()
    "with a bool tensor is not supported",  # within PyTorch's own derivative
    "INTERNAL ASSERT",
    "ZeroTensor",
    "Expected scalar.isIntegral",  # a tensor of one number as a size
    "cannot be converted to Scalar",  # a tensor without elements as a list of dimensions
    "Expected bool, got",
    "Input shapes should be of type ints",  # a tensor without elements is an empty shape
    "Index to scalar can have only 1 value",
    "output with shape .* doesn't match the broadcast shape",
    "but got Bool",  # no entries
]
"""What PyTorch refuses and we answer; TypeErrors too, for we take lists and arrays where PyTorch takes tensors only."""

DIFFER = {
    "vander": "differentiable here", "triangular_solve": "its second result is a copy of the input, recorded where A is",
    "svd": "signs of singular vectors are not defined",
    "std": "PyTorch's derivative with dim=() is infinite", "var": "as std", "std_mean": "as std", "var_mean": "as std",
    "nextafter": "the derivative of a step to a neighbour is that of the number itself",
    "kthvalue": "which of equal values is named is not defined", "matrix_power:bool": "whole numbers here",
    "cholesky_inverse": "no gradient for the triangle that is not read", "cholesky_solve": "as cholesky_inverse",
    "index_copy": "which of two writes wins is not defined",
    "logit": "eps above a half", "einsum": "a copy here", "chain_matmul": "one matrix: itself",
}  # fmt: skip


class Inputs:
    """The tensors of one call, in one library."""

    def __init__(self, m: Any, shape: tuple[int, ...], dtype: str) -> None:
        def new(seed: int, shape: tuple[int, ...], dtype: str) -> Any:
            r = np.random.default_rng(seed)
            values = r.uniform(0.2, 0.9, shape) if dtype == "float64" else r.integers(0, 3, shape)
            return m.tensor(np.asarray(values, dtype))

        self.m = m
        self.x, self.y, self.z = new(0, shape, dtype), new(1, shape, dtype), new(2, shape[::-1], dtype)
        self.mask = new(3, shape, "bool")
        self.index = m.zeros((0,) if 0 in shape else (min(1, len(shape)),), dtype=m.int64)
        if dtype == "float64":
            self.x.requires_grad_()


Call = Callable[[Inputs], tuple[tuple[Any, ...], dict[str, Any]]]


def call(*names: Any, **options: Any) -> Call:
    """Arguments by name: a name is a tensor of `Inputs`, a list of names a list of them, anything else itself."""

    def argument(inputs: Inputs, name: Any) -> Any:
        if isinstance(name, list):
            return [argument(inputs, n) for n in name]
        return getattr(inputs, name) if isinstance(name, str) and hasattr(inputs, name) else name

    return lambda inputs: (tuple(argument(inputs, n) for n in names), options)


CALLS: dict[str, Call] = {
    "x": call("x"), "x, x": call("x", "x"), "x, y": call("x", "y"), "x, z": call("x", "z"), "2, x": call(2, "x"),
    "x, 0": call("x", 0), "x, 1": call("x", 1), "x, -1": call("x", -1), "x, 2": call("x", 2), "x, 0.5": call("x", 0.5),
    "x, 0, 1": call("x", 0, 1), "x, 0, True": call("x", 0, True), "x, 0.5, 0": call("x", 0.5, 0),
    "x, 0, 0, 1": call("x", 0, 0, 1), "x, 9": call("x", 9), "x, -9": call("x", -9),
    "x, dim=0": call("x", dim=0), "x, dim=()": call("x", dim=()), "x, dim=(0, 1)": call("x", dim=(0, 1)),
    "x, dim=-1, keepdim": call("x", dim=-1, keepdim=True), "x, (0,)": call("x", (0,)), "x, (1, 0)": call("x", (1, 0)),
    "x, (2, 1)": call("x", (2, 1)), "x, [1, 1], 0": call("x", [1, 1], 0), "x, index": call("x", "index"),
    "x, 0, index": call("x", 0, "index"), "x, -1, index": call("x", -1, "index"), "x, 0, index, x": call("x", 0, "index", "x"),
    "x, 0, index, 0.5": call("x", 0, "index", 0.5), "x, mask": call("x", "mask"), "x, mask, 0.5": call("x", "mask", 0.5),
    "x, mask, y": call("x", "mask", "y"), "mask, x, y": call("mask", "x", "y"), "x, y, x": call("x", "y", "x"),
    "x, y, 0.5": call("x", "y", 0.5), "[x, y]": call(["x", "y"]), "[x, y], 0": call(["x", "y"], 0),
    "[x, y], -1": call(["x", "y"], -1), "": call(), "(2, 0)": call((2, 0)), "x, None": call("x", None),
}  # fmt: skip

NAMES = sorted(
    name
    for name in set(rg.__all__)
    if inspect.isfunction(getattr(rg, name))
    and name not in {*NO_SUBJECT, "compile"}
    and not name.endswith("Tensor")
)
DTYPES = {
    rg.float64: torch.float64, rg.float32: torch.float32, rg.int64: torch.int64, rg.int32: torch.int32,
    rg.uint8: torch.uint8, rg.bool: torch.bool,
}  # fmt: skip


def flat(result: Any) -> list[Any]:
    return [part for item in result for part in flat(item)] if isinstance(result, list | tuple) else [result]


def outcome(m: Any, name: str, arguments: Call, shape: tuple[int, ...], dtype: str) -> Any:
    """What the call gives: (shape, dtype, values, whether they are in the input's memory) of each result; gradient."""
    inputs = Inputs(m, shape, dtype)
    given, options = arguments(inputs)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = flat(getattr(m, name)(*given, **options))
            told = []
            for t in results:
                if hasattr(t, "requires_grad"):
                    array = t.detach().numpy()
                    kind = DTYPES.get(t.dtype, t.dtype)
                    told.append(
                        (array, kind, np.shares_memory(array, inputs.x.detach().numpy()), t.requires_grad)
                    )
                else:
                    told.append(str(t).replace("retrograd", "torch"))
            recorded = [t for t in results if getattr(t, "requires_grad", False)]
            if recorded:
                sum((t.sum() for t in recorded[1:]), start=recorded[0].sum()).backward()
    except Exception as error:
        return error
    gradient = getattr(inputs.x, "grad", None)
    return told, np.zeros(shape) if gradient is None else (gradient + 0).numpy()


def difference(ours: Any, theirs: Any, name: str, dtype: str) -> str | None:
    """In words, how two outcomes differ; None where they do not matter or agree."""
    if isinstance(theirs, Exception):
        if isinstance(ours, RetrogradError | TypeError):
            return None
        if isinstance(ours, Exception):
            return f"not an error of ours: {ours!r} (PyTorch: {theirs!r:.150})"
        if isinstance(theirs, TypeError) or any(re.search(pattern, str(theirs)) for pattern in MAY_ANSWER):
            return None
        return f"we answer, PyTorch refuses: {theirs!r:.200}"
    if isinstance(ours, Exception):
        if any(re.fullmatch(f, name) and re.search(part, str(ours)) for f, part, _ in MAY_REFUSE):
            return None
        return f"PyTorch answers, we refuse: {ours!r:.200}"
    if name in DIFFER or f"{name}:{dtype}" in DIFFER:
        return None
    (found, gradient), (expected, true) = ours, theirs
    if len(found) != len(expected):
        return f"{len(found)} results, PyTorch {len(expected)}"
    for mine, other in zip(found, expected, strict=True):
        if isinstance(mine, str) or isinstance(other, str):
            if mine != other:
                return f"{mine}, PyTorch {other}"
            continue
        if mine[0].shape != other[0].shape or mine[1:] != other[1:]:
            return (
                f"shape, dtype, shared memory, requires_grad: {mine[0].shape, *mine[1:]}, "
                f"PyTorch {other[0].shape, *other[1:]}"
            )
        if not near(mine[0], other[0]):
            return f"values {mine[0]}, PyTorch {other[0]}"
    return None if near(gradient, true) else f"gradient {gradient}, PyTorch {true}"


def near(a: np.ndarray, b: np.ndarray) -> bool:
    relative = 1e-4 if a.dtype == np.float32 else 1e-6
    return a.shape == b.shape and np.allclose(a, b, rtol=relative, atol=1e-7, equal_nan=True)


def check(name: str, shapes: list[tuple[int, ...]], dtype: str, *, all_shapes: bool) -> None:
    wrong = []
    for k, (told, arguments) in enumerate(CALLS.items()):
        for shape in shapes if all_shapes else [shapes[(k + len(name)) % len(shapes)]]:
            theirs = outcome(torch, name, arguments, shape, dtype)
            ours = outcome(rg, name, arguments, shape, dtype)
            found = difference(ours, theirs, name, dtype)
            if found is not None:
                wrong.append(f"{name}({told}), x of {shape} {dtype}: {found}")
    assert not wrong, "\n".join(wrong)


EMPTY = [(0,), (2, 0, 3), (0, 3)]
SMALL = [(), (3,), (2, 3), (3, 3), (2, 1, 2)]


@pytest.mark.parametrize("name", NAMES)
def test_no_elements(name: str) -> None:
    check(name, EMPTY, "float64", all_shapes=False)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "int64", "bool"])
@pytest.mark.parametrize("name", NAMES)
def test_every_function(name: str, dtype: str) -> None:
    check(name, [*EMPTY, *SMALL], dtype, all_shapes=True)


def test_few_functions_are_left_out() -> None:
    assert len(NAMES) > 300
    assert set(NO_SUBJECT) <= set(rg.__all__), "a reason for a function that is not here"
