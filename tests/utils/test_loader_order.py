"""The order of a DataLoader: the same for any number of workers, and taken up again at any batch."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import retrograd as rg
from retrograd.errors import StateError
from retrograd.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    get_worker_info,
)

ROOT = Path(__file__).resolve().parents[2]


class Noisy(Dataset[Any]):
    """Row i is i and a random number of the library's own stream."""

    def __init__(self, n: int = 23) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Any:
        return index, rg.rand(())


class Stream(IterableDataset[int]):
    """0 to n - 1, dealt out to the workers."""

    def __init__(self, n: int = 23) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        first, step = (info.id, info.num_workers) if info else (0, 1)
        yield from range(first, self.n, step)


def seeded(seed: int = 7) -> rg.Generator:
    return rg.Generator().manual_seed(seed)


def plain(batch: Any) -> Any:
    """A batch as lists of numbers."""
    if isinstance(batch, int | float):
        return batch
    return batch.tolist() if isinstance(batch, rg.Tensor) else [plain(b) for b in batch]


WAYS = {
    "in order": lambda: {"batch_size": 4},
    "shuffled": lambda: {"batch_size": 4, "shuffle": True, "generator": seeded()},
    "drop_last": lambda: {"batch_size": 4, "shuffle": True, "generator": seeded(), "drop_last": True},
    "default generator": lambda: {"batch_size": 4, "shuffle": True},
    "with replacement": lambda: {"batch_size": 4, "sampler": RandomSampler(Noisy(), True, 30, seeded())},
    "subset": lambda: {"batch_size": 2, "sampler": SubsetRandomSampler([3, 1, 4, 15, 9], seeded())},
    "weighted": lambda: {
        "batch_size": 5, "sampler": WeightedRandomSampler(np.arange(23.0), 40, generator=seeded())
    },
    "batches": lambda: {"batch_sampler": BatchSampler(RandomSampler(Noisy(), generator=seeded()), 6, False)},
    "rows": lambda: {"batch_size": None, "sampler": RandomSampler(Noisy(), generator=seeded())},
}  # fmt: skip
"""Ways of saying the order, each with a generator of its own."""


def epochs(loader: DataLoader[Any], count: int) -> list[list[Any]]:
    return [[plain(b) for b in loader] for _ in range(count)]


def in_a_row(loader: DataLoader[Any], count: int) -> list[Any]:
    """The batches of several epochs."""
    return [batch for epoch in epochs(loader, count) for batch in epoch]


@pytest.mark.parametrize("kind", WAYS)
def test_any_number_of_workers(kind: str) -> None:
    """Rows, their order, and what the dataset draws at random; also with workers that are kept."""
    rg.manual_seed(1)
    expected = epochs(DataLoader(Noisy(), **WAYS[kind]()), 3)
    after = rg.rand(()).item()
    assert expected[0] != expected[1]  # in order, too: what is drawn at random differs
    for options in ({"num_workers": 1}, {"num_workers": 2, "persistent_workers": True, "prefetch_factor": 3}):
        rg.manual_seed(1)
        assert epochs(DataLoader(Noisy(), **WAYS[kind](), **options), 3) == expected
        assert rg.rand(()).item() == after, "the stream of the program does not depend on the workers"


@pytest.mark.parametrize("kind", WAYS)
@pytest.mark.parametrize("workers", [0, 2])
def test_goes_on_at_any_batch(kind: str, workers: int) -> None:
    """A state taken after any batch of the second epoch, through JSON, into a fresh loader with other workers."""
    rg.manual_seed(1)
    loader = DataLoader(Noisy(), **WAYS[kind]())
    whole, states = [], []
    for epoch in range(3):
        for batch in loader:
            whole.append(plain(batch))
            rg.rand(3)  # the program draws numbers, too, as dropout does
            states.append((epoch, len(whole), json.dumps(loader.state_dict()), rg.get_rng_state()))
    per_epoch = len(whole) // 3
    chosen = states[per_epoch : 2 * per_epoch : 2 if workers == 0 else 5]
    for epoch, given_so_far, text, state in chosen:
        rg.manual_seed(999)  # what happened before is over
        fresh = DataLoader(Noisy(), **WAYS[kind](), num_workers=workers)
        fresh.load_state_dict(json.loads(text))
        rg.set_rng_state(state)
        rest: list[Any] = []
        for _ in range(epoch, 3):
            for batch in fresh:
                rest.append(plain(batch))
                rg.rand(3)
        assert rest == whole[given_so_far:]


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(1, 40),
    size=st.integers(1, 9),
    drop=st.booleans(),
    stops=st.lists(st.integers(0, 12), max_size=4),
    seed=st.integers(0, 9),
)
def test_stopped_again_and_again(rows: int, size: int, drop: bool, stops: list[int], seed: int) -> None:
    """Any number of interruptions give the same sequence of batches as none."""

    def made() -> DataLoader[Any]:
        return DataLoader(range(rows), size, shuffle=True, drop_last=drop, generator=seeded(seed))

    whole = in_a_row(made(), 3)
    loader, seen, epoch = made(), [], 0
    for stop in [*stops, len(whole) + 1]:
        wanted = len(seen) + stop
        while len(seen) < wanted and epoch < 3:
            for batch in loader:
                seen.append(plain(batch))
                if len(seen) == wanted:
                    break
            else:
                epoch += 1
        state = json.loads(json.dumps(loader.state_dict()))
        loader = made()
        loader.load_state_dict(state)
    assert seen == whole


def test_after_a_break_the_place_is_known() -> None:
    """The state outlives the iterator; without loading it, a new loop is a new epoch."""
    loader = DataLoader(range(10), 2, shuffle=True, generator=seeded())
    first = [plain(b) for b in DataLoader(range(10), 2, shuffle=True, generator=seeded())]
    for count, _ in enumerate(loader):
        if count == 1:
            break
    state = loader.state_dict()
    assert state["batch"] == 2
    second = [plain(b) for b in loader]
    assert second != first
    loader.load_state_dict(state)
    assert loader.state_dict() == state
    assert [plain(b) for b in loader] == first[2:]
    assert [plain(b) for b in loader] == second


def test_after_the_last_batch_comes_the_end_of_the_epoch() -> None:
    loader = DataLoader(range(4), 2, shuffle=True, generator=seeded())
    for _ in loader:
        state = loader.state_dict()
    later = [plain(b) for b in loader]
    loader.load_state_dict(state)
    assert list(loader) == []
    assert [plain(b) for b in loader] == later


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_streams_are_read_again_up_to_their_place(workers: int) -> None:
    for size in (None, 4):
        loader = DataLoader(Stream(), size, num_workers=workers)
        whole = [plain(b) for b in loader]
        assert sorted(np.ravel(np.concatenate([np.ravel(b) for b in whole]))) == list(range(23))
        it = iter(loader)
        for _ in range(3):
            next(it)
        state = loader.state_dict()
        fresh = DataLoader(Stream(), size, num_workers=workers)
        fresh.load_state_dict(state)
        assert [plain(b) for b in fresh] == whole[3:]
        assert [plain(b) for b in fresh] == whole
        if workers == 2:
            with pytest.raises(StateError, match="number of workers that read the stream"):
                DataLoader(Stream(), size).load_state_dict(state)


def test_states_of_other_loaders_are_refused() -> None:
    state = DataLoader(range(10), 2, shuffle=True, generator=seeded()).state_dict()
    for other in (
        DataLoader(range(11), 2, shuffle=True, generator=seeded()),
        DataLoader(range(10), 3, shuffle=True, generator=seeded()),
        DataLoader(range(10), 2, shuffle=True, generator=seeded(), drop_last=True),
        DataLoader(range(10), 2, shuffle=True),
        DataLoader(Stream(10), 2),
    ):
        with pytest.raises(StateError, match="the saved order is of a loader with") as refused:
            other.load_state_dict(state)
        assert refused.value.hint
    for wrong in ({}, {"batch": 3}, {"loader": 3}):
        with pytest.raises(StateError, match="not the state of a DataLoader"):
            DataLoader(range(10)).load_state_dict(wrong)


class Counting:
    """A sampler with a state of its own: every epoch begins one row later."""

    def __init__(self) -> None:
        self.epoch = 0

    def __iter__(self) -> Iterator[int]:
        first, self.epoch = self.epoch, self.epoch + 1
        return iter([(first + k) % 10 for k in range(10)])

    def __len__(self) -> int:
        return 10

    def state_dict(self) -> dict[str, Any]:
        return {"epoch": self.epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.epoch = state["epoch"]


def test_a_sampler_with_a_state_of_its_own() -> None:
    loader = DataLoader(range(10), 3, sampler=Counting())
    whole = in_a_row(loader, 3)
    loader = DataLoader(range(10), 3, sampler=Counting())
    list(loader)
    it = iter(loader)
    next(it)
    fresh = DataLoader(range(10), 3, sampler=Counting())
    fresh.load_state_dict(loader.state_dict())
    assert in_a_row(fresh, 2) == whole[5:]


PROGRAM = """
import json, os, sys, time
import retrograd as rg
from retrograd.utils.data import DataLoader, TensorDataset

log, place, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
data = TensorDataset(rg.arange(60), rg.arange(60) * 2.0)
loader = DataLoader(data, 4, shuffle=True, num_workers=workers, generator=rg.Generator().manual_seed(3))
epoch = 0
if os.path.exists(place):
    saved = json.load(open(place))
    epoch = saved["epoch"]
    loader.load_state_dict(saved["loader"])
while epoch < 4:
    for rows, _ in loader:
        line = json.dumps(rows.tolist())
        with open(place + ".new", "w") as file:
            json.dump({"epoch": epoch, "loader": loader.state_dict(), "line": line}, file)
        os.replace(place + ".new", place)
        print(line, file=open(log, "a"), flush=True)
        time.sleep(0.002)
    epoch += 1
    with open(place + ".new", "w") as file:
        json.dump({"epoch": epoch, "loader": loader.state_dict(), "line": line}, file)
    os.replace(place + ".new", place)
print("done", file=open(log, "a"))
"""


def start(folder: Path, name: str, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, str(folder / name), str(folder / f"{name}.json"), str(workers)]
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"})


def test_killed_programs_go_on_with_the_very_next_batch(tmp_path: Path) -> None:
    """SIGKILL at three moments, other numbers of workers each time: the batches are those of a run nobody killed."""
    assert start(tmp_path, "whole", 0).wait(60) == 0
    whole = (tmp_path / "whole").read_text().splitlines()
    assert len(whole) == 4 * 15 + 1
    log, seen = tmp_path / "killed", 0
    for workers, moment in ((2, 7), (0, 20), (1, 41)):
        process = start(tmp_path, "killed", workers)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if log.exists() and len(log.read_text().splitlines()) >= moment:
                break
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # A kill may fall between the saved place and the log's line: the place is what counts.
        lines = log.read_text().splitlines()
        place = json.loads((tmp_path / "killed.json").read_text())
        if not lines or lines[-1] != place["line"]:
            log.write_text("\n".join([*lines, place["line"]]) + "\n")
        assert len(log.read_text().splitlines()) >= max(moment, seen + 1)
        seen = len(log.read_text().splitlines())
    assert start(tmp_path, "killed", 2).wait(60) == 0
    assert log.read_text().splitlines() == whole


def test_random_streams_of_the_program_are_left_alone() -> None:
    """Without workers, NumPy's and Python's streams are the program's; the library's goes on as if nothing had happened."""
    rg.manual_seed(0), np.random.seed(0), random.seed(0)
    expected = np.random.rand(), random.random()
    rg.manual_seed(0), np.random.seed(0), random.seed(0)
    before = rg.get_rng_state().tolist()
    it = iter(DataLoader(Noisy(), 4, generator=seeded()))
    a, b = next(it), next(it)
    assert rg.get_rng_state().tolist() == before
    assert (np.random.rand(), random.random()) == expected
    assert plain(a[1]) != plain(b[1])


def test_a_table_is_read_as_row_by_row() -> None:
    """Whole batches are looked up at once; rows, dtypes and values are those of one row after the other."""
    data = TensorDataset(rg.rand(11, 3), rg.arange(11), rg.arange(11) % 2 == 0)
    for options in ({"batch_size": 4}, {"batch_size": 4, "shuffle": True, "generator": seeded()}):
        quick = list(DataLoader(data, **options))
        options = {**options, **({"generator": seeded()} if "generator" in options else {})}
        slow = list(DataLoader([data[i] for i in range(11)], **options))
        for p, q in zip(quick, slow, strict=True):
            assert [t.dtype for t in p] == [t.dtype for t in q]
            assert plain(p) == plain(q)
