"""Every op that a computation uses, its reverse rule compared with finite differences at the values that occur there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import RetrogradError
from ..gradcheck import check_op
from ..op import Op
from ..trace import trace
from .findings import Finding

LARGEST = 20_000
"""Ops with more input elements than this are left out: finite differences cost two evaluations for each."""
NUDGE = 1e-3


def check_ops(fn: Callable[..., Any], *inputs: Any) -> list[Finding]:
    """The ops of ``fn`` whose derivative is wrong, by name and with the line that used them.

    Each distinct op is tried once per shape, in float64.  A mismatch must show at a slightly moved point as well: at a
    kink (relu at exactly 0) the derivative is a convention, and no mistake.

    >>> import retrograd as rg
    >>> check_ops(lambda x: (x.sin() * x).sum(), rg.rand(5))
    []
    """
    graph = trace(fn)(*inputs)
    env = graph.evaluate(*(np.asarray(t.detach().numpy()) for t in inputs), every=True)
    found: list[Finding] = []
    tried: set[Any] = set()
    for eq in graph.equations:
        case = (eq.op, tuple(v.type for v in eq.inputs), repr(sorted(eq.params.items())))
        arrays = [_double(np.asarray(env[v.name])) for v in eq.inputs]
        if not eq.op.differentiable or case in tried or sum(a.size for a in arrays) > LARGEST:
            continue
        tried.add(case)
        wrong = _mistake(eq.op, arrays, eq.params)
        if wrong:
            found.append(
                Finding(
                    "wrong derivative",
                    f"op {eq.op.name!r}" + (f", used at {eq.where}" if eq.where else ""),
                    wrong,
                    f"correct the vjp of {eq.op.__name__}: a sign, a transpose or a term",
                )
            )
    return found


def _double(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return a.astype(np.float64) if a.dtype.kind == "f" else a


def _mistake(op: type[Op], arrays: list[np.ndarray[Any, Any]], params: dict[str, Any]) -> str:
    """What is wrong at these values and at values moved a little, or ""."""
    noise = np.random.default_rng(0)
    moved = [a + NUDGE * noise.normal(size=a.shape) if a.dtype.kind == "f" else a for a in arrays]
    try:
        return check_op(op, arrays, params) and check_op(op, moved, params)
    except (RetrogradError, ValueError) as error:
        return f"its reverse rule fails: {str(error).splitlines()[0]}"
