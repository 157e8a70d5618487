"""A name of PyTorch that is not here says why and what to do instead; looking for it costs nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import retrograd as rg
from retrograd.absent import ABSENT, explanation

# (owner, name, part of the reason, part of the hint)
MISSING: list[tuple[Any, str, str, str]] = [
    (rg, "float16", "do not exist here", "float32"),
    (rg, "int8", "do not exist here", "float32"),
    (rg, "autocast", "automatic casting", "float32"),
    (rg, "complex64", "complex numbers", "two tensors"),
    (rg, "fft", "Fourier", "numpy.fft"),
    (rg, "celu", "under nn.functional", "retrograd.nn.functional.celu"),
    (rg, "add_", "in place as a method", "x.add_(...)"),
    (rg, "lobpcg", "an iterative solver", "linalg.eigh"),
    (rg, "distributions", "not built yet", "bernoulli"),
    (rg.nn, "Conv2d", "not built yet", "nn.Linear"),
    (rg.nn, "LSTM", "not built yet", "nn.Linear"),
    (rg.nn.functional, "conv2d", "not built yet", "nn.Linear"),
    (rg.nn.init, "kaiming_uniform", "deprecated", "underscore"),
    (rg.nn.utils, "weight_norm", "not here", "parametrizations.weight_norm"),
    (rg.linalg, "eig", "complex", "linalg.eigh"),
    (rg.special, "airy_ai", "no gradient", "scipy.special"),
    (rg.optim, "SparseAdam", "sparse", "dense"),
    (rg.optim.lr_scheduler, "Optimizer", "inner part", "public"),
    (rg.func, "functionalize", "torch.compile", "trace"),
    (rg.autograd, "Variable", "deprecated", "newer name"),
    (rg.utils.data, "DistributedSampler", "one machine", "leave it out"),
    (rg.zeros(2), "stft", "Fourier", "numpy.fft"),
    (rg.zeros(2), "apply_", "for each element", "numpy()"),
    (rg.zeros(2), "short", "do not exist here", "float32"),
    (rg.zeros(2), "to_sparse", "sparse", "dense"),
    (rg.nn.Parameter(rg.zeros(2)), "resize_", "silently", "reshape"),
]


@pytest.mark.parametrize(("owner", "name", "why", "instead"), MISSING, ids=[m[1] for m in MISSING])
def test_a_missing_name_gives_its_reason_and_a_hint(owner: Any, name: str, why: str, instead: str) -> None:
    assert not hasattr(owner, name)
    with pytest.raises(AttributeError) as refused:
        getattr(owner, name)
    reason, _, hint = str(refused.value).partition("\n  hint: ")
    assert f"has no attribute {name!r}" in reason
    assert why in reason
    assert instead in hint


@pytest.mark.parametrize(
    ("owner", "name", "said"),
    [
        (rg, "sigmid", "did you mean 'sigmoid'"),
        (rg.nn, "Linaer", "did you mean 'Linear'"),
        (rg.optim, "Adm", "did you mean 'Adam'"),
        (rg.nn.functional, "crossentropy", "did you mean 'cross_entropy'"),
        (rg.nn.init, "kaiming_unifrm_", "'kaiming_uniform_'"),
        (rg.zeros(2), "reshap", "did you mean 'reshape'"),
        (rg.zeros(2), "_hidden", "'Tensor' has no attribute '_hidden'"),
        (rg, "frobnicate_", "has no attribute 'frobnicate_'"),
    ],
)
def test_a_misspelt_name_gives_the_nearest(owner: Any, name: str, said: str) -> None:
    assert not hasattr(owner, name)
    with pytest.raises(AttributeError) as refused:
        getattr(owner, name)
    assert said in str(refused.value)
    assert "hint" not in str(refused.value)


def test_every_reason_has_something_to_do_instead() -> None:
    for space, patterns in ABSENT.items():
        for pattern in patterns:
            found = explanation(space, pattern.replace("*", "x"), ())
            assert found is None or all(found), (space, pattern)


def test_a_property_that_misses_something_says_what() -> None:
    class Named(rg.Tensor):
        @property
        def label(self) -> str:
            return self.lable  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="'lable'"):
        Named([1.0]).label  # noqa: B018


def test_the_reasons_are_read_only_when_they_are_said() -> None:
    program = (
        "import sys, retrograd as rg; found = hasattr(rg, 'float16') or hasattr(rg.zeros(2), 'stft')\n"
        "assert not found and 'retrograd.absent' not in sys.modules and 'difflib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_elements_are_not_deleted() -> None:
    x = rg.zeros(3)
    with pytest.raises(TypeError, match=r"hint: keep the others: x\[keep\]"):
        del x[0]
