"""Every keyword that PyTorch's functions take is taken here, or has a reason."""

from __future__ import annotations

import inspect
from collections import defaultdict
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest

import retrograd as rg
import retrograd.nn.functional as F
from oracle.compare import torch

SPACES = {
    "torch": (torch, rg, ""),
    "Tensor": (torch.Tensor, rg.Tensor, ""),
    "linalg": (torch.linalg, rg.linalg, "linalg_"),
    "special": (torch.special, rg.special, "special_"),
    "functional": (torch.nn.functional, F, ""),
}

# pattern of "space.name" -> {keywords: reason}
NOT_TAKEN = [
    ("*", "out", "results are new tensors"),
    ("*", "layout pin_memory", "tensors are dense, and the CPU is the only device"),
    ("*", "out_dtype", "float16 and bfloat16, for which it is meant, do not exist here"),
    ("torch.empty", "memory_format", "the order in memory is NumPy's"),
    (
        "torch.compile",
        "name recompile_limit shapes_spec",
        "programs are kept as many as there are; shapes are fixed",
    ),
    ("torch.load", "pickle_module pickle_load_args", "pickles are refused"),
    ("torch.save", "pickle_module pickle_protocol _*", "pickles are refused"),
    ("functional.rrelu_", "generator", "an argument of PyTorch's inner form"),
    ("functional.elu_", "scale input_scale", "an argument of PyTorch's inner form"),
    ("torch.unique*", "args kwargs", "how PyTorch dispatches; the arguments behind them are taken"),
    ("torch.lu", "args kwargs", "how PyTorch dispatches; the arguments behind them are taken"),
    ("torch.is_tensor", "obj", "positional only in PyTorch"),
    ("torch.set_default_dtype", "d", "positional only in PyTorch"),
    ("torch.*_window", "dtype device", "taken as further options"),
    ("Tensor.to", "other", "positional only in PyTorch"),
    ("Tensor.new_*", "layout pin_memory", "taken as further options"),
]
# Of the schemas, what only TorchScript sees.
SCRIPT = {"a", "b", "l", "list", "idx", "t", "i", "n", "x", "reverse"}


@cache
def schemas() -> dict[str, list[Any]]:
    found = defaultdict(list)
    for s in torch._C._jit_get_all_schemas():
        if s.name.startswith("aten::"):
            found[s.name[6:]].append(s)
    return found


def forms(space: str, name: str) -> list[list[str]]:
    """The keywords of each of PyTorch's forms of a function."""
    there, _, prefix = SPACES[space]
    try:
        told = inspect.signature(getattr(there, name)).parameters
        return [[p for p in told if p != "self"]]
    except (TypeError, ValueError):
        pass
    out = []
    for s in schemas().get(prefix + name, []):
        written = [a for a in s.arguments if a.is_out or (a.alias_info and a.alias_info.is_write)]
        if any(a.name != "self" for a in written):
            continue
        tensors = "Tensor" in str(s.arguments[0].type) if s.arguments else True
        names = [a.name for a in s.arguments]
        if tensors or "self" not in names[:1]:
            names = ["input" if n == "self" and space != "Tensor" else n for n in names]
            taking = "Tensor" in str(s) and not (SCRIPT - {"n", "x"}) & set(names)
            if taking or "Layout" in str(s):
                out.append([n for n in names if n != "self"])
    return out


def taken(function: Any) -> set[str]:
    return set(inspect.signature(function).parameters) | set(getattr(function, "also", {}))


def excused(where: str, keyword: str) -> bool:
    return any(
        fnmatchcase(where, place) and any(fnmatchcase(keyword, k) for k in keywords.split())
        for place, keywords, _ in NOT_TAKEN
    )


def both(space: str) -> list[str]:
    there, here, _ = SPACES[space]
    return sorted(
        n
        for n in dir(there)
        if not n.startswith("_")
        and callable(getattr(there, n))
        and callable(getattr(here, n, None))
        and not inspect.isclass(getattr(here, n))
    )


@pytest.mark.parametrize("space", SPACES)
def test_every_keyword(space: str) -> None:
    there, here, _ = SPACES[space]
    lacking = {}
    for name in both(space):
        mine = taken(getattr(here, name))
        wanted = {k for form in forms(space, name) for k in form}
        if inspect.isbuiltin(getattr(there, name)) or space == "Tensor":  # its parser takes NumPy's names
            wanted |= {numpy for numpy, k in (("axis", "dim"), ("keepdims", "keepdim")) if k in wanted}
        if missing := {k for k in wanted - mine if not excused(f"{space}.{name}", k)}:
            lacking[name] = sorted(missing)
    assert lacking == {}
