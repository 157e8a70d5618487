"""Modules as pure functions of their parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..errors import UsageError
from ..functions.shape import stack
from ..tensor import Tensor


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with other parameters and buffers, given by name; the module stays as it is.

    ``args``: a tuple of arguments, or the only one.  ``tie_weights``: a tensor that stands under several names is replaced
    under all of them.  ``strict``: every parameter and buffer must be given, and no other name; otherwise other names are
    ignored, as in PyTorch.

    >>> import retrograd as rg
    >>> net = rg.nn.Linear(2, 1, bias=False)
    >>> rg.func.functional_call(net, {"weight": rg.tensor([[1.0, 2.0]])}, rg.tensor([3.0, 4.0]))
    tensor([11.])
    """
    given: dict[str, Tensor] = {}
    dicts = (
        [parameter_and_buffer_dicts]
        if isinstance(parameter_and_buffer_dicts, Mapping)
        else parameter_and_buffer_dicts
    )
    for d in dicts:
        twice = given.keys() & d.keys()
        if twice:
            raise UsageError(f"{sorted(twice)[0]!r} is given twice", hint="give every name once")
        given.update(d)
    inputs = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*inputs, **(kwargs or {}))


def _slots(module: Any) -> dict[str, tuple[dict[str, Any], str]]:
    """By full name, the dict that holds each parameter and buffer, and its name there."""
    found = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for holder in (part._parameters, part._buffers):
            for name, value in holder.items():
                if value is not None:
                    found[f"{prefix}.{name}" if prefix else name] = (holder, name)
    return found


@contextmanager
def _replaced(module: Any, given: dict[str, Tensor], tie_weights: bool, strict: bool) -> Iterator[None]:
    slots = _slots(module)
    unknown = [name for name in given if name not in slots] if strict else []
    missing = [name for name in slots if name not in given]
    if unknown or (strict and missing):
        what = (
            f"no parameter or buffer is called {unknown[0]!r}" if unknown else f"{missing[0]!r} is not given"
        )
        raise UsageError(
            what, hint=f"the names are those of dict(module.named_parameters()): {sorted(slots)[:8]}"
        )
    before = {name: holder[key] for name, (holder, key) in slots.items()}
    chosen = dict(given)
    if tie_weights:
        by_tensor = {id(before[name]): value for name, value in given.items() if name in before}
        chosen |= {n: by_tensor[id(t)] for n, t in before.items() if n not in given and id(t) in by_tensor}
    try:
        chosen = {name: value for name, value in chosen.items() if name in slots}
        for name, value in chosen.items():
            holder, key = slots[name]
            holder[key] = value
        yield
    finally:
        for name in chosen:
            holder, key = slots[name]
            holder[key] = before[name]


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Parameters and buffers of several models of one architecture, stacked for `vmap` over the models.

    >>> import retrograd as rg
    >>> models = [rg.nn.Linear(3, 2) for _ in range(4)]
    >>> params, buffers = rg.func.stack_module_state(models)
    >>> params["weight"].shape
    (4, 2, 3)
    """
    if not models:
        raise UsageError("no models", hint="give at least one")
    if any(type(m) is not type(models[0]) for m in models):
        raise UsageError(
            "models of different classes cannot be stacked", hint="give models of one architecture"
        )

    def stacked(kind: str) -> dict[str, Tensor]:
        named = [dict(getattr(m, kind)()) for m in models]
        out = {}
        for name in named[0]:
            joined = stack([d[name].detach() for d in named])
            out[name] = joined.requires_grad_() if named[0][name].requires_grad else joined
        return out

    return stacked("named_parameters"), stacked("named_buffers")
