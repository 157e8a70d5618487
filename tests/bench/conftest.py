"""Libraries that are none, in processes of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.support import write_peer
from retrograd.bench import Peer, steps, whole


@pytest.fixture
def fake_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Peer, ...]:
    """A peer that works, and one that is not installed; Retrograd is a fake, too, so that nothing is compiled."""
    ours = write_peer(tmp_path, "Retrograd")
    monkeypatch.setattr(steps, "OURS", ours)
    monkeypatch.setattr(whole, "OURS", ours)
    absent = Peer("absent", "no_such_library", tmp_path / "absent.txt")
    return write_peer(tmp_path, "PyTorch"), absent
