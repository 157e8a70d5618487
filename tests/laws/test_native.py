"""Native code computes what NumPy computes: every op, every dtype it takes, however its inputs lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from laws import native_runs as runs
from laws.native_cases import cases
from retrograd.op import Op, all_ops

OPS = [op for op in all_ops() if op.__module__.startswith("retrograd.") and not op.eager_only]


@pytest.fixture(autouse=True, scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cache of objects of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETROGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def evaluated(op: type[Op], inputs: list[Any], params: dict[str, Any]) -> list[Any]:
    with np.errstate(all="ignore"):
        out = op.eval(*inputs, **params)
    return [out] if op.n_outputs == 1 else list(out)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_native_code_computes_what_numpy_computes(op: type[Op]) -> None:
    """As inputs of a program, and as every second entry of something transposed."""
    for sample in cases(op):
        want = evaluated(op, sample.inputs, sample.params)
        got, _ = runs.native(runs.one(op, sample.inputs, sample.params), sample.inputs)
        wrong = runs.disagreement(op.name, got, want, sample.inputs)
        assert not wrong, f"{sample}: {wrong}"
        graph, wide = runs.seen_through(op, sample.inputs, sample.params)
        got, _ = runs.native(graph, wide)
        wrong = runs.disagreement(op.name, got, want, sample.inputs)
        assert not wrong, f"{sample}, seen through a view: {wrong}"
