"""Loading a state dict into a module, with every disagreement named."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import StateError
from ..functions.create import tensor
from ..modes import no_grad
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module


class IncompatibleKeys(NamedTuple):
    """What a state dict lacked and what it had too much; both empty if it fits."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load_into(module: Module, state: Mapping[str, Any], strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy the values of ``state`` into ``module``: nothing is changed if anything is wrong."""
    own = module.state_dict(keep_vars=True)
    missing = [key for key in own if key not in state]
    unexpected = [key for key in state if key not in own]
    problems = []
    if strict and missing:
        problems.append(f"missing key(s): {_list(missing)}")
    if strict and unexpected:
        problems.append(f"unexpected key(s): {_list(unexpected)}")
    for key, target in own.items():
        if key in state and tuple(np.shape(state[key])) != tuple(target.shape):
            problems.append(
                f"size mismatch for {key}: the state dict has shape {tuple(np.shape(state[key]))}, "
                f"the module {tuple(target.shape)}"
            )
    if problems:
        raise StateError(
            f"the state dict does not fit {type(module).__name__}:\n    " + "\n    ".join(problems),
            hint=_hint(missing, unexpected, len(problems)),
        )
    with no_grad():
        for key, target in own.items():
            if key not in state:
                continue
            value = state[key]
            source = value.detach() if isinstance(value, Tensor) else tensor(np.asarray(value))
            if assign:
                target.data = source
            else:
                target.copy_(source)
    return IncompatibleKeys(missing, unexpected)


def _list(keys: list[str]) -> str:
    shown = ", ".join(map(repr, keys[:20]))
    return shown + (f" and {len(keys) - 20} more" if len(keys) > 20 else "")


def _hint(missing: list[str], unexpected: list[str], n_problems: int) -> str:
    for key in unexpected:
        near = difflib.get_close_matches(key, missing, 1, 0.0) if missing else []
        if near and (key.endswith("." + near[0]) or near[0].endswith("." + key)):
            return f"names differ by a prefix: {key!r} may be {near[0]!r}; rename the keys"
    if n_problems == 1 and (missing or unexpected):
        return "load_state_dict(state, strict=False) loads what fits"
    return "build the module with the sizes it was saved with"
