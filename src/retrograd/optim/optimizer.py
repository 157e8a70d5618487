"""What all optimisers share: parameter groups, state, its saving and loading, and the loop over the parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import GradError, StateError, UsageError
from ..functions.create import tensor, zeros_like
from ..memory import keep_freed_memory
from ..modes import enable_grad, no_grad
from ..op import context
from ..tensor import Tensor

Group = dict[str, Any]


class Optimizer:
    """Changes parameters by their gradients; subclasses define ``_update`` for one parameter.

    ``params``: tensors, or dicts ``{"params": tensors, "lr": ...}`` whose options replace the defaults for that group.
    Rates are read from ``param_groups`` at every step, so a scheduler (or you) may change them at any time.
    ``state`` holds what the method remembers for each parameter, made when it is first needed.
    """

    def __init__(self, params: Iterable[Any], defaults: Group) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor):
            raise UsageError(f"{name} takes a list of tensors, not one tensor", hint=f"{name}([parameter])")
        listed = list(params)
        if not listed:
            raise UsageError(
                f"{name} got an empty list of parameters",
                hint=f"{name}(model.parameters(), ...): make the model first, and a new iterator for every optimiser",
            )
        _check_options(name, defaults)
        self.defaults = defaults
        keep_freed_memory()
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.param_groups: list[Group] = []
        for group in listed if isinstance(listed[0], dict) else [{"params": listed}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Add parameters, with options of their own; for example layers that are unfrozen later."""
        name = type(self).__name__
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise UsageError(
                f"a parameter group is a dict with 'params', got {param_group!r}",
                hint='{"params": [w], "lr": 0.1}',
            )
        unknown = param_group.keys() - self.defaults.keys() - {"params", "param_names", "initial_lr"}
        if unknown:
            raise UsageError(
                f"{name} has no option {sorted(unknown)[0]!r}",
                hint=f"there are: {', '.join(sorted(self.defaults))}",
            )
        given = param_group["params"]
        members: list[Tensor] = [given] if isinstance(given, Tensor) else list(given)
        # (name, tensor) pairs, as model.named_parameters() gives them
        members = [m[1] if isinstance(m, tuple) and len(m) == 2 else m for m in members]
        seen = {id(p) for group in self.param_groups for p in group["params"]}
        for p in members:
            if not isinstance(p, Tensor):
                raise UsageError(
                    f"{name} takes tensors, got {type(p).__name__}", hint=f"{name}(model.parameters())"
                )
            if not p.is_leaf:
                raise GradError(
                    f"{name} cannot change a tensor of shape {tuple(p.shape)} that was computed from others",
                    hint="give it the tensors that it was computed from, or .detach().requires_grad_()",
                )
            if id(p) in seen:
                raise UsageError(
                    f"a parameter of shape {tuple(p.shape)} is given to {name} twice",
                    hint="list every parameter in one group, once",
                )
            seen.add(id(p))
        group = {**self.defaults, **param_group, "params": members}
        _check_options(name, group)
        self.param_groups.append(group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: they add up from one backward to the next otherwise."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = zeros_like(p.grad)  # not a product with 0, which keeps NaN

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient; ``closure`` computes loss and gradients anew, and is returned."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad():
            for group in self.param_groups:
                sign = group.get("maximize", False)
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state.get(p)
                    if state is None:
                        state = self.state[p] = {}
                    self._update(p, -p.grad if sign else p.grad, state, group)
        return loss

    def _update(self, param: Tensor, grad: Tensor, state: dict[str, Any], group: Group) -> None:
        raise NotImplementedError

    # State -------------------------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """State by parameter number, and the groups with numbers in place of tensors, in PyTorch's form."""
        number = {id(p): i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        groups = [
            {**group, "params": [number[id(p)] for p in group["params"]]} for group in self.param_groups
        ]
        return {"state": {number[id(p)]: dict(s) for p, s in self.state.items() if s}, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved state; the groups must have the same numbers of parameters."""
        saved = state_dict["param_groups"]
        have = [len(group["params"]) for group in self.param_groups]
        want = [len(group["params"]) for group in saved]
        if have != want:
            raise StateError(
                f"the saved state is of {len(want)} parameter group(s) of {want} parameters, "
                f"this {type(self).__name__} has {len(have)} of {have}",
                hint="make the optimiser of the same model and with the same groups first",
            )
        members = [p for group in self.param_groups for p in group["params"]]
        numbers = [i for group in saved for i in group["params"]]
        fresh: dict[Tensor, dict[str, Any]] = {}
        for p, number in zip(members, numbers):
            given = state_dict["state"].get(number)
            if given is not None:
                fresh[p] = {key: _like(key, value, p) for key, value in given.items()}
        for group, other in zip(self.param_groups, saved):
            group.update({key: value for key, value in other.items() if key != "params"})
            if "betas" in group:
                group["betas"] = tuple(group["betas"])  # JSON has made a list of it
        self.state = fresh

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


def _like(key: str, value: Any, param: Tensor) -> Any:
    """A private copy of a state value, in the parameter's dtype unless it is the step counter."""
    if value is None or isinstance(value, bool):
        return value
    if key == "step":
        return tensor(float(value))
    if isinstance(value, int | float):
        return value
    copied = tensor(value) if not isinstance(value, Tensor) else value.detach().clone()
    if tuple(copied.shape) != tuple(param.shape):
        raise StateError(
            f"the saved {key!r} has shape {tuple(copied.shape)}, the parameter {tuple(param.shape)}",
            hint="make the optimiser of the same model, with its parameters in the same order",
        )
    return copied.to(param.dtype)


def advance(state: dict[str, Any]) -> Any:
    """Count a step; returns its number, from 1.

    The counter is a tensor, so that it is saved with the state.  Eager code gets its value as a plain number, which
    is quicker; traced code gets a tensor, so that the counter stays a variable of the graph.
    """
    counter = state.get("step")
    if counter is None:
        counter = state["step"] = tensor(0.0)
    counter.add_(1)
    return counter.item() if context.tracer is None else counter.double()


def _check_options(name: str, options: Group) -> None:
    """Refuse options that no method can mean."""
    for key, value in options.items():
        low_is_bad = key in (
            "lr",
            "momentum",
            "weight_decay",
            "eps",
            "alpha",
            "lr_decay",
            "initial_accumulator_value",
        )
        if low_is_bad and isinstance(value, int | float) and not value >= 0:
            raise UsageError(
                f"{name}: {key} must not be negative, got {value}",
                hint=f"{name}(model.parameters(), {key}={abs(value)})",
            )
        if key == "betas" and isinstance(value, tuple | list) and not all(0 <= b < 1 for b in value):
            raise UsageError(f"{name}: betas lie in [0, 1), got {value}", hint="betas=(0.9, 0.999)")
