"""The options of optimisers: which values they may have, and what they are when a step is computed."""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np

from ..errors import UsageError
from ..op import context
from ..tensor import Tensor

Group = dict[str, Any]

_NOT_NEGATIVE = {
    "lr", "momentum", "weight_decay", "eps", "alpha", "lr_decay", "initial_accumulator_value", "momentum_decay",
}  # fmt: skip
_BY_SCHEDULERS = {"initial_lr", "max_lr", "min_lr", "base_momentum", "max_momentum", "swa_lr"}


def number(value: Any) -> Any:
    """An option as the step takes it: a plain number, or a float64 tensor where it may change or be differentiated.

    A rate that is a tensor stays a variable of a traced step, so that a changing rate needs no new graph.
    """
    if not isinstance(value, Tensor):
        return value
    if context.tracer is None and not (context.grad_enabled and value.requires_grad):
        return value.item()
    return (value.reshape(()) if value.ndim else value).double()


def several(value: Any) -> tuple[Any, ...]:
    """A sequence of options as a tuple; one number alone is refused when the options are checked."""
    return tuple(value) if hasattr(value, "__iter__") else (value,)


def check_options(name: str, options: Group) -> None:
    """Refuse values that the method cannot mean; ``name`` is the optimiser's."""
    for key, value in options.items():
        if key in _NOT_NEGATIVE:
            _check_number(name, key, value)
        elif key == "betas":
            _check_betas(name, value)
        elif key == "rho" and not 0 <= value <= 1:
            raise UsageError(f"{name}: rho lies in [0, 1], got {value}", hint="rho=0.9")
        elif key == "etas" and not (_pair(value) and 0 < value[0] < 1 < value[1]):
            raise UsageError(
                f"{name}: etas shrink and grow the steps, 0 < first < 1 < second, got {value}",
                hint="etas=(0.5, 1.2)",
            )
        elif key == "step_sizes" and not (_pair(value) and 0 <= value[0] <= value[1]):
            raise UsageError(
                f"{name}: step_sizes are the smallest and the largest step, got {value}",
                hint="step_sizes=(1e-6, 50)",
            )
    if options.get("nesterov") and (options["momentum"] <= 0 or options["dampening"] != 0):
        raise UsageError(
            f"{name}: Nesterov needs momentum > 0 and no dampening, got {options['momentum']} and {options['dampening']}",
            hint=f"{name}(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)",
        )
    for other in ("foreach", "differentiable"):
        if options.get("fused") and options.get(other):
            raise UsageError(f"{name}: fused and {other} exclude each other", hint=f"{other}=False")


def _pair(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2


def _check_number(name: str, key: str, value: Any) -> None:
    if isinstance(value, tuple):
        return  # Adafactor's eps, which it checks itself
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise UsageError(
                f"{name}: a tensor given as {key} has one element, got shape {tuple(value.shape)}",
                hint="one parameter group for each rate: [{'params': [w], 'lr': 0.1}, ...]",
            )
        if not isinstance(value._value, np.ndarray):
            return  # a variable of a graph has no value yet
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise UsageError(
            f"{name}: {key} is a number, got {value!r}", hint=f"{name}(model.parameters(), {key}=0.1)"
        )
    if not value >= 0:
        raise UsageError(
            f"{name}: {key} must not be negative, got {value}",
            hint=f"{name}(model.parameters(), {key}={abs(value)})",
        )


def _check_betas(name: str, betas: Any) -> None:
    if not (isinstance(betas, tuple | list) and len(betas) == 2):
        raise UsageError(f"{name}: betas are two numbers, got {betas!r}", hint="betas=(0.9, 0.999)")
    if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
        raise UsageError(
            f"{name}: betas are two numbers or two tensors, got one of each", hint="betas=(0.9, 0.999)"
        )
    for i, beta in enumerate(betas):
        if isinstance(beta, Tensor) and beta.numel() != 1:
            raise UsageError(
                f"{name}: betas[{i}] has one element, got shape {tuple(beta.shape)}",
                hint="betas=(0.9, 0.999)",
            )
        if not 0 <= (beta.item() if isinstance(beta, Tensor) else beta) < 1:
            raise UsageError(
                f"{name}: betas lie in [0, 1), got {beta} at index {i}", hint="betas=(0.9, 0.999)"
            )


def check_names(name: str, given: Group, defaults: Group) -> None:
    """Refuse a key of a parameter group that is an option's name misspelt; other keys are labels and are kept."""
    known = sorted(defaults.keys() | {"params", "param_names"})
    for key in given.keys() - set(known) - _BY_SCHEDULERS:
        near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.75)
        if near:
            raise UsageError(f"{name} has no option {key!r}", hint=f"did you mean {near[0]!r}?")
