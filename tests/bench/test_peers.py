"""Processes of other libraries: started, asked, and given up when they break; ours are real."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bench.support import FAKE, write_peer
from retrograd.bench import OURS, PEERS, Net, Peer, measure_step
from retrograd.bench import peers as processes
from retrograd.bench.limit import Limit, build
from retrograd.bench.peers import CONTROL, OPENBLAS, SLABS, Worker, WorkerError, command, environment

ROOT = Path(__file__).resolve().parents[2]
NET = Net("tiny", (3, 4, 2), 8)


def test_a_worker_makes_nets_and_times_them(tmp_path: Path) -> None:
    with Worker(write_peer(tmp_path, "fake"), 1) as worker:
        assert worker.hello["version"] == "1.2"
        first, second = (worker.ask("make", what="training", sizes=[3, 4, out], batch=5) for out in (1, 2))
        assert (first["number"], second["number"], second["value"]) == (0, 1, 0.5)
        assert worker.ask("time", n=3)["seconds"] > 0
        assert worker.ask("time", n=3, number=0)["seconds"] > 0
        assert worker.ask("idle", seconds=0.01)["cpu"] < 0.01
        assert worker.ask("forget") == {}
        memory = worker.ask("memory")
        assert memory["now"] is None or memory["peak"] >= memory["now"] > 5
        worker._process.kill()
        with pytest.raises(WorkerError, match="fake ended"):
            worker.ask("time", n=3)


def test_what_a_script_raises_is_told_and_the_process_goes_on(tmp_path: Path) -> None:
    with Worker(write_peer(tmp_path, "fake"), 1) as worker:
        with pytest.raises(WorkerError, match="fake: KeyError: 'cooking'"):
            worker.ask("make", what="cooking", sizes=[3, 1], batch=5)
        assert worker.ask("make", what="training", sizes=[3, 1], batch=5)["value"] == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_library", "fake: ModuleNotFoundError: No module named 'no_such_library'"),
        ("import os, sys; print('out of paper', file=sys.stderr); os._exit(3)", "fake ended: out of paper"),
        ("import os; os._exit(3)", "fake ended: it said nothing"),
    ],
)
def test_a_library_that_does_not_start(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WorkerError) as caught:
        Worker(write_peer(tmp_path, "fake", text), 1)
    assert caught.value.message == message


def test_a_library_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = write_peer(tmp_path, "fake", FAKE + "import time\ntime.sleep(60)")
    monkeypatch.setattr(processes, "PATIENCE", 0.2)
    with pytest.raises(WorkerError, match="fake gave no answer"):
        Worker(peer, 1)


def test_a_row_without_who_fails(tmp_path: Path, fake_peers: tuple[Peer, ...]) -> None:
    broken = write_peer(tmp_path, "broken", FAKE.replace("return 0.5 *", "raise ValueError('no luck')  #"))
    told: list[str] = []
    row = measure_step(NET, 1, [fake_peers[0], broken], rounds=2, seconds=0.002, rates=False, log=told.append)
    assert row["errors"] == {"broken": "broken: ValueError: no luck"}
    assert told == ["  broken is left out: broken: ValueError: no luck"]
    assert row["best"] == "PyTorch"
    assert row["us"].keys() == {"Retrograd", "PyTorch"}
    assert row["ratio"] > 0
    assert json.loads(json.dumps(row)) == row


def test_nothing_but_numpy_is_loaded_to_measure_others() -> None:
    code = (
        "import sys; from retrograd.bench import measure, tables, PEERS; [peer.there() for peer in PEERS];"
        "print([m for m in ('torch', 'jax', 'sklearn', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(1, ""), check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("peer", [OURS, *PEERS, CONTROL, OPENBLAS], ids=lambda peer: peer.name)
def test_scripts_are_python(peer: Peer) -> None:
    text = peer.script.read_text(encoding="utf-8")
    compile(text, str(peer.script), "exec")
    assert "VERSION = " in text


@pytest.mark.parametrize("sizes", [[5, 7, 1], [5, 7, 3]])
def test_ours_learns_in_its_process(sizes: list[int]) -> None:
    with Worker(OURS, 1) as worker:
        first = worker.ask("make", what="training", sizes=sizes, batch=16)["value"]
        assert worker.ask("time", n=300)["value"] < first
        worker.ask("make", what="prediction", sizes=sizes, batch=1)
        assert worker.ask("time", n=3)["seconds"] > 0


def test_products_are_the_same_work_by_openblas_and_by_ours() -> None:
    for peer in (OPENBLAS, SLABS):
        if not peer.there():
            pytest.skip("scipy-openblas32 is not installed")
        with Worker(peer, 1) as worker:
            worker.ask("make", what="products", sizes=[5, 7, 3], batch=16)
            assert worker.ask("time", n=3)["seconds"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_peers_learn_the_same(peer: Peer) -> None:
    """So that times of the same work are compared: every loss falls, and the digits are learnt."""
    if not peer.there():
        pytest.skip(f"{peer.module} is not installed")
    with Worker(peer, 1) as worker:
        for sizes in ([5, 7, 3], [5, 7, 1])[: 1 if peer.name == "torch.compile" else 2]:  # it takes its time
            first = worker.ask("make", what="training", sizes=sizes, batch=16)["value"]
            assert worker.ask("time", n=300)["value"] < first


@pytest.mark.slow
@pytest.mark.parametrize("peer", [OURS, *PEERS], ids=lambda peer: peer.name)
def test_whole_processes_learn_the_digits(peer: Peer, tmp_path: Path) -> None:
    if not peer.there() or "def digits" not in peer.script.read_text(encoding="utf-8"):
        pytest.skip(f"{peer.name} is not installed, or takes no part")
    from retrograd.bench.whole import write_digits

    done = subprocess.run(
        [*command(peer, 1), "digits", str(write_digits(tmp_path)), "10"],
        capture_output=True,
        text=True,
        env=environment(1, str(tmp_path / "cache")),
        check=True,
    )
    assert json.loads(done.stdout)["accuracy"] > 0.93


def test_the_limit_study_trains() -> None:
    with tempfile.TemporaryDirectory() as folder:
        program = build(ROOT / "benchmarks" / "limit.c", Path(folder))
        if program is None:
            pytest.skip("no C compiler, or no OpenBLAS")
        study = Limit(program, NET, 1)
        assert 0 < study(10) < study(20_000)
        study.close()


def test_no_limit_study_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert build(ROOT / "benchmarks" / "limit.c", tmp_path) is None
