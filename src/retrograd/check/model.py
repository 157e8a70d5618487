"""Checking a network on one batch: its numbers, its rows, its gradients and its units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backward import grad
from ..functions.create import from_array
from ..modes import no_grad
from ..nn import Module
from ..nn.units import dead_units
from ..tensor import Tensor
from .findings import Finding
from .ops import check_ops

FEW = 4
"""Rows for the checks that cost more than a forward pass."""


def check_model(
    model: Module, loss: Callable[[Any, Any], Tensor], inputs: Tensor, target: Any
) -> list[Finding]:
    """Everything that is wrong with ``model`` on this batch (rows along dimension 0); empty where nothing is.

    Found and named: NaN or infinite inputs, the layer that first makes such a number, the layer that mixes rows, parameters
    that the loss does not depend on, gradients that vanish altogether, dead ReLU units, ops with a wrong derivative.

    >>> import retrograd as rg
    >>> from retrograd import nn
    >>> net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> x = rg.rand(16, 3)
    >>> x[2, 1] = float("nan")
    >>> print(check_model(net, nn.MSELoss(), x, rg.rand(16, 1))[0])
    nan input (column 1): 1 of 16 rows hold numbers that are not finite, the first one is row 2
      hint: drop these rows or fill the gaps before training
    """
    found = _inputs(inputs)
    if found:
        return found  # everything behind it would be NaN as well
    mode = model.training
    model.eval()
    try:
        found = _values(model, inputs)
        if found:
            return found
        found = _rows(model, inputs) + _gradients(model, loss, inputs, target)
        for layer, units in dead_units(model, inputs).items():
            if units:
                listed = ", ".join(map(str, units[:8])) + (", ..." if len(units) > 8 else "")
                found.append(
                    Finding(
                        "dead units",
                        f"layer {layer}",
                        f"units {listed} give 0 for all {len(inputs)} rows, so no gradient passes them",
                        "lower the learning rate, start with smaller biases, or use nn.LeakyReLU",
                    )
                )
        few, some = inputs[:FEW].detach(), target[:FEW]
        found += check_ops(lambda x: loss(model(x), some), few)
    finally:
        model.train(mode)
    return found


def _inputs(inputs: Tensor) -> list[Finding]:
    values = inputs.detach().numpy()
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return []
    bad = ~np.isfinite(values.reshape(len(values), -1))
    return [
        Finding(
            "nan input",
            f"column {column}",
            f"{bad[:, column].sum()} of {len(values)} rows hold numbers that are not finite, "
            f"the first one is row {np.flatnonzero(bad[:, column])[0]}",
            "drop these rows or fill the gaps before training",
        )
        for column in np.flatnonzero(bad.any(axis=0))[:8]
    ]


def _outputs(model: Module, inputs: Tensor) -> list[tuple[str, np.ndarray[Any, Any]]]:
    """(layer, output) of every layer without sub-layers, in order; the whole model last."""
    seen: list[tuple[str, np.ndarray[Any, Any]]] = []
    handles = []
    for name, part in model.named_modules():
        if name and not list(part.children()):

            def note(_: Any, __: Any, output: Any, name: str = name) -> None:
                if isinstance(output, Tensor):
                    seen.append((f"layer {name}", output.detach().numpy().copy()))

            handles.append(part.register_forward_hook(note))
    try:
        with no_grad():
            seen.append(("the model", model(inputs).numpy().copy()))
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _values(model: Module, inputs: Tensor) -> list[Finding]:
    for name, output in _outputs(model, inputs):
        if output.dtype.kind == "f" and not np.isfinite(output).all():
            share = (~np.isfinite(output)).mean()
            return [
                Finding(
                    "nan output",
                    name,
                    f"{share:.0%} of its output is not finite although its inputs are",
                    "look for a logarithm or a root of 0, a division by 0, or weights that grew too large",
                )
            ]
    return []


def _rows(model: Module, inputs: Tensor) -> list[Finding]:
    """The last row is changed; an output of another row that changes with it comes from a mix along dimension 0."""
    if len(inputs) < 2 or not inputs.dtype.is_floating_point:
        return []
    changed = inputs.detach().numpy().copy()
    changed[-1] = 2 * changed[-1] + 1
    for (name, a), (_, b) in zip(_outputs(model, inputs), _outputs(model, from_array(changed)), strict=True):
        if a.ndim == 0 or len(a) != len(inputs):
            continue
        gap = np.abs(a[:-1] - b[:-1]).max(initial=0.0)
        if gap > 1e-4 * max(float(np.abs(a).max(initial=0.0)), 1e-30):
            return [
                Finding(
                    "wrong axis",
                    name,
                    "the output of a row depends on the other rows of the batch: something runs over dimension 0",
                    "give softmax, mean, norm and the like dim=1 (or -1), so that each row is on its own",
                )
            ]
    return []


def _gradients(
    model: Module, loss: Callable[[Any, Any], Tensor], inputs: Tensor, target: Any
) -> list[Finding]:
    named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    if not named:
        return []
    value = loss(model(inputs), target)
    if not value.requires_grad:
        hint = "look for .detach(), .numpy() or no_grad() on the way from the parameters to the loss"
        return [Finding("no gradient", "the loss", "it depends on no parameter of the model", hint)]
    found = []
    for (name, _), g in zip(named, grad(value, [p for _, p in named], allow_unused=True), strict=True):
        if g is None:
            message, hint = (
                "the loss does not depend on it",
                "use it in forward(), or take it out of the model",
            )
        elif not np.isfinite(g.numpy()).all():
            message, hint = (
                "its gradient is not finite",
                "look for a logarithm or a root of 0, or a division by 0",
            )
        elif not g.numpy().any():
            message = "its gradient is 0 everywhere on this batch"
            hint = "look for units that are all dead, a step function, or weights that are all 0"
        else:
            continue
        found.append(Finding("no gradient", f"parameter {name}", message, hint))
    return found
