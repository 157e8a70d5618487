"""Functions and modules of networks take PyTorch's arguments: the same names, order, kinds and defaults."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import retrograd.nn.functional as F
from oracle.compare import torch
from retrograd import nn

T = torch.nn.functional


def both(mine: Any, theirs: Any) -> list[str]:
    return sorted(
        name
        for name in getattr(mine, "__all__", dir(mine))
        if not name.startswith("_") and callable(getattr(mine, name)) and hasattr(theirs, name)
    )


def listed(thing: Any) -> list[tuple[str, Any, Any]]:
    kinds = inspect.Parameter
    out = []
    for p in inspect.signature(thing).parameters.values():
        if p.name == "self" or p.kind in (kinds.VAR_KEYWORD, kinds.VAR_POSITIONAL):
            continue
        out.append((p.name, p.kind, p.default))
    return out


def functions() -> list[str]:
    """Those whose signature PyTorch tells; the others are built in."""
    told = []
    for name in both(F, T):
        try:
            inspect.signature(getattr(T, name))
        except ValueError:
            continue
        told.append(name)
    return told


# Ours has more: PyTorch's `out` does not exist here, and deprecated forms of others.
ELSE = {"normalize"}


@pytest.mark.parametrize("name", [n for n in functions() if n not in ELSE])
def test_function(name: str) -> None:
    assert listed(getattr(F, name)) == listed(getattr(T, name))


CLASSES = [
    name
    for name in both(nn, torch.nn)
    if inspect.isclass(getattr(nn, name)) and issubclass(getattr(nn, name), nn.Module)
]


@pytest.mark.parametrize("name", CLASSES)
def test_constructor(name: str) -> None:
    mine, theirs = getattr(nn, name).__init__, getattr(torch.nn, name).__init__
    assert listed(mine) == listed(theirs)


@pytest.mark.parametrize("name", CLASSES)
def test_forward(name: str) -> None:
    mine, theirs = getattr(nn, name).forward, getattr(torch.nn, name).forward
    if name in ("Module", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"):
        return
    assert [p[0] for p in listed(mine)] == [p[0] for p in listed(theirs)]


@pytest.mark.parametrize("name", CLASSES)
def test_public_methods(name: str) -> None:
    """Every public method of PyTorch's class, but for what only its own machinery uses."""
    unknown = {
        "T_destination", "call_super_init", "compile", "dump_patches", "ipu", "mtia", "register_backward_hook",
        "xpu",
    }  # fmt: skip
    wanted = {k for k in dir(getattr(torch.nn, name)) if not k.startswith("_")} - unknown
    assert not sorted(wanted - set(dir(getattr(nn, name))))


@pytest.mark.parametrize(
    "name", [n for n in both(nn.utils, torch.nn.utils) if not inspect.ismodule(getattr(nn.utils, n))]
)
def test_utility(name: str) -> None:
    assert listed(getattr(nn.utils, name)) == listed(getattr(torch.nn.utils, name))


@pytest.mark.parametrize("module", ["parametrize", "parametrizations"])
def test_parametrization_utilities(module: str) -> None:
    mine, theirs = getattr(nn.utils, module), getattr(torch.nn.utils, module)
    for name in mine.__all__:
        if inspect.isfunction(getattr(mine, name)):
            assert listed(getattr(mine, name)) == listed(getattr(theirs, name)), name
