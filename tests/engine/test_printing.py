"""What a script touches beside the mathematics: text, devices, NumPy, the older constructors."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

import retrograd as rg
from oracle.compare import torch
from retrograd.errors import RetrogradError

ARRAYS: list[Any] = [
    1.5, 3.0, -0.0, [], [[]], np.zeros((0, 3)), [1.5, float("nan"), float("inf")], [1e-8, 1.0], [1e6, 1.0], [1e9, 2e9],
    [0.0, -0.0], [1.0, 2.0, 3.0], [1.0, -20.0, 300.0], [0.1, 1000.0], [1e-5, 2e-5], [float("nan")], [-1, 20, 300],
    [[True, False]], [1234.5678, 0.5], np.arange(2000), np.arange(2000.0).reshape(40, 50), np.arange(24).reshape(2, 3, 4),
    np.arange(30.0), np.random.default_rng(0).normal(size=(3, 30)), np.random.default_rng(0).normal(size=(12, 12, 12)),
    np.ones((2, 2, 2, 2), "float32"), np.arange(3, dtype="int32"), np.array([1, 255], "uint8"), np.ones((1200, 2)),
]  # fmt: skip


def plain(text: str) -> str:
    """Our text with PyTorch's names of the dtypes."""
    return text.replace("retrograd.", "torch.")


@pytest.mark.parametrize("k", range(len(ARRAYS)))
def test_text_as_pytorch(k: int) -> None:
    assert plain(repr(rg.tensor(ARRAYS[k]))) == repr(torch.tensor(ARRAYS[k]))


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64]),
        hnp.array_shapes(max_dims=3, max_side=5),
        elements=st.integers(-(10**6), 10**6) | st.sampled_from([0, 1, 2]),
    ),
    st.sampled_from([1.0, 0.5, 1e-3, 1e-6, 1e5]),
)
def test_text_of_any_numbers_as_pytorch(array: np.ndarray, scale: float) -> None:
    given = (array * scale).astype(array.dtype) if array.dtype.kind == "f" else array
    assert plain(repr(rg.tensor(given))) == repr(torch.tensor(given))


def test_notes_as_pytorch() -> None:
    for m in (rg, torch):
        x = m.tensor([1.0, 2.0], dtype=m.float64, requires_grad=True)
        assert plain(repr(x)) == "tensor([1., 2.], dtype=torch.float64, requires_grad=True)"
        assert (
            plain(repr(x * 2)).replace("0>", ">")
            == "tensor([2., 4.], dtype=torch.float64, grad_fn=<MulBackward>)"
        )
        wide = plain(repr(m.arange(12.0, dtype=m.float64) + 0.123)).split("\n")
        assert wide[-1] == "       dtype=torch.float64)" or wide[-1].endswith("], dtype=torch.float64)")


def test_options_as_pytorch() -> None:
    x = np.random.default_rng(1).normal(size=(9, 9)) * 1000
    try:
        for options in (
            {"precision": 2}, {"threshold": 10, "edgeitems": 2}, {"linewidth": 40}, {"sci_mode": True},
            {"sci_mode": False}, {"profile": "short"}, {"profile": "full"}, {"profile": "default"},
        ):  # fmt: skip
            for m in (rg, torch):
                m.set_printoptions(**options)
            assert plain(repr(rg.tensor(x))) == repr(torch.tensor(x))
    finally:
        for m in (rg, torch):
            m.set_printoptions(profile="default")
    with pytest.raises(RetrogradError, match="profile"):
        rg.set_printoptions(profile="long")
    with pytest.raises(RetrogradError, match="precision"):
        rg.set_printoptions(precision=-1)


EXPRESSIONS = [
    "x + a",
    "x * a",
    "a / x",
    "x - np.float32(3)",
    "np.float32(3) * x",
    "np.float64(3) * x",
    "np.int64(3) * x",
    "np.sin(x)",
    "np.add(x, a)",
    "np.add(a, x)",
    "np.multiply(2.0, x)",
    "np.maximum(a, x)",
    "x.sum(axis=0)",
    "x.max(axis=0, keepdims=True).values",
    "m.cat([x, x], axis=0)",
    "np.stack([x, x])",
    "np.concatenate([x, x])",
    "np.asarray(x)",
    "np.array(x, dtype='float64')",
    "x[i]",
    "x[np.int64(1)]",
    "x[np.array([True, False])]",
    "m.tensor(a)",
    "m.as_tensor(a)",
    "m.from_numpy(a)",
    "x == a",
    "a == x",
    "m.tensor(np.float32(2.5))",
    "m.tensor(np.int32(2))",
    "np.float32(x[0])",
    "float(x[0])",
    "x ** np.float64(2)",
    "m.from_dlpack(a)",
    "np.from_dlpack(x)",
    "m.tensor(2) + np.float32(1)",
    "m.full((2,), np.float32(3))",
    "m.zeros(np.int64(2))",
    "m.arange(np.int64(3))",
    "m.tensor(5) // np.int64(2)",
    "range(10)[m.tensor(3)]",
    "a[m.tensor([1, 0])]",
    "a[m.tensor(1)]",
    "sum(x)",
    "max(x)",
    "sorted(m.tensor([2, 1]))",
    "len(x)",
    "str(x.device)",
    "x.to('cpu')",
    "x.to(m.device('cpu'), m.float64)",
    "x.to(m.tensor(1., dtype=m.float64)).dtype",
    "x.stride()",
    "m.ones(3, 4).t().stride()",
    "m.arange(6)[2:].storage_offset()",
    "x.nbytes",
    "x.itemsize",
    "x.is_cuda",
    "m.cuda.is_available()",
    "m.backends.mps.is_available()",
    "m.cuda.device_count()",
    "m.is_tensor(x)",
    "m.numel(x)",
    "m.finfo(m.float32).eps",
    "m.finfo(m.float64).max",
    "m.finfo(m.float32).tiny",
    "m.iinfo(m.int64).max",
    "m.iinfo(m.uint8).min",
    "m.iinfo(m.int32).bits",
    "m.pi",
    "m.e",
    "m.inf",
    "m.newaxis",
    "m.Tensor([1, 2])",
    "m.Tensor(2, 3).shape == (2, 3)",
    "m.FloatTensor([1, 2])",
    "m.LongTensor([1, 2])",
    "m.BoolTensor([True])",
    "m.DoubleTensor(2).dtype",
    "m.is_floating_point(x)",
    "m.is_complex(x)",
    "m.is_nonzero(m.tensor(2))",
    "m.result_type(x, 1)",
    "m.result_type(m.tensor([1]), 1.5)",
    "m.result_type(m.tensor(1.0), m.tensor([1]))",
    *[
        f"m.can_cast(m.{p}, m.{q})"
        for p in ("bool", "uint8", "int64", "float32")
        for q in ("bool", "uint8", "float64")
    ],
    "x.type_as(m.tensor([1]))",
    "f'{x[0]:.2f}'",
    "f'{x}'",
    "x.is_contiguous()",
    "hash(x) == id(x)",
    "x.is_complex()",
    "x.share_memory_() is x",
    "m.tensor([a, a])",
    "m.tensor([np.float64(1)]).dtype",
    "m.tensor([np.float32(1)]).dtype",
    "m.uint8.is_signed",
    "x.new_ones(size=(2,)).shape == (2,)",
    "x.new_zeros(size=[2, 1]).shape == (2, 1)",
    "m.clamp(x, float('nan'))",
    "m.clamp(x, min=float('nan'), max=2.0)",
    "m.tensor([1, 2], dtype=m.uint8).mul_(-1)",
    "m.tensor([1, 2], dtype=m.uint8).add_(300)",
    "m.int64.is_signed",
    "m.Generator().manual_seed(3).initial_seed()",
    "x.double().float().dtype",
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_scripts_ask_is_answered_as_by_pytorch(expression: str) -> None:
    def value(m: Any) -> Any:
        names = {"m": m, "np": np, "x": m.ones(2), "a": np.ones(2) * 2, "i": np.array([1, 0])}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return eval(expression, names)

    mine, other = value(rg), value(torch)
    assert type(mine).__name__.lower() == type(other).__name__.lower()
    assert plain(str(mine)) == str(other)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rg.ones(2).to("cuda"), "runs on the CPU"),
        (lambda: rg.ones(2).cuda(), "runs on the CPU"),
        (lambda: rg.device("mps"), "runs on the CPU"),
        (lambda: rg.zeros(2, device="cuda"), "CPU"),
        (lambda: rg.ones(2).half(), "float16"),
        (lambda: rg.finfo(rg.int64), "finfo"),
        (lambda: rg.iinfo(rg.float32), "iinfo"),
        (lambda: np.asarray(rg.ones(2, requires_grad=True)), "cut it off"),
    ],
)
def test_what_is_not_here_says_so(call: Any, message: str) -> None:
    with pytest.raises(RetrogradError, match=message) as caught:
        call()
    assert caught.value.hint


def test_dlpack_shares_memory_both_ways() -> None:
    x = rg.zeros(3)
    np.from_dlpack(x)[1] = 5
    assert x.tolist() == [0, 5, 0]
    t = torch.zeros(3)
    rg.from_dlpack(t)[2] = 7
    assert t.tolist() == [0, 0, 7]
    assert torch.from_dlpack(x).tolist() == [0, 5, 0]
    assert not hasattr(rg.Tensor, "__array_function__")


def test_a_traced_and_a_batched_tensor_print_their_type() -> None:
    seen: list[str] = []
    rg.trace(lambda x: seen.append(repr(x)) or x)(rg.ones(2))
    rg.vmap(lambda x: seen.append(repr(x)) or x)(rg.ones(2, 3))
    assert seen == ["tensor(traced f32[2])", "tensor(batched f32[3])"]


def test_set_default_dtype_is_seen_in_text() -> None:
    program = "import {m} as m; m.set_default_dtype(m.float64); print(m.tensor([1.5]), m.tensor([1.5], dtype=m.float32))"
    out = [
        subprocess.run(
            [sys.executable, "-c", program.format(m=m)],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ,
        ).stdout
        for m in ("retrograd", "torch")
    ]
    assert plain(out[0]) == out[1]
