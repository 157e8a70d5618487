"""Every elementwise op in registers against its `eval`: samples, special values, all dtypes, all widths, odd lengths."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from laws import checks
from native.registers import Array, kernel_of, run_op, units
from retrograd.errors import RetrogradError
from retrograd.lower.native import arithmetic, jit, logic
from retrograd.lower.native.expressions import EXPRESSIONS
from retrograd.lower.native.level import LEVELS, current
from retrograd.op import Op, all_ops, registry
from retrograd.ops._family import Elementwise
from retrograd.types import ALL_DTYPES, TensorType, dtype_of

OPS = [registry[name] for name in EXPRESSIONS]
EXACT = {*arithmetic.EXPRESSIONS, *logic.EXPRESSIONS, "relu", "masked_by", "sqrt"}
WITHOUT = {"igamma", "polynomial"}
"""Loops whose length depends on the values, in formulas that no network is made of: they run by `eval`."""
WIDTHS = (1, 4, 8, 16)
# Units of the last place between the expression and `eval`, which has errors of its own.
NEAR = 4
WIDE = {
    "erfc": 8,
    "erfcx": 8,
    "erfinv": 16,
    "ndtri": 16,
    "lgamma": 64,
    "digamma": 64,
    "zeta": 64,
    "bessel_i": 16,
}

FLOATING = (
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.0, -7.0, 0.1, 100.0, -300.7, 1e10, -1e10, 3e38, -3e38, 1e-30,
    1e-45, -1e-45, 1.1754944e-38, float("inf"), float("-inf"), float("nan"),
)  # fmt: skip
WHOLE = (
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    -7,
    8,
    31,
    32,
    63,
    64,
    100,
    -100,
    127,
    255,
    2**31 - 1,
    -(2**31),
    2**63 - 1,
    -(2**63),
)


def test_every_elementwise_op_has_an_expression() -> None:
    ours = {
        op.name for op in all_ops() if op.__module__.startswith("retrograd.") and issubclass(op, Elementwise)
    }
    assert ours - set(EXPRESSIONS) == WITHOUT
    assert set(EXPRESSIONS) - ours == {"where", "cast"}


def agree(op: type[Op], found: Array, expected: Array, inputs: Any) -> None:
    assert found.dtype == expected.dtype
    if op.name in EXACT or found.dtype.kind != "f":
        same = (found == expected) | ((found != found) & (expected != expected))
        if found.dtype.kind == "f":
            same &= (np.signbit(found) == np.signbit(expected)) | (found != found)
    else:
        wide = np.float64 if found.dtype == np.float32 else np.longdouble
        same = units(found, expected.astype(wide)) <= WIDE.get(op.name, NEAR)
        same &= (found != 0) | (expected != 0) | (np.signbit(found) == np.signbit(expected))
    if not same.all():
        at = tuple(np.argwhere(~same)[0])
        raise AssertionError(
            f"{op.name}{[x[at] for x in inputs]} ({inputs[0].dtype}): {found[at]!r}, eval {expected[at]!r}"
        )


def evaluated(op: type[Op], inputs: list[Array], params: dict[str, Any]) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(op.eval(*inputs, **params))


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_samples(op: type[Op]) -> None:
    """The widths take turns; test_widths has them all."""
    for k, sample in enumerate(checks.samples(op)):
        inputs = sample.inputs
        found = run_op(op, inputs, sample.params, WIDTHS[(k + len(op.name)) % 4])
        agree(op, found, evaluated(op, inputs, sample.params), inputs)


def values(dtype: Any) -> Array:
    if dtype.name == "bool":
        return np.array([False, True])
    if dtype.is_floating_point:
        with np.errstate(all="ignore"):
            return np.array(FLOATING, dtype.numpy)
    info = np.iinfo(dtype.numpy)
    return np.array([v for v in WHOLE if info.min <= v <= info.max], dtype.numpy)


def parameters(op: type[Op]) -> list[dict[str, Any]]:
    if op.name == "cast":
        return [{"dtype": d} for d in ALL_DTYPES]
    if op.name == "bessel_i":
        return [{"nu": nu, "scaled": scaled} for nu in (0, 1) for scaled in (False, True)]
    return [{}]


def special_cases(op: type[Op]) -> Any:
    """All combinations of special values, in each dtype that the op takes."""
    arity = len(checks.samples(op)[0].inputs)
    for dtype, params in itertools.product(ALL_DTYPES, parameters(op)):
        kinds = [dtype] * arity
        if op.name == "where":
            kinds[0] = dtype_of(bool)
        try:
            op.type(*(TensorType((3,), d) for d in kinds), **params)
        except RetrogradError:
            continue
        inputs = [np.ascontiguousarray(x.ravel()) for x in np.meshgrid(*map(values, kinds), indexing="ij")]
        if op.name in ("floor_divide", "remainder") and not dtype.is_floating_point:
            inputs = [x[inputs[1] != 0] for x in inputs]
        if op.name == "cast" and dtype.is_floating_point and params["dtype"].name == "uint8":
            inputs = [x[(x > -1) & (x < 256)] for x in inputs]  # elsewhere C leaves it open, and CPUs differ
        yield inputs, params


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_special_values(op: type[Op]) -> None:
    for inputs, params in special_cases(op):
        found = run_op(op, inputs, params, 8)
        agree(op, found, evaluated(op, inputs, params), inputs)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
@pytest.mark.parametrize(
    "lanes", [pytest.param(w, marks=[pytest.mark.slow] if w != 4 else []) for w in WIDTHS]
)
def test_widths_and_tails(op: type[Op], lanes: int) -> None:
    """Bits do not depend on the width, nor on where in an array an element stands."""
    r = np.random.default_rng(7)
    sample = next(s for s in checks.samples(op) if s.inputs[0].ndim)
    inputs = [np.resize(x.ravel(), 37).astype(x.dtype) for x in sample.inputs]
    if inputs[0].dtype.kind == "f":
        inputs = [
            (x * r.uniform(0.8, 1.0, 37)).astype("float32") if x.dtype.kind == "f" else x for x in inputs
        ]
    reference = run_op(op, inputs, sample.params, 8)
    for n in (1, 2, 3, 5, 17, 37):
        part = [x[:n] for x in inputs]
        np.testing.assert_array_equal(run_op(op, part, sample.params, lanes), reference[:n])


def test_nothing_traps_where_whole_numbers_are_divided_by_zero() -> None:
    """The reference refuses it; a program cannot, and gives 0."""
    for dtype in ("uint8", "int32", "int64"):
        a, b = np.array([5, 0, 1], dtype), np.zeros(3, dtype)
        for name in ("floor_divide", "remainder"):
            np.testing.assert_array_equal(run_op(registry[name], [a, b], {}, 4), b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_remainders_are_exact(dtype: str) -> None:
    """Quotients of up to 2000 bits, subnormal numbers and all."""
    r = np.random.default_rng(3)
    whole, n = (np.uint32, 3000) if dtype == "float32" else (np.uint64, 3000)
    a = r.integers(0, np.iinfo(whole).max, n, dtype=whole).view(dtype)
    b = r.integers(0, np.iinfo(whole).max, n, dtype=whole).view(dtype)
    with np.errstate(all="ignore"):
        b[::3] = a[::3] * r.uniform(0.0, 1.0, len(a[::3])).astype(dtype)
    for name in ("floor_divide", "remainder"):
        op = registry[name]
        agree(op, run_op(op, [a, b], {}, 8), evaluated(op, [a, b], {}), [a, b])


@pytest.mark.parametrize(
    "level", [v for v in LEVELS.values() if v.architecture == current().architecture], ids=lambda v: v.name
)
def test_levels_agree(level: Any) -> None:
    """The same bits on every level of CPU: nothing here is left to the instruction set."""
    names = list(LEVELS)
    if names.index(level.name) < names.index(current().name):
        pytest.skip("not on this CPU")
    r = np.random.default_rng(5)
    x = r.normal(size=41).astype("float32") * 3
    for name in (
        "exp",
        "tanh",
        "sigmoid",
        "erf",
        "sin",
        "softplus",
        "relu",
        "round",
        "floor",
        "log1p",
        "sign",
    ):
        op = registry[name]
        np.testing.assert_array_equal(run_op(op, [x], {}, 4, level), run_op(op, [x], {}, 16))


@pytest.mark.slow
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_other_architectures_have_it_without_calls(op: type[Op]) -> None:
    """Compiled for ARM's vectors, by LLVM alone: no call of a library's function is left."""
    for inputs, params in special_cases(op):
        text = kernel_of(op, inputs, params, 4).text
        assembly = jit.assembly(text, LEVELS["aarch64"])
        calls = {line.split()[-1] for line in assembly.splitlines() if line.strip().startswith("bl\t")}
        assert not calls, calls
