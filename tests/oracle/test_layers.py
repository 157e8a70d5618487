"""Layers and whole networks against PyTorch: the same weights give the same outputs, gradients, buffers and reprs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
import retrograd.nn.functional as F
from oracle.compare import close, compare, ours, theirs, torch
from retrograd import nn

T = torch.nn
DTYPES = ("float64", "float32")


def copy_weights(mine: nn.Module, other: Any) -> None:
    """PyTorch's weights into ours, by name; the names must be the same."""
    mine.load_state_dict(
        {key: value.detach().numpy() for key, value in other.state_dict().items()}, assign=True
    )


def same_run(mine: nn.Module, other: Any, x: np.ndarray[Any, Any], dtype: str, steps: int = 1) -> None:
    """Outputs, input gradients, parameter gradients and buffers, over several passes."""
    random = np.random.default_rng(0)
    for _ in range(steps):
        kind = x.dtype if x.dtype.kind != "f" else dtype
        values = (x if x.dtype.kind != "f" else x + random.normal(size=x.shape)).astype(kind)
        a, b = ours(values, True), theirs(values, True)
        y, z = mine(a), other(b)
        close(y, z, dtype, "output")
        weights = random.normal(size=tuple(z.shape)).astype(dtype)
        y.backward(rg.tensor(weights))
        z.backward(torch.tensor(weights))
        if b.grad is not None:
            close(a.grad, b.grad, dtype, "input gradient")
    for (name, p), (_, q) in zip(mine.named_parameters(), other.named_parameters(), strict=True):
        close(p.grad, q.grad, dtype, name)
    for (name, p), (other_name, q) in zip(mine.named_buffers(), other.named_buffers(), strict=True):
        assert name == other_name
        close(p, q, dtype, name)


@pytest.mark.parametrize("dtype", DTYPES)
def test_linear(dtype: str) -> None:
    random = np.random.default_rng(1)
    for trial in range(30):
        n_in, n_out = (int(k) for k in random.integers(1, 9, size=2))
        lead = tuple(int(k) for k in random.integers(1, 5, size=int(random.integers(0, 4))))
        other = T.Linear(n_in, n_out, bias=trial % 3 > 0, dtype=getattr(torch, dtype))
        mine = nn.Linear(n_in, n_out, bias=trial % 3 > 0, dtype=getattr(rg, dtype))
        copy_weights(mine, other)
        same_run(mine, other, random.normal(size=(*lead, n_in)), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_embedding(dtype: str) -> None:
    random = np.random.default_rng(2)
    for padding, shape in itertools.product((None, 0, 3, -1), [(), (5,), (2, 3), (0,), (2, 2, 2)]):
        other = T.Embedding(6, 4, padding_idx=padding, dtype=getattr(torch, dtype))
        mine = nn.Embedding(6, 4, padding_idx=padding, dtype=getattr(rg, dtype))
        copy_weights(mine, other)
        same_run(mine, other, random.integers(0, 6, size=shape), dtype, steps=2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_norm(dtype: str) -> None:
    random = np.random.default_rng(3)
    grid = itertools.product(
        (0.1, 0.5, None), (True, False), (True, False), [(6, 3), (4, 3, 5)], (1e-5, 1e-2)
    )
    for momentum, affine, track, shape, eps in grid:
        options = {"momentum": momentum, "affine": affine, "track_running_stats": track, "eps": eps}
        other = T.BatchNorm1d(3, dtype=getattr(torch, dtype), **options)
        mine = nn.BatchNorm1d(3, dtype=getattr(rg, dtype), **options)
        if affine:
            with torch.no_grad():
                other.weight.uniform_(0.5, 2)
                other.bias.normal_()
        copy_weights(mine, other)
        x = random.normal(size=shape) * 2 + 1
        same_run(mine, other, x, dtype, steps=3)
        mine.eval(), other.eval()
        mine.zero_grad(), other.zero_grad()
        same_run(mine, other, x, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layer_norm(dtype: str) -> None:
    random = np.random.default_rng(4)
    for shape, normalized in [
        ((5, 4), 4),
        ((2, 3, 4), (3, 4)),
        ((2, 3, 4), (4,)),
        ((4,), (4,)),
        ((2, 3, 4), (2, 3, 4)),
    ]:
        for affine, bias, eps in itertools.product((True, False), (True, False), (1e-5, 0.1)):
            options = {"elementwise_affine": affine, "bias": bias, "eps": eps}
            other = T.LayerNorm(normalized, dtype=getattr(torch, dtype), **options)
            mine = nn.LayerNorm(normalized, dtype=getattr(rg, dtype), **options)
            if affine:
                with torch.no_grad():
                    other.weight.uniform_(0.5, 2)
            copy_weights(mine, other)
            same_run(mine, other, random.normal(size=shape) * 3 + 2, dtype)


def test_functional_forms() -> None:
    random = np.random.default_rng(5)
    x, w, b = random.normal(size=(4, 3)), random.normal(size=(2, 3)), random.normal(size=2)
    compare(F.linear, T.functional.linear, [x, w, b])
    scale, shift = random.normal(size=3), random.normal(size=3)
    compare(
        lambda *a: F.layer_norm(a[0], (3,), a[1], a[2]),
        lambda *a: T.functional.layer_norm(a[0], (3,), a[1], a[2]),
        [x, scale, shift],
    )
    mean, var = random.normal(size=3), random.uniform(0.5, 2, size=3)
    for training in (False, True):
        compare(
            lambda *a, t=training: F.batch_norm(a[0], rg.tensor(mean), rg.tensor(var), a[1], a[2], t),
            lambda *a, t=training: T.functional.batch_norm(a[0], torch.tensor(mean), torch.tensor(var), a[1], a[2], t),
            [x, scale, shift],
        )  # fmt: skip
    labels = random.integers(0, 5, size=(2, 3))
    for classes in (-1, 5, 7):
        np.testing.assert_array_equal(
            F.one_hot(ours(labels), classes).numpy(), T.functional.one_hot(theirs(labels), classes).numpy()
        )


def _networks() -> list[tuple[str, Any, tuple[int, ...]]]:
    """Built by the same lines from either library."""

    def deep(m: Any) -> Any:
        return m.Sequential(
            m.Linear(5, 16, bias=False), m.BatchNorm1d(16), m.GELU(), m.Linear(16, 12), m.LayerNorm(12), m.SiLU(),
            m.Dropout(0.0), m.Sequential(m.Linear(12, 8, bias=False), m.ELU(), m.Linear(8, 3)), m.LogSoftmax(1),
        )  # fmt: skip

    def image(m: Any) -> Any:
        return m.Sequential(
            m.Flatten(), m.Linear(24, 10), m.PReLU(10), m.Linear(10, 4), m.Softplus(), m.Identity()
        )

    def words(m: Any) -> Any:
        return m.Sequential(
            m.Embedding(11, 4, padding_idx=0), m.Flatten(), m.Linear(12, 6), m.Tanh(), m.Linear(6, 2)
        )

    return [("deep", deep, (7, 5)), ("image", image, (3, 2, 3, 4)), ("words", words, (5, 3))]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "build", "shape"), _networks())
def test_network_of_torch_weights_through_safetensors(
    name: str, build: Any, shape: tuple[int, ...], dtype: str, tmp_path: Path
) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    load_file = pytest.importorskip("safetensors.numpy").load_file
    torch.manual_seed(1)
    other = build(T).to(getattr(torch, dtype))
    mine = build(nn).to(getattr(rg, dtype))
    assert list(mine.state_dict()) == list(other.state_dict())
    assert repr(mine) == repr(other)
    save_file(other.state_dict(), str(tmp_path / "weights.safetensors"))
    loaded = mine.load_state_dict(load_file(str(tmp_path / "weights.safetensors")))
    assert loaded == ([], [])
    random = np.random.default_rng(6)
    x = random.integers(0, 11, size=shape) if name == "words" else random.normal(size=shape)
    same_run(mine, other, x, dtype)
    mine.eval(), other.eval()
    mine.zero_grad(), other.zero_grad()
    same_run(mine, other, x, dtype)


def test_our_weights_load_in_torch(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.numpy").save_file
    load_file = pytest.importorskip("safetensors.torch").load_file
    _, build, shape = _networks()[0]
    mine, other = build(nn), build(T)
    save_file({k: v.numpy() for k, v in mine.state_dict().items()}, str(tmp_path / "w.safetensors"))
    other.load_state_dict(load_file(str(tmp_path / "w.safetensors")))
    same_run(mine, other, np.random.default_rng(0).normal(size=shape), "float32")


@pytest.mark.parametrize(
    "build",
    [
        lambda m: m.Linear(3, 4, bias=False),
        lambda m: m.Embedding(4, 3, padding_idx=-1),
        lambda m: m.Dropout(0.2),
        lambda m: m.BatchNorm1d(4, momentum=None),
        lambda m: m.LayerNorm((2, 3), elementwise_affine=False),
        lambda m: m.ELU(0.5),
        lambda m: m.ELU(inplace=True),
        lambda m: m.ReLU(inplace=True),
        lambda m: m.SiLU(),
        lambda m: m.Mish(),
        lambda m: m.Softplus(),
        lambda m: m.Hardtanh(),
        lambda m: m.LeakyReLU(0.2, inplace=True),
        lambda m: m.Softmax(dim=1),
        lambda m: m.Threshold(1, 2),
        lambda m: m.PReLU(3),
        lambda m: m.GLU(),
        lambda m: m.Softshrink(),
        lambda m: m.Unflatten(1, (2, 3)),
        lambda m: m.CrossEntropyLoss(label_smoothing=0.1),
        lambda m: m.MSELoss(),
        lambda m: m.ModuleList([m.Linear(1, 1), m.Linear(1, 1), m.ReLU()]),
        lambda m: m.ModuleList(),
        lambda m: m.ModuleDict({"a": m.ReLU(), "b": m.Sequential(m.Tanh())}),
        lambda m: m.Sequential(m.ModuleList([m.Sequential(m.Linear(2, 2)), m.Sequential(m.Linear(2, 2))])),
    ],
)
def test_repr_and_state_keys(build: Any) -> None:
    mine, other = build(nn), build(T)
    assert repr(mine) == repr(other)
    assert {k: tuple(v.shape) for k, v in mine.state_dict().items()} == {
        k: tuple(v.shape) for k, v in other.state_dict().items()
    }
    assert [n for n, _ in mine.named_modules()] == [n for n, _ in other.named_modules()]


def test_strict_loading_names_the_same_keys_as_torch() -> None:
    mine, other = (
        nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)),
        T.Sequential(T.Linear(2, 3), T.BatchNorm1d(3)),
    )
    state = other.state_dict()
    state["extra"] = state.pop("0.bias")
    theirs_said = other.load_state_dict(state, strict=False)
    ours_said = mine.load_state_dict({k: v.numpy() for k, v in state.items()}, strict=False)
    assert list(ours_said.missing_keys) == list(theirs_said.missing_keys)
    assert list(ours_said.unexpected_keys) == list(theirs_said.unexpected_keys)
