"""Broadcasting and indexing equal NumPy's, over generated shapes, dtypes, layouts in memory and keys."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import retrograd as rg
from laws.arrays import DTYPES, FLOATING, LAYOUTS, WHOLE, Array, laid_out, numbers, same, shapes
from laws.keys import Key, by_numpy, is_basic, keys
from retrograd.errors import RetrogradError

# --- broadcasting ----------------------------------------------------------------------------------------------------

RULES = ("same", "float", "bool")
"""Dtype of a result: that of the promoted inputs, a floating one, or bool."""

Entry = tuple[Callable[..., Array], str, tuple[str, ...]]


def _xlogy(a: Array, b: Array) -> Array:
    return np.where(np.isnan(b), b, np.where(a == 0, np.zeros_like(a), a * np.log(b)))


NUMBERS = (*FLOATING, *WHOLE)
BITS = (*WHOLE, "bool")
BINARY: dict[str, Entry] = {
    "add": (np.add, "same", DTYPES),
    "sub": (np.subtract, "same", NUMBERS),
    "rsub": (lambda a, b: b - a, "same", NUMBERS),
    "mul": (np.multiply, "same", DTYPES),
    "div": (np.true_divide, "float", DTYPES),
    "floor_divide": (np.floor_divide, "same", NUMBERS),
    "remainder": (np.remainder, "same", NUMBERS),
    "fmod": (np.fmod, "same", NUMBERS),
    "pow": (np.power, "same", FLOATING),
    "float_power": (lambda a, b: np.float_power(a, b), "double", NUMBERS),
    "maximum": (np.maximum, "same", DTYPES),
    "minimum": (np.minimum, "same", DTYPES),
    "fmax": (np.fmax, "same", DTYPES),
    "fmin": (np.fmin, "same", DTYPES),
    "atan2": (np.arctan2, "float", DTYPES),
    "hypot": (np.hypot, "same", FLOATING),
    "copysign": (np.copysign, "float", DTYPES),
    "nextafter": (np.nextafter, "same", FLOATING),
    "heaviside": (lambda a, b: np.where(a == 0, b, (a > 0).astype(a.dtype)), "same", FLOATING),
    "logaddexp": (np.logaddexp, "same", FLOATING),
    "logaddexp2": (np.logaddexp2, "same", FLOATING),
    "xlogy": (_xlogy, "float", DTYPES),
    "gcd": (np.gcd, "same", WHOLE),
    "lcm": (np.lcm, "same", WHOLE),
    "ldexp": (lambda a, b: a * 2**b, "float", FLOATING),
    "eq": (np.equal, "bool", DTYPES),
    "ne": (np.not_equal, "bool", DTYPES),
    "lt": (np.less, "bool", DTYPES),
    "le": (np.less_equal, "bool", DTYPES),
    "gt": (np.greater, "bool", DTYPES),
    "ge": (np.greater_equal, "bool", DTYPES),
    "isclose": (np.isclose, "bool", FLOATING),
    "logical_and": (np.logical_and, "bool", DTYPES),
    "logical_or": (np.logical_or, "bool", DTYPES),
    "logical_xor": (np.logical_xor, "bool", DTYPES),
    "bitwise_and": (np.bitwise_and, "same", BITS),
    "bitwise_or": (np.bitwise_or, "same", BITS),
    "bitwise_xor": (np.bitwise_xor, "same", BITS),
    "bitwise_left_shift": (np.left_shift, "same", WHOLE),
    "bitwise_right_shift": (np.right_shift, "same", WHOLE),
}  # fmt: skip
ALSO = {
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div", "arctan2": "atan2",
    "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "not_equal": "ne",
}  # fmt: skip
"""Second names."""
OTHERWISE = {
    "allclose": "gives one truth value", "equal": "gives one truth value", "dist": "gives one number",
    "matmul": "a product of matrices", "kron": "a product of matrices", "inner": "a product of matrices",
    "tensordot": "a product of matrices", "dot": "a product of vectors", "cross": "a product of vectors",
    "outer": "a product of vectors", "ger": "a product of vectors", "mv": "a product of matrices",
    "vdot": "a product of vectors", "linalg": "a module", "can_cast": "of dtypes",
    "masked_fill": "a mask", "where": "three inputs", "result_type": "of dtypes",
    "igamma": "NumPy has none; judged by SciPy", "igammac": "NumPy has none; judged by SciPy",
}  # fmt: skip
"""Functions of ``input`` and ``other`` that are no elementwise functions of two tensors."""
EQUAL_DTYPES = ("isclose", "heaviside")
ZERO_REFUSED = ("floor_divide", "remainder", "fmod")
HERE = [name for name in (*BINARY, *ALSO) if hasattr(rg, name)]


def test_every_binary_function_is_here() -> None:
    """A function of ``input`` and ``other`` that these tests do not know fails them."""
    found = set()
    for name in rg.__all__:
        if not inspect.isfunction(function := getattr(rg, name, None)):
            continue
        if list(inspect.signature(function).parameters)[:2] == ["input", "other"]:
            found.add(name)
    assert len(found) > 20
    assert sorted(found - set(BINARY) - set(ALSO) - set(OTHERWISE)) == []


def _rank(dtype: str) -> int:
    return {"bool": 0, "uint8": 1, "int32": 1, "int64": 1, "float32": 2, "float64": 2}[dtype]


def promoted(a: Array, b: Array) -> str:
    """PyTorch's rule, written a second time: among the inputs of the highest kind, those with dimensions decide."""
    kind = max(_rank(a.dtype.name), _rank(b.dtype.name))
    dimensioned = [x for x in (a, b) if x.ndim]
    deciding = (
        dimensioned if dimensioned and max(_rank(x.dtype.name) for x in dimensioned) == kind else [a, b]
    )
    names = {x.dtype.name for x in deciding if _rank(x.dtype.name) == kind}
    if names == {"uint8", "int32"}:
        return "int32"
    return next(name for name in ("float64", "float32", "int64", "int32", "uint8", "bool") if name in names)


pairs = hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=4, max_dims=4)


def check_broadcasting(name: str, data: st.DataObject) -> None:
    reference, rule, dtypes = BINARY[ALSO.get(name, name)]
    sizes = data.draw(pairs, label="shapes").input_shapes
    kinds = [data.draw(st.sampled_from(dtypes), label="dtype") for _ in range(2)]
    if name == "ldexp":
        kinds[1] = "int32"
    if name in EQUAL_DTYPES:
        kinds[1] = kinds[0]
    seed = data.draw(st.integers(0, 1000), label="seed")
    arrays, tensors = [], []
    for k, (shape, kind) in enumerate(zip(sizes, kinds, strict=True)):
        layout = data.draw(st.sampled_from(LAYOUTS), label="layout")
        array = numbers(shape, kind, seed + k, special=name not in ZERO_REFUSED)
        if k and name in ZERO_REFUSED:
            array = np.where(array == 0, np.ones_like(array), array)
        if k and name.endswith("shift"):
            array = np.asarray(np.abs(array) % 7, kind)
        array, tensor = laid_out(array, layout)
        arrays.append(array)
        tensors.append(tensor)
    common = promoted(*arrays)
    if rule == "float" and common not in FLOATING:
        common = "float32"
    if rule == "double":
        common = "float64"
    with np.errstate(all="ignore"):
        expected = np.asarray(reference(*(x.astype(common) for x in arrays)))
    before = [x.copy() for x in arrays]
    found = getattr(rg, name)(*tensors)
    same(
        found,
        expected.astype("bool" if rule == "bool" else common),
        name,
        relative=1e-5 if common == "float32" else 1e-12,
    )
    for tensor, array in zip(tensors, before, strict=True):
        same(tensor, array, "input afterwards", exact=True)


@pytest.mark.parametrize("name", HERE)
@settings(max_examples=25)
@given(data=st.data())
def test_broadcasting(name: str, data: st.DataObject) -> None:
    """Value, dtype and shape; the inputs, however they lie in memory, stay as they are."""
    check_broadcasting(name, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", HERE)
@settings(max_examples=1500)
@given(data=st.data())
def test_broadcasting_at_length(name: str, data: st.DataObject) -> None:
    check_broadcasting(name, data)


@given(shapes, shapes)
def test_shapes_that_do_not_fit_are_refused(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    try:
        expected = np.broadcast_shapes(first, second)
    except ValueError:
        with pytest.raises(RetrogradError) as caught:
            rg.zeros(first) + rg.zeros(second)
        assert caught.value.hint
    else:
        assert (rg.zeros(first) + rg.zeros(second)).shape == expected


# --- indexing --------------------------------------------------------------------------------------------------------


def given_as(key: Key, form: int) -> Any:
    """The key with its arrays as NumPy's, as tensors, or as lists; alone where it has one part."""
    turned = tuple(
        part
        if not isinstance(part, np.ndarray) or form == 0
        else rg.tensor(part)
        if form == 1 or not part.size or not part.ndim
        else part.tolist()
        for part in key
    )
    if len(turned) == 1 and not isinstance(turned[0], list):
        return turned[0]
    return turned


places = shapes.flatmap(lambda shape: st.tuples(st.just(shape), keys(shape)))


def check_reading(place: tuple[tuple[int, ...], Key], form: int, dtype: str, layout: str, seed: int) -> None:
    shape, key = place
    array, tensor = laid_out(numbers(shape, dtype, seed), layout)
    expected = by_numpy(array, key)
    found = tensor[given_as(key, form)]
    same(found, expected, f"x[{key}] of {shape}", exact=True)
    if expected.size:
        assert np.shares_memory(found.numpy(), tensor.numpy()) == is_basic(key)


forms, dtypes, layouts, seeds = (
    st.integers(0, 2),
    st.sampled_from(DTYPES),
    st.sampled_from(LAYOUTS),
    st.integers(0, 99),
)


@settings(max_examples=250)
@given(places, forms, dtypes, layouts, seeds)
def test_indexing(place: tuple[tuple[int, ...], Key], form: int, dtype: str, layout: str, seed: int) -> None:
    """Values, and that a key without masks and arrays gives a view."""
    check_reading(place, form, dtype, layout, seed)


@pytest.mark.slow
@settings(max_examples=20_000)
@given(places, forms, dtypes, layouts, seeds)
def test_indexing_at_length(
    place: tuple[tuple[int, ...], Key], form: int, dtype: str, layout: str, seed: int
) -> None:
    check_reading(place, form, dtype, layout, seed)


def check_assignment(
    place: tuple[tuple[int, ...], Key], form: int, dtype: str, layout: str, seed: int, kind: str
) -> None:
    shape, key = place
    layout = "rows" if layout == "expanded" else layout  # entries that lie on one another are not written to
    array, tensor = laid_out(numbers(shape, dtype, seed), layout)
    expected = array.copy()
    where = by_numpy(np.arange(array.size).reshape(shape), key)
    value = numbers(where.shape, dtype, seed + 1)
    if kind == "row" and value.ndim:
        value = value[..., -1:, :] if value.ndim > 1 and value.shape[-2] else value
    elif kind == "number" or len(np.unique(where)) < where.size:  # which of two writes wins is not defined
        value = numbers((), dtype, seed + 1)
        kind = "number"
    full = np.broadcast_to(value, where.shape)
    if kind == "row" and len(np.unique(where)) < where.size:
        full, value = np.broadcast_to(value.reshape(-1)[:1].reshape(()), where.shape), value.reshape(-1)[0]
    expected.reshape(-1)[where.reshape(-1)] = full.reshape(-1)
    given_value = value.item() if kind == "number" and seed % 2 else rg.tensor(np.asarray(value))
    before = tensor
    tensor[given_as(key, form)] = given_value
    assert tensor is before
    same(tensor, expected, f"x[{key}] = {value!r} of {shape}", exact=True)


kinds_of_values = st.sampled_from(["number", "row", "full"])


@settings(max_examples=250)
@given(places, forms, dtypes, layouts, seeds, kinds_of_values)
def test_index_assignment(
    place: tuple[tuple[int, ...], Key], form: int, dtype: str, layout: str, seed: int, kind: str
) -> None:
    """Numbers, rows that are repeated, and values of full shape."""
    check_assignment(place, form, dtype, layout, seed, kind)


@pytest.mark.slow
@settings(max_examples=20_000)
@given(places, forms, dtypes, layouts, seeds, kinds_of_values)
def test_index_assignment_at_length(
    place: tuple[tuple[int, ...], Key], form: int, dtype: str, layout: str, seed: int, kind: str
) -> None:
    check_assignment(place, form, dtype, layout, seed, kind)


@given(places, seeds)
def test_adding_at_a_key(place: tuple[tuple[int, ...], Key], seed: int) -> None:
    """``x[key] += 1`` adds once, however often a place is named."""
    shape, key = place
    array = numbers(shape, "float64", seed)
    tensor = rg.tensor(array)
    where = by_numpy(np.arange(array.size).reshape(shape), key)
    array.reshape(-1)[np.unique(where)] += 1
    tensor[given_as(key, seed % 3)] += 1
    same(tensor, array, f"x[{key}] += 1 of {shape}", exact=True)


BAD_KEYS: list[tuple[tuple[int, ...], Any]] = [
    ((3,), 3),
    ((3,), -4),
    ((3,), (0, 0)),
    ((3,), (..., 0, 0)),
    ((3,), [0, 3]),
    ((3,), np.array([-4])),
    ((3,), np.array([True, False])),
    ((3, 4), np.ones((3, 3), bool)),
    ((3, 4), (np.array([0, 1]), np.array([0, 1, 2]))),
    ((3,), 1.0),
    ((3,), "a"),
    ((3,), np.array([0.0])),
    ((3,), slice(None, None, 0)),
    ((3,), slice(None, None, -1)),
    ((3,), slice(0.5, 2)),
    ((), 0),
    ((), slice(None)),
    ((0,), 0),
    ((0, 3), [0]),
]


@pytest.mark.parametrize("shape, key", BAD_KEYS, ids=lambda x: str(x)[:30].replace("\n", " "))
def test_keys_that_do_not_fit_are_refused(shape: tuple[int, ...], key: Any) -> None:
    """For reading and for writing, with a hint, and nothing is written."""
    tensor = rg.zeros(shape)
    with pytest.raises(RetrogradError) as caught:
        tensor[key]
    assert caught.value.hint
    with pytest.raises(RetrogradError) as told:
        tensor[key] = 1.0
    assert told.value.hint
    assert not tensor.numpy().any()


def test_values_that_do_not_fit_are_refused() -> None:
    x = rg.zeros(3, 4)
    for key, shape in [
        (0, (3,)),
        (slice(0, 2), (3, 4)),
        ([0, 1], (3, 4)),
        (x > 0, (2,)),
        (None, (2, 1, 3, 4)),
    ]:
        with pytest.raises(RetrogradError) as caught:
            x[key] = rg.ones(shape)
        assert caught.value.hint
    assert not x.numpy().any()
