"""Worker processes of a DataLoader: errors with their place, deaths without a hang, and nothing left running."""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import DataError, StateError, UsageError
from retrograd.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    TensorDataset,
    WorkerError,
    get_worker_info,
)

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="these datasets are made inside tests")


class Rows(Dataset[Any]):
    """Row i is what a function makes of it."""

    def __init__(self, make: Callable[[int], Any], n: int = 12) -> None:
        self.make = make
        self.n = n

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Any:
        return self.make(index)


def children() -> set[int]:
    """Processes that this one has started and that still run."""
    return {p.pid for p in multiprocessing.active_children() if p.pid is not None}


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def plain(batch: rg.Tensor) -> Any:
    return batch.tolist()


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = children()
    yield
    gc.collect()
    assert wait_until(lambda: children() <= before), "worker processes are left"


class Two(Exception):
    """Made of two things, so that it cannot be rebuilt from a text."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__(f"{a} and {b}")


def broken(index: int) -> int:
    if index == 5:
        raise ZeroDivisionError("five cannot be shared out")
    return index


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_with_its_row_and_the_traceback(workers: int) -> None:
    it = iter(DataLoader(Rows(broken), 2, num_workers=workers))
    assert [next(it).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(ZeroDivisionError) as found:
        next(it)
    text = str(found.value)
    assert "five cannot be shared out" in text
    assert "in DataLoader worker 0, batch 2: row 5" in text
    assert 'raise ZeroDivisionError("five cannot be shared out")' in text  # the worker's own line
    assert [b.tolist() for b in it] == [[6, 7], [8, 9], [10, 11]], "the other batches still come"


def test_in_this_process_the_error_is_itself() -> None:
    it = iter(DataLoader(Rows(broken), 2))
    next(it), next(it)
    with pytest.raises(ZeroDivisionError) as found:
        next(it)
    assert found.value.args == ("five cannot be shared out",)
    assert found.value.__notes__ == ["in DataLoader, batch 2: row 5"]


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (KeyError("a"), KeyError, "'a'\n"),
        (DataError("no such file", hint="look elsewhere"), DataError, "hint: look elsewhere"),
        (Two(1, 2), RuntimeError, "Two: 1 and 2"),
        (StopIteration("enough"), RuntimeError, "StopIteration was raised: enough"),
        (type("Local", (ValueError,), {})("inside"), RuntimeError, "inside"),
    ],
)
def test_kinds_of_errors(error: Exception, kind: type[Exception], text: str) -> None:
    def fail(index: int) -> Any:
        raise error

    it = iter(DataLoader(Rows(fail), 2, num_workers=1))
    with pytest.raises(kind) as found:
        next(it)
    assert text in str(found.value)
    assert "batch 0: row 0" in str(found.value)


def test_errors_outside_of_rows() -> None:
    def collate(rows: Any) -> Any:
        raise ValueError("does not fit")

    with pytest.raises(ValueError, match=r"collate_fn got rows \[0, 1\]"):
        next(iter(DataLoader(Rows(int), 2, num_workers=1, collate_fn=collate)))

    def begin(worker: int) -> None:
        raise OSError(f"worker {worker} has no disk")

    with pytest.raises(OSError, match=r"worker 0 has no disk(.|\n)*worker_init_fn ran"):
        next(iter(DataLoader(Rows(int), 2, num_workers=1, worker_init_fn=begin)))
    with pytest.raises(TypeError, match="a batch was made ready to be sent"):
        next(iter(DataLoader(Rows(int), 2, num_workers=1, collate_fn=lambda rows: (k for k in rows))))
    w = rg.ones(2, requires_grad=True)
    with pytest.raises(UsageError, match="gradient's history") as found:
        next(iter(DataLoader(Rows(lambda i: w * i), 2, num_workers=1)))
    assert found.value.hint == "return x.detach() from the dataset"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, None])
def test_a_worker_that_dies_is_an_error_and_no_hang(sign: int | None) -> None:
    def die(index: int) -> int:
        if index == 6:
            if sign is None:
                os._exit(3)
            os.kill(os.getpid(), sign)
            time.sleep(60)
        return index

    loader = DataLoader(Rows(die), 2, num_workers=2)
    it = iter(loader)
    start = time.monotonic()
    given: list[Any] = []
    with pytest.raises(WorkerError, match=r"killed by signal|exit code 3") as found:
        given.extend(map(plain, it))
    assert "worker 1 (pid " in str(found.value)
    assert len(given) in (1, 3)  # what the worker had made before may be lost with it
    assert time.monotonic() - start < 20
    state = loader.state_dict()
    with pytest.raises(WorkerError):
        next(it)  # and again
    assert loader.state_dict() == state
    healthy = DataLoader(Rows(int), 2, num_workers=2)
    healthy.load_state_dict(state)
    given += [b.tolist() for b in healthy]
    assert given == [[k, k + 1] for k in range(0, 12, 2)], "nothing is left out when the loader goes on"


def test_a_worker_killed_from_outside_while_it_sends() -> None:
    """In the middle of a message of 80 MB."""
    loader = DataLoader(Rows(lambda i: np.zeros(10_000_000), 8), None, num_workers=1)
    it = iter(loader)
    assert next(it).shape == (10_000_000,)
    time.sleep(0.2)  # the next one fills the pipe
    (pid,) = children()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="SIGKILL"):
        for _ in it:
            pass


def test_a_broken_pool_is_replaced() -> None:
    loader = DataLoader(Rows(int), 2, num_workers=2, persistent_workers=True)
    it = iter(loader)
    next(it)
    for pid in children():
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerError):
        list(it)
    assert len(list(loader)) == 6


def test_timeouts() -> None:
    def slow(index: int) -> int:
        time.sleep(0.5 if index == 0 else 0)
        return index

    it = iter(DataLoader(Rows(slow), 6, num_workers=1, timeout=0.05))
    with pytest.raises(WorkerError, match=r"no batch within 0\.05 seconds") as found:
        next(it)
    assert "timeout=" in str(found.value.hint)
    batches: list[Any] = []
    while len(batches) < 2:  # it was late, not lost
        try:
            batches.append(next(it).tolist())
        except WorkerError:
            continue
    assert batches == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


def test_workers_end_with_the_iterator() -> None:
    loader = DataLoader(Rows(int, 100), 2, num_workers=2)
    it = iter(loader)
    next(it)
    assert len(children()) == 2
    del it
    assert children() == set()
    assert len(list(loader)) == 50
    assert children() == set(), "and when the epoch is over"


def test_a_busy_worker_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrograd.utils.data.pool.STOP_SECONDS", 0.2)
    it = iter(DataLoader(Rows(lambda i: time.sleep(60) if i else 0, 4), None, num_workers=1))
    next(it)
    start = time.monotonic()
    it.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 5
    assert children() == set()


def test_kept_workers() -> None:
    loader = DataLoader(
        Rows(lambda i: os.getpid(), 8),
        2,
        num_workers=2,
        persistent_workers=True,
        worker_init_fn=lambda i: None,
    )
    first = {int(p) for batch in loader for p in batch}
    second = {int(p) for batch in loader for p in batch}
    assert first == second == children()
    early = iter(loader)
    next(early)
    late = iter(loader)
    with pytest.raises(StateError, match="have begun another epoch"):
        next(early)
    assert len(list(late)) == 4, "what was left of the epoch before is not taken for this one's"
    del loader, early, late
    assert children() == set()


def test_what_a_worker_knows() -> None:
    assert get_worker_info() is None
    marks: list[int] = []

    def begin(worker: int) -> None:
        info = get_worker_info()
        assert info is not None
        marks.append(info.id)
        info.dataset.n = 7  # its own copy

    def look(index: int) -> Any:
        info = get_worker_info()
        assert info is not None
        assert marks == [info.id]
        return info.id, info.num_workers, info.seed, info.dataset.n

    dataset = Rows(look, 4)
    rows = list(DataLoader(dataset, None, num_workers=2, worker_init_fn=begin))
    assert [(r[0], r[1], r[3]) for r in rows] == [(0, 2, 7), (1, 2, 7), (0, 2, 7), (1, 2, 7)]
    assert rows[1][2] == rows[0][2] + 1
    assert dataset.n == 4
    assert marks == []


def test_random_numbers_differ_by_batch_and_epoch_and_are_repeatable() -> None:
    loader = DataLoader(
        Rows(lambda i: (rg.rand(()).item(), np.random.rand(), random.random()), 4), 1, num_workers=2
    )

    def epoch() -> list[Any]:
        return [tuple(round(float(v), 12) for v in batch) for batch in loader]

    rg.manual_seed(0)
    first, second = epoch(), epoch()
    assert len({*first, *second}) == 8
    rg.manual_seed(0)
    assert (first, second) == (epoch(), epoch())


def test_batches_arrive_as_they_are_made() -> None:
    """Dtypes, flags and structure; tensors can be written to; a view is sent without the tensor that it looks into."""
    big = rg.rand(2000, 500)
    rows: list[Any] = [
        rg.arange(6).reshape(2, 3).t(), rg.tensor(3.0), rg.zeros(0, 4), rg.ones(2, dtype=rg.float64, requires_grad=True),
        {"a": (np.arange(3, dtype=np.int32), "text"), "b": [None, 1]}, big[3],
    ]  # fmt: skip
    found = list(DataLoader(rows, None, num_workers=1, collate_fn=lambda x: x))
    for a, b in zip(found[:4], rows[:4], strict=True):
        assert a.dtype is b.dtype
        assert a.requires_grad == b.requires_grad
        assert a.tolist() == b.tolist()
        assert tuple(a.shape) == tuple(b.shape)
        a.detach().add_(1)
    assert found[4]["a"][1] == "text"
    assert found[4]["b"] == [None, 1]
    assert found[4]["a"][0].dtype == np.int32
    assert found[5].numpy().base is None or found[5].numpy().base.nbytes <= 500 * 4
    from retrograd.utils.data.transport import pack

    assert sum(len(bytes(p)) for p in pack(big[3])) < 500 * 4 + 2000


class Share(IterableDataset[int]):
    """0 to 6 for the first worker, only 0 for the second."""

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()
        assert info is not None
        yield from range(7 if info.id == 0 else 1)


def test_streams_of_unequal_length() -> None:
    """When one worker has nothing left, the others go on; the order does not depend on how far ahead they read."""
    found = [
        [b.tolist() for b in DataLoader(Share(), 2, num_workers=2, prefetch_factor=ahead)]
        for ahead in (1, 2, 5)
    ]
    assert found[0] == [[0, 1], [0], [2, 3], [4, 5], [6]]
    assert found[1] == found[2] == found[0]


def test_the_workers_of_a_killed_program_end(tmp_path: Path) -> None:
    """Two loaders, so that the later workers hold copies of the pipes of the earlier ones."""
    program = f"""
import os, signal, time
from retrograd.utils.data import DataLoader
first, second = (iter(DataLoader(range(1000), 1, num_workers=2)) for _ in range(2))
next(first), next(second)
import multiprocessing
open({str(tmp_path / "pids")!r}, "w").write(" ".join(str(p.pid) for p in multiprocessing.active_children()))
os.kill(os.getpid(), signal.SIGKILL)
"""
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    process = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}, timeout=60
    )
    assert process.returncode == -signal.SIGKILL
    pids = [int(p) for p in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 4
    assert wait_until(lambda: not any(map(running, pids)), 15)


def running(pid: int) -> bool:
    """True for a process that has not ended, or is ended and not yet fetched by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_other_ways_to_start_processes() -> None:
    table = TensorDataset(rg.arange(10), rg.rand(10, 3))
    expected = [b[1].tolist() for b in DataLoader(table, 4)]
    for way in ("spawn", multiprocessing.get_context("spawn")):
        loader = DataLoader(table, 4, num_workers=1, multiprocessing_context=way)
        assert [b[1].tolist() for b in loader] == expected
    with pytest.raises(UsageError, match="cannot be sent to a worker process") as found:
        iter(DataLoader(Rows(lambda i: i), 2, num_workers=1, multiprocessing_context="spawn"))
    assert "multiprocessing_context='fork'" in str(found.value.hint)


def test_more_workers_than_processors_are_warned_of() -> None:
    with pytest.warns(UserWarning, match="4000 worker processes on"):
        DataLoader(range(4), num_workers=4000)
