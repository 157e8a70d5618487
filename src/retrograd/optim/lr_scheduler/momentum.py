"""Momentum that a schedule moves together with the rate: ``momentum`` itself, or the first of ``betas``."""

from __future__ import annotations

from ...errors import UsageError
from ..optimizer import Optimizer
from ..options import Group


def uses_betas(name: str, optimizer: Optimizer) -> bool:
    """True if the momentum is the first of betas; an error if there is none at all."""
    if "betas" in optimizer.defaults:
        return True
    if "momentum" not in optimizer.defaults:
        raise UsageError(
            f"{type(optimizer).__name__} has no momentum to cycle", hint=f"{name}(..., cycle_momentum=False)"
        )
    return False


def set_momentum(group: Group, value: float, betas: bool) -> None:
    if betas:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


def begin(optimizer: Optimizer, low: list[float], high: list[float], betas: bool) -> None:
    """Start at the high momentum, and note both ends in the groups."""
    for group, base, top in zip(optimizer.param_groups, low, high, strict=True):
        set_momentum(group, top, betas)
        group["max_momentum"], group["base_momentum"] = top, base
