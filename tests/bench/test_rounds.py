"""Turns, pairs, medians and the control, with a clock that only ticks when it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrograd.bench import NETS, Net
from retrograd.bench.rounds import best_of, interleave, paired_ratio, spread, steps_for
from retrograd.bench.steps import compare


class Steps:
    """Takes as long as it is told: a number of seconds a step, or one for each turn."""

    def __init__(self, *seconds: float, name: str = "", order: list[str] | None = None) -> None:
        self.seconds, self.name, self.order, self.turns = seconds, name, order, 0
        self.counts: list[int] = []

    def __call__(self, n: int) -> float:
        self.counts.append(n)
        if self.order is not None:
            self.order.append(self.name)
        return n * self.seconds[0]


@given(st.floats(1e-7, 3.0), st.floats(0.005, 0.5))
def test_a_turn_takes_as_long_as_it_should(step: float, seconds: float) -> None:
    run = Steps(step)
    n = steps_for(run, seconds)
    assert n >= 2
    assert n == 2 or 0.9 * seconds <= n * step <= 1.1 * seconds
    assert max(run.counts) * step <= max(
        2 * step, 1.1 * seconds
    )  # finding out does not take longer than a turn


def test_everyone_takes_a_turn_in_each_round_and_begins_in_its_own() -> None:
    order: list[str] = []
    runs = {name: Steps(0.01, name=name, order=order) for name in "abc"}
    times = interleave(runs, 3, 0.1)
    assert times == {name: pytest.approx([0.01] * 3) for name in "abc"}
    turns = order[-18:]  # a warm-up and a turn for each of three in three rounds
    assert "".join(turns[::2]) == "abcbcacab"
    assert turns[::2] == turns[1::2]


def test_who_fails_is_left_out_and_the_others_go_on() -> None:
    class Breaks(Steps):
        def __call__(self, n: int) -> float:
            if len(self.counts) > 8:
                raise ValueError("enough")
            return super().__call__(n)

    class Never(Steps):
        def __call__(self, n: int) -> float:
            raise ValueError("never")

    told: list[str] = []
    runs = {"never": Never(), "ours": Steps(0.01), "breaks": Breaks(0.01)}
    times = interleave(runs, 9, 0.02, lambda name, error: told.append(f"{name}: {error}"))
    assert told == ["never: never", "breaks: enough"]
    assert list(times) == ["ours"]
    assert len(times["ours"]) == 9
    with pytest.raises(ValueError, match="never"):
        interleave({"never": Never()}, 1, 0.1)


@given(
    st.lists(st.tuples(st.floats(0.1, 10), st.floats(1, 100)), min_size=1, max_size=30), st.floats(0.1, 10)
)
def test_a_machine_that_slows_everyone_down_changes_no_paired_ratio(
    rounds: list[tuple[float, float]], ratio: float
) -> None:
    theirs = [step * slow for step, slow in rounds]
    assert paired_ratio([ratio * t for t in theirs], theirs) == pytest.approx(ratio)


def test_pairs_are_of_the_same_round() -> None:
    assert paired_ratio([1, 2, 3], [2, 4, 3]) == 0.5
    with pytest.raises(ValueError, match="zip"):
        paired_ratio([1, 2], [1])


def test_the_best_is_by_median_and_only_of_those_asked_for() -> None:
    times = {"a": [1.0, 5, 5], "b": [9.0, 2, 2], "c": [0.1], "d": []}
    assert best_of(times, ["a", "b", "d", "e"]) == "b"
    assert best_of(times, ["e"]) is None


def test_the_control_shows_rounds_that_were_disturbed() -> None:
    assert spread([1, 1.01, 0.99, 1.2, 1]) == {
        "least": 0.99,
        "median": 1,
        "most": 1.2,
        "disturbed_rounds": 1,
    }


def test_what_follows_from_the_times() -> None:
    net = Net("tiny", (10, 20, 5), 50, {1: 0.5}, of_limit={1: 1.3}, of_rate=0.9)
    times = {
        "control": [1e-3, 1e-3, 2e-3],
        "Retrograd": [2e-5, 2e-5, 4e-5],
        "slow": [9e-5, 9e-5, 9e-5],
        "quick": [5e-5, 4e-5, 1e-4],
        "OpenBLAS": [1e-5, 1e-5, 2e-5],
        "our slabs": [3e-5, 3e-5, 3e-5],
        "limit study": [1e-5, 1e-5, 2e-5],
    }
    found = compare(net, 1, times, ["slow", "quick", "absent"])
    assert (found["best"], found["ratio"]) == ("quick", pytest.approx(0.4))
    assert found["ratios"] == {"slow": pytest.approx(2 / 9), "quick": pytest.approx(0.4)}
    assert found["of_limit"] == pytest.approx(2)
    assert (found["rate"], found["of_rate"]) == ("OpenBLAS", pytest.approx(0.5))
    assert found["rate_gflops"] == pytest.approx(2 * 50 * (2 * 10 * 20 + 3 * 20 * 5) / 1e-5 / 1e9)
    assert found["control"]["disturbed_rounds"] == 1
    assert "control" not in found["us"]
    assert (found["target_ratio"], found["target_of_limit"], found["target_of_rate"]) == (0.5, 1.3, 0.9)
    # without ours, or without anybody else, there is no ratio
    assert "ratio" not in compare(net, 2, {"quick": [1.0]}, ["quick"])
    assert "ratio" not in compare(net, 2, {"Retrograd": [1.0]}, ["quick"])


def test_operations_of_the_first_layer_have_no_way_below() -> None:
    net = NETS["784-512-256-10"]
    assert net.operations() == 2 * 128 * (2 * 784 * 512 + 3 * 512 * 256 + 3 * 256 * 10)
    assert set(net.ratio) == {1, 2}
