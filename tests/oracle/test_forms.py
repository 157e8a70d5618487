"""The forms of a function: as a method, in place, under other names.  All give what PyTorch's form gives."""

from __future__ import annotations

import itertools
import warnings
from types import SimpleNamespace
from typing import Any

import pytest

import retrograd as rg
from oracle.left_out import ANY_OF_EQUALS, LEFT_OUT, VALUES_DIFFER
from oracle.samples import NotHere, check_sample, find, op_db, torch

SAMPLES = 12


def forms() -> list[Any]:
    """(name of the form, PyTorch's, ours, op) for every method, in-place method and alias that both have."""
    found = {}
    for op in op_db:
        if find(op.name) is None or op.name in VALUES_DIFFER or op.name in LEFT_OUT:
            continue
        for kind, theirs in (("method", op.method_variant), ("in place", op.inplace_variant)):
            name = getattr(theirs, "__name__", "")
            ours = getattr(rg.Tensor, name, None)
            if (
                callable(theirs)
                and callable(ours)
                and hasattr(torch.Tensor, name)
                and not name.startswith("<")
            ):
                found.setdefault(f"{name} ({kind})", (theirs, ours, op, kind))
        for alias in op.aliases:
            ours = find(alias.name)
            if ours is not None:
                found.setdefault(f"{alias.name} (alias of {op.name})", (alias.op, ours, op, "alias"))
    return [pytest.param(*form, id=name) for name, form in sorted(found.items())]


@pytest.mark.parametrize("theirs, ours, op, kind", forms())
@pytest.mark.parametrize("dtype", [torch.float64, torch.int64], ids=["float64", "int64"])
def test_form(theirs: Any, ours: Any, op: Any, kind: str, dtype: Any) -> None:
    if dtype not in op.supported_dtypes("cpu"):
        pytest.skip("PyTorch does not take this dtype")

    def changed(call: Any) -> Any:
        def run(x: Any, *args: Any, **kwargs: Any) -> Any:
            start = x.clone()
            out = call(start, *args, **kwargs)
            assert out is start
            if op.name == "addbmm" and tuple(out.shape) != tuple(x.shape):  # PyTorch makes its target larger
                raise RuntimeError("a change in place changes no shape")
            return out

        return run if kind == "in place" else call

    wants = dtype.is_floating_point and op.supports_autograd
    failures = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k, sample in enumerate(
            itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=wants), SAMPLES)
        ):
            if not isinstance(sample.input, torch.Tensor):
                continue
            given = SimpleNamespace(
                input=sample.input,
                args=sample.args,
                kwargs=sample.kwargs,
                output_process_fn_grad=sample.output_process_fn_grad,
            )
            try:
                check_sample(
                    op.name,
                    changed(theirs),
                    given,
                    dtype,
                    mine=changed(ours),
                    compare_values=op.name not in ANY_OF_EQUALS,
                )
            except NotHere:
                pass
            except Exception as error:
                failures.append(f"sample {k}: {sample}\n{type(error).__name__}: {error}")
    assert not failures, f"{len(failures)}:\n" + "\n".join(failures[:3])
