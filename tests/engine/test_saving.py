"""Weights to and from safetensors files, with PyTorch as the other side; names that are nearly right."""

from __future__ import annotations

import io
import pickle
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


@pytest.mark.parametrize("stream", [False, True])
def test_a_checkpoint_comes_back_the_same(tmp_path: Path, stream: bool) -> None:
    net = nn.Linear(2, 2)
    optimizer = rg.optim.Adam(net.parameters(), lr=0.1)
    net(rg.ones(3, 2)).sum().backward()
    optimizer.step()
    whole = {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "best": float("inf"),
        "names": ["a", None, True],
        "shape": (2, (3,)),
        "counts": np.arange(4),
        "random": rg.get_rng_state(),
        "dtype": rg.float64,
        7: np.float32(1.5),
    }
    target = io.BytesIO() if stream else tmp_path / "c.safetensors"
    rg.save(whole, target)
    if isinstance(target, io.BytesIO):
        target.seek(0)
    read = rg.load(target)
    assert read.keys() == whole.keys()
    assert (read["epoch"], read["best"], read["names"], read["shape"]) == (
        3,
        float("inf"),
        ["a", None, True],
        (2, (3,)),
    )
    assert isinstance(read["counts"], np.ndarray)
    assert read["dtype"] is rg.float64
    assert read[7] == 1.5
    fresh = nn.Linear(2, 2)
    again = rg.optim.Adam(fresh.parameters(), lr=0.5)
    fresh.load_state_dict(read["model"])
    again.load_state_dict(read["optimizer"])
    for n, o in ((net, optimizer), (fresh, again)):
        o.zero_grad()
        n(rg.ones(3, 2)).square().sum().backward()
        o.step()
    assert rg.equal(net.weight, fresh.weight)


class Executed:
    """Would write a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.write_text, (self.path, "executed")


@pytest.mark.parametrize("how", ["pickle", "torch", "torch, old form"])
def test_a_pickle_is_refused_with_the_reason(tmp_path: Path, how: str) -> None:
    path, witness = tmp_path / "weights.pt", tmp_path / "witness"
    if how == "pickle":
        path.write_bytes(pickle.dumps({"a": Executed(witness)}))
    else:
        torch = pytest.importorskip("torch")
        torch.save({"a": Executed(witness)}, path, _use_new_zipfile_serialization=how == "torch")
    with pytest.raises(ModelFileError, match="is a pickle") as caught:
        rg.load(path)
    assert "safetensors" in str(caught.value.hint)
    assert not witness.exists()


def test_options_of_pytorchs_load(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(FileNotFoundError):
        rg.load(path)
    rg.save({"a": rg.ones(2)}, path)
    for options in ({"map_location": "cpu"}, {"map_location": rg.device("cpu"), "weights_only": True}):
        assert rg.load(path, **options)["a"].tolist() == [1, 1]
    with pytest.raises(UsageError, match="runs on the CPU"):
        rg.load(path, map_location="cuda")


def test_what_cannot_be_saved_says_where(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a set cannot be saved \(at a.1\)"):
        rg.save({"a": [1, {2}]}, tmp_path / "x")
    with pytest.raises(UsageError, match="key of type tuple"):
        rg.save({(1, 2): 3}, tmp_path / "x")
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(UsageError, match="nested"):
        rg.save(deep, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_nearly_right_names_are_told() -> None:
    with pytest.raises(AttributeError, match="did you mean 'sigmoid'"):
        _ = rg.sigmid
    with pytest.raises(AttributeError, match="did you mean 'Linear'"):
        _ = nn.Linaer


def test_summary_is_a_method_too() -> None:
    assert "26" in str(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).summary(rg.zeros(1, 3)))
