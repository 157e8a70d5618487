"""``backward`` and ``grad``: from tensors to cotangents and back, around the walk in ``grad.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GradError
from .functions.shape import stack
from .grad import propagate
from .inplace import add_
from .op import context, make_tensor
from .ops._family import fill

if TYPE_CHECKING:
    from .tensor import Tensor


def _roots(
    tensors: list[Tensor], gradients: list[Tensor | None] | None, what: str
) -> list[tuple[Any, int, Any]]:
    """(target, slot, cotangent) of each output, checked."""
    out = []
    for k, t in enumerate(tensors):
        if not t.requires_grad:
            reason = f": it comes from {t._why}" if t._why else ""
            raise GradError(
                f"{what} of a tensor that requires no gradient{reason}",
                hint="make the inputs with requires_grad=True, and compute outside no_grad() and without .detach()",
            )
        g = None if gradients is None else gradients[k]
        if g is None:
            if t.numel() != 1:
                raise GradError(
                    f"{what} of a tensor of shape {t.shape}: a gradient exists only for one number",
                    hint="reduce it first, e.g. loss.mean().backward(), or pass gradient=",
                )
            g = fill(t._type, 1.0)
        elif g._type.shape == t._type.shape and g._type.dtype.is_floating_point:
            g = g.to(t._type.dtype)
        elif g._type != t._type:
            raise GradError(
                f"gradient= has type {g._type!r}, the tensor {t._type!r}",
                hint="pass the same shape and dtype",
            )
        out.append((t._node if t._node is not None else t, t._slot, g))
    return out


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of ``tensors`` to ``.grad`` of the leaves (or of ``inputs`` only)."""
    outputs = [tensors] if hasattr(tensors, "_type") else list(tensors)
    given = [grad_tensors] if hasattr(grad_tensors, "_type") else grad_tensors
    keep = create_graph if retain_graph is None else retain_graph
    roots = _roots(outputs, given, "backward()")
    wanted = (
        None
        if inputs is None
        else [(t._node if t._node is not None else t, t._slot) for t in _listed(inputs)]
    )
    reached, found = propagate(roots, wanted=wanted, keep=keep, differentiable=create_graph)
    seeds = {id(g._value) for _, _, g in roots}
    if inputs is None:
        pairs = [(t, g) for t, g in reached if t.requires_grad]  # one may have been detached since
    else:
        pairs = [(t, g) for t, g in zip(_listed(inputs), found, strict=True) if g is not None]
    for leaf, g in pairs:
        _accumulate(leaf, g, create_graph, seeds)
        for hook in leaf._after_accumulate or ():
            hook(leaf)


def _listed(inputs: Any) -> list[Tensor]:
    return [inputs] if hasattr(inputs, "_type") else list(inputs)


def _accumulate(leaf: Tensor, g: Tensor, create_graph: bool, taken: set[int]) -> None:
    """Add to ``.grad``.  A gradient that only this leaf holds is kept as it is; any other is copied first."""
    have = leaf.grad
    if create_graph or context.tracer is not None:
        leaf.grad = g if have is None else have + g
        return
    if have is not None:
        add_(have, g) if not have.requires_grad else setattr(leaf, "grad", have + g)
        return
    array = g._value
    whole = array.base is None and array.flags.writeable and id(array) not in taken
    taken.add(id(array))
    leaf._gradient = g.detach() if whole else make_tensor(np.array(array), g._type)


def _batched(
    outs: list[Tensor], ins: list[Tensor], given: Any, create_graph: bool, unused: Any, zeros: bool
) -> tuple[Tensor | None, ...]:
    """One gradient for each entry of the first dimension of ``given``, stacked."""
    n = next((len(g) for g in given or () if g is not None), 0)
    if not n or any(g is not None and len(g) != n for g in given):
        raise GradError(
            "is_grads_batched needs grad_outputs with one more dimension in front, of one size for all",
            hint="grad_outputs=retrograd.eye(n) for n outputs",
        )
    rows = [
        grad(
            outs,
            ins,
            [g if g is None else g[k] for g in given],
            True,
            create_graph,
            True,
            unused,
            False,
            zeros,
        )
        for k in range(n)
    ]
    return tuple(None if rows[0][j] is None else stack([r[j] for r in rows]) for j in range(len(ins)))


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of the sum of ``outputs`` with respect to ``inputs``, without touching ``.grad``.

    ``allow_unused``: None for an input that was not used; ``materialize_grads``: zeros for it.  ``only_inputs`` is without
    effect, as in PyTorch.  ``is_grads_batched``: ``grad_outputs`` holds several, one for each entry of their first dimension.

    >>> import retrograd as rg
    >>> x = rg.tensor(3.0, requires_grad=True)
    >>> (g,) = rg.autograd.grad(x**3, x, create_graph=True)
    >>> rg.autograd.grad(g, x)
    (tensor(18.),)
    """
    outs, ins = _listed(outputs), _listed(inputs)
    given = [grad_outputs] if hasattr(grad_outputs, "_type") else grad_outputs
    for t in ins:
        if not t.requires_grad:
            raise GradError(
                "a gradient with respect to a tensor that requires none",
                hint="call .requires_grad_() on it first",
            )
    if not ins:
        raise GradError("grad() with respect to nothing", hint="name one input at least")
    if is_grads_batched:
        return _batched(outs, ins, given, create_graph, allow_unused, materialize_grads)
    keep = create_graph if retain_graph is None else retain_graph
    wanted = [(t._node if t._node is not None else t, t._slot) for t in ins]
    _, found = propagate(_roots(outs, given, "grad()"), wanted=wanted, keep=keep, differentiable=create_graph)
    if materialize_grads:
        return tuple(fill(t._type) if g is None else g for t, g in zip(ins, found, strict=True))
    for k, g in enumerate(found):
        if g is None and not allow_unused:
            raise GradError(
                f"input {k} (shape {ins[k].shape}) was not used in computing the outputs",
                hint="pass allow_unused=True to get None for it",
            )
    return tuple(found)
