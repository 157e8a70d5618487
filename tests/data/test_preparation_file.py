"""A preparation saved and loaded, and refused when damaged."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.prepared_tables import fitted, table_of
from retrograd.data import Preparation
from retrograd.errors import DataError, ModelFileError


@pytest.mark.parametrize("target", ["price", "kind"])
def test_json_gives_the_same_preparation(target: str) -> None:
    table = table_of()
    prepared = fitted(table, target)
    loaded = Preparation.from_json(json.loads(json.dumps(prepared.to_json())))
    assert loaded.to_json() == prepared.to_json()
    for name in ("numbers", "categories"):
        np.testing.assert_array_equal(
            getattr(loaded.transform(table), name), getattr(prepared.transform(table), name)
        )
    np.testing.assert_array_equal(loaded.encode_target(table), prepared.encode_target(table))


def _paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(data, dict):
        found += [deeper for key in data for deeper in _paths(data[key], (*path, key))]
    elif isinstance(data, list):
        found += [deeper for i in range(min(len(data), 12)) for deeper in _paths(data[i], (*path, i))]
    return found


_TABLE = table_of(120)


_JSON = {target: fitted(_TABLE, target, np.arange(100)).to_json() for target in ("price", "kind")}


_PATHS = [(target, path) for target, data in _JSON.items() for path in _paths(data)]


hostile = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**400), 10**400),
        st.floats(),
        st.text(max_size=5),
        st.just("number"),
        st.just(-1),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "name", "mean", "x"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=400)
@given(st.sampled_from(_PATHS), st.one_of(hostile, st.just(KeyError)))
def test_a_damaged_or_hostile_file_is_refused_or_harmless(
    place: tuple[str, tuple[Any, ...]], value: Any
) -> None:
    """One value anywhere is replaced or taken away: `ModelFileError`, or a preparation that prepares."""
    target, path = place
    data = copy.deepcopy(_JSON[target])
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    if value is KeyError:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    try:
        prepared = Preparation.from_json(data)
    except ModelFileError:
        return
    try:
        inputs = prepared.transform(_TABLE)
    except DataError:  # a column by another name
        return
    assert inputs.numbers.shape == (120, len(prepared.number_names))
    assert np.isfinite(inputs.numbers).all()
    if len(prepared.category_sizes):
        assert (inputs.categories.max(axis=0) < prepared.category_sizes).all()


@pytest.mark.parametrize("wrong", [None, 3, "x", [], {}, {"format": 1}, {"format": 2}, {"format": [1]}])
def test_what_is_no_preparation(wrong: object) -> None:
    with pytest.raises(ModelFileError) as caught:
        Preparation.from_json(wrong)
    assert caught.value.hint
