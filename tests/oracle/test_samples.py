"""Every sample input of PyTorch for every function that we have."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import retrograd as rg
from oracle.left_out import LEFT_OUT, VALUES_DIFFER
from oracle.samples import NotHere, check_sample, find, op_db, torch, translated


def left_out(name: str) -> str | None:
    """The reason why a function is not here, if it is listed."""
    if name in LEFT_OUT:
        return LEFT_OUT[name]
    return next(
        (why for key, why in LEFT_OUT.items() if key.endswith("*") and name.startswith(key[:-1])), None
    )


HAVE = [op for op in op_db if find(op.name) is not None and left_out(op.name) is None]
WANTED = (torch.float64, torch.float32, torch.int64, torch.int32, torch.uint8, torch.bool)


def run(op: Any, dtype: Any) -> None:
    done, aside = 0, set()
    failures: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wants = dtype.is_floating_point and op.supports_autograd
        for k, sample in enumerate(op.sample_inputs("cpu", dtype, requires_grad=wants)):
            try:
                check_sample(op.name, op, sample, dtype, compare_values=op.name not in VALUES_DIFFER)
                done += 1
            except NotHere as reason:
                aside.add(str(reason))
            except Exception as error:
                failures.append(f"sample {k}: {sample}\n{type(error).__name__}: {error}")
    assert not failures, f"{len(failures)} of {done + len(failures)} samples:\n" + "\n".join(failures[:4])
    if not done and aside:
        pytest.skip("; ".join(sorted(aside)))


def cases() -> list[Any]:
    """Every function in every dtype that PyTorch takes there; float64 and int64 at all times, the others when there is time."""
    found = []
    for op in HAVE:
        name = op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")
        taken = op.supported_dtypes("cpu")
        for dtype in WANTED:
            if dtype in taken:
                marks = () if dtype in (torch.float64, torch.int64) else (pytest.mark.slow,)
                found.append(
                    pytest.param(op, dtype, id=f"{str(dtype).removeprefix('torch.')}-{name}", marks=marks)
                )
    return found


@pytest.mark.parametrize("op, dtype", cases())
def test_values_and_gradients(op: Any, dtype: Any) -> None:
    run(op, dtype)


def test_every_name_is_here_or_left_out_for_a_reason() -> None:
    missing = sorted({op.name for op in op_db if find(op.name) is None and left_out(op.name) is None})
    assert not missing, f"neither here nor in retrograd/absent.py: {missing}"


def accepted(op: Any, sample: Any) -> bool:
    """True if PyTorch takes what its list says that it refuses."""
    try:
        op(sample.input, *sample.args, **sample.kwargs)
    except Exception:
        return False
    return True


@pytest.mark.parametrize("op", [op for op in HAVE if op.error_inputs_func], ids=lambda op: op.name)
def test_what_pytorch_refuses_is_refused_with_a_hint(op: Any) -> None:
    failures: list[str] = []
    for k, error in enumerate(op.error_inputs("cpu")):
        sample = error.sample_input
        if "out" in sample.kwargs:
            continue  # out= does not exist here: Python's own TypeError says so
        try:
            first, args, kwargs = translated((sample.input, tuple(sample.args), dict(sample.kwargs)), [])
        except NotHere:
            continue
        if accepted(op, sample):
            continue  # PyTorch's list is wrong: clamp_min(tensor, number)
        try:
            found = find(op.name)(first, *args, **kwargs)  # type: ignore[misc]
        except rg.errors.RetrogradError as refusal:
            if not refusal.hint:
                failures.append(f"input {k}: {sample}\nno hint: {refusal}")
        except Exception as other:
            failures.append(f"input {k}: {sample}\n{type(other).__name__}: {other}")
        else:
            failures.append(f"input {k}: {sample}\nPyTorch refuses ({error.error_regex}); we give {found!r}")
    assert not failures, f"{len(failures)}:\n" + "\n".join(failures[:4])
