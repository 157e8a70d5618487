"""Weights to and from safetensors files, with PyTorch as the other side; names that are nearly right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.errors import ModelFileError, UsageError


def test_a_state_dict_comes_back_the_same(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    rg.save(model.state_dict(), tmp_path / "w.safetensors")
    read = rg.load(tmp_path / "w.safetensors")
    assert read.keys() == model.state_dict().keys()
    assert all(
        rg.equal(read[name], t) and read[name].dtype is t.dtype for name, t in model.state_dict().items()
    )
    other = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    other.load_state_dict(read)
    x = rg.randn(5, 3)
    assert rg.equal(model.eval()(x), other.eval()(x))


def test_pytorch_reads_what_was_saved(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    load_file = pytest.importorskip("safetensors.torch").load_file
    ours = nn.Linear(3, 2)
    rg.save(ours.state_dict(), tmp_path / "w.safetensors")
    theirs = torch.nn.Linear(3, 2)
    theirs.load_state_dict(load_file(tmp_path / "w.safetensors"))
    assert np.array_equal(theirs.weight.detach().numpy(), ours.weight.detach().numpy())


def test_objects_and_damaged_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pickle"):
        rg.save(nn.Linear(2, 2), tmp_path / "w.safetensors")  # type: ignore[arg-type]
    (tmp_path / "w.safetensors").write_bytes(b"not a file of tensors")
    with pytest.raises(ModelFileError, match="damaged"):
        rg.load(tmp_path / "w.safetensors")


def test_nearly_right_names_are_told() -> None:
    with pytest.raises(AttributeError, match="did you mean 'sigmoid'"):
        _ = rg.sigmid
    with pytest.raises(AttributeError, match="did you mean 'Linear'"):
        _ = nn.Linaer


def test_summary_is_a_method_too() -> None:
    assert "26" in str(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).summary(rg.zeros(1, 3)))
