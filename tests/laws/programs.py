"""Programs of tensors that are viewed, changed in place and differentiated, made at random, as lines of Python.

A program is a list of lines over ``m`` (a library) and ``x0, x1, ...``; ``leaf(2, 3)`` gives a new float64 tensor that
wants a gradient, ``plain(2, 3)`` one that does not.  PyTorch runs the lines while they are made, so that they fit the
shapes; a line that it refuses stays in the program now and then.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from retrograd.errors import RetrogradError

torch = pytest.importorskip("torch")

Draw = st.DrawFn
LEAVES = ["leaf(3, 4)", "leaf(4)", "leaf(2, 3)", "leaf(2, 1, 3)", "leaf(3)", "leaf()", "leaf(0, 3)"]
PLAINS = ["plain(3, 4)", "plain(4)", "plain(3, 1)", "plain(2, 3)"]


def environment(m: Any) -> dict[str, Any]:
    """The names that a program may use, in library ``m``."""
    made = [0]

    def new(shape: tuple[int, ...]) -> Any:
        made[0] += 1
        values = np.random.default_rng(made[0]).uniform(0.5, 1.5, shape).round(2)
        return m.tensor(values if shape else float(values), dtype=m.float64)

    return {"m": m, "leaf": lambda *shape: new(shape).requires_grad_(), "plain": lambda *shape: new(shape)}


def attempt(line: str, names: dict[str, Any]) -> Exception | None:
    """Run one line; what it raises."""
    torch.set_warn_always(names["m"] is torch)  # otherwise it warns once
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", "Use of .* on expanded tensors is deprecated")
            exec(line, names)
    except (RuntimeError, IndexError, ValueError, TypeError, UserWarning, RetrogradError) as error:
        return error
    finally:
        torch.set_warn_always(False)
    return None


def tensors(names: dict[str, Any]) -> dict[str, Any]:
    """The variables of a program, in order."""
    found = {k: v for k, v in names.items() if k[0] == "x" and k[1:].isdigit()}
    return dict(sorted(found.items(), key=lambda item: int(item[0][1:])))


def unrecorded(t: Any) -> bool:
    """A tensor of PyTorch that cannot be asked for its place in the graph.

    A view that was made under ``no_grad``: PyTorch says that it requires a gradient if its base does.  We say that it
    requires none, as PyTorch's documentation does; so it is written to, and not computed with.  And a view that
    PyTorch no longer lets anybody look at, because another view of its base was changed.
    """
    try:
        return bool(t.grad_fn is None and t._is_view() and t._base.requires_grad)
    except RuntimeError:
        return True


def alone(t: Any, names: dict[str, Any]) -> bool:
    """No view, and without views: for those that are older than ``requires_grad_`` PyTorch has rules of its own."""
    return not t._is_view() and not any(v._is_view() and v._base is t for v in tensors(names).values())


# --- parts of lines --------------------------------------------------------------------------------------------------


def basic_key(draw: Draw, shape: tuple[int, ...]) -> str:
    """Numbers, slices, None and an ellipsis."""
    parts = []
    for n in shape:
        kind = draw(st.sampled_from(["slice", "number", "all", "stop", "step", "new"]))
        if kind == "stop":
            break
        if kind == "new":
            parts.append("None")
            kind = "all"
        if kind == "slice":
            a = draw(st.integers(0, n))
            parts.append(f"{a}:{draw(st.integers(a, n))}")
        elif kind == "number" and n:
            parts.append(str(draw(st.integers(-n, n - 1))))
        else:
            parts.append("::2" if kind == "step" else ":")
    if draw(st.integers(0, 5)) == 0:
        parts.append("...")
    return ", ".join(parts) or "..."


def array_key(draw: Draw, name: str, shape: tuple[int, ...]) -> str:
    """A mask or a list of numbers, perhaps beside a slice or a number."""
    if not shape or draw(st.booleans()):
        return f"{name}.detach() > 1"
    n = shape[0]
    rows = list(draw(st.permutations(range(-n, 0))))[: draw(st.integers(0, 3))]
    rows = [k + n if k % 2 else k for k in rows]  # none twice: which of two writes wins is not defined
    first = f"m.tensor({rows}, dtype=m.int64)"
    if len(shape) == 1 or draw(st.booleans()):
        return first
    last = draw(st.sampled_from([":", "0:1", "::2", "None", *(["0", "-1"] if shape[1] else [])]))
    return f"{first}, {last}"


def read_before_written(t: Any, target: Any) -> bool:
    """Whether no element of ``t`` is overwritten before it is read, where ``target`` is changed element by element.

    Where they share memory in part, PyTorch refuses or, if it does not see it, reads what it has written already:
    ``x.mul_(x[:, 0:1])`` multiplies the later columns by the square.  Here a value is read before anything is written.
    """
    if (t.data_ptr(), t.shape, t.stride()) == (target.data_ptr(), target.shape, target.stride()):
        return True
    return not np.shares_memory(t.data.numpy(), target.data.numpy())


def partner(draw: Draw, names: dict[str, Any], shape: tuple[int, ...], *, into: Any = None) -> str:
    """An operand that meets ``shape``: a tensor, a part of one, or a number.

    What is written ``into`` a tensor may not be wider, nor share its memory in part.
    """
    fitting = []
    for name, t in tensors(names).items():
        if unrecorded(t) or (into is not None and not read_before_written(t, into)):
            continue
        try:
            wide = torch.broadcast_shapes(shape, t.shape)
        except RuntimeError:
            continue
        if (into is None or wide == shape) and len(wide) < 5:
            fitting.append(name)
    options = ["0.5", "x0.sum() * 0.3", "x1.sum() * 0.3", *fitting, *fitting]
    return draw(st.sampled_from(options))


# --- lines -----------------------------------------------------------------------------------------------------------


def view(draw: Draw, name: str, t: Any, names: dict[str, Any]) -> str:
    """An expression that is a view of ``name``."""
    n = t.ndim
    d = draw(st.integers(-n, n - 1)) if n else 0
    e = draw(st.integers(-n, n - 1)) if n else 0
    order = tuple(draw(st.permutations(range(n))))
    options = [
        f"{name}[{basic_key(draw, tuple(t.shape))}]",
        f"{name}[{basic_key(draw, tuple(t.shape))}]",
        f"{name}.unsqueeze({draw(st.integers(-n - 1, n))})",
        f"{name}.squeeze()",
        f"{name}.detach()",
        f"{name}.data",
        f"{name}.reshape(-1)",
        f"{name}.contiguous()",
        f"{name}.clone()",
        f"{name} * 1",
        f"{name}.view_as({name})",
        f"{name}.broadcast_to((2, {', '.join(str(k) for k in t.shape)}))" if n < 4 else f"{name}[...]",
        f"{name}.expand(2, {', '.join(str(k) for k in t.shape)})" if n < 4 else f"{name}[...]",
    ]
    if n:
        size = t.shape[d]
        start = draw(st.integers(0, size))
        options += [
            f"{name}.transpose({d}, {e})",
            f"{name}.permute({order})",
            f"{name}.swapdims({d}, {e})",
            f"{name}.unfold({d}, 1, 1)",
            f"{name}.tensor_split(2, {d})[0]",
            f"{name}.movedim({d}, {e})",
            f"{name}.flatten()",
            f"{name}.narrow({d}, {start}, {draw(st.integers(0, size - start))})",
            f"{name}.squeeze({d})",
            f"{name}.chunk(2, {d})[0]",
            f"{name}.split(2, {d})[-1]",
            f"{name}.unflatten({d}, (-1, 1))" if size else f"{name}[...]",
        ]
        if size:
            options += [f"{name}.select({d}, {draw(st.integers(-size, size - 1))})", f"{name}.unbind({d})[0]"]
        if t.is_contiguous():
            options += [f"{name}.view(-1)"]
    if n == 2:
        options += [
            f"{name}.t()",
            f"{name}.T",
            f"{name}.diagonal()",
            f"{name}.diagonal({draw(st.integers(-1, 1))})",
        ]
    return draw(st.sampled_from(options))


def new(draw: Draw, name: str, t: Any, names: dict[str, Any]) -> str:
    """An expression that is a tensor of its own."""
    shape = tuple(t.shape)
    other = partner(draw, names, shape)
    options = [
        f"{name}.sin()", f"({name} * 0.1).exp()", f"{name}.tanh()", f"{name}.square()", f"{name}.abs()",
        f"{name} * {other}", f"{name} + {other}", f"{other} - {name}", f"{name} / ({other} * 0.1 + 3)",
        f"{name} * {name}", f"{name} * 1", f"{name}.clone()", f"{name}.contiguous()", f"{name}.sum()",
        f"m.where({name}.detach() > 1, {name}, {other})", f"{name}.clamp(0.6, 1.2)", f"m.relu({name} - 1)",
        f"{name}[{array_key(draw, name, shape)}]", f"{name}.flip({tuple(range(t.ndim))})", f"{name}.sigmoid()",
        f"m.maximum({name}, m.zeros((), dtype=m.float64))", f"m.stack([{name}, {name}])",
    ]  # fmt: skip
    if t.ndim:
        d = draw(st.integers(-t.ndim, t.ndim - 1))
        options += [
            f"{name}.sum({d})", f"{name}.mean({d})", f"{name}.cumsum({d})", f"m.cat([{name}, {name}], {d})",
            f"{name}.softmax({d})", f"{name}.logsumexp({d})", f"{name}.cumprod({d})", f"{name}.prod({d})",
            f"{name}.std({d})" if t.shape[d] > 1 else f"{name}.abs()", f"{name}.norm(dim={d})",
            f"{name}.roll(1, {d})", f"{name}.sum({d}, keepdim=True)",
        ]  # fmt: skip
        if t.shape[d]:
            options += [
                f"{name}.amax({d})",
                f"{name}.index_select({d}, m.tensor([0, 0]))",
                f"{name}.sort({d})[0]",
            ]
            options += [f"{name}.max({d})[0]"]
    options += [f"{name}.repeat(2, {', '.join('1' for _ in shape)})" if shape else f"{name}.repeat(2)"]
    options += [
        f"m.take({name}, m.tensor([0]))" if t.numel() else f"{name}.exp()",
        f"({name} + 2).pow({other})",
    ]
    options += [f"({name} + 2).log()", f"({name} + 2).sqrt()", f"({name} + 2).reciprocal()", f"m.erf({name})"]
    if t.ndim == 2:
        options += [f"{name} @ {name}.t()", f"{name}.tril()"]
    return draw(st.sampled_from(options))


def write(draw: Draw, name: str, t: Any, names: dict[str, Any]) -> str:
    """A statement that changes ``name``."""
    shape = tuple(t.shape)
    other = partner(draw, names, shape, into=t)
    operand = (
        other
        if other[0] == "x" and " " not in other
        else "m.tensor(0.5, dtype=m.float64)"
        if other == "0.5"
        else other
    )
    key = basic_key(draw, shape) if draw(st.booleans()) else array_key(draw, name, shape)
    try:
        part = tuple(eval(f"{name}[{key}]", {**names}).shape)
    except (RuntimeError, IndexError):
        part = ()
    value = partner(draw, names, part, into=t)
    options = [
        f"{name}.mul_({other})", f"{name}.add_({other})", f"{name}.sub_({other}, alpha=0.3)", f"{name} += {other}",
        f"{name} *= {other}", f"{name} -= {other}", f"{name}.div_(1.5)", f"{name}.zero_()", f"{name}.fill_(0.7)",
        f"{name}.sin_()", f"{name}.mul_(0.1).exp_()", f"{name}.neg_()", f"{name}.tanh_()", f"{name}.clamp_(0.6, 1.2)",
        f"{name}.copy_({operand})", f"{name}.relu_()", f"{name}.pow_(2)", f"{name}.sigmoid_()",
        f"{name}.masked_fill_({name}.detach() > 1, 0.4)", f"{name}.addcmul_({name}.detach(), {name}.sin(), value=0.5)",
        f"{name}[{key}] = 0.3", f"{name}[{key}] = {value}", f"{name}[{key}] = {value}", f"{name}[{key}] += {value}",
        f"{name}[{key}] *= {value}", f"{name}[{key}] *= 2", f"{name}[{key}] = {name}[{key}] * 2",
        f"{name}[...] = {other}", f"{name}.lerp_({operand}, 0.5)",
    ]  # fmt: skip
    if t.ndim and t.shape[0]:
        rows = "m.tensor([0, 0])"
        options += [
            f"{name}.index_add_(0, {rows}, {name}.detach()[{rows}])",
            f"{name}[1:] = {name}[:-1] * 0.5",
            f"{name}[:-1].mul_({name}[1:] * 0.5)",
            f"{name}.index_fill_(0, m.tensor([0]), 0.4)",
            f"{name}.index_copy_(0, m.tensor([-1 + {t.shape[0]}]), {name}[0:1])",
            f"{name}.scatter_(0, m.zeros({(1, *shape[1:])}, dtype=m.int64), {name}[0:1].sin())",
            f"{name}.masked_scatter_({name}.detach() > 1, {name}.detach() * 0.5)",
            f"{name}.index_put_((m.tensor([0]),), {name}[0:1] * 0.5, accumulate=True)",
            f"{name}.cumsum_(0)",
            f"{name}.tril_()" if t.ndim == 2 else f"{name}.abs_()",
            f"{name}.index_add_(0, {rows}, {name}[{rows}])",
            f"{name}.scatter_add_(0, m.zeros({(1, *shape[1:])}, dtype=m.int64), {name}[0:1].sin())",
        ]
    return draw(st.sampled_from(options))


CHANGES = ["requires_grad_()", "requires_grad_(False)", "detach_()"]


def other(draw: Draw, name: str, t: Any, names: dict[str, Any]) -> str:
    """What concerns recording."""
    return draw(
        st.sampled_from(
            [
                *([f"{name}.{change}" for change in CHANGES] if alone(t, names) else []),
                f"{name}.retain_grad()",
                f"{name}.sum().backward(retain_graph=True)",
                f"{name}.register_hook(lambda g: g * 2)" if not t._is_view() else f"{name}.retain_grad()",
            ]
        )
    )


MAKERS: dict[str, Callable[..., str]] = {"view": view, "new": new, "write": write, "other": other}


@st.composite
def programs(draw: Draw, *, least: int = 5, most: int = 15) -> list[str]:
    """The lines of a program."""
    lines = [f"x0 = {draw(st.sampled_from(LEAVES))}", f"x1 = {draw(st.sampled_from(PLAINS))}"]
    lines += [f"x2 = {draw(st.sampled_from(LEAVES))}", "x3 = x0 * 1"]
    names = environment(torch)
    exec("\n".join(lines), names)
    count = draw(st.integers(least, most))
    while len(lines) < count + 4:
        known = tensors(names)
        name = draw(st.sampled_from(list(known)))
        kind = draw(st.sampled_from(["view"] * 4 + ["new"] * 3 + ["write"] * 5 + ["other"]))
        if unrecorded(known[name]) and kind != "write":
            continue
        body = MAKERS[kind](draw, name, known[name], names)
        if kind in ("view", "new"):
            body = f"x{len(known)} = {body}"
        mode = draw(st.sampled_from(["", "", "", "", "with m.no_grad(): ", "with m.enable_grad(): "]))
        line = mode + body
        refusal = attempt(line, names)
        if isinstance(refusal, UserWarning):  # deprecated, and done nevertheless
            break
        if refusal is not None and draw(st.integers(0, 3)):
            line = "None"
        if not all(np.abs(v.data.numpy()).max(initial=0.0) < 1e4 for v in tensors(names).values()):
            break
        lines.append(line)
    return [line for line in lines if line != "None"]
