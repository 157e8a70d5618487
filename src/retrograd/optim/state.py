"""What optimisers remember for each parameter: kept, counted, saved and loaded, in PyTorch's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import StateError
from ..functions.create import tensor, zeros
from ..op import context
from ..tensor import Tensor
from .options import Group

State = dict[Tensor, dict[str, Any]]


def counter() -> Tensor:
    """A step counter at 0; a tensor, so that it is saved with the state and stays a variable of a traced step."""
    return zeros(())


def advance(state: dict[str, Any]) -> Any:
    """Count a step; returns its number, from 1: see `value_of`."""
    return value_of(state["step"].add_(1))


def value_of(scalar: Tensor) -> Any:
    """A counter or another single number of the state, to reckon with in float64.

    Eager code gets a plain number, which is quicker; traced code gets a tensor, so that it stays a variable of the graph.
    """
    return scalar.item() if context.tracer is None else scalar.double()


def as_dtype(value: Any, like: Tensor) -> Any:
    """A number as it is; a tensor in the dtype of ``like``."""
    return value.to(like.dtype) if isinstance(value, Tensor) else value


def plus(x: Tensor, y: Any) -> Tensor:
    """x + y in the memory of ``x``, unless a derivative may need what is there now."""
    return x.add(y) if context.grad_enabled else x.add_(y)


def before_change(x: Tensor) -> Tensor:
    """What ``x`` is now: a copy where a derivative may need it after ``x`` was overwritten."""
    return x.clone() if context.grad_enabled else x


def pack(groups: list[Group], state: Mapping[Any, Any]) -> dict[str, Any]:
    """State by parameter number, and the groups with numbers in place of tensors."""
    number = {id(p): i for i, p in enumerate(p for group in groups for p in group["params"])}
    return {
        "state": {number.get(id(k), k) if isinstance(k, Tensor) else k: dict(v) for k, v in state.items() if v},
        "param_groups": [
            {**{k: v for k, v in group.items() if k != "params"}, "params": [number[id(p)] for p in group["params"]]}
            for group in groups
        ],
    }  # fmt: skip


def unpack(name: str, groups: list[Group], saved: Mapping[str, Any]) -> State:
    """The state in ``saved``, by tensor, as private copies."""
    have = [len(group["params"]) for group in groups]
    want = [len(group["params"]) for group in saved["param_groups"]]
    if have != want:
        raise StateError(
            f"the saved state is of {len(want)} parameter group(s) of {want} parameters, this {name} has {len(have)} of {have}",
            hint="make the optimiser of the same model and with the same groups first",
        )
    members = [p for group in groups for p in group["params"]]
    numbers = [i for group in saved["param_groups"] for i in group["params"]]
    by_number = dict(zip(numbers, members))
    fresh: State = {}
    for number, values in saved["state"].items():
        p = by_number.get(number)
        if p is None:
            fresh[number] = dict(values)  # not a parameter's: kept as it is, as PyTorch does
        else:
            fresh[p] = {key: _copied(key, value, p) for key, value in values.items()}
    return fresh


def _copied(key: str, value: Any, param: Tensor) -> Any:
    """A private copy of a value of the state; tensors get the parameter's dtype, except for the step counter."""
    if key == "step":
        return tensor(float(value))
    if isinstance(value, dict):
        return {k: _copied(k, v, param) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copied("", v, param) for v in value)
    if isinstance(value, Tensor):
        copied = value.detach().clone()
    elif isinstance(value, np.ndarray | np.generic):
        copied = tensor(value)
    else:
        return value
    if key in SHAPED and tuple(copied.shape) != tuple(param.shape):
        raise StateError(
            f"the saved {key!r} has shape {tuple(copied.shape)}, the parameter {tuple(param.shape)}",
            hint="make the optimiser of the same model, with its parameters in the same order",
        )
    return copied.to(param.dtype) if param.dtype.is_floating_point else copied


SHAPED = {
    "acc_delta", "ax", "exp_avg", "exp_avg_sq", "exp_inf", "grad_avg", "max_exp_avg_sq", "momentum_buffer", "prev",
    "square_avg", "step_size", "sum",
}  # fmt: skip
"""Names of states that have the shape of their parameter."""
