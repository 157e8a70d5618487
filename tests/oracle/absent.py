"""PyTorch's public names, by namespace, each found here or with the reason that `retrograd.absent` has for it.

`tools/coverage_torch.py` writes `docs/coverage-torch.md` from this; a test holds the page to the installed PyTorch.
"""

from __future__ import annotations

import inspect
import pkgutil
import warnings
from typing import Any, NamedTuple

from retrograd.absent import reason


class Status(NamedTuple):
    """A public name of PyTorch: found here, or the reason why not, or neither."""

    space: str
    name: str
    here: bool
    reason: str | None


def namespaces() -> dict[str, tuple[Any, Any]]:
    """By name, PyTorch's namespace and ours."""
    import torch

    import retrograd as rg

    return {
        "torch": (torch, rg),
        "torch.Tensor": (torch.Tensor, rg.Tensor),
        "torch.linalg": (torch.linalg, rg.linalg),
        "torch.special": (torch.special, rg.special),
        "torch.nn.functional": (torch.nn.functional, rg.nn.functional),
        "torch.nn": (torch.nn, rg.nn),
        "torch.nn.init": (torch.nn.init, rg.nn.init),
        "torch.nn.utils": (torch.nn.utils, rg.nn.utils),
        "torch.optim": (torch.optim, rg.optim),
        "torch.optim.lr_scheduler": (torch.optim.lr_scheduler, rg.optim.lr_scheduler),
        "torch.func": (torch.func, rg.func),
        "torch.autograd": (torch.autograd, rg.autograd),
        "torch.utils.data": (torch.utils.data, rg.utils.data),
    }


def public(space: str, there: Any) -> list[str]:
    """The functions and classes that a namespace of PyTorch shows; of torch, those of tensors, dtypes and modules."""
    import torch

    if space == "torch":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            over = torch.overrides.get_overridable_functions()[torch]
        listed = {f.__name__ for f in over} | {n for n in torch.__all__ if n.islower()}
        listed = {n for n in listed if callable(getattr(torch, n, None))}
        listed |= {n for n in dir(torch) if isinstance(getattr(torch, n), torch.dtype)}
        listed |= {m.name for m in pkgutil.iter_modules(torch.__path__)}  # whether imported or not
        return sorted(n for n in listed if not n.startswith("_"))
    names = [n for n in dir(there) if not n.startswith("_")]
    found = [
        n for n in names if callable(getattr(there, n, None)) and not inspect.ismodule(getattr(there, n))
    ]
    if space != "torch.Tensor":
        found = [
            n for n in found if (getattr(getattr(there, n), "__module__", "") or "torch").startswith("torch")
        ]
    return found


def statuses() -> list[Status]:
    """Every public name of every namespace."""
    return [
        Status(space, name, hasattr(ours, name), None if hasattr(ours, name) else reason(space, name))
        for space, (there, ours) in namespaces().items()
        for name in public(space, there)
    ]
