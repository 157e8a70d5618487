"""Native code computes what NumPy computes: every op, every dtype it takes, however its inputs lie in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from laws import native_runs as runs
from laws.basis import samples
from laws.native_cases import cases
from retrograd.errors import RetrogradError
from retrograd.graph import Equation, Graph, Var
from retrograd.lower.native import level
from retrograd.lower.native.executor import Native
from retrograd.lower.native.singles import LEFT_TO_NUMPY
from retrograd.op import Op, Sample, all_ops, registry

AWAITED = {"igamma", "polynomial"}
"""Elementwise ops without an expression."""
SOME = 9
"""Of the generated cases, every ninth is tried by the quick test."""
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


def holds(op: type[Op], chosen: list[Sample]) -> None:
    """As inputs of a program, and as every second entry of something transposed."""
    for sample in chosen:
        want = evaluated(op, sample.inputs, sample.params)
        got, _ = runs.native(runs.one(op, sample.inputs, sample.params), sample.inputs)
        wrong = runs.disagreement(op.name, got, want, sample.inputs)
        assert not wrong, f"{sample}: {wrong}"
        graph, wide = runs.seen_through(op, sample.inputs, sample.params)
        got, _ = runs.native(graph, wide)
        wrong = runs.disagreement(op.name, got, want, sample.inputs)
        assert not wrong, f"{sample}, seen through a view: {wrong}"


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_native_code_computes_what_numpy_computes(op: type[Op]) -> None:
    """Every sample, and some of the generated cases."""
    holds(op, samples(op))
    holds(op, list(cases(op))[len(samples(op)) :: SOME])


@pytest.mark.slow
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_every_case(op: type[Op]) -> None:
    """Every dtype that the op takes, nothing, one element, odd sizes, several dimensions, NaN and infinities."""
    holds(op, list(cases(op)))


@pytest.mark.parametrize("how", ["transposed", "stepped", "unaligned"])
def test_states_may_lie_anyhow(how: str) -> None:
    """Arrays that a program reads where they lie: not row by row, or not at a multiple of their size."""
    for op in OPS:
        for sample in samples(op):
            held = [runs.odd_memory(a, how) for a in sample.inputs]
            want = evaluated(op, sample.inputs, sample.params)
            got = runs.of_states(runs.one(op, sample.inputs, sample.params), held)
            wrong = runs.disagreement(op.name, got, want, sample.inputs)
            assert not wrong, f"{op.name}, {sample}: {wrong}"


def test_what_is_left_to_numpy(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but what `LEFT_TO_NUMPY` names, with a reason; elementwise ops without an expression are `AWAITED`."""
    left = set()
    for op in OPS:
        for sample in samples(op):
            _, executor = runs.native(runs.one(op, sample.inputs, sample.params), sample.inputs)
            if "by NumPy" in executor.plan():
                left.add(op.name)
                reason = LEFT_TO_NUMPY.get(op.name)
                assert reason is None or reason in executor.plan()
    eager = {op.name for op in all_ops() if op.eager_only}
    awaited = left - set(LEFT_TO_NUMPY)
    with capsys.disabled():
        print(
            f"\nleft to NumPy: {', '.join(sorted(left))}; without an expression: {', '.join(sorted(awaited))}"
        )
    assert awaited == AWAITED
    assert set(LEFT_TO_NUMPY) == (left | eager) - AWAITED


BAD: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "gather": ([np.zeros((3, 4)), np.array([[0, 4, 1]])], {"dim": 1}),
    "scatter_add": ([np.zeros((2, 2)), np.array([[0, 1], [-1, 1]])], {"shape": (2, 2), "dim": 0}),
    "index": ([np.zeros((3, 2)), np.array([0, 3])], {}),
    "index_add": ([np.zeros((2, 2)), np.array([0, 2**40])], {"shape": (2, 2)}),
    "segment_max": ([np.zeros(3), np.array([0, 7, 1])], {"size": 2}),
    "row_order": ([np.array([1, 9], "int32")], {"size": 2}),
    "cholesky": ([np.diag([1.0, -1.0])], {"check": True}),
    "solve": ([np.zeros((2, 2)), np.ones((2, 1))], {"ta": False, "check": True}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_values_are_refused_as_numpy_refuses_them(name: str) -> None:
    """Also where the memory of the bad values has other uses later; and the next call is a new one."""
    inputs, params = BAD[name]
    op = registry[name]
    with pytest.raises(RetrogradError) as expected:
        op.eval(*inputs, **params)
    graph = runs.one(op, inputs, params)
    eqs = list(graph.equations)
    given = []
    for k, v in enumerate(graph.inputs):  # the inputs are results on the way
        first = Var(f"before {k}", v.type)
        eqs.insert(0, Equation(registry["maximum"], (first, first), {}, (v,)))
        given.append(first)
    last = graph.outputs[0]
    for k in range(4):
        if last.type.dtype.name != "bool":
            after = Var(f"after {k}", last.type)
            eqs.append(Equation(registry["mul"], (last, last), {}, (after,)))
            last = after
    executor = Native(Graph(given, {}, eqs, [last]), level.current())
    executor.bind({}, {})
    for _ in range(2):
        with pytest.raises(type(expected.value)) as refused:
            executor.run(inputs)
        assert refused.value.message == expected.value.message
    good = [
        np.zeros_like(a) if a.dtype.kind == "i" and name != "row_order" else np.ones_like(a) for a in inputs
    ]
    if name in ("cholesky", "solve"):
        good[0] = np.eye(2)
    executor.run(good)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["avx2", "baseline"])
def test_lower_levels(name: str) -> None:
    """The same laws for the code of lesser CPUs."""
    if name not in [found.name for found in level.possible()]:
        pytest.skip(f"this CPU has no {name}")
    chosen = "computes_what_numpy or every_case or anyhow or refused or random_graphs"
    here = Path(__file__)
    files = [str(here), str(here.with_name("test_native_graphs.py"))]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-k", chosen, *files],
        env={**os.environ, level.VARIABLE: name},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout[-3000:]
