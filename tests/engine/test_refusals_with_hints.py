"""What PyTorch refuses is refused with a class of ours and a hint that mends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import retrograd as rg
from oracle.compare import torch
from retrograd.errors import RetrogradError

NAN, INF = float("nan"), float("inf")


def delete(lib: Any) -> None:
    x = lib.zeros(3)
    del x[0]


def other_weight(lib: Any) -> Any:
    layer = lib.nn.Linear(2, 3)
    return lib.func.functional_call(layer, {"weight": lib.zeros(2, 2)}, (lib.zeros(1, 2),))


def rated(lib: Any, name: str, *args: Any) -> Any:
    return getattr(lib.optim, name)([lib.nn.Parameter(lib.zeros(2))], *args)


# name -> (call, what the hint says)
REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "del x[0]": (delete, "x[keep]"),
    "size(5)": (lambda lib: lib.zeros(2).size(5), "between -1 and 0"),
    "size(-2)": (lambda lib: lib.zeros(2).size(-2), "between -1 and 0"),
    "size of a scalar": (lambda lib: lib.zeros(()).size(0), "reshape(1)"),
    "size('a')": (lambda lib: lib.zeros(2).size("a"), "dim=0"),
    "stride(5)": (lambda lib: lib.zeros(2).stride(5), "between -1 and 0"),
    "flatten('a')": (lambda lib: lib.zeros(2, 2).flatten("a"), "dim=0"),
    "equal to a number": (lambda lib: lib.equal(lib.zeros(2), 1), "retrograd.tensor"),
    "Linear('a', 3)": (lambda lib: lib.nn.Linear("a", 3), "pass an int"),
    "Linear(3, None)": (lambda lib: lib.nn.Linear(3, None), "pass an int"),
    "Bilinear('a', 3, 2)": (lambda lib: lib.nn.Bilinear("a", 3, 2), "pass an int"),
    "Embedding('a', 3)": (lambda lib: lib.nn.Embedding("a", 3), "pass an int"),
    "manual_seed('a')": (lambda lib: lib.manual_seed("a"), "manual_seed(0)"),
    "manual_seed(None)": (lambda lib: lib.manual_seed(None), "manual_seed(0)"),
    "manual_seed(nan)": (lambda lib: lib.manual_seed(NAN), "manual_seed(0)"),
    "manual_seed beyond 64 bits": (lambda lib: lib.manual_seed(2**64 + 3), "manual_seed(3)"),
    "a generator's seed": (lambda lib: lib.Generator().manual_seed(1.5), "pass an int"),
    "split_with_sizes(3)": (lambda lib: lib.split_with_sizes(lib.zeros(6), 3), "split(x, 3)"),
    "linspace to nan": (lambda lib: lib.linspace(0, NAN, 3, dtype=lib.int32), "finite"),
    "linspace from inf": (lambda lib: lib.linspace(INF, 0, 3, dtype=lib.int64), "finite"),
    "linspace beyond uint8": (lambda lib: lib.linspace(0, 300, 3, dtype=lib.uint8), "fits"),
    "logspace to nan": (lambda lib: lib.logspace(0, NAN, 3, dtype=lib.int32), "finite"),
    "Adafactor, eps as one number": (lambda lib: rated(lib, "Adafactor", 0.1, -0.8, 1e-3), "(None, 1e-3)"),
    "Adafactor, Adam's betas": (lambda lib: rated(lib, "Adafactor", 0.1, (0.9, 0.999)), "beta2_decay=-0.8"),
    "Adam, one beta": (lambda lib: rated(lib, "Adam", 0.1, 0.9), "betas=(0.9, 0.999)"),
    "Rprop, one eta": (lambda lib: rated(lib, "Rprop", 0.1, 0.5), "etas=(0.5, 1.2)"),
    "Embedding, row -1": (lambda lib: lib.nn.Embedding(3, 2)(lib.tensor([-1, 1])), "input + 1"),
    "Embedding, row 3": (lambda lib: lib.nn.Embedding(3, 2)(lib.tensor([3])), "nn.Embedding(4, 2)"),
    "Embedding, both": (lambda lib: lib.nn.Embedding(3, 2)(lib.tensor([-1, 2])), "nn.Embedding(4, 2)"),
    "cross_entropy, class -1": (
        lambda lib: lib.nn.functional.cross_entropy(lib.zeros(2, 3), lib.tensor([-1, 2])),
        "ignore_index=-1",
    ),
    "cross_entropy, class 3": (
        lambda lib: lib.nn.functional.cross_entropy(lib.zeros(1, 3), lib.tensor([3])),
        "needs 4 outputs",
    ),
    "functional_call": (other_weight, "a bias of shape (2,)"),
    "grad of a float": (
        lambda lib: lib.func.grad(lambda x: float(x.sum()))(lib.zeros(2)),
        "the tensor itself",
    ),
    "grad of nothing": (lambda lib: lib.func.grad(lambda x: None)(lib.zeros(2)), "return the loss"),
    "grad of a vector": (lambda lib: lib.func.grad(lambda x: x * 2)(lib.zeros(2)), ".sum()"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFUSED)
def test_what_pytorch_refuses_is_refused_with_a_hint(name: str) -> None:
    call, hint = REFUSED[name]
    with pytest.raises((RuntimeError, TypeError, ValueError, IndexError)):
        call(torch)
    with pytest.raises(RetrogradError) as refused:
        call(rg)
    assert hint in (refused.value.hint or "")


def test_seeds_are_taken_as_pytorch_takes_them() -> None:
    for seed in (3, "3", 3.7, rg.tensor(3)):
        assert rg.manual_seed(seed).initial_seed() == 3  # type: ignore[arg-type]
    assert rg.manual_seed(2**64 - 1).initial_seed() == rg.manual_seed(2**63 - 1).initial_seed()
