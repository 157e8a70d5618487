"""``retrograd bench``, with libraries that are none: what it prints, never how long anything took."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from typing import Any

import pytest

from bench.conftest import fake_peers
from bench.support import FAKE
from cli.support import check_snapshot
from retrograd.bench import Net, Peer, measure
from retrograd.bench.measure import Plan

__all__ = ["fake_peers"]

NET = Net("2-3-1", (2, 3, 1), 4, {1: 0.3})


@pytest.fixture(autouse=True)
def small(fake_peers: tuple[Peer, ...], monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A tiny net, two rounds, nothing to wait for."""
    plan = Plan([NET], fake_peers, rounds=2, seconds=0.002, rates=False, first_calls=0)
    monkeypatch.setattr(measure, "quick", lambda threads: dataclasses.replace(plan, threads=(threads,)))
    here = {"cpu": "a CPU", "cores": 2, "system": "Unix", "python": "3.12"}
    monkeypatch.setattr(measure, "machine", lambda: here)
    return plan


def shape(value: Any) -> Any:
    """The names and kinds of what was measured, without what it came to."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return "number" if isinstance(value, int | float) else value


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not tell the memory")
def test_the_shape_of_its_json(cli, small: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dataclasses.replace(small, first_calls=1, memory=[NET], one_row=NET, digits=1)
    monkeypatch.setattr(measure, "quick", lambda threads: whole)
    result = cli("bench", "--quick", "--json", "--quiet")
    assert (result.code, result.err) == (0, "")
    check_snapshot("bench_json", json.dumps(shape(json.loads(result.out)), indent=1))


def test_what_people_see(cli) -> None:
    result = cli("bench", "--quick", "--threads", 2)
    assert result.code == 0
    assert result.err.splitlines()[0] == "2-3-1, batch 4, 2 threads"
    text = re.sub(r"\d+(\.\d+)? (us|ms|s)\b|\d+\.\d+", "#", result.out)
    check_snapshot("bench", re.sub(" +", " ", text))


def test_more_threads_than_cores(cli) -> None:
    result = cli("bench", "--threads", 3)
    assert result.code == 2
    assert "--threads 3: this machine has 2 cores for it" in result.err
    assert "hint: --threads 2" in result.err


def test_who_fails_is_told(cli, fake_peers: tuple[Peer, ...]) -> None:
    fake_peers[0].script.write_text(FAKE.replace("return 0.5", "return 1 / 0"), encoding="utf-8")
    result = cli("bench", "--quick")
    assert result.code == 0
    assert "PyTorch is left out: PyTorch: ZeroDivisionError: division by zero" in result.err
