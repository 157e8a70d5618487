"""Checking derivatives against finite differences: for functions, modules, losses and ops of your own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .backward import grad
from .errors import GradError, RetrogradError
from .functions import create as c
from .functions import reduce as r
from .op import Op, bind, context, make_tensor
from .tensor import Tensor
from .trace import trace
from .types import TensorType, dtype_of, float64

STEP = 1e-6


def numeric_jacobian(
    fn: Callable[..., Any], arrays: Sequence[Any], k: int, weight: Any, eps: float = STEP
) -> np.ndarray[Any, Any]:
    """d(Σ weight·fn)/d(arrays[k]) by central differences, entry by entry."""
    point = np.array(arrays[k], dtype=np.float64)
    out = np.zeros_like(point)
    for at in np.ndindex(*point.shape):
        step = eps * max(1.0, abs(float(point[at])))
        ends = []
        for side in (step, -step):
            moved = point.copy()
            moved[at] += side
            args = list(arrays)
            args[k] = moved.astype(np.asarray(arrays[k]).dtype)
            ends.append(
                sum(
                    float(np.sum(w * np.asarray(y, dtype=np.float64)))
                    for w, y in zip(weight, fn(*args), strict=True)
                )
            )
        out[at] = (ends[0] - ends[1]) / (2 * step)
    return out


def _outputs(result: Any) -> list[Tensor]:
    return [
        t for t in (result if isinstance(result, tuple | list) else [result]) if t.dtype.is_floating_point
    ]


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = STEP,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    blame: bool = True,
    **_: Any,
) -> bool:
    """Compare the gradients of ``func`` (a function or module) with central differences; float64 inputs.

    PyTorch's further options (``fast_mode``, ``nondet_tol``, ``check_...``) are accepted and without effect.  Inputs with
    ``requires_grad`` are checked, and the parameters of a module as well (they must be float64, too).
    On a mismatch the error names the input, the entry, both numbers and, unless ``blame`` is False, the op (or the
    `autograd.Function`) whose rule is to blame.

    >>> import retrograd as rg
    >>> x = rg.rand(3, dtype=rg.float64, requires_grad=True)
    >>> rg.autograd.gradcheck(lambda v: (v * v).sum(), x)
    True
    """
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    checked: list[tuple[str, Tensor]] = [
        (f"input {k}", t) for k, t in enumerate(tensors) if isinstance(t, Tensor) and t.requires_grad
    ]
    if hasattr(func, "named_parameters"):
        checked += [(f"parameter {n}", p) for n, p in func.named_parameters() if p.requires_grad]  # type: ignore[attr-defined]
    if not checked:
        raise GradError("gradcheck has nothing to check", hint="make an input with requires_grad=True")
    for name, t in checked:
        if t.dtype is not float64:
            raise GradError(f"gradcheck needs float64, {name} is {t.dtype!r}", hint="use .double()")
    outs = _outputs(func(*tensors))
    weights = [np.random.default_rng(0).normal(size=y.shape) for y in outs]
    total = sum(
        ((y * c.from_array(w)).sum() for y, w in zip(outs, weights, strict=True)),
        start=c.tensor(0.0, dtype=float64),
    )
    found = grad(total, [t for _, t in checked], allow_unused=True)
    for (name, t), g in zip(checked, found, strict=True):
        ours = np.zeros(t.shape) if g is None else g.detach().numpy()
        true = _shifted(func, tensors, t, weights, eps)
        gap = np.abs(ours - true) - (atol + rtol * np.abs(true))
        if np.isnan(gap).any() or (gap > 0).any():
            if not raise_exception:
                return False
            at = (
                np.unravel_index(int(np.nanargmax(np.where(np.isnan(gap), np.inf, gap))), gap.shape)
                if gap.ndim
                else ()
            )
            entry = f"[{', '.join(map(str, at))}]" if at else ""
            raise GradError(
                f"{_single(func, tensors, t, name + entry, at, eps)}{_blame(func, tensors) if blame else ''}",
                hint="correct that op's vjp or that Function's backward; derivatives at kinks (relu at 0) differ by convention, "
                "so move the input away",
            )
    return True


MOST_OUTPUTS = 256


def _single(func: Callable[..., Any], tensors: list[Any], t: Tensor, where: str, at: Any, eps: float) -> str:
    """The derivative of single outputs by one input entry, where rule and finite differences differ most."""
    sizes = [y.numel() for y in _outputs(func(*tensors))]
    places = [(k, i) for k, n in enumerate(sizes) for i in range(n)][:MOST_OUTPUTS]

    def slope(k: int, i: int) -> tuple[float, float]:
        y = _outputs(func(*tensors))[k].reshape(-1)[i]
        (g,) = grad(y, [t], allow_unused=True) if y.requires_grad else (None,)
        weights = [np.zeros(n) for n in sizes]
        weights[k][i] = 1.0
        flat = lambda *xs: tuple(out.reshape(-1) for out in _outputs(func(*xs)))  # noqa: E731
        return (0.0 if g is None else float(g.detach().numpy()[at])), float(
            _shifted(flat, tensors, t, weights, eps)[at]
        )

    slopes = {place: slope(*place) for place in places}
    (k, i), (ours, true) = max(
        slopes.items(), key=lambda item: abs(np.nan_to_num(item[1][0] - item[1][1], nan=np.inf))
    )
    output = "the output" if sum(sizes) == 1 else f"output {k}, element {i}"
    return f"the gradient of {output} by {where} is {ours:.8g}, finite differences give {true:.8g}"


def _shifted(
    func: Callable[..., Any], tensors: list[Any], t: Tensor, weights: list[Any], eps: float
) -> np.ndarray[Any, Any]:
    """Central differences with respect to one tensor, changed in its own memory and put back."""
    array = t.detach().numpy()
    before = array.copy()

    def value(moved: Any) -> list[Any]:
        array[...] = moved
        return [y.detach().numpy().copy() for y in _outputs(func(*tensors))]

    try:
        return numeric_jacobian(value, [before], 0, weights, eps)
    finally:
        array[...] = before


def _blame(func: Callable[..., Any], tensors: list[Any]) -> str:
    """The first op on the way whose own rule disagrees with finite differences."""
    try:
        graph = trace(lambda *xs: func(*xs))(*tensors)
        env = graph.evaluate(*(t.detach().numpy() for t in tensors), every=True)
    except RetrogradError:
        return ""
    for eq in graph.equations:
        if eq.op.differentiable and (wrong := check_op(eq.op, [env[v.name] for v in eq.inputs], eq.params)):
            return f"; the rule of op {eq.op.name!r} is wrong: {wrong}" + (
                f" (applied at {eq.where})" if eq.where else ""
            )
    return _blamed_function(func, tensors)


def _blamed_function(func: Callable[..., Any], tensors: list[Any]) -> str:
    """The first `autograd.Function` on the way whose own backward disagrees with finite differences."""
    context.applied = []
    try:
        func(*tensors)
        applied = context.applied
    finally:
        context.applied = None
    for function, args in applied:
        alone = [
            a.detach().clone().requires_grad_(a.dtype.is_floating_point) if isinstance(a, Tensor) else a
            for a in args
        ]
        try:
            gradcheck(function.apply, alone, blame=False)
        except GradError as error:
            return f"; the backward of {function.__name__} is wrong: {error.message}"
    return ""


def check_op(
    op: type[Op],
    arrays: Sequence[Any],
    params: dict[str, Any],
    positions: Sequence[int] | None = None,
    tolerance: float = 1e-5,
) -> str:
    """Compare one op's reverse rule with finite differences of its own evaluation; "" if they agree, else what differs."""
    arrays = [np.asarray(a) for a in arrays]
    floating = (
        [k for k, a in enumerate(arrays) if a.dtype == np.float64] if positions is None else list(positions)
    )
    kinds = op.type(*(TensorType(a.shape, dtype_of(a.dtype)) for a in arrays), **params)
    kinds = (kinds,) if op.n_outputs == 1 else kinds
    smooth = [k for k, kind in enumerate(kinds) if kind.dtype.is_floating_point]

    def value(*xs: Any) -> list[Any]:
        with np.errstate(all="ignore"):
            y = op.eval(*xs, **params)
        return [np.asarray((y,)[0] if op.n_outputs == 1 else y[k]) for k in smooth]

    r_ = np.random.default_rng(1)
    weights = [r_.normal(size=kinds[k].shape) for k in smooth]
    tensors = [make_tensor(a, TensorType(a.shape, dtype_of(a.dtype))) for a in arrays]
    for k in floating:
        tensors[k].requires_grad_()
    out = bind(op, *tensors, **params)
    outs = [out] if op.n_outputs == 1 else [out[k] for k in smooth]
    total: Any = sum(
        (r.sum(y * c.from_array(w.astype(y.dtype.numpy))) for y, w in zip(outs, weights, strict=True)),
        start=c.tensor(0.0, dtype=float64),
    )
    found = (
        grad(total, [tensors[k] for k in floating], allow_unused=True)
        if total.requires_grad
        else tuple(None for _ in floating)
    )
    for k, g in zip(floating, found, strict=True):
        true = numeric_jacobian(value, arrays, k, weights)
        ours = np.zeros_like(true) if g is None else g.detach().numpy()
        scale = max(1.0, float(np.max(np.abs(true), initial=0.0)))
        gap = np.abs(ours - true) / scale
        if ours.shape != true.shape or not (gap <= tolerance).all():
            at = (
                np.unravel_index(int(np.argmax(np.where(np.isnan(gap), np.inf, gap))), gap.shape)
                if gap.ndim
                else ()
            )
            return f"input {k}, entry {tuple(int(i) for i in at)}: rule {ours[at]:.8g}, finite differences {true[at]:.8g}"
    return ""


def gradgradcheck(func: Callable[..., Any], inputs: Any, **options: Any) -> bool:
    """`gradcheck` of the gradient: second derivatives, by the inputs and, of a module, by its parameters."""
    tensors = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    parameters = dict(func.named_parameters()) if hasattr(func, "named_parameters") else {}  # type: ignore[attr-defined]

    def first(*xs: Any) -> tuple[Any, ...]:
        outs = _outputs(func(*xs))
        r_ = np.random.default_rng(2)
        total: Any = sum(
            ((y * c.from_array(r_.normal(size=y.shape))).sum() for y in outs),
            start=c.tensor(0.0, dtype=float64),
        )
        wanted = [x for x in (*xs, *parameters.values()) if isinstance(x, Tensor) and x.requires_grad]
        if not wanted or not total.requires_grad:
            return ()
        return tuple(
            g
            for g in grad(total, wanted, create_graph=True, allow_unused=True)
            if g is not None and g.requires_grad
        )

    first.named_parameters = parameters.items  # type: ignore[attr-defined]
    return gradcheck(first, tensors, **options) if first(*tensors) else True
