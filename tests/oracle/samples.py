"""PyTorch's own sample inputs, given to PyTorch and to Retrograd: values and gradients side by side.

PyTorch keeps, for each of its functions, inputs worth testing (`torch.testing._internal`); its own tests run on them.
Here every sample of every function that we have is computed twice.  In float64 the values must agree to 1e-7 and the
gradients of a random weighting of the results to 1e-6, relative to the largest entry; in float32 to 1e-4 and 1e-3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from oracle.left_out import ANY_OF_EQUALS, ELSEWHERE
from oracle.variants import DERIVATIVES_BEHIND, PROGRAMS, UP_TO_SIGN, key

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="PyTorch's sample inputs need the package expecttest")

from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402

__all__ = ["NotHere", "check_sample", "find", "op_db", "torch", "translated"]

torch.set_num_threads(1)

VALUES = {torch.float64: 1e-7, torch.float32: 1e-4}
GRADIENTS = {torch.float64: 1e-6, torch.float32: 1e-3}
DTYPES = {
    torch.float64: rg.float64, torch.float32: rg.float32, torch.int64: rg.int64, torch.int32: rg.int32,
    torch.uint8: rg.uint8, torch.bool: rg.bool,
}  # fmt: skip


class NotHere(Exception):
    """A sample that uses something which Retrograd leaves out on purpose, with the reason."""


def filled(name: str) -> Callable[..., Any]:
    """PyTorch's list gives in-place random functions a tensor that may want a gradient: its values are filled in a copy."""
    return lambda input, *args, **kwargs: getattr(input.clone(), name)(*args, **kwargs)


# What PyTorch's list calls through a function of its own is called here in the same way.
CALLED: dict[str, Callable[..., Any]] = {
    "where": lambda input, condition, other: rg.where(condition, input, other),
    "H": lambda input: input.H,
    "T": lambda input: input.T,
    "mH": lambda input: input.mH,
    "mT": lambda input: input.mT,
    "nn.functional.embedding": lambda weight, input, **kwargs: rg.nn.functional.embedding(
        input, weight, **kwargs
    ),
    "zero_": filled("zero_"),
    "cauchy": filled("cauchy_"),
    "exponential": filled("exponential_"),
    "geometric": filled("geometric_"),
    "log_normal": filled("log_normal_"),
    "uniform": filled("uniform_"),
    "normal": lambda input, *args, **kwargs: (
        input.clone().normal_(*args)
        if len(args) == 2 and hasattr(input, "clone")
        else rg.normal(input, *args, **kwargs)
    ),
}


def find(name: str) -> Callable[..., Any] | None:
    """Our function for a name of PyTorch's list, or None."""
    if name in CALLED:
        return CALLED[name]
    name = ELSEWHERE.get(name, name)
    for root in (rg, rg.Tensor):
        found: Any = root
        for part in name.split("."):
            found = getattr(found, part, None)
            if found is None:
                break
        if callable(found):
            return found
    return None


def translated(x: Any, leaves: list[tuple[Any, Any]]) -> Any:
    """The same argument for us; pairs (PyTorch's tensor, ours) that want a gradient are added to ``leaves``."""
    if isinstance(x, torch.Tensor):
        if x.layout is not torch.strided:
            raise NotHere("sparse tensors do not exist here")
        if x.dtype not in DTYPES:
            raise NotHere(f"{x.dtype} does not exist here")
        if x.device.type != "cpu" or x.ndim > 64:
            raise NotHere("the only device is the CPU, and NumPy's arrays have at most 64 dimensions")
        array = x.detach().resolve_neg().numpy()
        copy = np.empty_like(array)  # keeps the order of the strides
        copy[...] = array
        mine = rg.from_numpy(copy if array.ndim else copy.reshape(()))
        if x.requires_grad:
            mine.requires_grad_()
            leaves.append((x, mine))
        return mine
    if isinstance(x, torch.dtype):
        if x not in DTYPES:
            raise NotHere(f"{x} does not exist here")
        return DTYPES[x]
    if isinstance(x, torch.Size):
        return tuple(x)
    if isinstance(x, torch.device):
        return "cpu"
    if isinstance(x, torch.memory_format | torch.layout):
        raise NotHere("memory formats and layouts do not exist here")
    if isinstance(x, torch.Generator):
        raise NotHere("random streams are other ones")
    if isinstance(x, complex):
        raise NotHere("complex numbers do not exist here")
    if isinstance(x, torch.nn.PairwiseDistance):
        return rg.nn.PairwiseDistance(x.norm, x.eps, x.keepdim)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(translated(v, leaves) for v in x))
    if isinstance(x, tuple | list):
        return type(x)(translated(v, leaves) for v in x)
    if isinstance(x, dict):
        return {k: translated(v, leaves) for k, v in x.items()}
    if isinstance(x, slice):
        return slice(*(translated(v, leaves) for v in (x.start, x.stop, x.step)))
    return x


def fresh(x: Any) -> Any:
    """PyTorch's argument again, detached from other samples, with its own gradient to be filled."""
    if isinstance(x, torch.Tensor):
        return x.detach().clone(memory_format=torch.preserve_format).requires_grad_(x.requires_grad)
    if isinstance(x, tuple | list) and not isinstance(x, torch.Size):
        made = [fresh(v) for v in x]
        return type(x)(*made) if hasattr(x, "_fields") else type(x)(made)
    if isinstance(x, dict):
        return {k: fresh(v) for k, v in x.items()}
    return x


def flat(x: Any) -> Iterator[Any]:
    """The tensors and numbers of a result."""
    if isinstance(x, dict):
        for v in x.values():
            yield from flat(v)
    elif isinstance(x, tuple | list):
        for v in x:
            yield from flat(v)
    else:
        yield x


def near(mine: Any, other: Any, tolerance: float, what: str, scale: float = 1e-3) -> None:
    """Same shape, dtype and numbers, NaN and infinities in the same places.

    The error is relative to the largest entry, and to ``scale`` where all entries are smaller.
    """
    a, b = mine.detach().numpy(), other.detach().resolve_neg().numpy(force=True)
    assert a.shape == b.shape, f"{what}: shape {a.shape}, PyTorch {b.shape}"
    assert a.dtype == b.dtype, f"{what}: dtype {a.dtype}, PyTorch {b.dtype}"
    if b.dtype.kind != "f":
        np.testing.assert_array_equal(a, b, err_msg=what)
        return
    special = ~np.isfinite(b)
    np.testing.assert_array_equal(a[special], b[special], err_msg=what)
    a, b = np.where(special, 0, a), np.where(special, 0, b)
    if a.size:
        error = np.abs(a - b).max() / max(np.abs(b).max(), scale)
        assert error <= tolerance, f"{what}: relative error {error:.3g}\nours {a}\nPyTorch {b}"


def check_sample(
    name: str, theirs: Any, sample: Any, dtype: Any, mine: Any = None, compare_values: bool = True
) -> None:
    """One sample: values and gradients agree, or both refuse."""
    if "out" in sample.kwargs:
        raise NotHere("out= does not exist here")
    leaves: list[tuple[Any, Any]] = []
    given = fresh((sample.input, tuple(sample.args), dict(sample.kwargs)))
    first, args, kwargs = translated(given, leaves)
    ours = mine or PROGRAMS.get(key(theirs, name)) or find(name)
    assert ours is not None
    try:
        expected = theirs(given[0], *given[1], **given[2])
    except NotImplementedError:
        raise NotHere("PyTorch has no such kernel") from None
    except Exception as refusal:
        with pytest.raises(rg.errors.RetrogradError):
            ours(first, *args, **kwargs)
        del refusal
        return
    found = ours(first, *args, **kwargs)
    if any(isinstance(t, torch.Tensor) and t.is_complex() for t in flat(expected)):
        raise NotHere("the result is complex")
    read = sample.output_process_fn_grad if name in UP_TO_SIGN else _as_it_is
    a, b = list(flat(read(found))), list(flat(read(expected)))
    assert len(a) == len(b), f"{len(a)} results, PyTorch {len(b)}"
    for k, (x, y) in enumerate(zip(a, b, strict=True)):
        if isinstance(y, torch.Tensor):
            assert isinstance(x, rg.Tensor), f"result {k} is a {type(x).__name__}"
            if _is_any_of_equals(name, sample, k):
                _same_entries(name, sample, given[0], x, y)
            elif compare_values:
                # What integers make is float32, whatever their own width.
                near(x, y, VALUES.get(y.dtype, 1e-7), f"result {k}")
            else:
                assert tuple(x.shape) == tuple(y.shape)
                assert DTYPES[y.dtype] is x.dtype
        elif isinstance(y, float):
            assert x == pytest.approx(y, rel=1e-7, nan_ok=True)
        else:
            assert x == y, f"result {k}: {x!r}, PyTorch {y!r}"
    if leaves and compare_values:
        if (behind := DERIVATIVES_BEHIND.get(key(theirs, name))) is not None:
            found = behind(ours, first, *args, **kwargs)
            expected = behind(theirs, given[0], *given[1], **given[2])
        _gradients(sample, found, expected, leaves, dtype)


def _as_it_is(x: Any) -> Any:
    return x


def _is_any_of_equals(name: str, sample: Any, k: int) -> bool:
    """Result ``k`` is a position that may be another one where values are equal."""
    return name in ANY_OF_EQUALS and k == (0 if name == "argsort" else 1) and not sample.kwargs.get("stable")


def _same_entries(name: str, sample: Any, given: Any, mine: Any, other: Any) -> None:
    """The same values stand at both positions."""
    place = ANY_OF_EQUALS[name]
    dim = sample.kwargs.get("dim", sample.args[place] if len(sample.args) > place else -1)
    x = given.detach()
    entries = []
    for index in (torch.tensor(mine.numpy()), other):
        wide = index.unsqueeze(dim) if index.ndim < x.ndim else index
        entries.append(x.gather(dim, wide) if x.ndim else x[index == 0])
    assert mine.dtype is DTYPES[other.dtype]
    assert entries[0].shape == entries[1].shape
    assert torch.equal(entries[0], entries[1]), f"other entries: ours {mine}, PyTorch {other}"


def _gradients(sample: Any, found: Any, expected: Any, leaves: Any, dtype: Any) -> None:
    process = sample.output_process_fn_grad
    a, b = list(flat(process(found))), list(flat(process(expected)))
    r = np.random.default_rng(0)
    mine: list[Any] = []
    other: list[Any] = []
    for k, (x, y) in enumerate(zip(a, b, strict=True)):
        if not isinstance(y, torch.Tensor) or not y.is_floating_point():
            continue
        assert x.requires_grad == y.requires_grad, f"requires_grad of result {k}: ours {x.requires_grad}"
        if y.requires_grad:
            w = r.normal(size=tuple(y.shape))
            mine.append((x * rg.tensor(w, dtype=x.dtype)).sum())
            other.append((y * torch.tensor(w, dtype=y.dtype)).sum())
    if not mine:
        return
    try:
        sum(other[1:], start=other[0]).backward()
    except (RuntimeError, NotImplementedError):
        return  # PyTorch has no derivative there
    sum(mine[1:], start=mine[0]).backward()
    # In float32, what cancels leaves a rest of the size of its summands: the largest gradient is the measure for all.
    single = dtype is torch.float32
    sizes = [float(y.grad.abs().max()) for y, _ in leaves if single and y.grad is not None and y.grad.numel()]
    scale = max([1e-2 if single else 1e-3, *(s for s in sizes if math.isfinite(s))])
    for k, (y, x) in enumerate(leaves):
        if y.grad is None:
            assert x.grad is None or not x.grad.numpy().any(), f"gradient {k} where PyTorch has none"
            continue
        if x.grad is None:
            assert not y.grad.numpy().any(), f"no gradient {k}"
            continue
        near(x.grad, y.grad, GRADIENTS.get(dtype, 1e-6), f"gradient {k}", scale)
