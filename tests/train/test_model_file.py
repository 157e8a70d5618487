"""A model file runs without the class that made it, and a bad one does nothing but say what is wrong."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.errors import ModelFileError
from retrograd.tensor_file import read_tensor_file, write_tensor_file
from retrograd.train.model_file import load_model, save_model, trace_network
from retrograd.train.predict import load
from retrograd.train.tabular import Architecture, TabularNet, quantile_edges

NUMBERS = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
CODES = np.random.default_rng(1).integers(0, 5, size=(50, 2))


def network(architecture: Architecture) -> nn.Module:
    rg.manual_seed(0)
    edges = quantile_edges(NUMBERS, architecture.bins) if architecture.bins else None
    model = TabularNet(4, [5, 6], 3, architecture, edges)
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0.0, 0.3)
    return model


@pytest.fixture
def saved(tmp_path):
    model = network(Architecture(width=8, blocks=1, bins=4))
    path = tmp_path / "model.safetensors"
    save_model(path, trace_network(model, (NUMBERS, CODES)), {"unit": "dollars"})
    return model, path


@pytest.mark.parametrize(
    "architecture",
    [
        Architecture(width=8, blocks=2),
        Architecture(width=16, blocks=1, bins=8, activation="silu"),
        Architecture(hidden=(7, 5), activation="tanh", dropout=0.0),
        Architecture(hidden=()),
    ],
)
def test_a_saved_network_gives_the_same_outputs_for_any_number_of_rows(tmp_path, architecture):
    model = network(architecture).eval()
    path = tmp_path / "model.safetensors"
    save_model(path, trace_network(model, (NUMBERS, CODES)), {"x": [1, None]})
    loaded, facts = load_model(path)
    expected = model(rg.from_numpy(NUMBERS), rg.from_numpy(CODES)).detach().numpy()
    for rows in (0, 1, 7, 50):
        np.testing.assert_allclose(
            loaded((NUMBERS[:rows], CODES[:rows])), expected[:rows], rtol=1e-5, atol=1e-6
        )
    assert facts == {"x": [1, None]}
    again, _ = load_model(path)
    assert np.array_equal(loaded((NUMBERS, CODES)), again((NUMBERS, CODES)))


def test_an_own_module_with_batch_norm_needs_no_class_to_run(tmp_path):
    """Another process, which has never seen the class, gives the same numbers."""

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.norm, self.last = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 2)

        def forward(self, x):
            return self.last(self.norm(self.first(x)).relu()).softmax(dim=-1)

    rg.manual_seed(1)
    model = Own()
    model(rg.from_numpy(NUMBERS))  # moves the running statistics
    model.eval()
    path, rows, out = tmp_path / "own.safetensors", tmp_path / "rows.npy", tmp_path / "out.npy"
    save_model(path, trace_network(model, NUMBERS), {})
    np.save(rows, NUMBERS)
    program = (
        "import sys, numpy as np; from retrograd.train.model_file import load_model; "
        "network, _ = load_model(sys.argv[1]); np.save(sys.argv[3], network(np.load(sys.argv[2])))"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(path), str(rows), str(out)], check=True, env=_environment()
    )
    np.testing.assert_allclose(
        np.load(out), model(rg.from_numpy(NUMBERS)).detach().numpy(), rtol=1e-5, atol=1e-6
    )


def test_it_is_a_safetensors_file_that_others_can_read(saved):
    safetensors = pytest.importorskip("safetensors.numpy")
    model, path = saved
    weights = safetensors.load_file(path)
    for name, value in model.state_dict().items():
        assert np.array_equal(weights[name], value.detach().numpy())


def test_a_cut_or_altered_file_gets_an_error_and_no_more(saved, tmp_path):
    _, path = saved
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    bad = tmp_path / "bad.safetensors"
    for size in [0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1]:
        bad.write_bytes(content[:size])
        with pytest.raises(ModelFileError, match="damaged"):
            load_model(bad)
    bad.write_bytes(content + b"more")
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(bad)
    (length,) = struct.unpack("<Q", content[:8])
    refused = 0
    for _ in range(300):  # any byte of the header may be wrong: it loads as a valid graph, or it is refused
        altered = bytearray(content)
        altered[int(rng.integers(8 + length))] = int(rng.integers(256))
        bad.write_bytes(altered)
        error = refusal(bad)
        refused += error is not None
        assert error is None or error.hint
    assert refused > 200


def test_a_flipped_bit_anywhere_is_noticed(saved, tmp_path):
    _, path = saved
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    rng = np.random.default_rng(3)
    bad = tmp_path / "bad.safetensors"
    for place in rng.integers(8 + length, len(content), size=40):  # among the weights
        altered = bytearray(content)
        altered[place] ^= 1 << int(rng.integers(8))
        bad.write_bytes(altered)
        with pytest.raises(ModelFileError, match="damaged"):
            load_model(bad)
    load_model(path)  # control: the file itself is sound


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(saved, tmp_path, value):
    """Even with a checksum that fits: such a file was never a working model."""
    out = tmp_path / "nan.safetensors"
    rewritten(saved[1], out, lambda m, a: a["output.weight"].__setitem__((0, 0), value))
    with pytest.raises(ModelFileError, match=r"the file is damaged: 1 of .* 'output.weight' are not finite"):
        load_model(out)


def test_a_number_of_the_program_itself_may_be_infinite(tmp_path):
    """The maximum that softmax takes begins at -inf."""

    class Capped(nn.Module):
        def forward(self, x):
            return rg.where(x > 0, x, float("-inf")).logsumexp(dim=-1, keepdim=True)

    path = tmp_path / "own.safetensors"
    x = np.abs(NUMBERS)
    save_model(path, trace_network(Capped(), x), {})
    loaded, _ = load_model(path)
    assert np.isfinite(loaded(x)).all()


def test_missing_fields_and_swapped_arguments_are_said_in_words(saved, tmp_path):
    out = tmp_path / "hostile.safetensors"
    for change in (
        lambda m, a: m["graph"]["inputs"][0].pop("shape"),
        lambda m, a: m["graph"]["equations"][0].pop("op"),
        lambda m, a: m["graph"].update(inputs=None),
    ):
        rewritten(saved[1], out, change)
        with pytest.raises(ModelFileError, match=r"not valid|malformed|damaged") as error:
            load_model(out)
        assert "KeyError" not in str(error.value)
        assert "NoneType" not in str(error.value)
    for facts in (
        {"preparation": None},
        {"preparation": {"format": 1}, "task": None},
        {"task": {"kind": "binary"}},
    ):
        rewritten(saved[1], out, lambda m, a, facts=facts: m.update(facts=facts))
        with pytest.raises(ModelFileError, match="the preparation in this file is damaged") as error:
            load(out)
        assert "NoneType" not in str(error.value)
        assert "KeyError" not in str(error.value)
    table = tmp_path / "houses.csv"
    table.write_text("area,price\n1,2\n")
    with pytest.raises(ModelFileError, match="is not a model file") as error:
        load(table)
    assert "swap the arguments" in str(error.value)


def refusal(path) -> ModelFileError | None:
    """The error that loading ends in, if it does; any other exception is a failure."""
    try:
        load_model(path)
    except ModelFileError as error:
        return error
    return None


def rewritten(path, out, change) -> None:
    arrays, metadata = read_tensor_file(path)
    change(metadata, arrays)
    write_tensor_file(out, arrays, metadata)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda m, a: m["graph"]["equations"][0].update(op="os.system"), "unknown op"),
        (lambda m, a: m["graph"]["equations"][0].update(op="__import__"), "unknown op"),
        (lambda m, a: m["graph"]["equations"].reverse(), "not valid"),
        (lambda m, a: m["graph"]["equations"].append(m["graph"]["equations"][0]), "not valid"),
        (lambda m, a: m["graph"]["equations"][0].update(params={"x": {"dtype": "object"}}), "not valid"),
        (lambda m, a: m["graph"]["inputs"][0].update(shape=[1, 10**12]), "not valid|elements"),
        (lambda m, a: m["graph"]["inputs"][0].update(shape=[1, -4]), "not valid"),
        (lambda m, a: m["graph"].update(outputs=[]), "impossible size"),
        (lambda m, a: m["graph"].update(outputs=["nothing"]), "not valid"),
        (lambda m, a: m.update(graph=[[[[]]]]), "not valid"),
        (lambda m, a: m.update(graph="import os"), "not valid"),
        (lambda m, a: m.update(facts=7), "nothing about its data"),
        (lambda m, a: m.update(format="pt"), "not a network of Retrograd"),
        (lambda m, a: a.update(extra=np.zeros(3)), "belongs to nothing"),
        (lambda m, a: a.pop("output.weight"), "not valid"),
        (lambda m, a: a.update({"output.weight": np.zeros((3, 9), np.float32)}), "not valid"),
    ],
)
def test_a_hostile_graph_is_refused_before_anything_runs(saved, tmp_path, change, words):
    _, path = saved
    out = tmp_path / "hostile.safetensors"
    rewritten(path, out, change)
    with pytest.raises(ModelFileError, match=words) as error:
        load_model(out)
    assert error.value.hint
    assert str(out) in str(error.value)


def test_a_pickle_is_never_opened(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "executed"), "w"))

    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelFileError, match="pickle"):
        load_model(path)
    assert not (tmp_path / "executed").exists()
    header = json.dumps(
        {
            "__metadata__": {"graph": "!!python/object"},
            "a": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]},
        }
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))
    with pytest.raises(ModelFileError, match="damaged"):
        load_model(path)


def test_headers_that_lie_about_sizes_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"

    def write(header: object, body: bytes) -> None:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + body)

    overlapping = {
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
    }
    for header, body in [
        (overlapping, bytes(12)),
        ({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}, bytes(8)),
        ({"a": {"dtype": "F32", "shape": [True, 2], "data_offsets": [0, 8]}}, bytes(8)),
        (b'{"a": {"dtype":"F32","shape":[1],"data_offsets":[0,4]}, "a": 3}', bytes(4)),
        (b"[" * 100_000, b""),
        (b"\xff\xfe", b""),
        ([], b""),
    ]:
        write(header, body)
        with pytest.raises(ModelFileError, match="damaged"):
            read_tensor_file(path)
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")
    with pytest.raises(ModelFileError, match="damaged"):
        read_tensor_file(path)


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(ModelFileError, match="no file"):
        load_model(tmp_path / "nothing.safetensors")
    with pytest.raises(ModelFileError, match="is a folder"):
        load_model(tmp_path)


def test_rows_of_another_shape_are_refused(saved):
    loaded, _ = load_model(saved[1])
    with pytest.raises(ModelFileError, match="takes"):
        loaded((NUMBERS[:, :2], CODES))
    with pytest.raises(ModelFileError, match="2 inputs"):
        loaded((NUMBERS,))


def _environment() -> dict[str, str]:
    """For another process: it imports the same package."""
    return {**os.environ, "PYTHONPATH": str(Path(rg.__file__).parents[1])}
