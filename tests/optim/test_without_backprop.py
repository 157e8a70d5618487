"""ADV-04: what learning costs without backpropagation; the bounds stand in benchmarks/without_backprop.py, with reasons."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "without_backprop.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark's own methods, problems and bounds."""
    module = ModuleType("without_backprop")
    sys.modules["without_backprop"] = module  # where dataclasses look for their module
    exec(compile(FILE.read_text(encoding="utf-8"), str(FILE), "exec", dont_inherit=True), vars(module))
    return module


def check(bench: Any, result: Any) -> None:
    """The bounds, the controls, and that every method was dealt with alike."""
    assert bench.held(result) == []
    for seed, points in enumerate(result.curves["backprop"]):
        start, budget = points[0][2], points[-1][0]
        for name, curves in result.curves.items():
            first, last = curves[seed][0], curves[seed][-1]
            assert first[2] == pytest.approx(start, rel=1e-6), f"{name} has another start"
            assert last[0] <= bench.BUDGET
            seconds = [s for _, s, _ in curves[seed]]
            assert seconds == sorted(seconds)
            if name in bench.METHODS:
                assert last[0] >= 0.6 * budget, f"{name} had fewer evaluations"
                assert last[2] < start, f"{name}: a size that does not even go down was chosen"
        assert len({loss for _, _, loss in result.curves["no update"][seed]}) == 1


@pytest.mark.row("ADV-04")
def test_backpropagation_is_ahead_of_every_method_without_it(bench: Any) -> None:
    """970 parameters, a third of the script's evaluations, two seeds: half the loss, after a tenth of the evaluations."""
    result = bench.compare(bench.classes(), seeds=2, budget=bench.BUDGET // 3)
    assert result.parameters == 970
    check(bench, result)


@pytest.mark.row("ADV-04")
@pytest.mark.slow
def test_and_on_handwritten_digits(bench: Any, data_dir: Path) -> None:
    check(bench, bench.compare(bench.digits(data_dir), seeds=3))


@pytest.mark.row("ADV-04")
def test_bounds_and_controls_can_fail(bench: Any) -> None:
    """The control: a backpropagation that goes nowhere, and a random walk that learns, are both reported."""
    still = [[(k, 0.0, 1.0) for k in (1, 500, 1000)]]
    down = [[(1, 0.0, 1.0), (500, 0.0, 0.5), (1000, 0.0, 0.2)]]
    others = dict.fromkeys(("finite differences", "random search", "evolution"), down)
    result = bench.Result(
        "planted", 970, {**others, "backprop": still, "no update": still, "random updates": down}
    )
    broken = "\n".join(bench.held(result))
    assert "1 by backpropagation, 0.2 by" in broken
    assert "only after inf" in broken
    assert "random updates came from 1 to 0.2" in broken
    assert "no update" not in broken


def test_all_gradients_of_the_benchmark_are_the_same_one(bench: Any) -> None:
    """Backpropagation and central differences follow one rule from one start: their first steps agree."""
    land = bench.Landscape(bench.curve(), 0, 4 * (2 * 13 + 1))
    bench.differences(land.again(), np.random.default_rng(0), 0.1)
    by_differences = [loss for _, _, loss in land.curve]
    bench.backprop(land.again(), np.random.default_rng(0), 0.1)
    # the first point is noted twice by backpropagation: at the start, and with its first gradient
    by_backprop = [loss for _, _, loss in land.curve][1:]
    assert len(by_differences) == 4
    np.testing.assert_allclose(by_backprop[:4], by_differences, rtol=1e-6)
