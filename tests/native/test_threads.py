"""Programs on several threads: the same bits for any number, from any caller, after a fork, and nothing left behind."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import compilation, nn, optim, threads
from retrograd.errors import UsageError

pytest.importorskip("llvmlite")

from retrograd.lower.native import blas, pool, together

EVERYTHING = {"ROW": 0.0, "PROGRAM": 0.0, "START": -1e18}


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    with threads.num_threads(threads.get_num_threads()):
        yield
    pool._end()


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row that has slabs is cut, whatever its work."""
    for name, value in EVERYTHING.items():
        monkeypatch.setattr(together, name, value)


# -- whole networks ------------------------------------------------------------------------------------------------------


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(33, 201), nn.ReLU(), nn.Linear(201, 64), nn.Tanh(), nn.Linear(64, 5))


def with_dropout() -> nn.Module:
    return nn.Sequential(nn.Linear(33, 300), nn.GELU(), nn.Dropout(0.3), nn.Linear(300, 5))


def with_norms() -> nn.Module:
    return nn.Sequential(
        nn.Linear(33, 160),
        nn.BatchNorm1d(160),
        nn.SiLU(),
        nn.Linear(160, 130),
        nn.LayerNorm(130),
        nn.Linear(130, 5),
    )


def deep() -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(33, 70)]
    for _ in range(6):
        layers += [nn.Sigmoid(), nn.Linear(70, 70)]
    return nn.Sequential(*layers, nn.Linear(70, 5))


class Attention(nn.Module):
    """Words looked up, and read by each other."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 48)
        self.turn = nn.Linear(48, 144)
        self.last = nn.Linear(33 * 48, 5)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        at = self.words((x * 10).abs().long() % 50)
        q, k, v = self.turn(at).chunk(3, dim=-1)
        weights = rg.softmax(q @ k.transpose(1, 2) / 7.0, dim=-1)
        return self.last((weights @ v).flatten(1))


Make = Callable[[], nn.Module]
NETS: dict[str, tuple[Make, str, int]] = {
    "perceptron": (perceptron, "Adam", 150),
    "dropout": (with_dropout, "AdamW", 100),
    "norms": (with_norms, "SGD", 127),
    "deep": (deep, "RMSprop", 130),
    "attention": (Attention, "Adam", 11),
}


class Training:
    """A network and its compiled step, always from the same start."""

    def __init__(self, name: str) -> None:
        layers, optimizer, rows = NETS[name]
        rg.manual_seed(1)
        r = np.random.default_rng(2)
        self.x = rg.tensor(r.normal(size=(rows, 33)).astype("float32"))
        self.y = rg.tensor(r.integers(0, 5, rows))
        self.model = layers()
        self.optimizer = getattr(optim, optimizer)(self.model.parameters(), lr=0.01)
        self.losses: list[bytes] = []

        def step(x: rg.Tensor, y: rg.Tensor) -> rg.Tensor:
            self.optimizer.zero_grad()
            loss = nn.functional.cross_entropy(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            return loss

        self.step = compilation.compile(step, backend="native")

    def go(self, steps: int) -> Training:
        for _ in range(steps):
            self.losses.append(self.step(self.x, self.y).numpy().tobytes())
        return self

    def digest(self) -> str:
        """SHA-256 of everything there is after the last step."""
        found = hashlib.sha256(b"".join(self.losses))
        for p in self.model.parameters():
            assert p.grad is not None
            for t in (p.detach(), p.grad, *_tensors(self.optimizer.state[p])):
                found.update(t.numpy().tobytes())
        for b in self.model.buffers():
            found.update(b.numpy().tobytes())
        return found.hexdigest()


def _tensors(state: dict[str, Any]) -> list[rg.Tensor]:
    return [state[k] for k in sorted(state) if isinstance(state[k], rg.Tensor)]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many threads each run of the pool had."""
    seen: list[int] = []
    real = pool.Pool.run

    def run(self: pool.Pool, table: int, count: int) -> None:
        if count >= 0:
            seen.append(self.kind[1])
        real(self, table, count)

    monkeypatch.setattr(pool.Pool, "run", run)
    return seen


@pytest.mark.parametrize("steps", [30, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", NETS)
def test_the_bits_are_those_of_one_thread(name: str, steps: int, everything: None, runs: list[int]) -> None:
    digests = []
    for n in (1, 2, 3, 4):
        rg.set_num_threads(n)
        digests.append((Training(name).go(steps).digest(), rg.get_rng_state().numpy().tobytes()))
    assert len(set(digests)) == 1
    assert set(runs) == {2, 3, 4}
    assert len(runs) >= 3 * steps


def test_the_number_of_threads_changes_between_steps(everything: None) -> None:
    rg.set_num_threads(1)
    expected = Training("perceptron").go(40).digest()
    training = Training("perceptron")
    for n in (2, 1, 3, 3, 2, 4, 1, 2):
        rg.set_num_threads(n)
        training.go(5)
    assert training.digest() == expected


def test_without_a_futex_threads_sleep_in_python(everything: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rg.set_num_threads(1)
    expected = Training("perceptron").go(6).digest()
    monkeypatch.setattr(pool, "SLEEPING", False)
    for n in (2, 3):
        rg.set_num_threads(n)
        assert Training("perceptron").go(6).digest() == expected
    before = threading.active_count()
    pool._end()
    assert threading.active_count() == before - 2


def test_callers_at_once(everything: None) -> None:
    names = ["perceptron", "deep", "norms"]
    rg.set_num_threads(1)
    expected = [Training(name).go(30).digest() for name in names]
    rg.set_num_threads(2)
    trainings = [Training(name) for name in names]  # made one after the other: the seed is everybody's
    started = threading.Barrier(len(names))

    def train(training: Training) -> None:
        started.wait()
        training.go(30)

    callers = [threading.Thread(target=train, args=(t,)) for t in trainings]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert [t.digest() for t in trainings] == expected


def test_one_program_from_two_threads(everything: None) -> None:
    rg.set_num_threads(2)
    f = compilation.compile(lambda x: (x.exp() * 2).sum(1), backend="native")
    x = rg.tensor(np.random.default_rng(0).normal(size=(300, 200)))
    expected = f(x).numpy().tobytes()
    wrong: list[int] = []

    def call() -> None:
        for k in range(50):
            if f(x).numpy().tobytes() != expected:
                wrong.append(k)

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong


def test_small_programs_never_use_the_pool(runs: list[int]) -> None:
    rg.set_num_threads(2)
    f = compilation.compile(lambda x: (x * 2 + 1).tanh(), backend="native")
    f(rg.ones(1000))
    assert not runs
    assert pool._pool is None


def test_large_programs_do(runs: list[int]) -> None:
    rg.set_num_threads(2)
    f = compilation.compile(lambda x: ((x * 2 + 1).tanh() + x).exp(), backend="native")
    f(rg.ones(2_000_000))
    assert runs == [2]


def test_idle_threads_take_no_time(everything: None) -> None:
    rg.set_num_threads(2)
    Training("perceptron").go(3)
    time.sleep(0.02)
    before = time.process_time()
    time.sleep(0.4)
    assert time.process_time() - before < 0.02


def test_when_the_system_gives_no_threads(everything: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rg.set_num_threads(1)
    expected = Training("perceptron").go(3).digest()

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    rg.set_num_threads(3)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert Training("perceptron").go(3).digest() == expected
    assert pool._pool is None
    assert pool._refused == 3
    monkeypatch.setattr(pool, "_refused", 0)


# -- the public numbers ----------------------------------------------------------------------------------------------------


def test_numbers_of_threads() -> None:
    rg.set_num_threads(3)
    assert rg.get_num_threads() == 3
    with threads.num_threads(2):
        assert rg.get_num_threads() == 2
    assert rg.get_num_threads() == 3
    for wrong in (0, -1, 1.5, True, "2"):
        with pytest.raises(UsageError, match="threads"):
            rg.set_num_threads(wrong)
        with pytest.raises(UsageError, match="threads"), threads.num_threads(wrong):  # type: ignore[arg-type]
            pass
    assert rg.get_num_threads() == 3
    assert threads.available() == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else True


def blas_threads() -> dict[bool, set[int]]:
    """How many threads the BLAS libraries have: that of programs (True), and the others (False)."""
    from threadpoolctl import threadpool_info

    found: dict[bool, set[int]] = {}
    for library in threadpool_info():
        if library["user_api"] == "blas":
            found.setdefault(threads.OWN_LIBRARY in library["filepath"], set()).add(library["num_threads"])
    return found


@pytest.mark.skipif(not blas.available(), reason="needs scipy-openblas32")
def test_the_library_of_programs_keeps_to_one_thread() -> None:
    rg.set_num_threads(2)
    found = blas_threads()
    assert found[True] == {1}
    assert all(n == {2} for own, n in found.items() if not own)
    with threads.num_threads(3):
        assert blas_threads()[True] == {1}


@pytest.mark.skipif(not blas.available(), reason="needs scipy-openblas32")
def test_whoever_sets_that_library_does_not_change_bits() -> None:
    from threadpoolctl import threadpool_limits

    seen: list[tuple[int, int]] = []

    def run(table: int, count: int) -> None:
        assert blas_threads()[True] == {1}
        seen.append((table, count))

    guarded = blas.guarded(run, [blas.gemm_kernel("float", False, False, 16, None)])
    with threadpool_limits(3, user_api="blas"):
        assert blas_threads()[True] == {3}
        guarded(5, 7)
    assert seen == [(5, 7)]
    assert blas.guarded(run, []) is run
